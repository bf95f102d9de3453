"""What selectors see of a message: the checks of a consumer agree with those of the broker. JMS 3.1, 3.8."""

from __future__ import annotations

import pytest

from jms_api import DeliveryMode, Message, Queue, Short, TextMessage
from jms_api.mapping import Stamp, from_frame, is_selected, selector_value, stamp, to_frame_parts
from jms_api.profiles import STOMPD
from stompd.broker.matching import is_selected as broker_selects
from stompd.broker.message import Message as BrokerMessage
from stompd.selector.evaluate import compile_selector


def sent() -> Message:
    message = TextMessage("x")
    message.properties.update(
        {
            "qty": Short(5),
            "big": 2**40,
            "ratio": 0.5,
            "ok": True,
            "colour": "red",
            "two": "2",
            "none": None,
            "type": "p",
        }
    )
    message.set_float_property("single", 1.1)
    message.jms_type = "order"
    message.jms_correlation_id = "c-1"
    stamp(message, Stamp(Queue("q"), DeliveryMode.PERSISTENT, 7, 0, 0, 1_700_000_000_000, "ID:x-1"))
    return message


def on_the_broker(message: Message) -> BrokerMessage:
    headers, body = to_frame_parts(message, STOMPD)
    kept = BrokerMessage("/queue/q", headers, body)
    kept.priority = message.jms_priority
    kept.is_persistent = message.jms_delivery_mode is DeliveryMode.PERSISTENT
    kept.timestamp_ms = message.jms_timestamp
    return kept


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("qty = 5", True),
        ("qty > 4.5 AND qty + 1 = 6", True),
        ("big > 1099511627775", True),
        ("ratio BETWEEN 0.4 AND 0.6", True),
        ("single = 1.1", False),
        ("single > 1.09 AND single < 1.11", True),
        ("ok", True),
        ("ok = FALSE", False),
        ("colour IN ('red', 'blue')", True),
        ("colour LIKE 'r%'", True),
        ("two = 2", False),
        ("two > 1", False),
        ("two = '2'", True),
        ("none IS NULL", True),
        ("absent IS NULL", True),
        ("type = 'p'", True),
        ("JMSType = 'order'", True),
        ("JMSPriority = 7", True),
        ("JMSDeliveryMode = 'PERSISTENT'", True),
        ("JMSMessageID = 'ID:x-1'", True),
        ("JMSCorrelationID = 'c-1'", True),
        ("JMSTimestamp = 1700000000000", True),
    ],
)
def test_jms_142_consumer_and_broker_select_alike(selector: str, expected: bool) -> None:
    message, compiled = sent(), compile_selector(selector)

    assert is_selected(compiled, message) is expected
    assert broker_selects(compiled, on_the_broker(message)) is expected


def test_string_of_a_foreign_message_counts_as_the_number_it_spells() -> None:
    message = from_frame({"n": "2"}, b"", STOMPD)

    assert is_selected(compile_selector("n > 1"), message)


def test_value_that_cannot_be_decoded_is_unknown() -> None:
    message = from_frame({"jms-prop-types": "n=I", "n": "many"}, b"", STOMPD)

    assert selector_value(message, "n") is None
    assert not is_selected(compile_selector("n > 1"), message)

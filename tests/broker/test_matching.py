"""What a selector sees of a message: its headers, its properties with their types, and what JMS calls its fields."""

from __future__ import annotations

import pytest

from stompd.broker.matching import is_selected
from stompd.broker.message import Message
from stompd.selector.evaluate import compile_selector


def message(headers: dict[str, str] | None = None) -> Message:
    return Message(
        "/queue/a", headers or {}, b"", priority=7, is_persistent=False, message_id=42, timestamp_ms=1_700_000_000_000
    )


@pytest.mark.parametrize(
    "selector",
    [
        "JMSPriority = 7",
        "JMSDeliveryMode = 'NON_PERSISTENT'",
        "JMSTimestamp = 1700000000000",
        "JMSMessageID = 'ID:42'",
        "JMSXDeliveryCount = 3",
        "JMSCorrelationID IS NULL",
        "JMSType IS NULL",
        "JMSXGroupSeq IS NULL",
    ],
)
def test_fields_of_the_message(selector: str) -> None:
    assert is_selected(compile_selector(selector), message(), delivery_count=2)


@pytest.mark.parametrize(
    ("selector", "name", "value"),
    [
        ("JMSCorrelationID = 'c'", "correlation-id", "c"),
        ("JMSType = 'order'", "type", "order"),
        ("JMSXGroupID = 'g'", "JMSXGroupID", "g"),
        ("JMSXGroupSeq > 9", "JMSXGroupSeq", "10"),
        ("JMSMessageID = 'ID:x-1'", "jms-message-id", "ID:x-1"),
        ("JMSMessageID = 'ID:x-1'", "jms-message-id", "x-1"),
        ("amount > 9", "amount", "10"),
        ("content-type = 'text/plain'", "content-type", "text/plain"),
    ],
)
def test_headers_of_the_sender(selector: str, name: str, value: str) -> None:
    assert is_selected(compile_selector(selector), message({name: value}))
    assert not is_selected(compile_selector(selector), message())


def typed(types: str, **properties: str) -> Message:
    return message({"jms-prop-types": types, **properties})


@pytest.mark.parametrize(
    ("selector", "types", "text"),
    [
        ("p = 10", "p=I", "10"),
        ("p = -10", "p=J", "-10"),
        ("p = 10", "p=B", "10"),
        ("p = 10", "q=I, p=S", "10"),
        ("p = 1.5", "p=D", "1.5"),
        ("p = 1.5", "p=F", "1.5"),
        ("p = 1.10000002384185791015625", "p=F", "1.1"),
        ("p = TRUE", "p=Z", "true"),
        ("p = FALSE", "p=Z", "false"),
        ("p = '10'", "", "10"),
        ("p = '10'", "p=T", "10"),
    ],
)
def test_properties_have_the_types_that_the_sender_gave_them(selector: str, types: str, text: str) -> None:
    assert is_selected(compile_selector(selector), typed(types, p=text))


@pytest.mark.parametrize(
    ("selector", "types", "text"),
    [
        ("p = 10", "", "10"),
        ("p > 1", "q=I", "10"),
        ("p = '10'", "p=I", "10"),
        ("p = 10", "p=I", "ten"),
        ("p = 10", "p=I", "9" * 40),
        ("p = 1.5", "p=D", "much"),
        ("p = 1.1", "p=F", "1.1"),
        ("p > 1", "p=F", "1e300"),
        ("p = TRUE", "", "true"),
    ],
)
def test_typed_properties_are_not_converted(selector: str, types: str, text: str) -> None:
    assert not is_selected(compile_selector(selector), typed(types, p=text))


def test_property_whose_name_means_something_in_stomp_has_a_prefix() -> None:
    assert is_selected(compile_selector("destination = 'x'"), message({"jms-prop-types": "", "jms-p-destination": "x"}))

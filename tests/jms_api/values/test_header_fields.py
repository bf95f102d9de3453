"""Header fields: who sets them, and what they may be set to. JMS 3.1, 3.4."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from jms_api import (
    DeliveryMode,
    InvalidDestinationException,
    Message,
    MessageFormatException,
    Queue,
    TextMessage,
    Topic,
    UnsupportedOperationException,
)
from jms_api.mapping import Stamp, from_frame, stamp
from jms_api.profiles import STOMPD

NOW = 1_700_000_000_000


def stamped(message: Message, **changes: object) -> Message:
    said = Stamp(Queue("orders"), DeliveryMode.NON_PERSISTENT, 7, 60_000, 500, NOW, "ID:x-1")
    stamp(message, said._replace(**changes))
    return message


@pytest.mark.jms(
    *("Message.jms_destination", "Message.jms_delivery_mode", "Message.jms_priority", "Message.jms_message_id"),
    *("Message.jms_expiration", "Message.jms_delivery_time", "Message.jms_timestamp"),
)
def test_jms_002_send_overwrites_what_the_client_set() -> None:
    message = Message()
    message.jms_destination = Topic("other")
    message.jms_delivery_mode = DeliveryMode.PERSISTENT
    message.jms_priority = 1
    message.jms_message_id = "mine"
    message.jms_expiration = message.jms_delivery_time = message.jms_timestamp = 1

    stamped(message)

    assert message.jms_destination == Queue("orders")
    assert message.jms_delivery_mode is DeliveryMode.NON_PERSISTENT
    assert (message.jms_priority, message.jms_message_id) == (7, "ID:x-1")
    assert message.jms_expiration == NOW + 60_000
    assert message.jms_delivery_time == NOW + 500
    assert message.jms_timestamp == NOW


def test_jms_073_send_sets_the_fields_of_a_message_of_another_library() -> None:
    message = SimpleNamespace()

    stamp(message, Stamp(Queue("q"), DeliveryMode.PERSISTENT, 4, 0, 0, NOW, "ID:1"))  # type: ignore[arg-type]

    assert vars(message) == {
        "jms_destination": Queue("q"),
        "jms_delivery_mode": DeliveryMode.PERSISTENT,
        "jms_priority": 4,
        "jms_message_id": "ID:1",
        "jms_timestamp": NOW,
        "jms_expiration": 0,
        "jms_delivery_time": NOW,
    }


def test_jms_009_disabled_id_is_null() -> None:
    assert stamped(Message(), message_id=None).jms_message_id is None


def test_jms_012_disabled_timestamp_is_zero() -> None:
    assert stamped(Message(), has_timestamp=False).jms_timestamp == 0


def test_jms_023_message_without_time_to_live_never_expires() -> None:
    assert stamped(Message(), time_to_live=0).jms_expiration == 0


def test_jms_028_message_without_delay_is_due_when_sent() -> None:
    assert stamped(Message(), delivery_delay=0).jms_delivery_time == NOW


@pytest.mark.jms("Message.jms_correlation_id", "Message.jms_correlation_id_as_bytes")
def test_jms_014_correlation_id_is_text_and_octets() -> None:
    message = Message()

    message.jms_correlation_id_as_bytes = "größe".encode()

    assert message.jms_correlation_id == "größe"
    assert message.jms_correlation_id_as_bytes == "größe".encode()


def test_jms_014_octets_that_are_no_text_are_no_correlation_id() -> None:
    with pytest.raises(UnsupportedOperationException):
        Message().jms_correlation_id_as_bytes = b"\xff"


def test_jms_015_octets_of_the_correlation_id_are_copied() -> None:
    message = Message()
    octets = bytearray(b"abc")
    message.jms_correlation_id_as_bytes = octets

    octets[0] = 0

    assert message.jms_correlation_id == "abc"


def test_correlation_id_may_be_null() -> None:
    message = Message()
    message.jms_correlation_id = "x"

    message.jms_correlation_id_as_bytes = None

    assert message.jms_correlation_id is None
    assert message.jms_correlation_id_as_bytes is None


@pytest.mark.jms("Message.jms_reply_to")
def test_jms_016_answers_may_go_to_a_queue_or_topic_or_nowhere() -> None:
    message = Message()

    for destination in (Queue("a"), Topic("b"), None):
        message.jms_reply_to = destination

        assert message.jms_reply_to == destination


@pytest.mark.jms("Message.jms_redelivered", "Message.jms_type")
def test_jms_033_fields_of_a_received_message_can_be_set() -> None:
    message = from_frame({}, b"", STOMPD)

    message.jms_redelivered = True
    message.jms_delivery_mode = DeliveryMode.PERSISTENT
    message.jms_type = "t"

    assert message.jms_redelivered
    assert message.jms_delivery_mode is DeliveryMode.PERSISTENT
    assert message.jms_type == "t"


@pytest.mark.jms(
    *("Message.DEFAULT_DELIVERY_MODE", "Message.DEFAULT_PRIORITY", "Message.DEFAULT_TIME_TO_LIVE"),
    *("Message.DEFAULT_DELIVERY_DELAY", "DeliveryMode.PERSISTENT", "DeliveryMode.NON_PERSISTENT"),
)
def test_jms_035_defaults_have_their_values() -> None:
    assert Message.DEFAULT_DELIVERY_MODE == 2 == DeliveryMode.PERSISTENT
    assert Message.DEFAULT_PRIORITY == 4
    assert Message.DEFAULT_TIME_TO_LIVE == Message.DEFAULT_DELIVERY_DELAY == 0
    assert DeliveryMode.NON_PERSISTENT == 1


def test_new_message_has_no_fields_set() -> None:
    message = Message()

    assert (message.jms_message_id, message.jms_timestamp, message.jms_correlation_id) == (None, 0, None)
    assert (message.jms_reply_to, message.jms_destination, message.jms_type) == (None, None, None)
    assert (message.jms_expiration, message.jms_delivery_time, message.jms_redelivered) == (0, 0, False)
    assert (message.jms_delivery_mode, message.jms_priority) == (DeliveryMode.PERSISTENT, 4)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("jms_message_id", 5),
        ("jms_timestamp", "5"),
        ("jms_timestamp", True),
        ("jms_expiration", 2**63),
        ("jms_correlation_id", b"x"),
        ("jms_correlation_id", "\ud800"),
        ("jms_correlation_id_as_bytes", "x"),
        ("jms_type", 5),
        ("jms_priority", 1.0),
        ("jms_delivery_mode", 3),
        ("jms_redelivered", 1),
    ],
)
def test_field_refuses_a_value_of_the_wrong_type(name: str, value: object) -> None:
    message = Message()

    with pytest.raises(MessageFormatException):
        setattr(message, name, value)


@pytest.mark.parametrize("name", ["jms_reply_to", "jms_destination"])
def test_field_refuses_what_is_no_destination(name: str) -> None:
    with pytest.raises(InvalidDestinationException):
        setattr(Message(), name, 5)


@pytest.mark.jms("Message.acknowledge")
def test_message_that_was_not_received_is_not_acknowledged() -> None:
    assert TextMessage("x").acknowledge() is None


def test_message_is_true_and_shows_nothing_of_its_body() -> None:
    message = stamped(TextMessage("secret"))

    assert message
    assert "secret" not in repr(message)
    assert repr(message) == "<TextMessage ID:x-1 to queue:orders>"

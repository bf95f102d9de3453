"""A message becomes a frame, and the frame the same message again, whatever is in it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jms_api import (
    Byte,
    BytesMessage,
    Char,
    DeliveryMode,
    Destination,
    Float,
    Long,
    MapMessage,
    Message,
    ObjectMessage,
    Queue,
    Short,
    StreamMessage,
    TemporaryQueue,
    TemporaryTopic,
    TextMessage,
    Topic,
)
from jms_api.mapping import Stamp, destination_headers, from_frame, stamp, to_frame_parts
from jms_api.profiles import ACTIVEMQ, PROFILES, RABBITMQ, STOMPD, Profile
from stompd.selector.lexer import is_name
from stompd.wire.frame import Frame, Version
from stompd.wire.parser import FrameParser
from stompd.wire.serializer import serialize

NOW = 1_700_000_000_000

texts = st.text(st.characters(exclude_categories=["Cs"]))
names = texts.filter(lambda name: is_name(name) and "\0" not in name)
sendable_names = names.filter(lambda name: not name.startswith("JMS"))
integers = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.integers(-128, 127).map(Byte),
    st.integers(-(2**15), 2**15 - 1).map(Short),
    st.integers(-(2**63), 2**63 - 1).map(Long),
)
numbers = st.one_of(integers, st.floats(), st.floats(width=32).map(Float))
property_values = st.one_of(st.none(), st.booleans(), numbers, texts)
characters = st.characters(max_codepoint=0xFFFF, categories=None).map(Char)
values = st.one_of(property_values, st.binary(), characters)
properties = st.dictionaries(sendable_names, property_values)
destinations = st.builds(
    lambda kind, name: kind(name),
    st.sampled_from([Queue, Topic, TemporaryQueue, TemporaryTopic]),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1).filter(
        lambda name: not name.startswith("/")
    ),
)
objects = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), texts),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(texts, inner)),
)


def carried(message: Message, profile: Profile = STOMPD) -> Message:
    """Return what a receiver gets, by way of octets on the wire."""
    if message.jms_destination is None:
        stamp(message, Stamp(Queue("q"), DeliveryMode.PERSISTENT, 4, 0, 0, NOW, "ID:1"))
    headers, body = to_frame_parts(message, profile)
    assert message.jms_destination is not None
    headers.update(destination_headers(message.jms_destination, profile))
    parser = FrameParser(is_client=True)
    parser.version = Version.V1_2
    parser.receive_data(serialize(Frame("MESSAGE", headers, body), Version.V1_2))
    frame = parser.next_frame()
    assert frame is not None
    return from_frame(frame.headers, frame.body, profile)


def exact(value: object) -> object:
    """Return a value with its type, in a form that compares; NaN is equal to itself."""
    if isinstance(value, float):
        return type(value), "NaN" if math.isnan(value) else float.hex(value)
    return type(value), value


def assert_same(sent: Message, got: Message) -> None:
    assert type(got) is type(sent)
    found = {name: exact(value) for name, value in got.properties.items() if name != "JMSXDeliveryCount"}
    assert found == {name: exact(value) for name, value in sent.properties.items()}


@given(properties)
def test_properties_arrive_with_their_types(sent: dict[str, object]) -> None:
    message = Message()
    message.properties.update(sent)

    assert_same(message, carried(message))


@given(st.none() | texts)
def test_jms_084_text_arrives(text: str | None) -> None:
    message = carried(TextMessage(text))

    assert isinstance(message, TextMessage)
    assert message.text == text


@given(st.binary())
def test_octets_arrive(octets: bytes) -> None:
    message = BytesMessage()
    message.write_bytes(octets)

    got = carried(message)

    assert isinstance(got, BytesMessage)
    assert got.read_bytes() == octets


@given(st.dictionaries(texts.filter(bool), values))
def test_map_arrives_with_its_types(entries: dict[str, object]) -> None:
    message = MapMessage()
    message.update(entries)

    got = carried(message)

    assert isinstance(got, MapMessage)
    assert {name: exact(value) for name, value in got.items()} == {
        name: exact(value) for name, value in message.items()
    }


@given(st.lists(values))
def test_stream_arrives_with_its_types(items: list[object]) -> None:
    message = StreamMessage()
    for item in items:
        message.write_object(item)

    got = carried(message)

    assert isinstance(got, StreamMessage)
    assert list(map(exact, got)) == list(map(exact, message.body))


@given(objects)
def test_object_arrives(value: object) -> None:
    got = carried(ObjectMessage(value))

    assert isinstance(got, ObjectMessage)
    assert got.object == value


@given(st.none() | texts, st.none() | texts, st.none() | destinations, destinations)
def test_fields_of_the_sender_arrive(
    correlation_id: str | None, jms_type: str | None, reply_to: Destination | None, destination: Destination
) -> None:
    message = Message()
    message.jms_correlation_id = correlation_id
    message.jms_type = jms_type
    message.jms_reply_to = reply_to
    message.jms_destination = destination

    got = carried(message)

    assert (got.jms_correlation_id, got.jms_type) == (correlation_id, jms_type)
    assert (got.jms_reply_to, got.jms_destination) == (reply_to, destination)


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
@pytest.mark.parametrize("mode", DeliveryMode)
@pytest.mark.parametrize(("time_to_live", "delay"), [(0, 0), (60_000, 0), (0, 500), (60_000, 500)])
def test_jms_001_fields_that_send_decides_arrive(
    profile: Profile, mode: DeliveryMode, time_to_live: int, delay: int
) -> None:
    message = Message()
    stamp(message, Stamp(Queue("q"), mode, 9, time_to_live, delay, NOW, "ID:x-1"))

    got = carried(message, profile)

    for name in ("message_id", "timestamp", "delivery_mode", "priority", "expiration", "delivery_time", "destination"):
        assert getattr(got, f"jms_{name}") == getattr(message, f"jms_{name}"), name


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
@pytest.mark.parametrize("kind", [TextMessage, BytesMessage, MapMessage, StreamMessage, ObjectMessage, Message])
def test_jms_075_empty_message_keeps_its_type(profile: Profile, kind: type[Message]) -> None:
    got = carried(kind(), profile)

    assert type(got) is kind
    assert got.body in (None, [])


def test_jms_083_null_text_is_not_the_empty_one() -> None:
    assert carried(TextMessage()).body is None
    assert carried(TextMessage("")).body == ""


def test_jms_020_redelivery_set_by_the_sender_does_not_arrive() -> None:
    message = Message()
    message.jms_redelivered = True

    assert not carried(message).jms_redelivered


def test_jms_071_names_that_are_the_providers_are_not_sent() -> None:
    message = Message()
    for name in ("JMSRedelivered", "JMSReplyTo", "JMSXDeliveryCount", "JMSXUserID", "JMSXState", "JMSFoo"):
        message.set_string_property(name, "forged")

    headers, _ = to_frame_parts(message, STOMPD)

    assert not [name for name in headers if name.startswith("JMS")]


def test_jms_064_group_and_vendor_properties_are_sent() -> None:
    message = Message()
    message.set_string_property("JMSXGroupID", "g")
    message.set_int_property("JMSXGroupSeq", 1)
    message.set_long_property("JMS_acme_x", 2)

    got = carried(message)

    assert exact(got.get_object_property("JMSXGroupID")) == (str, "g")
    assert exact(got.get_object_property("JMSXGroupSeq")) == (int, 1)
    assert exact(got.get_object_property("JMS_acme_x")) == (Long, 2)


def test_jms_053_received_message_is_forwarded_as_it_came() -> None:
    message = MapMessage()
    message["qty"] = Short(5)
    message.set_float_property("ratio", 0.1)
    message.set_string_property("type", "property, not field")
    first = carried(message)

    second = carried(first)

    assert_same(message, second)
    assert dict(second) == {"qty": 5}  # type: ignore[call-overload]


def test_property_that_cannot_be_decoded_is_forwarded_as_it_came() -> None:
    first = from_frame({"jms-prop-types": "qty=I", "qty": "many", "destination": "/queue/q"}, b"", STOMPD)

    headers, _ = to_frame_parts(first, STOMPD)

    assert (headers["qty"], headers["jms-prop-types"]) == ("many", "qty=I")


def test_jms_078_message_can_be_changed_after_it_was_sent() -> None:
    message = BytesMessage()
    message.write_byte(1)
    _, first = to_frame_parts(message, STOMPD)

    message.write_byte(2)

    assert (first, to_frame_parts(message, STOMPD)[1]) == (b"\1", b"\1\2")


def test_jms_079_redelivery_is_decoded_anew() -> None:
    headers, body = to_frame_parts(ObjectMessage([1]), STOMPD)
    first = from_frame(headers, body, STOMPD)
    first.clear_body()
    first.clear_properties()

    again = from_frame(headers, body, STOMPD, redeliveries=1)

    assert again.body == [1]
    assert again.jms_redelivered
    assert again.get_int_property("JMSXDeliveryCount") == 2


def test_text_with_a_nul_travels_in_base64() -> None:
    message = Message()
    message.jms_correlation_id = message.jms_type = "a\0b"
    message.set_string_property("p", "a\0b")

    headers, _ = to_frame_parts(message, STOMPD)
    got = carried(message)

    assert headers["p"] == headers["correlation-id"] == headers["type"] == "YQBi"
    assert (headers["jms-prop-types"], headers["jms-base64"]) == ("p=T+b", "correlation-id,type")
    assert (got.jms_correlation_id, got.jms_type, got.get_string_property("p")) == ("a\0b", "a\0b", "a\0b")


def test_body_of_a_map_is_ordinary_json() -> None:
    message = MapMessage()
    message.update({"name": "bolt", "qty": 5})

    headers, body = to_frame_parts(message, STOMPD)

    assert body == b'{"name":"bolt","qty":5}'
    assert headers["content-type"] == "application/json"
    assert "jms-body-types" not in headers


def test_properties_are_headers_that_anybody_can_read() -> None:
    message = Message()
    message.set_int_property("age", 5)
    message.set_boolean_property("ok", True)
    message.set_string_property("colour", "red")

    headers, _ = to_frame_parts(message, STOMPD)

    assert (headers["age"], headers["ok"], headers["colour"]) == ("5", "true", "red")
    assert headers["jms-prop-types"] == "age=I,ok=Z"


def test_message_without_properties_says_that_it_is_typed() -> None:
    assert to_frame_parts(Message(), STOMPD)[0]["jms-prop-types"] == ""


def test_what_belongs_to_the_frame_is_not_among_the_headers() -> None:
    headers, _ = to_frame_parts(TextMessage("x"), STOMPD)

    assert not headers.keys() & {"destination", "transaction", "receipt", "content-length", "message-id"}


def test_time_to_live_is_relative_for_rabbitmq() -> None:
    message = Message()
    stamp(message, Stamp(Queue("q"), DeliveryMode.PERSISTENT, 4, 60_000, 0, NOW, "ID:1"))

    headers, _ = to_frame_parts(message, RABBITMQ)

    assert headers["expiration"] == "60000"
    assert "expires" not in headers


def test_delay_counts_from_the_send_also_without_a_timestamp() -> None:
    message = Message()
    stamp(message, Stamp(Queue("q"), DeliveryMode.PERSISTENT, 4, 0, 500, NOW, "ID:1", has_timestamp=False))

    headers, _ = to_frame_parts(message, ACTIVEMQ)

    assert (headers["AMQ_SCHEDULED_DELAY"], headers["jms-delivery-time"]) == ("500", str(NOW + 500))
    assert "timestamp" not in headers

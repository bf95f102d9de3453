"""Frames of clients that know nothing of JMS, and sidecars that are wrong: a message is read as well as it can be."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jms_api import (
    Byte,
    BytesMessage,
    Char,
    DeliveryMode,
    Float,
    Long,
    MapMessage,
    Message,
    MessageFormatException,
    ObjectMessage,
    Short,
    StreamMessage,
    TextMessage,
)
from jms_api.mapping import from_frame
from jms_api.profiles import ACTIVEMQ, ARTEMIS, PROFILES, RABBITMQ, STOMPD, Profile

#: As stompd delivers what `Connection12.send("/queue/q", "hello", tries=3)` of stomp.py sent.
STOMP_PY = {
    "subscription": "1",
    "message-id": "x-77",
    "persistent": "true",
    "priority": "4",
    "timestamp": "1700000000000",
    "content-length": "5",
    "destination": "/queue/q",
    "tries": "3",
    "redelivered": "false",
    "ack": "1-1-1",
    "JMSXDeliveryCount": "1",
}

#: As a client in Go sends, with a content type for everything.
GO = {"destination": "/queue/q", "message-id": "5", "content-type": "application/octet-stream", "X-Trace-Id": "ab:c"}

#: As @stomp/stompjs sends a JSON text.
JAVASCRIPT = {"destination": "/topic/t", "message-id": "6", "content-type": "application/json;charset=UTF-8"}


def test_message_of_stomp_py_is_a_text_with_string_properties() -> None:
    message = from_frame(STOMP_PY, b"hello", STOMPD)

    assert isinstance(message, TextMessage)
    assert message.text == "hello"
    assert dict(message.properties) == {"tries": "3", "JMSXDeliveryCount": 1}
    assert message.get_int_property("tries") == 3


def test_fields_are_read_without_any_header_of_ours() -> None:
    message = from_frame(STOMP_PY, b"hello", STOMPD)

    assert message.jms_message_id == "ID:x-77"
    assert message.jms_delivery_mode is DeliveryMode.PERSISTENT
    assert message.jms_timestamp == message.jms_delivery_time == 1_700_000_000_000
    assert (message.jms_expiration, message.jms_reply_to) == (0, None)


def test_octets_of_go_are_octets() -> None:
    message = from_frame(GO, b"hello", STOMPD)

    assert isinstance(message, BytesMessage)
    assert message.body == b"hello"
    assert message.get_string_property("X-Trace-Id") == "ab:c"


def test_json_of_javascript_is_a_text() -> None:
    message = from_frame(JAVASCRIPT, b'{"a":1}', STOMPD)

    assert isinstance(message, TextMessage)
    assert message.text == '{"a":1}'


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_frame_without_any_header_is_a_message(profile: Profile) -> None:
    message = from_frame({}, b"", profile)

    assert message.body == ""
    assert (message.jms_message_id, message.jms_destination) == (None, None)
    assert message.jms_delivery_mode is DeliveryMode.NON_PERSISTENT
    assert message.jms_priority == 4


@pytest.mark.parametrize("profile", [ACTIVEMQ, ARTEMIS])
def test_length_tells_octets_from_text_where_the_broker_means_it_so(profile: Profile) -> None:
    text = from_frame({}, b"hello", profile)
    octets = from_frame({"content-length": "5"}, b"hello", profile)

    assert type(text) is TextMessage
    assert type(octets) is BytesMessage


@pytest.mark.parametrize("body", [b"\xff\xfe", b"\0\0\0\5", b"a\0b"])
def test_body_that_does_not_read_as_text_is_octets(body: bytes) -> None:
    message = from_frame({"content-length": "4"}, body, STOMPD)

    assert isinstance(message, BytesMessage)
    assert message.read_bytes() == body


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [
        ("text/plain", TextMessage),
        ("TEXT/XML", TextMessage),
        ("application/xml", TextMessage),
        ("application/problem+json", TextMessage),
        ("application/x-thing; charset=utf-8", TextMessage),
        ("image/png", BytesMessage),
        ("application/protobuf", BytesMessage),
        ("text/plain; charset=no-such", BytesMessage),
        ("text/plain; charset=zlib", BytesMessage),
        ("text/plain; charset=idna", BytesMessage),
        ("", TextMessage),
        (";", TextMessage),
    ],
)
def test_content_type_tells_text_from_octets(content_type: str, kind: type[Message]) -> None:
    assert type(from_frame({"content-type": content_type}, b"hello", STOMPD)) is kind


@pytest.mark.parametrize(
    ("charset", "body"),
    [("iso-8859-1", b"gr\xf6\xdfe"), ('"UTF-16LE"', "größe".encode("utf-16-le")), ("windows-1252", b"gr\xf6\xdfe")],
)
def test_text_is_read_in_its_charset(charset: str, body: bytes) -> None:
    assert from_frame({"content-type": f"text/plain; charset={charset}"}, body, STOMPD).body == "größe"


@pytest.mark.parametrize(("told", "kind"), [("text", TextMessage), ("bytes", BytesMessage)])
def test_kind_that_was_told_to_activemq_is_believed(told: str, kind: type[Message]) -> None:
    assert type(from_frame({"amq-msg-type": told, "content-length": "5"}, b"hello", ACTIVEMQ)) is kind


MAP_JSON = b'{"map":{"entry":[{"string":["sku","bolt"]},{"string":"qty","int":5},{"string":"ok","boolean":true}]}}'
MAP_XML = (
    b"<map><entry><string>sku</string><string>bolt</string></entry><entry><string>qty</string><int>5</int></entry>"
)


@pytest.mark.parametrize(
    ("transformation", "body", "expected"),
    [
        ("jms-map-json", MAP_JSON, {"sku": "bolt", "qty": 5, "ok": True}),
        ("jms-map-json", b'{"map":{"entry":{"string":"qty","long":5}}}', {"qty": Long(5)}),
        ("jms-map-json", b'{"map":{}}', None),
        ("jms-map-xml", MAP_XML + b"</map>", {"sku": "bolt", "qty": 5}),
    ],
)
def test_map_of_a_java_client_arrives_through_activemq(transformation: str, body: bytes, expected: object) -> None:
    message = from_frame({"transformation": transformation}, body, ACTIVEMQ)

    assert isinstance(message, MapMessage)
    assert message.body == expected


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        *(("byte", "5", Byte(5)), ("short", "5", Short(5)), ("float", "0.5", Float(0.5)), ("double", "0.5", 0.5)),
        *(("char", "x", Char("x")), ("boolean", "true", True), ("null", "", None), ("byte-array", "YWI=", b"ab")),
    ],
)
def test_types_of_a_java_client_arrive(kind: str, text: str, expected: object) -> None:
    body = f"<map><entry><string>e</string><{kind}>{text}</{kind}></entry></map>".encode()

    message = from_frame({"transformation": "jms-map-xml"}, body, ACTIVEMQ)

    assert isinstance(message, MapMessage)
    found = message.get_object("e")
    assert (type(found), found) == (type(expected), expected)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b'{"map":5}',
        b'{"map":{"entry":[5]}}',
        b'{"map":{"entry":[{"string":"a"}]}}',
        b'{"map":{"entry":[{"string":["a","b","c"]}]}}',
        b'{"map":{"entry":[{"string":"a","int":"many"}]}}',
        b'{"map":{"entry":[{"string":"a","com.example.Thing":{}}]}}',
        b"<map>",
        b"<map><entry/></map>",
        b"<map><entry><string>a</string><thing>b</thing></entry></map>",
        b'<!DOCTYPE m [<!ENTITY a "aaaa">]><map><entry><string>a</string><string>&a;</string></entry></map>',
    ],
)
def test_transformed_map_that_cannot_be_read_is_a_text(body: bytes) -> None:
    message = from_frame({"transformation": "jms-map-json"}, body, ACTIVEMQ)

    assert isinstance(message, TextMessage)
    assert message.text == body.decode()


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"jms-body": "map"}, b"not json"),
        ({"jms-body": "map"}, b"[1]"),
        ({"jms-body": "map"}, b'{"a":{"nested":1}}'),
        ({"jms-body": "map"}, b'{"a":99999999999999999999}'),
        ({"jms-body": "map"}, b'{"":1}'),
        ({"jms-body": "map", "jms-body-types": "{"}, b'{"a":1}'),
        ({"jms-body": "map", "jms-body-types": "[]"}, b'{"a":1}'),
        ({"jms-body": "stream"}, b"{}"),
        ({"jms-body": "stream"}, b"[[1]]"),
        ({"jms-body": "stream", "jms-body-types": '["B"]'}, b"[1,2]"),
        ({"jms-body": "stream", "jms-body-types": "5"}, b"[1,2]"),
        ({"jms-body": "stream"}, b"[" * 100_000),
        ({"jms-body": "none"}, b"something"),
        ({"jms-body": "video"}, b"something"),
    ],
    ids=repr,
)
def test_body_that_is_not_what_it_claims_to_be_is_a_text(headers: dict[str, str], body: bytes) -> None:
    message = from_frame(headers, body, STOMPD)

    assert isinstance(message, TextMessage)
    assert message.text == body.decode()


@pytest.mark.parametrize("kind", ["text", "map", "stream", "none"])
def test_octets_that_claim_to_be_something_else_are_octets(kind: str) -> None:
    message = from_frame({"jms-body": kind}, b"\xff\xfe", STOMPD)

    assert isinstance(message, BytesMessage)
    assert message.read_bytes() == b"\xff\xfe"


@pytest.mark.parametrize(
    ("types", "value"),
    [
        ("p=I", "many"),
        ("p=I", "99999999999"),
        ("p=B", "300"),
        ("p=Z", "yes"),
        ("p=D", "nan"),
        ("p=Q", "5"),
        ("p=X", "YQ=="),
        ("p=T+b", "not base64!"),
        ("p=T+b", "/w=="),
        ("p=T+z+b", "YQ=="),
        ("a=I,p=I,", ""),
    ],
)
def test_property_that_is_not_of_its_type_fails_when_it_is_read(types: str, value: str) -> None:
    message = from_frame({"jms-prop-types": types, "p": value, "other": "x"}, b"", STOMPD)

    for read in (message.get_string_property, message.get_int_property, message.get_object_property):
        with pytest.raises(MessageFormatException):
            read("p")
    assert message.property_exists("p")
    assert message.get_string_property("other") == "x"


@pytest.mark.parametrize("types", ["", ",", "=", "garbage", "=I", ",,p", "p", "jms-body=I", "\0"])
def test_malformed_types_leave_a_string(types: str) -> None:
    message = from_frame({"jms-prop-types": types, "p": "5"}, b"", STOMPD)

    assert message.get_object_property("p") == "5"


def test_null_property_has_no_header() -> None:
    message = from_frame({"jms-prop-types": "p=N"}, b"", STOMPD)

    assert message.property_exists("p")
    assert message.get_object_property("p") is None


@pytest.mark.parametrize(
    ("headers", "redelivered", "count"),
    [
        ({}, False, 1),
        ({"redelivered": "true"}, True, 2),
        ({"redelivered": "TRUE", "JMSXDeliveryCount": "5"}, True, 5),
        ({"redelivered": "true", "JMSXDeliveryCount": "1"}, True, 2),
        ({"x-delivery-count": "2", "redelivered": "true"}, True, 3),
        ({"JMSXDeliveryCount": "many"}, False, 1),
        ({"JMSXDeliveryCount": "-3"}, False, 1),
    ],
)
def test_jms_019_redelivered_message_counts_two_or_more(headers: dict[str, str], redelivered: bool, count: int) -> None:
    message = from_frame(headers, b"", RABBITMQ)

    assert message.jms_redelivered is redelivered
    assert message.get_object_property("JMSXDeliveryCount") == count


@pytest.mark.parametrize("name", ["priority", "timestamp", "expires", "jms-delivery-time", "persistent"])
@pytest.mark.parametrize("value", ["", "x", "-1", "1e9", "9" * 40, "٣"])
def test_field_that_cannot_be_read_is_as_if_it_were_not_there(name: str, value: str) -> None:
    message = from_frame({name: value}, b"", STOMPD)

    assert (message.jms_priority, message.jms_timestamp, message.jms_expiration) == (4, 0, 0)
    assert message.jms_delivery_time == 0


def test_time_of_the_sender_is_kept_by_stompd_beside_its_own() -> None:
    message = from_frame({"timestamp": "2000", "sender-timestamp": "1000"}, b"", STOMPD)

    assert message.jms_timestamp == 1000


def test_reason_of_a_dead_letter_is_a_property() -> None:
    message = from_frame({"dlq-reason": "expired", "original-destination": "/queue/q"}, b"", STOMPD)

    assert message.get_string_property("dlq-reason") == "expired"


_HEADERS = st.dictionaries(
    st.sampled_from(
        [
            *("jms-body", "jms-body-types", "jms-body-null", "jms-prop-types", "jms-p-type", "jms-p-", "jms-base64"),
            *("jms-message-id", "jms-delivery-time", "jms-expiration", "content-type", "transformation", "reply-to"),
            *("destination", "correlation-id", "type", "priority", "JMSXGroupSeq", "p", "amq-msg-type"),
        ]
    )
    | st.text(),
    st.sampled_from(["text", "map", "stream", "object", "bytes", "none", "true", "p=I", "p=N", '{"a":"J"}', "type"])
    | st.text(),
)
_BODIES = st.sampled_from([b"", b"{}", b"[]", b'{"a":1}', b"[1,null]"]) | st.binary()


@given(_HEADERS, _BODIES, st.sampled_from(list(PROFILES.values())))
def test_jms_074_whatever_arrives_is_a_message(headers: dict[str, str], body: bytes, profile: Profile) -> None:
    message = from_frame(headers, body, profile)

    assert isinstance(message, Message)
    for name in message.properties:
        _try(lambda name=name: message.get_object_property(name))
    _try(lambda: message.body)
    if isinstance(message, TextMessage | BytesMessage | MapMessage | StreamMessage | ObjectMessage):
        _try(lambda: message.is_body_assignable_to(dict))


def _try(read: Callable[[], object]) -> None:
    """Read something; the only fault that a message may have is the documented one."""
    with suppress(MessageFormatException):
        read()

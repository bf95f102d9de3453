"""What bodies of all kinds have in common, and texts and objects. JMS 3.1, 3.11."""

from __future__ import annotations

import pickle
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import pytest

from jms_api import (
    BytesMessage,
    MapMessage,
    Message,
    MessageFormatException,
    MessageNotWriteableException,
    ObjectCodec,
    ObjectMessage,
    StreamMessage,
    TextMessage,
)
from jms_api.bodies import bytes_message, map_message
from jms_api.mapping import from_frame, to_frame_parts
from jms_api.profiles import STOMPD


def received(message: Message, codec: ObjectCodec | None = None) -> Message:
    headers, body = to_frame_parts(message, STOMPD)
    return from_frame(headers, body, STOMPD, codec or ObjectCodec())


@pytest.mark.jms("Message.clear_body")
@pytest.mark.parametrize(
    ("message", "empty"),
    [
        (TextMessage("x"), None),
        (ObjectMessage([1]), None),
        (map_message({"a": 1}), None),
        (bytes_message(b"x"), None),
        (StreamMessage(), []),
        (Message(), None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_jms_076_cleared_body_is_that_of_a_new_message(message: Message, empty: object) -> None:
    message.set_int_property("p", 5)
    message.jms_type = "t"

    message.clear_body()

    assert message.body == empty
    assert (message.get_int_property("p"), message.jms_type) == (5, "t")


@pytest.mark.jms("TextMessage.text")
def test_jms_085_text_of_a_received_message_is_read_only_until_it_is_cleared() -> None:
    message = received(TextMessage("x"))
    assert isinstance(message, TextMessage)

    with pytest.raises(MessageNotWriteableException):
        message.text = "y"
    message.clear_body()

    assert message.text is None
    message.text = "y"
    assert message.text == "y"


def test_jms_083_text_is_null_at_first() -> None:
    assert TextMessage().text is None


@pytest.mark.parametrize("text", ["\ud800", b"x", 5])
def test_jms_084_what_utf_8_cannot_say_is_no_text(text: object) -> None:
    with pytest.raises(MessageFormatException):
        TextMessage(text)  # type: ignore[arg-type]
    with pytest.raises(MessageFormatException):
        TextMessage().text = text  # type: ignore[assignment]


@pytest.mark.jms("ObjectMessage.object")
def test_jms_086_object_is_a_snapshot() -> None:
    items = [1, 2]
    message = ObjectMessage(items)

    items.append(3)

    assert message.object == [1, 2]


def test_jms_086_object_is_another_copy_each_time() -> None:
    message = ObjectMessage({"a": [1]})

    message.object["a"].append(2)  # type: ignore[index]

    assert message.object == {"a": [1]}


@dataclass
class _Order:
    number: int


class _Stranger:
    pass


@pytest.mark.parametrize(
    "value",
    [(1, 2), {1: 2}, {1}, b"x", float("nan"), Decimal(1), _Order(1), object(), ["\ud800", float("inf")]],
    ids=repr,
)
def test_jms_087_what_json_cannot_say_is_no_object(value: object) -> None:
    with pytest.raises(MessageFormatException):
        ObjectMessage(value)


def test_jms_087_object_that_contains_itself_is_refused() -> None:
    items: list[object] = []
    items.append(items)

    with pytest.raises(MessageFormatException):
        ObjectMessage().object = items


def test_jms_087_refused_object_leaves_the_old_one() -> None:
    message = ObjectMessage("old")

    with pytest.raises(MessageFormatException):
        message.object = object()

    assert message.object == "old"


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"NaN", b"[" * 100_000, b"9" * 5000], ids=repr)
def test_jms_088_object_that_cannot_be_decoded_fails_when_it_is_read(body: bytes) -> None:
    message = from_frame({"jms-body": "object", "content-type": "application/json"}, body, STOMPD)

    assert isinstance(message, ObjectMessage)
    with pytest.raises(MessageFormatException):
        _ = message.object
    with pytest.raises(MessageFormatException):
        message.get_body(dict)
    assert not message.is_body_assignable_to(dict)


def test_jms_089_object_is_null_at_first() -> None:
    assert ObjectMessage().object is None


def test_jms_090_pickle_is_not_read_by_default() -> None:
    headers, body = to_frame_parts(ObjectMessage(_Order(1), ObjectCodec([_Order])), STOMPD)

    message = from_frame(headers, body, STOMPD)

    with pytest.raises(MessageFormatException, match="x-python-pickle"):
        _ = message.body


def test_jms_090_pickle_of_an_allowed_class_arrives() -> None:
    codec = ObjectCodec([_Order])

    message = received(ObjectMessage(_Order(7), codec), codec)

    assert message.body == _Order(7)


@pytest.mark.parametrize("value", [lambda: 1, (part for part in ())], ids=["function", "generator"])
def test_jms_087_what_cannot_be_pickled_is_no_object(value: object) -> None:
    with pytest.raises(MessageFormatException):
        ObjectMessage(value, ObjectCodec([_Order]))


def test_jms_090_pickle_of_another_class_is_neither_written_nor_read() -> None:
    codec = ObjectCodec([_Order])
    frame = {"jms-body": "object", "content-type": "application/x-python-pickle"}

    with pytest.raises(MessageFormatException):
        ObjectMessage([_Order(1), _Stranger()], codec)
    with pytest.raises(MessageFormatException, match="_Stranger"):
        _ = from_frame(frame, pickle.dumps(_Stranger()), STOMPD, codec).body


@pytest.mark.parametrize("octets", [b"", b"garbage", b"cos\nsystem\n(S'true'\ntR.", b"\x80\x04]", b"\x80\xff."])
def test_jms_090_hostile_pickle_is_not_run(octets: bytes) -> None:
    message = from_frame(
        {"jms-body": "object", "content-type": "application/x-python-pickle"}, octets, STOMPD, ObjectCodec([_Order])
    )

    with pytest.raises(MessageFormatException):
        _ = message.body


def test_jms_090_unknown_content_type_is_not_decoded() -> None:
    message = from_frame({"jms-body": "object", "content-type": "application/x-java-serialized-object"}, b"x", STOMPD)

    with pytest.raises(MessageFormatException):
        _ = message.body


def stream() -> StreamMessage:
    message = StreamMessage()
    message.write_int(1)
    message.reset()
    return message


@pytest.mark.jms("Message.get_body", "Message.is_body_assignable_to")
@pytest.mark.parametrize(
    ("message", "type_", "expected"),
    [
        (TextMessage("x"), str, "x"),
        (TextMessage("x"), object, "x"),
        (TextMessage("x"), Sequence, "x"),
        (TextMessage(""), str, ""),
        (TextMessage(), dict, None),
        (ObjectMessage([1]), list, [1]),
        (ObjectMessage([1]), object, [1]),
        (ObjectMessage(), dict, None),
        (map_message({"a": 1}), dict, {"a": 1}),
        (map_message({"a": 1}), Mapping, {"a": 1}),
        (map_message({"a": 1}), object, {"a": 1}),
        (MapMessage(), str, None),
        (bytes_message(b"x"), bytes, b"x"),
        (bytes_message(b"x"), bytearray, bytearray(b"x")),
        (bytes_message(b"x"), object, b"x"),
        (BytesMessage(), str, None),
        (Message(), str, None),
    ],
    ids=repr,
)
def test_jms_118_body_is_given_as_a_type_it_has(message: Message, type_: type, expected: object) -> None:
    assert message.is_body_assignable_to(type_)
    assert message.get_body(type_) == expected


@pytest.mark.parametrize(
    ("message", "type_"),
    [
        (TextMessage("x"), bytes),
        (TextMessage(""), dict),
        (ObjectMessage([1]), dict),
        (map_message({"a": 1}), str),
        (map_message({"a": 1}), OrderedDict),
        (bytes_message(b"x"), str),
        (stream(), list),
        (stream(), object),
    ],
    ids=repr,
)
def test_jms_117_body_is_not_given_as_another_type(message: Message, type_: type) -> None:
    assert not message.is_body_assignable_to(type_)
    with pytest.raises(MessageFormatException):
        message.get_body(type_)


def test_jms_119_octets_are_read_from_the_beginning_after_get_body() -> None:
    message = bytes_message(b"ab")
    message.read_byte()

    message.get_body(bytes)

    assert message.read_byte() == ord("a")


def test_jms_119_octets_being_written_become_readable_with_get_body() -> None:
    message = BytesMessage()
    message.write_byte(1)

    with pytest.raises(MessageFormatException):
        message.get_body(str)
    message.write_byte(2)

    assert message.get_body(bytes) == b"\1\2"
    assert message.body_length == 2

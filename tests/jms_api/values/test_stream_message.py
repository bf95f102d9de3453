"""Streams: reading and writing, and octets in parts. JMS 3.1, 3.11.3."""

from __future__ import annotations

import pytest

from jms_api import (
    Long,
    MessageEOFException,
    MessageFormatException,
    MessageNotReadableException,
    MessageNotWriteableException,
    NullPointerException,
    NumberFormatException,
    StreamMessage,
)
from jms_api.mapping import from_frame
from jms_api.profiles import STOMPD

WRITES: dict[str, object] = {
    "boolean": True,
    "byte": 1,
    "short": 1,
    "char": "x",
    "int": 1,
    "long": 1,
    "float": 1.0,
    "double": 1.0,
    "string": "x",
    "bytes": b"x",
    "object": "x",
}
READS = [*WRITES]


def stream(*values: object) -> StreamMessage:
    message = StreamMessage()
    for value in values:
        message.write_object(value)
    message.reset()
    return message


@pytest.mark.parametrize("type_", READS)
def test_jms_097_new_stream_cannot_be_read(type_: str) -> None:
    with pytest.raises(MessageNotReadableException):
        getattr(StreamMessage(), f"read_{type_}")()


def test_jms_097_new_stream_cannot_be_iterated() -> None:
    with pytest.raises(MessageNotReadableException):
        iter(StreamMessage())


@pytest.mark.parametrize("type_", WRITES)
def test_jms_097_reset_stream_cannot_be_written(type_: str) -> None:
    with pytest.raises(MessageNotWriteableException):
        getattr(stream(1), f"write_{type_}")(WRITES[type_])


@pytest.mark.parametrize("type_", WRITES)
def test_jms_077_received_stream_cannot_be_written(type_: str) -> None:
    message = from_frame({"jms-body": "stream"}, b"[1]", STOMPD)

    with pytest.raises(MessageNotWriteableException):
        getattr(message, f"write_{type_}")(WRITES[type_])


@pytest.mark.jms("StreamMessage.reset")
def test_jms_097_reset_begins_at_the_first_value() -> None:
    message = stream(1, 2)
    message.read_int()

    message.reset()

    assert message.read_int() == 1


def test_jms_097_cleared_stream_is_written_again() -> None:
    message = stream(1)

    message.clear_body()
    message.write_int(2)
    message.reset()

    assert message.body == [2]


@pytest.mark.parametrize("type_", READS)
def test_jms_098_reading_past_the_last_value_fails(type_: str) -> None:
    with pytest.raises(MessageEOFException):
        getattr(stream(), f"read_{type_}")()


def test_jms_099_value_that_was_read_as_the_wrong_type_can_be_read_again() -> None:
    message = stream("x", 2)

    with pytest.raises(MessageFormatException):
        message.read_bytes()
    with pytest.raises(NumberFormatException):
        message.read_int()

    assert message.read_string() == "x"
    assert message.read_int() == 2


def test_jms_099_null_that_was_read_as_a_number_can_be_read_again() -> None:
    message = stream(None)

    with pytest.raises(NullPointerException):
        message.read_double()

    assert message.read_object() is None


def test_jms_100_octets_are_read_in_parts() -> None:
    message = stream(b"abcde", 1)
    buffer = bytearray(2)

    counts = [message.read_into(buffer) for _ in range(3)]

    assert counts == [2, 2, 1]
    assert buffer == b"ed"
    assert message.read_int() == 1


def test_jms_100_octets_that_fill_the_buffer_end_with_another_call() -> None:
    message = stream(b"abcd", 1)
    buffer = bytearray(4)

    assert [message.read_into(buffer), message.read_into(buffer)] == [4, -1]
    assert message.read_int() == 1


def test_jms_100_empty_octets_are_none_and_null_is_an_end() -> None:
    message = stream(b"", None)
    buffer = bytearray(4)

    assert [message.read_into(buffer), message.read_into(buffer)] == [0, -1]
    with pytest.raises(MessageEOFException):
        message.read_into(buffer)


@pytest.mark.jms("StreamMessage.read_object")
@pytest.mark.parametrize("type_", ["string", "object", "int"])
def test_jms_101_octets_read_in_part_are_read_to_their_end_first(type_: str) -> None:
    message = stream(b"abcd", 1)
    message.read_into(bytearray(2))

    with pytest.raises(MessageFormatException):
        getattr(message, f"read_{type_}")()

    assert message.read_bytes() == b"cd"
    assert message.read_int() == 1


@pytest.mark.jms("StreamMessage.write_object")
def test_jms_102_value_is_read_in_the_type_it_was_written_in() -> None:
    message = StreamMessage()
    message.write_short(1)
    message.write_object(2)
    message.write_object(Long(3))
    message.write_bytes(b"abc", 1, 1)
    message.reset()

    assert [repr(message.read_object()) for _ in range(4)] == ["Short(1)", "2", "Long(3)", "b'b'"]


@pytest.mark.parametrize("value", [[1], {}, object(), 2**64], ids=repr)
def test_jms_102_value_has_a_type_of_jms(value: object) -> None:
    with pytest.raises(MessageFormatException):
        StreamMessage().write_object(value)


def test_jms_103_null_text_is_read_as_null() -> None:
    message = StreamMessage()
    message.write_string(None)
    message.write_bytes(None)
    message.reset()

    assert message.read_string() is None
    assert message.read_bytes() is None


def test_iteration_reads_what_is_left() -> None:
    message = stream(1, "two", None, 4.0)
    message.read_int()

    assert list(message) == ["two", None, 4.0]
    with pytest.raises(MessageEOFException):
        message.read_object()


def test_value_that_cannot_be_decoded_fails_when_it_is_read() -> None:
    message = from_frame({"jms-body": "stream", "jms-body-types": '["B","I"]'}, b"[300,5]", STOMPD)
    assert isinstance(message, StreamMessage)

    with pytest.raises(MessageFormatException):
        message.read_object()
    with pytest.raises(MessageFormatException):
        _ = message.body

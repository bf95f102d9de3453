"""Octets: their layout, reading and writing. JMS 3.1, 3.11, and the API of BytesMessage."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jms_api import (
    BytesMessage,
    Char,
    Float,
    MessageEOFException,
    MessageFormatException,
    MessageNotReadableException,
    MessageNotWriteableException,
    NullPointerException,
    Short,
)
from jms_api.bodies import bytes_message
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
    "utf": "x",
    "bytes": b"x",
    "object": "x",
}
READS = [
    *("boolean", "byte", "unsigned_byte", "short", "unsigned_short", "char", "int", "long", "float", "double"),
    *("utf", "bytes"),
]


@pytest.mark.parametrize("type_", READS)
def test_jms_104_new_message_cannot_be_read(type_: str) -> None:
    with pytest.raises(MessageNotReadableException):
        getattr(BytesMessage(), f"read_{type_}")()


@pytest.mark.jms("BytesMessage.body_length")
def test_jms_104_length_is_known_when_it_can_be_read() -> None:
    message = BytesMessage()
    message.write_int(1)
    with pytest.raises(MessageNotReadableException):
        _ = message.body_length

    message.reset()
    message.read_short()

    assert message.body_length == 4


@pytest.mark.parametrize("type_", WRITES)
def test_jms_077_received_message_cannot_be_written(type_: str) -> None:
    message = from_frame({"jms-body": "bytes"}, b"x", STOMPD)

    with pytest.raises(MessageNotWriteableException):
        getattr(message, f"write_{type_}")(WRITES[type_])


@pytest.mark.jms(
    *("BytesMessage.write_boolean", "BytesMessage.write_byte", "BytesMessage.write_short"),
    *("BytesMessage.write_char", "BytesMessage.write_int", "BytesMessage.write_long", "BytesMessage.write_float"),
    *("BytesMessage.write_double", "BytesMessage.write_utf", "BytesMessage.write_bytes"),
)
@pytest.mark.parametrize(
    ("type_", "value", "octets"),
    [
        ("boolean", True, "01"),
        ("boolean", False, "00"),
        ("byte", -1, "ff"),
        ("short", 258, "0102"),
        ("char", "€", "20ac"),
        ("char", "\ud83d", "d83d"),
        ("int", -2, "fffffffe"),
        ("long", 1, "0000000000000001"),
        ("float", 1.5, "3fc00000"),
        ("double", -0.5, "bfe0000000000000"),
        ("utf", "aé", "0003 61c3a9"),
        ("utf", "\0", "0002 c080"),
        ("utf", "\U0001f600", "0006 eda0bdedb880"),
        ("bytes", b"ab", "6162"),
    ],
)
def test_jms_105_value_is_laid_out_as_java_does(type_: str, value: object, octets: str) -> None:
    message = BytesMessage()

    getattr(message, f"write_{type_}")(value)

    assert bytes(message) == bytes.fromhex(octets)


@pytest.mark.jms(
    *("BytesMessage.read_boolean", "BytesMessage.read_byte", "BytesMessage.read_short"),
    *("BytesMessage.read_char", "BytesMessage.read_int", "BytesMessage.read_long", "BytesMessage.read_float"),
    *("BytesMessage.read_double", "BytesMessage.read_utf", "BytesMessage.read_bytes", "BytesMessage.reset"),
)
def test_jms_105_what_was_written_is_read() -> None:
    message = BytesMessage()
    for type_, value in WRITES.items():
        getattr(message, f"write_{type_}")(value)

    message.reset()

    for type_, value in WRITES.items():
        if type_ not in ("bytes", "object"):
            assert getattr(message, f"read_{type_}")() == value
    assert message.read_bytes(1) == b"x"
    assert message.read_utf() == "x"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_jms_105_any_text_is_read_as_it_was_written(text: str) -> None:
    message = BytesMessage()
    message.write_utf(text)

    message.reset()

    assert message.read_utf() == text


@pytest.mark.parametrize("octets", ["0001 ff", "0001 c0", "0002 f09f", "0003 eda0bd"])
def test_octets_that_are_no_text_are_not_consumed(octets: str) -> None:
    message = bytes_message(bytes.fromhex(octets))

    with pytest.raises(MessageFormatException):
        message.read_utf()

    assert message.read_byte() == 0


def test_text_beyond_16_bits_of_octets_is_refused() -> None:
    message = BytesMessage()

    with pytest.raises(MessageFormatException):
        message.write_utf("x" * 65_536)

    assert bytes(message) == b""


@pytest.mark.jms("BytesMessage.read_unsigned_byte", "BytesMessage.read_unsigned_short")
def test_jms_106_unsigned_numbers_begin_at_zero() -> None:
    message = bytes_message(b"\xff\xff\xff")

    assert message.read_unsigned_byte() == 255
    assert message.read_unsigned_short() == 65_535


@pytest.mark.parametrize("type_", [name for name in READS if name not in ("boolean", "byte", "unsigned_byte", "bytes")])
def test_jms_107_too_few_octets_are_an_end_and_stay(type_: str) -> None:
    message = bytes_message(b"\1")

    with pytest.raises(MessageEOFException):
        getattr(message, f"read_{type_}")()

    assert message.read_byte() == 1


def test_jms_107_text_that_is_cut_off_is_an_end_and_stays() -> None:
    message = bytes_message(b"\0\5abc")

    with pytest.raises(MessageEOFException):
        message.read_utf()

    assert message.read_bytes() == b"\0\5abc"


@pytest.mark.parametrize("type_", ["boolean", "byte", "unsigned_byte"])
def test_jms_107_nothing_can_be_read_at_the_end(type_: str) -> None:
    with pytest.raises(MessageEOFException):
        getattr(bytes_message(b""), f"read_{type_}")()


def test_jms_108_octets_are_read_into_a_buffer() -> None:
    message = bytes_message(b"abcde")
    buffer = bytearray(3)

    assert [message.read_into(buffer), message.read_into(buffer, 2), message.read_into(buffer)] == [3, 2, -1]
    assert buffer == b"dec"


@pytest.mark.parametrize("length", [-1, 4])
def test_jms_108_length_that_does_not_fit_the_buffer_consumes_nothing(length: int) -> None:
    message = bytes_message(b"abcde")

    with pytest.raises(IndexError):
        message.read_into(bytearray(3), length)

    assert message.read_bytes() == b"abcde"


def test_jms_107_octets_at_the_end_are_none() -> None:
    message = bytes_message(b"abc")

    assert message.read_bytes(2) == b"ab"
    assert message.read_bytes(2) == b"c"
    assert message.read_bytes() == b""
    with pytest.raises(IndexError):
        message.read_bytes(-1)


@pytest.mark.jms("BytesMessage.write_object")
@pytest.mark.parametrize(
    ("value", "octets"),
    [
        (True, "01"),
        (1, "00000001"),
        (2**31, "0000000080000000"),
        (Short(1), "0001"),
        (1.0, "3ff0000000000000"),
        (Float(1.0), "3f800000"),
        (Char("a"), "0061"),
        ("a", "0001 61"),
        (b"a", "61"),
    ],
    ids=repr,
)
def test_jms_109_object_is_written_by_its_type(value: object, octets: str) -> None:
    message = BytesMessage()

    message.write_object(value)

    assert bytes(message) == bytes.fromhex(octets)


def test_jms_109_null_cannot_be_written() -> None:
    with pytest.raises(NullPointerException):
        BytesMessage().write_object(None)
    with pytest.raises(NullPointerException):
        BytesMessage().write_bytes(None)  # type: ignore[arg-type]
    with pytest.raises(NullPointerException):
        BytesMessage().write_utf(None)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [[1], {}, object()], ids=repr)
def test_jms_109_object_of_another_type_cannot_be_written(value: object) -> None:
    with pytest.raises(MessageFormatException):
        BytesMessage().write_object(value)


def test_jms_110_octets_have_no_type() -> None:
    message = BytesMessage()
    message.write_int(0x01020304)

    message.reset()

    assert [message.read_short(), message.read_short()] == [0x0102, 0x0304]


def test_slice_of_octets_is_written() -> None:
    message = BytesMessage()

    message.write_bytes(b"abcdef", 1, 3)

    assert bytes(message) == b"bcd"
    with pytest.raises(IndexError):
        message.write_bytes(b"abc", 2, 2)

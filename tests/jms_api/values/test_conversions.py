"""Every cell of the tables of conversions: JMS 3.1, 3.5.4 for properties and 3.11.3 for maps and streams."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jms_api import (
    MapMessage,
    Message,
    MessageFormatException,
    NullPointerException,
    NumberFormatException,
    StreamMessage,
)

#: By the type that was set: a value, as what else it reads, and what that gives.
CELLS: dict[str, tuple[Any, dict[str, Any]]] = {
    "boolean": (True, {"boolean": True, "string": "true"}),
    "byte": (-5, {"byte": -5, "short": -5, "int": -5, "long": -5, "string": "-5"}),
    "short": (300, {"short": 300, "int": 300, "long": 300, "string": "300"}),
    "char": ("x", {"char": "x", "string": "x"}),
    "int": (70_000, {"int": 70_000, "long": 70_000, "string": "70000"}),
    "long": (7, {"long": 7, "string": "7"}),
    "float": (0.5, {"float": 0.5, "double": 0.5, "string": "0.5"}),
    "double": (1e10, {"double": 1e10, "string": "1.0E10"}),
    "string": (
        "12",
        {
            "boolean": False,
            "byte": 12,
            "short": 12,
            "int": 12,
            "long": 12,
            "float": 12.0,
            "double": 12.0,
            "string": "12",
        },
    ),
    "bytes": (b"ab", {"bytes": b"ab"}),
}
TYPES = list(CELLS)
PROPERTY_TYPES = [name for name in TYPES if name not in ("char", "bytes")]


def cells(types: list[str]) -> list[object]:
    """Return what was set, what it is read as, the value, and what reading it gives; None where it may not."""
    return [
        pytest.param(source, target, CELLS[source][0], CELLS[source][1].get(target), id=f"{source}-as-{target}")
        for source in types
        for target in types
    ]


def assert_reads(read: Callable[[], object], expected: object) -> None:
    if expected is None:
        with pytest.raises(MessageFormatException):
            read()
    else:
        found = read()
        assert found == expected
        assert type(found) is type(expected)


@pytest.mark.jms(
    *("Message.get_boolean_property", "Message.get_byte_property", "Message.get_short_property"),
    *("Message.get_int_property", "Message.get_long_property", "Message.get_float_property"),
    *("Message.get_double_property", "Message.get_string_property", "Message.set_boolean_property"),
    *("Message.set_byte_property", "Message.set_short_property", "Message.set_int_property"),
    *("Message.set_long_property", "Message.set_float_property", "Message.set_double_property"),
    "Message.set_string_property",
)
@pytest.mark.parametrize(("source", "target", "value", "expected"), cells(PROPERTY_TYPES))
def test_jms_054_property_converts_as_the_table_says(source: str, target: str, value: object, expected: object) -> None:
    message = Message()

    getattr(message, f"set_{source}_property")("p", value)

    assert_reads(lambda: getattr(message, f"get_{target}_property")("p"), expected)


@pytest.mark.jms(
    *("MapMessage.get_boolean", "MapMessage.get_byte", "MapMessage.get_short", "MapMessage.get_char"),
    *("MapMessage.get_int", "MapMessage.get_long", "MapMessage.get_float", "MapMessage.get_double"),
    *("MapMessage.get_string", "MapMessage.get_bytes", "MapMessage.set_boolean", "MapMessage.set_byte"),
    *("MapMessage.set_short", "MapMessage.set_char", "MapMessage.set_int", "MapMessage.set_long"),
    *("MapMessage.set_float", "MapMessage.set_double", "MapMessage.set_string", "MapMessage.set_bytes"),
)
@pytest.mark.parametrize(("source", "target", "value", "expected"), cells(TYPES))
def test_jms_112_map_entry_converts_as_the_table_says(
    source: str, target: str, value: object, expected: object
) -> None:
    message = MapMessage()

    getattr(message, f"set_{source}")("e", value)

    assert_reads(lambda: getattr(message, f"get_{target}")("e"), expected)


@pytest.mark.jms(
    *("StreamMessage.read_boolean", "StreamMessage.read_byte", "StreamMessage.read_short"),
    *("StreamMessage.read_char", "StreamMessage.read_int", "StreamMessage.read_long", "StreamMessage.read_float"),
    *("StreamMessage.read_double", "StreamMessage.read_string", "StreamMessage.read_bytes"),
    *("StreamMessage.write_boolean", "StreamMessage.write_byte", "StreamMessage.write_short"),
    *("StreamMessage.write_char", "StreamMessage.write_int", "StreamMessage.write_long"),
    *("StreamMessage.write_float", "StreamMessage.write_double", "StreamMessage.write_string"),
    *("StreamMessage.write_bytes", "StreamMessage.reset"),
)
@pytest.mark.parametrize(("source", "target", "value", "expected"), cells(TYPES))
def test_jms_112_stream_value_converts_as_the_table_says(
    source: str, target: str, value: object, expected: object
) -> None:
    message = StreamMessage()

    getattr(message, f"write_{source}")(value)
    message.reset()

    assert_reads(getattr(message, f"read_{target}"), expected)


INTEGERS = ["byte", "short", "int", "long"]
FLOATS = ["float", "double"]


@pytest.mark.parametrize("target", INTEGERS)
def test_jms_059_null_is_no_integer(target: str) -> None:
    with pytest.raises(NumberFormatException):
        getattr(Message(), f"get_{target}_property")("absent")


@pytest.mark.parametrize("target", FLOATS)
def test_jms_059_null_is_no_floating_point_number(target: str) -> None:
    with pytest.raises(NullPointerException):
        getattr(Message(), f"get_{target}_property")("absent")


def test_jms_059_null_is_false() -> None:
    assert Message().get_boolean_property("absent") is False


def test_jms_059_null_is_no_string() -> None:
    assert Message().get_string_property("absent") is None


@pytest.mark.parametrize("target", INTEGERS)
def test_jms_114_null_entry_is_no_integer(target: str) -> None:
    with pytest.raises(NumberFormatException):
        getattr(MapMessage(), f"get_{target}")("absent")


@pytest.mark.parametrize("target", [*FLOATS, "char"])
def test_jms_114_null_entry_is_no_number_or_char(target: str) -> None:
    with pytest.raises(NullPointerException):
        getattr(MapMessage(), f"get_{target}")("absent")


def test_jms_114_null_entry_is_false_or_nothing() -> None:
    message = MapMessage()

    assert message.get_boolean("absent") is False
    assert message.get_string("absent") is None
    assert message.get_bytes("absent") is None
    assert message.get_object("absent") is None


@pytest.mark.parametrize("target", INTEGERS)
@pytest.mark.parametrize(
    "text", ["", " 5", "5 ", "1_0", "0x1d", "5L", "5.0", "1e3", "+", "-", "٣", "--5", "9" * 30, "9" * 5000]
)
def test_jms_056_text_that_java_reads_as_no_integer_is_none(text: str, target: str) -> None:
    message = Message()
    message.set_string_property("p", text)

    with pytest.raises(NumberFormatException):
        getattr(message, f"get_{target}_property")("p")


@pytest.mark.parametrize(
    ("text", "target", "expected"),
    [
        ("+5", "byte", 5),
        ("-128", "byte", -128),
        ("007", "short", 7),
        ("000000000000000000000000000000012", "int", 12),
        ("-2147483648", "int", -(2**31)),
        ("9223372036854775807", "long", 2**63 - 1),
    ],
)
def test_jms_056_text_spells_an_integer(text: str, target: str, expected: int) -> None:
    message = Message()
    message.set_string_property("p", text)

    assert getattr(message, f"get_{target}_property")("p") == expected


@pytest.mark.parametrize(("text", "target"), [("128", "byte"), ("32768", "short"), (str(2**31), "int")])
def test_jms_055_text_beyond_the_range_is_no_integer(text: str, target: str) -> None:
    message = Message()
    message.set_string_property("p", text)

    with pytest.raises(NumberFormatException):
        getattr(message, f"get_{target}_property")("p")


@pytest.mark.parametrize(
    "text", ["", "nan", "inf", "infinity", "1_0.0", "1.0x", ".", "e5", "0x1.8", "NaNf", "1,5", "\u00a01.0"]
)
@pytest.mark.parametrize("target", FLOATS)
def test_jms_057_text_that_java_reads_as_no_number_is_none(text: str, target: str) -> None:
    message = Message()
    message.set_string_property("p", text)

    with pytest.raises(NumberFormatException):
        getattr(message, f"get_{target}_property")("p")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" 1.5 ", 1.5),
        ("\t1.5\n", 1.5),
        ("1.5f", 1.5),
        ("1.5D", 1.5),
        (".5e1", 5.0),
        ("5.", 5.0),
        ("-7E-3", -0.007),
        ("0x1.8p1", 3.0),
        ("0x.8P0d", 0.5),
        ("Infinity", float("inf")),
        ("-Infinity", float("-inf")),
        ("1e400", float("inf")),
        ("0x1p5000", float("inf")),
    ],
)
def test_jms_057_text_spells_a_floating_point_number(text: str, expected: float) -> None:
    message = Message()
    message.set_string_property("p", text)

    assert message.get_double_property("p") == expected


def test_jms_057_text_read_as_float_is_rounded_to_single_precision() -> None:
    message = Message()
    message.set_string_property("p", "0.1")

    assert message.get_float_property("p") == 0.10000000149011612


@pytest.mark.parametrize(("text", "expected"), [("TRUE", True), ("tRuE", True), ("yes", False), ("1", False)])
def test_jms_058_text_is_a_boolean_without_failing(text: str, expected: bool) -> None:
    message = Message()
    message.set_string_property("p", text)

    assert message.get_boolean_property("p") is expected


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1.0, "1.0"),
        (-0.0, "-0.0"),
        (0.001, "0.001"),
        (0.0001, "1.0E-4"),
        (9_999_999.0, "9999999.0"),
        (1e7, "1.0E7"),
        (1e16, "1.0E16"),
        (123.456, "123.456"),
        (5e-324, "5.0E-324"),
        (float("nan"), "NaN"),
        (float("inf"), "Infinity"),
        (float("-inf"), "-Infinity"),
    ],
)
def test_jms_060_double_is_written_as_java_does(number: float, text: str) -> None:
    message = Message()
    message.set_double_property("p", number)

    assert message.get_string_property("p") == text


@pytest.mark.parametrize(
    ("number", "text"), [(0.1, "0.1"), (16_777_216.0, "1.6777216E7"), (3.4e38, "3.4E38"), (0.0, "0.0")]
)
def test_jms_060_float_is_written_with_as_few_digits_as_tell_it(number: float, text: str) -> None:
    message = Message()
    message.set_float_property("p", number)

    assert message.get_string_property("p") == text

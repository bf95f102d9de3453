"""Properties: names, types, and when they can be set. JMS 3.1, 3.5."""

from __future__ import annotations

import pickle
from decimal import Decimal
from enum import IntEnum

import pytest

from jms_api import (
    Byte,
    Char,
    Double,
    Float,
    IllegalArgumentException,
    Int,
    Long,
    Message,
    MessageFormatException,
    MessageNotWriteableException,
    Short,
    TextMessage,
)
from jms_api.mapping import from_frame
from jms_api.profiles import STOMPD

TYPED = {
    "boolean": True,
    "byte": 1,
    "short": 1,
    "int": 1,
    "long": 1,
    "float": 1.0,
    "double": 1.0,
    "string": "x",
    "object": "x",
}


def received(headers: dict[str, str] | None = None) -> Message:
    return from_frame(headers or {"jms-prop-types": "", "colour": "red"}, b"", STOMPD)


@pytest.mark.parametrize("name", ["a", "_a", "$a", "größe", "a1", "Ⅷ", "名前"])
def test_jms_037_property_is_called_what_a_selector_can_mention(name: str) -> None:
    message = Message()

    message.set_int_property(name, 5)

    assert message.get_int_property(name) == 5


@pytest.mark.parametrize("type_", TYPED)
@pytest.mark.parametrize("name", [None, ""])
def test_jms_038_property_needs_a_name(type_: str, name: str | None) -> None:
    with pytest.raises(IllegalArgumentException):
        getattr(Message(), f"set_{type_}_property")(name, TYPED[type_])


@pytest.mark.parametrize("name", ["my-prop", "1abc", "like", "NULL", "a.b", "a b", "a\0", "not"])
def test_jms_039_property_cannot_be_called_what_a_selector_cannot_mention(name: str) -> None:
    with pytest.raises(MessageFormatException):
        Message().set_int_property(name, 5)


@pytest.mark.jms("Message.set_object_property")
@pytest.mark.parametrize("value", [b"x", [1], {"a": 1}, Decimal(1), 2**63, -(2**63) - 1, object(), Char("x")])
def test_jms_041_property_has_one_of_eight_types(value: object) -> None:
    with pytest.raises(MessageFormatException):
        Message().set_object_property("p", value)


@pytest.mark.jms("Message.get_object_property")
@pytest.mark.parametrize(
    ("setter", "value", "expected"),
    [
        ("set_boolean_property", True, bool),
        ("set_byte_property", 5, Byte),
        ("set_short_property", 5, Short),
        ("set_int_property", 5, int),
        ("set_long_property", 5, Long),
        ("set_float_property", 5.0, Float),
        ("set_double_property", 5.0, float),
        ("set_string_property", "5", str),
    ],
)
def test_jms_042_property_is_read_in_the_type_it_was_set_with(setter: str, value: object, expected: type) -> None:
    message = Message()
    getattr(message, setter)("p", value)

    found = message.get_object_property("p")

    assert type(found) is expected
    assert found == value


class _Colour(IntEnum):
    RED = 3


@pytest.mark.parametrize(
    ("value", "readable"),
    [
        (True, ["boolean", "string"]),
        (5, ["int", "long", "string"]),
        (2**31 - 1, ["int", "long", "string"]),
        (-(2**31), ["int", "long", "string"]),
        (2**31, ["long", "string"]),
        (Long(5), ["long", "string"]),
        (Int(5), ["int", "long", "string"]),
        (Short(5), ["short", "int", "long", "string"]),
        (Byte(5), ["byte", "short", "int", "long", "string"]),
        (1.5, ["double", "string"]),
        (Double(1), ["double", "string"]),
        (Float(1.5), ["float", "double", "string"]),
        (_Colour.RED, ["int", "long", "string"]),
    ],
    ids=repr,
)
def test_jms_043_python_value_says_its_type(value: object, readable: list[str]) -> None:
    message = Message()
    message.properties["p"] = value  # type: ignore[assignment]

    found = [name for name in TYPED if name != "object" and _can_read(message, name)]

    assert found == readable


def _can_read(message: Message, type_: str) -> bool:
    try:
        getattr(message, f"get_{type_}_property")("p")
    except MessageFormatException:
        return False
    return True


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("byte", 128),
        ("byte", -129),
        ("short", 2**15),
        ("int", 2**31),
        ("long", 2**63),
        ("int", True),
        ("int", 5.0),
        ("int", "5"),
        ("int", None),
        ("boolean", 1),
        ("boolean", None),
        ("float", "x"),
        ("float", True),
        ("float", 1e300),
        ("double", "1.0"),
        ("double", 10**400),
        ("double", None),
        ("string", 5),
        ("string", b"x"),
        ("string", "\ud800"),
    ],
)
def test_jms_044_typed_setter_checks_type_and_range(type_: str, value: object) -> None:
    message = Message()

    with pytest.raises(MessageFormatException):
        getattr(message, f"set_{type_}_property")("p", value)

    assert not message.property_exists("p")


@pytest.mark.parametrize("value", [10**400, "x" * 1000])
def test_error_quotes_a_bounded_part_of_the_value(value: object) -> None:
    with pytest.raises(MessageFormatException) as caught:
        Message().set_short_property("p", value)  # type: ignore[arg-type]

    assert len(str(caught.value)) < 200


def test_integer_is_taken_where_a_floating_point_number_is_asked_for() -> None:
    message = Message()

    message.set_double_property("p", 5)

    assert repr(message.get_object_property("p")) == "5.0"


def test_jms_045_float_is_rounded_when_it_is_set() -> None:
    message = Message()

    message.set_float_property("p", 0.1)

    assert message.get_double_property("p") == 0.10000000149011612


@pytest.mark.jms("Message.property_exists")
def test_jms_046_null_property_exists_and_is_null() -> None:
    message = Message()

    message.set_string_property("text", None)
    message.set_object_property("thing", None)

    assert message.property_exists("text")
    assert message.get_string_property("text") is None
    assert message.get_object_property("thing") is None
    assert not message.property_exists("other")


def test_jms_047_property_that_was_never_set_is_null() -> None:
    assert Message().get_object_property("absent") is None


def test_jms_048_setting_again_replaces_value_and_type() -> None:
    message = Message()
    message.set_int_property("p", 5)

    message.set_string_property("p", "five")

    assert message.get_object_property("p") == "five"


@pytest.mark.jms("Message.property_names")
def test_jms_050_names_are_those_of_properties_only() -> None:
    message = received({"correlation-id": "c", "type": "t", "JMSReplyTo": "x", "JMSXGroupID": "g", "colour": "red"})

    assert set(message.property_names) == {"JMSXGroupID", "JMSXDeliveryCount", "colour"}


@pytest.mark.jms("Message.clear_properties")
def test_jms_051_clearing_leaves_body_and_header_fields() -> None:
    message = TextMessage("body")
    message.jms_type = "t"
    message.set_int_property("p", 5)

    message.clear_properties()

    assert list(message.property_names) == []
    assert (message.text, message.jms_type) == ("body", "t")


@pytest.mark.parametrize("type_", TYPED)
def test_jms_052_properties_of_a_received_message_are_read_only(type_: str) -> None:
    with pytest.raises(MessageNotWriteableException):
        getattr(received(), f"set_{type_}_property")("p", TYPED[type_])


def test_jms_052_mapping_of_a_received_message_is_read_only() -> None:
    message = received()

    with pytest.raises(MessageNotWriteableException):
        message.properties["p"] = 5
    with pytest.raises(MessageNotWriteableException):
        del message.properties["colour"]

    assert message.get_string_property("colour") == "red"


def test_jms_053_cleared_properties_can_be_set() -> None:
    message = received()

    message.clear_properties()
    message.set_int_property("p", 5)

    assert list(message.property_names) == ["p"]


def test_properties_are_a_mapping() -> None:
    message = Message()

    message.properties.update(a=1, b="two")
    del message.properties["a"]

    assert dict(message.properties) == {"b": "two"}
    assert "a" not in message.properties
    assert len(message.properties) == 1
    with pytest.raises(KeyError):
        message.properties["a"]


def test_clearing_the_mapping_is_clearing_the_properties() -> None:
    message = received()

    message.properties.clear()
    message.properties["p"] = 5

    assert dict(message.properties) == {"p": 5}


def test_jms_064_group_keeps_its_types() -> None:
    message = received({"JMSXGroupID": "7", "JMSXGroupSeq": "7"})

    assert message.get_object_property("JMSXGroupID") == "7"
    assert message.get_object_property("JMSXGroupSeq") == 7


def test_jms_065_first_delivery_counts_one() -> None:
    count = received({}).get_object_property("JMSXDeliveryCount")

    assert count == 1
    assert type(count) is int


def test_wrapper_shows_its_type() -> None:
    assert [repr(value) for value in (Byte(1), Short(2), Long(3), Float(0.5), Char("x"))] == [
        *("Byte(1)", "Short(2)", "Long(3)", "Float(0.5)", "Char('x')")
    ]
    assert f"{Byte(1)} {Short(2)} {Float(0.5)} {Char('x')}" == "1 2 0.5 x"


@pytest.mark.parametrize("value", [Byte(1), Short(2), Long(3), Float(0.5), Char("x")], ids=repr)
def test_wrapper_can_be_pickled(value: object) -> None:
    copy = pickle.loads(pickle.dumps(value))

    assert (type(copy), copy) == (type(value), value)


class _Name(str):
    pass


class _Ratio(float):
    pass


@pytest.mark.parametrize(("value", "kind"), [(_Name("x"), str), (_Ratio(0.5), float), (_Colour.RED, int)])
def test_value_of_a_subclass_is_kept_as_plain(value: object, kind: type) -> None:
    message = Message()

    message.set_object_property("p", value)

    assert type(message.get_object_property("p")) is kind


def test_properties_show_what_is_in_them() -> None:
    message = Message()
    message.set_short_property("p", 5)

    assert repr(message.properties) == "MessageProperties({'p': Short(5)})"


@pytest.mark.parametrize("text", ["", "xy", "\U0001f600"])
def test_jms_116_char_is_one_code_unit(text: str) -> None:
    with pytest.raises(MessageFormatException):
        Char(text)

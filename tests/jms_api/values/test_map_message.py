"""Maps: names, types, and the mapping they are. JMS 3.1, 3.11.3."""

from __future__ import annotations

import pytest

from jms_api import (
    IllegalArgumentException,
    MapMessage,
    MessageFormatException,
    MessageNotWriteableException,
    Short,
)
from jms_api.mapping import from_frame
from jms_api.profiles import STOMPD

VALUES: dict[str, object] = {
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


def received(body: bytes = b'{"a":1}', types: str = "") -> MapMessage:
    message = from_frame({"jms-body": "map", "jms-body-types": types}, body, STOMPD)
    assert isinstance(message, MapMessage)
    return message


@pytest.mark.parametrize("type_", VALUES)
@pytest.mark.parametrize("name", ["", None])
def test_jms_091_entry_needs_a_name(type_: str, name: str | None) -> None:
    with pytest.raises(IllegalArgumentException):
        getattr(MapMessage(), f"set_{type_}")(name, VALUES[type_])


def test_jms_091_slice_needs_a_name() -> None:
    with pytest.raises(IllegalArgumentException):
        MapMessage().set_bytes("", b"abc", 0, 1)


@pytest.mark.parametrize("name", ["my-entry", "1", " ", "NULL", "a\0b", "ä:\n"])
def test_jms_091_entry_may_be_called_anything(name: str) -> None:
    message = MapMessage()

    message.set_int(name, 5)

    assert message.get_int(name) == 5


@pytest.mark.jms("MapMessage.set_object")
@pytest.mark.parametrize("value", [[1], {"a": 1}, 2**63, object(), 1j], ids=repr)
def test_jms_092_entry_has_a_type_of_jms(value: object) -> None:
    with pytest.raises(MessageFormatException):
        MapMessage().set_object("e", value)


@pytest.mark.jms("MapMessage.map_names", "MapMessage.item_exists")
def test_jms_094_names_are_those_of_the_entries() -> None:
    message = MapMessage()
    assert list(message.map_names) == []

    message.set_int("a", 1)
    message.set_string("b", None)

    assert set(message.map_names) == {"a", "b"}
    assert message.item_exists("b")
    assert not message.item_exists("c")


def test_jms_095_unsent_map_is_read_and_written_in_any_order() -> None:
    message = MapMessage()
    message.set_int("a", 1)
    assert message.get_int("a") == 1

    message.set_int("a", 2)

    assert message.get_int("a") == 2


@pytest.mark.parametrize("type_", VALUES)
def test_jms_077_received_map_is_read_only(type_: str) -> None:
    message = received()

    with pytest.raises(MessageNotWriteableException):
        getattr(message, f"set_{type_}")("e", VALUES[type_])

    assert list(message.map_names) == ["a"]


def test_jms_077_received_map_is_read_only_as_a_mapping() -> None:
    message = received()

    with pytest.raises(MessageNotWriteableException):
        message["a"] = 2
    with pytest.raises(MessageNotWriteableException):
        del message["a"]
    with pytest.raises(MessageNotWriteableException):
        message.clear()


def test_jms_077_cleared_map_is_writable() -> None:
    message = received()

    message.clear_body()
    message["b"] = 2

    assert message.body == {"b": 2}


def test_jms_096_octets_are_copied_in() -> None:
    message = MapMessage()
    octets = bytearray(b"abc")
    message.set_bytes("e", octets)

    octets[0] = 0

    assert message.get_bytes("e") == b"abc"


def test_jms_096_slice_of_octets_is_kept() -> None:
    message = MapMessage()

    message.set_bytes("e", b"abcdef", 2, 3)

    assert message.get_bytes("e") == b"cde"


@pytest.mark.parametrize(("offset", "length"), [(-1, 1), (0, 4), (2, 2), (0, -1), (4, None)])
def test_slice_has_to_lie_within_the_octets(offset: int, length: int | None) -> None:
    with pytest.raises(IndexError):
        MapMessage().set_bytes("e", b"abc", offset, length)


@pytest.mark.jms("MapMessage.get_object")
def test_jms_115_entry_is_read_in_the_type_it_was_set_with() -> None:
    message = MapMessage()
    message.set_short("s", 5)
    message.set_int("i", 5)
    message.set_object("o", 5)

    assert repr(message.get_object("s")) == "Short(5)"
    assert message.get_object("i") == message.get_object("o") == 5
    assert type(message.get_object("i")) is type(message.get_object("o")) is int


def test_message_is_a_mapping() -> None:
    message = MapMessage()

    message.update({"sku": "bolt", "qty": Short(5)})
    message["gone"] = 1
    del message["gone"]

    assert dict(message) == {"sku": "bolt", "qty": 5}
    assert "sku" in message
    assert len(message) == 2
    with pytest.raises(KeyError):
        message["absent"]


def test_empty_map_is_still_a_message() -> None:
    assert MapMessage()
    assert MapMessage() != MapMessage()
    assert len({MapMessage(), MapMessage()}) == 2


def test_jms_120_empty_map_is_no_body() -> None:
    assert MapMessage().body is None


def test_entry_that_cannot_be_decoded_fails_when_it_is_read() -> None:
    message = received(b'{"bad":"x","good":5}', '{"bad":"I"}')

    with pytest.raises(MessageFormatException, match="bad"):
        message.get_int("bad")
    with pytest.raises(MessageFormatException):
        message.get_body(dict)
    assert message.get_int("good") == 5


def test_jms_116_octets_may_be_given_in_any_form() -> None:
    message = MapMessage()

    message.update({"a": bytearray(b"x"), "b": memoryview(b"x")})  # type: ignore[dict-item]

    assert dict(message) == {"a": b"x", "b": b"x"}


def test_entry_may_be_null_by_its_code() -> None:
    assert received(b'{"e":5}', '{"e":"N"}').get_object("e") is None


@pytest.mark.parametrize("value", ["x", 5, [1]], ids=repr)
def test_octets_are_not_of_another_type(value: object) -> None:
    with pytest.raises(MessageFormatException):
        MapMessage().set_object("e", [value])
    with pytest.raises(MessageFormatException):
        MapMessage().set_bytes("e", value)  # type: ignore[arg-type]


@pytest.mark.parametrize("code", ['"Q"', '"X"', '"C"', '"Z"', '"F"', '"B"', "5", "[]", "true"])
def test_wrong_code_of_a_type_fails_when_the_entry_is_read(code: str) -> None:
    message = received(b'{"e":"not base64"}', f'{{"e":{code}}}')

    with pytest.raises(MessageFormatException):
        message.get_object("e")

"""Messages made of plain values, and of the messages of other libraries. JMS 3.1, 3.12 and 7.2."""

from __future__ import annotations

from collections import OrderedDict
from types import SimpleNamespace

import pytest

from jms_api import (
    BytesMessage,
    MapMessage,
    Message,
    MessageFormatException,
    ObjectMessage,
    Queue,
    Short,
    StreamMessage,
    TextMessage,
)
from jms_api.bodies import bytes_message
from jms_api.messages import copy_of, message_for


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("x", TextMessage),
        ("", TextMessage),
        (b"x", BytesMessage),
        (bytearray(b"x"), BytesMessage),
        ({"a": 1}, MapMessage),
        (OrderedDict(a=1), MapMessage),
        ([1], ObjectMessage),
        (5, ObjectMessage),
        (None, Message),
    ],
    ids=repr,
)
def test_jms_290_body_decides_the_kind_of_message(body: object, kind: type[Message]) -> None:
    message = message_for(body)

    assert type(message) is kind
    assert message.body == (body or None if kind is not TextMessage else body)


@pytest.mark.parametrize(
    ("body_type", "kind"),
    [(str, TextMessage), (bytes, BytesMessage), (dict, MapMessage), (object, ObjectMessage), (list, ObjectMessage)],
)
def test_jms_290_type_decides_where_there_is_no_body(body_type: type, kind: type[Message]) -> None:
    message = message_for(None, body_type)

    assert type(message) is kind
    assert message.body is None


def test_dict_can_be_sent_as_an_object() -> None:
    message = message_for({"a": [1]}, object)

    assert isinstance(message, ObjectMessage)
    assert message.body == {"a": [1]}


def test_message_is_taken_as_it_is() -> None:
    message = TextMessage("x")

    assert message_for(message) is message


@pytest.mark.parametrize("body", [{"a": [1]}, {"a": object()}, object()], ids=repr)
def test_jms_291_value_that_jms_does_not_have_is_refused(body: object) -> None:
    with pytest.raises(MessageFormatException):
        message_for(body)


@pytest.mark.parametrize(("body", "body_type"), [("x", bytes), (b"x", str), ("x", dict)])
def test_body_that_is_not_of_its_type_is_refused(body: object, body_type: type) -> None:
    with pytest.raises(MessageFormatException):
        message_for(body, body_type)


def foreign(**attributes: object) -> SimpleNamespace:
    """Return what another library's message looks like."""
    properties = {"qty": 5, "colour": "red"}
    return SimpleNamespace(
        jms_message_id=None,
        jms_correlation_id="c",
        jms_reply_to=Queue("a"),
        jms_type="t",
        property_names=iter(properties),
        get_object_property=properties.get,
        **attributes,
    )


def stream(*values: object) -> StreamMessage:
    message = StreamMessage()
    for value in values:
        message.write_object(value)
    return message


def only(message: Message, *names: str) -> dict[str, object]:
    """Return some attributes of a message, to be those of another library's."""
    return {name: getattr(message, name) for name in names}


@pytest.mark.parametrize(
    ("attributes", "kind", "body"),
    [
        ({"text": "x"}, TextMessage, "x"),
        ({"text": None}, TextMessage, None),
        ({"map_names": iter(["a"]), "get_object": {"a": Short(1)}.get}, MapMessage, {"a": 1}),
        ({"object": [1]}, ObjectMessage, [1]),
        (only(bytes_message(b"abc"), "read_utf", "read_bytes", "body_length", "reset"), BytesMessage, b"abc"),
        (only(stream(1, b"x"), "read_object", "reset"), StreamMessage, [1, b"x"]),
        ({}, Message, None),
    ],
)
def test_jms_073_message_of_another_library_is_copied_whole(
    attributes: dict[str, object], kind: type[Message], body: object
) -> None:
    message = copy_of(foreign(**attributes))

    assert type(message) is kind
    assert message.body == body
    assert dict(message.properties) == {"qty": 5, "colour": "red"}
    assert (message.jms_correlation_id, message.jms_reply_to, message.jms_type) == ("c", Queue("a"), "t")


@pytest.mark.parametrize("value", [None, 5, object()], ids=repr)
def test_what_is_no_message_is_refused(value: object) -> None:
    with pytest.raises(MessageFormatException):
        copy_of(value)

"""Messages made of something else: of plain Python values, and of messages of another library."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from jms_api.exceptions import MessageEOFException, MessageFormatException
from jms_api.messages.bytes import BytesMessage
from jms_api.messages.map import MapMessage
from jms_api.messages.message import Message
from jms_api.messages.object import ObjectMessage
from jms_api.messages.stream import StreamMessage
from jms_api.messages.text import TextMessage
from jms_api.objects import ObjectCodec

_JSON: Final = ObjectCodec()

#: The kind of message for a type of body, in the order they are tried; any other type makes an ObjectMessage.
_KINDS: Final[Mapping[type, type[Message]]] = {
    str: TextMessage,
    bytes: BytesMessage,
    bytearray: BytesMessage,
    memoryview: BytesMessage,
    Mapping: MapMessage,
}


def message_for(body: object, body_type: type | None = None, codec: ObjectCodec = _JSON) -> Message:
    """Return a message with a body, as `JMSProducer.send` makes it (JMS-290, JMS-291).

    Args:
        body: A `str`, `bytes`, mapping, or another object; None makes a message without a body.
        body_type: The kind of message that None makes: `str`, `bytes`, `dict` or `object`; or `object` for an
            ObjectMessage in any case. None for what the body itself says, and for None a plain Message.
        codec: Encodes objects.

    Raises:
        MessageFormatException: The body cannot be sent.
    """
    if isinstance(body, Message):
        return body
    if body is None and body_type is None:
        return Message()
    wanted = body_type or type(body)
    kind = ObjectMessage if wanted is object else _kind_for(wanted)
    if kind is TextMessage:
        return TextMessage(body)  # type: ignore[arg-type]  # it checks that itself
    if kind is ObjectMessage:
        return ObjectMessage(body, codec)
    if kind is MapMessage:
        return _map_of({} if body is None else body)
    octets = BytesMessage()
    octets.write_bytes(b"" if body is None else body)  # type: ignore[arg-type]  # see above
    return octets


def _kind_for(body_type: type) -> type[Message]:
    return next((kind for base, kind in _KINDS.items() if issubclass(body_type, base)), ObjectMessage)


def _map_of(entries: object) -> MapMessage:
    if not isinstance(entries, Mapping):
        raise MessageFormatException(f"A map is needed, not an object of the type {type(entries).__name__}.")
    message = MapMessage()
    for name, value in entries.items():
        message.set_object(name, value)
    return message


def copy_of(message: object, codec: ObjectCodec = _JSON) -> Message:
    """Return a message of ours with what a message of another library has (JMS-073).

    Such a message is one that has the attributes of one of the six kinds. Its header fields, properties and body are
    copied; a bytes or stream message is read from its beginning and reset again. The codec encodes objects.

    Raises:
        MessageFormatException: It is no message.
    """
    copy = _copy_body(message, codec)
    for name in ("jms_correlation_id", "jms_reply_to", "jms_type"):
        setattr(copy, name, getattr(message, name, None))
    for name in _names(message, "property_names"):
        copy.set_object_property(name, message.get_object_property(name))  # type: ignore[attr-defined]
    return copy


def _copy_body(message: object, codec: ObjectCodec) -> Message:
    if hasattr(message, "text"):
        return TextMessage(message.text)
    if hasattr(message, "map_names"):
        return _map_of({name: message.get_object(name) for name in _names(message, "map_names")})  # type: ignore[attr-defined]
    if hasattr(message, "read_utf"):
        octets = BytesMessage()
        message.reset()  # type: ignore[attr-defined]
        octets.write_bytes(message.read_bytes(message.body_length))  # type: ignore[attr-defined]
        message.reset()  # type: ignore[attr-defined]
        return octets
    if hasattr(message, "read_object"):
        return _copy_stream(message)
    if hasattr(message, "object"):
        return ObjectMessage(message.object, codec)
    if hasattr(message, "jms_message_id"):
        return Message()
    raise MessageFormatException(f"An object of the type {type(message).__name__} is no message.")


def _copy_stream(message: object) -> StreamMessage:
    copied = StreamMessage()
    message.reset()  # type: ignore[attr-defined]
    try:
        while True:
            copied.write_object(message.read_object())  # type: ignore[attr-defined]
    except MessageEOFException:
        message.reset()  # type: ignore[attr-defined]
    return copied


def _names(message: object, attribute: str) -> list[str]:
    return list(getattr(message, attribute, ()))

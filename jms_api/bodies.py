"""The bodies of messages as octets, and back; knows nothing of frames."""

from __future__ import annotations

import base64
import binascii
import json
from enum import Enum
from math import isfinite
from typing import Final, NamedTuple, final

from jms_api.conversions import parse_float, parse_integer, shortest_double, to_text
from jms_api.exceptions import MessageFormatException, NumberFormatException
from jms_api.messages.bytes import BytesMessage
from jms_api.messages.map import MapMessage
from jms_api.messages.message import Message
from jms_api.messages.object import ObjectMessage
from jms_api.messages.stream import StreamMessage
from jms_api.messages.text import TextMessage
from jms_api.objects import JSON_TYPE, ObjectCodec, decode_json, dump_json
from jms_api.primitives import Float, Value, ValueType, as_value, check, type_of
from jms_api.properties import Malformed

TEXT_TYPE: Final = "text/plain;charset=utf-8"
OCTETS_TYPE: Final = "application/octet-stream"


class BodyKind(Enum):
    """The six kinds of messages; the value is what stands for it on the wire."""

    TEXT = "text"
    BYTES = "bytes"
    MAP = "map"
    STREAM = "stream"
    OBJECT = "object"
    NONE = "none"


@final
class Body(NamedTuple):
    """A body as it travels."""

    kind: BodyKind
    octets: bytes = b""
    media_type: str = ""
    #: JSON: the types that the JSON of a map or stream does not tell; empty if it tells all.
    types: str = ""
    #: Whether a text or object is null.
    is_null: bool = False


def encode_body(message: Message) -> Body:
    """Return the body of a message as it travels.

    Raises:
        MessageFormatException: It was received and cannot be decoded.
    """
    match message:
        case TextMessage():
            text = message.text
            return Body(BodyKind.TEXT, (text or "").encode(), TEXT_TYPE, is_null=text is None)
        case BytesMessage():
            return Body(BodyKind.BYTES, bytes(message), OCTETS_TYPE)
        case MapMessage():
            return _encode_map(message)
        case StreamMessage():
            return _encode_stream(message)
        case ObjectMessage():
            content_type, octets = message.encoded or (JSON_TYPE, b"")
            return Body(BodyKind.OBJECT, octets, content_type, is_null=message.encoded is None)
        case _:
            return Body(BodyKind.NONE)


def _encode_map(message: MapMessage) -> Body:
    pairs = {name: _to_json(value) for name, value in message.items()}
    codes = {name: code for name, (_, code) in pairs.items() if code}
    octets = dump_json({name: value for name, (value, _) in pairs.items()})
    return Body(BodyKind.MAP, octets, JSON_TYPE, json.dumps(codes, separators=(",", ":")) if codes else "")


def _encode_stream(message: StreamMessage) -> Body:
    pairs = [_to_json(value) for value in message.body]
    codes = [code for _, code in pairs]
    octets = dump_json([value for value, _ in pairs])
    return Body(BodyKind.STREAM, octets, JSON_TYPE, json.dumps(codes, separators=(",", ":")) if any(codes) else "")


def _to_json(value: Value) -> tuple[object, str | None]:
    """Return what stands for a value in JSON, and the code of its type unless that tells it."""
    value_type = type_of(value)
    match value:
        case float():
            code = ValueType.FLOAT.value if isinstance(value, Float) else None
            if not isfinite(value):
                return to_text(value), value_type.value
            return shortest_double(value) if code else value, code
        case bytes():
            return base64.b64encode(value).decode(), value_type.value
        case _:
            has_default = value is None or type(value) in (bool, int, str)
            return value, None if has_default else value_type.value


def decode_body(body: Body, codec: ObjectCodec) -> Message:
    """Return a message with a body that was received.

    What cannot be decoded of single values makes an error where they are read, and an object where that is read.

    Raises:
        MessageFormatException: The body as a whole is not of its kind.
    """
    match body.kind:
        case BodyKind.TEXT:
            return _decode_text(body)
        case BodyKind.BYTES:
            return bytes_message(body.octets)
        case BodyKind.MAP:
            return _decode_map(body)
        case BodyKind.STREAM:
            return _decode_stream(body)
        case BodyKind.OBJECT:
            message = ObjectMessage(codec=codec)
            message.encoded = None if body.is_null else (body.media_type or JSON_TYPE, body.octets)
            return message
        case _:
            if body.octets:
                raise MessageFormatException("There is a body where none should be.")
            return Message()


def bytes_message(octets: bytes) -> BytesMessage:
    """Return a message with these octets, which can be read."""
    message = BytesMessage()
    message.write_bytes(octets)
    message.reset()
    return message


def map_message(entries: dict[str, Value | Malformed]) -> MapMessage:
    """Return a message with these entries, which are kept and not copied."""
    message = MapMessage()
    message._entries = entries
    return message


def text_message(text: str) -> TextMessage:
    """Return a message with a text that was decoded, so it needs no check."""
    message = TextMessage()
    message._text = text
    return message


def _decode_text(body: Body) -> TextMessage:
    if body.is_null and not body.octets:
        return TextMessage()
    try:
        return text_message(body.octets.decode())
    except UnicodeDecodeError as error:
        raise MessageFormatException(f"The text is no UTF-8: {error.reason}.") from error


def _decode_map(body: Body) -> MapMessage:
    values = decode_json(body.octets)
    codes = decode_json(body.types.encode()) if body.types else {}
    if not isinstance(values, dict) or not isinstance(codes, dict) or "" in values:
        raise MessageFormatException("The body or its types are no JSON object of a map.")
    return map_message({name: _from_json(value, codes.get(name)) for name, value in values.items()})


def _decode_stream(body: Body) -> StreamMessage:
    values = decode_json(body.octets)
    codes = decode_json(body.types.encode()) if body.types else [None] * len(values) if isinstance(values, list) else []
    if not isinstance(values, list) or not isinstance(codes, list) or len(values) != len(codes):
        raise MessageFormatException("The body or its types are no JSON array of a stream, or of different lengths.")
    message = StreamMessage()
    message._values = list(map(_from_json, values, codes))
    message.reset()
    return message


def _from_json(value: object, code: object) -> Value | Malformed:
    """Return the value that JSON and a code stand for.

    Raises:
        MessageFormatException: JMS has no such values, such as lists within maps.
    """
    if code is None:
        return as_value(value)
    try:
        value_type = ValueType(code)
        if value_type is ValueType.BYTES:
            return base64.b64decode(str(check(value, ValueType.STRING)), validate=True)
        if value_type is ValueType.NULL:
            return None
        is_spelled = isinstance(value, str) and value_type in (ValueType.FLOAT, ValueType.DOUBLE)
        return check(parse_float(str(value)) if is_spelled else value, value_type)
    except (MessageFormatException, NumberFormatException, binascii.Error, ValueError) as error:
        return Malformed(str(error))


def decode_property(text: str, code: str) -> Value | Malformed:
    """Return the value of a property from its text and the code of its type.

    A `+b` behind the code says that the text is in base64.
    """
    base = code.removesuffix("+b")
    try:
        plain = text if base is code else base64.b64decode(text, validate=True).decode()
        return _read_as(plain, ValueType(base))
    except (MessageFormatException, ValueError) as error:
        return Malformed(str(error), text, code)


def _read_as(text: str, value_type: ValueType) -> Value:
    match value_type:
        case ValueType.STRING:
            return text
        case ValueType.BOOLEAN if text in ("true", "false"):
            return text == "true"
        case ValueType.BYTE | ValueType.SHORT | ValueType.INT | ValueType.LONG:
            return check(parse_integer(text, value_type), value_type)
        case ValueType.FLOAT | ValueType.DOUBLE:
            return check(parse_float(text), value_type)
        case _:
            raise MessageFormatException(f"{text[:60]!r} is no {value_type.name.lower()}")

"""The bodies of clients that know nothing of `jms_api`: what kind of message they make best."""

from __future__ import annotations

import base64
import codecs
from collections.abc import Iterator
from typing import Final
from xml.etree import ElementTree

from jms_api.bodies import bytes_message, map_message
from jms_api.conversions import convert
from jms_api.exceptions import MessageFormatException
from jms_api.messages.map import MapMessage
from jms_api.messages.message import Message
from jms_api.messages.text import TextMessage
from jms_api.objects import decode_json
from jms_api.primitives import Value, ValueType, check

#: Media types that are text though they do not begin with `text/`.
_TEXTS: Final = frozenset({"application/json", "application/xml", "application/javascript", "application/yaml"})
_TEXT_SUFFIXES: Final = ("+json", "+xml")

#: Encodings of text, by the names Python has for them; the others it knows are not all harmless.
_CHARSETS: Final = frozenset(
    [
        "utf-8",
        "utf-8-sig",
        "ascii",
        "utf-16",
        "utf-16-le",
        "utf-16-be",
        "utf-32",
        "iso8859-1",
        "iso8859-2",
        "iso8859-5",
        "iso8859-9",
        "iso8859-15",
        "cp1250",
        "cp1251",
        "cp1252",
        "koi8-r",
        "shift_jis",
        "euc_jp",
        "gb2312",
        "gbk",
        "gb18030",
        "big5",
        "euc_kr",
    ]
)

_MAP_TRANSFORMATION: Final = "jms-map-"

#: What ActiveMQ calls the types of values in a map.
_XSTREAM_TYPES: Final = {
    "string": ValueType.STRING,
    "int": ValueType.INT,
    "long": ValueType.LONG,
    "short": ValueType.SHORT,
    "byte": ValueType.BYTE,
    "boolean": ValueType.BOOLEAN,
    "float": ValueType.FLOAT,
    "double": ValueType.DOUBLE,
    "char": ValueType.CHAR,
    "byte-array": ValueType.BYTES,
    "null": ValueType.NULL,
}


def decode_foreign(octets: bytes, content_type: str, transformation: str = "", *, is_text: bool) -> Message:
    """Return the message that a body makes best (JMS-074). It never raises: any body makes a BytesMessage.

    Args:
        octets: The body.
        content_type: With its parameters; empty if it is not known.
        transformation: What ActiveMQ says that it made of a Java client's message.
        is_text: Whether a body without a content type is a text if it can be one.
    """
    if transformation.startswith(_MAP_TRANSFORMATION) and (message := _decode_map(octets)) is not None:
        return message
    media_type, charset = _parse_content_type(content_type)
    if media_type:
        is_text = bool(charset) or media_type in _TEXTS or media_type.startswith("text/")
        is_text = is_text or media_type.endswith(_TEXT_SUFFIXES)
    text = _decode_text(octets, charset or "utf-8") if is_text else None
    if text is None or (not media_type and "\0" in text):
        # Octets that read as text by chance have a NUL somewhere more often than texts do.
        return bytes_message(octets)
    return TextMessage(text)


def _parse_content_type(content_type: str) -> tuple[str, str]:
    """Return a media type and a charset; either may be empty."""
    media_type, *parameters = content_type.lower().split(";")
    pairs = (parameter.partition("=") for parameter in parameters)
    charset = next((value.strip(" \"'") for name, _, value in pairs if name.strip() == "charset"), "")
    return media_type.strip(), charset


def _decode_text(octets: bytes, charset: str) -> str | None:
    try:
        name = codecs.lookup(charset).name
        text = octets.decode(name) if name in _CHARSETS else None
        return None if text is None else TextMessage(text).text
    except (LookupError, ValueError, MessageFormatException):
        return None


def _decode_map(octets: bytes) -> MapMessage | None:
    """Return the map that ActiveMQ wrote as JSON or XML; None if it is none."""
    try:
        pairs = list(_read_xml(octets) if octets.lstrip().startswith(b"<") else _read_json(octets))
        return map_message({str(check(name, ValueType.STRING)): value for name, value in pairs if name})
    except (KeyError, TypeError, ValueError, MessageFormatException, ElementTree.ParseError):
        return None


def _read_json(octets: bytes) -> Iterator[tuple[str, Value]]:
    """Give out the entries of `{"map":{"entry":[{"string":"qty","int":5},{"string":["sku","bolt"]}]}}`."""
    root = decode_json(octets)
    if not isinstance(root, dict) or not isinstance(root["map"], dict):
        raise TypeError("no map")
    entries = root["map"].get("entry", [])
    for entry in entries if isinstance(entries, list) else [entries]:
        both = entry["string"]
        if isinstance(both, list):
            name, value = both
            yield str(name), str(value)
        else:
            ((kind, value),) = [(kind, value) for kind, value in entry.items() if kind != "string"]
            yield str(both), _to_value(kind, str(value).lower() if isinstance(value, bool) else str(value))


def _read_xml(octets: bytes) -> Iterator[tuple[str, Value]]:
    """Give out the entries of `<map><entry><string>qty</string><int>5</int></entry></map>`."""
    if b"<!" in octets:
        # A document type could define entities that grow without bounds.
        raise ValueError("a document type")
    for entry in ElementTree.fromstring(octets):
        name, value = entry
        yield name.text or "", _to_value(value.tag, value.text or "")


def _to_value(kind: str, text: str) -> Value:
    """Return the value that ActiveMQ wrote as text."""
    value_type = _XSTREAM_TYPES[kind]
    match value_type:
        case ValueType.NULL:
            return None
        case ValueType.BYTES:
            return base64.b64decode(text)
        case ValueType.CHAR | ValueType.STRING:
            return check(text, value_type)
        case _:
            return check(convert(text, value_type), value_type)

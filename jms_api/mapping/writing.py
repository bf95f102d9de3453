"""What send decides about a message, and the headers and the body of its SEND frame."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import NamedTuple, final

from jms_api.bodies import BodyKind, encode_body
from jms_api.constants import DeliveryMode
from jms_api.conversions import to_text
from jms_api.destinations import Destination
from jms_api.exceptions import UnsupportedOperationException
from jms_api.mapping.names import TYPES_HEADER, header_of
from jms_api.mapping.spelling import spell
from jms_api.messages.message import Message
from jms_api.primitives import Value, ValueType, type_of
from jms_api.profiles import Profile
from jms_api.properties import Malformed, MessageProperties


@final
class Stamp(NamedTuple):
    """What a call of send decides about a message. Times are in milliseconds."""

    destination: Destination
    delivery_mode: DeliveryMode
    priority: int
    #: 0 for ever.
    time_to_live: int
    delivery_delay: int
    #: When send was called, since the epoch (JMS-010, JMS-011).
    now: int
    #: `ID:` and what tells it from all others; None where ids are disabled (JMS-009).
    message_id: str | None
    #: False where timestamps are disabled (JMS-012).
    has_timestamp: bool = True


def stamp(message: Message, said: Stamp) -> None:
    """Set the header fields that send decides (JMS-002), on a message of ours or of another library."""
    timestamp = said.now if said.has_timestamp else 0
    expiration = said.now + said.time_to_live if said.time_to_live else 0
    if isinstance(message, Message):
        message._read_rest()
        # Without the checks of the fields: what send says was checked.
        message._stamp = said
        message._jms_destination = said.destination
        message._jms_delivery_mode = said.delivery_mode
        message._jms_priority = said.priority
        message._jms_message_id = said.message_id
        message._jms_timestamp = timestamp
        message._jms_expiration = expiration
        message._jms_delivery_time = said.now + said.delivery_delay
        return
    message.jms_destination = said.destination
    message.jms_delivery_mode = said.delivery_mode
    message.jms_priority = said.priority
    message.jms_message_id = said.message_id
    message.jms_timestamp = timestamp
    message.jms_expiration = expiration
    message.jms_delivery_time = said.now + said.delivery_delay


def to_frame_parts(message: Message, profile: Profile) -> tuple[dict[str, str], bytes]:
    """Return the headers and the body of the SEND frame of a stamped message.

    What belongs to the frame is not among them: destination, transaction, receipt, content-length.

    Raises:
        MessageFormatException: The message was received with a body that cannot be decoded.
        UnsupportedOperationException: The broker cannot carry it.
    """
    message._read_rest()
    headers: dict[str, str] = {}
    _write_fields(headers, message, profile)
    body = encode_body(message)
    headers["jms-body"] = body.kind.value
    if body.media_type:
        headers["content-type"] = body.media_type
    if body.types:
        headers["jms-body-types"] = body.types
    if body.is_null:
        headers["jms-body-null"] = "true"
    if profile.counts_octets and body.kind is BodyKind.TEXT and b"\0" in body.octets:
        _keep_text(headers, profile)
    _write_properties(headers, message.properties)
    return headers, body.octets


def needs_length(headers: Mapping[str, str], profile: Profile) -> bool:
    """Whether the SEND frame of these headers is to have `content-length`.

    ActiveMQ and Artemis take a body that has it for octets, so a text goes without.
    """
    return not profile.counts_octets or headers.get("jms-body") != BodyKind.TEXT.value or "amq-msg-type" in headers


def _keep_text(headers: dict[str, str], profile: Profile) -> None:
    """Say that a body is a text though it has a length, which it needs because of a NUL in it."""
    if profile.kind_headers:
        raise UnsupportedOperationException("Artemis takes a text with a NUL for octets; send a BytesMessage.")
    headers["amq-msg-type"] = "text"


def _write_fields(headers: dict[str, str], message: Message, profile: Profile) -> None:
    said = message._stamp
    headers["persistent"] = "true" if message._jms_delivery_mode is DeliveryMode.PERSISTENT else "false"
    headers["priority"] = str(message._jms_priority)
    if message._jms_message_id is not None:
        # Without the colon, which would have to be escaped and unescaped at every step of the way.
        headers["jms-message-id"] = message._jms_message_id.removeprefix("ID:")
    if message._jms_timestamp:
        headers["timestamp"] = str(message._jms_timestamp)
    if message._jms_expiration:
        _write_expiry(headers, message._jms_expiration, said, profile)
    if message._jms_delivery_time != message._jms_timestamp:
        headers["jms-delivery-time"] = str(message._jms_delivery_time)
    if said and said.delivery_delay:
        headers[profile.delay_header] = str(said.delivery_delay)
    if message._jms_reply_to is not None:
        headers["reply-to"] = spell(message._jms_reply_to, profile)
    quoted = [
        name
        for name, text in (("correlation-id", message._jms_correlation_id), ("type", message._jms_type))
        if text is not None and _write_text(headers, name, text)
    ]
    if quoted:
        headers["jms-base64"] = ",".join(quoted)


def _write_expiry(headers: dict[str, str], expiration: int, said: Stamp | None, profile: Profile) -> None:
    if profile.has_relative_expiry and said:
        headers["expiration"] = str(said.time_to_live)
        headers["jms-expiration"] = str(expiration)
    else:
        headers["expires"] = str(expiration)


def _write_text(headers: dict[str, str], name: str, text: str) -> bool:
    """Write a header; return whether that took base64, since no header can have a NUL."""
    is_quoted = "\0" in text
    headers[name] = base64.b64encode(text.encode()).decode() if is_quoted else text
    return is_quoted


def _write_properties(headers: dict[str, str], properties: MessageProperties) -> None:
    codes: list[str] = []
    for name, value in properties.raw_items():
        header = header_of(name)
        if header is not None and (code := _write_property(headers, header, value)):
            codes.append(f"{name}={code}")
    headers[TYPES_HEADER] = ",".join(codes)


def _write_property(headers: dict[str, str], header: str, value: Value | Malformed) -> str:
    """Write a property; return the code of its type, empty for a String as it stands."""
    if value is None:
        return ValueType.NULL.value
    if isinstance(value, Malformed):
        headers[header] = value.text
        return value.code
    value_type = type_of(value)
    is_quoted = _write_text(headers, header, to_text(value))
    if is_quoted:
        return f"{value_type.value}+b"
    return "" if value_type is ValueType.STRING else value_type.value

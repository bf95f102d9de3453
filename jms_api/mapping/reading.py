"""The message that a MESSAGE frame brings, whoever sent it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Final

from jms_api.bodies import Body, BodyKind, decode_body, decode_property, text_message
from jms_api.constants import DEFAULT_PRIORITY, HIGHEST_PRIORITY, DeliveryMode
from jms_api.exceptions import MessageFormatException
from jms_api.foreign import decode_foreign
from jms_api.mapping.names import TYPES_HEADER, property_of
from jms_api.mapping.spelling import read_destination
from jms_api.messages.message import Message
from jms_api.objects import ObjectCodec
from jms_api.primitives import Value
from jms_api.profiles import Profile
from jms_api.properties import Malformed, MessageProperties

#: JMS properties that are integers even where nobody told types.
_INTEGERS: Final = {"JMSXGroupSeq": "I", "JMSXRcvTimestamp": "J"}

_DIGITS: Final = re.compile(r"[0-9]{1,19}")
_DEFAULT_CODEC: Final = ObjectCodec()
_TEXT: Final = BodyKind.TEXT.value
_KINDS: Final[dict[str | None, BodyKind]] = {kind.value: kind for kind in BodyKind}


def from_frame(
    headers: Mapping[str, str],
    body: bytes,
    profile: Profile,
    codec: ObjectCodec = _DEFAULT_CODEC,
    redeliveries: int = 0,
) -> Message:
    """Return the message that a MESSAGE frame brings, read-only and not yet tied to a session.

    It never raises. A body that is not what it claims to be becomes a TextMessage or BytesMessage, and a value that
    cannot be decoded raises MessageFormatException where it is read.

    Args:
        headers: The frame's.
        body: The frame's.
        profile: The broker's.
        codec: Decodes objects.
        redeliveries: How often the session has delivered it before, beyond what the broker knows.
    """
    message = _read_body(headers, body, profile, codec)
    message._is_body_read_only = True
    message._reader = partial(_read_rest, headers, profile, redeliveries)
    return message


def _read_rest(headers: Mapping[str, str], profile: Profile, redeliveries: int, message: Message) -> None:
    _read_fields(message, headers, profile)
    _read_delivery(message, headers, redeliveries)


def _read_body(headers: Mapping[str, str], octets: bytes, profile: Profile, codec: ObjectCodec) -> Message:
    name = headers.get("jms-body")
    if name == _TEXT and octets:
        try:
            return text_message(octets.decode())
        except UnicodeDecodeError:
            return decode_foreign(octets, "", is_text=True)  # as below
    if name in _KINDS:
        is_null = headers.get("jms-body-null") == "true" and not octets
        media_type = headers.get("content-type", "")
        try:
            return decode_body(
                Body(_KINDS[name], octets, media_type, headers.get("jms-body-types", ""), is_null), codec
            )
        except MessageFormatException:
            # The next best reading is better than a message lost.
            return decode_foreign(octets, "", is_text=True)
    is_text = profile.is_untyped_text or "content-length" not in headers
    if told := headers.get("amq-msg-type"):
        is_text = told == "text"
    return decode_foreign(octets, headers.get("content-type", ""), headers.get("transformation", ""), is_text=is_text)


def _read_fields(message: Message, headers: Mapping[str, str], profile: Profile) -> None:
    # Set without the checks of the fields: what a header can say is always right.
    message._jms_destination = read_destination(headers.get("destination"), profile)
    message._jms_reply_to = read_destination(headers.get("reply-to"), profile)
    is_persistent = headers.get("persistent", "").lower() == "true"
    message._jms_delivery_mode = DeliveryMode.PERSISTENT if is_persistent else DeliveryMode.NON_PERSISTENT
    priority = _number(headers.get("priority"))
    message._jms_priority = DEFAULT_PRIORITY if priority is None else min(priority, HIGHEST_PRIORITY)
    # stompd keeps the sender's time beside its own.
    message._jms_timestamp = _number(headers.get("sender-timestamp")) or _number(headers.get("timestamp")) or 0
    message._jms_expiration = _number(headers.get("jms-expiration")) or _number(headers.get("expires")) or 0
    message._jms_delivery_time = _number(headers.get("jms-delivery-time")) or message._jms_timestamp
    message._jms_message_id = _read_id(headers.get("jms-message-id") or headers.get("message-id"))
    quoted = headers.get("jms-base64", "").split(",")
    message._jms_correlation_id = _read_text(headers.get("correlation-id"), is_quoted="correlation-id" in quoted)
    message._jms_type = _read_text(headers.get("type"), is_quoted="type" in quoted)


def _read_id(text: str | None) -> str | None:
    # JMS-006: every id begins so.
    return text if not text or text.startswith("ID:") else f"ID:{text}"


def _read_text(text: str | None, *, is_quoted: bool) -> str | None:
    if text is None or not is_quoted:
        return text
    decoded = decode_property(text, "T+b")
    return decoded if isinstance(decoded, str) else text


def _number(text: str | None) -> int | None:
    """Return what a header of digits says; None for anything else."""
    return int(text) if text and _DIGITS.fullmatch(text) else None


def _read_delivery(message: Message, headers: Mapping[str, str], redeliveries: int) -> None:
    """Read what may differ from one delivery to the next, and the properties."""
    is_redelivered = headers.get("redelivered", "").lower() == "true"
    values, message._is_typed = _read_properties(headers)
    count = _number(headers.get("JMSXDeliveryCount"))
    if count is None and (returned := _number(headers.get("x-delivery-count"))) is not None:
        count = returned + 1
    message._jms_redelivered = is_redelivered or redeliveries > 0
    # JMS-019: whoever says redelivered says at least 2.
    values["JMSXDeliveryCount"] = max(count or 1, 2 if is_redelivered else 1) + redeliveries
    message._properties = MessageProperties(values, is_read_only=True)


def _read_properties(headers: Mapping[str, str]) -> tuple[dict[str, Value | Malformed], bool]:
    """Return the properties of a frame, and whether their types were told."""
    told = headers.get(TYPES_HEADER)
    codes = _read_codes(told) if told else {}
    # A property that is null has no header.
    values: dict[str, Value | Malformed] = dict.fromkeys(name for name, code in codes.items() if code == "N")
    for header, text in headers.items():
        name = property_of(header)
        if not name:
            continue
        if name in codes:
            values[name] = decode_property(text, codes[name])
        elif name in _INTEGERS and isinstance(number := decode_property(text, _INTEGERS[name]), int):
            values[name] = number
        else:
            values[name] = text
    return values, told is not None


def _read_codes(text: str) -> dict[str, str]:
    """Return the code of each property that is no String: `age=I,ok=Z`. What names no type is not there."""
    entries = (entry.strip(" ").rpartition("=") for entry in text.split(","))
    return {name: code for name, equals, code in entries if name and equals}

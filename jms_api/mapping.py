"""Messages to the headers and bodies of STOMP frames, and back: the only module that knows those headers.

Every property is a header of its own with the value as text, so that any client can read it; `jms-prop-types` says
which ones are not Strings. Everything else that only JMS knows is in headers that begin with `jms-`, which no property
can be called. What a client sends that knows nothing of all this is read as well as it can be.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from functools import partial
from typing import Final, NamedTuple, final
from urllib.parse import quote, unquote

from jms_api.bodies import Body, BodyKind, decode_body, decode_property, encode_body
from jms_api.constants import DEFAULT_PRIORITY, DeliveryMode
from jms_api.destinations import Destination, Queue, TemporaryQueue, TemporaryTopic, Topic
from jms_api.exceptions import MessageFormatException, UnsupportedOperationException
from jms_api.foreign import decode_foreign
from jms_api.messages.message import Message
from jms_api.objects import ObjectCodec
from jms_api.primitives import Value, ValueType, to_text, type_of
from jms_api.profiles import Profile
from jms_api.properties import Malformed, MessageProperties
from stompd.selector.evaluate import Selector
from stompd.selector.values import Value as SelectorValue

TYPES_HEADER: Final = "jms-prop-types"
_RENAMED_PREFIX: Final = "jms-p-"
_OURS: Final = "jms-"

#: Headers of a MESSAGE frame that are no properties: STOMP's own, those that header fields of JMS travel in, and those
#: that brokers put there.
FIELD_HEADERS: Final = frozenset(
    [
        "destination",
        "message-id",
        "subscription",
        "ack",
        "content-type",
        "content-length",
        "receipt",
        "transaction",
        "persistent",
        "priority",
        "expires",
        "timestamp",
        "sender-timestamp",
        "redelivered",
        "correlation-id",
        "reply-to",
        "type",
        "transformation",
        "amq-msg-type",
        "expiration",
        "AMQ_SCHEDULED_DELAY",
        "destination-type",
        "subscription-type",
    ]
)

#: Names that a property may have but a header of SEND should not, because some broker gives them a meaning.
COLLIDING_NAMES: Final = FIELD_HEADERS | frozenset(
    [
        "id",
        "selector",
        "session",
        "version",
        "host",
        "login",
        "passcode",
        "server",
        "message",
        "browser",
        "shared",
        "durable",
        "ttl",
        "delay",
        "retain",
        "mandatory",
        "message_group",
        "requeue",
        "undelivered",
        "exclusive",
        "retroactive",
        "credit",
        "prefetch",
        "no_local",
        "heart_beat",
    ]
)
_COLLIDING_PREFIXES: Final = ("AMQ_", "_AMQ_", "_HQ_")

#: JMS-071: of the names that JMS keeps for itself, a sender sets these; the others are the broker's.
_SENT_JMS_NAMES: Final = frozenset({"JMSXGroupID", "JMSXGroupSeq"})
_VENDOR_PREFIX: Final = "JMS_"

#: JMS properties that are integers even where nobody told types.
_INTEGERS: Final = {"JMSXGroupSeq": "I", "JMSXRcvTimestamp": "J"}

#: What brokers make of the temporary queues of others; such names go back as they came.
_REPLY_PREFIXES: Final[Mapping[str, type[Destination]]] = {
    "/reply-queue/": TemporaryQueue,
    "/remote-temp-queue/": TemporaryQueue,
    "/remote-temp-topic/": TemporaryTopic,
}

_SPELLINGS: Final[Mapping[str, type[Destination]]] = {
    **_REPLY_PREFIXES,
    "/temp-queue/": TemporaryQueue,
    "/temp-topic/": TemporaryTopic,
    "temp-queue://": TemporaryQueue,
    "temp-topic://": TemporaryTopic,
    "/queue/": Queue,
    "/topic/": Topic,
    "queue://": Queue,
    "topic://": Topic,
}

_DIGITS: Final = re.compile(r"[0-9]{1,19}")
_DEFAULT_CODEC: Final = ObjectCodec()


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
    message.jms_destination = said.destination
    message.jms_delivery_mode = said.delivery_mode
    message.jms_priority = said.priority
    message.jms_message_id = said.message_id
    message.jms_timestamp = said.now if said.has_timestamp else 0
    message.jms_expiration = said.now + said.time_to_live if said.time_to_live else 0
    message.jms_delivery_time = said.now + said.delivery_delay
    if isinstance(message, Message):
        message._stamp = said


def to_frame_parts(message: Message, profile: Profile) -> tuple[dict[str, str], bytes]:
    """Return the headers and the body of the SEND frame of a stamped message.

    What belongs to the frame is not among them: destination, transaction, receipt, content-length.

    Raises:
        MessageFormatException: The message was received with a body that cannot be decoded.
        UnsupportedOperationException: The broker cannot carry it.
    """
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
    headers["persistent"] = "true" if message.jms_delivery_mode is DeliveryMode.PERSISTENT else "false"
    headers["priority"] = str(message.jms_priority)
    if message.jms_message_id is not None:
        headers["jms-message-id"] = message.jms_message_id
    if message.jms_timestamp:
        headers["timestamp"] = str(message.jms_timestamp)
    if message.jms_expiration:
        _write_expiry(headers, message.jms_expiration, said, profile)
    if message.jms_delivery_time != message.jms_timestamp:
        headers["jms-delivery-time"] = str(message.jms_delivery_time)
    if said and said.delivery_delay:
        headers[profile.delay_header] = str(said.delivery_delay)
    if message.jms_reply_to is not None:
        headers["reply-to"] = spell(message.jms_reply_to, profile)
    quoted = [
        name
        for name, text in (("correlation-id", message.jms_correlation_id), ("type", message.jms_type))
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
        if name.startswith("JMS") and not name.startswith(_VENDOR_PREFIX) and name not in _SENT_JMS_NAMES:
            continue
        is_renamed = name in COLLIDING_NAMES or name.startswith(_COLLIDING_PREFIXES)
        header = f"{_RENAMED_PREFIX}{name}" if is_renamed else name
        if code := _write_property(headers, header, value):
            codes.append(f"{name}={code}")
    # Its presence alone says that the message is typed.
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
    _read_fields(message, headers, profile)
    _read_delivery(message, headers, redeliveries)
    return message


def _read_body(headers: Mapping[str, str], octets: bytes, profile: Profile, codec: ObjectCodec) -> Message:
    name = headers.get("jms-body")
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


_KINDS: Final[dict[str | None, BodyKind]] = {kind.value: kind for kind in BodyKind}


def _read_fields(message: Message, headers: Mapping[str, str], profile: Profile) -> None:
    # Set without the checks of the fields: what a header can say is always right.
    message._jms_destination = read_destination(headers.get("destination"), profile)
    message._jms_reply_to = read_destination(headers.get("reply-to"), profile)
    is_persistent = headers.get("persistent", "").lower() == "true"
    message._jms_delivery_mode = DeliveryMode.PERSISTENT if is_persistent else DeliveryMode.NON_PERSISTENT
    priority = _number(headers.get("priority"))
    message._jms_priority = DEFAULT_PRIORITY if priority is None else priority
    # stompd keeps the sender's time beside its own.
    message._jms_timestamp = _number(headers.get("sender-timestamp")) or _number(headers.get("timestamp")) or 0
    message._jms_expiration = _number(headers.get("jms-expiration")) or _number(headers.get("expires")) or 0
    message._jms_delivery_time = _number(headers.get("jms-delivery-time")) or message._jms_timestamp
    message_id = headers.get("jms-message-id")
    message._jms_message_id = (
        f"ID:{headers['message-id']}" if not message_id and "message-id" in headers else message_id
    )
    quoted = headers.get("jms-base64", "").split(",")
    message._jms_correlation_id = _read_text(headers.get("correlation-id"), is_quoted="correlation-id" in quoted)
    message._jms_type = _read_text(headers.get("type"), is_quoted="type" in quoted)


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
        name = header.removeprefix(_RENAMED_PREFIX)
        if name is header and (header in FIELD_HEADERS or header.startswith(_OURS) or _is_of_jms(header)):
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


def _is_of_jms(name: str) -> bool:
    """Whether a name is kept by JMS for itself, and for no property."""
    return name.startswith("JMS") and not name.startswith(("JMSX", _VENDOR_PREFIX))


def spell(destination: Destination, profile: Profile) -> str:
    """Return a destination as a broker spells it."""
    name = destination.name
    if name.startswith("/"):
        return name
    if profile.quotes_slashes:
        name = quote(name, safe="")
    return next(prefix for kind, prefix in profile.prefixes.items() if isinstance(destination, kind)) + name


def destination_headers(destination: Destination, profile: Profile, *, is_subscription: bool = False) -> dict[str, str]:
    """Return the headers that name the destination of a SEND, or of a SUBSCRIBE."""
    headers = {"destination": spell(destination, profile)}
    if profile.kind_headers:
        kind = "MULTICAST" if isinstance(destination, Topic) else "ANYCAST"
        headers["subscription-type" if is_subscription else "destination-type"] = kind
    return headers


def read_destination(text: str | None, profile: Profile) -> Destination | None:
    """Return the destination that a header names; None if there is none.

    What is spelled as no broker spells it becomes a queue, so that it is at least shown.
    """
    if not text:
        return None
    for prefix, kind in _SPELLINGS.items():
        if text.startswith(prefix):
            name = text[len(prefix) :]
            if profile.quotes_slashes:
                name = unquote(name)
            # A name that begins with a slash is the broker's own spelling, as is that of another's temporary queue.
            return kind(text if prefix in _REPLY_PREFIXES or not name or name.startswith("/") else name)
    return Queue(text)


def selector_value(message: Message, name: str) -> SelectorValue:
    """Return what a selector sees of a message under a name (JMS-137 to JMS-144); None if there is nothing."""
    match name:
        case "JMSDeliveryMode":
            return message.jms_delivery_mode.name
        case "JMSPriority":
            return message.jms_priority
        case "JMSMessageID":
            return message.jms_message_id
        case "JMSTimestamp":
            return message.jms_timestamp
        case "JMSCorrelationID":
            return message.jms_correlation_id
        case "JMSType":
            return message.jms_type
    value = message.properties.raw(name)
    # Of the classes of numbers, selectors know the plain ones.
    match value:
        case bool() | None:
            return value
        case int():
            return int(value)
        case float():
            return float(value)
        case str():
            return value
        case _:
            return None


def is_selected(selector: Selector, message: Message) -> bool:
    """Whether a selector selects a message. It never raises."""
    return selector.matches(partial(selector_value, message), is_typed=message._is_typed)

"""What a selector sees of a message."""

from __future__ import annotations

from functools import partial
from struct import Struct

from stompd.broker.message import Message
from stompd.selector.evaluate import Selector
from stompd.selector.nodes import STANDARD_HEADERS
from stompd.selector.values import Value

#: The header in which a sender says which of its properties are not strings: `age=I,ok=Z`.
TYPES_HEADER = "jms-prop-types"

#: What senders call a property whose name has a meaning of its own in STOMP.
RENAMED_PREFIX = "jms-p-"

_INTEGERS = frozenset("BSIJ")
_FLOATS = frozenset("FD")
_SINGLE = Struct("<f")


def is_selected(selector: Selector, message: Message, delivery_count: int = 0) -> bool:
    """Whether a selector selects a message that has been delivered so many times.

    A message whose sender told the types of its properties is judged by them (JMS 3.1, 3.8.1.1), any other one by how
    its headers read.
    """
    headers = message.headers
    if TYPES_HEADER in headers:
        types = _read_types(headers[TYPES_HEADER])
        return selector.matches(partial(_look_up_typed, message, delivery_count, types), is_typed=True)
    if selector.identifiers.isdisjoint(STANDARD_HEADERS):
        return selector.matches(headers.get)
    return selector.matches(partial(_look_up, message, delivery_count))


def _look_up(message: Message, delivery_count: int, name: str) -> Value:
    if name not in STANDARD_HEADERS:
        return message.headers.get(name)
    match name:
        case "JMSDeliveryMode":
            return "PERSISTENT" if message.is_persistent else "NON_PERSISTENT"
        case "JMSPriority":
            return message.priority
        case "JMSTimestamp":
            return message.timestamp_ms
        case "JMSMessageID":
            # JMS 3.1, 3.4.3: every id begins so; a sender may save it on the wire.
            said = message.headers.get("jms-message-id") or str(message.message_id)
            return said if said.startswith("ID:") else f"ID:{said}"
        case "JMSXDeliveryCount":
            return delivery_count + 1
        case "JMSXGroupSeq":
            return _to_integer(message.headers.get(name))
    return message.headers.get(STANDARD_HEADERS[name])


def _look_up_typed(message: Message, delivery_count: int, types: dict[str, str], name: str) -> Value:
    if name in STANDARD_HEADERS:
        return _look_up(message, delivery_count, name)
    text = message.headers.get(f"{RENAMED_PREFIX}{name}") or message.headers.get(name)
    code = types.get(name)
    if text is None or code is None:
        return text
    if code in _INTEGERS:
        return _to_integer(text)
    if code in _FLOATS:
        return _to_float(text, is_single=code == "F")
    return text == "true" if code == "Z" else text


def _read_types(text: str) -> dict[str, str]:
    """Return the type of each property that is not a string; what cannot be read counts as one."""
    return {name: code for name, _, code in (entry.strip(" ").partition("=") for entry in text.split(",")) if code}


def _to_integer(text: str | None) -> int | None:
    digits = (text or "").removeprefix("-")
    return int(text) if text and len(digits) <= 19 and digits.isascii() and digits.isdigit() else None


def _to_float(text: str, *, is_single: bool) -> float | None:
    try:
        number = float(text)
        # JMS 3.1, 3.8.1.1, by Java's rule: a float is widened to double when the two meet.
        return float(_SINGLE.unpack(_SINGLE.pack(number))[0]) if is_single else number
    except (ValueError, OverflowError):
        return None

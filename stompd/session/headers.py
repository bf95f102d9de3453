"""The headers of frames: their aliases, what their values mean, and which of them are the broker's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from stompd.broker.cron import parse_cron
from stompd.broker.destination import MAX_NAME_LENGTH
from stompd.broker.groups import GROUP_HEADER, SEQUENCE_HEADER
from stompd.broker.matching import TYPES_HEADER
from stompd.broker.message import HIGHEST_PRIORITY, LOWEST_PRIORITY, Message, Retain, Wishes
from stompd.broker.requests import PLAIN, Rejection
from stompd.broker.schedule import CRON, PERIOD, REPEAT
from stompd.errors import InvalidHeader, MissingHeader

#: The largest integer that every store keeps.
HIGHEST_INTEGER = 2**63 - 1

#: JMS 3.1, 3.5.10: JMSXGroupSeq is an int.
_HIGHEST_SEQUENCE = 2**31 - 1

#: Characters of a header's name or value that are repeated to its sender.
_SHOWN_LENGTH = 80

#: The longest delay, in milliseconds: ten years, more than anybody waits for.
LONGEST_DELAY_MS = 10 * 365 * 24 * 60 * 60 * 1000

#: Characters by which a sender may tell its messages from each other; well within what every database can index.
LONGEST_DEDUP_ID: Final = 255

#: The words for yes, in lower case; and those for no, of which an empty one is one where a header may say nothing.
TRUE: Final = frozenset({"true", "1", "yes"})
_FALSE: Final = frozenset({"false", "0", "no"})
OFF: Final = _FALSE | {""}


def show(name: str, value: str) -> str:
    """Return a header as it is quoted in an error: bounded, however long it is."""
    if len(value) > _SHOWN_LENGTH:
        value = f"{value[:_SHOWN_LENGTH]}..."
    return f"{name}:{value}"


def missing(command: str, header: str, example: str) -> MissingHeader:
    """Return the error for a frame without a header that it needs."""
    return MissingHeader(f"{command} needs the header {header}, for example {header}:{example}")


def invalid(name: str, value: str, accepted: str) -> InvalidHeader:
    """Return the error for a value that cannot be used; `accepted` says which ones can, with an example."""
    return InvalidHeader(f"{show(name, value)} cannot be used. Accepted is {accepted}.")


def parse_boolean(name: str, value: str) -> bool:
    """Return what a boolean header says.

    Raises:
        InvalidHeader: It is none of true, false, 1, 0, yes and no, in any case.
    """
    word = value.lower()
    if word in TRUE:
        return True
    if word in _FALSE:
        return False
    raise invalid(name, value, f"true, false, 1, 0, yes or no, for example {name}:true")


def parse_integer(name: str, value: str, lowest: int, highest: int, example: int) -> int:
    """Return what an integer header says.

    Raises:
        InvalidHeader: It is not a decimal number, or not between the bounds.
    """
    # int() alone would also take signs, spaces, underscores, other scripts' digits, and thousands of them.
    digits = value.removeprefix("-") if lowest < 0 else value
    if digits.isascii() and digits.isdigit() and len(digits) <= 19 and lowest <= int(value) <= highest:
        return int(value)
    raise invalid(name, value, f"a number from {lowest} to {highest}, for example {name}:{example}")


_PREFETCH_NAMES = ("prefetch-count", "activemq.prefetchSize", "prefetch", "consumer.prefetchSize", "credit")
_HIGHEST_PREFETCH = 2**31 - 1


def read_prefetch(headers: Mapping[str, str]) -> int | None:
    """Return how many deliveries a SUBSCRIBE wants outstanding: None when it does not say, 0 for as many as it can get.

    Raises:
        InvalidHeader: The value is not a number.
    """
    for name in _PREFETCH_NAMES:
        value = headers.get(name)
        if not value:
            continue
        # Apollo's credit is count[,bytes]; the bytes are read with the other terms.
        count = value.partition(",")[0] if name == "credit" else value
        return parse_integer(name, count, 0, _HIGHEST_PREFETCH, 10)
    return None


def read_rejection(headers: Mapping[str, str]) -> Rejection:
    """Return what a NACK wants; an empty value wants nothing.

    Raises:
        InvalidHeader: A value cannot be used.
    """
    requeue, delay, undelivered = (headers.get(name, "") for name in ("requeue", "delay", "undelivered"))
    if not (requeue or delay or undelivered):
        return PLAIN
    return Rejection(
        requeue=not requeue or parse_boolean("requeue", requeue),
        delay_ms=parse_integer("delay", delay, 0, LONGEST_DELAY_MS, 60_000) if delay else None,
        is_undelivered=bool(undelivered) and parse_boolean("undelivered", undelivered),
    )


#: Sets what a header of a SEND says; it has been taken out of the message's own headers.
Meaning: TypeAlias = Callable[[Message, str, str, float], None]


def _put(message: Message, name: str, value: str) -> None:
    """Let a message have a header, whoever shares its others."""
    message.headers = {**message.headers, name: value}


def _set_persistent(message: Message, name: str, value: str, now: float) -> None:
    message.is_persistent = parse_boolean(name, value)


def _set_priority(message: Message, name: str, value: str, now: float) -> None:
    message.priority = parse_integer(name, value, LOWEST_PRIORITY, HIGHEST_PRIORITY, 7)


def _set_expiry(message: Message, name: str, value: str, now: float) -> None:
    _expire(message, parse_integer(name, value, 0, HIGHEST_INTEGER, 1_900_000_000_000))


def _set_lifetime(message: Message, name: str, value: str, now: float) -> None:
    lifetime_ms = parse_integer(name, value, 0, HIGHEST_INTEGER, 60_000)
    if lifetime_ms:
        _expire(message, min(int(now * 1000) + lifetime_ms, HIGHEST_INTEGER))


def _delay(message: Message, name: str, value: str, now: float) -> None:
    delay_ms = parse_integer(name, value, 0, LONGEST_DELAY_MS, 60_000)
    if delay_ms:
        _postpone(message, int(now * 1000) + delay_ms)


def _schedule(message: Message, name: str, value: str, now: float) -> None:
    now_ms = int(now * 1000)
    due_ms = parse_integer(name, value, 0, now_ms + LONGEST_DELAY_MS, 1_900_000_000_000)
    if due_ms > now_ms:
        _postpone(message, due_ms)


def _postpone(message: Message, due_ms: int) -> None:
    """Let a message wait until then, unless it has to wait longer."""
    message.due_ms = max(message.due_ms, due_ms)


def _expire(message: Message, at_ms: int) -> None:
    """Let a message expire, unless it does so earlier; 0 means never."""
    if at_ms and (not message.expires_ms or at_ms < message.expires_ms):
        message.expires_ms = at_ms


def _set_dedup_id(message: Message, name: str, value: str, now: float) -> None:
    if len(value) > LONGEST_DEDUP_ID:
        raise invalid(name, value, f"a text of at most {LONGEST_DEDUP_ID} characters, for example {name}:order-4711")
    _put(message, name, value)
    if value:
        _wishes(message).dedup_id = value


def _set_last_value_key(message: Message, name: str, value: str, now: float) -> None:
    _put(message, name, value)
    if value:
        # Under this name the store finds it again.
        _put(message, "last-value-key", value)
        _wishes(message).last_value_key = value


def _set_retain(message: Message, name: str, value: str, now: float) -> None:
    word = value.lower()
    if word == "set" or word in TRUE:
        _wishes(message).retain = Retain.SET
    elif word == "remove":
        _wishes(message).retain = Retain.REMOVE
    elif word not in OFF:
        raise invalid(name, value, "set, remove, true or false, for example retain:set")


#: Other spellings of what says when a message is sent again.
_SCHEDULE_NAMES: Final = {"AMQ_SCHEDULED_PERIOD": PERIOD, "AMQ_SCHEDULED_REPEAT": REPEAT, "AMQ_SCHEDULED_CRON": CRON}


def _keep_schedule(message: Message, name: str, value: str, now: float) -> None:
    """Note a part of the schedule, which counts once all parts are there."""
    if not value:
        return
    canonical = _SCHEDULE_NAMES.get(name, name)
    if canonical == PERIOD:
        parse_integer(name, value, 1, LONGEST_DELAY_MS, 60_000)
    elif canonical == REPEAT:
        value = str(parse_integer(name, value, -1, HIGHEST_INTEGER, 3))
    else:
        _check_cron(name, value, now)
    _put(message, canonical, value)
    _wishes(message).is_repeated = True


def _check_cron(name: str, value: str, now: float) -> None:
    try:
        is_possible = parse_cron(value).next_ms(int(now * 1000)) > 0
    except ValueError as error:
        raise InvalidHeader(
            f"{show(name, value)} cannot be used, since {error}. Accepted are five fields: minute, hour, day, month and"
            f" weekday, in UTC, for example {name}:0 8 * * MON-FRI"
        ) from None
    if not is_possible:
        raise invalid(name, value, f"a time that comes, for example {name}:0 8 * * MON-FRI")


def _check_schedule(headers: Mapping[str, str]) -> None:
    """Refuse a schedule of which a part is missing, or of which two parts say different things."""
    if CRON in headers and (PERIOD in headers or REPEAT in headers):
        raise InvalidHeader(f"{CRON} and {PERIOD} or {REPEAT} on one frame contradict each other. Leave one out.")
    if (PERIOD in headers) is not (REPEAT in headers):
        raise InvalidHeader(
            f"{PERIOD} and {REPEAT} (AMQ_SCHEDULED_PERIOD and AMQ_SCHEDULED_REPEAT) go together, for example"
            f" {PERIOD}:60000 and {REPEAT}:3; {REPEAT}:-1 is without end."
        )


def _wishes(message: Message) -> Wishes:
    if message.wishes is None:
        message.wishes = Wishes()
    return message.wishes


def _keep_message_id(message: Message, name: str, value: str, now: float) -> None:
    _put(message, "original-message-id", value)


def _keep_timestamp(message: Message, name: str, value: str, now: float) -> None:
    _put(message, "sender-timestamp", value)


def _keep(message: Message, name: str, value: str, now: float) -> None:
    """Leave the header to the receiver; that it is there is enough."""
    _put(message, name, value)


def _keep_browser(message: Message, name: str, value: str, now: float) -> None:
    if value == "end":
        # Who browses would take the message for the end.
        raise invalid(name, value, "any other value on SEND: this one is what the broker says when all was shown")
    _put(message, name, value)


def _keep_body_kind(message: Message, name: str, value: str, now: float) -> None:
    if value.lower() not in ("", "text", "bytes"):
        raise invalid(name, value, f"text or bytes, for example {name}:text")
    _put(message, name, value.lower())


def _set_group(message: Message, name: str, value: str, now: float) -> None:
    if len(value) > MAX_NAME_LENGTH:
        raise invalid(name, value, f"a name of at most {MAX_NAME_LENGTH} characters, for example {name}:order-4711")
    _put(message, name, value)
    if value:
        # Whatever it is called, selectors and consumers find it where JMS has it.
        _put(message, GROUP_HEADER, message.headers.get(GROUP_HEADER, value))


def _keep_sequence(message: Message, name: str, value: str, now: float) -> None:
    if value:
        parse_integer(name, value, -_HIGHEST_SEQUENCE - 1, _HIGHEST_SEQUENCE, 1)
    _put(message, name, value)


def _drop(message: Message, name: str, value: str, now: float) -> None:
    """Do nothing: the header is the broker's, and what a client says there reaches nobody."""


#: The headers of a SEND that mean something here. STOMP 1.2 "SEND": all others are user-defined and passed on.
MEANINGS: Mapping[str, Meaning] = {
    "persistent": _set_persistent,
    "priority": _set_priority,
    "expires": _set_expiry,
    "JMSExpiration": _set_expiry,
    "ttl": _set_lifetime,
    "expiration": _set_lifetime,
    "x-message-ttl": _set_lifetime,
    "delay": _delay,
    "x-delay": _delay,
    "AMQ_SCHEDULED_DELAY": _delay,
    "AMQ_SCHEDULED_TIME": _schedule,
    "_AMQ_SCHED_DELIVERY": _schedule,
    "dedup-id": _set_dedup_id,
    "_AMQ_DUPL_ID": _set_dedup_id,
    "last-value-key": _set_last_value_key,
    "_AMQ_LVQ_NAME": _set_last_value_key,
    "retain": _set_retain,
    "schedule-period": _keep_schedule,
    "AMQ_SCHEDULED_PERIOD": _keep_schedule,
    "schedule-repeat": _keep_schedule,
    "AMQ_SCHEDULED_REPEAT": _keep_schedule,
    "schedule-cron": _keep_schedule,
    "AMQ_SCHEDULED_CRON": _keep_schedule,
    # STOMP 1.2 "Repeated Header Entries" lets the first one win, so a sender's entry must never stand for ours.
    "message-id": _keep_message_id,
    "timestamp": _keep_timestamp,
    "reply-to": _keep,
    "browser": _keep_browser,
    "amq-msg-type": _keep_body_kind,
    GROUP_HEADER: _set_group,
    "JMSXGroupId": _set_group,
    "message_group": _set_group,
    "_AMQ_GROUP_ID": _set_group,
    SEQUENCE_HEADER: _keep_sequence,
    "subscription": _drop,
    "ack": _drop,
    "redelivered": _drop,
    "receipt-id": _drop,
    "JMSXDeliveryCount": _drop,
    "JMSXUserID": _drop,
    "original-destination": _drop,
    "dlq-reason": _drop,
    "dlq-detail": _drop,
    "dlq-time": _drop,
    "dlq-delivery-count": _drop,
    "dlq-message-id": _drop,
    "retained": _drop,
    "original-message-id": _drop,
    "sender-timestamp": _drop,
    **dict.fromkeys(("seq", "scheduledJobId", "scheduled-at", "scheduled-destination"), _drop),
}


#: What the receiver sees nothing of, or says it otherwise: an empty value asks for nothing.
_CONSUMED: Final = frozenset({_set_persistent, _set_priority, _set_expiry, _set_lifetime, _delay, _schedule})

#: The headers of a SEND that only the broker may say, and that are dropped.
DROPPED: Final = frozenset(name for name, meaning in MEANINGS.items() if meaning is _drop)


def read_meanings(message: Message, now: float) -> None:
    """Take the headers that are not the sender's own out of a message, and do what they say.

    Raises:
        InvalidHeader: One of them has a value that cannot be used.
    """
    meant = {name: value for name, value in message.headers.items() if name in MEANINGS}
    if meant:
        message.headers = {name: value for name, value in message.headers.items() if name not in meant}
    for name, value in meant.items():
        meaning = MEANINGS[name]
        if value or meaning not in _CONSUMED:
            meaning(message, name, value, now)
    if message.wishes is not None and message.wishes.is_repeated:
        _check_schedule(message.headers)


#: The headers of a SEND that need a closer look; a frame that has none of them is read fast.
SEND_HEADERS: Final = frozenset(MEANINGS) | {"mandatory", TYPES_HEADER}

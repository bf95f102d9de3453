"""Advice on headers: which of a frame's do nothing, and why; so that none is silently ignored."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from stompd.broker.destination import Kind
from stompd.broker.groups import GROUP_HEADER, SEQUENCE_HEADER
from stompd.broker.requests import Request, Subscribe
from stompd.session.dialect import HEADERS, MEANT, ODD, ODD_PREFIXES, Header
from stompd.session.headers import DROPPED
from stompd.session.inspecting import ACTION, JOB
from stompd.session.terms import EXCLUSIVE_NAMES, PRIORITY_NAMES
from stompd.wire.frame import Frame

#: A frame may have a hundred headers; a `warning` speaks of so many, and counts the others.
_MOST_REMARKS = 8

#: Characters of a header's name that are repeated to its sender.
_SHOWN_LENGTH = 80

#: In shorter names only the case is looked at: too many of them are alike.
_SHORTEST_NAME = 5

#: Headers that senders have under similar names for themselves, and that change nothing.
_UNCOMPARED: Final = frozenset({"message-id", "timestamp", "type"})

#: Letters that are taken for each other.
_ALIKE: Final[Mapping[str, str]] = {
    **dict.fromkeys("aeiouy", "aeiouy"),
    "c": "k",
    "k": "c",
    "s": "z",
    "z": "s",
}


def _names(headers: tuple[Header, ...]) -> frozenset[str]:
    """Return all spellings of some headers."""
    return frozenset([name for header in headers for name in (header.name, *header.aliases)])


_KNOWN: Final[Mapping[str, frozenset[str]]] = {command: _names(headers) for command, headers in HEADERS.items()}


def _cases(name: str) -> Iterator[str]:
    """Give out a name in other cases."""
    yield from (name.lower(), name.upper(), name.title(), name.capitalize())
    yield from (name.replace("ID", "Id"), name.replace("ID", "id"))


def _joints(name: str) -> Iterator[str]:
    """Give out a name with other joints between its words, in every case."""
    words = name.replace("_", "-").split("-")
    bent = words[0] + "".join(word.title() for word in words[1:])
    for spelling in (name, name.replace("-", "_"), name.replace("_", "-"), "".join(words)):
        yield spelling
        yield from _cases(spelling)
    yield from (bent, bent[:1].upper() + bent[1:])


def _slips(name: str) -> Iterator[str]:
    """Give out a name with one letter missing, doubled, in the wrong place, or taken for another."""
    for at, letter in enumerate(name):
        before, after = name[:at], name[at + 1 :]
        yield before + after
        yield before + letter + letter + after
        yield before + after[:1] + letter + after[1:]
        for other in _ALIKE.get(letter.lower(), ""):
            yield before + (other.upper() if letter.isupper() else other) + after


def _meant(command: str) -> dict[str, str]:
    """Return what is meant by each name that looks like one of a command's headers and is none."""
    known = _KNOWN[command]
    compared = sorted(known - _UNCOMPARED)
    words = {slip: name for name in compared if len(name) >= _SHORTEST_NAME for slip in _slips(name)}
    words |= {spelling: name for name in compared for spelling in _joints(name)}
    words |= {spelling: name for word, name in MEANT.get(command, {}).items() for spelling in (word, *_joints(word))}
    return {word: name for word, name in words.items() if word not in known}


#: In which headers a SEND names its group.
_GROUP_NAMES: Final = _names(tuple([header for header in HEADERS["SEND"] if header.name == GROUP_HEADER]))

_MEANT: Final[Mapping[str, Mapping[str, str]]] = {command: _meant(command) for command in HEADERS}

#: Where headers belong, for those who put them elsewhere.
_HOMES: Final[Mapping[str, str]] = {
    name: command for command in ("NACK", "ACK", "CONNECT", "SUBSCRIBE", "SEND") for name in _KNOWN[command]
}


#: Headers of other frames that a sender hardly has for himself under the same name, beside those with a joint.
_PARTICULAR: Final = frozenset({"selector", "exclusive", "requeue", "client-id", "activemq.clientID", "accept-version"})


def _is_particular(name: str) -> bool:
    """Whether a header of SUBSCRIBE is called so that a sender hardly has one of his own of the same name."""
    return any(joint in name for joint in "-._")


#: STOMP 1.2 "SEND": its headers may be the sender's own, so only these are worth a word.
_ODD_SEND: Final[frozenset[str]] = DROPPED.union(
    {*_PARTICULAR, *filter(_is_particular, _KNOWN["SUBSCRIBE"]), *_MEANT["SEND"], *ODD["SEND"]} - _KNOWN["SEND"]
)

#: Those of a SEND that `advise` may have something to say about.
ODD_SEND_HEADERS: Final[frozenset[str]] = _ODD_SEND | {SEQUENCE_HEADER}

#: What belongs to those who take from one queue, and says nothing of a topic's own subscription.
_RANKS: Final = frozenset({*EXCLUSIVE_NAMES, *PRIORITY_NAMES})

#: Frames of which there is something to be said even if all their headers are known.
_MANIFOLD: Final = frozenset({"SEND", "SUBSCRIBE"})

#: Names of queues that look like ActiveMQ's for a group, and are queues like others.
_CONSUMER_QUEUE: Final = re.compile(r"Consumer\.[^.]+\.(?!VirtualTopic\..).+", re.DOTALL)


def advise(frame: Frame, request: Request | None = None) -> str:
    """Return what a client should know about the headers of a frame that was accepted; empty if they all count.

    `request` is what the frame asks for, where that is known.

    The text is one line of at most a thousand characters or so, names headers and no values, and has no colon of ours,
    since CONNECTED cannot escape one.
    """
    command = "CONNECT" if frame.command == "STOMP" else frame.command
    if command not in _MANIFOLD and not frame.body and frame.headers.keys() <= _KNOWN[command]:
        return ""
    remarks = _remarks_together(frame, request)
    for name, value in frame.headers.items():
        remark = _remark(command, name, value)
        if remark and not (name == JOB and ACTION in frame.headers):
            remarks.append(f"{_shorten(name)} {remark}")
    if frame.body and command != "SEND":
        # STOMP 1.2 "Body": only SEND, MESSAGE and ERROR have one.
        remarks.append(f"the body is ignored ({command} has none)")
    more = [f"and {len(remarks) - _MOST_REMARKS} more"] if len(remarks) > _MOST_REMARKS else []
    return "; ".join(remarks[:_MOST_REMARKS] + more)


def _remarks_together(frame: Frame, request: Request | None) -> list[str]:
    """Return what is to be said of headers that count only beside others, or elsewhere."""
    headers = frame.headers
    if frame.command == "SEND":
        is_alone = headers.get(SEQUENCE_HEADER) and not any(headers.get(name) for name in _GROUP_NAMES)
        return [f"{SEQUENCE_HEADER} has no effect (there is no {GROUP_HEADER})"] if is_alone else []
    if not isinstance(request, Subscribe):
        return []
    remarks = []
    terms = request.terms
    if request.destination.is_topic and request.naming is None and (terms.is_exclusive or terms.priority):
        names = [name for name in headers if name in _RANKS and headers[name]]
        remarks.append(f"{' and '.join(names)} without effect (each subscription of a topic gets everything)")
    if request.destination.kind is Kind.QUEUE and _CONSUMER_QUEUE.match(request.destination.name):
        remarks.append(
            "the destination is a queue like others (only Consumer.GROUP.VirtualTopic.NAME is a group of a topic, and"
            " subscription-group makes one of any topic)"
        )
    return remarks


def _remark(command: str, name: str, value: str) -> str:
    """Return what is to be said of one header, empty for one that counts."""
    is_send = command == "SEND"
    if is_send:
        if name in DROPPED:
            return "is dropped (only the broker says this)"
        if name not in _ODD_SEND:
            return ""
    elif name in _KNOWN[command]:
        return ""
    verb = "has no effect" if is_send else "is ignored"
    odd = ODD.get(command, {}).get(name)
    if odd is None:
        return f"{verb} ({_guess(command, name)})"
    return "" if value.lower() in odd.harmless else f"{verb} ({odd.reason})"


def _guess(command: str, name: str) -> str:
    """Return what may have been meant by a header that nobody knows here."""
    meant = _MEANT[command].get(name)
    if meant is not None:
        return f"did you mean {meant}?"
    home = _HOMES.get(name)
    if home is not None:
        return f"it belongs to {home}"
    for prefix, odd in ODD_PREFIXES.items():
        if name.startswith(prefix):
            return odd.reason
    return f"{command} has no such header"


def _shorten(name: str) -> str:
    return name if len(name) <= _SHOWN_LENGTH else f"{name[:_SHOWN_LENGTH]}..."

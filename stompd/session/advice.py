"""Advice on headers: which of a frame's do nothing, and why; so that none is silently ignored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from stompd.session.dialect import HEADERS, MEANT, ODD, ODD_PREFIXES, Header
from stompd.session.headers import DROPPED
from stompd.session.inspecting import ACTION, JOB
from stompd.wire.frame import Frame

#: A frame may have a hundred headers; a `warning` speaks of so many, and counts the others.
_MOST_REMARKS = 8

#: Characters of a header's name that are repeated to its sender.
_SHOWN_LENGTH = 80

#: Shorter names are not compared with others: too many of them are alike.
_SHORTEST_NAME = 5

#: Headers that senders have under similar names for themselves, and that change nothing.
_UNCOMPARED: Final = frozenset({"message-id", "timestamp"})

_VOWELS: Final = "aeiou"


def _names(headers: tuple[Header, ...]) -> frozenset[str]:
    """Return all spellings of some headers."""
    return frozenset([name for header in headers for name in (header.name, *header.aliases)])


_KNOWN: Final[Mapping[str, frozenset[str]]] = {command: _names(headers) for command, headers in HEADERS.items()}


def _spellings(name: str) -> Iterator[str]:
    """Give out what people write when they mean a header: other cases and joints, and slips of one letter."""
    words = name.replace("_", "-").split("-")
    yield from (name.lower(), name.upper(), name.title(), name.replace("-", "_"), name.replace("_", "-"))
    yield from ("".join(words), words[0] + "".join(word.title() for word in words[1:]))
    for at, letter in enumerate(name):
        before, after = name[:at], name[at + 1 :]
        yield before + after
        yield before + letter + letter + after
        yield before + after[:1] + letter + after[1:]
        if letter in _VOWELS:
            for vowel in _VOWELS:
                yield before + vowel + after


def _meant(command: str) -> dict[str, str]:
    """Return what is meant by each name that looks like one of a command's headers and is none."""
    known = _KNOWN[command]
    compared = [name for name in sorted(known - _UNCOMPARED) if len(name) >= _SHORTEST_NAME]
    slips = {spelling: name for name in compared for spelling in _spellings(name)}
    words = {**slips, **MEANT.get(command, {})}
    return {word: name for word, name in words.items() if word not in known}


_MEANT: Final[Mapping[str, Mapping[str, str]]] = {command: _meant(command) for command in HEADERS}

#: Where headers belong, for those who put them elsewhere.
_HOMES: Final[Mapping[str, str]] = {
    name: command for command in ("NACK", "ACK", "CONNECT", "SUBSCRIBE", "SEND") for name in _KNOWN[command]
}


def _is_particular(name: str) -> bool:
    """Whether a header is called so that a sender hardly has one of his own of the same name."""
    return name == "selector" or any(joint in name for joint in "-._")


#: STOMP 1.2 "SEND": its headers may be the sender's own, so only these are worth a word.
ODD_SEND_HEADERS: Final[frozenset[str]] = DROPPED.union(
    {*filter(_is_particular, _KNOWN["SUBSCRIBE"]), *_MEANT["SEND"], *ODD["SEND"]} - _KNOWN["SEND"]
)


def advise(frame: Frame) -> str:
    """Return what a client should know about the headers of a frame that was accepted; empty if they all count.

    The text is one line of at most a thousand characters or so, names headers and no values, and has no colon of ours,
    since CONNECTED cannot escape one.
    """
    command = "CONNECT" if frame.command == "STOMP" else frame.command
    if command != "SEND" and not frame.body and frame.headers.keys() <= _KNOWN[command]:
        return ""
    remarks = []
    for name, value in frame.headers.items():
        remark = _remark(command, name, value)
        if remark and not (name == JOB and ACTION in frame.headers):
            remarks.append(f"{_shorten(name)} {remark}")
    if frame.body and command != "SEND":
        # STOMP 1.2 "Body": only SEND, MESSAGE and ERROR have one.
        remarks.append(f"the body is ignored ({command} has none)")
    more = [f"and {len(remarks) - _MOST_REMARKS} more"] if len(remarks) > _MOST_REMARKS else []
    return "; ".join(remarks[:_MOST_REMARKS] + more)


def _remark(command: str, name: str, value: str) -> str:
    """Return what is to be said of one header, empty for one that counts."""
    is_send = command == "SEND"
    if is_send:
        if name in DROPPED:
            return "is dropped (only the broker says this)"
        if name not in ODD_SEND_HEADERS:
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

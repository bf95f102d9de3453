"""A frame reader and writer written from the specification alone, so that a mistake of the broker is not shared."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, final

#: Headers to send: a mapping, or pairs where a name is repeated or the order matters.
Headers: TypeAlias = "Mapping[str, str] | Sequence[tuple[str, str]]"

#: Frames that are neither escaped nor unescaped, in any version.
_LITERAL = frozenset({"CONNECT", "CONNECTED", "STOMP"})

_ENCODINGS: dict[str, dict[str, str]] = {
    "1.0": {},
    "1.1": {"\\": "\\\\", "\n": "\\n", ":": "\\c"},
    "1.2": {"\\": "\\\\", "\r": "\\r", "\n": "\\n", ":": "\\c"},
}

_DECODINGS = {
    version: {escape: octet for octet, escape in encodings.items()} for version, encodings in _ENCODINGS.items()
}


@final
@dataclass(frozen=True)
class RawFrame:
    """A frame as the broker wrote it."""

    command: str
    #: In the order of the wire, unescaped, repetitions included.
    headers: tuple[tuple[str, str], ...]
    body: bytes
    #: The octets of the header lines, as they were on the wire.
    header_lines: tuple[bytes, ...]

    def __getitem__(self, name: str) -> str:
        """The first header of that name."""
        value = self.get(name)
        assert value is not None, f"{self.command} has no header {name!r}: {self}"
        return value

    def __contains__(self, name: str) -> bool:
        return self.get(name) is not None

    def get(self, name: str) -> str | None:
        """The first header of that name, or None."""
        return next((value for own_name, value in self.headers if own_name == name), None)

    @property
    def names(self) -> list[str]:
        """The names of all headers, in the order of the wire."""
        return [name for name, _ in self.headers]

    def __str__(self) -> str:
        return f"{self.command} {dict(self.headers)} {self.body[:200]!r}"


@final
class FrameReader:
    """Cuts frames out of a stream of octets.

    Stricter than a client should be: lines end with LF and nothing else, every escape is defined, `content-length` is
    exact, and between frames there are EOLs only.
    """

    def __init__(self) -> None:
        self.version = "1.0"
        #: EOLs between frames so far: the ends of frames and the heart-beats.
        self.line_ends = 0
        self._received = bytearray()

    @property
    def rest(self) -> bytes:
        """What was received behind the last whole frame."""
        return bytes(self._received)

    def receive(self, octets: bytes) -> None:
        """Take octets from the connection."""
        self._received += octets

    def skip_line_ends(self) -> None:
        """Count and drop the EOLs in front of the next frame."""
        count = 0
        while self._received.startswith(b"\n", count):
            count += 1
        self.line_ends += count
        del self._received[:count]

    def next_frame(self) -> RawFrame | None:
        """Return the next frame, or None while it is not complete.

        Raises:
            AssertionError: The octets are not a frame.
        """
        self.skip_line_ends()
        end_of_head = self._received.find(b"\n\n")
        if end_of_head < 0:
            return None
        command, *lines = bytes(self._received[:end_of_head]).split(b"\n")
        assert re.fullmatch(rb"[A-Z]+", command), f"not a command: {command!r}"
        headers = tuple(self._header(command.decode(), line) for line in lines)
        start = end_of_head + 2
        end = self._end_of_body(start, headers)
        if end is None:
            return None
        body = bytes(self._received[start:end])
        assert self._received[end] == 0, f"no NUL behind the body of {command!r} {headers}"
        del self._received[: end + 1]
        return RawFrame(command.decode(), headers, body, tuple(lines))

    def _header(self, command: str, line: bytes) -> tuple[str, str]:
        # STOMP 1.0 has no escapes, and a colon may stand in a value of CONNECTED, which is never escaped.
        is_literal = command in _LITERAL or self.version == "1.0"
        assert line.count(b":") >= 1, f"a header line without a colon: {line!r}"
        assert is_literal or line.count(b":") == 1, f"a raw colon in a value: {line!r}"
        name, _, value = line.decode("utf-8").partition(":")
        assert name, f"a header without a name: {line!r}"
        return (name, value) if is_literal else (unescape(name, self.version), unescape(value, self.version))

    def _end_of_body(self, start: int, headers: Iterable[tuple[str, str]]) -> int | None:
        length = next((value for name, value in headers if name == "content-length"), None)
        if length is None:
            end = self._received.find(b"\0", start)
            return None if end < 0 else end
        assert re.fullmatch(r"\d+", length), f"content-length:{length}"
        return start + int(length) if len(self._received) > start + int(length) else None


def write_frame(command: str, headers: Headers = (), body: bytes = b"", *, version: str = "1.2") -> bytes:
    """Return a frame as octets; headers are escaped as the version demands, and none is added."""
    escaped_in = "1.0" if command in _LITERAL else version
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    lines = [command, *(f"{escape(name, escaped_in)}:{escape(value, escaped_in)}" for name, value in pairs)]
    return "".join(f"{line}\n" for line in lines).encode() + b"\n" + body + b"\0"


def escape(text: str, version: str) -> str:
    """Return a header's name or value as it stands on the wire."""
    return "".join(_ENCODINGS[version].get(character, character) for character in text)


def unescape(text: str, version: str) -> str:
    """Return what a name or value on the wire stands for.

    Raises:
        AssertionError: It contains an escape that the version does not define.
    """
    if version == "1.0":
        return text
    known = _DECODINGS[version]

    def decode(match: re.Match[str]) -> str:
        assert match[0] in known, f"an escape that STOMP {version} does not define: {match[0]!r} in {text!r}"
        return known[match[0]]

    return re.sub(r"\\(?:.|\Z)", decode, text, flags=re.DOTALL)

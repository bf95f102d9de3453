"""Frames that people type: HELP, and a NUL for keyboards that have none."""

from __future__ import annotations

from enum import Enum
from typing import final

#: Two characters, as terminals show a NUL.
_CARET_NUL = b"^@"

_HELP = b"HELP"

#: Octets of an unfinished line that are kept; more than people type.
_LONGEST_LINE = 8_192

_ANSWER = b"""\
This is a message broker. It speaks STOMP 1.0, 1.1 and 1.2: https://stomp.github.io
A frame is a command, headers, a blank line, perhaps a body, and a NUL (Ctrl-@).
From the broker's own machine, ^@ alone on a line is a NUL too. For example:

CONNECT
accept-version:1.2
host:localhost

^@
SUBSCRIBE
id:1
destination:/queue/hello

^@
SEND
destination:/queue/hello
receipt:1

Hello, world!
^@
DISCONNECT
receipt:2

^@

The other commands are UNSUBSCRIBE, ACK, NACK, BEGIN, COMMIT and ABORT.
""".replace(b"\n", b"\r\n")


class _Place(Enum):
    """Where in a frame the next line stands."""

    START = "start"
    HEAD = "head"
    BODY = "body"


@final
class Keyboard:
    r"""Turns lines that a person may have typed into octets of STOMP.

    Nothing is changed for programs: until a first frame was ended by a line `^@`, octets pass as they are, and once
    there was a NUL, that will never be. In a typed session `\r\n` is a line end everywhere, and the one in front of the
    line `^@` is no part of the body.
    """

    __slots__ = ("_held", "_is_in_line", "_is_local", "_is_typed", "_line_end", "_place", "answer", "is_over")

    def __init__(self, *, is_local: bool) -> None:
        """Begin before the first frame.

        Args:
            is_local: Whether the peer is on this machine; others have to send a NUL.
        """
        #: What is to be written now.
        self.answer = b""
        #: Whether nothing will be changed any more.
        self.is_over = False
        self._is_local = is_local
        self._is_typed = False
        self._place = _Place.START
        #: The beginning of a line that may turn out to mean something.
        self._held = bytearray()
        self._is_in_line = False
        #: Of the last line of a body; it belongs to that only if another line follows.
        self._line_end = b""

    def read(self, octets: bytes) -> bytes:
        """Return what octets mean in STOMP."""
        self.answer = b""
        self._held += octets
        taken = bytearray()
        while not self.is_over and (end := self._held.find(b"\n") + 1):
            line = bytes(self._held[:end])
            if 0 in line and not self._is_typed:
                break
            del self._held[:end]
            taken += self._take(line)
        self.is_over = self.is_over or (0 in self._held and not self._is_typed)
        if self._held and (self.is_over or not self._can_wait()):
            taken += self._held
            self._held.clear()
            self._is_in_line = True
        return bytes(taken)

    def _can_wait(self) -> bool:
        """Whether an unfinished line is kept until its end has come."""
        if self._is_typed:
            return len(self._held) <= _LONGEST_LINE
        line = bytes(self._held).upper()
        return not self._is_in_line and any((word + b"\r\n").startswith(line) for word in (_CARET_NUL, _HELP))

    def _take(self, line: bytes) -> bytes:
        is_whole, self._is_in_line = not self._is_in_line, False
        text = line.rstrip(b"\r\n")
        if is_whole and text == _CARET_NUL and self._is_local:
            self._is_typed = True
            self._place = _Place.START
            self._line_end = b""
            return b"\0\n"
        if is_whole and self._place is _Place.START and text.upper() == _HELP:
            self.answer = _ANSWER
            return b""
        return self._take_typed(text) if self._is_typed else self._take_unknown(line, text)

    def _take_unknown(self, line: bytes, text: bytes) -> bytes:
        """Take a line of the first frame."""
        if text:
            self._place = _Place.HEAD
            self.is_over = not self._is_local
        return line

    def _take_typed(self, text: bytes) -> bytes:
        if 0 in text:
            line_end, self._line_end, self._place = self._line_end, b"", _Place.START
            return line_end + text + b"\n"
        if self._place is _Place.BODY:
            line_end, self._line_end = self._line_end, b"\n"
            return line_end + text
        if text:
            self._place = _Place.HEAD
        elif self._place is _Place.HEAD:
            self._place = _Place.BODY
        return text + b"\n"

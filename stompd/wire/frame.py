"""The frame: one STOMP unit as a value, and the three versions it can be written in."""

from __future__ import annotations

from enum import Enum
from typing import final


class Version(Enum):
    """A version of the protocol; the value is what stands in `accept-version` and `version` headers."""

    V1_0 = "1.0"
    V1_1 = "1.1"
    V1_2 = "1.2"


_OPENING_COMMANDS = ("CONNECT", "STOMP")
_SESSION_COMMANDS = ("SEND", "SUBSCRIBE", "UNSUBSCRIBE", "ACK", "NACK", "BEGIN", "COMMIT", "ABORT", "DISCONNECT")
CLIENT_COMMANDS = _OPENING_COMMANDS + _SESSION_COMMANDS
SERVER_COMMANDS = ("CONNECTED", "MESSAGE", "RECEIPT", "ERROR")


@final
class Frame:
    """A command, its headers and its body, decoded.

    Headers are unescaped text; where a header was repeated, the first occurrence is the one kept
    (STOMP 1.2, "Repeated Header Entries"). The body is octets, without the terminating NUL.
    """

    __slots__ = ("body", "command", "form", "headers")

    def __init__(self, command: str, headers: dict[str, str], body: bytes = b"") -> None:
        self.command = command
        self.headers = headers
        self.body = body
        #: The very same object in frames of one connection that follow each other and differ in their receipts and
        #: bodies alone, so that what was found out about the first one holds for the others.
        self.form: object | None = None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Frame):
            return NotImplemented
        return (self.command, self.headers, self.body) == (other.command, other.headers, other.body)

    __hash__ = None  # type: ignore[assignment]  # a frame is mutable

    def __repr__(self) -> str:
        # Header values and bodies may be secrets; a frame in a log or a traceback shows neither.
        return f"<Frame {self.command} headers={sorted(self.headers)} body={len(self.body)} bytes>"

"""Octets to frames: incremental, bounded, for both roles and the three versions."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import final

from stompd.errors import FrameTooLarge, MalformedFrame, ProtocolError
from stompd.wire.escaping import NEVER_ESCAPED, unescape, unescape_headers
from stompd.wire.form import Forms
from stompd.wire.frame import CLIENT_COMMANDS, SERVER_COMMANDS, Frame, Version
from stompd.wire.limits import DEFAULT_LIMITS, FrameLimits

#: Looked up once, since Python 3.11 takes longer to find a member of an Enum than to split a header line.
_V1_0, _V1_1 = Version.V1_0, Version.V1_1

#: The first octet of a frame: neither a line end nor a stray NUL. A CR that ends what has arrived decides nothing yet.
_FRAME_BEGIN = re.compile(rb"[^\r\n\0]|\r[^\n]")

#: The end of the last header line and the blank line behind it. A blank line may hold one CR in every version:
#: STOMP 1.2 "Augmented BNF": EOL is [CR] LF; in 1.1 it could be nothing else than the end of the headers.
_BLANK_LINE = re.compile(rb"\n\r?\n")

_COMMAND = re.compile(rb"[^\r\n\0]*")
#: A frame that has one header and no body, as most that acknowledge have. Such a value means the same in all versions.
_SHORT_FRAME = re.compile(rb"(ACK|NACK|BEGIN|COMMIT|ABORT)\n(id|transaction):([!-9;-\[\]-~]{1,100})\n\n\0")

#: As many octets as can belong to an unfinished `_BLANK_LINE`.
_UNFINISHED_BLANK_LINE = 2

#: The highest octet that `_FRAME_BEGIN` may skip, a CR; commands begin with higher ones.
_LAST_SKIPPED = 13

#: What lies behind most command lines that are none.
_LENGTH_HINT = "Was content-length wrong on the previous frame? It counts octets, not characters."

#: As many characters of a wrong line as an ERROR quotes.
_QUOTED_CHARACTERS = 40


@final
class FrameParser:
    """Reads the frames of one connection out of the octets it is given.

    It holds no more than one unfinished frame and what was received behind it, so its memory is bounded by the limits
    and one received chunk as long as frames are taken until there are none. Its work is linear in the octets, however
    small the chunks are. Not thread-safe.

    Attributes:
        version: Which syntax the next frame is read in; None until one is negotiated, when only the frames that do so
            (CONNECT, STOMP, CONNECTED, ERROR) are expected and nothing is unescaped.
        limits: The bounds for the next frame: small before login, larger afterwards.
        stray_nuls: How many NULs between frames have been skipped.
    """

    __slots__ = (
        "_buffer",
        "_failure",
        "_forms",
        "_has_crlf",
        "_head",
        "_is_client",
        "_length",
        "_line_count",
        "_line_start",
        "_searched",
        "_start",
        "limits",
        "stray_nuls",
        "version",
    )

    def __init__(self, limits: FrameLimits = DEFAULT_LIMITS, *, is_client: bool = False) -> None:
        """Start before the first frame.

        Args:
            limits: The bounds for each frame.
            is_client: Whether the frames come from a server; then its four commands alone are accepted.
        """
        self.version: Version | None = None
        self.limits = limits
        self.stray_nuls = 0
        self._is_client = is_client
        self._failure: ProtocolError | None = None
        #: Whether the frame that negotiated the version ended its lines with CR and LF.
        self._has_crlf = False
        self._buffer = bytearray()
        #: Where the unread part of the buffer begins: a frame, or the body of the one whose head was read.
        self._start = 0
        #: The frame whose body is awaited, and its content-length.
        self._head: Frame | None = None
        self._length: int | None = None
        self._forms = Forms()
        #: From `_start`: the octets that were searched in vain for the end of the headers or of the body.
        self._searched = 0
        #: Of unfinished headers: how many lines are complete, and where from `_start` the next one begins.
        self._line_count = 0
        self._line_start = 0

    @property
    def buffered_bytes(self) -> int:
        """How many received octets have not been returned in a frame."""
        return len(self._buffer) - self._start

    @property
    def is_line_end_next(self) -> bool:
        """Whether a line end has arrived right behind the last frame, as from people who type their frames."""
        return self._start < len(self._buffer) and self._buffer[self._start] in b"\r\n"

    def receive_data(self, data: bytes) -> None:
        """Keep what was received; nothing is read before `next_frame`."""
        if self._failure is None:
            self._buffer += data

    def next_frame(self) -> Frame | None:
        """Return the next frame, or None if it has not arrived whole.

        An error is final: what follows cannot be read, so it is dropped, and every later call raises the same again.

        Raises:
            MalformedFrame: The octets are not a frame of this version.
            FrameTooLarge: A limit is exceeded.
        """
        if self._failure is not None:
            raise self._failure
        try:
            frame = self._read()
        except ProtocolError as failure:
            failure.detail = self._explain(failure)
            failure.receipt = self._readable_receipt()
            # A copy has no traceback, which would keep the octets at fault in memory as long as the parser.
            self._failure = type(failure)(failure.detail)
            self._failure.receipt = failure.receipt
            self._buffer.clear()
            self._start = 0
            raise
        if frame is None:
            # Only here, where at most one unfinished frame is left, so that taking many small frames moves nothing.
            del self._buffer[: self._start]
            self._start = 0
        return frame

    def _explain(self, failure: ProtocolError) -> str:
        """Return the detail of a failure; what does not begin like a frame is probably the end of a body."""
        if self._head is not None or self._is_client or _LENGTH_HINT in failure.detail:
            return failure.detail
        command = _COMMAND.match(self._buffer, self._start)
        is_known = command is not None and command[0].decode("latin-1") in CLIENT_COMMANDS
        return failure.detail if is_known or self.version is None else f"{failure.detail} {_LENGTH_HINT}"

    def _readable_receipt(self) -> str | None:
        """Return the receipt that a frame at fault asks for, if that much of it can be read."""
        if self._head is not None:
            return self._head.headers.get("receipt")
        longest = self.limits.header_line_bytes
        headers = self._buffer[self._start : self._start + longest]
        blank_line = _BLANK_LINE.search(headers)
        for line in headers[: blank_line and blank_line.start()].split(b"\n")[1:]:
            name, _, value = line.removesuffix(b"\r").partition(b":")
            if name == b"receipt":
                with suppress(UnicodeDecodeError, ProtocolError):
                    return unescape(value.decode(), self.version or _V1_0)
                return None
        return None

    def _read(self) -> Frame | None:
        """Return the next frame, or None if it has not arrived whole."""
        head = self._head
        if head is None:
            if not self._has_begun():
                return None
            short = self._read_short()
            if short is not None:
                return short
            head = self._read_head()
        return head and self._read_body(head)

    def _has_begun(self) -> bool:
        """Skip what may stand between frames; return whether the next one has begun."""
        buffer, start = self._buffer, self._start
        if start == len(buffer):
            return False
        if buffer[start] > _LAST_SKIPPED:
            return True
        begin = _FRAME_BEGIN.search(buffer, start)
        # STOMP 1.2 "Augmented BNF": any number of EOLs may follow the NUL. A NUL may not, but costs nothing to skip:
        # it ends no frame.
        end = begin.start() if begin else len(buffer) - buffer.endswith(b"\r")
        self.stray_nuls += buffer.count(0, start, end)
        self._start = end
        return begin is not None

    def _read_short(self) -> Frame | None:
        """Return the frame of one header that is next, and move behind it; None if it is another one, or not whole."""
        if self.version is None or self._is_client:
            return None
        found = _SHORT_FRAME.match(self._buffer, self._start)
        if found is None or found.end() - self._start > self.limits.header_line_bytes:
            return None
        command, name, value = found.groups()
        self._start = found.end()
        self._searched = self._line_count = self._line_start = 0
        return Frame(command.decode(), {name.decode(): value.decode()})

    def _read_head(self) -> Frame | None:
        """Return a frame that lacks its body, and move behind its blank line; None if that has not arrived."""
        buffer, start = self._buffer, self._start
        blank_line = _BLANK_LINE.search(buffer, start + max(0, self._searched - _UNFINISHED_BLANK_LINE))
        if blank_line is None:
            self._check_lines(len(buffer))
            self._searched = len(buffer) - start
            return None
        end, body_start = blank_line.span()
        self._head = frame = self._recall(end) or self._parse_lines(end)
        self._start = body_start
        self._searched = self._line_count = self._line_start = 0
        return frame

    def _recall(self, end: int) -> Frame | None:
        """Return the frame up to an offset in the buffer if it is a SEND like the one before it."""
        start = self._start
        is_short = end - start <= self.limits.header_line_bytes  # so that no line of it is too long
        if not (is_short and self.version and self._buffer.startswith(b"SEND\n", start)):
            return None
        form, receipt = self._forms.recognize(self._buffer[start:end])
        if form is None:
            return None
        if form.headers is None:
            frame = self._parse_lines(end)
            form.complete(frame.headers, self._length)
        else:
            frame, self._length = Frame("SEND", form.headers.copy()), form.length
            if receipt is not None:
                frame.headers["receipt"] = receipt
        frame.form = form
        return frame

    def _parse_lines(self, end: int) -> Frame:
        """Return the frame whose command and header lines reach to an offset in the buffer."""
        start, limits = self._start, self.limits
        text = self._decode(start, end)
        lines = text.split("\n")
        if (
            end - start > limits.header_line_bytes
            or len(lines) > limits.header_count + 1
            or len(lines[0]) > limits.command_bytes
            or not lines[0].isascii()
            or "\0" in text
        ):
            self._check_lines(end + 1)
        return self._parse_head(text, lines)

    def _decode(self, start: int, end: int) -> str:
        """Return the command and header lines as text."""
        try:
            # STOMP 1.2 "STOMP Frames": commands and headers are encoded in UTF-8. 1.0 says US-ASCII, which is a part.
            return self._buffer[start:end].decode()
        except UnicodeDecodeError as error:
            self._check_lines(end + 1)
            raise MalformedFrame(
                f"The octet at offset {error.start} of the frame is not UTF-8; commands and headers have to be."
            ) from None

    def _check_lines(self, stop: int) -> None:
        """Hold the lines of unfinished or doubtful headers to the limits, up to an offset in the buffer.

        It remembers how far it came and judges octets in their order, so the answer never depends on how they arrived.
        """
        buffer, limits, start = self._buffer, self.limits, self._start
        searched = start + self._searched
        line_start = start + self._line_start
        while True:
            line_end = buffer.find(b"\n", max(line_start, searched), stop)
            self._check_line(line_start, searched, stop if line_end < 0 else line_end)
            if line_end < 0:
                break
            self._line_count += 1
            if self._line_count > limits.header_count + 1:
                raise FrameTooLarge(
                    f"The frame has more than {limits.header_count} header lines (limits.header_count)."
                )
            line_start = line_end + 1
        self._line_start = line_start - start

    def _check_line(self, start: int, searched: int, end: int) -> None:
        """Hold one line to its limit; nothing from `end` on belongs to it, nothing before `searched` is new."""
        limits = self.limits
        longest = limits.header_line_bytes if self._line_count else limits.command_bytes
        # STOMP 1.2 "Augmented BNF": NUL is no part of a command or header, it ends the body.
        if self._buffer.find(0, max(start, searched), min(end, start + longest)) >= 0:
            raise MalformedFrame(
                "NUL before the blank line: was the blank line after the headers forgotten? It has to be there even "
                "when there is no body."
            )
        if end - start <= longest:
            return
        if self._line_count:
            raise FrameTooLarge(
                f"Header line {self._line_count} is longer than {longest} bytes (limits.header_line_bytes)."
            )
        raise MalformedFrame(f"The command is longer than {longest} bytes (limits.command_bytes). {_LENGTH_HINT}")

    def _parse_head(self, text: str, lines: list[str]) -> Frame:
        """Return the frame that stands in the lines of a text, without its body."""
        version = self.version
        if "\r" in text and (version is not _V1_1 or self._has_crlf):
            # STOMP 1.2 "STOMP Frames": one CR before the LF belongs to the line end. 1.1 ends lines with LF alone, so
            # there a CR is part of the value, unless CONNECT had one at the end of its lines, as telnet sends them.
            # 1.0 ends lines with LF alone too, but its values are trimmed anyway.
            if version is None:
                self._has_crlf = lines[0].endswith("\r")
            lines = [line.removesuffix("\r") for line in lines]
        command = lines.pop(0)
        if self._is_client and command not in SERVER_COMMANDS:
            raise MalformedFrame(f"A server does not send {command[:_QUOTED_CHARACTERS]!r}. {_LENGTH_HINT}")
        headers: dict[str, str] = {}
        for line in lines:
            # STOMP 1.2 "Augmented BNF": the name ends at the first colon. The value may be empty; in 1.0 it may have
            # more colons, and in the others, where they should have been escaped, they are kept as well.
            name, colon, value = line.partition(":")
            if not colon or not name:
                raise _malformed_line(lines, line)
            # STOMP 1.2 "Repeated Header Entries": the first one wins.
            headers.setdefault(name, value)
        if version is _V1_0 and " " in text:
            # STOMP 1.0 pads values in its examples; STOMP 1.2 "Value Encoding" forbids 1.1 and later to trim.
            headers = {name: value.strip(" ") for name, value in headers.items()}
        # STOMP 1.2 "Value Encoding": CONNECT and CONNECTED are never unescaped, and nothing is in 1.0.
        elif version is not None and "\\" in text and command not in NEVER_ESCAPED:
            headers = unescape_headers(headers, version)
        length = headers.get("content-length")
        # STOMP 1.2 "Header content-length": any frame may have it.
        self._length = None if length is None else self._parse_length(length)
        return Frame(command, headers)

    def _parse_length(self, text: str) -> int:
        """Return the value of `content-length`."""
        if self.version is None:
            # STOMP 1.0 pads values in its examples, and which version a CONNECT asks for is not known yet.
            text = text.strip(" ")
        # STOMP 1.2 "Header content-length": it is a count of octets.
        if not text.isascii() or not text.isdigit():
            raise MalformedFrame(
                f"The header content-length has the value {text[:_QUOTED_CHARACTERS]!r}. It has to be the number of "
                "octets in the body, in digits only."
            )
        limit = self.limits.body_bytes
        # STOMP 1.2 "Size Limits": refused at the peer's word, before anything is allocated.
        digits = text.lstrip("0") or "0"
        # By their count first, because `int` refuses thousands of digits, and any peer can send those.
        if len(digits) > len(str(limit)) or int(digits) > limit:
            raise self._body_too_large()
        return int(digits)

    def _read_body(self, frame: Frame) -> Frame | None:
        """Return the frame with its body, and move behind its NUL; None if that has not arrived."""
        buffer, start = self._buffer, self._start
        if self._length is None:
            # STOMP 1.2 "Header content-length": without it the body ends at the first NUL.
            end = buffer.find(0, start + self._searched)
            found = len(buffer) if end < 0 else end
            if found - start > self.limits.body_bytes:
                raise self._body_too_large()
            if end < 0:
                self._searched = found - start
                return None
        else:
            # STOMP 1.2 "Header content-length": exactly that many octets are read, NULs or not.
            end = start + self._length
            if end >= len(buffer):
                return None
            # STOMP 1.2 "Header content-length": the frame still has to be terminated with a NUL.
            if buffer[end]:
                raise MalformedFrame(
                    f"The body does not end with a NUL after the {self._length} octets that content-length promises. "
                    "content-length counts the octets of the encoded body, not characters, and not the NUL."
                )
        frame.body = memoryview(buffer)[start:end].tobytes()  # copied once; a slice of the buffer would be twice
        self._start = end + 1
        self._searched = 0
        self._head = None
        return frame

    def _body_too_large(self) -> FrameTooLarge:
        setting = "limits.login_frame_bytes" if self.version is None else "limits.body_bytes"
        return FrameTooLarge(f"The body is longer than {self.limits.body_bytes} bytes ({setting}).")


def _malformed_line(lines: list[str], line: str) -> MalformedFrame:
    """Return the error for a header line without a name or a colon."""
    number = lines.index(line) + 1
    # A passcode with a line end in it, or without its colon, would be quoted: such frames are not quoted at all.
    is_secret = any("passcode" in other.lower() for other in lines)
    quotation = "" if is_secret else f", {line[:_QUOTED_CHARACTERS]!r},"
    what = "an empty name" if line.startswith(":") else "no colon"
    # STOMP 1.2 "Augmented BNF": header = header-name ":" header-value, and a name has at least one octet.
    return MalformedFrame(
        f"Header line {number}{quotation} has {what}. Each line is name:value, and a blank line ends the headers."
    )

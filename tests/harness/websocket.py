"""A WebSocket client written from RFC 6455 alone, as a socket: what is sent goes out in messages, and comes in so."""

from __future__ import annotations

import os
import socket
import struct
import time
import zlib
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, final

TEXT: Final = 1
BINARY: Final = 2
CLOSE: Final = 8
PING: Final = 9
PONG: Final = 10

_CHUNK: Final = 65_536


@final
class WebSocketPort(int):
    """The number of a port where the broker speaks WebSocket; clients of the tests then do so too."""


@final
@dataclass(frozen=True)
class Part:
    """One frame of RFC 6455, unmasked."""

    opcode: int
    payload: bytes
    is_final: bool = True
    is_compressed: bool = False


@final
class WebSocketStream:
    """Looks like the socket it wraps: `sendall` sends a message, and `recv` returns octets of messages."""

    def __init__(self, raw: socket.socket, *, opcode: int = BINARY) -> None:
        """Wrap a socket that is connected.

        Args:
            raw: The socket.
            opcode: In which kind of messages `sendall` sends; what is no text goes out as octets all the same.
        """
        self._raw = raw
        self._opcode = opcode
        self._received = b""
        #: Octets of messages that were not asked for yet.
        self._ready = bytearray()
        #: The kinds of the messages that came.
        self.opcodes: list[int] = []
        #: What the HTTP response was.
        self.response = b""
        #: The code and reason of the close frame that came.
        self.closed: tuple[int, str] | None = None
        self._is_at_end = False

    # As a socket

    def settimeout(self, seconds: float | None) -> None:
        self._raw.settimeout(seconds)

    def setsockopt(self, *arguments: int | bytes) -> None:
        self._raw.setsockopt(*arguments)  # type: ignore[arg-type]  # passed on

    def shutdown(self, how: int) -> None:
        self._raw.shutdown(how)

    def close(self) -> None:
        self._raw.close()

    def sendall(self, octets: bytes) -> None:
        opcode = self._opcode
        if opcode == TEXT:
            try:
                octets.decode()
            except UnicodeDecodeError:
                opcode = BINARY
        self._raw.sendall(mask(opcode, octets))

    def send(self, octets: bytes) -> int:
        self.sendall(octets)
        return len(octets)

    def recv(self, count: int) -> bytes:
        """Return octets of messages; empty at the end, which a close frame is too."""
        timeout = self._raw.gettimeout()
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self._ready and not self._is_at_end:
            if deadline is not None:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError
                self._raw.settimeout(left)
            self._take(self._raw.recv(_CHUNK))
        octets = bytes(self._ready[:count])
        del self._ready[:count]
        return octets

    # As a WebSocket

    def open(self, path: str = "/", *, subprotocols: str = "v12.stomp", **headers: str) -> bytes:
        """Ask for the upgrade, and return the head of the response."""
        self._raw.sendall(request(path, subprotocols=subprotocols, **headers))
        while b"\r\n\r\n" not in self._received:
            octets = self._raw.recv(_CHUNK)
            assert octets, f"the broker closed after {self._received!r}"
            self._received += octets
        self.response, _, self._received = self._received.partition(b"\r\n\r\n")
        self._take_parts()
        return self.response

    def send_octets(self, octets: bytes) -> None:
        """Send octets that are no message."""
        self._raw.sendall(octets)

    def _take(self, octets: bytes) -> None:
        self._received += octets
        if not octets:
            self._is_at_end = True
        self._take_parts()

    def _take_parts(self) -> None:
        while (found := read_part(self._received)) is not None:
            part, self._received = found
            self._take_part(part)

    def _take_part(self, part: Part) -> None:
        if part.opcode == CLOSE:
            code = struct.unpack("!H", part.payload[:2])[0] if part.payload else 1005
            self.closed = (code, part.payload[2:].decode())
            self._is_at_end = True
            with suppress(OSError):  # one who has sent a FIN cannot answer
                self._raw.sendall(mask(CLOSE, part.payload))
        elif part.opcode == PING:
            self._raw.sendall(mask(PONG, part.payload))
        elif part.opcode in {TEXT, BINARY}:
            self.opcodes.append(part.opcode)
            if part.opcode == TEXT:
                part.payload.decode()
            self._ready += part.payload


def request(path: str = "/", *, subprotocols: str = "v12.stomp", host: str = "localhost", **headers: str) -> bytes:
    """Return a request for a WebSocket; underscores in the names of further headers stand for hyphens."""
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: {host}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        *([f"Sec-WebSocket-Protocol: {subprotocols}"] if subprotocols else []),
        *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
    ]
    return "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n"


def mask(opcode: int, payload: bytes, *, is_final: bool = True, is_compressed: bool = False) -> bytes:
    """Return a frame as clients send it."""
    key = os.urandom(4)
    # RFC 6455 "Client-to-Server Masking".
    count = len(payload)
    pad = int.from_bytes(key * (count // 4 + 1), "big") >> 8 * (4 - count % 4)
    masked = (int.from_bytes(payload, "big") ^ pad).to_bytes(count, "big") if count else b""
    return head(opcode, count, is_final=is_final, is_compressed=is_compressed, is_masked=True) + key + masked


def head(
    opcode: int, count: int, *, is_final: bool = True, is_compressed: bool = False, is_masked: bool = True
) -> bytes:
    """Return the first octets of a frame, before the mask."""
    first = opcode | (0x80 if is_final else 0) | (0x40 if is_compressed else 0)
    flag = 0x80 if is_masked else 0
    if count < 126:
        return struct.pack("!BB", first, flag | count)
    if count < 1 << 16:
        return struct.pack("!BBH", first, flag | 126, count)
    return struct.pack("!BBQ", first, flag | 127, count)


def read_part(octets: bytes) -> tuple[Part, bytes] | None:
    """Return the first frame of a server in octets and what is behind it; None while it is not complete."""
    if len(octets) < 2:
        return None
    assert not octets[1] & 0x80, "a server must not mask"
    length, start = octets[1] & 0x7F, 2
    if length >= 126:
        size = 2 if length == 126 else 8
        length, start = int.from_bytes(octets[2 : 2 + size], "big"), 2 + size
    if len(octets) < start or len(octets) < start + length:
        return None
    payload, rest = octets[start : start + length], octets[start + length :]
    is_compressed = bool(octets[0] & 0x40)
    if is_compressed:
        payload = inflate(payload)
    return Part(octets[0] & 0x0F, payload, bool(octets[0] & 0x80), is_compressed), rest


def deflate(octets: bytes) -> bytes:
    """Return a message as RFC 7692 compresses it."""
    compressor = zlib.compressobj(wbits=-15)
    return (compressor.compress(octets) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]


def inflate(octets: bytes) -> bytes:
    """Return a message that RFC 7692 compressed."""
    return zlib.decompressobj(wbits=-15).decompress(octets + b"\0\0\xff\xff")

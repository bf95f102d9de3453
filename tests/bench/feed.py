"""A peer that sends messages as fast as a client takes them, so that the client alone is measured."""

from __future__ import annotations

import re
import socket
import threading
from types import TracebackType
from typing import Final, Self, final

from tests.bench.load import PATIENCE_SECONDS, Address

_HEADER: Final = re.compile(rb"\n(id|prefetch-count|receipt):([^\n]+)")


@final
class Feed:
    """A queue of a broker that costs nothing, for one connection, within a `with` statement.

    It knows a subscription's prefetch, cumulative acknowledgements in their order, and receipts.
    """

    def __init__(self, queue: str, count: int, body_bytes: int) -> None:
        """Prepare messages like those of the load.

        Args:
            queue: Its name.
            count: How many there are.
            body_bytes: How long each is; it begins with the ten digits of its number.
        """
        self._tails = [
            b"message-id:m-%d\nack:%d\ndestination:/queue/%b\npersistent:true\ntimestamp:1700000000000\n"
            b"content-length:%d\n\n%010d%b\0"
            % (number, number + 1, queue.encode(), body_bytes, number, b"x" * (body_bytes - 10))
            for number in range(count)
        ]
        self._subscription = b""
        self._prefetch = 0
        self._acknowledged = self._sent = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, name="feed", daemon=True)

    @property
    def address(self) -> Address:
        """Where it listens."""
        return Address(self._listener.getsockname()[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._listener.close()
        self._thread.join(PATIENCE_SECONDS)

    def _serve(self) -> None:
        connected, _ = self._listener.accept()
        with connected:
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            rest = b""
            while octets := connected.recv(1 << 16):
                *frames, rest = (rest + octets).split(b"\0")
                answers = b"".join(map(self._answer, frames))
                connected.sendall(answers + self._messages())

    def _answer(self, frame: bytes) -> bytes:
        """Take a frame in, and return what answers it."""
        command = frame.lstrip(b"\n").partition(b"\n")[0]
        headers = dict(_HEADER.findall(frame))
        match command:
            case b"CONNECT" | b"STOMP":
                return b"CONNECTED\nversion:1.2\nheart-beat:0,0\nserver:stompd/0\n\n\0"
            case b"SUBSCRIBE":
                self._subscription, self._prefetch = headers[b"id"], int(headers[b"prefetch-count"])
                self._sent = self._acknowledged
            case b"ACK":
                self._acknowledged = int(headers[b"id"])
        return b"RECEIPT\nreceipt-id:%b\n\n\0" % headers[b"receipt"] if b"receipt" in headers else b""

    def _messages(self) -> bytes:
        """Return what the subscription has credit for."""
        first, self._sent = self._sent, min(self._acknowledged + self._prefetch, len(self._tails))
        head = b"MESSAGE\nsubscription:%b\n" % self._subscription
        return b"".join([head + tail for tail in self._tails[first : self._sent]])

"""A small blocking STOMP 1.2 client: what the command line sends and receives with."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Mapping
from types import TracebackType
from typing import NamedTuple, Self, final
from urllib.parse import unquote, urlsplit

from stompd.errors import StompError
from stompd.wire.frame import Frame, Version
from stompd.wire.limits import FrameLimits
from stompd.wire.parser import FrameParser
from stompd.wire.serializer import serialize

#: The port that IANA assigned to no one and every STOMP broker uses.
DEFAULT_PORT = 61613

_RECEIVE_BYTES = 65_536

#: The broker decides how large a message may be; this only keeps a peer that is no broker from filling the memory.
_LIMITS = FrameLimits(body_bytes=1 << 30)

_SUBSCRIPTION_ID = "1"


class ClientError(Exception):
    """The broker cannot be reached, or does not answer as a STOMP broker does."""


class RefusedByBroker(ClientError):
    """The broker answered with an ERROR frame.

    Attributes:
        summary: Its `message` header.
        detail: Its body.
    """

    def __init__(self, frame: Frame) -> None:
        self.summary = frame.headers.get("message", "")
        self.detail = frame.body.decode("utf-8", "replace").strip()
        super().__init__(f"the broker refused: {self.summary}: {self.detail}")


@final
class Address(NamedTuple):
    """Where a broker is, and whom to log in as there; an empty login logs nobody in."""

    host: str
    port: int
    login: str
    passcode: str

    @classmethod
    def parse(cls, url: str) -> Address:
        """Return the address in `stomp://login:passcode@host:port`, where all but the host may be left out.

        Raises:
            ValueError: It is no such URL.
        """
        parts = urlsplit(url)
        if parts.scheme != "stomp" or not parts.hostname:
            raise ValueError("a broker's URL is stomp://login:passcode@host:port")
        login, passcode = unquote(parts.username or ""), unquote(parts.password or "")
        return cls(parts.hostname, parts.port or DEFAULT_PORT, login, passcode)


@final
class Client:
    """One connection; not for use from several threads.

    As a context manager it disconnects at the end, and after an exception it closes at once.
    """

    def __init__(self, address: Address, timeout_seconds: float = 10.0) -> None:
        """Connect and log in.

        Args:
            address: The broker.
            timeout_seconds: How long to wait for the connection, and for each confirmation.

        Raises:
            ClientError: The broker cannot be reached, does not answer in time, or refuses the login.
        """
        self._timeout_seconds = timeout_seconds
        self._parser = FrameParser(_LIMITS, is_client=True)
        self._received: deque[Frame] = deque()
        self._last_receipt = self._last_transaction = 0
        try:
            self._socket = socket.create_connection((address.host, address.port), timeout_seconds)
        except OSError as error:
            where = f"{address.host}:{address.port}"
            raise ClientError(f"cannot connect to {where}: {error}; is the broker running there?") from error
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            self._log_in(address)
        except BaseException:
            self._socket.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._confirm(Frame("DISCONNECT", {}))
        finally:
            self._socket.close()

    def send(self, destination: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Send one message; returns when the broker has confirmed it.

        Raises:
            RefusedByBroker: The broker does not take it.
            ClientError: The connection was lost, or the confirmation did not come in time.
        """
        self._confirm(Frame("SEND", {"destination": destination, **headers}, body))

    def subscribe(self, destination: str, prefetch: int) -> None:
        """Begin deliveries, at most `prefetch` ahead of their acknowledgement; errors as for `send`."""
        headers = {
            "id": _SUBSCRIPTION_ID,
            "destination": destination,
            "ack": "client-individual",
            "prefetch-count": str(prefetch),
        }
        self._confirm(Frame("SUBSCRIBE", headers))

    def receive(self) -> Frame:
        """Return the next MESSAGE, however long it takes.

        Raises:
            RefusedByBroker: The broker ends the session.
            ClientError: The connection was lost.
        """
        while (message := self.receive_within(None)) is None:
            pass
        return message

    def receive_within(self, seconds: float | None) -> Frame | None:
        """Return the next MESSAGE, or None when none comes for so long; errors as for `receive`."""
        if self._received:
            return self._received.popleft()
        self._socket.settimeout(seconds)
        try:
            frame = self._read_frame()
        except TimeoutError:
            return None
        return frame if frame.command == "MESSAGE" else self.receive_within(seconds)

    def acknowledge(self, message: Frame) -> None:
        """Settle a MESSAGE; returns when the broker has confirmed it, so that it never comes again; errors as for
        `send`."""
        # STOMP 1.2 "ACK": id is the value of the MESSAGE's ack header.
        self._confirm(Frame("ACK", {"id": message.headers["ack"]}))

    def move(self, message: Frame, destination: str, headers: Mapping[str, str]) -> None:
        """Send the body of a MESSAGE elsewhere, with these headers, and settle it: both happen, or nothing.

        Errors as for `send`.
        """
        self._last_transaction += 1
        transaction = {"transaction": str(self._last_transaction)}
        self._transmit(Frame("BEGIN", transaction), Version.V1_2)
        self._transmit(
            Frame("SEND", {**headers, "destination": destination, **transaction}, message.body), Version.V1_2
        )
        self._transmit(Frame("ACK", {"id": message.headers["ack"], **transaction}), Version.V1_2)
        self._confirm(Frame("COMMIT", dict(transaction)))

    def _log_in(self, address: Address) -> None:
        headers = {"accept-version": Version.V1_2.value, "host": address.host}
        if address.login:
            headers |= {"login": address.login, "passcode": address.passcode}
        self._transmit(Frame("CONNECT", headers), None)
        answer = self._next_frame()
        if answer.command != "CONNECTED":
            raise ClientError(f"the peer answers CONNECT with {answer.command}; is it a STOMP broker?")
        self._parser.version = Version.V1_2

    def _confirm(self, frame: Frame) -> None:
        """Transmit a frame and wait for its RECEIPT; messages that arrive meanwhile are kept for `receive`."""
        self._last_receipt += 1
        receipt = str(self._last_receipt)
        frame.headers["receipt"] = receipt
        self._socket.settimeout(self._timeout_seconds)
        self._transmit(frame, Version.V1_2)
        while True:
            answer = self._next_frame()
            if answer.command == "MESSAGE":
                self._received.append(answer)
            elif answer.headers.get("receipt-id") == receipt:
                return

    def _transmit(self, frame: Frame, version: Version | None) -> None:
        try:
            self._socket.sendall(serialize(frame, version))
        except StompError as error:
            raise ClientError(f"the {frame.command} frame cannot be written: {error.detail}") from error
        except OSError as error:
            raise ClientError(f"the connection was lost: {error}") from error

    def _next_frame(self) -> Frame:
        """Return the next frame that is not an ERROR; the broker has its time to answer."""
        try:
            return self._read_frame()
        except TimeoutError as error:
            raise ClientError(f"the broker did not answer within {self._timeout_seconds:g} seconds") from error

    def _read_frame(self) -> Frame:
        """Return the next frame that is not an ERROR, or raise TimeoutError."""
        try:
            while (frame := self._parser.next_frame()) is None:
                octets = self._socket.recv(_RECEIVE_BYTES)
                if not octets:
                    raise ClientError("the broker closed the connection")
                self._parser.receive_data(octets)
        except TimeoutError:
            raise
        except OSError as error:
            raise ClientError(f"the connection was lost: {error}") from error
        except StompError as error:
            raise ClientError(f"the peer does not answer as a STOMP broker does: {error.detail}") from error
        if frame.command == "ERROR":
            raise RefusedByBroker(frame)
        return frame

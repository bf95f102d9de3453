"""A client on a bare socket: it sends whatever octets a test wants and reads what comes, frame by frame."""

from __future__ import annotations

import socket
import time
import uuid
from collections import deque
from collections.abc import Mapping
from types import TracebackType
from typing import Final, Self, final

from tests.harness.frames import FrameReader, Headers, RawFrame, write_frame
from tests.harness.websocket import WebSocketPort, WebSocketStream

#: How long a test waits for anything. Only a failing test waits so long, and shared machines pause.
PATIENCE_SECONDS: Final = 20.0

_CHUNK: Final = 65_536


class ConnectionEnded(AssertionError):
    """The broker has ended the connection while more was expected."""


@final
class RawClient:
    """One connection to the broker.

    Every wait is bounded, and its failure shows what was sent and received last. What must not come is told by
    `expect_nothing`: a barrier, not a pause.
    """

    def __init__(self, port: int, *, patience: float = PATIENCE_SECONDS, receive_buffer: int | None = None) -> None:
        """Connect.

        Args:
            port: On 127.0.0.1; at a `WebSocketPort` octets travel in the messages of a WebSocket.
            patience: Seconds that `read_frame` and what is built on it wait.
            receive_buffer: Octets that the kernel keeps for us at most, for a client that reads slowly.
        """
        self.patience = patience
        self._reader = FrameReader()
        self._log: deque[str] = deque(maxlen=20)
        self._socket: socket.socket | WebSocketStream = _connect(port, patience, receive_buffer)
        if isinstance(port, WebSocketPort):
            self._socket = WebSocketStream(self._socket)
            response = self._socket.open()
            assert b" 101 " in response, f"no WebSocket was opened: {response!r}"
        self._at_end = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def version(self) -> str:
        """The version that frames are written and read in; `connect` sets it."""
        return self._reader.version

    @property
    def line_ends(self) -> int:
        """EOLs received between frames so far."""
        self._reader.skip_line_ends()
        return self._reader.line_ends

    # Sending

    def send(self, octets: bytes) -> None:
        """Send octets as they are."""
        self._log.append(f"sent     {_shortened(octets)}")
        self._socket.settimeout(self.patience)
        self._socket.sendall(octets)

    def send_frame(self, command: str, headers: Headers = (), body: bytes = b"") -> None:
        """Send a frame in the session's version; no header is added."""
        self.send(write_frame(command, headers, body, version=self.version))

    def send_message(self, destination: str, body: str | bytes = b"", **headers: str) -> None:
        """SEND, and wait for its receipt. Underscores in header names stand for hyphens."""
        octets = body.encode() if isinstance(body, str) else body
        self.request("SEND", {"destination": destination, **_named(headers)}, octets)

    def subscribe(self, destination: str, ack: str = "auto", id: str = "1", **headers: str) -> None:  # noqa: A002
        """SUBSCRIBE, and wait for its receipt."""
        self.request("SUBSCRIBE", {"destination": destination, "ack": ack, "id": id, **_named(headers)})

    def request(self, command: str, headers: Headers = (), body: bytes = b"") -> RawFrame:
        """Send a frame with a receipt, expect that RECEIPT as the next frame, and return it."""
        receipt = f"receipt-{uuid.uuid4().hex[:12]}"
        pairs = [*(headers.items() if isinstance(headers, Mapping) else headers), ("receipt", receipt)]
        self.send_frame(command, pairs, body)
        return self.expect("RECEIPT", receipt_id=receipt)

    def ack(self, message: RawFrame, command: str = "ACK", **headers: str) -> None:
        """Send the ACK (or NACK) of a MESSAGE, as its version wants it, without a receipt."""
        self.send_frame(command, {**acknowledgement(message, self.version), **_named(headers)})

    def settle(self, message: RawFrame, command: str = "ACK", **headers: str) -> RawFrame:
        """Send the ACK (or NACK) of a MESSAGE and wait for its receipt."""
        return self.request(command, {**acknowledgement(message, self.version), **_named(headers)})

    # Connecting and leaving

    def connect(self, version: str = "1.2", **headers: str) -> RawFrame:
        """CONNECT in one version, and return the CONNECTED."""
        names = {} if version == "1.0" else {"accept-version": version, "host": "localhost"}
        self.send_frame("CONNECT", {**names, **_named(headers)})
        connected = self.expect("CONNECTED", version=version)
        self._reader.version = version
        return connected

    def use_version(self, version: str) -> None:
        """Write and read frames in a version, after a CONNECT that the test has sent itself."""
        self._reader.version = version

    def disconnect(self) -> None:
        """DISCONNECT with a receipt, and see the broker close."""
        self.send_frame("DISCONNECT", {"receipt": "goodbye"})
        self.expect("RECEIPT", receipt_id="goodbye")
        self.expect_closed()

    def finish_sending(self) -> None:
        """Send a FIN; reading goes on."""
        self._socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Close with an RST, as a crashed peer's kernel does."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self._socket.close()

    def close(self) -> None:
        """Close the socket without a word."""
        self._socket.close()

    # Receiving

    def read_frame(self, timeout: float | None = None) -> RawFrame:
        """Return the next frame.

        Raises:
            AssertionError: None came in time.
            ConnectionEnded: The broker has closed the connection, or reset it.
        """
        patience = self.patience if timeout is None else timeout
        frame = self.poll_frame(patience)
        if frame is None and self._at_end:
            raise ConnectionEnded(f"expected a frame, but the connection was closed; {self._history()}")
        assert frame is not None, f"expected a frame, but nothing came within {patience} s; {self._history()}"
        return frame

    def poll_frame(self, timeout: float) -> RawFrame | None:
        """Return the next frame, or None when none comes in time or the connection was closed."""
        deadline = time.monotonic() + timeout
        while (frame := self._next_frame()) is None:
            if not self.receive_some(deadline - time.monotonic()):
                return None
        self._log.append(f"received {frame}")
        return frame

    def receive_some(self, timeout: float) -> bool:
        """Take in what comes next; False at the end of the stream or when nothing comes in time."""
        if self._at_end or timeout <= 0:
            return False
        self._socket.settimeout(timeout)
        try:
            octets = self._socket.recv(_CHUNK)
        except TimeoutError:
            return False
        except ConnectionResetError as error:
            raise ConnectionEnded(f"the broker reset the connection; {self._history()}") from error
        self._at_end = not octets
        self._reader.receive(octets)
        return bool(octets)

    def read_octets(self, count: int) -> bytes:
        """Wait for so many octets, and return what was received and not read as frames yet, without taking it."""
        deadline = time.monotonic() + self.patience
        while len(self._reader.rest) < count:
            assert self.receive_some(deadline - time.monotonic()), f"no {count} octets came; {self._history()}"
        return self._reader.rest

    def wait_for_line_ends(self, count: int) -> None:
        """Wait until so many EOLs in all were received while no frame comes."""
        deadline = time.monotonic() + self.patience
        while self.line_ends < count:
            came = self.receive_some(deadline - time.monotonic())
            assert came, f"{self.line_ends} of {count} EOLs came within {self.patience} s; {self._history()}"
            frame = self._next_frame()
            assert frame is None, f"expected EOLs only, not {frame}"

    def expect(self, command: str, **headers: str) -> RawFrame:
        """Return the next frame, which must have this command and these headers (underscores for hyphens)."""
        frame = self.read_frame()
        assert frame.command == command, f"expected {command}, not {frame}; {self._history()}"
        for name, value in _named(headers).items():
            assert frame.get(name) == value, f"expected {name}:{value} in {frame}; {self._history()}"
        return frame

    def expect_bodies(self, *bodies: str) -> list[RawFrame]:
        """Return the next MESSAGEs, which must have these bodies in this order."""
        frames = [self.expect("MESSAGE") for _ in bodies]
        received = [frame.body.decode() for frame in frames]
        assert received == list(bodies), f"expected the messages {list(bodies)}, not {received}"
        return frames

    def expect_error(self, code: str, *mentions: str, receipt: str | None = None) -> RawFrame:
        """Return the next frame: an ERROR that says what was wrong in the way all ERRORs do, then the close.

        Args:
            code: The `error-code` header.
            mentions: What its text must name, in any case of letters.
            receipt: The `receipt-id` it must carry.
        """
        frame = self.expect("ERROR")
        assert frame.get("error-code") == code, f"expected error-code:{code} in {frame}"
        assert frame.get("message"), f"an ERROR without a message header: {frame}"
        assert frame.body, f"an ERROR without a body: {frame}"
        assert frame.get("content-length") == str(len(frame.body))
        assert (frame.get("content-type") or "").startswith("text/plain"), f"not text/plain: {frame}"
        assert frame.get("receipt-id") == receipt, f"expected receipt-id {receipt!r} in {frame}"
        text = (frame["message"] + "\n" + frame.body.decode()).lower()
        for mention in mentions:
            assert mention.lower() in text, f"the ERROR does not name {mention!r}: {frame}"
        self.expect_closed()
        return frame

    def expect_closed(self) -> None:
        """Wait until the broker has closed its side; nothing but EOLs may come before."""
        deadline = time.monotonic() + self.patience
        while self.receive_some(deadline - time.monotonic()):
            pass
        assert self._at_end, f"the broker did not close within {self.patience} s; {self._history()}"
        self._reader.skip_line_ends()
        assert not self._reader.rest, f"expected the end, not {_shortened(self._reader.rest)}; {self._history()}"

    def wait_until_cut_off(self) -> None:
        """Wait until the broker has ended a connection that this side keeps open, sending now and then."""
        deadline = time.monotonic() + self.patience
        while time.monotonic() < deadline:
            try:
                self._socket.send(b"\n")
                self._socket.settimeout(0.05)
                self._socket.recv(_CHUNK)
            except TimeoutError:
                continue
            except (BrokenPipeError, ConnectionResetError):
                return
            time.sleep(0.05)  # after its FIN a recv returns at once
        raise AssertionError(f"the connection was still open after {self.patience} s; {self._history()}")

    def frames_before_barrier(self) -> list[RawFrame]:
        """Return what comes before the receipt of a durable SEND to a queue of its own.

        Frames of one connection take effect in order, and the store applies units in order, so that whatever was
        caused earlier has been written to this connection before that receipt.
        """
        receipt = f"barrier-{uuid.uuid4().hex}"
        self.send_frame("SEND", {"destination": f"/queue/{receipt}", "receipt": receipt})
        frames: list[RawFrame] = []
        while (frame := self.read_frame()).get("receipt-id") != receipt:
            frames.append(frame)
        assert frame.command == "RECEIPT", f"the barrier failed with {frame}"
        return frames

    def take_all(self, destination: str) -> list[RawFrame]:
        """Take everything out of a queue that nobody else reads from, and return it in the order of delivery.

        The end is told by a message that this client adds: with the lowest priority and sent last, it comes last.
        """
        end = f"end-{uuid.uuid4().hex}"
        self.send_message(destination, end, priority="0")
        self.subscribe(destination, id=end, prefetch_count="0")
        frames = [self.expect("MESSAGE")]
        while frames[-1].body != end.encode():
            frames.append(self.expect("MESSAGE"))
        self.request("UNSUBSCRIBE", {"id": end})
        return frames[:-1]

    def expect_nothing(self) -> None:
        """See that nothing is on its way to this client."""
        frames = self.frames_before_barrier()
        assert not frames, f"expected nothing, but there came {', '.join(map(str, frames))}; {self._history()}"

    def _next_frame(self) -> RawFrame | None:
        try:
            return self._reader.next_frame()
        except AssertionError as error:
            raise AssertionError(f"{error}; {self._history()}") from error

    def _history(self) -> str:
        lines = "".join(f"\n    {line}" for line in self._log)
        return f"the last frames were:{lines}\n    unread   {_shortened(self._reader.rest)}"


def _connect(port: int, patience: float, receive_buffer: int | None) -> socket.socket:
    raw = socket.socket()
    if receive_buffer is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    raw.settimeout(patience)
    try:
        raw.connect(("127.0.0.1", port))
    except OSError:
        raw.close()
        raise
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return raw


def acknowledgement(message: RawFrame, version: str) -> dict[str, str]:
    """Return the headers by which an ACK or NACK names a MESSAGE in a version."""
    if version == "1.2":
        return {"id": message["ack"]}
    if version == "1.1":
        return {"message-id": message["message-id"], "subscription": message["subscription"]}
    return {"message-id": message["message-id"]}


def unique_name(prefix: str) -> str:
    """Return a destination that no other test uses: `unique_name("/queue/orders")`."""
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def _shortened(octets: bytes) -> str:
    return repr(octets) if len(octets) <= 300 else f"{octets[:300]!r}... ({len(octets)} octets)"

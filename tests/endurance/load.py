"""Clients that keep a broker busy and cost the machine little: octets prepared once, frames cut with one split.

They rely on their own messages: no body holds a NUL. What the broker's frames look like in detail is the conformance
suite's matter.
"""

from __future__ import annotations

import re
import socket
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Final, NamedTuple, Self, final

from tests.harness.process import BrokerProcess
from tests.harness.raw import ConnectionEnded
from tests.harness.websocket import WebSocketPort, WebSocketStream

#: A broker that gives no answer for so long has failed; a healthy one needs milliseconds, on a busy machine seconds.
PATIENCE_SECONDS: Final = 60.0

#: How often a client that must not be silent sends a line end.
_BEAT_SECONDS: Final = 0.2

_CHUNK: Final = 1 << 18

#: How often a broker's memory is looked at.
_LOOK_SECONDS: Final = 0.02

#: Messages that a producer hands to its socket at a time.
_BURST: Final = 20


#: Those that nobody has closed yet, as in a test that fails.
_opened: list[LoadClient] = []


class Frame(NamedTuple):
    """A frame of the broker, cut but not parsed."""

    command: bytes
    head: bytes
    body: bytes

    def header(self, name: str) -> str:
        """Return the value of a header, as it is on the wire."""
        match = re.search(rb"(?m)^" + name.encode() + rb":(.*)$", self.head)
        assert match is not None, f"no header {name!r} in {self}"
        return match[1].decode()


@final
class LoadClient:
    """One connection. Any thread may send, and one receive."""

    def __init__(self, port: int, *, heart_beat: str = "0,0", receive_buffer: int | None = None) -> None:
        """Connect, and wait for CONNECTED.

        Args:
            port: On 127.0.0.1; a `WebSocketPort` speaks WebSocket.
            heart_beat: The header of CONNECT.
            receive_buffer: Octets that the kernel keeps for us at most.
        """
        self.octets_received = 0
        #: Line ends that did not belong to a frame.
        self.beats = 0
        self._buffer = b""
        self._frames: list[Frame] = []
        self._sending = threading.Lock()
        self._socket: socket.socket | WebSocketStream = socket.socket()
        _opened.append(self)
        if receive_buffer is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._socket.settimeout(PATIENCE_SECONDS)
        self._socket.connect(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if isinstance(port, WebSocketPort):
            self._socket = WebSocketStream(self._socket)
            self._socket.open()
        self.send(f"CONNECT\naccept-version:1.2\nhost:localhost\nheart-beat:{heart_beat}\n\n\0".encode())
        self.expect(b"CONNECTED")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def send(self, octets: bytes) -> None:
        """Send octets as they are."""
        with self._sending:
            self._socket.sendall(octets)

    def subscribe(self, destination: str, ack: str = "auto", prefetch: int = 0) -> None:
        """SUBSCRIBE, and wait for the receipt; messages may come before it."""
        headers = f"destination:{destination}\nid:{destination}\nack:{ack}\nprefetch-count:{prefetch}"
        self.request(f"SUBSCRIBE\n{headers}")

    def request(self, head: str, body: str = "") -> None:
        """Send a frame with a receipt, and wait for that; messages that come before are kept for `receive`."""
        receipt = uuid.uuid4().hex
        self.send(f"{head}\nreceipt:{receipt}\n\n{body}\0".encode())
        kept = []
        while (frame := self.next_frame()).command == b"MESSAGE":
            kept.append(frame)
        self._frames[:0] = kept
        assert frame.command == b"RECEIPT", f"expected a RECEIPT, not {frame}"
        assert frame.header("receipt-id") == receipt, f"expected the RECEIPT of {receipt}, not {frame}"

    def next_frame(self) -> Frame:
        """Return the next frame."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._frames:
            assert time.monotonic() < deadline, f"no frame came within {PATIENCE_SECONDS} s"
            self._frames = self._receive_some()
        return self._frames.pop(0)

    def expect(self, command: bytes) -> Frame:
        """Return the next frame, which must have this command."""
        frame = self.next_frame()
        assert frame.command == command, f"expected {command!r}, not {frame}"
        return frame

    def receive(self) -> list[Frame]:
        """Return the frames that are there, or that come next; none when only line ends came.

        Raises:
            ConnectionEnded: The broker has closed the connection.
            TimeoutError: Nothing came for a long time.
        """
        if self._frames:
            frames, self._frames = self._frames, []
            return frames
        return self._receive_some()

    def disconnect(self) -> None:
        """DISCONNECT with a receipt, so that everything before is durable, and close."""
        self.request("DISCONNECT")
        self.close()

    def reset(self) -> None:
        """Close with an RST, as a crashed peer's kernel does."""
        with suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.close()

    def close(self) -> None:
        """Close the socket, and end a `send` or `receive` of another thread."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        if self in _opened:
            _opened.remove(self)

    def _receive_some(self) -> list[Frame]:
        try:
            octets = self._socket.recv(_CHUNK)
        except (ConnectionResetError, BrokenPipeError) as error:
            raise ConnectionEnded(str(error)) from error
        if not octets:
            raise ConnectionEnded("the broker has closed the connection")
        self.octets_received += len(octets)
        *pieces, rest = (self._buffer + octets).split(b"\0")
        frames = [piece.lstrip(b"\n") for piece in pieces]
        self._buffer = rest.lstrip(b"\n")
        self.beats += sum(map(len, pieces)) - sum(map(len, frames)) + len(rest) - len(self._buffer)
        return list(map(_cut, frames))


class Worker(threading.Thread):
    """A client with a thread of its own; what it fails with is raised by `finish`."""

    def __init__(self, port: int, heart_beat: str = "0,0") -> None:
        super().__init__(daemon=True)
        self.client = LoadClient(port, heart_beat=heart_beat)
        self.failure: BaseException | None = None
        self._beats = heart_beat != "0,0"
        self._is_ending = threading.Event()

    def run(self) -> None:
        """Work until told to end, with heart-beats if they were promised; keep what goes wrong before that."""
        if self._beats:
            threading.Thread(target=self._guarded, args=(self._beat,), daemon=True).start()
        self._guarded(self.work)

    def work(self) -> None:
        """Do what this client does."""
        raise NotImplementedError

    def finish(self) -> None:
        """End it, wait for its thread, and raise what it failed with."""
        self._is_ending.set()
        self.client.close()
        self.join(PATIENCE_SECONDS)
        assert not self.is_alive(), f"{self} does not end"
        self.check()

    def die(self) -> None:
        """End it as a crash does."""
        self._is_ending.set()
        self.client.reset()
        self.join(PATIENCE_SECONDS)
        assert not self.is_alive(), f"{self} does not end"

    def check(self) -> None:
        """Raise what it failed with so far."""
        if self.failure is not None:
            raise self.failure

    @property
    def is_ending(self) -> bool:
        """Whether it was told to end."""
        return self._is_ending.is_set()

    def _beat(self) -> None:
        while not self._is_ending.wait(_BEAT_SECONDS):
            self.client.send(b"\n")

    def _guarded(self, task: Callable[[], None]) -> None:
        """Run a task of one of its threads; what it fails with is the worker's failure, unless that was to end."""
        try:
            task()
        except (OSError, AssertionError) as error:
            if not self._is_ending.is_set():
                self.failure = self.failure or error


@final
class Idler(Worker):
    """Sends heart-beats, counts the broker's, and does nothing else."""

    def work(self) -> None:
        """Listen until the end."""
        while True:
            frames = self.client.receive()
            assert not frames, f"expected heart-beats, not {frames}"


@final
class Producer(Worker):
    """Sends numbered messages to one queue, each with a receipt, and sees that the receipts come in order."""

    def __init__(
        self,
        port: int,
        name: str,
        queue: str,
        *,
        body_bytes: int = 256,
        ahead: int | None = None,
        limit: int | None = None,
        heart_beat: str = "0,0",
    ) -> None:
        """Connect.

        Args:
            port: The broker's.
            name: Which begins the body of each message, so that `keys` can tell whose it is.
            queue: Where they go.
            body_bytes: The size of each body.
            ahead: How many may be unconfirmed at a time; None for as many as the broker takes.
            limit: How many are sent in all; None goes on until `stop_sending`.
            heart_beat: The header of CONNECT.
        """
        super().__init__(port, heart_beat)
        self.name = name
        #: Messages whose octets were handed to the socket, or were about to be.
        self.attempted = 0
        #: Messages whose octets the socket has taken.
        self.sent = 0
        self.confirmed = 0
        #: When each tenth of `limit` was confirmed, after the start: how long the filling took.
        self.tenths: list[float] = []
        self._head = f"SEND\ndestination:{queue}\nreceipt:"
        self._padding = "." * (body_bytes - len(f"{name}|{0:08}|"))
        self._ahead = ahead
        self._limit = limit
        self._changed = threading.Condition()
        self._is_sending = True
        self._has_sent_all = threading.Event()

    def work(self) -> None:
        """Send, while another thread reads the receipts."""
        listener = threading.Thread(target=self._guarded, args=(self._listen,), daemon=True)
        listener.start()
        while self._is_sending and not self.is_ending and self.attempted != self._limit:
            self.check()
            burst = self._next_burst()
            if not burst:
                continue
            self.attempted += len(burst)
            self.client.send("".join(map(self._frame, burst)).encode())
            self.sent += len(burst)
        self._has_sent_all.set()
        listener.join(PATIENCE_SECONDS)

    def stop_sending(self) -> None:
        """Send no more, and wait until everything is confirmed."""
        self._is_sending = False
        while not self._has_sent_all.wait(0.1):
            self.check()
        self.wait_until_confirmed(self.attempted)

    def wait_until_confirmed(self, count: int, patience: float = PATIENCE_SECONDS) -> None:
        """Wait until so many messages are confirmed, with patience as long as anything is."""
        with self._changed:
            while self.confirmed < count:
                self.check()
                before = self.confirmed
                came = self._changed.wait(patience) or self.confirmed > before
                assert came, f"{self.name} has {self.confirmed} of {count} receipts, and no more come"

    def _next_burst(self) -> range:
        """Return the numbers of the messages to send now; none after a while in which nothing was confirmed."""
        count = _BURST if self._limit is None else min(_BURST, self._limit - self.attempted)
        if self._ahead is not None:
            with self._changed:
                self._changed.wait_for(lambda: self._room() > 0, timeout=0.1)
                count = min(count, self._room())
        return range(self.attempted, self.attempted + count)

    def _room(self) -> int:
        assert self._ahead is not None
        return self._ahead - (self.attempted - self.confirmed)

    def _frame(self, number: int) -> str:
        return f"{self._head}{number}\n\n{self.name}|{number:08}|{self._padding}\0"

    def _listen(self) -> None:
        started = time.monotonic()
        while self.confirmed != self._limit:
            frames = self.client.receive()
            for number, frame in enumerate(frames, self.confirmed):
                assert frame.command == b"RECEIPT", f"expected a RECEIPT, not {frame}"
                assert frame.header("receipt-id") == str(number), f"expected receipt {number}, not {frame}"
            self._note(len(frames), time.monotonic() - started)

    def _note(self, count: int, elapsed: float) -> None:
        with self._changed:
            self.confirmed += count
            while self._limit and self.confirmed * 10 >= self._limit * (len(self.tenths) + 1) and len(self.tenths) < 10:
                self.tenths.append(elapsed)
            self._changed.notify_all()


@final
class Consumer(Worker):
    """Takes everything from one destination and acknowledges each message."""

    def __init__(self, port: int, destination: str, *, prefetch: int = 0, heart_beat: str = "0,0") -> None:
        """Connect and subscribe."""
        super().__init__(port, heart_beat)
        #: The bodies, in the order in which they came.
        self.bodies: list[bytes] = []
        self.client.subscribe(destination, "client-individual", prefetch)

    def leave(self) -> None:
        """DISCONNECT, and wait until every acknowledgement is durable."""
        self.client.send(b"DISCONNECT\nreceipt:left\n\n\0")
        self.join(PATIENCE_SECONDS)
        assert not self.is_alive(), "the consumer cannot leave"
        self.finish()

    def work(self) -> None:
        """Take and acknowledge, until the receipt of `leave`."""
        while True:
            frames = self.client.receive()
            if frames and frames[-1].command == b"RECEIPT":
                return
            self.client.send(b"".join([b"ACK\nid:%b\n\n\0" % frame.header("ack").encode() for frame in frames]))
            self.bodies += [frame.body for frame in frames]


class Key(NamedTuple):
    """Which message a body belongs to."""

    producer: str
    number: int


def key_of(body: bytes) -> Key:
    """Return whose message it is, and which."""
    producer, number, _ = body.decode().split("|")
    return Key(producer, int(number))


def faults(producers: Iterable[Producer], bodies: Sequence[bytes]) -> list[str]:
    """Return what is wrong with the messages of producers, each as a sentence; an empty list when nothing is.

    Of each producer's messages there must be an unbroken row, in order and none twice, which begins with the first and
    has at least all that were confirmed and at most all that were sent.
    """
    numbers: dict[str, list[int]] = defaultdict(list)
    for body in bodies:
        key = key_of(body)
        numbers[key.producer].append(key.number)
    wrong = []
    for producer in producers:
        own = numbers.pop(producer.name, [])
        if own != list(range(len(own))):
            place = next(place for place, number in enumerate(own) if place != number)
            wrong.append(f"{producer.name}: number {own[place]} came in place {place} of {len(own)}")
        if not producer.confirmed <= len(own) <= producer.attempted:
            wrong.append(f"{producer.name}: {len(own)} came of {producer.confirmed} that were confirmed")
    return wrong + [f"{len(own)} messages of {name}, who sent none" for name, own in numbers.items()]


@final
class MemoryWatch:
    """How much memory a broker has while something is done to it; a thread looks often."""

    def __init__(self, broker: BrokerProcess) -> None:
        self.first = self.highest = broker.resident_bytes()
        self._broker = broker
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._look()
        self._is_over.set()
        self._thread.join()

    @property
    def growth(self) -> int:
        """Bytes by which the highest exceeded the first."""
        return self.highest - self.first

    def _watch(self) -> None:
        while not self._is_over.wait(_LOOK_SECONDS):
            self._look()

    def _look(self) -> None:
        with suppress(OSError):  # it is being restarted
            self.highest = max(self.highest, self._broker.resident_bytes())


def close_all() -> None:
    """Close what a failure has left open; its threads end with it."""
    for client in list(_opened):
        client.close()


def drain(port: int, destination: str) -> list[bytes]:
    """Empty a queue that nobody else reads from, and return the bodies in the order of delivery."""
    return list(drained(port, destination))


def drained(port: int, destination: str) -> Iterator[bytes]:
    """Empty a queue that nobody else reads from, and yield the bodies in the order of delivery.

    The end is told by a message that is added: with the lowest priority and sent last, it comes last.
    """
    end = b"end of " + destination.encode()
    with LoadClient(port) as client:
        client.request(f"SEND\ndestination:{destination}\npriority:0", end.decode())
        client.subscribe(destination)
        bodies = [b""]
        while bodies[-1:] != [end]:
            bodies = [frame.body for frame in client.receive()]
            yield from (body for body in bodies if body != end)
        client.disconnect()


def _cut(frame: bytes) -> Frame:
    head, _, body = frame.partition(b"\n\n")
    command, _, headers = head.partition(b"\n")
    return Frame(command, headers, body)

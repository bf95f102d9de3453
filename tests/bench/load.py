"""What one process of the load does: a producer or a consumer with a connection of its own, as cheaply as Python can.

What is sent is rendered beforehand, and what comes is cut with a few calls for each chunk, not for each frame. That
relies on the load's own messages: every body begins with the ten digits of its key, and has neither NULs nor line ends.
Only the standard library is imported, so that a process begins quickly.
"""

from __future__ import annotations

import re
import select
import signal
import socket
import struct
import time
from collections.abc import Callable, MutableSequence
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from typing import Final, NoReturn, Protocol, final

#: A broker that is silent for so long while something is due has failed.
PATIENCE_SECONDS: Final = 30.0

#: How often a silent connection looks whether others have finished the work.
_LOOK_SECONDS: Final = 0.02

_CHUNK: Final = 1 << 20

#: As many octets as one producer renders beforehand; more than that is rendered when it is sent.
_MOST_RENDERED: Final = 64_000_000

_KEY_DIGITS: Final = 10
_NUMBERS: Final = 10**8

_RECEIPT: Final = re.compile(rb"receipt-id:(\d+)")
_ACK: Final = re.compile(rb"\nack:([^\n]+)")
_KEY: Final = re.compile(rb"\n\n(\d{10})")


class LoadFailure(Exception):
    """The broker did not do as it should; the text is a sentence that says how."""


@final
@dataclass(frozen=True)
class Address:
    """A broker on this machine, and how to log in."""

    port: int
    login: str | None = None
    passcode: str = ""

    @property
    def connect_frame(self) -> bytes:
        """The CONNECT."""
        secrets = "" if self.login is None else f"login:{self.login}\npasscode:{self.passcode}\n"
        return f"CONNECT\naccept-version:1.2\nhost:/\nheart-beat:0,0\n{secrets}\n\0".encode()


@final
@dataclass(frozen=True)
class Outcome:
    """What one process has to tell."""

    #: On the clock that all processes of a machine share, `time.monotonic`.
    ended: float
    processor_seconds: float
    #: The keys of the messages that came, in their order.
    keys: list[int]
    #: When a chunk had come, and how many messages had come by then.
    arrivals: list[tuple[float, int]]


class Role(Protocol):
    """A process that is ready to work."""

    def work(self, start: float) -> Outcome:
        """Do everything, from `start` on."""


class Job(Protocol):
    """What a process is asked to do."""

    def begin(self, counts: MutableSequence[int], slot: int) -> Role:
        """Connect and prepare; consumers count in their slot of `counts` what they get."""


def key_of(producer: int, number: int) -> int:
    """Return what tells a message from all others."""
    return producer * _NUMBERS + number


def producer_of(key: int) -> int:
    """Return whose message it is."""
    return key // _NUMBERS


@final
class Connection:
    """One STOMP 1.2 connection."""

    def __init__(self, address: Address) -> None:
        """Connect and log in."""
        self._begun: list[bytes] = []
        self._silent_seconds = 0.0
        self._socket = socket.create_connection(("127.0.0.1", address.port), timeout=PATIENCE_SECONDS)
        self._socket.settimeout(None)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # The kernel's own time-outs need no further call before each send and receive.
        for option, seconds in ((socket.SO_RCVTIMEO, _LOOK_SECONDS), (socket.SO_SNDTIMEO, PATIENCE_SECONDS)):
            whole, part = divmod(seconds, 1)
            self._socket.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", int(whole), int(part * 1e6)))
        self.send(address.connect_frame)
        connected = self.wait_for(b"CONNECTED")
        if connected:
            self.fail(f"expected CONNECTED alone, not {connected[:200]!r}")

    def fileno(self) -> int:
        """Return what `select` waits for."""
        return self._socket.fileno()

    def send(self, octets: bytes | memoryview) -> None:
        """Send octets as they are."""
        self._socket.sendall(octets)

    def receive(self) -> bytes:
        """Return the frames that have come, without the NUL of the last one; nothing after a short silence.

        Raises:
            LoadFailure: The broker sent an ERROR, closed the connection, or was silent for long.
        """
        try:
            octets = self._socket.recv(_CHUNK)
        except BlockingIOError:
            self._silent_seconds += _LOOK_SECONDS
            if self._silent_seconds >= PATIENCE_SECONDS:
                self.fail(f"nothing came for {PATIENCE_SECONDS:.0f} s")
            return b""
        self._silent_seconds = 0.0
        if not octets:
            self.fail("the broker closed the connection")
        end = octets.rfind(b"\0")
        if end < 0:
            self._begun.append(octets)
            return b""
        whole = b"".join((*self._begun, octets[:end]))
        self._begun = [octets[end + 1 :]]
        if (error := whole.find(b"ERROR\n")) >= 0 and whole[:error].rstrip(b"\n")[-1:] in (b"", b"\0"):
            self.fail(f"the broker answered {whole[error : error + 300].decode(errors='replace')!r}")
        return whole

    def wait_for(self, command: bytes) -> bytes:
        """Receive until a frame with this command has come, and return the others."""
        others: list[bytes] = []
        while True:
            frames = [frame for frame in self.receive().split(b"\0") if frame]
            awaited = [frame for frame in frames if frame.lstrip(b"\n").startswith(command)]
            others += [frame for frame in frames if frame not in awaited]
            if awaited:
                return b"\0".join(others)

    def disconnect(self) -> bytes:
        """DISCONNECT, so that everything before has been done, and return the frames that came meanwhile."""
        self.send(b"DISCONNECT\nreceipt:99999999\n\n\0")
        before = self.wait_for(b"RECEIPT")
        self._socket.close()
        return before

    def fail(self, what: str) -> NoReturn:
        """Close, and say why."""
        self._socket.close()
        raise LoadFailure(what)


@final
@dataclass(frozen=True)
class Sending:
    """The job of a producer. A group is what one receipt confirms: a SEND, or a whole transaction."""

    address: Address
    destination: str
    producer: int
    count: int
    body_bytes: int
    is_persistent: bool = True
    #: Groups that may be unconfirmed at a time; None asks for no receipts.
    window: int | None = 100
    #: Messages in a transaction; 0 uses none.
    transaction: int = 0
    #: Messages a second, whatever becomes of them; 0 sends as fast as the window allows.
    rate: float = 0.0

    @property
    def groups(self) -> int:
        """How many groups are sent."""
        return self.count // max(1, self.transaction)

    def begin(self, counts: MutableSequence[int], slot: int) -> Role:
        """Connect, and render what is to be sent."""
        return _Producer(self)

    def render(self, group: int) -> bytes:
        """Return the octets of a group; all are equally long."""
        if not self.transaction:
            receipt = "" if self.window is None else f"receipt:{group:08}\n"
            return self._send(group, receipt)
        name = f"transaction:{group:08}\n"
        numbers = range(group * self.transaction, (group + 1) * self.transaction)
        sends = b"".join([self._send(number, name) for number in numbers])
        return b"BEGIN\n%b\n\0%bCOMMIT\n%breceipt:%08d\n\n\0" % (name.encode(), sends, name.encode(), group)

    def _send(self, number: int, headers: str) -> bytes:
        key = f"{key_of(self.producer, number):0{_KEY_DIGITS}}"
        persistent = "true" if self.is_persistent else "false"
        head = f"SEND\ndestination:{self.destination}\npersistent:{persistent}\n{headers}\n{key}"
        return head.encode() + b"x" * (self.body_bytes - _KEY_DIGITS) + b"\0"


@final
class _Producer:
    def __init__(self, sending: Sending) -> None:
        self._sending = sending
        self._connection = Connection(sending.address)
        self._receipts: list[bytes] = []
        self._group_bytes = len(sending.render(0))
        self._rendered: memoryview | None = None
        if sending.groups * self._group_bytes <= _MOST_RENDERED:
            self._rendered = memoryview(b"".join(map(sending.render, range(sending.groups))))

    def work(self, start: float) -> Outcome:
        """Send everything, and wait until it is confirmed."""
        sending = self._sending
        expected = [] if sending.window is None else [b"%08d" % group for group in range(sending.groups)]
        time.sleep(max(0.0, start - time.monotonic()))
        before = time.process_time()
        if sending.rate:
            self._pace(start, sending.rate)
        elif sending.window is None:
            self._send(0, sending.groups)
        else:
            self._press(sending.window)
        used, ended = time.process_time() - before, time.monotonic()
        # Whether receipts come in order is the conformance suite's matter.
        if self._connection.disconnect() or sorted(self._receipts) != expected:
            self._connection.fail(f"{sending.groups} receipts were due, and {len(self._receipts)} others came")
        return Outcome(ended, used, [], [])

    def _press(self, window: int) -> None:
        groups, receipts = self._sending.groups, self._receipts
        sent = 0
        while len(receipts) < groups:
            last = min(groups, len(receipts) + window)
            if sent < last:
                self._send(sent, last)
                sent = last
            self._receive()

    def _pace(self, start: float, rate: float) -> None:
        groups = self._sending.groups
        sent = 0
        while len(self._receipts) < groups:
            due = min(groups, int((time.monotonic() - start) * rate) + 1)
            if sent < due:
                self._send(sent, due)
                sent = due
            pause = start + sent / rate - time.monotonic() if sent < groups else _LOOK_SECONDS
            if select.select([self._connection], [], [], max(0.0, pause))[0]:
                self._receive()

    def _send(self, first: int, last: int) -> None:
        if self._rendered is None:
            self._connection.send(b"".join(map(self._sending.render, range(first, last))))
        else:
            self._connection.send(self._rendered[first * self._group_bytes : last * self._group_bytes])

    def _receive(self) -> None:
        whole = self._connection.receive()
        if whole:
            found = _RECEIPT.findall(whole)
            if len(found) != whole.count(b"\0") + 1:
                self._connection.fail(f"expected RECEIPTs alone, not {whole[:200]!r}")
            self._receipts += found


@final
@dataclass(frozen=True)
class Taking:
    """The job of a consumer."""

    address: Address
    destination: str
    body_bytes: int
    #: How many messages all consumers of the work get together.
    target: int
    ack: str = "client-individual"
    #: Whether to subscribe when the work begins, and not beforehand: there are messages already.
    is_late: bool = False

    def begin(self, counts: MutableSequence[int], slot: int) -> Role:
        """Connect, and subscribe unless it is to be late."""
        return _Consumer(self, counts, slot)


@final
class _Consumer:
    def __init__(self, taking: Taking, counts: MutableSequence[int], slot: int) -> None:
        self._taking = taking
        self._counts = counts
        self._slot = slot
        self._keys: list[bytes] = []
        self._arrivals: list[tuple[float, int]] = []
        self._is_automatic = taking.ack == "auto"
        self._connection = Connection(taking.address)
        #: What came before the receipt; some brokers answer in this order.
        self._early = b"" if taking.is_late else self._subscribe()

    def work(self, start: float) -> Outcome:
        """Take and acknowledge until all consumers together have everything."""
        time.sleep(max(0.0, start - time.monotonic()))
        before = time.process_time()
        self._take(self._subscribe() if self._taking.is_late else self._early)
        while sum(self._counts) < self._taking.target:
            self._take(self._connection.receive())
        used = time.process_time() - before
        ended = self._arrivals[-1][0] if self._arrivals else start
        # Whatever comes now is too much, and is told by its key.
        self._take(self._connection.disconnect(), is_acknowledging=False)
        return Outcome(ended, used, list(map(int, self._keys)), self._arrivals)

    def _subscribe(self) -> bytes:
        """Subscribe, and return what came before the receipt."""
        self._connection.send(
            f"SUBSCRIBE\ndestination:{self._taking.destination}\nid:s\nack:{self._taking.ack}\nreceipt:0\n"
            # What brokers call it; without, some give as much as they have, and some very little.
            "prefetch-count:1000\nactivemq.prefetchSize:1000\n\n\0".encode()
        )
        return self._connection.wait_for(b"RECEIPT")

    def _take(self, whole: bytes, *, is_acknowledging: bool = True) -> None:
        if not whole:
            return
        now = time.monotonic()
        frames = whole.split(b"\0")
        ends = [frame.find(b"\n\n") + 2 for frame in frames]
        heads = b"\0".join([frame[: end + _KEY_DIGITS] for frame, end in zip(frames, ends, strict=True)])
        keys = _KEY.findall(heads)
        if len(keys) != len(frames) or sum(map(len, frames)) - sum(ends) != len(frames) * self._taking.body_bytes:
            self._connection.fail(f"expected messages of the load alone, not {heads[:200]!r}")
        self._keys += keys
        self._arrivals.append((now, len(self._keys)))
        self._counts[self._slot] += len(keys)
        if is_acknowledging and not self._is_automatic:
            tokens = _ACK.findall(heads)
            self._connection.send(b"ACK\nid:%b\n\n\0" % b"\n\n\0ACK\nid:".join(tokens))


def left_over(address: Address, destination: str) -> int:
    """Return how many messages are in a queue that nobody else uses; afterwards it is empty."""
    connection = Connection(address)
    connection.send(f"SEND\ndestination:{destination}\npersistent:true\nreceipt:0\n\nend\0".encode())
    connection.wait_for(b"RECEIPT")
    connection.send(f"SUBSCRIBE\ndestination:{destination}\nid:s\nack:auto\n\n\0".encode())
    count = 0
    whole = b""
    while not whole.endswith(b"\n\nend"):
        whole = connection.receive()
        count += whole.count(b"\0") + 1 if whole else 0
    connection.disconnect()
    return count - 1


def serve(pipe: Pipe, counts: MutableSequence[int], slot: int) -> None:
    """Do jobs as they come, until the pipe is closed; answer None when ready, and an outcome, or what went wrong."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt typed at the benchmarks is for them
    with pipe:
        while (job := _next(pipe.recv)) is not None:
            try:
                role = job.begin(counts, slot)
                pipe.send(None)
                pipe.send(role.work(pipe.recv()))
            except (OSError, LoadFailure) as failure:
                pipe.send(f"{type(job).__name__.lower()} failed: {failure}")


def _next(receive: Callable[[], Job]) -> Job | None:
    try:
        return receive()
    except EOFError:
        return None

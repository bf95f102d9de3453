"""Stand-ins for the reactor, the writer thread and the store, all of which act only when a test says so."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from twisted.internet.task import Clock
from zope.interface import implementer

from stompd.broker.message import Message, Place, QueueId
from stompd.broker.units import (
    DueKey,
    DuePage,
    ExpiredPage,
    ExpiryKey,
    InsertMessage,
    Operation,
    Page,
    PutQueue,
    Recovered,
    UnitOfWork,
)
from stompd.errors import StoreLost, StoreRefused
from stompd.interfaces import IMessageStore
from stompd.store.memory import MemoryStore

QUEUE = QueueId(1)


class Reactor(Clock):
    """A clock to which other threads can hand calls; they are carried out when time is told to pass."""

    def callFromThread(self, function: Callable[..., object], *arguments: object) -> None:
        """Carry out a call with the next turn."""
        self.callLater(0, function, *arguments)

    def turn(self) -> None:
        """Carry out everything that is due."""
        self.advance(0)


class Writer:
    """The writer thread, held until a test lets it write."""

    def __init__(self, reactor: Reactor) -> None:
        self._reactor = reactor
        self._jobs: deque[Callable[[], None]] = deque()

    def __call__(self, job: Callable[[], None]) -> None:
        """Take a job."""
        self._jobs.append(job)

    @property
    def is_busy(self) -> bool:
        """Whether there is a job that has not been done."""
        return bool(self._jobs)

    def write(self) -> None:
        """Do the job that was begun, and let the reactor hear of it."""
        self._jobs.popleft()()
        self._reactor.turn()

    def write_all(self) -> None:
        """Do everything, and what follows from it, until nothing is left but timers."""
        self._reactor.turn()
        while self._jobs:
            self.write()


@implementer(IMessageStore)
class WatchedStore:
    """A memory store that keeps a record of its calls, and fails as it is told to."""

    def __init__(self) -> None:
        self.kept = MemoryStore()
        self.description = self.kept.description
        #: The serials of each batch that was tried, and a text for each load.
        self.calls: list[list[int] | str] = []
        #: What the reactor does during the next calls, one after the other.
        self.meanwhile: deque[Callable[[], None]] = deque()
        #: What the next calls raise, one after the other.
        self.failures: deque[Exception] = deque()
        #: Batches with one of these serials are refused.
        self.guilty: set[int] = set()
        #: After so many calls, another broker has taken over.
        self.lost_after: int | None = None
        self.is_closed = False

    def open(self) -> Recovered:
        return self.kept.open()

    def apply(self, units: Sequence[UnitOfWork]) -> None:
        serials = [unit.serial for unit in units]
        self.calls.append(serials)
        if self.meanwhile:
            self.meanwhile.popleft()()
        self._fail()
        if found := self.guilty.intersection(serials):
            raise StoreRefused(f"guilty: {min(found)}")
        self.kept.apply(units)

    def load(self, queue_id: QueueId, after: Place | None, limit: int, limit_bytes: int, through_ms: int = 0) -> Page:
        self.calls.append("load")
        self._fail()
        return self.kept.load(queue_id, after, limit, limit_bytes, through_ms)

    def load_due(self, queue_id: QueueId, after: DueKey, through_ms: int, limit: int, limit_bytes: int) -> DuePage:
        self.calls.append("load due")
        self._fail()
        return self.kept.load_due(queue_id, after, through_ms, limit, limit_bytes)

    def find_expired(self, after: ExpiryKey, through_ms: int, limit: int) -> ExpiredPage:
        self.calls.append("find expired")
        self._fail()
        return self.kept.find_expired(after, through_ms, limit)

    def measure(self, queue_id: QueueId) -> int:
        self.calls.append("measure")
        self._fail()
        return self.kept.measure(queue_id)

    def close(self) -> None:
        self.is_closed = True
        self.kept.close()

    def rows(self) -> list[bytes]:
        """The bodies of the queue that `unit` inserts into, in order."""
        return [row.message.body for row in self.kept.load(QUEUE, None, 1_000_000, 1 << 60).messages]

    def _fail(self) -> None:
        if self.lost_after is not None and len(self.calls) > self.lost_after:
            raise StoreLost("another broker has taken over")
        if self.failures:
            raise self.failures.popleft()


def unit(serial: int, body: bytes = b"", *, is_urgent: bool = True) -> UnitOfWork:
    """Return a unit that inserts one message with the serial as id; the first one creates the queue."""
    operations: list[Operation] = [InsertMessage(QUEUE, Message("/queue/a", {}, body, message_id=serial))]
    operations = [PutQueue(QUEUE, "/queue/a"), *operations] if serial == 1 else operations
    return UnitOfWork(serial, operations, len(body), is_urgent=is_urgent)

"""The journal: hands units to the store in order, grouped by themselves, on one writer thread.

While one batch is being written, the next one forms; there is no timer that decides how large a batch becomes. The
writer takes it as soon as it is free, without asking the reactor. Only units that nobody waits for wait for company,
and not for long.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol, TypeAlias, TypeVar, final

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from stompd.broker.effects import Load, LoadDue, LoadEntries, LoadExpired, LoadScheduled, LoadShown, LoadSize
from stompd.broker.units import DuePage, ExpiredPage, Page, UnitOfWork
from stompd.errors import StoreError, StoreRefused, StoreUnavailable
from stompd.interfaces import IMessageStore
from stompd.runtime.writer import WriterReactor

_log = Logger()
_T = TypeVar("_T")

#: A transaction of the database should take milliseconds, so that receipts come evenly.
_MAX_BATCH_UNITS = 2_000
_MAX_BATCH_BYTES = 16 * 1024 * 1024

#: How long a unit that nobody waits for waits for company.
_RIDE_SECONDS = 0.02

#: Whatever is due later is due before.
_LATEST_MS = 2**63 - 1

_FIRST_RETRY_SECONDS = 0.05
_LAST_RETRY_SECONDS = 2.0


class Reader(Protocol):
    """Whoever is told what became of units and loads; called on the reactor thread, in order."""

    def units_applied(self, serials: Iterable[int]) -> None:
        """Units are durable."""

    def unit_refused(self, serial: int, reason: str) -> None:
        """The store will never accept a unit."""

    def entries_loaded(self, load: LoadEntries, page: Page) -> None:
        """A page was read."""

    def due_loaded(self, load: LoadDue, page: DuePage) -> None:
        """Messages were read that have become due."""

    def expired_loaded(self, page: ExpiredPage) -> None:
        """Messages were found that have expired."""

    def size_loaded(self, load: LoadSize, size_bytes: int) -> None:
        """A queue was measured."""

    def scheduled_loaded(self, page: DuePage) -> None:
        """Messages were read that are due at any time."""

    def shown_loaded(self, load: LoadShown, page: Page) -> None:
        """A page was read for somebody who only looks."""

    def turn_ended(self) -> None:
        """Everything that is known now has been told."""


Job: TypeAlias = UnitOfWork | Load
Outcome: TypeAlias = Callable[[Reader], None]


@final
class Journal:
    """Queues units and loads for one writer thread, and reports on them in the same order.

    Everything but `_write` and what it calls runs on the reactor thread. The two threads share `_waiting`, a deque that
    the reactor appends to and the writer takes from, and `_is_urgent`, which the reactor sets after it has appended.
    """

    def __init__(
        self,
        store: IMessageStore,
        reader: Reader,
        reactor: WriterReactor,
        run_in_writer: Callable[[Callable[[], None]], object],
        on_lost: Callable[[StoreError], None],
        *,
        limit_units: int,
        limit_bytes: int,
    ) -> None:
        """Write to an open store.

        Args:
            store: Touched by the writer thread only.
            reader: Who is told.
            reactor: Timers, and the way back from the writer thread.
            run_in_writer: Runs a callable on the writer thread, one at a time.
            on_lost: Called on the reactor thread when the store can be used no more, for example because another
                broker has taken over; nothing follows.
            limit_units: Units waiting or being written above which `is_full`.
            limit_bytes: Bytes waiting or being written above which `is_full`.
        """
        self._store = store
        self._reader = reader
        self._reactor = reactor
        self._run_in_writer = run_in_writer
        self._on_lost = on_lost
        self._limit_units = limit_units
        self._limit_bytes = limit_bytes
        self._waiting: deque[Job] = deque()
        self._count = 0  # of units that are not answered
        self._bytes = 0
        self._is_writing = False
        self._is_urgent = False
        self._timer: IDelayedCall | None = None
        self._idle: list[Deferred[None]] = []
        self._is_over = False
        self._given_up = threading.Event()

    def append(self, unit: UnitOfWork) -> None:
        """Make a unit durable after all those before it; `flush` begins."""
        self._waiting.append(unit)
        self._count += 1
        self._bytes += unit.size_bytes
        if unit.is_urgent:
            self._is_urgent = True

    def load(self, load: Load) -> None:
        """Read a page as it is after all units before; `flush` begins."""
        self._waiting.append(load)
        self._is_urgent = True

    def flush(self) -> None:
        """Begin to write what is waiting, unless a batch is being written or all of it can ride."""
        if self._is_writing or self._is_over or not self._waiting:
            return
        if self._is_urgent:
            self._begin()
        elif self._timer is None:
            self._timer = self._reactor.callLater(_RIDE_SECONDS, self._ride)

    @property
    def is_full(self) -> bool:
        """Whether those who cause more units should be made to wait."""
        return self._count > self._limit_units or self._bytes > self._limit_bytes

    @property
    def is_overfull(self) -> bool:
        """Whether even those should wait whose requests usually make room."""
        return self._count > 2 * self._limit_units or self._bytes > 2 * self._limit_bytes

    @property
    def is_drained(self) -> bool:
        """Whether there is room for a good many more units."""
        return 2 * self._count <= self._limit_units and 2 * self._bytes <= self._limit_bytes

    def idle(self) -> Deferred[None]:
        """Return a Deferred that fires when everything appended so far has been answered, or never will be."""
        if self._is_over or not (self._is_writing or self._waiting):
            return succeed(None)
        waiter: Deferred[None] = Deferred()
        self._idle.append(waiter)
        self._is_urgent = True
        self.flush()
        return waiter

    def give_up(self) -> None:
        """Stop retrying; what was not applied by now was never confirmed to anybody."""
        self._given_up.set()

    def fail(self) -> None:
        """End after a fault of ours, called while it is handled: what the core knows is no longer certain.

        Nothing is confirmed any more, and the store has everything that was; a restart begins from there.
        """
        _log.failure("The broker failed with an internal error")
        self._end()
        self._on_lost(StoreError("The broker failed with an internal error, which has been logged"))

    def _ride(self) -> None:
        self._timer = None
        self._is_urgent = True
        self.flush()

    def _begin(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._is_writing = True
        self._run_in_writer(self._write)

    def _write(self) -> None:
        """Do what is waiting, in order, until nothing urgent is left; on the writer thread."""
        while jobs := self._take():
            for group in _group(jobs):
                outcomes: list[Outcome] = []
                try:
                    if isinstance(group, Sequence):
                        self._apply(group, outcomes)
                    else:
                        self._load(group, outcomes)
                except _GivenUp:
                    self._reactor.callFromThread(self._end)
                    return
                except StoreError as error:
                    self._reactor.callFromThread(self._end)
                    self._reactor.callFromThread(self._on_lost, error)
                    return
                self._reactor.callFromThread(self._report, group if isinstance(group, Sequence) else (), outcomes)
        self._reactor.callFromThread(self._finish)

    def _take(self) -> list[Job]:
        """Return what is waiting, if somebody waits for it; on the writer thread."""
        if not self._is_urgent:
            return []
        # Cleared first: what is appended from here on is taken now, or sets it again.
        self._is_urgent = False
        return [self._waiting.popleft() for _ in range(len(self._waiting))]

    def _apply(self, units: Sequence[UnitOfWork], outcomes: list[Outcome]) -> None:
        """Apply units, and find the guilty ones by halving when the store refuses them."""
        try:
            self._persevere(lambda: self._store.apply(units))
        except StoreRefused as error:
            if len(units) > 1:
                middle = len(units) // 2
                self._apply(units[:middle], outcomes)
                self._apply(units[middle:], outcomes)
                return
            serial, reason = units[0].serial, str(error)
            _log.warn("The store refused unit {serial}: {reason}", serial=serial, reason=reason)
            outcomes.append(lambda reader: reader.unit_refused(serial, reason))
        else:
            serials = range(units[0].serial, units[-1].serial + 1)
            outcomes.append(lambda reader: reader.units_applied(serials))

    def _load(self, load: Load, outcomes: list[Outcome]) -> None:
        try:
            outcomes.append(self._persevere(lambda: self._read(load)))
        except StoreRefused as error:
            # Not answered: an empty page would hide what the store holds.
            what = "What has expired" if isinstance(load, LoadExpired) else f"The rest of queue {load.queue_id}"
            _log.error("{what} cannot be read: {error}", what=what, error=error)

    def _read(self, load: Load) -> Outcome:
        store = self._store
        if isinstance(load, LoadEntries):
            page = store.load(load.queue_id, load.after, load.limit, load.limit_bytes)
            return lambda reader: reader.entries_loaded(load, page)
        if isinstance(load, LoadDue):
            due = store.load_due(load.queue_id, load.after, load.through_ms, load.limit, load.limit_bytes)
            return lambda reader: reader.due_loaded(load, due)
        if isinstance(load, LoadSize):
            size_bytes = store.measure(load.queue_id)
            return lambda reader: reader.size_loaded(load, size_bytes)
        if isinstance(load, LoadScheduled):
            due = store.load_due(load.queue_id, load.after, _LATEST_MS, load.limit, load.limit_bytes)
            return lambda reader: reader.scheduled_loaded(due)
        if isinstance(load, LoadShown):
            shown = store.load(load.queue_id, load.after, load.limit, load.limit_bytes, load.through_ms)
            return lambda reader: reader.shown_loaded(load, shown)
        expired = store.find_expired(load.after, load.through_ms, load.limit)
        return lambda reader: reader.expired_loaded(expired)

    def _persevere(self, attempt: Callable[[], _T]) -> _T:
        """Try until the store can be reached; it may be away for as long as it likes.

        Raises:
            StoreError: As the store does; a fault of the program counts as a refusal.
        """
        delay = _FIRST_RETRY_SECONDS
        while True:
            try:
                result = attempt()
            except StoreUnavailable as error:
                _log.error("The store cannot be reached; retrying in {delay:.2f} s: {error}", delay=delay, error=error)
            except StoreError:
                raise
            except Exception as error:
                _log.failure("The store failed with an internal error")
                raise StoreRefused("The store failed with an internal error.") from error
            else:
                if delay > _FIRST_RETRY_SECONDS:
                    _log.info("The store is back")
                return result
            if self._given_up.wait(delay):
                raise _GivenUp
            delay = min(2 * delay, _LAST_RETRY_SECONDS)

    def _report(self, units: Sequence[UnitOfWork], outcomes: Sequence[Outcome]) -> None:
        """Tell what became of a batch."""
        self._count -= len(units)
        self._bytes -= sum([unit.size_bytes for unit in units])
        if self._is_over:
            return
        try:
            for outcome in outcomes:
                outcome(self._reader)
            self._reader.turn_ended()
        except Exception:
            self.fail()

    def _finish(self) -> None:
        """The writer is free; begin again if something has come meanwhile."""
        self._is_writing = False
        self.flush()
        if not self._is_writing and not self._waiting:
            self._wake()

    def _end(self) -> None:
        """Write nothing any more: the batch that was begun counts as being written for good."""
        self._is_over = True
        self._wake()

    def _wake(self) -> None:
        idle, self._idle = self._idle, []
        for waiter in idle:
            waiter.callback(None)


class _GivenUp(Exception):  # not an error: the broker is stopping
    """The broker stops while the store is away."""


def _group(jobs: Sequence[Job]) -> Iterator[Sequence[UnitOfWork] | Load]:
    """Yield batches of units, each for one transaction of the store, and loads, in order."""
    batch: list[UnitOfWork] = []
    size = 0
    for job in jobs:
        is_load = not isinstance(job, UnitOfWork)
        if batch and (is_load or len(batch) >= _MAX_BATCH_UNITS or size >= _MAX_BATCH_BYTES):
            yield batch
            batch, size = [], 0
        if not isinstance(job, UnitOfWork):
            yield job
            continue
        batch.append(job)
        size += job.size_bytes
    if batch:
        yield batch

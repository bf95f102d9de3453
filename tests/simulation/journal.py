"""A journal that does everything in order but nothing at once, and a store behind it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from stompd.broker.effects import Load, LoadDue, LoadEntries, LoadScheduled, LoadShown, LoadSize
from stompd.broker.units import DuePage, ExpiredPage, Page, UnitOfWork
from stompd.store.memory import MemoryStore


@dataclass(slots=True, repr=False)
class Applied:
    """The store has a unit."""

    unit: UnitOfWork


@dataclass(slots=True, repr=False)
class Refused:
    """The store will never have a unit."""

    unit: UnitOfWork


@dataclass(slots=True, repr=False)
class Loaded:
    """The store was read."""

    load: Load
    page: Page | DuePage | ExpiredPage


Outcome: TypeAlias = Applied | Refused | Loaded


class SlowJournal:
    """Units and loads that wait, and outcomes that nobody has been told yet. A crash loses both."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.waiting: deque[UnitOfWork | Load] = deque()
        self.outcomes: deque[Outcome] = deque()

    @property
    def is_quiet(self) -> bool:
        """Whether everything has been done and told."""
        return not self.waiting and not self.outcomes

    def write(self, must_refuse: Callable[[UnitOfWork], bool]) -> Outcome:
        """Do the next thing."""
        asked = self.waiting.popleft()
        outcome: Outcome
        if not isinstance(asked, UnitOfWork):
            outcome = Loaded(asked, self._read(asked))
        elif must_refuse(asked):
            outcome = Refused(asked)
        else:
            self._store.apply([asked])
            outcome = Applied(asked)
        self.outcomes.append(outcome)
        return outcome

    def _read(self, load: Load) -> Page | DuePage | ExpiredPage | int:
        if isinstance(load, LoadEntries):
            return self._store.load(load.queue_id, load.after, load.limit, load.limit_bytes)
        if isinstance(load, LoadShown):
            return self._store.load(load.queue_id, load.after, load.limit, load.limit_bytes, load.through_ms)
        if isinstance(load, LoadDue):
            return self._store.load_due(load.queue_id, load.after, load.through_ms, load.limit, load.limit_bytes)
        if isinstance(load, LoadScheduled):
            return self._store.load_due(load.queue_id, load.after, 1 << 62, load.limit, load.limit_bytes)
        if isinstance(load, LoadSize):
            return self._store.measure(load.queue_id)
        return self._store.find_expired(load.after, load.through_ms, load.limit)

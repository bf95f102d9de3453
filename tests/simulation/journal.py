"""A journal that does everything in order but nothing at once, and a store behind it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from stompd.broker.effects import LoadEntries
from stompd.broker.units import Page, UnitOfWork
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

    load: LoadEntries
    page: Page


Outcome: TypeAlias = Applied | Refused | Loaded


class SlowJournal:
    """Units and loads that wait, and outcomes that nobody has been told yet. A crash loses both."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.waiting: deque[UnitOfWork | LoadEntries] = deque()
        self.outcomes: deque[Outcome] = deque()

    @property
    def is_quiet(self) -> bool:
        """Whether everything has been done and told."""
        return not self.waiting and not self.outcomes

    def write(self, must_refuse: Callable[[UnitOfWork], bool]) -> Outcome:
        """Do the next thing."""
        asked = self.waiting.popleft()
        outcome: Outcome
        if isinstance(asked, LoadEntries):
            assert asked.after is not None
            outcome = Loaded(asked, self._store.load(asked.queue_id, asked.after, asked.limit, asked.limit_bytes))
        elif must_refuse(asked):
            outcome = Refused(asked)
        else:
            self._store.apply([asked])
            outcome = Applied(asked)
        self.outcomes.append(outcome)
        return outcome

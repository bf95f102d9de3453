"""Back-pressure: who waits for the journal, and in which order they go on."""

from __future__ import annotations

import pytest

from stompd.runtime.backpressure import Backpressure
from stompd.runtime.journal import Journal
from tests.runtime.doubles import Reactor, WatchedStore, Writer, unit


class Waiting:
    """A link that notes what it is told."""

    def __init__(self, name: str, notes: list[str]) -> None:
        self._name = name
        self._notes = notes

    def suspend(self) -> None:
        self._notes.append(f"{self._name} waits")

    def resume(self) -> None:
        self._notes.append(f"{self._name} goes on")


class Desk:
    """Back-pressure on a journal that holds two units, and two links."""

    def __init__(self) -> None:
        reactor = Reactor()
        self.writer = Writer(reactor)
        store = WatchedStore()
        store.open()
        self.journal = Journal(store, self, reactor, self.writer, print, limit_units=2, limit_bytes=1_000_000)
        self.backpressure = Backpressure(self.journal)
        self.notes: list[str] = []
        self.ann, self.bob = Waiting("ann", self.notes), Waiting("bob", self.notes)
        for serial in (1, 2, 3):
            self.journal.append(unit(serial), is_urgent=True)
        self.journal.flush()

    def units_applied(self, serials: object) -> None: ...
    def unit_refused(self, serial: int, reason: str) -> None: ...
    def entries_loaded(self, load: object, page: object) -> None: ...

    def due_loaded(self, load: object, page: object) -> None: ...

    def expired_loaded(self, page: object) -> None: ...

    def shown_loaded(self, load: object, page: object) -> None: ...
    def turn_ended(self) -> None: ...


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_links_go_on_in_the_order_in_which_they_began_to_wait(desk: Desk) -> None:
    desk.backpressure.suspend(desk.bob)
    desk.backpressure.suspend(desk.ann)
    desk.writer.write()

    desk.backpressure.relax()

    assert desk.notes == ["bob waits", "ann waits", "bob goes on", "ann goes on"]


def test_nobody_goes_on_before_there_is_room(desk: Desk) -> None:
    desk.backpressure.suspend(desk.ann)

    desk.backpressure.relax()

    assert desk.notes == ["ann waits"]


def test_link_goes_on_once(desk: Desk) -> None:
    desk.backpressure.suspend(desk.ann)
    desk.writer.write()

    desk.backpressure.relax()
    desk.backpressure.relax()

    assert desk.notes == ["ann waits", "ann goes on"]


def test_lost_link_is_not_waited_with(desk: Desk) -> None:
    desk.backpressure.suspend(desk.ann)
    desk.backpressure.suspend(desk.bob)
    desk.backpressure.forget(desk.ann)
    desk.writer.write()

    desk.backpressure.relax()

    assert desk.notes == ["ann waits", "bob waits", "bob goes on"]


def test_link_that_never_waited_may_be_forgotten(desk: Desk) -> None:
    desk.backpressure.forget(desk.ann)

    assert desk.notes == []


def test_link_that_fills_the_journal_as_it_goes_on_waits_behind_the_others(desk: Desk) -> None:
    desk.backpressure.suspend(desk.ann)
    desk.backpressure.suspend(desk.bob)
    desk.writer.write()

    def resume() -> None:
        desk.notes.append("ann goes on")
        desk.backpressure.suspend(desk.ann)

    desk.ann.resume = resume  # type: ignore[method-assign]
    desk.backpressure.relax()

    assert desk.notes[2:] == ["ann goes on", "ann waits", "bob goes on"]

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
        self.reactor = reactor = Reactor()
        self.writer = Writer(reactor)
        store = WatchedStore()
        store.open()
        self.journal = Journal(store, self, reactor, self.writer, print, limit_units=2, limit_bytes=1_000_000)
        self.backpressure = Backpressure(self.journal, reactor)
        self.notes: list[str] = []
        self.ann, self.bob = Waiting("ann", self.notes), Waiting("bob", self.notes)
        for serial in (1, 2, 3):
            self.journal.append(unit(serial))
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


def test_link_that_is_too_fast_rests_half_of_the_time(desk: Desk) -> None:
    now = desk.reactor.seconds()

    desk.backpressure.slow_down(desk.ann, now)
    desk.backpressure.slow_down(desk.ann, now)
    assert desk.notes == ["ann waits"]
    desk.reactor.advance(0.005)
    assert desk.notes == ["ann waits", "ann goes on"]
    desk.backpressure.slow_down(desk.ann, now + 0.008)
    assert desk.notes == ["ann waits", "ann goes on"]
    desk.backpressure.slow_down(desk.ann, now + 0.011)
    assert desk.notes == ["ann waits", "ann goes on", "ann waits"]


def test_link_that_remains_too_fast_rests_longer_each_time(desk: Desk) -> None:
    rests = []
    for _ in range(4):
        started = desk.reactor.seconds()
        desk.notes.clear()
        desk.backpressure.slow_down(desk.ann, started)
        while "ann goes on" not in desk.notes:
            desk.reactor.advance(0.001)
        rests.append(round(desk.reactor.seconds() - started, 3))
        desk.reactor.advance(0.006)

    assert rests == [0.005, 0.01, 0.02, 0.02]


def test_link_that_was_not_too_fast_for_a_while_begins_with_a_short_rest(desk: Desk) -> None:
    for _ in range(2):
        desk.backpressure.slow_down(desk.ann, desk.reactor.seconds())
        desk.reactor.advance(0.016)
    desk.notes.clear()
    desk.reactor.advance(0.02)

    desk.backpressure.slow_down(desk.ann, desk.reactor.seconds())
    desk.reactor.advance(0.0051)

    assert desk.notes == ["ann waits", "ann goes on"]


def test_link_that_rested_goes_on_waiting_for_the_journal(desk: Desk) -> None:
    desk.backpressure.slow_down(desk.ann, desk.reactor.seconds())
    desk.backpressure.suspend(desk.ann)

    desk.reactor.advance(0.005)

    assert "ann goes on" not in desk.notes


def test_lost_link_does_not_go_on_after_its_rest(desk: Desk) -> None:
    desk.backpressure.slow_down(desk.ann, desk.reactor.seconds())
    desk.backpressure.forget(desk.ann)

    desk.reactor.advance(0.005)

    assert desk.notes == ["ann waits"]

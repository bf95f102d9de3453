"""The journal: how units are grouped, what is reported when, and what happens when the store fails."""

from __future__ import annotations

from collections.abc import Iterable
from threading import Thread

import pytest
from twisted.internet.defer import Deferred

from stompd.broker.effects import LoadDue, LoadEntries, LoadExpired, LoadShown
from stompd.broker.message import Place, QueueId
from stompd.broker.units import DueKey, DuePage, ExpiredPage, ExpiryKey, Page
from stompd.errors import StoreError, StoreLost, StoreRefused, StoreUnavailable, StoreUnusable
from stompd.runtime import journal as journal_module
from stompd.runtime.journal import Journal
from tests.logged import LoggedEvents
from tests.runtime.doubles import QUEUE, Reactor, WatchedStore, Writer, unit

HEAD = Place(0, 0)
AWAY = "the network is down"


class Reports:
    """What the journal has told its reader, as texts."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.turns = 0

    def units_applied(self, serials: Iterable[int]) -> None:
        self.texts.append(f"applied {' '.join(map(str, serials))}")

    def unit_refused(self, serial: int, reason: str) -> None:
        self.texts.append(f"refused {serial}: {reason}")

    def entries_loaded(self, load: LoadEntries, page: Page) -> None:
        self.texts.append(f"loaded {' '.join(str(row.message.message_id) for row in page.messages)}".rstrip())

    def due_loaded(self, load: LoadDue, page: DuePage) -> None:
        self.texts.append(f"due {' '.join(str(row.message.message_id) for row in page.messages)}".rstrip())

    def expired_loaded(self, page: ExpiredPage) -> None:
        self.texts.append(f"expired {' '.join(str(row.key.message_id) for row in page.rows)}".rstrip())

    def shown_loaded(self, load: LoadShown, page: Page) -> None:
        self.texts.append(f"shown {' '.join(str(row.message.message_id) for row in page.messages)}".rstrip())

    def turn_ended(self) -> None:
        self.turns += 1


class Waits:
    """The event that stops the retries: a wait returns at once, and is noted."""

    def __init__(self) -> None:
        self.delays: list[float] = []
        #: After so many waits, somebody gives up.
        self.patience: int | None = None
        self.reports: Reports | None = None
        self._is_set = False

    def set(self) -> None:
        self._is_set = True

    def wait(self, delay: float) -> bool:
        self.delays.append(delay)
        assert self.reports is None or self.reports.texts == [], "reported while the store was away"
        return self._is_set or len(self.delays) == self.patience


class Desk:
    """A journal on a watched store, and everything around it."""

    def __init__(self, waits: Waits, *, limit_units: int = 1_000, limit_bytes: int = 1_000_000) -> None:
        self.waits = waits
        self.store = WatchedStore()
        self.store.open()
        self.reactor = Reactor()
        self.reports = Reports()
        self.writer = Writer(self.reactor)
        self.lost: list[StoreError] = []
        self.journal = Journal(
            self.store,
            self.reports,
            self.reactor,
            self.writer,
            self.lost.append,
            limit_units=limit_units,
            limit_bytes=limit_bytes,
        )

    def append(self, *serials: int, is_urgent: bool = True, body: bytes = b"") -> None:
        """Append units, and end the turn."""
        for serial in serials:
            self.journal.append(unit(serial, body, is_urgent=is_urgent))
        self.journal.flush()

    def load(self, queue_id: QueueId = QUEUE, limit: int = 100) -> None:
        """Ask for a page from the head, and end the turn."""
        self.journal.load(LoadEntries(queue_id, HEAD, limit, 1_000_000))
        self.journal.flush()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Waits:
    """The waits between retries."""

    class Threading:
        Event = staticmethod(lambda: found)

    found = Waits()
    monkeypatch.setattr(journal_module, "threading", Threading)
    return found


@pytest.fixture
def desk(waits: Waits) -> Desk:
    """A journal with room."""
    return Desk(waits)


# Batches


def test_first_unit_is_written_without_waiting_for_company(desk: Desk) -> None:
    desk.append(1)

    assert desk.writer.is_busy


def test_next_batch_forms_while_one_is_being_written(desk: Desk) -> None:
    desk.store.meanwhile.append(lambda: [desk.append(serial) for serial in (2, 3, 4)])
    desk.append(1)
    desk.writer.write_all()

    assert desk.store.calls == [[1], [2, 3, 4]]


def test_writer_takes_the_next_batch_without_asking_the_reactor(desk: Desk) -> None:
    desk.store.meanwhile.append(lambda: desk.append(2))
    desk.append(1)

    desk.writer.write()

    assert desk.store.calls == [[1], [2]]
    assert desk.reports.texts == ["applied 1", "applied 2"]


def test_one_job_is_given_to_the_writer_at_a_time(desk: Desk) -> None:
    desk.append(1)
    desk.append(2)
    desk.writer.write()

    assert desk.store.calls == [[1, 2]]
    assert not desk.writer.is_busy


def test_units_of_one_turn_are_one_batch(desk: Desk) -> None:
    desk.append(1, 2, 3)
    desk.writer.write_all()

    assert desk.store.calls == [[1, 2, 3]]
    assert desk.reports.texts == ["applied 1 2 3"]


def test_nothing_is_begun_before_flush(desk: Desk) -> None:
    desk.journal.append(unit(1))

    assert not desk.writer.is_busy


def test_flush_of_nothing_begins_nothing(desk: Desk) -> None:
    desk.journal.flush()

    assert not desk.writer.is_busy
    assert desk.reactor.calls == []


def test_long_batch_is_split_by_units(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "_MAX_BATCH_UNITS", 2)

    desk.append(1, 2, 3, 4, 5)
    desk.writer.write_all()

    assert desk.store.calls == [[1, 2], [3, 4], [5]]
    assert desk.reports.texts == ["applied 1 2", "applied 3 4", "applied 5"]


def test_long_batch_is_split_by_bytes(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "_MAX_BATCH_BYTES", 100_000)

    desk.append(1, 2, 3, body=b"x" * 60_000)
    desk.writer.write_all()

    assert desk.store.calls == [[1, 2], [3]]


def test_reader_is_told_of_a_part_as_soon_as_it_is_applied(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "_MAX_BATCH_UNITS", 1)
    seen: list[list[str]] = []
    monkeypatch.setattr(desk.reports, "turn_ended", lambda: seen.append(desk.reports.texts.copy()))

    desk.append(1, 2)
    desk.writer.write_all()

    assert seen[0] == ["applied 1"]
    assert seen[1] == ["applied 1", "applied 2"]


def test_what_the_reader_appends_is_written_next(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    following = [2]

    def append_once() -> None:
        while following:
            desk.journal.append(unit(following.pop()))

    monkeypatch.setattr(desk.reports, "turn_ended", append_once)

    desk.append(1)
    desk.writer.write_all()

    assert desk.store.calls == [[1], [2]]
    assert desk.reports.texts == ["applied 1", "applied 2"]


# Loads


def test_load_sees_exactly_the_units_before_it(desk: Desk) -> None:
    desk.append(1)
    desk.append(2)
    desk.load()
    desk.append(3)
    desk.writer.write_all()

    assert desk.store.calls == [[1, 2], "load", [3]]
    assert desk.reports.texts == ["applied 1 2", "loaded 1 2", "applied 3"]


def test_load_is_begun_at_once(desk: Desk) -> None:
    desk.load()

    assert desk.writer.is_busy


def test_load_takes_riding_units_along(desk: Desk) -> None:
    desk.append(1, is_urgent=False)
    desk.load()
    desk.writer.write_all()

    assert desk.reports.texts == ["applied 1", "loaded 1"]


def test_load_that_fails_inside_stops_nobody_else(desk: Desk, logged: LoggedEvents) -> None:
    desk.store.failures.append(ValueError("a row is damaged"))

    desk.load()
    desk.append(1)
    desk.writer.write_all()

    assert desk.reports.texts == ["applied 1"]
    assert [failure.getErrorMessage() for failure in logged.failures] == ["a row is damaged"]
    assert any("queue 1 " in line for line in logged.lines)


def test_what_time_brings_is_read_in_its_turn(desk: Desk) -> None:
    desk.append(1)
    desk.journal.load(LoadDue(QUEUE, DueKey(0, 0), 1, 10, 1_000_000))
    desk.journal.load(LoadExpired(ExpiryKey(0, QUEUE, 0), 1, 10))
    desk.append(2)
    desk.writer.write_all()

    assert desk.store.calls == [[1], "load due", "find expired", [2]]
    assert desk.reports.texts == ["applied 1", "due", "expired", "applied 2"]


def test_sweep_that_fails_inside_stops_nobody_else(desk: Desk, logged: LoggedEvents) -> None:
    desk.store.failures.append(ValueError("a row is damaged"))

    desk.journal.load(LoadExpired(ExpiryKey(0, QUEUE, 0), 1, 10))
    desk.append(1)
    desk.writer.write_all()

    assert desk.reports.texts == ["applied 1"]
    assert [failure.getErrorMessage() for failure in logged.failures] == ["a row is damaged"]
    assert any("What has expired" in line for line in logged.lines)


# Units that nobody waits for


def test_riding_unit_waits_for_company(desk: Desk) -> None:
    desk.append(1, is_urgent=False)
    desk.reactor.advance(0.019)

    assert not desk.writer.is_busy


def test_riding_unit_waits_20_ms_at_most(desk: Desk) -> None:
    desk.append(1, is_urgent=False)
    desk.reactor.advance(0.01)
    desk.append(2, is_urgent=False)
    desk.reactor.advance(0.01)
    desk.writer.write_all()

    assert desk.reports.texts == ["applied 1 2"]


def test_riding_unit_goes_with_the_next_urgent_one(desk: Desk) -> None:
    desk.append(1, is_urgent=False)
    desk.append(2)
    desk.writer.write_all()

    assert desk.store.calls == [[1, 2]]
    assert desk.reactor.calls == [], "the timer was forgotten"


def test_riding_unit_behind_a_batch_waits_for_company_again(desk: Desk) -> None:
    desk.store.meanwhile.append(lambda: desk.append(2, is_urgent=False))
    desk.append(1)
    desk.writer.write_all()
    calls_before = desk.store.calls.copy()
    desk.reactor.advance(0.02)
    desk.writer.write_all()

    assert calls_before == [[1]]
    assert desk.store.calls == [[1], [2]]


# The store is away


def test_batch_is_retried_as_it_was_and_reported_once(desk: Desk, waits: Waits) -> None:
    waits.reports = desk.reports
    desk.store.failures.extend([StoreUnavailable(AWAY), StoreUnavailable(AWAY)])

    desk.store.meanwhile.append(lambda: desk.append(3))
    desk.append(1, 2)
    desk.writer.write()

    assert desk.store.calls == [[1, 2], [1, 2], [1, 2], [3]]
    assert desk.reports.texts == ["applied 1 2", "applied 3"]
    assert desk.store.rows() == [b"", b"", b""]


def test_delay_between_retries_grows_to_a_bound(desk: Desk, waits: Waits) -> None:
    desk.store.failures.extend([StoreUnavailable(AWAY)] * 9)

    desk.append(1)
    desk.writer.write_all()

    assert waits.delays == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0, 2.0]


def test_operator_hears_that_the_store_is_away_and_back(desk: Desk, logged: LoggedEvents) -> None:
    desk.store.failures.append(StoreUnavailable(AWAY))

    desk.append(1)
    desk.writer.write_all()

    assert [line for line in logged.lines if AWAY in line]
    assert logged.lines[-1] == "The store is back"


def test_load_is_retried_too(desk: Desk) -> None:
    desk.append(1)
    desk.writer.write_all()
    desk.store.failures.append(StoreUnavailable(AWAY))

    desk.load()
    desk.writer.write_all()

    assert desk.store.calls == [[1], "load", "load"]
    assert desk.reports.texts == ["applied 1", "loaded 1"]


# The store refuses


@pytest.mark.parametrize("guilty", [2, 5, 8])
def test_guilty_unit_is_found_and_the_others_are_applied(desk: Desk, guilty: int) -> None:
    desk.append(1)
    desk.writer.write_all()
    desk.store.guilty = {guilty}

    desk.append(*range(2, 9), body=b"x")
    desk.writer.write_all()

    assert [text for text in desk.reports.texts if "refused" in text] == [f"refused {guilty}: guilty: {guilty}"]
    assert desk.store.rows() == [b"", *[b"x"] * 6]


def test_answers_to_a_batch_with_guilty_units_are_in_order(desk: Desk) -> None:
    desk.append(1)
    desk.writer.write_all()
    desk.store.guilty = {4, 9}

    desk.append(*range(2, 10))
    desk.writer.write_all()

    numbers = [int(word) for text in desk.reports.texts for word in text.partition(":")[0].split()[1:]]
    assert numbers == list(range(1, 10))
    assert [text for text in desk.reports.texts if "refused" in text] == [
        "refused 4: guilty: 4",
        "refused 9: guilty: 9",
    ]
    assert len(desk.store.rows()) == 7


def test_single_unit_is_refused_without_another_try(desk: Desk, logged: LoggedEvents) -> None:
    desk.store.guilty = {1}

    desk.append(1)
    desk.writer.write_all()

    assert desk.store.calls == [[1]]
    assert desk.reports.texts == ["refused 1: guilty: 1"]
    assert any("guilty: 1" in line for line in logged.lines)


def test_store_that_goes_away_during_the_search_is_waited_for(desk: Desk, waits: Waits) -> None:
    desk.store.failures.extend([StoreRefused("one of them"), StoreUnavailable(AWAY)])
    desk.store.guilty = {2}

    desk.append(1, 2)
    desk.writer.write_all()

    assert desk.store.calls == [[1, 2], [1], [1], [2]]
    assert desk.reports.texts == ["applied 1", "refused 2: guilty: 2"]


def test_unexpected_exception_counts_as_refusal_and_is_logged(desk: Desk, logged: LoggedEvents) -> None:
    desk.store.failures.append(ZeroDivisionError("secret detail"))

    desk.store.meanwhile.append(lambda: desk.append(2))
    desk.append(1)
    desk.writer.write_all()

    assert desk.reports.texts == ["refused 1: The store failed with an internal error.", "applied 2"]
    assert [failure.type for failure in logged.failures] == [ZeroDivisionError]


# The store is lost


@pytest.mark.parametrize("error", [StoreLost("another broker has it"), StoreUnusable("the file is gone")])
def test_lost_store_is_told_once_and_nothing_after(desk: Desk, error: StoreError) -> None:
    desk.store.meanwhile.append(lambda: desk.append(2))
    desk.append(1)
    desk.store.failures.append(error)
    desk.writer.write_all()
    desk.append(3)
    desk.writer.write_all()
    desk.reactor.advance(10)

    assert desk.lost == [error]
    assert desk.reports.texts == []
    assert desk.store.calls == [[1]]


def test_what_was_applied_before_the_store_was_lost_is_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "_MAX_BATCH_UNITS", 1)
    desk.store.lost_after = 1

    desk.append(1, 2)
    desk.writer.write_all()

    assert desk.reports.texts == ["applied 1"]
    assert len(desk.lost) == 1


def test_load_finds_out_that_the_store_is_lost(desk: Desk) -> None:
    desk.store.failures.append(StoreLost("another broker has it"))

    desk.load()
    desk.writer.write_all()

    assert len(desk.lost) == 1


def test_nobody_waits_for_a_lost_store(desk: Desk) -> None:
    desk.store.failures.append(StoreLost("another broker has it"))
    desk.append(1)
    waiter = desk.journal.idle()

    desk.writer.write_all()

    assert waiter.called
    assert desk.journal.idle().called


# Fullness


def test_full_above_its_units_and_drained_at_half(waits: Waits) -> None:
    desk = Desk(waits, limit_units=4)
    states = []
    for serial in range(1, 6):
        desk.append(serial)
        states.append((desk.journal.is_full, desk.journal.is_drained))

    assert states == [(False, True), (False, True), (False, False), (False, False), (True, False)]


def test_full_above_its_bytes_and_drained_at_half(waits: Waits) -> None:
    desk = Desk(waits, limit_bytes=40_000)
    states = []
    for serial in range(1, 6):
        desk.append(serial, body=b"x" * 9_000)
        states.append((desk.journal.is_full, desk.journal.is_drained))

    assert states[0] == (False, True)
    assert states[2] == (False, False)
    assert states[4] == (True, False)


@pytest.mark.parametrize("limits", [{"limit_units": 1}, {"limit_bytes": 1_000}])
def test_units_being_written_count_until_their_batch_is_over(waits: Waits, limits: dict[str, int]) -> None:
    desk = Desk(waits, **limits)
    desk.append(1, 2)
    before = desk.journal.is_full
    desk.writer.write()

    assert before
    assert not desk.journal.is_full
    assert desk.journal.is_drained


def test_reader_sees_the_room_that_a_finished_batch_has_left(waits: Waits, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(waits, limit_units=1)
    seen: list[bool] = []
    monkeypatch.setattr(desk.reports, "turn_ended", lambda: seen.append(desk.journal.is_drained))

    desk.append(1, 2)
    desk.writer.write()

    assert seen[-1]


# The end


def test_idle_journal_is_idle_at_once(desk: Desk) -> None:
    assert desk.journal.idle().called


def test_idle_fires_when_everything_was_answered(desk: Desk) -> None:
    waiters: list[Deferred[None]] = []
    desk.store.meanwhile.append(lambda: desk.append(2))
    desk.store.meanwhile.append(lambda: waiters.append(desk.journal.idle()))
    desk.append(1)
    waiters.append(desk.journal.idle())
    were_early = [waiter.called for waiter in waiters]

    desk.writer.write()

    assert were_early == [False]
    assert [waiter.called for waiter in waiters] == [True, True]
    assert desk.reports.texts == ["applied 1", "applied 2"]


def test_idle_does_not_wait_for_company(desk: Desk) -> None:
    desk.append(1, is_urgent=False)
    waiter = desk.journal.idle()

    desk.writer.write_all()

    assert waiter.called
    assert desk.reports.texts == ["applied 1"]


def test_idle_fires_for_all_who_wait(desk: Desk) -> None:
    desk.append(1)
    waiters = [desk.journal.idle(), desk.journal.idle()]

    desk.writer.write_all()

    assert all(waiter.called for waiter in waiters)


def test_who_gives_up_waits_no_longer_and_confirms_nothing(desk: Desk, waits: Waits) -> None:
    desk.store.failures.extend([StoreUnavailable(AWAY)] * 5)
    desk.store.meanwhile.append(lambda: desk.append(2))
    desk.append(1)
    waiter = desk.journal.idle()

    desk.journal.give_up()
    desk.writer.write_all()

    assert waiter.called
    assert desk.reports.texts == []
    assert len(waits.delays) == 1
    assert desk.store.calls == [[1]]


def test_giving_up_spares_a_store_that_answers(desk: Desk) -> None:
    desk.append(1)

    desk.journal.give_up()
    desk.writer.write_all()

    assert desk.reports.texts == ["applied 1"]


def test_giving_up_wakes_a_writer_that_waits() -> None:
    store = WatchedStore()
    store.open()
    reactor, threads = Reactor(), []

    def run_in_thread(job: object) -> None:
        assert callable(job)
        threads.append(Thread(target=job))
        threads[-1].start()

    journal = Journal(store, Reports(), reactor, run_in_thread, lambda error: None, limit_units=1, limit_bytes=1)
    store.failures.extend([StoreUnavailable(AWAY)] * 100)
    journal.append(unit(1))
    journal.flush()
    waiter = journal.idle()

    journal.give_up()
    threads[0].join(5)
    reactor.turn()

    assert waiter.called


def test_fault_of_the_core_ends_the_journal(desk: Desk, monkeypatch: pytest.MonkeyPatch, logged: LoggedEvents) -> None:
    def break_down() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(desk.reports, "turn_ended", break_down)

    desk.append(1)
    desk.writer.write_all()
    desk.append(2)
    desk.writer.write_all()

    assert [failure.type for failure in logged.failures] == [ZeroDivisionError]
    assert [str(error) for error in desk.lost] == ["The broker failed with an internal error, which has been logged"]
    assert desk.store.calls == [[1]]

"""The simulation notices a broker that is wrong: each of these faults is found within a few seeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from hashlib import blake2b

import pytest

from stompd.broker import expiry, temporary
from stompd.broker.browser import Browser
from stompd.broker.catalogue import Catalogue
from stompd.broker.deadlines import Deadlines, Later
from stompd.broker.delivery import Delivery, Entry
from stompd.broker.destination import Destination
from stompd.broker.duplicates import Duplicates
from stompd.broker.durable import NamedSubscriptions
from stompd.broker.effects import Confirm, Decline
from stompd.broker.groups import Groups
from stompd.broker.ledger import Ledger, Work
from stompd.broker.line import Line
from stompd.broker.mark import DeliveryMark
from stompd.broker.message import Message, Place
from stompd.broker.queue import Queue
from stompd.broker.retained import Retained
from stompd.broker.selection import Selection, Selections
from stompd.broker.session import Session
from stompd.broker.spread import Spread
from stompd.broker.subscription import Subscription
from stompd.broker.topic import Binding, Topic
from stompd.broker.transaction import Transaction
from stompd.broker.units import DueKey, DuePage, Page, Recovered
from stompd.broker.wildcard import Patterns
from stompd.broker.window import NOTHING_KNOWN, Window
from stompd.errors import StompError
from tests.simulation.records import Violation
from tests.simulation.world import World

_SEEDS = 100

Patch = pytest.MonkeyPatch
Fault = Callable[[Patch], None]


def _confirms_before_the_unit_is_applied(patch: Patch) -> None:
    persist = Ledger._persist

    def early(self: Ledger, work: Work, *, is_urgent: bool) -> None:
        if work.session is not None and work.receipt is not None:
            self.effects.append(Confirm(work.session.session_id, work.receipt))
            work.receipt = None
        persist(self, work, is_urgent=is_urgent)

    patch.setattr(Ledger, "_persist", early)


def _delivers_before_the_unit_is_applied(patch: Patch) -> None:
    enact = Ledger.enact

    def early(self: Ledger, session: Session | None, work: Work, *rest: str | None, behind_all: bool = False) -> None:
        for step in work.steps:
            step()
        work.steps = []
        enact(self, session, work, *rest, behind_all=behind_all)

    patch.setattr(Ledger, "enact", early)


def _confirms_out_of_turn(patch: Patch) -> None:
    enact = Ledger.enact

    def eager(
        self: Ledger, session: Session | None, work: Work, receipt: str | None = None, *, behind_all: bool = False
    ) -> None:
        if session is not None and receipt is not None and not work.operations:
            self.effects.append(Confirm(session.session_id, receipt))
            receipt = None
        enact(self, session, work, receipt, behind_all=behind_all)

    patch.setattr(Ledger, "enact", eager)


def _forgets_what_waits_behind_a_unit(patch: Patch) -> None:
    enact = Ledger.enact

    def forgetful(
        self: Ledger, session: Session | None, work: Work, *rest: str | None, behind_all: bool = False
    ) -> None:
        if session is not None and session.pending is not None and not work.operations:
            work.steps = []
        enact(self, session, work, *rest, behind_all=behind_all)

    patch.setattr(Ledger, "enact", forgetful)


def _splits_a_transaction(patch: Patch) -> None:
    enact = Ledger.enact

    def split(self: Ledger, session: Session | None, work: Work, *rest: str | None, behind_all: bool = False) -> None:
        if len(work.operations) > 1:
            first, last = Work(), work.operations.pop()
            first.operations.append(last)
            enact(self, None, first)
        enact(self, session, work, *rest, behind_all=behind_all)

    patch.setattr(Ledger, "enact", split)


def _does_not_undo_what_the_store_refused(patch: Patch) -> None:
    refused = Ledger.refused

    def forget(self: Ledger, serial: int, reason: str) -> Session | None:
        self._pending[0].undo.clear()
        return refused(self, serial, reason)

    patch.setattr(Ledger, "refused", forget)


def _returns_messages_behind_newer_ones(patch: Patch) -> None:
    def put_back(self: Window, entry: Entry) -> None:
        self._lanes[entry.place.urgency].entries.append(entry)
        self._count += 1
        self._bytes += len(entry.message.body)

    patch.setattr(Window, "put_back", put_back)


def _does_not_count_deliveries(patch: Patch) -> None:
    def put_back(self: Queue, entry: Entry, *, is_counted: bool = True) -> None:
        self.window.put_back(entry)
        self.wake()

    patch.setattr(Queue, "put_back", put_back)


def _takes_what_it_has_from_pages_again(patch: Patch) -> None:
    admit = Window.admit

    def greedy(self: Window, after: Place, page: Page, known: Mapping[Place, Entry] = NOTHING_KNOWN) -> list[Entry]:
        for lane in self._lanes.values():
            lane.frontier, lane.is_complete = 0, False
        return admit(self, after, page, known)

    patch.setattr(Window, "admit", greedy)


def _takes_what_it_found_ahead_from_pages_again(patch: Patch) -> None:
    admit = Window.admit

    def forgetful(self: Window, after: Place, page: Page, known: Mapping[Place, Entry] = NOTHING_KNOWN) -> list[Entry]:
        return admit(self, after, page)

    patch.setattr(Window, "admit", forgetful)


def _forgets_too_early_what_it_found_ahead(patch: Patch) -> None:
    take = Selections.take

    def eager(self: Selections, entry: Entry) -> None:
        take(self, entry)
        self.forget(entry)

    patch.setattr(Selections, "take", eager)


def _looks_for_matches_in_memory_only(patch: Patch) -> None:
    patch.setattr(Selections, "next_page", lambda self, line: None)


def _ignores_selectors_on_what_arrives(patch: Patch) -> None:
    patch.setattr(Selection, "selects", lambda self, entry: True)


def _asks_for_no_page(patch: Patch) -> None:
    patch.setattr(Window, "next_page", lambda self: None)


def _keeps_everything_in_memory(patch: Patch) -> None:
    def fits(self: Window, message: Message) -> bool:
        return True

    patch.setattr(Window, "_fits", fits)


def _ignores_credit(patch: Patch) -> None:
    def may_take(self: Subscription, entry: Entry) -> bool:
        return self.session.is_writable

    patch.setattr(Subscription, "may_take", may_take)


def _returns_no_credit(patch: Patch) -> None:
    def return_credit(self: Subscription, delivery: Delivery) -> None:
        pass

    patch.setattr(Subscription, "return_credit", return_credit)


def _keeps_settled_messages_in_the_store(patch: Patch) -> None:
    def settle_in(self: Queue, work: Work, entry: Entry) -> None:
        work.steps.append(self.uncount)
        work.undo.append(partial(self.put_back, entry))

    patch.setattr(Queue, "settle_in", settle_in)


def _marks_nothing(patch: Patch) -> None:
    def extend(self: DeliveryMark, now: float, message_id: int) -> None:
        self._marked = self._marking = self.deliverable = 1 << 63

    patch.setattr(DeliveryMark, "_extend", extend)


def _loses_what_an_aborted_transaction_held(patch: Patch) -> None:
    def release(self: Transaction) -> None:
        pass

    patch.setattr(Transaction, "release", release)


def _releases_queues_too_early(patch: Patch) -> None:
    release = Catalogue.release

    def eager(self: Catalogue, destination: Destination, queue: Queue) -> None:
        if queue.is_durable and self._queues.get(destination.name) is not queue:
            return
        release(self, destination, queue)
        if queue.is_durable and not queue.is_stored:
            self._queues.pop(destination.name, None)

    patch.setattr(Catalogue, "release", eager)


def _ends_sessions_that_want_to_go_on(patch: Patch) -> None:
    def survives(self: Session, error: StompError, receipt: str | None) -> bool:
        return False

    patch.setattr(Session, "survives", survives)


def _declines_out_of_turn(patch: Patch) -> None:
    refuse = Ledger.refuse

    def eager(self: Ledger, session: Session, error: StompError, receipt: str | None) -> None:
        if receipt is not None and session.survives(error, receipt):
            self.effects.append(Decline(session.session_id, error, receipt))
        else:
            refuse(self, session, error, receipt)

    patch.setattr(Ledger, "refuse", eager)


def _keeps_nothing_for_durable_subscriptions_without_consumer(patch: Patch) -> None:
    def accept(self: Topic, message: Message, now: float, work: Work) -> bool:
        for queue in self.queues:
            if queue.subscriptions:
                queue.accept(message, now, work)
        return True

    patch.setattr(Topic, "accept", accept)


def _confirms_before_others_are_done(patch: Patch) -> None:
    enact = Ledger.enact

    def eager(
        self: Ledger, session: Session | None, work: Work, receipt: str | None = None, *, behind_all: bool = False
    ) -> None:
        enact(self, session, work, receipt)

    patch.setattr(Ledger, "enact", eager)


def _delivers_before_it_is_due(patch: Patch) -> None:
    tick = Deadlines.tick
    patch.setattr(Deadlines, "tick", lambda self, now_ms: tick(self, now_ms + 1000))


def _brings_twice_what_was_due(patch: Patch) -> None:
    admit = Later.admit

    def greedy(self: Later, page: DuePage) -> None:
        admit(self, page)
        self._after = DueKey(0, 0)

    patch.setattr(Later, "admit", greedy)


def _forgets_what_is_due(patch: Patch) -> None:
    def admit(self: Later, page: DuePage) -> None:
        admit_page(self, DuePage(page.messages, 0))

    admit_page = Later.admit
    patch.setattr(Later, "admit", admit)


def _lets_messages_expire_under_their_consumers(patch: Patch) -> None:
    def is_waiting(queue: Queue, place: Place, due_ms: int) -> bool:
        return True

    patch.setattr(expiry, "withdraw_stored", is_waiting)


def _gives_groups_to_anybody(patch: Patch) -> None:
    patch.setattr(Groups, "admits", lambda self, subscription, message: True)


def _never_frees_a_group(patch: Patch) -> None:
    patch.setattr(Groups, "free", lambda self: set())
    patch.setattr(Groups, "leave", lambda self, subscription: set())


def _does_not_look_again_for_groups_that_are_free(patch: Patch) -> None:
    patch.setattr(Selections, "_judge_again", lambda self, groups, freed: None)


def _shares_what_is_exclusive(patch: Patch) -> None:
    def put(self: Line, subscription: Subscription) -> None:
        subscription.is_waiting = True
        self.waiting.append(subscription)

    patch.setattr(Line, "put", put)


def _shows_a_page_again(patch: Patch) -> None:
    admit_page = Browser.admit

    def admit(self: Browser, page: Page) -> None:
        after = self._after
        admit_page(self, page)
        self._after = after

    patch.setattr(Browser, "admit", admit)


def _shows_what_is_not_due(patch: Patch) -> None:
    refill = Browser.refill
    patch.setattr(Browser, "refill", lambda self, now: refill(self, now + 3600))


def _shows_no_second_page(patch: Patch) -> None:
    refill = Browser.refill

    def refill_once(self: Browser, now: float) -> None:
        if self._after == Place(0, 0):
            refill(self, now)

    patch.setattr(Browser, "refill", refill_once)


def _returns_to_the_first_queue_only(patch: Patch) -> None:
    def line_up(self: Spread) -> None:
        if self.absent:
            self.absent.pop().line_up(self.subscription)

    patch.setattr(Spread, "line_up", line_up)


def _looks_for_no_further_queues(patch: Patch) -> None:
    def match(self: Patterns[object], name: str, *, is_hidden: bool = False) -> list[object]:
        return []

    patch.setattr(Patterns, "match", match)


def _drops_the_newest(patch: Patch) -> None:
    def newest(self: Window) -> Entry | None:
        return max(self.entries(), key=lambda entry: entry.place.message_id, default=None)

    patch.setattr(Window, "oldest", newest)


def _gives_durable_subscriptions_nothing_by_wildcards(patch: Patch) -> None:
    route = Catalogue.route

    def route_names(self: Catalogue, topic: Destination, queue: Queue, binding: Binding | None) -> None:
        route(self, topic._replace(words=()) if queue.is_durable else topic, queue, binding)

    patch.setattr(Catalogue, "route", route_names)


def _forgets_selectors_of_durable_subscriptions_in_a_crash(patch: Patch) -> None:
    recover = NamedSubscriptions.recover

    def forgetful(self: NamedSubscriptions, recovered: Recovered) -> None:
        for found in recovered.subscriptions:
            found.selector = ""
        recover(self, recovered)

    patch.setattr(NamedSubscriptions, "recover", forgetful)


def _takes_what_was_sent_before(patch: Patch) -> None:
    patch.setattr(Duplicates, "choose", lambda self, paths, *rest: [True] * len(paths))


def _forgets_what_was_sent_before_a_crash(patch: Patch) -> None:
    patch.setattr(Duplicates, "recover", lambda self, recovered: None)


def _gives_nobody_what_is_retained(patch: Patch) -> None:
    patch.setattr(Retained, "find", lambda self, host, topic: [])


def _retains_what_was_to_be_removed(patch: Patch) -> None:
    patch.setattr(Retained, "remove", lambda self, host, topic, work: None)


def _shares_temporary_queues(patch: Patch) -> None:
    patch.setattr(temporary, "blake2b", lambda octets, key, digest_size: blake2b(b"t", digest_size=digest_size))


_FAULTS: list[Fault] = [
    _confirms_before_the_unit_is_applied,
    _delivers_before_the_unit_is_applied,
    _confirms_out_of_turn,
    _forgets_what_waits_behind_a_unit,
    _splits_a_transaction,
    _does_not_undo_what_the_store_refused,
    _returns_messages_behind_newer_ones,
    _does_not_count_deliveries,
    _takes_what_it_has_from_pages_again,
    _takes_what_it_found_ahead_from_pages_again,
    _forgets_too_early_what_it_found_ahead,
    _looks_for_matches_in_memory_only,
    _ignores_selectors_on_what_arrives,
    _asks_for_no_page,
    _keeps_everything_in_memory,
    _ignores_credit,
    _returns_no_credit,
    _keeps_settled_messages_in_the_store,
    _marks_nothing,
    _loses_what_an_aborted_transaction_held,
    _releases_queues_too_early,
    _ends_sessions_that_want_to_go_on,
    _declines_out_of_turn,
    _keeps_nothing_for_durable_subscriptions_without_consumer,
    _confirms_before_others_are_done,
    _delivers_before_it_is_due,
    _brings_twice_what_was_due,
    _forgets_what_is_due,
    _lets_messages_expire_under_their_consumers,
    _gives_groups_to_anybody,
    _never_frees_a_group,
    _does_not_look_again_for_groups_that_are_free,
    _shares_what_is_exclusive,
    _shows_a_page_again,
    _shows_what_is_not_due,
    _shows_no_second_page,
    _returns_to_the_first_queue_only,
    _looks_for_no_further_queues,
    _drops_the_newest,
    _gives_durable_subscriptions_nothing_by_wildcards,
    _shares_temporary_queues,
    _forgets_selectors_of_durable_subscriptions_in_a_crash,
    _takes_what_was_sent_before,
    _forgets_what_was_sent_before_a_crash,
    _gives_nobody_what_is_retained,
    _retains_what_was_to_be_removed,
]


def _run_many() -> None:
    for seed in range(_SEEDS):
        try:
            World(seed).run()
        except Violation as found:
            if isinstance(found.__cause__, Violation):  # else the broker broke down, which anybody would notice
                raise


@pytest.mark.parametrize("fault", _FAULTS, ids=lambda fault: fault.__name__.strip("_"))
def test_simulation_notices_a_broker_that(fault: Fault, monkeypatch: Patch) -> None:
    fault(monkeypatch)

    with pytest.raises(Violation, match=r"^seed \d+: (Violation|IndexError)"):  # or it breaks down
        _run_many()

"""The driver: effects become writes, one for each link and turn, and nobody's loss or fault is another's."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from zope.interface import implementer

from stompd.broker.broker import Broker
from stompd.broker.delivery import Delivery
from stompd.broker.destination import parse_destination, parse_target
from stompd.broker.effects import Effect, SessionId
from stompd.broker.limits import Limits
from stompd.broker.message import Message
from stompd.broker.requests import (
    AckMode,
    Acknowledge,
    DeliveryToken,
    Disconnect,
    Reject,
    Request,
    Send,
    Subscribe,
    Terms,
    Unsubscribe,
)
from stompd.errors import InvalidHeader, StompError, StoreError
from stompd.interfaces import IStompUser
from stompd.runtime.backpressure import Backpressure
from stompd.runtime.driver import Driver
from stompd.runtime.journal import Journal
from tests.logged import LoggedEvents
from tests.runtime.doubles import Reactor, WatchedStore, Writer

QUEUE = "/queue/a"


@implementer(IStompUser)
class Carla:
    """Somebody who may do everything but what is denied to her."""

    name = "carla"

    def __init__(self) -> None:
        self.denied: set[tuple[str, str]] = set()
        self.expires_at: float | None = None
        self.open_paths: set[str] = set()

    def may(self, action: str, destination: str) -> bool:
        return (action, destination) not in self.denied


class Peer:
    """A link whose writes are lists of texts; a session of its own."""

    def __init__(self, desk: Desk, *, has_soft_errors: bool = False) -> None:
        self._desk = desk
        self.session_id = desk.driver.next_session_id()
        self.is_writable = True
        self.is_dirty = False
        self.writes: list[list[str]] = []
        self.deliveries: list[Delivery] = []
        self.details: list[str] = []
        self.notes: list[str] = []
        self.denies_deliveries = False
        self._outgoing: list[str] = []
        desk.driver.attach(self.session_id, self, has_soft_errors=has_soft_errors)

    @property
    def received(self) -> list[str]:
        """Everything written so far."""
        return [text for write in self.writes for text in write]

    def deliver(self, delivery: Delivery) -> None:
        if self.denies_deliveries:
            raise ZeroDivisionError("a fault of ours")
        self.deliveries.append(delivery)
        self._outgoing.append(f"MESSAGE {delivery.entry.message.body.decode()}")

    def confirm(self, receipt: str, headers: Mapping[str, str]) -> None:
        self._outgoing.append(f"RECEIPT {receipt}")

    def refuse(self, error: StompError, receipt: str | None) -> None:
        self.details.append(error.detail)
        self._outgoing.append(f"ERROR {error.code} {receipt or ''}".rstrip())
        self.close()

    def decline(self, error: StompError, receipt: str) -> None:
        self._outgoing.append(f"ERROR {error.code} {receipt} soft")

    def close(self) -> None:
        self._outgoing.append("closed")
        self.flush(0.0)
        self._desk.driver.detach(self.session_id)

    def abort(self) -> None:
        self._outgoing.clear()
        self.writes.append(["aborted"])

    def flush(self, now: float) -> None:
        if self._outgoing:
            self.writes.append(self._outgoing)
            self._outgoing = []

    def suspend(self) -> None:
        self.notes.append("suspended")
        self._desk.notes.append(f"{self.session_id} suspended")

    def resume(self) -> None:
        self._desk.notes.append(f"{self.session_id} resumed")

    def submit(self, *requests: Request) -> None:
        """Ask for something, all in one turn."""
        for request in requests:
            self._desk.driver.submit(self.session_id, self._desk.user, request, self._desk.reactor.seconds())

    def lose(self) -> None:
        """Lose the connection."""
        self._desk.driver.detach(self.session_id)


class Desk:
    """A driver with a core, a journal and a store."""

    def __init__(self, limit_units: int = 1_000) -> None:
        self.reactor = Reactor()
        self.reactor.advance(1_700_000_000.0)
        self.writer = Writer(self.reactor)
        self.store = WatchedStore()
        self.user = Carla()
        self.notes: list[str] = []
        self.broker = Broker(Limits(idle_queue_seconds=100_000), self.store.open())
        self.lost: list[StoreError] = []
        self.driver = Driver(self.broker, self.reactor)
        journal = Journal(
            self.store,
            self.driver,
            self.reactor,
            self.writer,
            self.lost.append,
            limit_units=limit_units,
            limit_bytes=1_000_000,
        )
        self.journal = journal
        self.driver.start(journal, Backpressure(journal, self.reactor))

    def bodies(self) -> list[bytes]:
        """What the store keeps."""
        return [row.message.body for queue in self.store.kept._queues.values() for row in queue.rows.values()]

    def run(self) -> None:
        """Let everything happen that needs no time."""
        self.writer.write_all()


@pytest.fixture
def desk() -> Desk:
    return Desk()


def send(
    body: str,
    receipt: str | None = None,
    *,
    to: str = QUEUE,
    is_persistent: bool = True,
    due_ms: int = 0,
    expires_ms: int = 0,
) -> Send:
    message = Message(to, {}, body.encode(), is_persistent=is_persistent, due_ms=due_ms, expires_ms=expires_ms)
    return Send(parse_destination(to), message, None, receipt)


def subscribe(ack: AckMode = AckMode.AUTO, receipt: str | None = None, prefetch: int | None = None) -> Subscribe:
    return Subscribe(parse_destination(QUEUE), "s", ack, prefetch=prefetch, receipt=receipt)


def acknowledge(delivery: Delivery, receipt: str | None = None) -> Acknowledge:
    return Acknowledge(DeliveryToken(delivery.subscription.number, delivery.number), None, receipt)


# Turns


def test_everything_for_a_link_in_one_turn_is_one_write(desk: Desk) -> None:
    peer = Peer(desk)

    peer.submit(subscribe(AckMode.INDIVIDUAL, "r1"), send("a", is_persistent=False), send("b", is_persistent=False))
    desk.reactor.turn()

    assert peer.writes == [["RECEIPT r1", "MESSAGE a", "MESSAGE b"]]


def test_every_link_has_a_write_of_its_own(desk: Desk) -> None:
    ann, bob = Peer(desk), Peer(desk)

    ann.submit(subscribe(receipt="r1"))
    bob.submit(subscribe(receipt="r2"))
    desk.reactor.turn()

    assert (ann.writes, bob.writes) == ([["RECEIPT r1"]], [["RECEIPT r2"]])


def test_receipts_of_one_batch_are_one_write(desk: Desk) -> None:
    peer = Peer(desk)

    peer.submit(send("a", "r1"), send("b", "r2"), send("c", "r3"))
    desk.run()

    assert desk.store.calls == [[1, 2, 3]]
    assert peer.writes == [["RECEIPT r1", "RECEIPT r2", "RECEIPT r3"]]


def test_nothing_is_written_before_the_turn_ends(desk: Desk) -> None:
    peer = Peer(desk)

    peer.submit(subscribe(receipt="r1"))

    assert peer.writes == []


def test_requests_of_one_turn_need_one_call(desk: Desk) -> None:
    peer = Peer(desk)

    peer.submit(send("a"), send("b"), send("c"))

    assert len(desk.reactor.calls) == 1


def test_receipt_waits_for_the_store(desk: Desk) -> None:
    peer = Peer(desk)

    peer.submit(send("a", "r1"))
    desk.reactor.turn()
    before = peer.writes.copy()
    desk.writer.write()

    assert before == []
    assert peer.received == ["RECEIPT r1"]


def test_page_from_the_store_is_delivered(desk: Desk) -> None:
    sender = Peer(desk)
    sender.submit(send("a"), send("b"))
    desk.run()
    desk.store.close()
    later = Desk()
    later.store.kept = desk.store.kept
    later.driver = Driver(Broker(Limits(), later.store.open()), later.reactor)
    journal = Journal(
        later.store, later.driver, later.reactor, later.writer, print, limit_units=100, limit_bytes=1_000_000
    )
    later.driver.start(journal, Backpressure(journal, later.reactor))
    reader = Peer(later)

    reader.submit(subscribe())
    later.run()

    assert reader.received == ["MESSAGE a", "MESSAGE b"]


def test_session_ids_are_never_used_again(desk: Desk) -> None:
    first = desk.driver.next_session_id()
    desk.driver.detach(first)

    assert desk.driver.next_session_id() == SessionId(first + 1)


# Lost links


def test_effects_for_a_lost_link_are_dropped(desk: Desk) -> None:
    lost, other = Peer(desk), Peer(desk)

    lost.submit(send("a", "r1"))
    other.submit(send("b", "r2"))
    desk.reactor.turn()
    lost.lose()
    desk.run()

    assert lost.writes == []
    assert other.received == ["RECEIPT r2"]


def test_answer_that_was_decided_before_the_link_was_lost_is_dropped(desk: Desk) -> None:
    peer = Peer(desk)

    peer.submit(subscribe(receipt="r1"))
    peer.lose()
    desk.run()

    assert peer.writes == []


def test_deliveries_of_a_lost_link_go_to_another(desk: Desk) -> None:
    lost, other = Peer(desk), Peer(desk)
    lost.submit(subscribe(AckMode.INDIVIDUAL), send("a"))
    desk.run()
    other.submit(subscribe())
    desk.run()

    lost.lose()
    desk.run()

    assert lost.received == ["MESSAGE a"]
    assert other.received == ["MESSAGE a"]


def test_link_that_was_never_attached_may_be_detached(desk: Desk) -> None:
    desk.driver.detach(desk.driver.next_session_id())

    assert desk.reactor.calls == []


def test_transport_of_a_link_without_session_may_change(desk: Desk) -> None:
    desk.driver.set_writable(desk.driver.next_session_id(), is_writable=False)

    desk.run()

    assert not desk.writer.is_busy


# Permissions


@pytest.mark.parametrize(
    ("action", "request_denied"),
    [
        ("send", send("a", "r1")),
        ("consume", subscribe(receipt="r1")),
        ("browse", Subscribe(parse_destination(QUEUE), "s", receipt="r1", terms=Terms(is_browser=True))),
    ],
)
def test_denied_request_is_refused_by_name(desk: Desk, action: str, request_denied: Request) -> None:
    peer = Peer(desk)
    desk.user.denied = {(action, QUEUE)}

    peer.submit(request_denied)
    desk.run()

    assert peer.received == ["ERROR access-denied r1", "closed"]
    assert peer.details == [f"User carla has no permission to {action} on {QUEUE}."]


def test_denied_request_is_refused_behind_earlier_receipts(desk: Desk) -> None:
    peer = Peer(desk)
    desk.user.denied = {("send", "/queue/secret")}

    peer.submit(send("a", "r1"), send("b", "r2", to="/queue/secret"), send("c", "r3"))
    desk.run()

    assert peer.received == ["RECEIPT r1", "ERROR access-denied r2", "closed"]
    assert desk.store.calls == [[1, 2]]  # the ERROR waits in an empty unit


@pytest.mark.parametrize("action", ["send", "consume"])
def test_every_member_of_a_list_needs_permission(desk: Desk, action: str) -> None:
    peer = Peer(desk)
    desk.user.denied = {(action, "/queue/secret")}
    members = parse_target("/queue/a,/queue/secret")
    message = Message("/queue/a,/queue/secret", {}, b"a")

    peer.submit(Send(members, message, None, "r1") if action == "send" else Subscribe(members, "s", receipt="r1"))
    desk.run()

    assert peer.received == ["ERROR access-denied r1", "closed"]


def test_permission_to_send_is_none_to_consume(desk: Desk) -> None:
    peer = Peer(desk)
    desk.user.denied = {("consume", QUEUE)}

    peer.submit(send("a", "r1"))
    desk.run()

    assert peer.received == ["RECEIPT r1"]


# Settling what the transport took


def test_automatic_delivery_is_settled_once_the_transport_took_it(desk: Desk) -> None:
    peer = Peer(desk)
    peer.submit(subscribe(), send("a"))

    desk.run()
    desk.reactor.advance(0.02)
    desk.run()

    assert peer.received == ["MESSAGE a"]
    assert desk.store.calls
    assert desk.bodies() == []


def test_automatic_delivery_stays_while_the_transport_is_full(desk: Desk) -> None:
    peer, other = Peer(desk), Peer(desk)
    peer.submit(subscribe(), send("a"))
    peer.is_writable = False

    desk.run()
    peer.lose()
    other.submit(subscribe())
    desk.run()

    assert peer.received == ["MESSAGE a"]
    assert other.received == ["MESSAGE a"]
    assert other.deliveries[0].entry.delivery_count == 1


def test_full_transport_gets_no_delivery_until_it_is_drained(desk: Desk) -> None:
    peer = Peer(desk)
    peer.submit(subscribe(prefetch=1))
    desk.run()

    desk.driver.set_writable(peer.session_id, is_writable=False)
    peer.is_writable = False
    peer.submit(send("a"), send("b"))
    desk.run()
    before = peer.received
    peer.is_writable = True
    desk.driver.set_writable(peer.session_id, is_writable=True)
    desk.run()

    assert before == []
    assert peer.received == ["MESSAGE a", "MESSAGE b"]


def test_credit_of_an_automatic_subscription_returns_with_the_write(desk: Desk) -> None:
    peer = Peer(desk)

    peer.submit(subscribe(prefetch=1), *(send(body, is_persistent=False) for body in "abc"))
    desk.run()

    assert peer.writes == [["MESSAGE a"], ["MESSAGE b"], ["MESSAGE c"]]


# Back-pressure


def test_link_that_sends_while_the_journal_is_full_is_suspended() -> None:
    desk = Desk(limit_units=1)
    ann, bob = Peer(desk), Peer(desk)
    ann.submit(send("a"), send("b"))
    desk.reactor.turn()

    bob.submit(send("c"))

    assert desk.notes == ["2 suspended"]


def test_link_whose_frames_fail_softly_while_the_journal_is_full_is_suspended() -> None:
    desk = Desk(limit_units=1)
    ann, bob = Peer(desk), Peer(desk, has_soft_errors=True)
    ann.submit(send("a"), send("b"))
    desk.reactor.turn()

    is_ending = desk.driver.refuse(bob.session_id, InvalidHeader("x"), "r1")

    assert not is_ending
    assert desk.notes == ["2 suspended"]


def test_links_go_on_in_order_when_the_journal_is_drained() -> None:
    desk = Desk(limit_units=1)
    ann, bob, eve = Peer(desk), Peer(desk), Peer(desk)
    eve.submit(send("a"), send("b"))
    desk.reactor.turn()

    bob.submit(send("c"))
    ann.submit(send("d"))
    desk.run()

    assert desk.notes == ["2 suspended", "1 suspended", "2 resumed", "1 resumed"]


def test_acknowledgements_pass_a_full_journal() -> None:
    desk = Desk(limit_units=3)
    ann, bob = Peer(desk), Peer(desk)
    ann.submit(subscribe(AckMode.INDIVIDUAL), send("a"), send("b"))
    desk.run()
    bob.submit(send("c"), send("d"), send("e"), send("f"))
    desk.reactor.turn()
    is_full = desk.journal.is_full

    first, second = ann.deliveries
    ann.submit(acknowledge(first, "r1"))
    ann.submit(Reject(DeliveryToken(second.subscription.number, second.number)))

    assert is_full
    assert ann.notes == []


def test_acknowledgements_wait_for_a_journal_that_is_full_twice_over() -> None:
    desk = Desk(limit_units=3)
    ann, bob = Peer(desk), Peer(desk)
    ann.submit(subscribe(AckMode.INDIVIDUAL), send("a"))
    desk.run()
    bob.submit(*(send(body) for body in "bcdefgh"))
    desk.reactor.turn()

    ann.submit(acknowledge(ann.deliveries[0], "r1"))

    assert ann.notes == ["suspended"]


def test_other_requests_wait_for_a_full_journal() -> None:
    desk = Desk(limit_units=1)
    ann, bob = Peer(desk), Peer(desk)
    ann.submit(subscribe())
    desk.run()
    bob.submit(send("c"), send("d"))
    desk.reactor.turn()

    ann.submit(Unsubscribe("s"))

    assert ann.notes == ["suspended"]


def test_lost_link_is_not_resumed() -> None:
    desk = Desk(limit_units=1)
    ann = Peer(desk)
    ann.submit(send("a"), send("b"))
    desk.reactor.turn()
    ann.submit(send("c"))

    ann.lose()
    desk.run()

    assert desk.notes == ["1 suspended"]
    assert desk.store.calls == [[1, 2, 3]]


# Refusals and faults


def test_unit_that_the_store_refuses_ends_its_session_only(desk: Desk) -> None:
    ann, bob = Peer(desk), Peer(desk)
    desk.store.guilty = {1}

    ann.submit(send("a", "r1"))
    bob.submit(send("b", "r2", to="/queue/b"))
    desk.run()

    assert ann.received == ["ERROR refused-by-store r1", "closed"]
    assert bob.received == ["RECEIPT r2"]


def test_nothing_follows_an_error(desk: Desk) -> None:
    peer = Peer(desk)

    peer.submit(subscribe(), Unsubscribe("unknown", "r1"), send("a", "r2"))
    desk.run()

    assert peer.received == ["ERROR unknown-subscription r1", "closed"]


def test_disconnect_closes_behind_its_receipt(desk: Desk) -> None:
    peer = Peer(desk)

    peer.submit(send("a", "r1"), Disconnect("r2"))
    desk.run()

    assert peer.received == ["RECEIPT r1", "RECEIPT r2", "closed"]


def test_link_that_fails_with_a_delivery_hurts_no_other(desk: Desk, logged: LoggedEvents) -> None:
    broken, reader, sender = Peer(desk), Peer(desk), Peer(desk)
    broken.submit(subscribe(AckMode.INDIVIDUAL))
    desk.run()
    broken.denies_deliveries = True

    sender.submit(send("a", is_persistent=False), send("b", "r1", to="/queue/b"))
    reader.submit(subscribe())
    desk.run()

    assert broken.received == ["ERROR internal-error", "closed"]
    assert sender.received == ["RECEIPT r1"]
    assert reader.received == ["MESSAGE a"]
    assert [failure.type for failure in logged.failures] == [ZeroDivisionError]


def test_request_that_fails_softly_leaves_the_link_open(desk: Desk) -> None:
    peer = Peer(desk, has_soft_errors=True)

    peer.submit(send("a", "r1"), Unsubscribe("unknown", "r2"), send("b", "r3"))
    desk.run()

    assert peer.received == ["RECEIPT r1", "ERROR unknown-subscription r2 soft", "RECEIPT r3"]


def test_request_that_the_user_may_not_make_can_fail_softly(desk: Desk) -> None:
    peer = Peer(desk, has_soft_errors=True)
    desk.user.denied.add(("send", "/queue/a"))

    peer.submit(send("a", "r1"), subscribe(AckMode.AUTO))
    desk.run()

    assert peer.received == ["ERROR access-denied r1 soft"]


def test_link_that_cannot_even_be_refused_hurts_no_other(
    desk: Desk, logged: LoggedEvents, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, sender = Peer(desk), Peer(desk)

    def refuse(error: StompError, receipt: str | None) -> None:
        raise ZeroDivisionError("a fault of ours")

    monkeypatch.setattr(broken, "refuse", refuse)

    broken.submit(Unsubscribe("unknown"))
    sender.submit(send("a", "r1"))
    desk.run()

    assert broken.received == ["aborted"]
    assert sender.received == ["RECEIPT r1"]
    assert [failure.type for failure in logged.failures] == [ZeroDivisionError]


def test_fault_of_the_core_in_a_turn_ends_the_journal(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, logged: LoggedEvents
) -> None:
    peer = Peer(desk)

    def break_down(now: float) -> list[Effect]:
        raise ZeroDivisionError("a fault of ours")

    monkeypatch.setattr(desk.broker, "take_effects", break_down)
    peer.submit(send("a", "r1"))
    desk.run()

    assert [failure.type for failure in logged.failures] == [ZeroDivisionError]
    assert len(desk.lost) == 1
    assert peer.received == []


# Time


def in_ms(desk: Desk, seconds: float) -> int:
    """The epoch milliseconds in so many seconds."""
    return round((desk.reactor.seconds() + seconds) * 1000)


def test_delayed_message_is_delivered_when_its_time_comes(desk: Desk) -> None:
    peer = Peer(desk)
    peer.submit(subscribe(), send("a", due_ms=in_ms(desk, 5.0)))
    desk.run()

    desk.reactor.advance(4.999)
    desk.run()
    before = list(peer.received)
    desk.reactor.advance(0.002)
    desk.run()

    assert (before, peer.received) == ([], ["MESSAGE a"])


def test_timer_is_set_to_what_comes_first(desk: Desk) -> None:
    peer = Peer(desk)
    for body, seconds in (("a", 9.0), ("b", 3.0), ("c", 6.0)):
        peer.submit(send(body, due_ms=in_ms(desk, seconds)))
        desk.run()

    (timer,) = desk.reactor.getDelayedCalls()

    assert timer.getTime() == pytest.approx(1_700_000_003.0)


def test_nobody_sleeps_for_years(desk: Desk) -> None:
    peer = Peer(desk)
    peer.submit(subscribe(), send("a", due_ms=in_ms(desk, 100_000.0)))
    desk.run()

    (timer,) = desk.reactor.getDelayedCalls()
    assert timer.getTime() == pytest.approx(1_700_003_600.0)
    for _ in range(28):
        desk.reactor.advance(3600.0)
        desk.run()

    assert peer.received == ["MESSAGE a"]


def test_expired_message_leaves_a_queue_that_nobody_reads(desk: Desk) -> None:
    peer = Peer(desk)
    peer.submit(send("a", expires_ms=in_ms(desk, 5.0)))
    desk.run()

    desk.reactor.advance(5.001)
    desk.run()

    assert desk.bodies() == []


def test_stopped_driver_leaves_no_timer(desk: Desk) -> None:
    peer = Peer(desk)
    peer.submit(send("a", due_ms=in_ms(desk, 5.0)))
    desk.run()

    desk.driver.stop()
    desk.driver.stop()

    assert desk.reactor.getDelayedCalls() == []


def test_fault_in_a_tick_ends_the_journal(desk: Desk, logged: LoggedEvents, monkeypatch: pytest.MonkeyPatch) -> None:
    peer = Peer(desk)
    peer.submit(send("a", due_ms=in_ms(desk, 5.0)))
    desk.run()

    def fail(now: float) -> None:
        raise ZeroDivisionError("a fault of ours")

    monkeypatch.setattr(desk.broker, "tick", fail)
    desk.reactor.advance(5.001)

    assert len(desk.lost) == 1
    assert [failure.getErrorMessage() for failure in logged.failures] == ["a fault of ours"]


# Browsing


def test_browser_is_shown_what_the_queue_keeps(desk: Desk) -> None:
    peer = Peer(desk)
    peer.submit(send("a"))
    desk.run()

    peer.submit(Subscribe(parse_destination(QUEUE), "s", terms=Terms(is_browser=True)))
    desk.run()

    assert peer.received == ["MESSAGE a", "MESSAGE "]
    assert desk.bodies() == [b"a"]

"""The broker core: one object on one thread; requests in, effects out, `now` always an argument."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any, final

from stompd.broker.barrier import Barriers
from stompd.broker.catalogue import Catalogue
from stompd.broker.clients import Clients, explain_takeover
from stompd.broker.destination import Destination, Kind
from stompd.broker.effects import Effect, LoadShown, SessionId
from stompd.broker.expiry import Expiry
from stompd.broker.identity import IdSource
from stompd.broker.idleness import Idleness
from stompd.broker.ledger import Ledger, Work
from stompd.broker.limits import Limits
from stompd.broker.message import Place, QueueId
from stompd.broker.overflow import make_room
from stompd.broker.peer import NOBODY, Peer
from stompd.broker.policy import Policies, Rule
from stompd.broker.redelivery import Redelivery
from stompd.broker.requests import (
    Abort,
    Acknowledge,
    Begin,
    Commit,
    Disconnect,
    Reject,
    Rejection,
    Renew,
    Request,
    Send,
    Subscribe,
    Unsubscribe,
)
from stompd.broker.sending import Sending
from stompd.broker.session import Session
from stompd.broker.settlement import find_deliveries
from stompd.broker.subscribing import Subscribing
from stompd.broker.temporary import Temporaries
from stompd.broker.transaction import HeldSend, HeldSettlement, find_transaction, open_transaction
from stompd.broker.units import DuePage, ExpiredPage, Page, Recovered
from stompd.errors import StompError


@final
class Broker:
    """Queues, topics, subscriptions and transactions of all sessions.

    Deterministic: the same calls give the same effects. `now` is in epoch seconds. Every method returns at once;
    what it decided is handed out by `take_effects`, which its owner calls when it has nothing more to tell.
    """

    def __init__(
        self,
        limits: Limits,
        recovered: Recovered,
        rules: Sequence[Rule] = (),
        *,
        node: int = 0,
        host_limits: Mapping[str, Limits] | None = None,
    ) -> None:
        """Begin with what the store holds.

        Args:
            limits: What one peer may take.
            recovered: What `IMessageStore.open` returned.
            rules: What holds for some destinations.
            node: Which of the brokers that share a database this is, 0 to 1,023.
            host_limits: By virtual host: its queues and durable subscriptions, where that differs.
        """
        self._limits = limits
        self._ids = IdSource(recovered.highest_id, node)
        self._ledger = Ledger()
        self._barriers = Barriers(self._ledger)
        self._catalogue = Catalogue(limits, self._ledger, self._ids, Policies(rules), host_limits=host_limits)
        self._catalogue.recover(recovered)
        self._deadlines = self._catalogue.deadlines
        self._redelivery = Redelivery(self._ledger, self._catalogue, self._ids)
        self._expiry = Expiry(self._ledger, self._catalogue, recovered.next_expiry_ms)
        self._sending = Sending(limits, self._ledger, self._catalogue, self._ids, self._expiry)
        #: The sessions whose further frames must not be submitted before their `Resume`.
        self.resting: Container[SessionId] = self._sending.resting.sessions
        self._idleness = Idleness(limits, self._ledger, self._catalogue)
        self._sessions: dict[SessionId, Session] = {}
        self._clients = Clients()
        self._now = 0.0  # as it was told last
        self._subscribing = Subscribing(limits, self._ledger, self._catalogue, self._ids, self._sessions, self._sending)
        self._subscribing.recover(recovered)
        self._sending.recover(recovered)
        self._temporaries = Temporaries(limits, self._subscribing, self._ids)
        self._sending.expect_replies = self._temporaries.expect_replies
        self._actions = self._list_actions()

    def depth(self, destination: Destination) -> int:
        """Return how many messages a queue keeps, waiting or outstanding; 0 for everything else."""
        return self._catalogue.depth(destination)

    def has_queue(self, session_id: SessionId, destination: Destination) -> bool:
        """Whether a queue is there for a session, so that it need not be created."""
        return self._sessions[session_id].catalogue.has_queue(destination)

    def is_lagging(self, session_id: SessionId, destination: Destination) -> bool:
        """Whether one of a topic's subscriptions is half as far behind as it may be; never for a queue."""
        return destination.kind is not Kind.QUEUE and self._sessions[session_id].catalogue.is_lagging(destination)

    def open_session(
        self,
        session_id: SessionId,
        peer: Peer = NOBODY,
        *,
        token: bytes = b"",
        has_soft_errors: bool = False,
        takes_over: bool = False,
    ) -> None:
        """Expect requests from a session whose user has logged in.

        It may outlive errors of single frames, and may end another session of the same user that has its client id.
        `token` is up to 64 random bytes that only this session gets: what others must not guess is made of them.

        Raises:
            InvalidClientId: The client id is another user's, or another session has it.
        """
        session = Session(session_id, self._catalogue.on(peer.host), peer, token=token, has_soft_errors=has_soft_errors)
        if peer.client_id:
            rival = self._clients.rival(session) if takes_over else None
            if rival is not None:
                self.refuse(rival, explain_takeover(peer), None)
            self._clients.enter(session, self._subscribing.names(peer.host).owner(peer.client_id))
        self._sessions[session_id] = session

    def close_session(self, session_id: SessionId) -> None:
        """Forget a session; what it has not settled returns. Harmless when there is none."""
        session = self._sessions.pop(session_id, None)
        if session is not None:
            self._end(session)
            self._sending.resting.forget(session_id)
            session.is_refused = True  # nobody is left to read anything

    def submit(self, session_id: SessionId, request: Request, now: float) -> None:
        """Carry out a request; one that is not possible is answered with `Refuse` or `Decline`, in its turn."""
        session = self._sessions[session_id]
        if session.is_ending:
            # STOMP 1.2 "DISCONNECT": clients must not send anything after it; nor does anything follow an ERROR.
            return
        try:
            self._actions[type(request)](session, request, now)
        except StompError as error:
            self.refuse(session_id, error, request.receipt)

    def refuse(self, session_id: SessionId, error: StompError, receipt: str | None) -> bool:
        """Refuse a frame that never became a request, and return whether that ends its session."""
        session = self._sessions[session_id]
        if session.is_ending:
            return True
        if not session.survives(error, receipt):
            self._end(session)
        self._ledger.refuse(session, error, receipt)
        return session.is_ending

    def set_writable(self, session_id: SessionId, *, is_writable: bool) -> None:
        """Say whether a session's transport takes more; while it does not, the session is given nothing."""
        session = self._sessions.get(session_id)
        if session is None:
            return
        session.is_writable = is_writable
        if is_writable:
            self.settle_written(session_id)
            for subscription in session.subscriptions.values():
                if subscription.is_active and not subscription.is_waiting:
                    subscription.line_up()

    def settle_written(self, session_id: SessionId) -> bool:
        """Say that a session's transport has taken everything so far, and return whether that settled anything.

        It settles deliveries to automatic subscriptions.
        """
        session = self._sessions.get(session_id)
        if session is None or not session.unsettled:
            return False
        for delivery in session.unsettled:
            delivery.queue.settle(delivery.entry)
            delivery.subscription.return_credit(delivery)
        session.unsettled.clear()
        return True

    def unit_applied(self, serial: int) -> None:
        """Continue with what waited for a unit. Units are answered in order, each once."""
        self._ledger.applied(serial)

    def unit_refused(self, serial: int, reason: str) -> None:
        """Give up a unit that the store will never accept; `reason` is shown to the client that caused it."""
        session = self._ledger.refused(serial, reason)
        if session is not None:
            self._end(session)

    def entries_loaded(self, queue_id: QueueId, after: Place, page: Page) -> None:
        """Continue with a page that `LoadEntries` asked for."""
        queue = self._catalogue.by_id(queue_id)
        if queue is not None:
            queue.admit(after, page)
            if queue.account is not None:
                queue.account.page_came()
        else:
            self._sending.logs.admit(queue_id, after, page, self._now)

    def due_loaded(self, queue_id: QueueId, page: DuePage) -> None:
        """Continue with what `LoadDue` asked for."""
        queue = self._catalogue.by_id(queue_id)
        if queue is not None:
            queue.later.admit(page)
        elif queue_id == self._sending.schedule.queue_id:
            self._sending.schedule.admit(page, self._now)

    def scheduled_loaded(self, page: DuePage) -> None:
        """Continue with what `LoadScheduled` asked for."""
        self._sending.inspection.admit(page, self._now)

    def expired_loaded(self, page: ExpiredPage) -> None:
        """Continue with what `LoadExpired` asked for."""
        self._expiry.admit(page)

    def size_loaded(self, queue_id: QueueId, size_bytes: int) -> None:
        """Continue with what `LoadSize` asked for."""
        queue = self._catalogue.by_id(queue_id)
        if queue is not None and queue.account is not None:
            queue.account.recovered(size_bytes)
        self._sending.logs.size_loaded(queue_id, size_bytes)

    def shown_loaded(self, load: LoadShown, page: Page) -> None:
        """Continue with a page that `LoadShown` asked for."""
        load.reader.admit(page)

    def next_deadline(self) -> float | None:
        """Return when `tick` wants to be called, in epoch seconds; None when nothing is to come by time alone."""
        all_ms = (self._deadlines.next_ms(), self._expiry.next_ms, self._idleness.next_ms, self._sending.next_ms)
        next_ms = min(filter(None, all_ms), default=0)
        return next_ms / 1000 if next_ms else None

    def tick(self, now: float) -> None:
        """Begin what time alone brings: messages become due, and expire."""
        self._now = now
        now_ms = round(now * 1000)
        self._deadlines.tick(now_ms)
        self._expiry.tick(now_ms)
        self._idleness.tick(now_ms)
        self._sending.tick(now_ms)

    def take_effects(self, now: float) -> list[Effect]:
        """Deliver what can be delivered, and return everything decided since the last call, in order."""
        self._now = now
        # Those that leave too much in memory, or whose durable subscriptions could not be stored.
        for session_id, error in self._subscribing.take_overflowing():
            self.refuse(session_id, error, None)
        expired = self._deadlines.expired
        if self._deadlines.returned or expired:
            self._redelivery.end_turn(now)
        woken = self._catalogue.woken
        while woken:
            queues = woken.copy()
            woken.clear()
            for queue in queues:
                queue.dispatch(now)
            if expired:
                self._redelivery.end_turn(now)
        if self._catalogue.overfull:
            make_room(self._catalogue, self._redelivery, self._ledger, now)
        self._sending.end_turn()
        self._idleness.begin(int(now * 1000))
        if self._barriers.waiting:
            self._barriers.arrange()
        return self._ledger.take_effects()

    def _list_actions(self) -> dict[type[Request], Callable[[Session, Any, float], None]]:
        return {
            Send: self._send,
            Subscribe: self._temporaries.subscribe,
            Unsubscribe: self._unsubscribe,
            Acknowledge: self._acknowledge,
            Reject: self._reject,
            Begin: self._begin,
            Commit: self._commit,
            Abort: self._abort,
            Renew: self._renew,
            Disconnect: self._disconnect,
        }

    def _send(self, session: Session, request: Send, now: float) -> None:
        if not request.destination.is_plain:
            request.destination = self._temporaries.resolve(session, request.destination, now)
        if request.inspect is not None:
            request.inspect = self._temporaries.resolve_replies(session, request.inspect, now)
        self._sending.send(session, request, now)

    def _unsubscribe(self, session: Session, request: Unsubscribe, now: float) -> None:
        if request.deleted is None:
            self._subscribing.unsubscribe(session, request, now)
        else:
            self._temporaries.delete(session, request.subscription_id, request.deleted)
            self._confirm(session, request.receipt)

    def _acknowledge(self, session: Session, request: Acknowledge, now: float) -> None:
        if request.receipt is not None or request.transaction is not None:
            self._settle(session, request, None, now)
            return
        for delivery in find_deliveries(session, request.name):  # nobody waits for it, and most are like this
            subscription = delivery.subscription
            del subscription.outstanding[delivery.number]
            delivery.queue.settle(delivery.entry)
            subscription.return_credit(delivery)

    def _reject(self, session: Session, request: Reject, now: float) -> None:
        self._settle(session, request, request.rejection, now)

    def _settle(self, session: Session, request: Acknowledge | Reject, rejection: Rejection | None, now: float) -> None:
        deliveries = find_deliveries(session, request.name)
        if request.transaction is not None:
            held = HeldSettlement(deliveries, rejection)
            find_transaction(session, request.transaction).hold(held)
            for delivery in deliveries:
                delivery.is_held = True
                delivery.subscription.return_credit(delivery)
            self._confirm(session, request.receipt)
            return
        work = Work()
        for delivery in reversed(deliveries):
            subscription, entry = delivery.subscription, delivery.entry
            del subscription.outstanding[delivery.number]
            if rejection is None:
                delivery.queue.settle_in(work, entry)
            else:
                own = None if request.receipt is None else work
                self._redelivery.give_back(delivery.queue, entry, now, own, rejection)
            subscription.return_credit(delivery)
        # What settled a delivery earlier may not be durable yet.
        is_late = not deliveries and request.receipt is not None
        self._ledger.enact(session, work, request.receipt, behind_all=is_late)

    def _begin(self, session: Session, request: Begin, now: float) -> None:
        open_transaction(session, request.transaction, self._limits)
        self._confirm(session, request.receipt)

    def _commit(self, session: Session, request: Commit, now: float) -> None:
        transaction = find_transaction(session, request.transaction)
        del session.transactions[request.transaction]
        work = Work(session)
        for held in transaction.held:
            if isinstance(held, HeldSend):
                held.release()
                self._sending.route(session.catalogue, held.destination, held.message, now, work)
                continue
            for delivery in reversed(held.deliveries):
                queue = delivery.queue
                delivery.subscription.outstanding.pop(delivery.number, None)
                if held.rejection is None:
                    queue.settle_in(work, delivery.entry)
                else:
                    self._redelivery.give_back_in(queue, delivery.entry, now, work, held.rejection)
        self._ledger.enact(session, work, request.receipt, behind_all=work is self._sending.duplicates.work)

    def _abort(self, session: Session, request: Abort, now: float) -> None:
        transaction = find_transaction(session, request.transaction)
        del session.transactions[request.transaction]
        transaction.release()
        self._barriers.confirm(session, request.receipt)

    def _renew(self, session: Session, request: Renew, now: float) -> None:
        if request.receipt is not None:
            work = Work()
            work.steps.append(self._ledger.confirming(session, request.receipt, request.headers))
            self._ledger.enact(session, work)

    def _disconnect(self, session: Session, request: Disconnect, now: float) -> None:
        self._end(session)
        work = Work()
        if request.receipt is not None:
            work.steps.append(self._ledger.confirming(session, request.receipt))
        work.steps.append(self._ledger.closing(session))
        # STOMP 1.2 "Graceful Shutdown": the RECEIPT says that everything before it was processed.
        self._ledger.enact(session, work, behind_all=request.receipt is not None)

    def _confirm(self, session: Session, receipt: str | None) -> None:
        if receipt is not None:
            self._ledger.enact(session, Work(), receipt)

    def _end(self, session: Session) -> None:
        """Abort, unsubscribe and give back everything of a session; what comes after is ignored."""
        session.is_ending = True
        self._clients.leave(session)
        for transaction in session.transactions.values():
            transaction.release()
        session.transactions.clear()
        for subscription in list(session.subscriptions.values()):
            self._subscribing.end(session, subscription)
        for delivery in reversed(session.unsettled):
            if not delivery.queue.has_ended:
                delivery.queue.give_back(delivery.entry)
        session.unsettled.clear()
        self._temporaries.end(session)

"""The broker core: one object on one thread; requests in, effects out, `now` always an argument."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, final

from stompd.broker.catalogue import Catalogue
from stompd.broker.destination import Destination
from stompd.broker.effects import Effect, SessionId
from stompd.broker.identity import IdSource
from stompd.broker.ledger import Ledger, Work
from stompd.broker.limits import Limits
from stompd.broker.message import Message, Place, QueueId
from stompd.broker.requests import (
    Abort,
    Acknowledge,
    Begin,
    Commit,
    Disconnect,
    Reject,
    Request,
    Send,
    Subscribe,
    Unsubscribe,
)
from stompd.broker.session import Session
from stompd.broker.settlement import find_deliveries
from stompd.broker.subscribing import Subscribing, explain_overflow
from stompd.broker.temporary import Temporaries
from stompd.broker.transaction import HeldSend, HeldSettlement, Transaction
from stompd.broker.units import Page, Recovered
from stompd.errors import (
    DuplicateTransaction,
    LimitExceeded,
    StompError,
    UnknownTransaction,
)


@final
class Broker:
    """Queues, topics, subscriptions and transactions of all sessions.

    Deterministic: the same calls give the same effects. `now` is in epoch seconds. Every method returns at once;
    what it decided is handed out by `take_effects`, which its owner calls when it has nothing more to tell.
    """

    def __init__(self, limits: Limits, recovered: Recovered, *, node: int = 0) -> None:
        """Begin with what the store holds.

        Args:
            limits: What one peer may take.
            recovered: What `IMessageStore.open` returned.
            node: Which of the brokers that share a database this is, 0 to 1,023.
        """
        self._limits = limits
        self._ids = IdSource(recovered.highest_id, node)
        self._ledger = Ledger()
        self._catalogue = Catalogue(limits, self._ledger, self._ids)
        self._catalogue.recover(recovered)
        self._subscribing = Subscribing(limits, self._ledger, self._catalogue)
        self._temporaries = Temporaries(limits, self._catalogue, self._subscribing, self._ids)
        self._sessions: dict[SessionId, Session] = {}
        self._actions: dict[type[Request], Callable[[Session, Any, float], None]] = {
            Send: self._send,
            Subscribe: self._subscribe,
            Unsubscribe: self._unsubscribe,
            Acknowledge: self._acknowledge,
            Reject: self._reject,
            Begin: self._begin,
            Commit: self._commit,
            Abort: self._abort,
            Disconnect: self._disconnect,
        }

    def depth(self, destination: Destination) -> int:
        """Return how many messages a queue keeps, waiting or outstanding; 0 for everything else."""
        return self._catalogue.depth(destination)

    def open_session(self, session_id: SessionId, token: bytes = b"") -> None:
        """Expect requests from a session whose user has logged in.

        `token` is up to 64 random bytes that only this session gets: what others must not guess is made of them.
        """
        self._sessions[session_id] = Session(session_id, token)

    def close_session(self, session_id: SessionId) -> None:
        """Forget a session; what it has not settled returns. Harmless when there is none."""
        session = self._sessions.pop(session_id, None)
        if session is not None:
            self._end(session)
            session.is_refused = True  # nobody is left to read anything

    def submit(self, session_id: SessionId, request: Request, now: float) -> None:
        """Carry out a request; one that is not possible is answered with `Refuse`, in its turn."""
        session = self._sessions[session_id]
        if session.is_ending:
            # STOMP 1.2 "DISCONNECT": clients must not send anything after it; nor does anything follow an ERROR.
            return
        try:
            self._actions[type(request)](session, request, now)
        except StompError as error:
            self.refuse(session_id, error, request.receipt)

    def refuse(self, session_id: SessionId, error: StompError, receipt: str | None) -> None:
        """Refuse a frame that never became a request, and end its session."""
        session = self._sessions[session_id]
        if not session.is_ending:
            self._end(session)
            self._ledger.refuse(session, error, receipt)

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

    def take_effects(self, now: float) -> list[Effect]:
        """Deliver what can be delivered, and return everything decided since the last call, in order."""
        self._end_overflowing()
        woken = self._catalogue.woken
        while woken:
            queues = woken.copy()
            woken.clear()
            for queue in queues:
                queue.dispatch(now)
        return self._ledger.take_effects()

    def _send(self, session: Session, request: Send, now: float) -> None:
        destination = request.destination
        if not destination.is_plain:
            destination = self._temporaries.resolve(session, destination, now)
        if request.is_mandatory:
            self._catalogue.require(destination)
        # Checked now, so that COMMIT can only fail on the store.
        self._catalogue.check(destination, now)
        if request.reply_to is not None:
            self._temporaries.expect_replies(session, request.message, request.reply_to, now)
        if request.transaction is not None:
            held = HeldSend(destination, request.message)
            self._transaction(session, request.transaction).hold(held)
            self._confirm(session, request.receipt)
            return
        work = Work()
        self._route(destination, request.message, now, work)
        self._ledger.enact(session, work, request.receipt)

    def _subscribe(self, session: Session, request: Subscribe, now: float) -> None:
        if not request.destination.is_plain:
            request.destination = self._temporaries.admit(session, request.destination, now)
        self._subscribing.subscribe(session, request, now)

    def _unsubscribe(self, session: Session, request: Unsubscribe, now: float) -> None:
        if request.deleted is None:
            self._subscribing.unsubscribe(session, request, now)
        else:
            self._temporaries.delete(session, request.subscription_id, request.deleted)
            self._confirm(session, request.receipt)

    def _acknowledge(self, session: Session, request: Acknowledge, now: float) -> None:
        if request.receipt is not None or request.transaction is not None:
            self._settle(session, request, is_rejected=False)
            return
        for delivery in find_deliveries(session, request.name):  # nobody waits for it, and most are like this
            subscription = delivery.subscription
            del subscription.outstanding[delivery.number]
            delivery.queue.settle(delivery.entry)
            subscription.return_credit(delivery)

    def _reject(self, session: Session, request: Reject, now: float) -> None:
        self._settle(session, request, is_rejected=True)

    def _settle(self, session: Session, request: Acknowledge | Reject, *, is_rejected: bool) -> None:
        deliveries = find_deliveries(session, request.name)
        if request.transaction is not None:
            held = HeldSettlement(deliveries, is_rejected=is_rejected)
            self._transaction(session, request.transaction).hold(held)
            for delivery in deliveries:
                delivery.is_held = True
                delivery.subscription.return_credit(delivery)
            self._confirm(session, request.receipt)
            return
        work = Work()
        for delivery in reversed(deliveries):
            subscription, entry = delivery.subscription, delivery.entry
            del subscription.outstanding[delivery.number]
            if is_rejected:
                delivery.queue.give_back(entry, None if request.receipt is None else work)
            else:
                delivery.queue.settle_in(work, entry)
            subscription.return_credit(delivery)
        # What settled a delivery earlier may not be durable yet.
        is_late = not deliveries and request.receipt is not None
        self._ledger.enact(session, work, request.receipt, behind_all=is_late)

    def _begin(self, session: Session, request: Begin, now: float) -> None:
        if request.transaction in session.transactions:
            # STOMP 1.2 "BEGIN": ids are unique among the open transactions of a connection.
            raise DuplicateTransaction(
                f"transaction:{request.transaction} is open already. COMMIT or ABORT it first, or use another id."
            )
        if len(session.transactions) >= self._limits.transactions:
            raise LimitExceeded(
                f"This connection has {len(session.transactions)} open transactions, which is the limit"
                " (setting limits.transactions). COMMIT or ABORT some."
            )
        session.transactions[request.transaction] = Transaction(request.transaction, self._limits)
        self._confirm(session, request.receipt)

    def _commit(self, session: Session, request: Commit, now: float) -> None:
        transaction = self._transaction(session, request.transaction)
        del session.transactions[request.transaction]
        work = Work()
        for held in transaction.held:
            if isinstance(held, HeldSend):
                self._route(held.destination, held.message, now, work)
                continue
            for delivery in reversed(held.deliveries):
                queue = delivery.queue
                delivery.subscription.outstanding.pop(delivery.number, None)
                if held.is_rejected:
                    queue.give_back_in(work, delivery.entry)
                else:
                    queue.settle_in(work, delivery.entry)
        self._ledger.enact(session, work, request.receipt)

    def _abort(self, session: Session, request: Abort, now: float) -> None:
        transaction = self._transaction(session, request.transaction)
        del session.transactions[request.transaction]
        self._release(transaction)
        self._confirm(session, request.receipt)

    def _disconnect(self, session: Session, request: Disconnect, now: float) -> None:
        self._end(session)
        work = Work()
        if request.receipt is not None:
            work.steps.append(self._ledger.confirming(session, request.receipt))
        work.steps.append(self._ledger.closing(session))
        # STOMP 1.2 "Graceful Shutdown": the RECEIPT says that everything before it was processed.
        self._ledger.enact(session, work, behind_all=request.receipt is not None)

    def _route(self, destination: Destination, message: Message, now: float, work: Work) -> None:
        message.identify(self._ids.next(now), int(now * 1000))
        work.size_bytes += len(message.body)
        self._catalogue.accept(destination, message, now, work)

    def _confirm(self, session: Session, receipt: str | None) -> None:
        if receipt is not None:
            self._ledger.enact(session, Work(), receipt)

    def _transaction(self, session: Session, transaction_id: str) -> Transaction:
        transaction = session.transactions.get(transaction_id)
        if transaction is None:
            raise UnknownTransaction(
                f"transaction:{transaction_id} is not open on this connection. BEGIN it first; after COMMIT or ABORT"
                " it is gone."
            )
        return transaction

    def _end(self, session: Session) -> None:
        """Abort, unsubscribe and give back everything of a session; what comes after is ignored."""
        session.is_ending = True
        for transaction in session.transactions.values():
            self._release(transaction)
        session.transactions.clear()
        for subscription in list(session.subscriptions.values()):
            self._subscribing.end(session, subscription)
        for delivery in reversed(session.unsettled):
            if delivery.queue.is_durable:
                delivery.queue.give_back(delivery.entry)
        session.unsettled.clear()
        self._temporaries.end(session)

    def _end_overflowing(self) -> None:
        """Refuse the sessions that leave too much in memory: for a topic's subscription, or in a temporary queue."""
        overflowing = self._catalogue.overflowing
        if not overflowing:
            return
        for session in list(self._sessions.values()):
            for temporary in session.temporaries.values():
                if temporary.has_overflowed:
                    self.refuse(session.session_id, temporary.explain_overflow(), None)
                    break
            for subscription in session.subscriptions.values():
                if subscription.queue.has_overflowed:
                    self.refuse(session.session_id, explain_overflow(subscription, self._limits), None)
                    break
        overflowing.clear()

    def _release(self, transaction: Transaction) -> None:
        """Undo the acknowledgements that a transaction held: its deliveries are with their subscriptions again."""
        for held in transaction.held:
            if isinstance(held, HeldSend):
                continue
            for delivery in held.deliveries:
                delivery.is_held = False
                if delivery.subscription.is_active:
                    delivery.subscription.spend_credit(delivery)
                elif not delivery.queue.is_private:
                    delivery.queue.give_back(delivery.entry)

"""SUBSCRIBE and UNSUBSCRIBE: how subscriptions begin and end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import final

from stompd.broker.catalogue import Catalogue
from stompd.broker.durable import NamedSubscription, NamedSubscriptions
from stompd.broker.effects import SessionId
from stompd.broker.identity import IdSource
from stompd.broker.ledger import Ledger, Work
from stompd.broker.limits import Limits
from stompd.broker.matching import is_selected
from stompd.broker.queue import Queue
from stompd.broker.quota import check_consumers
from stompd.broker.replay import Replay
from stompd.broker.requests import Naming, Subscribe, Unsubscribe
from stompd.broker.sending import Sending
from stompd.broker.session import Session
from stompd.broker.subscription import Subscription
from stompd.broker.topic import Binding
from stompd.broker.units import Recovered
from stompd.errors import (
    DuplicateSubscription,
    LimitExceeded,
    RefusedByStore,
    SlowConsumer,
    StompError,
    SubscriptionConflict,
    UnknownSubscription,
)


@final
class Subscribing:
    """Begins and ends the subscriptions of all sessions."""

    __slots__ = ("_catalogue", "_ledger", "_limits", "_logs", "_names", "_retained", "_sessions")

    def __init__(
        self,
        limits: Limits,
        ledger: Ledger,
        catalogue: Catalogue,
        ids: IdSource,
        sessions: Mapping[SessionId, Session],
        sending: Sending,
    ) -> None:
        self._limits = limits
        self._ledger = ledger
        self._catalogue = catalogue
        self._names = NamedSubscriptions(limits, ledger, catalogue, ids)
        self._sessions = sessions
        self._retained = sending.retained
        self._logs = sending.logs

    def recover(self, recovered: Recovered) -> None:
        """Take over the durable subscriptions that the store holds."""
        self._names.recover(recovered)

    def subscribe(
        self, session: Session, request: Subscribe, now: float, replaced: Sequence[Subscription] = ()
    ) -> None:
        """Begin a subscription: what is sent to a topic next reaches it, and deliveries follow in their turn.

        It takes the place of those that are to be replaced; if it cannot begin, they go on.

        Raises:
            DuplicateSubscription: The session has one with this id.
            InvalidDestination: It is a temporary destination that is gone.
            LimitExceeded: It has as many as allowed, or the broker would have one queue or durable one too many.
            SubscriptionConflict: Its name is in use.
            MissingHeader: The name needs a client id.
            InvalidHeader: What it asks for does not go together.
        """
        self._check(session, request, replaced)
        work = Work()
        named: NamedSubscription | None = None
        headers: dict[str, str] = {}
        if request.naming is not None:
            named, headers = self._names.find(session, request, request.naming, now, work)
        queue = named.queue if named else self._catalogue.source(request.destination, now)
        replay = self._replay(session, request, queue, now)
        credit = self._credit(request, named)
        for other in replaced:
            self.end(session, other)
        subscription = Subscription(
            session,
            queue,
            request.subscription_id,
            session.next_number(),
            request.ack_mode,
            request.destination,
            credit=credit,
            byte_limit=self._limits.outstanding_bytes,
            is_named=request.is_named,
            # A topic's messages are selected before they are queued.
            selector=None if request.destination.is_topic else request.selector,
            named=named,
        )
        session.subscriptions[request.subscription_id] = session.by_number[subscription.number] = subscription
        work.undo.append(partial(self._take_back, subscription))
        is_awaited = replay is None and self._retain(request, named, queue, now, work)
        # What the same client sends to the topic next must reach it, so only the deliveries wait.
        self._bind(subscription, request, replay, now)
        if request.receipt is not None:
            self._confirm(session, request.receipt, {**headers, "prefetch-count": str(credit)}, work)
        work.steps.append(partial(_begin, subscription))
        # Somebody else may have made a durable one just now: it is confirmed when it is stored.
        self._ledger.enact(session, work, behind_all=named is not None or is_awaited)

    def unsubscribe(self, session: Session, request: Unsubscribe, now: float) -> None:
        """End the subscription that the client names, or delete a durable one.

        Raises:
            UnknownSubscription: The session has none of this id, or the broker none of this name.
            SubscriptionConflict: A durable one is in use.
            MissingHeader: The name of a durable one says too little.
        """
        subscription = session.subscriptions.get(request.subscription_id)
        if request.naming is not None:
            self._delete(session, request, request.naming, subscription)
            return
        if subscription is None:
            raise UnknownSubscription(
                f"No subscription of this connection has the id {request.subscription_id}."
                " UNSUBSCRIBE takes the id of a SUBSCRIBE on the same connection."
            )
        self.end(session, subscription)
        if request.receipt is not None:
            self._ledger.enact(session, Work(), request.receipt)

    def end(self, session: Session, subscription: Subscription) -> None:
        """Give nothing more to a subscription; what it has not acknowledged returns."""
        del session.subscriptions[subscription.subscription_id]
        del session.by_number[subscription.number]
        if subscription.spread is None:
            subscription.queue.detach(subscription)
        else:
            subscription.spread.detach()
            self._catalogue.gather(subscription, subscription.spread)
        if subscription.named:
            self._names.release(subscription.named)
        else:
            self._catalogue.release(subscription.destination, subscription.queue)
        for delivery in reversed(subscription.outstanding.values()):
            if delivery.is_held:
                continue
            session.settled_ids.append(str(delivery.entry.message.message_id))
            if not delivery.queue.has_ended:
                delivery.queue.give_back(delivery.entry)
        subscription.outstanding.clear()

    def _take_back(self, subscription: Subscription) -> None:
        """Undo a subscription whose durable subscription the store refused: its session may go on without it."""
        session = subscription.session
        if session.subscriptions.get(subscription.subscription_id) is subscription:
            self.end(session, subscription)

    def _bind(self, subscription: Subscription, request: Subscribe, replay: Replay | None, now: float) -> None:
        """Let what is sent to the destination reach the subscription's queue, or those that it takes from."""
        if replay is not None:
            self._logs.begin(replay)
        elif subscription.named:
            subscription.queue.subscriptions += 1
        else:
            binding = _binding(subscription.session, request)
            self._catalogue.bind(subscription.destination, subscription.queue, binding)
        if subscription.destination.is_spread:
            self._catalogue.spread(subscription, now)

    def _check(self, session: Session, request: Subscribe, replaced: Sequence[Subscription]) -> None:
        found = session.subscriptions.get(request.subscription_id)
        if found is not None and found not in replaced:
            # STOMP 1.2 "SUBSCRIBE": ids are unique within a connection.
            raise DuplicateSubscription(
                f"id:{request.subscription_id} is the id of a subscription that is still open."
                " Use another id, or UNSUBSCRIBE the first one."
            )
        if len(session.subscriptions) - len(replaced) >= self._limits.subscriptions:
            raise LimitExceeded(
                f"This connection has {len(session.subscriptions)} subscriptions, which is the limit"
                " (setting limits.subscriptions)."
            )
        check_consumers(self._catalogue, request.destination)

    def _confirm(self, session: Session, receipt: str, headers: Mapping[str, str], work: Work) -> None:
        """Let the RECEIPT come before the first MESSAGE, and say how much was granted."""
        work.steps.append(self._ledger.confirming(session, receipt, headers))
        work.undo.append(partial(_name_receipt, work, receipt))

    def _replay(self, session: Session, request: Subscribe, queue: Queue, now: float) -> Replay | None:
        """Return what brings the past of a topic, if the client asked for it."""
        if request.origin is None:
            return None
        return self._logs.replay(request.destination, queue, _binding(session, request), request.origin, now)

    def _retain(
        self, request: Subscribe, named: NamedSubscription | None, queue: Queue, now: float, work: Work
    ) -> bool:
        """Begin a new subscription of a topic with its retained message; return whether that is still under way."""
        topics = request.destination
        is_new = named is None or (bool(work.operations) if queue.is_durable else not queue.subscriptions)
        if not is_new:
            return False
        is_pending = False
        for topic in topics.places:
            for kept in self._retained.find(topic):
                if request.selector is None or is_selected(request.selector, kept):
                    queue.accept(kept, now, work)
            is_pending = is_pending or self._retained.is_pending(topic)
        return is_pending

    def _delete(
        self, session: Session, request: Unsubscribe, naming: Naming, subscription: Subscription | None
    ) -> None:
        """Delete a durable subscription, be its consumer the one that UNSUBSCRIBE names, or none."""
        destination = request.destination or (subscription.destination if subscription else None)
        named = self._names.find_durable(session, naming, destination)
        own = subscription if subscription and subscription.named is named else None
        # JMS 3.1, 4.2: not while it has a consumer, nor while a transaction holds a message of it.
        if named.queue.subscriptions > (own is not None):
            raise SubscriptionConflict(
                f"The durable subscription {named.identity.name} has a consumer. UNSUBSCRIBE or close that one first,"
                " or name its id, on its own connection, together with the name."
            )
        if self._is_held(named.queue):
            raise SubscriptionConflict(
                f"An open transaction acknowledges messages of the durable subscription {named.identity.name}."
                " COMMIT or ABORT it first."
            )
        work = Work()
        self._names.delete(named, work)
        if own:
            self.end(session, own)
        self._ledger.enact(session, work, request.receipt)

    def _is_held(self, queue: Queue) -> bool:
        """Whether an open transaction of any session acknowledges messages of a queue."""
        for session in self._sessions.values():
            for transaction in session.transactions.values():
                if transaction.settles_in(queue):
                    return True
        return False

    def _credit(self, request: Subscribe, named: NamedSubscription | None) -> int:
        limits = self._limits
        if request.prefetch is None:
            if named is not None and named.is_shared:
                return limits.shared_prefetch
            is_private = named is None and request.destination.is_topic
            return limits.topic_prefetch if is_private else limits.queue_prefetch
        return min(request.prefetch or limits.highest_prefetch, limits.highest_prefetch)


def explain_overflow(subscription: Subscription, limits: Limits) -> StompError:
    """Return the error for a session whose subscription fell too far behind, was not stored, or takes from too many
    queues."""
    if subscription.queue.is_durable:
        return RefusedByStore(f"The durable subscription {subscription.subscription_id} could not be stored.")
    if subscription.spread is not None and subscription.session.spread_count >= limits.spread_queues:
        return LimitExceeded(
            f"Subscription {subscription.subscription_id} to {subscription.destination.path[:255]} matches more queues"
            f" than the {limits.spread_queues} that this connection may take from by wildcards and lists (setting"
            " limits.spread_queues). Subscribe to fewer."
        )
    return SlowConsumer(
        f"More messages wait for subscription {subscription.subscription_id} to {subscription.destination.path} than"
        " allowed (settings limits.topic_backlog and limits.topic_backlog_bytes). Read and acknowledge faster, or let"
        " the messages go to a queue, which keeps them."
    )


def _binding(session: Session, request: Subscribe) -> Binding | None:
    """Return which messages of a topic a subscription without a name gets; None for all."""
    if request.selector is None and not request.no_local:
        return None
    return Binding(request.selector, session=session if request.no_local else None)


def _begin(subscription: Subscription) -> None:
    if subscription.session.subscriptions.get(subscription.subscription_id) is not subscription:
        return  # it ended before it began
    if subscription.spread is None:
        subscription.queue.attach(subscription)
    else:
        subscription.spread.attach()


def _name_receipt(work: Work, receipt: str) -> None:
    """Let the ERROR of a unit that was refused name the receipt that one of its steps would have confirmed."""
    work.receipt = receipt

"""SUBSCRIBE and UNSUBSCRIBE: how subscriptions begin and end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import final

from stompd.broker.browser import Browser
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
from stompd.broker.requests import Naming, Subscribe, Terms, Unsubscribe
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

#: Of the bytes that a session has left, a further subscription gets this part, so that there is always some left.
_SHARE = 8

#: What each subscription gets in any case: enough for small messages to flow.
_LEAST_BYTES = 64 * 1024

#: A window of so many bytes, or none, is Artemis' way to ask for one message at a time, also for empty ones.
_ONE_AT_A_TIME = 1


@final
class Subscribing:
    """Begins and ends the subscriptions of all sessions."""

    __slots__ = ("_catalogue", "_ids", "_ledger", "_limits", "_names", "_sending", "_sessions")

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
        self._ids = ids
        self._names: dict[str, NamedSubscriptions] = {}  # by virtual host
        self._sessions = sessions
        self._sending = sending

    def recover(self, recovered: Recovered) -> None:
        """Take over the durable subscriptions that the store holds."""
        for host in {found.host for found in recovered.subscriptions}:
            self.names(host).recover(recovered)

    def names(self, host: str) -> NamedSubscriptions:
        """Return the named subscriptions of a virtual host."""
        found = self._names.get(host)
        if found is None:
            found = self._names[host] = NamedSubscriptions(self._ledger, self._catalogue.on(host), self._ids)
        return found

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
            named, headers = self.names(session.catalogue.host).find(session, request, request.naming, now, work)
        queue = named.queue if named else self._source(session, request, now)
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
            byte_limit=self._byte_limit(session, request.terms),
            is_named=request.is_named,
            selector=None if request.destination.is_topic or queue.browser else request.selector,  # selected before
            named=named,
            terms=request.terms,
        )
        session.add(subscription)
        work.undo.append(partial(self._take_back, subscription))
        is_awaited = replay is None and self._retain(session, request, named, queue, now, work)
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
        self.end(session, subscription, is_undelivered=request.is_undelivered)
        if request.receipt is not None:
            self._ledger.enact(session, Work(), request.receipt)

    def end(self, session: Session, subscription: Subscription, *, is_undelivered: bool = False) -> None:
        """Give nothing more to a subscription; what it has not acknowledged returns, uncounted if nobody saw it."""
        session.remove(subscription)
        if subscription.spread is None:
            subscription.queue.detach(subscription)
        else:
            subscription.spread.detach()
            session.catalogue.gather(subscription, subscription.spread)
        if subscription.named:
            self.names(session.catalogue.host).release(subscription.named)
        elif subscription.queue.browser:
            subscription.queue.browser.close()
            session.catalogue.tidy(subscription.destination, subscription.queue.browser.source)
        else:
            session.catalogue.release(subscription.destination, subscription.queue)
        for delivery in reversed(subscription.outstanding.values()):
            if delivery.is_held:
                continue
            session.settled_ids.append(str(delivery.entry.message.message_id))
            if delivery.queue.has_ended:
                continue
            if is_undelivered:
                delivery.queue.put_back(delivery.entry, is_counted=False)
            else:
                delivery.queue.give_back(delivery.entry)
        subscription.outstanding.clear()

    def take_overflowing(self) -> list[tuple[SessionId, StompError]]:
        """Return, once, the sessions that must end for what is theirs: it overflowed, or the store refused it."""
        overflowing = self._catalogue.overflowing
        if not overflowing:
            return []
        found = []
        for session in self._sessions.values():
            error = _find_overflow(session, overflowing, self._limits)
            if error is not None:
                found.append((session.session_id, error))
        overflowing.clear()
        return found

    def _take_back(self, subscription: Subscription) -> None:
        """Undo a subscription whose durable subscription the store refused: its session may go on without it."""
        session = subscription.session
        if session.subscriptions.get(subscription.subscription_id) is subscription:
            self.end(session, subscription)

    def _bind(self, subscription: Subscription, request: Subscribe, replay: Replay | None, now: float) -> None:
        """Let what is sent to the destination reach the subscription's queue, or those that it takes from."""
        if replay is not None:
            self._sending.logs.begin(replay)
        elif subscription.named or subscription.queue.browser:
            subscription.queue.subscriptions += 1
        else:
            binding = _binding(subscription.session, request)
            subscription.session.catalogue.bind(subscription.destination, subscription.queue, binding)
        if subscription.destination.is_spread:
            subscription.session.catalogue.spread(subscription, now)

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
        if not request.terms.is_browser:
            check_consumers(session.catalogue, request.destination)
        granted = session.granted - sum(other.granted for other in replaced)
        if granted + self._credit(request, None) > self._limits.session_prefetch:
            raise LimitExceeded(
                f"The subscriptions of this connection may have {session.granted} deliveries outstanding together, and"
                f" {self._limits.session_prefetch} is the limit (setting limits.session_prefetch). Ask for less with"
                " prefetch-count, or UNSUBSCRIBE some."
            )

    def _confirm(self, session: Session, receipt: str, headers: Mapping[str, str], work: Work) -> None:
        """Let the RECEIPT come before the first MESSAGE, and say how much was granted."""
        work.steps.append(self._ledger.confirming(session, receipt, headers))
        work.undo.append(partial(_name_receipt, work, receipt))

    def _replay(self, session: Session, request: Subscribe, queue: Queue, now: float) -> Replay | None:
        """Return what brings the past of a topic, if the client asked for it."""
        if request.origin is None:
            return None
        binding = _binding(session, request)
        return self._sending.logs.replay(session.catalogue, request.destination, queue, binding, request.origin, now)

    def _retain(
        self,
        session: Session,
        request: Subscribe,
        named: NamedSubscription | None,
        queue: Queue,
        now: float,
        work: Work,
    ) -> bool:
        """Begin a new subscription of a topic with its retained message; return whether that is still under way."""
        retained, host = self._sending.retained, session.catalogue.host
        is_new = named is None or (bool(work.operations) if queue.is_durable else not queue.subscriptions)
        if not is_new:
            return False
        is_pending = False
        for topic in request.destination.places:
            for kept in retained.find(host, topic):
                if request.selector is None or is_selected(request.selector, kept):
                    queue.accept(kept, now, work)
            is_pending = is_pending or retained.is_pending(host, topic)
        return is_pending

    def _delete(
        self, session: Session, request: Unsubscribe, naming: Naming, subscription: Subscription | None
    ) -> None:
        """Delete a durable subscription, be its consumer the one that UNSUBSCRIBE names, or none."""
        destination = request.destination or (subscription.destination if subscription else None)
        names = self.names(session.catalogue.host)
        named = names.find_durable(session, naming, destination)
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
        names.delete(named, work)
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

    def _source(self, session: Session, request: Subscribe, now: float) -> Queue:
        """Return where deliveries come from: for a subscription that only looks, a queue of its own."""
        source = session.catalogue.source(request.destination, now)
        if not request.terms.is_browser:
            return source
        shown = session.catalogue.shown_queue(request.destination, now)
        # What was sent before has a lower id.
        newest = None if request.terms.follows else self._ids.next(now)
        shown.browser = Browser(source, shown, request.selector, self._ledger, self._limits, newest=newest)
        return shown

    def _byte_limit(self, session: Session, terms: Terms) -> int:
        """Return how many bytes of bodies a further subscription may have outstanding."""
        left = self._limits.session_outstanding_bytes - session.granted_bytes
        highest = min(self._limits.outstanding_bytes, max(left // _SHARE, _LEAST_BYTES))
        return highest if terms.window_bytes is None else min(max(terms.window_bytes, 1), highest)

    def _credit(self, request: Subscribe, named: NamedSubscription | None) -> int:
        limits = self._limits
        if request.terms.window_bytes is not None and request.terms.window_bytes <= _ONE_AT_A_TIME:
            return 1
        if request.prefetch is None:
            if named is not None and named.is_shared:
                return limits.shared_prefetch
            is_private = named is None and request.destination.is_topic
            return limits.topic_prefetch if is_private else limits.queue_prefetch
        return min(request.prefetch or limits.highest_prefetch, limits.highest_prefetch)


def _find_overflow(session: Session, overflowing: Sequence[Queue], limits: Limits) -> StompError | None:
    for temporary in session.temporaries.values():
        if temporary.has_overflowed:
            return temporary.explain_overflow()
    for subscription in session.subscriptions.values():
        if subscription.queue in overflowing:
            return _explain_overflow(subscription, limits)
    return None


def _explain_overflow(subscription: Subscription, limits: Limits) -> StompError:
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

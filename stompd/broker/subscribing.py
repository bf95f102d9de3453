"""SUBSCRIBE and UNSUBSCRIBE: how subscriptions begin and end."""

from __future__ import annotations

from functools import partial
from typing import final

from stompd.broker.catalogue import Catalogue
from stompd.broker.ledger import Ledger, Work
from stompd.broker.limits import Limits
from stompd.broker.requests import Subscribe, Unsubscribe
from stompd.broker.session import Session
from stompd.broker.subscription import Subscription
from stompd.errors import DuplicateSubscription, LimitExceeded, SlowConsumer, StompError, UnknownSubscription


@final
class Subscribing:
    """Begins and ends the subscriptions of all sessions."""

    __slots__ = ("_catalogue", "_ledger", "_limits")

    def __init__(self, limits: Limits, ledger: Ledger, catalogue: Catalogue) -> None:
        self._limits = limits
        self._ledger = ledger
        self._catalogue = catalogue

    def subscribe(self, session: Session, request: Subscribe, now: float) -> None:
        """Begin a subscription: what is sent to a topic next reaches it, and deliveries follow in their turn.

        Raises:
            DuplicateSubscription: The session has one with this id.
            InvalidDestination: It is a temporary destination that is gone.
            LimitExceeded: It has as many as allowed, or the broker would have one queue too many.
        """
        if request.subscription_id in session.subscriptions:
            # STOMP 1.2 "SUBSCRIBE": ids are unique within a connection.
            raise DuplicateSubscription(
                f"id:{request.subscription_id} is the id of a subscription that is still open."
                " Use another id, or UNSUBSCRIBE the first one."
            )
        if len(session.subscriptions) >= self._limits.subscriptions:
            raise LimitExceeded(
                f"This connection has {len(session.subscriptions)} subscriptions, which is the limit"
                " (setting limits.subscriptions)."
            )
        queue = self._catalogue.source(request.destination, now)
        credit = self._credit(request, is_queue=not request.destination.is_topic)
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
            selector=None
            if request.destination.is_topic
            else request.selector,  # a topic's messages are selected before they are queued
        )
        session.subscriptions[request.subscription_id] = session.by_number[subscription.number] = subscription
        # What the same client sends to the topic next must reach it, so only the deliveries wait.
        self._catalogue.bind(subscription.destination, queue, request.selector)
        if subscription.destination.is_spread:
            self._catalogue.spread(subscription, now)
        work = Work()
        if request.receipt is not None:
            # The RECEIPT comes before the first MESSAGE, and says how much was granted.
            headers = {"prefetch-count": str(credit)}
            work.steps.append(self._ledger.confirming(session, request.receipt, headers))
        work.steps.append(partial(_begin, subscription))
        self._ledger.enact(session, work)

    def unsubscribe(self, session: Session, request: Unsubscribe, now: float) -> None:
        """End the subscription that the client names.

        Raises:
            UnknownSubscription: The session has none of this id.
        """
        subscription = session.subscriptions.get(request.subscription_id)
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
        for delivery in reversed(subscription.outstanding.values()):
            if delivery.is_held:
                continue
            session.settled_ids.append(str(delivery.entry.message.message_id))
            if not delivery.queue.is_private:
                delivery.queue.give_back(delivery.entry)
        subscription.outstanding.clear()
        if subscription.spread is not None:
            self._catalogue.gather(subscription, subscription.spread)
        self._catalogue.release(subscription.destination, subscription.queue)

    def _credit(self, request: Subscribe, *, is_queue: bool) -> int:
        limits = self._limits
        if request.prefetch is None:
            return limits.queue_prefetch if is_queue else limits.topic_prefetch
        return min(request.prefetch or limits.highest_prefetch, limits.highest_prefetch)


def explain_overflow(subscription: Subscription, limits: Limits) -> StompError:
    """Return the error for a session whose subscription has fallen too far behind, or takes from too many queues."""
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


def _begin(subscription: Subscription) -> None:
    if subscription.session.subscriptions.get(subscription.subscription_id) is not subscription:
        return  # it ended before it began
    if subscription.spread is None:
        subscription.queue.attach(subscription)
    else:
        subscription.spread.attach()

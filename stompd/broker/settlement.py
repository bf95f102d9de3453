"""Which deliveries an ACK or NACK means."""

from __future__ import annotations

from stompd.broker.delivery import Delivery
from stompd.broker.requests import AckMode, DeliveredMessage, DeliveryName, DeliveryToken
from stompd.broker.session import Session
from stompd.broker.subscription import Subscription
from stompd.errors import UnknownDelivery


def find_deliveries(session: Session, name: DeliveryName) -> list[Delivery]:
    """Return the deliveries that are to be settled, oldest first.

    In `client` mode these are all up to the one named; otherwise it alone. None is returned for a delivery that was
    settled or given back before, or that an open transaction holds: a late acknowledgement is no fault.

    Raises:
        UnknownDelivery: The session never had such a delivery.
    """
    if isinstance(name, DeliveryToken):
        return _find_by_token(session, name)
    return _find_by_message(session, name)


def _find_by_token(session: Session, token: DeliveryToken) -> list[Delivery]:
    subscription = session.by_number.get(token.subscription_number)
    if subscription is None:
        if 0 < token.subscription_number <= session.last_number:
            return []  # the subscription has ended, and its deliveries were given back
    elif delivery := subscription.outstanding.get(token.delivery_number):
        return _up_to(subscription, delivery)
    elif subscription.queue.browser is not None:
        raise _only_shown(subscription)
    elif 0 < token.delivery_number <= subscription.last_number:
        return []
    raise UnknownDelivery(
        "The id header names no message that was delivered on this connection."
        " Send the value of the MESSAGE frame's ack header, on the connection that received it."
    )


def _find_by_message(session: Session, name: DeliveredMessage) -> list[Delivery]:
    subscriptions = list(session.subscriptions.values())
    if name.subscription_id is not None:
        subscriptions = [found for found in subscriptions if found.subscription_id == name.subscription_id]
    for subscription in subscriptions:
        for delivery in subscription.outstanding.values():
            if str(delivery.entry.message.message_id) == name.message_id:
                deliveries = _up_to(subscription, delivery)
                session.settled_ids.extend(str(found.entry.message.message_id) for found in deliveries)
                return deliveries
    if name.message_id in session.settled_ids:
        return []
    if len(subscriptions) == 1 and subscriptions[0].queue.browser is not None:
        raise _only_shown(subscriptions[0])
    if any(subscription.is_automatic for subscription in subscriptions):
        return []
    raise UnknownDelivery(
        f"message-id:{name.message_id} names no message that was delivered on this connection"
        f"{'' if name.subscription_id is None else ' to subscription:' + name.subscription_id}."
        " Send the values of the MESSAGE frame's message-id and subscription headers."
    )


def _only_shown(subscription: Subscription) -> UnknownDelivery:
    return UnknownDelivery(
        f"Subscription {subscription.subscription_id} browses {subscription.destination.path}: its messages are shown,"
        " stay where they are, and cannot be acknowledged or rejected. Subscribe without browser:true to take them."
    )


def _up_to(subscription: Subscription, named: Delivery) -> list[Delivery]:
    if named.is_held:
        return []
    if subscription.ack_mode is AckMode.INDIVIDUAL:
        # STOMP 1.2 "SUBSCRIBE", client-individual: an ACK acknowledges no other message.
        return [named]
    # STOMP 1.2 "SUBSCRIBE", client: the ACK is cumulative, within this subscription.
    found = []
    for delivery in subscription.outstanding.values():
        if delivery.number > named.number:
            break
        if not delivery.is_held:
            found.append(delivery)
    return found

"""What a store hands out when it is opened, beside counts: retained messages, and messages that have keys."""

from __future__ import annotations

from stompd.broker.message import Message
from stompd.broker.units import RETAINED_NAME, DeleteMessage, InsertMessage, LastValue, PutQueue
from stompd.interfaces import IMessageStore
from tests.contract.site import Site
from tests.contract.vocabulary import ORDERS, PAYMENTS, apply, at, insert


def keyed(message_id: int, key: str, body: bytes = b"") -> InsertMessage:
    """Return what puts a message with a key into ORDERS."""
    headers = {"last-value-key": key}
    return InsertMessage(ORDERS, Message("/queue/orders", headers, body, message_id=message_id))


def test_retained_messages_are_handed_out_whole(site: Site, orders: IMessageStore) -> None:
    apply(orders, PutQueue(PAYMENTS, RETAINED_NAME), insert(1), insert(2, b"kept", queue_id=PAYMENTS, priority=9))
    site.crash(orders)

    (kept,) = site.store().open().retained

    assert (kept.body, kept.destination, kept.priority, kept.message_id) == (b"kept", "/queue/orders", 9, 2)


def test_messages_with_keys_are_handed_out_oldest_first(site: Site, orders: IMessageStore) -> None:
    apply(orders, keyed(3, 'b"\\', b"xyz"), keyed(2, "a"), insert(1), keyed(4, "c"))
    apply(orders, DeleteMessage(ORDERS, at(4)))
    site.crash(orders)

    found = site.store().open().last_values

    assert list(found) == [LastValue(ORDERS, at(2), "a", 0), LastValue(ORDERS, at(3), 'b"\\', 3)]

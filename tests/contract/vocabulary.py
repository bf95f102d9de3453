"""Short words for the contract tests: making operations, applying them, and reading a queue back."""

from __future__ import annotations

from itertools import count

from stompd.broker.message import Message, MessageId, Place, QueueId
from stompd.broker.units import InsertMessage, Operation, UnitOfWork
from stompd.interfaces import IMessageStore
from tests.contract.site import Site

ORDERS, PAYMENTS = QueueId(1 << 40), QueueId((1 << 40) + 1)

#: More bytes than any test stores.
ENOUGH = 1 << 30

_serials = count(1)


def unit(*operations: Operation) -> UnitOfWork:
    """Return a unit of the operations."""
    return UnitOfWork(next(_serials), operations)


def apply(store: IMessageStore, *operations: Operation) -> None:
    """Apply one unit."""
    store.apply([unit(*operations)])


def message(message_id: int, body: bytes = b"", *, priority: int = 4, is_persistent: bool = True) -> Message:
    """Return a message to `/queue/orders`."""
    return Message(
        "/queue/orders", {}, body, priority=priority, is_persistent=is_persistent, message_id=message_id, timestamp_ms=1
    )


def at(message_id: int, priority: int = 4) -> Place:
    """Return the place of such a message in its queue."""
    return Place(9 - priority, MessageId(message_id))


def insert(message_id: int, body: bytes = b"", *, queue_id: QueueId = ORDERS, priority: int = 4) -> InsertMessage:
    """Return what puts such a message into a queue."""
    return InsertMessage(queue_id, message(message_id, body, priority=priority))


def ids(store: IMessageStore, queue_id: QueueId = ORDERS) -> list[int]:
    """Return the ids in a queue, in the order of delivery."""
    return list(counts(store, queue_id))


def counts(store: IMessageStore, queue_id: QueueId = ORDERS) -> dict[int, int]:
    """Return how often each message of a queue was delivered, by id, in the order of delivery."""
    page = store.load(queue_id, None, 1000, ENOUGH)
    return {stored.message.message_id: stored.delivery_count for stored in page.messages}


def reopen(site: Site, store: IMessageStore, *, crash: bool) -> IMessageStore:
    """End a store, and open the next one in its place."""
    if crash:
        site.crash(store)
    else:
        store.close()
    successor = site.store()
    successor.open()
    return successor

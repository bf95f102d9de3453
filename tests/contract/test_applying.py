"""`IMessageStore.apply`: all units or none, and twice is harmless."""

from __future__ import annotations

import pytest

from stompd.broker.message import Message, MessageId, QueueId
from stompd.broker.units import (
    DeleteMessage,
    DeleteQueue,
    InsertMessage,
    MarkDelivered,
    Operation,
    PutQueue,
    ReturnMessage,
)
from stompd.errors import StoreRefused
from stompd.interfaces import IMessageStore
from tests.contract.site import Site
from tests.contract.vocabulary import ENOUGH, ORDERS, PAYMENTS, apply, at, counts, ids, insert, unit


def test_applying_nothing_is_harmless(orders: IMessageStore) -> None:
    orders.apply([])
    orders.apply([unit()])

    assert ids(orders) == []


def test_applying_units_again_is_harmless(site: Site, orders: IMessageStore) -> None:
    units = [
        unit(PutQueue(PAYMENTS, "p"), insert(1), insert(2, priority=9), insert(1, queue_id=PAYMENTS)),
        unit(ReturnMessage(ORDERS, at(1), 2), MarkDelivered(ORDERS, MessageId(2)), insert(3)),
        unit(DeleteMessage(ORDERS, at(2, 9)), DeleteQueue(PAYMENTS)),
    ]
    orders.apply(units)
    once = counts(orders), counts(orders, PAYMENTS)

    orders.apply(units)

    assert (counts(orders), counts(orders, PAYMENTS)) == once == ({1: 2, 3: 0}, {})


def test_changes_of_many_queues_go_in_one_batch(store: IMessageStore) -> None:
    queues = [QueueId(number) for number in range(1, 301)]
    store.apply([unit(PutQueue(queue_id, f"reply-{queue_id}"), insert(9, queue_id=queue_id)) for queue_id in queues])

    store.apply([unit(DeleteMessage(queue_id, at(9))) for queue_id in queues[1:]])

    assert [queue_id for queue_id in queues if ids(store, queue_id)] == [1]


REFUSED: dict[str, Operation] = {
    "NUL in a destination": InsertMessage(ORDERS, Message("/queue/\0", {}, b"", message_id=9)),
    "NUL in a header name": InsertMessage(ORDERS, Message("/queue/a", {"a\0b": "c"}, b"", message_id=9)),
    "NUL in a header value": InsertMessage(ORDERS, Message("/queue/a", {"a": "b\0"}, b"", message_id=9)),
    "NUL in a queue name": PutQueue(PAYMENTS, "a\0"),
    "id out of range": insert(1 << 63),
    "negative id": insert(-1),
    "expiry out of range": InsertMessage(ORDERS, Message("/queue/a", {}, b"", message_id=9, expires_ms=1 << 63)),
    "priority out of range": insert(9, priority=10),
    "queue id out of range": PutQueue(QueueId(1 << 63), "a"),
    "count out of range": ReturnMessage(ORDERS, at(1), 1 << 31),
    "deleted id out of range": DeleteMessage(ORDERS, at(1 << 63)),
    "mark out of range": MarkDelivered(ORDERS, MessageId(1 << 63)),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_refused_batch_leaves_nothing(orders: IMessageStore, fault: str) -> None:
    apply(orders, insert(1), insert(2))
    batch = [
        unit(insert(3), PutQueue(QueueId(77), "new")),
        unit(DeleteMessage(ORDERS, at(2)), ReturnMessage(ORDERS, at(1), 5)),
        unit(REFUSED[fault]),
        unit(insert(4)),
    ]

    with pytest.raises(StoreRefused):
        orders.apply(batch)

    assert counts(orders) == {1: 0, 2: 0}


def test_store_works_on_after_a_refusal(orders: IMessageStore) -> None:
    with pytest.raises(StoreRefused):
        orders.apply([unit(insert(1)), unit(PutQueue(PAYMENTS, "/queue/orders"))])

    apply(orders, insert(1))

    assert ids(orders) == [1]


@pytest.mark.parametrize("text", ["\\u0000", "\\\\u0000", "\\0", "null"])
def test_text_that_only_looks_like_nul_is_kept(orders: IMessageStore, text: str) -> None:
    apply(orders, InsertMessage(ORDERS, Message(text, {text: text}, b"", message_id=1)))

    (stored,) = orders.load(ORDERS, None, 1, ENOUGH).messages

    assert (stored.message.destination, stored.message.headers) == (text, {text: text})

"""What is due later, and what expires."""

from __future__ import annotations

import pytest

from stompd.broker.message import Message, QueueId
from stompd.broker.units import DeleteMessage, DueKey, ExpiryKey, InsertMessage, MarkDelivered, PutQueue, ReturnMessage
from stompd.errors import StoreRefused
from stompd.interfaces import IMessageStore
from tests.contract.site import Site
from tests.contract.vocabulary import ENOUGH, ORDERS, PAYMENTS, apply, at, counts, ids, insert, reopen

START, FIRST = DueKey(0, 0), ExpiryKey(0, QueueId(0), 0)


def delayed(message_id: int, due_ms: int, *, body: bytes = b"", expires_ms: int = 0) -> InsertMessage:
    """Return what puts a message into ORDERS that is due later."""
    return InsertMessage(
        ORDERS, Message("/queue/orders", {}, body, message_id=message_id, due_ms=due_ms, expires_ms=expires_ms)
    )


def expiring(message_id: int, expires_ms: int, queue_id: QueueId = ORDERS) -> InsertMessage:
    """Return what puts a message that expires into a queue."""
    return InsertMessage(queue_id, Message("/queue/orders", {}, b"", message_id=message_id, expires_ms=expires_ms))


def due(store: IMessageStore, through_ms: int, after: DueKey = START, limit: int = 100) -> tuple[list[int], int]:
    """Return the ids of what is due, and when the next one is."""
    page = store.load_due(ORDERS, after, through_ms, limit, ENOUGH)
    return [stored.message.message_id for stored in page.messages], page.next_ms


def expired(store: IMessageStore, through_ms: int, after: ExpiryKey = FIRST, limit: int = 100) -> list[int]:
    """Return the ids of what has expired."""
    return [row.key.message_id for row in store.find_expired(after, through_ms, limit).rows]


def test_page_leaves_out_what_is_due_later(orders: IMessageStore) -> None:
    apply(orders, insert(1), delayed(2, 500), insert(3))

    page = orders.load(ORDERS, None, 2, ENOUGH)

    assert ([stored.message.message_id for stored in page.messages], page.is_last) == ([1, 3], True)


def test_page_for_somebody_who_looks_has_what_is_due_in_its_place(orders: IMessageStore) -> None:
    apply(orders, insert(1), delayed(2, 500), insert(3), delayed(4, 501))

    page = orders.load(ORDERS, None, 10, ENOUGH, 500)

    assert [(stored.message.message_id, stored.due_ms) for stored in page.messages] == [(1, 0), (2, 500), (3, 0)]
    assert page.is_last


def test_due_messages_come_in_the_order_of_their_times(orders: IMessageStore) -> None:
    apply(orders, delayed(1, 700), delayed(2, 500), delayed(3, 600), delayed(4, 500), insert(5))

    assert due(orders, 600) == ([2, 4, 3], 700)
    assert due(orders, 499) == ([], 500)
    assert due(orders, 1000) == ([2, 4, 3, 1], 0)


def test_due_message_is_whole(orders: IMessageStore) -> None:
    apply(orders, delayed(1, 500, body=b"hello"), ReturnMessage(ORDERS, at(1), 3, 600))

    (stored,) = orders.load_due(ORDERS, START, 1000, 10, ENOUGH).messages

    assert (stored.message.body, stored.delivery_count, stored.due_ms) == (b"hello", 3, 600)


def test_due_messages_are_read_page_by_page(orders: IMessageStore) -> None:
    apply(orders, *(delayed(number, 500) for number in range(1, 6)))

    assert due(orders, 500, limit=2) == ([1, 2], 500)
    assert due(orders, 500, DueKey(500, 2), limit=2) == ([3, 4], 500)
    assert due(orders, 500, DueKey(500, 4), limit=2) == ([5], 0)


def test_page_of_due_messages_ends_before_its_bodies_exceed_the_limit(orders: IMessageStore) -> None:
    apply(orders, *(delayed(number, 500, body=b"x" * 10) for number in (1, 2, 3)))

    page = orders.load_due(ORDERS, START, 500, 10, 25)

    assert ([stored.message.message_id for stored in page.messages], page.next_ms) == ([1, 2], 500)


def test_returned_message_may_be_due_later(orders: IMessageStore) -> None:
    apply(orders, insert(1), insert(2))

    apply(orders, ReturnMessage(ORDERS, at(1), 2, 800))

    assert ids(orders) == [2]
    assert due(orders, 800) == ([1], 0)


def test_returned_message_may_be_due_at_once_again(orders: IMessageStore) -> None:
    apply(orders, delayed(1, 500))

    apply(orders, ReturnMessage(ORDERS, at(1), 2))

    assert counts(orders) == {1: 2}
    assert due(orders, 1000) == ([], 0)


def test_message_inserted_and_postponed_in_one_unit_is_postponed(orders: IMessageStore) -> None:
    apply(orders, insert(1), ReturnMessage(ORDERS, at(1), 1, 900))

    assert due(orders, 1000) == ([1], 0)


def test_deleted_message_is_never_due(orders: IMessageStore) -> None:
    apply(orders, delayed(1, 500))

    apply(orders, DeleteMessage(ORDERS, at(1)))

    assert due(orders, 1000) == ([], 0)


def test_due_time_is_checked(orders: IMessageStore) -> None:
    apply(orders, insert(1))

    with pytest.raises(StoreRefused):
        apply(orders, delayed(2, 1 << 63))
    with pytest.raises(StoreRefused):
        apply(orders, ReturnMessage(ORDERS, at(1), 1, -1))


def test_queue_that_does_not_exist_has_nothing_due(orders: IMessageStore) -> None:
    page = orders.load_due(PAYMENTS, START, 1000, 10, ENOUGH)

    assert (list(page.messages), page.next_ms) == ([], 0)


@pytest.mark.parametrize("crash", [False, True])
def test_open_tells_what_is_due_and_what_expires_first(site: Site, orders: IMessageStore, crash: bool) -> None:
    apply(orders, PutQueue(PAYMENTS, "p"), delayed(1, 700), delayed(2, 600, expires_ms=900), insert(3))
    apply(orders, expiring(4, 800))
    if crash:
        site.crash(orders)
    else:
        orders.close()

    recovered = site.store().open()

    first = {queue.queue_id: (queue.message_count, queue.next_due_ms) for queue in recovered.queues}
    assert first == {ORDERS: (4, 600), PAYMENTS: (0, 0)}
    assert recovered.next_expiry_ms == 800


def test_crash_counts_a_delivery_for_what_was_due(site: Site, orders: IMessageStore) -> None:
    apply(orders, delayed(1, 500), delayed(2, 500), MarkDelivered(ORDERS, at(1).message_id))

    store = reopen(site, orders, crash=True)

    page = store.load_due(ORDERS, START, 500, 10, ENOUGH)
    assert [stored.delivery_count for stored in page.messages] == [1, 0]


def test_expired_messages_of_all_queues_are_found(orders: IMessageStore) -> None:
    apply(orders, PutQueue(PAYMENTS, "p"), expiring(1, 700), expiring(2, 500, PAYMENTS), expiring(3, 900), insert(4))

    page = orders.find_expired(FIRST, 800, 10)

    assert [(row.key, row.urgency, row.due_ms) for row in page.rows] == [
        ((500, PAYMENTS, 2), 5, 0),
        ((700, ORDERS, 1), 5, 0),
    ]
    assert page.next_ms == 900


def test_expired_messages_are_found_page_by_page(orders: IMessageStore) -> None:
    apply(orders, *(expiring(number, 500) for number in range(1, 6)))

    assert expired(orders, 500, limit=2) == [1, 2]
    assert expired(orders, 500, ExpiryKey(500, ORDERS, 2), limit=2) == [3, 4]
    assert expired(orders, 500, ExpiryKey(500, ORDERS, 4), limit=2) == [5]


def test_expired_message_tells_when_it_is_due(orders: IMessageStore) -> None:
    apply(orders, delayed(1, 800, expires_ms=500))

    (row,) = orders.find_expired(FIRST, 500, 10).rows

    assert row.due_ms == 800


def test_nothing_expires_of_what_never_does(orders: IMessageStore) -> None:
    apply(orders, insert(1))

    page = orders.find_expired(FIRST, 1 << 62, 10)

    assert (list(page.rows), page.next_ms) == ([], 0)


def test_expired_row_says_how_long_its_body_is(orders: IMessageStore) -> None:
    apply(orders, InsertMessage(ORDERS, Message("/queue/orders", {}, "hä".encode(), message_id=1, expires_ms=5)))

    (row,) = orders.find_expired(FIRST, 500, 10).rows

    assert row.body_bytes == 3

"""The delivery mark, and what a crash counts."""

from __future__ import annotations

from stompd.broker.message import MessageId
from stompd.broker.units import MarkDelivered, PutQueue, ReturnMessage
from stompd.interfaces import IMessageStore
from tests.contract.site import Site
from tests.contract.vocabulary import ORDERS, PAYMENTS, apply, at, counts, ids, insert, reopen, unit


def test_crash_counts_a_delivery_up_to_the_mark(site: Site, orders: IMessageStore) -> None:
    apply(orders, PutQueue(PAYMENTS, "p"), insert(1), insert(2), insert(3), insert(1, queue_id=PAYMENTS))
    apply(orders, MarkDelivered(ORDERS, MessageId(2)))

    store = reopen(site, orders, crash=True)

    assert counts(store) == {1: 1, 2: 1, 3: 0}
    assert counts(store, PAYMENTS) == {1: 0}


def test_crash_leaves_messages_that_have_a_count(site: Site, orders: IMessageStore) -> None:
    apply(orders, insert(1), insert(2), ReturnMessage(ORDERS, at(1), 4), MarkDelivered(ORDERS, MessageId(2)))

    store = reopen(site, orders, crash=True)

    assert counts(store) == {1: 4, 2: 1}


def test_clean_close_counts_nothing(site: Site, orders: IMessageStore) -> None:
    apply(orders, insert(1), MarkDelivered(ORDERS, MessageId(1)))

    store = reopen(site, orders, crash=False)

    assert counts(store) == {1: 0}


def test_clean_close_removes_the_mark(site: Site, orders: IMessageStore) -> None:
    apply(orders, insert(1), MarkDelivered(ORDERS, MessageId(1)))
    store = reopen(site, orders, crash=False)

    store = reopen(site, store, crash=True)

    assert counts(store) == {1: 0}


def test_mark_never_falls(site: Site, orders: IMessageStore) -> None:
    apply(orders, insert(1), insert(2), insert(3))
    orders.apply([unit(MarkDelivered(ORDERS, MessageId(mark))) for mark in (1, 2, 1)])
    apply(orders, MarkDelivered(ORDERS, MessageId(1)))

    store = reopen(site, orders, crash=True)

    assert counts(store) == {1: 1, 2: 1, 3: 0}


def test_count_of_a_crash_outlives_further_restarts(site: Site, orders: IMessageStore) -> None:
    apply(orders, insert(1), insert(2), MarkDelivered(ORDERS, MessageId(1)))
    store = reopen(site, orders, crash=True)
    store = reopen(site, store, crash=False)
    apply(store, MarkDelivered(ORDERS, MessageId(2)))

    store = reopen(site, store, crash=True)

    assert counts(store) == {1: 1, 2: 1}


def test_message_returned_after_a_crash_has_the_count_it_came_back_with(site: Site, orders: IMessageStore) -> None:
    apply(orders, insert(1), MarkDelivered(ORDERS, MessageId(1)))
    store = reopen(site, orders, crash=True)

    apply(store, ReturnMessage(ORDERS, at(1), 2))

    assert counts(store) == {1: 2}


def test_marking_a_queue_that_does_not_exist_is_harmless(orders: IMessageStore) -> None:
    apply(orders, MarkDelivered(PAYMENTS, MessageId(1)))

    assert ids(orders) == []

"""Putting and deleting queues."""

from __future__ import annotations

import pytest

from stompd.broker.message import MessageId, QueueId
from stompd.broker.units import DeleteQueue, MarkDelivered, PutQueue
from stompd.errors import StoreRefused
from stompd.interfaces import IMessageStore
from tests.contract.site import Site
from tests.contract.vocabulary import ORDERS, PAYMENTS, apply, counts, ids, insert, reopen


def test_putting_a_queue_again_changes_nothing(site: Site, orders: IMessageStore) -> None:
    apply(orders, insert(1), MarkDelivered(ORDERS, MessageId(1)))

    apply(orders, PutQueue(ORDERS, "/queue/other", is_durable=False))

    store = reopen(site, orders, crash=True)
    assert counts(store) == {1: 1}


def test_queue_under_the_name_of_another_is_refused(orders: IMessageStore) -> None:
    with pytest.raises(StoreRefused):
        apply(orders, insert(1), PutQueue(PAYMENTS, "/queue/orders"))

    assert ids(orders) == []


def test_deleting_a_queue_removes_it_with_everything_in_it(site: Site, orders: IMessageStore) -> None:
    apply(orders, insert(1), insert(2, priority=9))

    apply(orders, DeleteQueue(ORDERS))

    assert ids(orders) == []
    orders.close()
    assert list(site.store().open().queues) == []


def test_deleting_a_queue_that_does_not_exist_is_harmless(orders: IMessageStore) -> None:
    apply(orders, DeleteQueue(PAYMENTS))

    assert ids(orders) == []


def test_queue_deleted_in_the_batch_that_fills_it_is_gone(site: Site, store: IMessageStore) -> None:
    apply(store, PutQueue(ORDERS, "/queue/orders"), insert(1), MarkDelivered(ORDERS, MessageId(1)), DeleteQueue(ORDERS))

    assert ids(store) == []
    store.close()
    assert list(site.store().open().queues) == []


def test_name_is_free_again_within_the_batch_that_deletes_its_queue(orders: IMessageStore) -> None:
    apply(orders, insert(1))

    apply(orders, DeleteQueue(ORDERS), PutQueue(PAYMENTS, "/queue/orders"), insert(2, queue_id=PAYMENTS))

    assert ids(orders) == []
    assert ids(orders, PAYMENTS) == [2]


@pytest.mark.parametrize("name", ["/queue/" + "x" * 248, "/queue/größe 数量 🐇", "/queue/'; --", "/queue/100%"])
def test_queue_names_may_be_long_and_hold_any_character(site: Site, store: IMessageStore, name: str) -> None:
    apply(store, PutQueue(ORDERS, name))
    store.close()

    recovered = site.store().open()

    assert [queue.name for queue in recovered.queues] == [name]


@pytest.mark.parametrize("crash", [False, True])
def test_queue_that_is_not_durable_is_gone_after_a_restart(site: Site, orders: IMessageStore, crash: bool) -> None:
    apply(orders, PutQueue(PAYMENTS, "overflow", is_durable=False), insert(1), insert(2, queue_id=PAYMENTS))
    if crash:
        site.crash(orders)
    else:
        orders.close()
    store = site.store()

    recovered = store.open()

    assert [queue.queue_id for queue in recovered.queues] == [ORDERS]
    assert ids(store) == [1]
    assert ids(store, PAYMENTS) == []


def test_queue_is_measured_in_bytes_of_bodies(orders: IMessageStore) -> None:
    apply(orders, insert(1, b"ab\0"), insert(2), insert(3, b"cde", priority=9))

    assert orders.measure(ORDERS) == 6
    assert orders.measure(QueueId(77)) == 0

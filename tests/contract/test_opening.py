"""`IMessageStore.open` and `close`: the interface, the lock, and what is found."""

from __future__ import annotations

import pytest
from zope.interface.verify import verifyObject

from stompd.broker.message import MessageId
from stompd.broker.units import DeleteMessage, MarkDelivered, PutQueue
from stompd.errors import StoreLocked
from stompd.interfaces import IMessageStore
from tests.contract.site import Site
from tests.contract.vocabulary import ORDERS, PAYMENTS, apply, at, ids, insert


def test_store_provides_the_interface(site: Site) -> None:
    assert verifyObject(IMessageStore, site.store())


def test_description_is_a_line_without_password(site: Site) -> None:
    description = site.store().description

    assert description.strip()
    assert "\n" not in description
    assert "://" not in description


def test_new_store_is_empty(site: Site) -> None:
    recovered = site.store().open()

    assert list(recovered.queues) == []
    assert recovered.highest_id == 0


def test_open_store_cannot_be_opened_again(store: IMessageStore) -> None:
    with pytest.raises(StoreLocked):
        store.open()


def test_second_broker_is_locked_out_until_the_first_closes(site: Site, store: IMessageStore) -> None:
    second = site.store()
    with pytest.raises(StoreLocked):
        second.open()
    store.close()

    second.open()

    assert ids(second) == []


def test_crashed_broker_holds_no_lock(site: Site, orders: IMessageStore) -> None:
    apply(orders, insert(1))
    site.crash(orders)

    second = site.store()
    second.open()

    assert ids(second) == [1]


def test_work_for_a_store_that_is_not_open_is_an_error_of_the_program(site: Site) -> None:
    store = site.store()

    with pytest.raises(RuntimeError):
        apply(store, insert(1))
    with pytest.raises(RuntimeError):
        ids(store)


def test_close_is_harmless_when_not_open(site: Site) -> None:
    store = site.store()

    store.close()
    store.open()
    store.close()
    store.close()


def test_closed_store_can_be_opened_again(orders: IMessageStore) -> None:
    apply(orders, insert(1))
    orders.close()

    orders.open()

    assert ids(orders) == [1]


def test_open_returns_queues_by_name_with_their_message_counts(site: Site, orders: IMessageStore) -> None:
    apply(orders, PutQueue(PAYMENTS, "/queue/a payment"), insert(5), insert(6, priority=9), insert(7, priority=0))
    orders.close()

    recovered = site.store().open()

    found = [(queue.queue_id, queue.name, queue.message_count) for queue in recovered.queues]
    assert found == [(PAYMENTS, "/queue/a payment", 0), (ORDERS, "/queue/orders", 3)]


def test_highest_id_covers_messages_and_queues(site: Site, orders: IMessageStore) -> None:
    apply(orders, insert(PAYMENTS + 5), insert(PAYMENTS + 9, priority=9), insert(PAYMENTS + 7))
    orders.close()
    store = site.store()
    with_messages = store.open().highest_id
    apply(store, *(DeleteMessage(ORDERS, at(PAYMENTS + n, priority)) for n, priority in ((5, 4), (7, 4), (9, 9))))
    store.close()

    without_messages = site.store().open().highest_id

    assert (with_messages, without_messages) == (PAYMENTS + 9, ORDERS)


def test_highest_id_covers_the_mark_after_a_crash(site: Site, orders: IMessageStore) -> None:
    apply(orders, MarkDelivered(ORDERS, MessageId(PAYMENTS + 3)))
    site.crash(orders)

    recovered = site.store().open()

    # A new message at or below the mark would be counted as delivered by the next crash.
    assert recovered.highest_id == PAYMENTS + 3

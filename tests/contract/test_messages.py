"""Inserting, deleting and returning messages."""

from __future__ import annotations

import pytest

from stompd.broker.message import Message
from stompd.broker.units import DeleteMessage, InsertMessage, PutQueue, ReturnMessage
from stompd.interfaces import IMessageStore
from tests.contract.site import Site
from tests.contract.vocabulary import ENOUGH, ORDERS, PAYMENTS, apply, at, counts, ids, insert, message, reopen, unit


def test_message_comes_back_as_it_was_stored(site: Site, orders: IMessageStore) -> None:
    headers = {"type": "order", "größe": 'quote " and \\u0000 and\nnewline', "数": "", "rabbit": "🐇"}
    body = bytes(range(256)) * 5
    stored = Message(
        "/queue/größe 🐇",
        headers,
        body,
        priority=7,
        expires_ms=(1 << 62) + 1,
        is_persistent=True,
        message_id=(1 << 63) - 1,
        timestamp_ms=1_700_000_000_123,
    )
    apply(orders, InsertMessage(ORDERS, stored))
    store = reopen(site, orders, crash=False)

    (loaded,) = store.load(ORDERS, None, 10, ENOUGH).messages

    found = loaded.message
    assert (found.destination, found.headers, found.body) == (stored.destination, headers, body)
    assert (found.priority, found.expires_ms, found.timestamp_ms) == (7, (1 << 62) + 1, 1_700_000_000_123)
    assert (found.message_id, found.is_persistent, loaded.delivery_count) == ((1 << 63) - 1, True, 0)
    assert isinstance(found.body, bytes)


@pytest.mark.parametrize("bodies", [[b""], [b"", b""], [b"", b"\0", b"", b"\xff\0\xfe", b"\xc3"]])
def test_bodies_keep_their_octets(orders: IMessageStore, bodies: list[bytes]) -> None:
    apply(orders, *(insert(number, body) for number, body in enumerate(bodies, 1)))

    page = orders.load(ORDERS, None, 10, ENOUGH)

    assert [stored.message.body for stored in page.messages] == bodies


def test_inserting_again_is_harmless(orders: IMessageStore) -> None:
    apply(orders, insert(1, b"first"), insert(1, b"first"))
    apply(orders, ReturnMessage(ORDERS, at(1), 2))

    apply(orders, insert(1, b"first"))

    assert counts(orders) == {1: 2}


def test_one_message_may_be_in_many_queues(orders: IMessageStore) -> None:
    shared = message(1)
    apply(orders, PutQueue(PAYMENTS, "p"), InsertMessage(ORDERS, shared), InsertMessage(PAYMENTS, shared))

    apply(orders, DeleteMessage(ORDERS, at(1)))

    assert ids(orders) == []
    assert ids(orders, PAYMENTS) == [1]


@pytest.mark.parametrize("crash", [False, True])
def test_message_that_is_not_persistent_is_gone_after_a_restart(site: Site, orders: IMessageStore, crash: bool) -> None:
    apply(orders, insert(1), InsertMessage(ORDERS, message(2, is_persistent=False, priority=9)), insert(3))
    before = ids(orders)

    store = reopen(site, orders, crash=crash)

    assert before == [2, 1, 3]
    assert ids(store) == [1, 3]


def test_batch_larger_than_a_statement_is_applied_whole(orders: IMessageStore) -> None:
    everything = [insert(number, b"x" * (number % 7)) for number in range(1, 1301)]

    orders.apply([unit(*everything[:1]), unit(*everything[1:])])

    page = orders.load(ORDERS, None, 2000, ENOUGH)
    assert [stored.message.message_id for stored in page.messages] == list(range(1, 1301))
    assert all(len(stored.message.body) == stored.message.message_id % 7 for stored in page.messages)


def test_large_bodies_are_kept_whole(orders: IMessageStore) -> None:
    bodies = [bytes([number]) * (16 << 20) for number in range(3)]
    orders.apply([unit(insert(number, body)) for number, body in enumerate(bodies, 1)])

    page = orders.load(ORDERS, None, 10, ENOUGH)

    assert [stored.message.body for stored in page.messages] == bodies


def test_deleted_message_is_gone(orders: IMessageStore) -> None:
    apply(orders, *(insert(number, priority=number) for number in range(1, 10)))

    apply(orders, *(DeleteMessage(ORDERS, at(number, number)) for number in (9, 4, 1)))

    assert ids(orders) == [8, 7, 6, 5, 3, 2]


def test_deleting_what_does_not_exist_is_harmless(orders: IMessageStore) -> None:
    apply(orders, insert(1))

    apply(orders, DeleteMessage(ORDERS, at(2)), DeleteMessage(PAYMENTS, at(1)))

    assert ids(orders) == [1]


def test_message_inserted_returned_and_deleted_in_one_batch_is_gone(orders: IMessageStore) -> None:
    insertion, deletion = insert(1), DeleteMessage(ORDERS, at(1))

    orders.apply([unit(insertion), unit(ReturnMessage(ORDERS, at(1), 1)), unit(deletion), unit(insert(2))])

    assert ids(orders) == [2]


def test_returned_message_keeps_its_place_and_has_the_new_count(orders: IMessageStore) -> None:
    apply(orders, insert(1), insert(2, priority=9), insert(3))

    apply(orders, ReturnMessage(ORDERS, at(2, 9), 1), ReturnMessage(ORDERS, at(1), 7))

    assert list(counts(orders).items()) == [(2, 1), (1, 7), (3, 0)]


def test_last_of_several_returns_counts(orders: IMessageStore) -> None:
    apply(orders, insert(1), insert(2))

    orders.apply([unit(ReturnMessage(ORDERS, at(1), number)) for number in (1, 3, 2)])

    assert counts(orders) == {1: 2, 2: 0}


def test_returning_what_does_not_exist_is_harmless(orders: IMessageStore) -> None:
    apply(orders, ReturnMessage(ORDERS, at(1), 1))

    assert ids(orders) == []


def test_changes_after_a_restart_reach_messages_of_every_priority(site: Site, orders: IMessageStore) -> None:
    apply(orders, *(insert(number + 1, priority=number) for number in range(10)))
    store = reopen(site, orders, crash=False)

    apply(store, *(DeleteMessage(ORDERS, at(number, number - 1)) for number in (1, 5, 9)))
    apply(store, *(ReturnMessage(ORDERS, at(number, number - 1), number) for number in (2, 6, 10)))

    assert counts(store) == {10: 10, 8: 0, 7: 0, 6: 6, 4: 0, 3: 0, 2: 2}

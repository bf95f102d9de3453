"""`IMessageStore.load`: order, pages, limits."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from stompd.broker.message import Place
from stompd.broker.units import DeleteMessage, PutQueue
from stompd.interfaces import IMessageStore
from tests.contract.vocabulary import ENOUGH, ORDERS, PAYMENTS, apply, at, ids, insert, message


def test_queue_that_does_not_exist_is_empty(store: IMessageStore) -> None:
    page = store.load(ORDERS, None, 1, 1)

    assert (list(page.messages), page.is_last) == ([], True)


def test_higher_priorities_come_first_then_lower_ids(orders: IMessageStore) -> None:
    arrivals = [(5, 4), (1, 0), (2, 9), (4, 4), (3, 9), (6, 0), (7, 5)]
    apply(orders, *(insert(number, priority=priority) for number, priority in arrivals))

    assert ids(orders) == [2, 3, 7, 4, 5, 1, 6]


@pytest.mark.parametrize("limit", [1, 3, 7, 40, 41])
def test_pages_follow_one_another_through_all_priorities(orders: IMessageStore, limit: int) -> None:
    apply(orders, *(insert(number, priority=number * 7 % 10) for number in range(1, 41)))

    seen: list[int] = []
    after: Place | None = None
    pages = 0
    while True:
        page = orders.load(ORDERS, after, limit, ENOUGH)
        pages += 1
        seen += [stored.message.message_id for stored in page.messages]
        if page.is_last:
            break
        after = page.messages[-1].message.place

    assert seen == sorted(range(1, 41), key=lambda number: (-(number * 7 % 10), number))
    assert pages == -(-40 // limit)


def test_page_goes_on_after_a_place_whose_message_is_gone(orders: IMessageStore) -> None:
    apply(orders, *(insert(number) for number in (1, 2, 3, 4)))
    after = message(2).place
    apply(orders, DeleteMessage(ORDERS, at(2)))

    page = orders.load(ORDERS, after, 10, ENOUGH)

    assert [stored.message.message_id for stored in page.messages] == [3, 4]


def test_messages_of_other_queues_are_left_out(orders: IMessageStore) -> None:
    apply(orders, PutQueue(PAYMENTS, "p"), insert(1), insert(2, queue_id=PAYMENTS), insert(3))

    page = orders.load(ORDERS, None, 2, ENOUGH)

    assert [stored.message.message_id for stored in page.messages] == [1, 3]
    assert page.is_last


def test_last_page_after_the_end_is_empty(orders: IMessageStore) -> None:
    apply(orders, insert(1))

    page = orders.load(ORDERS, message(1).place, 10, ENOUGH)

    assert (list(page.messages), page.is_last) == ([], True)


def loaded(store: IMessageStore, limit: int, limit_bytes: int) -> tuple[list[int], bool]:
    page = store.load(ORDERS, None, limit, limit_bytes)
    return [stored.message.message_id for stored in page.messages], page.is_last


@pytest.mark.parametrize(
    ("sizes", "limit", "limit_bytes", "expected"),
    [
        ([10, 10, 10], 10, 20, ([1, 2], False)),
        ([10, 10, 10], 10, 29, ([1, 2], False)),
        ([10, 10, 10], 10, 30, ([1, 2, 3], True)),
        ([10, 10, 10], 2, 30, ([1, 2], False)),
        ([50, 10], 10, 20, ([1], False)),
        ([50], 10, 0, ([1], True)),
        ([0, 0, 50, 1], 10, 20, ([1, 2], False)),
        ([0, 0, 0], 10, 0, ([1, 2, 3], True)),
        ([10, 50, 1], 10, 20, ([1], False)),
    ],
)
def test_page_ends_before_its_bodies_exceed_the_limit(
    orders: IMessageStore, sizes: Sequence[int], limit: int, limit_bytes: int, expected: tuple[list[int], bool]
) -> None:
    apply(orders, *(insert(number, b"x" * size) for number, size in enumerate(sizes, 1)))

    assert loaded(orders, limit, limit_bytes) == expected

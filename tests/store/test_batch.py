"""Batches: what one statement takes, and which order they may forget."""

from __future__ import annotations

import pytest

from stompd.broker.message import Message, MessageId, QueueId
from stompd.broker.units import DeleteQueue, InsertMessage, MarkDelivered, PutQueue, ReturnMessage, UnitOfWork
from stompd.store import batch as module
from stompd.store.batch import Batch
from tests.store.vocabulary import ORDERS, at, insert


def test_one_statement_takes_a_bounded_number_of_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STATEMENT_BYTES", 100)
    sizes = [60, 40, 1, 500, 0, 99]

    batch = Batch([UnitOfWork(1, [insert(number, bytes(size)) for number, size in enumerate(sizes, 1)])])

    assert [rows.message_ids for rows in batch.rows] == [[1, 2], [3], [4], [5, 6]]


def test_headers_become_compact_json_in_their_own_letters() -> None:
    batch = Batch([UnitOfWork(1, [insert(1), insert(2, headers={"größe": "1", "b": "\n"})])])

    assert batch.rows[0].headers == ["{}", '{"größe":"1","b":"\\n"}']


def test_what_is_done_to_a_queue_that_is_dropped_is_left_out() -> None:
    message = Message("/queue/orders", {}, b"", message_id=1)
    operations = [
        PutQueue(ORDERS, "a"),
        InsertMessage(ORDERS, message),
        MarkDelivered(ORDERS, MessageId(1)),
        ReturnMessage(ORDERS, at(1), 1),
        DeleteQueue(ORDERS),
        PutQueue(QueueId(8), "a"),
    ]

    batch = Batch([UnitOfWork(1, operations)])

    assert batch.dropped == {ORDERS}
    assert [put.queue_id for put in batch.queues] == [8]
    assert (batch.rows, batch.marks, batch.returns) == ([], {}, {})


def test_highest_mark_and_last_return_count() -> None:
    operations = [MarkDelivered(ORDERS, MessageId(mark)) for mark in (3, 5, 4)]
    operations += [ReturnMessage(ORDERS, at(1), count) for count in (1, 3, 2)]

    batch = Batch([UnitOfWork(1, operations)])

    assert batch.marks == {ORDERS: 5}
    assert batch.returns == {(ORDERS, *at(1)): (2, 0)}

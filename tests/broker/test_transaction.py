"""Transactions: whole at COMMIT, nothing at ABORT, bounded meanwhile."""

from __future__ import annotations

import pytest

from stompd.broker.requests import AckMode
from tests.broker.core import Core


def _delivered(ack: AckMode = AckMode.INDIVIDUAL, prefetch: int | None = None) -> Core:
    """A core whose session 1 was given persistent messages, and has begun transaction t."""
    core = Core()
    core.subscribe(1, ack=ack, prefetch=prefetch)
    core.send_all(2, "a b c")
    core.run()
    core.begin(1)
    return core


def test_commit_is_one_unit() -> None:
    core = _delivered()
    core.acknowledge(1, "a", "t")
    core.send(1, "x", "/queue/b", transaction="t")
    core.reject(1, "b", "t")
    core.commit(1, receipt="r")

    assert core.effects() == ["persist delete a, queue /queue/b, insert x, return b 1"]
    assert core.run() == ["confirm 1 r", "deliver 1 b again 1"]
    assert core.rows() == ["b:1", "c", "x"]


def test_nothing_takes_effect_before_commit() -> None:
    core = _delivered()
    core.acknowledge(1, "a", "t")
    core.send(1, "x", transaction="t")

    assert core.run() == []
    assert core.rows() == ["a", "b", "c"]


def test_receipts_within_a_transaction_come_at_once() -> None:
    core = _delivered()
    core.acknowledge(1, "a", "t", receipt="1")
    core.send(1, "x", transaction="t", receipt="2")

    assert core.run() == ["confirm 1 1", "confirm 1 2"]


def test_commit_of_nothing_is_confirmed() -> None:
    core = Core()
    core.begin(1, receipt="1")
    core.commit(1, receipt="2")

    assert core.run() == ["confirm 1 1", "confirm 1 2"]


def test_commit_of_messages_in_memory_needs_no_unit() -> None:
    core = Core()
    core.subscribe(2)
    core.begin(1)
    core.send(1, "a", transaction="t", is_persistent=False)
    core.send(1, "b", transaction="t", is_persistent=False)
    core.commit(1, receipt="r")

    assert core.effects() == ["confirm 1 r", "deliver 2 a", "deliver 2 b"]


def test_message_in_memory_becomes_visible_with_its_transaction() -> None:
    core = Core()
    core.subscribe(2)
    core.begin(1)
    core.send(1, "a", transaction="t", is_persistent=False)
    core.send(1, "b", "/queue/b", transaction="t")
    core.commit(1)

    assert core.effects() == ["persist queue /queue/b, insert b"]
    assert core.run() == ["deliver 2 a"]


def test_refused_commit_undoes_everything() -> None:
    core = _delivered()
    core.send(2, "d", is_persistent=False)
    core.run()
    core.acknowledge(1, "a", "t")
    core.reject(1, "b", "t")
    core.acknowledge(1, "d", "t")
    core.send(1, "x", "/queue/b", transaction="t")
    core.send(1, "y", "/queue/b", transaction="t", is_persistent=False)
    core.commit(1, receipt="r")
    core.effects()

    core.refuse_unit()

    assert core.effects()[0] == "refuse 1 refused-by-store r"
    assert core.depth("/queue/b") == 0
    core.subscribe(3)
    assert core.run() == [f"deliver 3 {body} again 1" for body in "abcd"]


def test_transaction_is_gone_after_commit() -> None:
    core = Core()
    core.begin(1)
    core.commit(1)

    core.commit(1, receipt="r")

    assert core.run() == ["refuse 1 unknown-transaction r"]


def test_id_may_be_used_again_after_commit() -> None:
    core = Core()
    core.begin(1)
    core.commit(1)

    core.begin(1, receipt="r")

    assert core.run() == ["confirm 1 r"]


def test_abort_drops_messages() -> None:
    core = Core()
    core.begin(1)
    core.send(1, "a", transaction="t")

    core.abort(1, receipt="r")

    assert core.run() == ["confirm 1 r"]
    assert core.depth() == 0


def test_aborted_acknowledgement_may_be_sent_again() -> None:
    core = _delivered()
    core.acknowledge(1, "a", "t")
    core.abort(1)

    core.acknowledge(1, "a", receipt="r")

    assert core.effects() == ["persist delete a"]


def test_aborted_acknowledgement_brings_no_redelivery() -> None:
    core = _delivered()
    core.acknowledge(1, "a", "t")

    core.abort(1, receipt="r")

    assert core.run() == ["confirm 1 r"]


def test_credit_returns_with_a_held_acknowledgement() -> None:
    core = _delivered(prefetch=1)

    core.acknowledge(1, "a", "t")

    assert core.run() == ["deliver 1 b"]


def test_abort_takes_the_credit_back() -> None:
    core = _delivered(prefetch=1)
    core.acknowledge(1, "a", "t")
    core.run()
    core.abort(1)

    core.acknowledge(1, "b")
    assert core.run() == []
    core.acknowledge(1, "a")
    assert core.run() == ["deliver 1 c"]


def test_abort_takes_the_bytes_back() -> None:
    core = Core(outstanding_bytes=5)
    core.subscribe(1)
    core.send_all(2, "aaaaa bbbb c", is_persistent=False)
    core.run()
    core.begin(1)
    core.acknowledge(1, "aaaaa", "t")
    assert core.run() == ["deliver 1 bbbb", "deliver 1 c"]
    core.abort(1)
    core.send(2, "d", is_persistent=False)

    assert core.run() == []


def test_held_deliveries_are_not_acknowledged_by_a_cumulative_one() -> None:
    core = _delivered(AckMode.CLIENT)
    core.acknowledge(1, "a", "t")

    core.acknowledge(1, "c", receipt="r")

    assert core.effects() == ["persist delete c, delete b"]


def test_acknowledgement_of_a_held_delivery_is_ignored() -> None:
    core = _delivered()
    core.acknowledge(1, "a", "t")

    core.acknowledge(1, "a", receipt="r")

    assert core.run() == ["confirm 1 r"]
    assert core.depth() == 3


def test_cumulative_acknowledgement_in_a_transaction_holds_all_before() -> None:
    core = _delivered(AckMode.CLIENT)
    core.acknowledge(1, "b", "t")
    core.commit(1)

    assert core.effects() == ["persist delete b, delete a"]


def test_lost_session_aborts_its_transactions() -> None:
    core = _delivered()
    core.acknowledge(1, "a", "t")
    core.send(1, "x", transaction="t")
    core.lose(1)
    core.subscribe(3)

    assert core.run() == ["deliver 3 a again 1", "deliver 3 b again 1", "deliver 3 c again 1"]


def test_disconnect_aborts_transactions() -> None:
    core = _delivered()
    core.acknowledge(1, "a", "t")
    core.disconnect(1)
    core.subscribe(3)

    assert core.run() == ["close 1", "deliver 3 a again 1", "deliver 3 b again 1", "deliver 3 c again 1"]


def test_held_acknowledgement_outlives_its_subscription() -> None:
    core = _delivered()
    core.acknowledge(1, "a", "t")
    core.unsubscribe(1)
    core.subscribe(3)
    assert core.run() == ["deliver 3 b again 1", "deliver 3 c again 1"]

    core.commit(1, receipt="r")

    assert core.run() == ["confirm 1 r"]
    assert core.rows() == ["b:1", "c:1"]


def test_abort_after_unsubscribe_gives_messages_back() -> None:
    core = _delivered()
    core.acknowledge(1, "a", "t")
    core.unsubscribe(1)
    core.run()
    core.abort(1)
    core.subscribe(3, prefetch=1)

    assert core.run() == ["deliver 3 a again 1"]


@pytest.mark.parametrize("end", ["commit", "abort"])
def test_held_acknowledgement_of_an_ended_topic_subscription_is_of_no_consequence(end: str) -> None:
    core = Core()
    core.subscribe(1, "/topic/t")
    core.send(2, "a", "/topic/t")
    core.run()
    core.begin(1)
    core.acknowledge(1, "a", "t")
    core.unsubscribe(1)

    getattr(core, end)(1, receipt="r")

    assert core.run() == ["confirm 1 r"]


def test_transactions_of_two_sessions_may_have_the_same_id() -> None:
    core = Core()
    core.begin(1)

    core.begin(2, receipt="r")

    assert core.run() == ["confirm 2 r"]


def test_begin_of_an_open_transaction_is_refused() -> None:
    core = Core()
    core.begin(1)

    core.begin(1, receipt="r")

    assert core.run() == ["refuse 1 duplicate-transaction r"]


@pytest.mark.parametrize("end", ["commit", "abort"])
def test_unknown_transaction_cannot_end(end: str) -> None:
    core = Core()

    getattr(core, end)(1, "t", receipt="r")

    assert core.run() == ["refuse 1 unknown-transaction r"]


def test_message_for_an_unknown_transaction_is_refused() -> None:
    core = Core()

    core.send(1, "a", transaction="t", receipt="r")

    assert core.run() == ["refuse 1 unknown-transaction r"]


def test_acknowledgement_for_an_unknown_transaction_is_refused() -> None:
    core = Core()
    core.subscribe(1)
    core.send(2, "a")
    core.run()

    core.acknowledge(1, "a", "t", receipt="r")

    assert core.run() == ["refuse 1 unknown-transaction r"]


def test_message_that_needs_a_queue_too_many_is_refused_before_commit() -> None:
    core = Core(queues=1)
    core.send(1, "a")
    core.begin(1)

    core.send(1, "b", "/queue/b", transaction="t", receipt="r")

    assert core.run() == ["refuse 1 limit-exceeded r"]


def test_commit_does_not_fail_when_its_queue_has_gone_meanwhile() -> None:
    core = Core(queues=1)
    core.begin(1)
    core.send(1, "a", transaction="t")
    core.subscribe(2)
    core.unsubscribe(2)
    core.send(3, "b", "/queue/b")

    core.commit(1, receipt="r")

    assert core.run() == ["confirm 1 r"]
    assert core.depth() == 1

"""What one transaction may hold, and how many may be open; the ERROR names the setting."""

from __future__ import annotations

from stompd.broker.requests import AckMode
from tests.broker.core import Core


def test_open_transactions_are_limited() -> None:
    core = Core(transactions=1)
    core.begin(1)

    core.begin(1, "u", receipt="r")

    assert core.run() == ["refuse 1 limit-exceeded r"]
    assert "limits.transactions" in core.errors[0].detail


def test_messages_of_a_transaction_are_limited() -> None:
    core = Core(transaction_operations=2)
    core.begin(1)
    core.send(1, "a", transaction="t")
    core.send(1, "b", transaction="t", receipt="1")
    core.send(1, "c", transaction="t", receipt="2")

    assert core.run() == ["confirm 1 1", "refuse 1 limit-exceeded 2"]
    assert "limits.transaction_operations" in core.errors[0].detail


def test_every_delivery_of_a_cumulative_acknowledgement_counts() -> None:
    core = Core(transaction_operations=2)
    core.subscribe(1, ack=AckMode.CLIENT)
    core.send_all(2, "a b c", is_persistent=False)
    core.run()
    core.begin(1)

    core.acknowledge(1, "c", "t", receipt="r")

    assert core.run() == ["refuse 1 limit-exceeded r"]


def test_late_acknowledgement_counts_once() -> None:
    core = Core(transaction_operations=1)
    core.subscribe(1)
    core.send(2, "a")
    core.run()
    core.acknowledge(1, "a")
    core.begin(1)
    core.acknowledge(1, "a", "t", receipt="1")
    core.acknowledge(1, "a", "t", receipt="2")

    assert core.run() == ["confirm 1 1", "refuse 1 limit-exceeded 2"]


def test_bytes_of_a_transaction_are_limited() -> None:
    core = Core(transaction_bytes=10)
    core.begin(1)
    core.send(1, "aaaaa", transaction="t")
    core.send(1, "bbbbb", transaction="t", receipt="1")
    core.send(1, "c", transaction="t", receipt="2")

    assert core.run() == ["confirm 1 1", "refuse 1 limit-exceeded 2"]
    assert "limits.transaction_bytes" in core.errors[0].detail


def test_headers_count_as_bytes_of_a_transaction() -> None:
    core = Core(transaction_bytes=10)
    core.begin(1)

    core.send(1, "aaa", transaction="t", receipt="r", headers={"four": "four"})

    assert core.run() == ["refuse 1 limit-exceeded r"]


def test_bytes_of_held_deliveries_are_limited() -> None:
    core = Core(transaction_bytes=8)
    core.subscribe(1)
    core.send_all(2, "aaaaa bbbbb")
    core.run()
    core.begin(1)
    core.acknowledge(1, "aaaaa", "t", receipt="1")
    core.acknowledge(1, "bbbbb", "t", receipt="2")

    assert core.run() == ["confirm 1 1", "refuse 1 limit-exceeded 2"]


def test_limit_gives_back_what_the_transaction_held() -> None:
    core = Core(transaction_operations=1)
    core.subscribe(1)
    core.send_all(2, "a b")
    core.run()
    core.begin(1)
    core.acknowledge(1, "a", "t")
    core.acknowledge(1, "b", "t")
    core.subscribe(3)

    assert core.run() == ["refuse 1 limit-exceeded", "deliver 3 a again 1", "deliver 3 b again 1"]

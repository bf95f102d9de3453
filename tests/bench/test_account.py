"""The account of messages: what is lost, repeated, foreign or late is found."""

from __future__ import annotations

import pytest

from tests.bench.account import faults
from tests.bench.load import key_of

A0, A1, A2 = (key_of(0, number) for number in range(3))
B0, B1 = (key_of(1, number) for number in range(2))


@pytest.mark.parametrize("streams", [[[A0, B0, A1, B1, A2]], [[A0, B1], [B0, A1, A2]], [[], [A0, A1, A2, B0, B1]]])
def test_every_message_once_and_in_its_producers_order_is_right(streams: list[list[int]]) -> None:
    assert faults({0: 3, 1: 2}, streams) == []


@pytest.mark.parametrize(
    ("streams", "fault"),
    [
        ([[A0, A2]], f"1 messages are missing, such as [{A1}]"),
        ([[A0, A1, A1, A2]], f"1 messages came more than once, such as [{A1}]"),
        ([[A0, A1], [A1, A2]], f"1 messages came more than once, such as [{A1}]"),
        ([[A0, A1, A2, B0]], f"1 messages were never sent, such as [{B0}]"),
        ([[A0, A2, A1]], f"1 messages came out of order, such as [{A1}]"),
    ],
)
def test_fault_is_a_sentence(streams: list[list[int]], fault: str) -> None:
    assert faults({0: 3}, streams) == [fault]

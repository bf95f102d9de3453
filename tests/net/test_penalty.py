"""Penalties: how delays grow, and how they are forgotten."""

from __future__ import annotations

from stompd.net.penalty import Penalties


def test_first_failures_cost_nothing() -> None:
    penalties = Penalties(3, 4)

    counts = [penalties.note("ann", 0) for _ in range(2)]

    assert counts == [1, 2]
    assert penalties.seconds("ann", 0) == 0


def test_delay_doubles_up_to_the_longest() -> None:
    penalties = Penalties(1, 4)
    delays = []

    for _ in range(100):
        penalties.note("ann", 0)
        delays.append(penalties.seconds("ann", 0))

    assert delays[:6] == [0.5, 1, 2, 4, 4, 4]
    assert delays[-1] == 4


def test_others_do_not_wait() -> None:
    penalties = Penalties(1, 4)

    penalties.note("ann", 0)

    assert penalties.seconds("bob", 0) == 0


def test_failures_are_forgotten_after_a_while() -> None:
    penalties = Penalties(1, 4)
    penalties.note("ann", 0)

    assert penalties.seconds("ann", 599) > 0
    assert penalties.seconds("ann", 600) == 0
    assert penalties.note("ann", 600) == 1


def test_success_forgives() -> None:
    penalties = Penalties(1, 4)
    penalties.note("ann", 0)

    penalties.forgive("ann")

    assert penalties.seconds("ann", 0) == 0


def test_table_is_bounded_and_keeps_the_latest() -> None:
    penalties = Penalties(1, 4)
    penalties.note("first", 0)

    for number in range(10_000):
        penalties.note(str(number), 0)

    assert len(penalties._failures) == 10_000
    assert penalties.seconds("first", 0) == 0
    assert penalties.seconds("9999", 0) > 0

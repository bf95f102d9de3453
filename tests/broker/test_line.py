"""The line of a queue: priorities of subscriptions, and those that want to be alone."""

from __future__ import annotations

import pytest

from stompd.broker.requests import AckMode, Terms
from tests.broker.core import Core

ALONE = Terms(is_exclusive=True)


def test_higher_priority_goes_first_while_it_has_credit() -> None:
    core = Core()
    core.subscribe(2)
    core.subscribe(3, prefetch=2, terms=Terms(priority=5))

    core.send_all(1, "a b c")

    assert core.run() == ["deliver 3 a", "deliver 3 b", "deliver 2 c"]
    core.acknowledge(3, "a")
    core.send(1, "d")
    assert core.run() == ["deliver 3 d"]


def test_those_of_one_priority_take_turns() -> None:
    core = Core()
    core.subscribe(1, prefetch=1, terms=Terms(priority=9))
    core.subscribe(2, terms=Terms(priority=1))
    core.subscribe(3, terms=Terms(priority=1))

    core.send_all(1, "a b c d e")

    assert core.run() == ["deliver 1 a", "deliver 2 b", "deliver 3 c", "deliver 2 d", "deliver 3 e"]


def test_lower_priority_than_others_comes_last() -> None:
    core = Core()
    core.subscribe(2, terms=Terms(priority=-1))
    core.subscribe(3, prefetch=1)

    core.send_all(1, "a b")

    assert core.run() == ["deliver 3 a", "deliver 2 b"]


def test_all_take_turns_again_when_those_with_a_priority_have_left() -> None:
    core = Core()
    core.subscribe(1, terms=Terms(priority=5))
    core.subscribe(2)
    core.subscribe(3)
    core.send(1, "a")
    core.run()

    core.unsubscribe(1)
    core.send(2, "b")
    core.send(2, "c")

    assert sorted(core.run()) == ["deliver 2 a again 1", "deliver 2 c", "deliver 3 b"]
    assert not next(iter(core.broker._catalogue._queues.values())).line.is_ranked


def test_exclusive_subscription_gets_everything() -> None:
    core = Core()
    core.subscribe(2)
    core.subscribe(3, terms=ALONE)

    core.send_all(1, "a b")

    assert core.run() == ["deliver 3 a", "deliver 3 b"]


def test_others_wait_even_when_the_exclusive_one_has_no_credit() -> None:
    core = Core()
    core.subscribe(2)
    core.subscribe(3, prefetch=1, terms=ALONE)

    core.send_all(1, "a b")

    assert core.run() == ["deliver 3 a"]
    core.acknowledge(3, "a")
    assert core.run() == ["deliver 3 b"]


def test_next_exclusive_one_takes_over_in_order() -> None:
    core = Core()
    core.subscribe(2, prefetch=2, terms=ALONE)
    core.subscribe(3, terms=ALONE)
    core.send_all(1, "a b c")
    assert core.run() == ["deliver 2 a", "deliver 2 b"]

    core.lose(2)

    assert core.run() == ["deliver 3 a again 1", "deliver 3 b again 1", "deliver 3 c"]


def test_next_exclusive_one_is_that_of_the_highest_priority() -> None:
    core = Core()
    core.subscribe(1, terms=ALONE)
    core.subscribe(2, terms=ALONE)
    core.subscribe(3, terms=Terms(is_exclusive=True, priority=1))

    core.unsubscribe(1)
    core.send(1, "a")

    assert core.run() == ["deliver 3 a"]


def test_holder_stays_when_one_of_a_higher_priority_comes() -> None:
    core = Core()
    core.subscribe(2, terms=ALONE)
    core.subscribe(3, terms=Terms(is_exclusive=True, priority=9))

    core.send(1, "a")

    assert core.run() == ["deliver 2 a"]


def test_all_get_messages_again_when_the_exclusive_one_has_left() -> None:
    core = Core()
    core.subscribe(1, terms=ALONE)
    core.subscribe(2)
    core.subscribe(3)
    core.run()

    core.unsubscribe(1)
    core.send_all(1, "a b")

    assert core.run() == ["deliver 2 a", "deliver 3 b"]


def test_session_that_does_not_read_has_no_turn_though_it_goes_first() -> None:
    core = Core()
    core.subscribe(2)
    core.subscribe(3, terms=Terms(priority=5))
    core.set_writable(3, False)
    core.send(1, "a")
    assert core.run() == ["deliver 2 a"]

    core.set_writable(3, True)
    core.send(1, "b")

    assert core.run() == ["deliver 3 b"]


def test_selectors_and_priorities_go_together() -> None:
    core = Core()
    core.subscribe(2)
    core.subscribe(3, selector="colour = 'red'", terms=Terms(priority=5))

    core.send(1, "b", headers={"colour": "blue"})
    core.send(1, "r", headers={"colour": "red"})

    assert sorted(core.run()) == ["deliver 2 b", "deliver 3 r"]


def test_what_has_expired_is_given_to_nobody() -> None:
    core = Core()
    core.subscribe(2, prefetch=1, terms=ALONE)
    core.send_all(1, "a")
    core.send(1, "b", expires_ms=round(core.now * 1000) + 1)
    core.send(1, "c")
    core.run()
    core.now += 1

    core.acknowledge(2, "a")

    assert core.run() == ["deliver 2 c"]


@pytest.mark.parametrize("window_bytes", [0, 1])
def test_smallest_window_is_one_message(window_bytes: int) -> None:
    core = Core()
    core.subscribe(2, terms=Terms(window_bytes=window_bytes), receipt="r")
    assert core.run() == ["confirm 2 r prefetch-count:1"]

    core.send_all(1, "a b")

    assert core.run() == ["deliver 2 a"]
    core.acknowledge(2, "a")
    assert core.run() == ["deliver 2 b"]


def test_window_counts_bytes() -> None:
    core = Core()
    core.subscribe(2, terms=Terms(window_bytes=4))

    core.send_all(1, "abc def ghi")

    assert core.run() == ["deliver 2 abc", "deliver 2 def"]


def test_window_is_not_larger_than_allowed() -> None:
    core = Core(outstanding_bytes=2)
    core.subscribe(2, terms=Terms(window_bytes=1000), ack=AckMode.CLIENT)

    core.send_all(1, "abc def")

    assert core.run() == ["deliver 2 abc"]

"""Selectors on queues: what matches is found wherever it stands, what does not stays where it is."""

from __future__ import annotations

import pytest

from stompd.broker.destination import parse_destination
from stompd.broker.requests import AckMode
from tests.broker.core import Core

RED = "colour = 'red'"


def send(core: Core, bodies: str, *, priority: int = 4, is_persistent: bool = True) -> None:
    """Send messages; the first letter of a body says its colour."""
    for body in bodies.split():
        colour = {"r": "red", "b": "blue"}.get(body[0], "none")
        core.send(1, body, priority=priority, is_persistent=is_persistent, headers={"colour": colour})


def consume(core: Core, session: int) -> list[str]:
    """Receive and acknowledge until nothing comes; return the bodies."""
    bodies: list[str] = []
    while shown := core.run():
        for text in shown:
            bodies.append(text.removeprefix(f"deliver {session} "))
            core.acknowledge(session, bodies[-1])
    return bodies


def test_only_what_matches_is_delivered() -> None:
    core = Core()
    core.subscribe(2, selector=RED)

    send(core, "b1 r1 b2 r2")

    assert core.run() == ["deliver 2 r1", "deliver 2 r2"]
    assert core.depth() == 4


def test_what_does_not_match_stays_for_others_in_its_order() -> None:
    core = Core()
    core.subscribe(2, selector=RED)
    send(core, "b1 r1 b2")
    core.run()

    core.subscribe(3)

    assert core.run() == ["deliver 3 b1", "deliver 3 b2"]


def test_message_goes_to_one_of_those_who_select_it() -> None:
    core = Core()
    core.subscribe(2, selector=RED)
    core.subscribe(3)

    send(core, "r1 r2 b1")

    assert core.run() == ["deliver 2 r1", "deliver 3 r2", "deliver 3 b1"]


def test_subscriptions_with_one_selector_take_turns() -> None:
    core = Core()
    core.subscribe(2, selector=RED)
    core.subscribe(3, selector=RED)

    send(core, "r1 b1 r2 r3")

    assert core.run() == ["deliver 2 r1", "deliver 3 r2", "deliver 2 r3"]


def test_selector_without_a_match_does_not_hold_up_the_others() -> None:
    core = Core()
    core.subscribe(2, selector="colour = 'green'")
    core.subscribe(3, selector="colour = 'blue'")

    send(core, "r1 b1")

    assert core.run() == ["deliver 3 b1"]


def test_more_urgent_matches_come_first() -> None:
    core = Core()
    send(core, "r1 b1")
    send(core, "b2 r2", priority=9)
    core.run()

    core.subscribe(2, selector=RED)

    assert core.run() == ["deliver 2 r2", "deliver 2 r1"]


def test_rejected_match_comes_again_before_newer_ones() -> None:
    core = Core()
    core.subscribe(2, selector=RED, prefetch=1)
    send(core, "b1 r1 r2")
    assert core.run() == ["deliver 2 r1"]

    core.reject(2, "r1")

    assert core.run() == ["deliver 2 r1 again 1"]


def test_match_of_a_lost_consumer_goes_to_another() -> None:
    core = Core()
    core.subscribe(2, selector=RED)
    send(core, "b1 r1")
    core.run()
    core.subscribe(3, selector=RED)

    core.lose(2)

    assert core.run() == ["deliver 3 r1 again 1"]


def test_delivery_count_can_be_selected() -> None:
    core = Core()
    core.subscribe(2, selector="JMSXDeliveryCount < 3")
    send(core, "r1")
    assert core.run() == ["deliver 2 r1"]
    core.reject(2, "r1")
    assert core.run() == ["deliver 2 r1 again 1"]

    core.reject(2, "r1")

    assert core.run() == []


def test_expired_match_is_dropped() -> None:
    core = Core()
    core.send(1, "r1", headers={"colour": "red"}, expires_ms=int(core.now * 1000) + 1000)
    core.run()
    core.now += 2

    core.subscribe(2, selector=RED)

    assert core.run() == []
    assert core.depth() == 0


@pytest.mark.parametrize("is_persistent", [True, False])
def test_match_deep_in_a_long_queue_is_found(is_persistent: bool) -> None:
    core = Core(window_count=5)
    send(core, " ".join(f"b{number}" for number in range(60)))
    send(core, "r1", is_persistent=is_persistent)
    core.run()

    core.subscribe(2, selector=RED)

    assert core.run() == ["deliver 2 r1"]


def test_long_queue_is_read_once_for_all_that_match() -> None:
    core = Core(window_count=10)
    send(core, " ".join(f"b{number}" for number in range(100)))
    core.run()
    core.subscribe(2, selector=RED)
    core.run()
    assert core.loads > 0
    core.loads = 0

    send(core, "r1 b100 r2")
    shown = core.run()
    core.acknowledge(2, "r1")
    core.run()
    send(core, "b101 r3")

    assert shown == ["deliver 2 r1", "deliver 2 r2"]
    assert core.run() == ["deliver 2 r3"]
    assert core.loads == 0


def test_all_matches_of_a_long_queue_are_delivered_once_and_in_order() -> None:
    core = Core(window_count=5)
    bodies = [f"{'r' if number % 7 == 0 else 'b'}{number}" for number in range(200)]
    send(core, " ".join(bodies))
    core.run()
    core.subscribe(2, selector=RED, prefetch=3)

    assert consume(core, 2) == [body for body in bodies if body[0] == "r"]
    core.subscribe(3, prefetch=4)
    assert consume(core, 3) == [body for body in bodies if body[0] == "b"]
    assert core.rows() == []


def test_long_queue_of_mixed_priorities_is_searched_in_order() -> None:
    core = Core(window_count=4)
    for number in range(12):
        for priority in (9, 4, 0):
            send(core, f"{'r' if number % 3 == 0 else 'b'}{number}-{priority}", priority=priority)
    core.run()
    core.subscribe(2, selector=RED, prefetch=1)

    assert consume(core, 2) == [f"r{number}-{priority}" for priority in (9, 4, 0) for number in (0, 3, 6, 9)]


def test_recovered_queue_is_searched() -> None:
    core = Core()
    send(core, " ".join(f"b{number}" for number in range(30)) + " r1 b30 r2")
    core.run()
    again = core.restart(window_count=4)

    again.subscribe(2, selector=RED, prefetch=1)

    assert consume(again, 2) == ["r1", "r2"]


def test_what_was_found_ahead_is_not_delivered_again_when_the_queue_comes_up_to_it() -> None:
    core = Core(window_count=3)
    send(core, "b1 b2 b3 b4 r1 b5 r2 b6")
    core.run()
    core.subscribe(2, selector=RED)
    assert core.run() == ["deliver 2 r1", "deliver 2 r2"]
    core.acknowledge(2, "r1")
    core.subscribe(3, prefetch=2)

    assert consume(core, 3) == ["b1", "b2", "b3", "b4", "b5", "b6"]


def test_what_was_found_ahead_returns_to_its_place() -> None:
    core = Core(window_count=3)
    send(core, "b1 b2 b3 b4 r1 b5 r2 b6")
    core.run()
    core.subscribe(2, selector=RED)
    core.run()
    core.unsubscribe(2)

    core.subscribe(3, prefetch=1)

    bodies = ["b1", "b2", "b3", "b4", "r1 again 1", "b5", "r2 again 1", "b6"]
    for earlier, body in zip(["", *bodies], bodies, strict=False):
        if earlier:
            core.acknowledge(3, earlier.split()[0])
        assert core.run() == [f"deliver 3 {body}"]


def test_refused_acknowledgement_of_what_was_found_ahead_is_undone() -> None:
    core = Core(window_count=2)
    send(core, "b1 b2 b3 r1 b4")
    core.run()
    core.subscribe(2, selector=RED)
    core.run()
    core.acknowledge(2, "r1", receipt="x")
    core.effects()
    core.refuse_unit()
    core.run()

    core.subscribe(3)

    assert core.run() == ["deliver 3 b1", "deliver 3 b2", "deliver 3 b3", "deliver 3 r1 again 1", "deliver 3 b4"]


def test_row_that_is_being_deleted_is_not_brought_again() -> None:
    core = Core(window_count=2)
    send(core, "b1 b2 b3 r1 b4")
    core.run()
    core.subscribe(2, selector=RED)
    core.run()
    core.subscribe(3, prefetch=10)
    core.acknowledge(2, "r1")

    assert core.run() == ["deliver 3 b1", "deliver 3 b2", "deliver 3 b3", "deliver 3 b4"]


def test_memory_does_not_grow_with_what_matches() -> None:
    core = Core(window_count=5, window_bytes=50)
    send(core, " ".join(f"b{number}" for number in range(20)) + " " + " ".join(f"r{number}" for number in range(200)))
    core.run()

    core.subscribe(2, selector=RED, prefetch=1)
    core.run()

    selections = core.broker._catalogue.queue(parse_destination("/queue/a"), core.now).selections
    assert selections is not None
    assert 1 <= len(selections.ahead) <= 20


def test_automatic_subscription_selects_too() -> None:
    core = Core(window_count=3)
    send(core, "b1 b2 b3 b4 r1")
    core.run()
    core.subscribe(2, selector=RED, ack=AckMode.AUTO)
    assert core.run() == ["deliver 2 r1"]

    core.settle_written(2)

    core.run()
    assert core.rows() == ["b1", "b2", "b3", "b4"]


def test_new_selector_finds_what_another_one_found_ahead() -> None:
    core = Core(window_count=2)
    send(core, "b1 b2 b3 r1 r2")
    core.run()
    core.subscribe(2, selector=RED, prefetch=1)
    assert core.run() == ["deliver 2 r1"]

    core.subscribe(3, selector="colour <> 'blue'")

    assert core.run() == ["deliver 3 r2"]

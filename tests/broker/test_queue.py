"""A queue: order, turns, expiry, pages from the store, and the marks that say what may have been delivered."""

from __future__ import annotations

import pytest

from stompd.broker.requests import AckMode
from stompd.broker.window import PAGE_COUNT
from tests.broker.core import Core


def _ms(core: Core, seconds: float) -> int:
    return int((core.now + seconds) * 1000)


@pytest.mark.parametrize("is_persistent", [True, False])
def test_messages_are_delivered_in_the_order_of_sending(is_persistent: bool) -> None:
    core = Core()
    core.subscribe(1)
    core.send_all(2, "a b c", is_persistent=is_persistent)

    assert core.run() == ["deliver 1 a", "deliver 1 b", "deliver 1 c"]


def test_urgent_messages_are_delivered_first() -> None:
    core = Core()
    core.send(1, "a", priority=0)
    core.send(1, "b", priority=4)
    core.send(1, "c", priority=9)
    core.send(1, "d", priority=4, is_persistent=False)
    core.run()
    core.subscribe(2)

    assert core.run() == ["deliver 2 c", "deliver 2 b", "deliver 2 d", "deliver 2 a"]


def test_consumers_take_turns() -> None:
    core = Core()
    core.subscribe(1)
    core.subscribe(2)
    core.send_all(3, "a b c d", is_persistent=False)

    assert core.run() == ["deliver 1 a", "deliver 2 b", "deliver 1 c", "deliver 2 d"]


def test_consumer_without_credit_is_passed_over() -> None:
    core = Core()
    core.subscribe(1, prefetch=1)
    core.subscribe(2)
    core.send_all(3, "a b c d", is_persistent=False)

    assert core.run() == ["deliver 1 a", "deliver 2 b", "deliver 2 c", "deliver 2 d"]


def test_turns_are_remembered() -> None:
    core = Core()
    core.subscribe(1)
    core.subscribe(2)
    core.send(3, "a", is_persistent=False)
    core.run()
    core.send(3, "b", is_persistent=False)

    assert core.run() == ["deliver 2 b"]


def test_consumer_that_ended_has_no_turn() -> None:
    core = Core()
    core.subscribe(1)
    core.subscribe(2)
    core.unsubscribe(1)
    core.send_all(3, "a b", is_persistent=False)

    assert core.run() == ["deliver 2 a", "deliver 2 b"]


def test_returned_messages_keep_their_priority() -> None:
    core = Core()
    core.subscribe(1)
    core.send(2, "a", priority=0)
    core.send(2, "b", priority=9)
    core.send(2, "c", priority=0)
    core.send(2, "d", priority=9)
    core.run()
    core.lose(1)
    core.subscribe(3)

    assert core.run() == [f"deliver 3 {body} again 1" for body in "bdac"]


def test_expired_message_is_not_delivered() -> None:
    core = Core()
    core.send(1, "a", expires_ms=_ms(core, 1))
    core.send(1, "b")
    core.run()
    core.now += 1
    core.subscribe(2)

    assert core.run() == ["deliver 2 b"]
    assert core.rows() == ["b"]
    assert core.depth() == 1


def test_message_is_delivered_until_it_expires() -> None:
    core = Core()
    core.send(1, "a", expires_ms=_ms(core, 1), is_persistent=False)
    core.now += 0.998
    core.subscribe(2)

    assert core.run() == ["deliver 2 a"]


def test_returned_message_may_expire() -> None:
    core = Core()
    core.subscribe(1)
    core.send(2, "a", expires_ms=_ms(core, 1))
    core.run()
    core.now += 1
    core.reject(1, "a")

    assert core.run() == []
    assert core.depth() == 0


def test_message_is_not_delivered_beyond_the_applied_mark() -> None:
    core = Core()
    core.send(1, "a")
    core.run()
    core.subscribe(2)

    assert core.effects() == ["persist mark"]
    core.answer()
    assert core.effects() == ["deliver 2 a"]


def test_message_in_memory_needs_no_mark() -> None:
    core = Core()
    core.subscribe(2)

    core.send(1, "a", is_persistent=False)

    assert core.effects() == ["deliver 2 a"]


def test_mark_is_asked_for_once() -> None:
    core = Core()
    core.send(1, "a")
    core.run()
    core.subscribe(2)
    core.effects()

    core.subscribe(3)

    assert core.effects() == []


def test_marks_are_rare() -> None:
    core = Core()
    core.subscribe(1, ack=AckMode.AUTO, prefetch=0)
    for number in range(600):
        core.send(2, f"m{number}")
        core.run()
        core.set_writable(1, True)
        core.now += 0.1

    assert core.marks <= 13


@pytest.mark.parametrize("seconds", [-3600, 0])
def test_marks_are_rare_also_after_a_restart_and_when_the_clock_goes_back(seconds: int) -> None:
    core = Core()
    core.subscribe(1)
    core.send(2, "a")
    core.run()
    again = core.restart()
    again.now += seconds
    again.subscribe(1, ack=AckMode.AUTO)
    for number in range(100):
        again.send(2, f"m{number}")
        again.run()

    assert again.marks <= 2


def test_refused_mark_is_asked_for_again() -> None:
    core = Core()
    core.send(1, "a")
    core.run()
    core.subscribe(2)
    core.effects()
    core.refuse_unit()
    core.subscribe(3)

    assert core.run() == ["deliver 2 a"]


def test_long_queue_is_delivered_once_and_in_order() -> None:
    core = Core(window_count=5)
    bodies = [f"m{number}" for number in range(40)]
    core.send_all(1, " ".join(bodies))
    core.run()
    core.subscribe(2, prefetch=3)

    assert _consume(core, 2) == bodies
    assert core.rows() == []


def test_long_queue_of_large_messages_is_delivered_once_and_in_order() -> None:
    core = Core(window_bytes=20)
    bodies = [f"message{number:03}" for number in range(20)]
    core.send_all(1, " ".join(bodies))
    core.run()
    core.subscribe(2, prefetch=1)

    assert _consume(core, 2) == bodies


def test_long_queue_of_mixed_priorities_is_delivered_once_and_in_order() -> None:
    core = Core(window_count=4)
    bodies = [(priority, f"m{number}-{priority}") for number in range(12) for priority in (9, 4, 0)]
    for priority, body in bodies:
        core.send(1, body, priority=priority)
    core.run()
    core.subscribe(2, prefetch=1)

    assert _consume(core, 2) == [body for _, body in sorted(bodies, key=lambda each: -each[0])]


def test_long_queue_is_delivered_in_order_though_not_all_is_persistent() -> None:
    core = Core(window_count=3)
    bodies = [f"m{number}" for number in range(30)]
    for number, body in enumerate(bodies):
        core.send(1, body, is_persistent=number % 3 > 0)
    core.run()
    core.subscribe(2, prefetch=2)

    assert _consume(core, 2) == bodies


def test_recovered_queue_is_delivered_once_and_in_order() -> None:
    core = Core()
    bodies = [f"m{number}" for number in range(30)]
    core.send_all(1, " ".join(bodies))
    core.run()
    again = core.restart(window_count=4)
    again.subscribe(2, prefetch=3)
    again.send(1, "new")

    assert _consume(again, 2) == [*bodies, "new"]


def test_messages_that_arrive_while_a_page_is_read_are_delivered_once() -> None:
    core = Core(window_count=2)
    core.send_all(1, "a b c d")
    core.run()
    core.subscribe(2, prefetch=1)
    core.send_all(1, "e f")

    assert _consume(core, 2) == list("abcdef")


def test_page_is_asked_for_in_time() -> None:
    core = Core(window_count=4)
    core.send_all(1, "a b c d e f")
    core.run()
    core.subscribe(2, prefetch=2)

    assert core.effects() == ["persist mark"]
    core.answer()
    assert core.effects() == ["deliver 2 a", "deliver 2 b", "load 5 d"]


def test_no_page_is_asked_for_while_nobody_subscribes() -> None:
    core = Core(window_count=2)
    core.subscribe(1, prefetch=1)
    core.send_all(2, "a b c d e")
    core.run()
    core.unsubscribe(1)

    assert core.run() == []


def test_memory_does_not_grow_with_the_backlog() -> None:
    core = Core(window_count=5)
    core.send_all(1, " ".join(f"m{number}" for number in range(200)))
    core.run()
    core.subscribe(2, prefetch=1)
    core.run()

    assert _in_memory(core) <= 5 + core.broker._limits.window_count


def test_queue_that_nobody_reads_has_a_page_in_memory_and_loses_nothing() -> None:
    core = Core(window_count=10 * PAGE_COUNT)
    bodies = [f"m{number}" for number in range(PAGE_COUNT + 500)]
    core.send_all(1, " ".join(bodies))
    core.run()

    assert _in_memory(core) == PAGE_COUNT
    core.subscribe(2, prefetch=3)
    assert _consume(core, 2) == bodies


def test_memory_does_not_grow_when_urgent_messages_overtake_a_backlog() -> None:
    core = Core(window_count=5)
    core.send_all(1, " ".join(f"m{number}" for number in range(200)))
    core.run()
    core.subscribe(2, prefetch=1)
    core.run()
    taken = "m0"
    for number in range(50):
        core.send(1, f"u{number}", priority=9)
        core.run()
        core.acknowledge(2, taken)
        taken = f"u{number}"
        assert core.run() == [f"deliver 2 {taken}"]

    assert _in_memory(core) <= 15


def _spooling() -> Core:
    """A core where a message in memory of session 1 waits behind a unit, and c is on its way into the store."""
    core = Core(window_count=1)
    core.send(3, "x", is_persistent=False)
    core.send(1, "o", "/queue/b")
    core.send(1, "a", is_persistent=False)
    core.send(1, "b")
    core.send(2, "c", is_persistent=False)
    core.effects()
    core.subscribe(3, prefetch=10)
    return core


def test_spooled_message_is_not_overtaken_by_the_next_of_its_session() -> None:
    core = _spooling()

    assert core.run() == ["deliver 3 x", "deliver 3 a", "deliver 3 b", "deliver 3 c"]


def test_earliest_of_several_spooled_messages_is_waited_for() -> None:
    core = _spooling()
    assert "deliver 3 x" in core.effects()
    core.answer()
    core.send(2, "d", is_persistent=False)

    assert core.run() == ["deliver 3 a", "deliver 3 b", "deliver 3 c", "deliver 3 d"]


def _consume(core: Core, session: int) -> list[str]:
    """Receive and acknowledge until nothing comes; return the bodies."""
    bodies: list[str] = []
    shown = core.run()
    while shown:
        for text in shown:
            bodies.append(text.removeprefix(f"deliver {session} "))
            core.acknowledge(session, bodies[-1])
        shown = core.run()
    return bodies


def _in_memory(core: Core) -> int:
    return len(core.broker._catalogue._queues["a"].window)

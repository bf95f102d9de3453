"""Messages that expire where nobody reads them."""

from __future__ import annotations

from tests.broker.core import NOW, Core

SOON = int(NOW * 1000) + 1000


def test_message_expires_in_a_queue_that_nobody_reads() -> None:
    core = Core()
    core.send(2, "a", expires_ms=SOON)
    core.send(2, "b")

    core.advance(1.0)

    assert (core.depth(), core.rows()) == (1, ["b"])
    assert len(core.broker._catalogue._queues["a"].window) == 1


def test_message_that_only_memory_has_expires_too() -> None:
    core = Core()
    core.send(2, "a", expires_ms=SOON, is_persistent=False)
    core.send(2, "b", is_persistent=False)

    core.advance(1.0)

    assert core.depth() == 1
    assert len(core.broker._catalogue._queues["a"].window) == 1


def test_expired_messages_behind_the_window_leave_the_store() -> None:
    core = Core(window_count=2)
    for body in "abcdef":
        core.send(2, body, expires_ms=SOON if body in "bdf" else 0)

    core.advance(1.0)

    assert (core.depth(), core.rows()) == (3, ["a", "c", "e"])
    core.subscribe(1)
    assert core.run() == ["deliver 1 a", "deliver 1 c", "deliver 1 e"]


def test_expired_messages_leave_a_queue_that_was_not_touched_since_the_restart() -> None:
    core = Core()
    core.send(2, "a", expires_ms=SOON)
    core.send(2, "b")
    core.run()

    restarted = core.restart()
    restarted.now = NOW + 10
    restarted.advance(0.0)

    assert (restarted.depth(), restarted.rows()) == (1, ["b"])


def test_message_with_a_consumer_does_not_expire_under_it() -> None:
    core = Core()
    core.subscribe(1)
    core.send(2, "a", expires_ms=SOON)
    core.run()

    core.advance(5.0)

    assert (core.depth(), core.rows()) == (1, ["a"])
    core.acknowledge(1, "a")
    core.run()
    assert (core.depth(), core.rows()) == (0, [])


def test_message_that_expired_with_a_lost_consumer_is_found_later() -> None:
    core = Core()
    core.subscribe(1)
    core.send(2, "a", expires_ms=SOON)
    core.advance(5.0)

    core.lose(1)
    core.advance(60.0)

    assert (core.depth(), core.rows()) == (0, [])


def test_delayed_message_expires_before_it_is_due() -> None:
    core = Core()
    core.send(2, "a", delay=100.0, expires_ms=SOON)

    core.advance(2.0)

    assert (core.depth(), core.rows()) == (0, [])
    core.subscribe(1)
    assert core.advance(200.0) == []


def test_large_backlog_is_removed_in_steps() -> None:
    core = Core(window_count=10)
    for number in range(2500):
        core.send(2, f"m{number}", expires_ms=SOON)
    core.run()
    core.now += 1.0

    core.broker.tick(core.now)
    units = []
    while shown := core.effects():
        units += [text for text in shown if text.startswith("persist")]
        while core.journal:
            core.answer()

    assert [text.count("delete") for text in units] == [1000, 1000, 500]
    assert (core.depth(), core.rows()) == (0, [])


def test_nothing_is_looked_for_while_nothing_expires() -> None:
    core = Core()
    core.send(2, "a")
    core.run()

    assert core.broker.next_deadline() == core.now + 150  # when it looks for idle queues


def test_messages_that_are_read_in_time_cost_one_look_a_second() -> None:
    core = Core()
    core.subscribe(1)
    looks = 0
    for number in range(100):
        core.now = NOW + number / 100
        core.send(2, "a", expires_ms=int(core.now * 1000) + 50)
        core.run()
        core.acknowledge(1, "a")
        core.broker.tick(core.now)
        looks += core.effects().count("expired")
        while core.journal:
            core.answer()

    assert looks <= 2


def test_expired_message_that_a_consumer_takes_meanwhile_is_counted_once() -> None:
    core = Core()
    core.send(2, "a", expires_ms=SOON)
    core.run()
    core.now += 1.0
    core.broker.tick(core.now)
    core.subscribe(1)  # its dispatch meets the message before the store answers

    core.run()

    assert (core.depth(), core.rows()) == (0, [])

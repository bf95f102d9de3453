"""Topics route and keep nothing; what a subscription does not take waits in memory, within bounds."""

from __future__ import annotations

import gc

from stompd.broker.delivery import Entry
from stompd.broker.requests import AckMode
from tests.broker.core import Core


def test_every_subscription_gets_the_message() -> None:
    core = Core()
    core.subscribe(1, "/topic/t")
    core.subscribe(2, "/topic/t")

    core.send(3, "a", "/topic/t", receipt="r")

    assert core.effects() == ["confirm 3 r", "deliver 1 a", "deliver 2 a"]


def test_message_for_nobody_is_confirmed_and_forgotten() -> None:
    core = Core()
    core.send(1, "a", "/topic/t", receipt="r")
    core.subscribe(2, "/topic/t")

    assert core.run() == ["confirm 1 r"]


def test_subscription_gets_no_message_from_before() -> None:
    core = Core()
    core.subscribe(1, "/topic/t")
    core.send(3, "a", "/topic/t")
    core.subscribe(2, "/topic/t")
    core.send(3, "b", "/topic/t")

    assert core.run() == ["deliver 1 a", "deliver 1 b", "deliver 2 b"]


def test_session_gets_what_it_sends_after_its_subscribe() -> None:
    core = Core()
    core.send(1, "x", "/queue/a", receipt="1")
    core.subscribe(1, "/topic/t", receipt="2")
    core.send(1, "a", "/topic/t", receipt="3")

    assert core.run() == ["confirm 1 1", "confirm 1 2 prefetch-count:1000", "confirm 1 3", "deliver 1 a"]


def test_queue_and_topic_of_the_same_name_are_two() -> None:
    core = Core()
    core.subscribe(1, "/topic/a")
    core.subscribe(2, "/queue/a")
    core.send(3, "t", "/topic/a")
    core.send(3, "q", "/queue/a", is_persistent=False)

    assert core.run() == ["deliver 1 t", "deliver 2 q"]


def test_no_message_follows_unsubscribe() -> None:
    core = Core()
    core.subscribe(1, "/topic/t")
    core.subscribe(2, "/topic/t")
    core.unsubscribe(1)

    core.send(3, "a", "/topic/t")

    assert core.run() == ["deliver 2 a"]


def test_topic_has_no_depth() -> None:
    core = Core()
    core.subscribe(1, "/topic/t")
    core.send(2, "a", "/topic/t")

    assert core.depth("/topic/t") == 0


def test_unacknowledged_message_is_dropped_with_its_subscription() -> None:
    core = Core()
    core.subscribe(1, "/topic/t")
    core.send(2, "a", "/topic/t")
    core.run()
    core.lose(1)
    core.subscribe(3, "/topic/t")

    assert core.run() == []


def test_unwritten_automatic_delivery_is_dropped_with_its_session() -> None:
    core = Core()
    core.subscribe(1, "/topic/t", ack=AckMode.AUTO)
    core.send(2, "a", "/topic/t")
    core.run()

    core.lose(1)

    assert core.run() == []


def test_rejected_message_comes_again() -> None:
    core = Core()
    core.subscribe(1, "/topic/t")
    core.send(2, "a", "/topic/t")
    core.run()

    core.reject(1, "a")

    assert core.effects() == ["deliver 1 a again 1"]


def test_transaction_is_routed_at_commit() -> None:
    core = Core()
    core.begin(1)
    core.send(1, "a", "/topic/t", transaction="t")
    core.subscribe(2, "/topic/t")
    core.commit(1)

    assert core.run() == ["deliver 2 a"]


def test_what_a_slow_subscription_does_not_take_waits_in_memory() -> None:
    core = Core(topic_backlog=2, window_count=1)
    core.subscribe(1, "/topic/t", prefetch=1)
    core.send_all(2, "a b c", "/topic/t")
    assert core.effects() == ["deliver 1 a"]

    core.acknowledge(1, "a")
    assert core.effects() == ["deliver 1 b"]
    core.acknowledge(1, "b")
    assert core.effects() == ["deliver 1 c"]


def test_slow_subscription_does_not_delay_others() -> None:
    core = Core(topic_backlog=1)
    core.subscribe(1, "/topic/t", prefetch=1)
    core.subscribe(2, "/topic/t")
    core.send(3, "a", "/topic/t")
    assert core.effects() == ["deliver 1 a", "deliver 2 a"]

    core.send(3, "b", "/topic/t")

    assert core.effects() == ["deliver 2 b"]


def test_session_whose_subscription_falls_too_far_behind_is_refused() -> None:
    core = Core(topic_backlog=2)
    core.subscribe(1, "/topic/t", prefetch=1)
    core.subscribe(2, "/topic/t")
    core.send_all(3, "a b c", "/topic/t")
    assert core.effects() == ["deliver 1 a", "deliver 2 a", "deliver 2 b", "deliver 2 c"]

    core.send(3, "d", "/topic/t", receipt="r")

    assert core.effects() == ["confirm 3 r", "refuse 1 slow-consumer", "deliver 2 d"]
    assert "limits.topic_backlog" in core.errors[-1].detail


def test_backlog_is_bounded_by_bytes_as_well() -> None:
    core = Core(topic_backlog_bytes=4)
    core.subscribe(1, "/topic/t", prefetch=1)
    core.send_all(3, "aa bb cc", "/topic/t")
    assert core.effects() == ["deliver 1 aa"]

    core.send(3, "d", "/topic/t")

    assert core.effects() == ["refuse 1 slow-consumer"]


def test_receipts_come_before_the_error_of_a_slow_subscription() -> None:
    core = Core(topic_backlog=1)
    core.subscribe(1, "/topic/t", prefetch=1)
    core.send_all(3, "a b", "/topic/t")
    core.send(1, "x", receipt="r")
    core.send(3, "c", "/topic/t")

    assert core.run() == ["deliver 1 a", "confirm 1 r", "refuse 1 slow-consumer"]


def test_message_of_a_slow_subscription_that_was_refused_goes_to_the_others_only() -> None:
    core = Core(topic_backlog=1)
    core.subscribe(1, "/topic/t", prefetch=1)
    core.subscribe(2, "/topic/t")
    core.send_all(3, "a b c", "/topic/t")
    core.effects()

    core.send(3, "d", "/topic/t")

    assert core.effects() == ["deliver 2 d"]


def test_subscription_that_ends_leaves_no_message_to_the_collector_of_cycles() -> None:
    core = Core()
    core.subscribe(1, "/topic/t")
    core.set_writable(1, False)
    core.send_all(2, "a b c", "/topic/t")
    core.run()
    gc.collect()

    core.lose(1)
    core.run()

    gc.set_debug(gc.DEBUG_SAVEALL)
    gc.collect()
    gc.set_debug(0)
    left = [thing for thing in gc.garbage if isinstance(thing, Entry)]
    gc.garbage.clear()
    assert left == []

"""Topics route and keep nothing; what a slow subscription cannot take waits in the store."""

from __future__ import annotations

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


def test_overflow_of_a_slow_subscription_goes_to_the_store() -> None:
    core = Core(window_count=2)
    core.subscribe(1, "/topic/t", prefetch=1)
    core.send_all(2, "a b c d", "/topic/t")

    assert core.run() == ["deliver 1 a"]
    assert core.rows() == ["c", "d"]


def test_overflow_comes_back_in_order() -> None:
    core = Core(window_count=2)
    core.subscribe(1, "/topic/t", prefetch=1)
    core.send_all(2, "a b c d e f g", "/topic/t")
    assert core.run() == ["deliver 1 a"]

    for earlier, body in zip("abcdef", "bcdefg", strict=True):
        core.acknowledge(1, earlier)
        assert core.run() == [f"deliver 1 {body}"]
    core.acknowledge(1, "g")
    core.run()
    assert core.rows() == []


def test_overflow_does_not_delay_the_receipt() -> None:
    core = Core(window_count=1)
    core.subscribe(1, "/topic/t", prefetch=1)
    core.send_all(2, "a b", "/topic/t")
    core.run()

    core.send(2, "c", "/topic/t", receipt="r")

    assert "confirm 2 r" in core.effects()


def test_slow_subscription_does_not_delay_others() -> None:
    core = Core(window_count=1)
    core.subscribe(1, "/topic/t", prefetch=1)
    core.subscribe(2, "/topic/t")
    core.send(3, "a", "/topic/t")
    assert core.effects() == ["deliver 1 a", "deliver 2 a"]
    core.send(3, "b", "/topic/t")
    assert core.effects() == ["deliver 2 b"]

    core.send(3, "c", "/topic/t")

    assert core.effects() == ["persist queue of a subscription, insert c", "deliver 2 c"]


def test_message_does_not_overtake_one_on_its_way_to_the_store() -> None:
    core = Core(window_count=1)
    core.subscribe(1, "/topic/t", prefetch=1)
    for body in "abc":
        core.send(2, body, "/topic/t")
        core.effects()
    core.acknowledge(1, "a")
    assert core.effects() == ["deliver 1 b"]

    core.acknowledge(1, "b")
    core.send(2, "d", "/topic/t")

    assert core.run() == ["deliver 1 c"]


def test_store_forgets_the_overflow_with_its_subscription() -> None:
    core = Core(window_count=1)
    core.subscribe(1, "/topic/t", prefetch=1)
    core.send_all(2, "a b c d", "/topic/t")
    core.run()

    core.unsubscribe(1)

    assert core.effects() == ["later drop queue"]
    core.run()
    assert core.rows() == []


def test_store_forgets_also_the_overflow_on_its_way() -> None:
    core = Core(window_count=1)
    core.subscribe(1, "/topic/t", prefetch=1)
    core.send_all(2, "a b c", "/topic/t")
    core.unsubscribe(1)

    core.run()

    assert core.rows() == []


def test_overflow_that_waits_behind_a_unit_is_not_stored_after_the_subscription_ended() -> None:
    core = Core(window_count=1)
    core.subscribe(1, "/topic/t", prefetch=1)
    for body in "ab":
        core.send(2, body, "/topic/t")
        core.effects()
    core.send(2, "x")
    core.send(2, "c", "/topic/t")
    core.unsubscribe(1)

    assert core.effects() == ["persist queue /queue/a, insert x", "persist nothing"]
    assert core.run() == []
    assert core.rows() == ["x"]


def test_page_for_a_subscription_that_has_ended_is_ignored() -> None:
    core = Core(window_count=1)
    core.subscribe(1, "/topic/t", prefetch=1)
    core.send_all(2, "a b c", "/topic/t")
    core.run()
    core.acknowledge(1, "a")
    core.effects()
    core.unsubscribe(1)

    assert core.run() == []


def test_refused_overflow_is_dropped() -> None:
    core = Core(window_count=1)
    core.subscribe(1, "/topic/t", prefetch=1)
    for body in "abc":
        core.send(2, body, "/topic/t")
        core.effects()
    core.refuse_unit()
    core.acknowledge(1, "a")
    assert core.run() == ["deliver 1 b"]
    core.send(2, "d", "/topic/t")

    core.acknowledge(1, "b")

    assert core.run() == ["deliver 1 d"]


def test_overflow_is_gone_after_a_crash() -> None:
    core = Core(window_count=1)
    core.subscribe(1, "/topic/t", prefetch=1)
    core.send_all(2, "a b c", "/topic/t")
    core.run()

    assert core.restart().rows() == []

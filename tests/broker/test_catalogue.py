"""Queues are created by use, found again after a restart, and forgotten when nothing of them is left."""

from __future__ import annotations

import pytest

from tests.broker.core import Core


def _queue_count(core: Core) -> int:
    return len(core.broker._catalogue._by_id)


def test_queue_is_created_by_its_first_message() -> None:
    core = Core()

    core.send(1, "a")
    core.send(1, "b")

    assert core.effects() == ["persist queue /queue/a, insert a", "persist queue /queue/a, insert b"]


def test_queue_is_put_into_the_store_once() -> None:
    core = Core()
    core.send(1, "a")
    core.run()

    core.send(1, "b")

    assert core.effects() == ["persist insert b"]


def test_depth_counts_waiting_and_outstanding_messages() -> None:
    core = Core()
    core.subscribe(1, prefetch=1)
    core.send_all(2, "a b")
    core.send(2, "c", is_persistent=False)
    core.run()

    assert core.depth() == 3


def test_depth_of_an_unknown_queue_is_0() -> None:
    assert Core().depth("/queue/unknown") == 0


def test_depth_falls_with_a_durable_acknowledgement() -> None:
    core = Core()
    core.subscribe(1)
    core.send(2, "a")
    core.run()
    core.acknowledge(1, "a", receipt="r")
    assert core.depth() == 1

    core.run()

    assert core.depth() == 0


def test_recovered_queue_has_its_depth() -> None:
    core = Core()
    core.send_all(1, "a b")
    core.run()

    assert core.restart().depth() == 2


def test_recovered_queue_is_not_created_again() -> None:
    core = Core()
    core.send(1, "a")
    core.run()

    again = core.restart()
    again.send(1, "b")

    assert again.effects() == ["persist insert b"]


def test_recovered_empty_queue_is_not_created_again() -> None:
    core = Core()
    core.subscribe(1)
    core.send(2, "a")
    core.run()
    core.acknowledge(1, "a", receipt="r")
    core.run()

    again = core.restart()
    again.send(1, "b")

    assert again.effects() == ["persist insert b"]


def test_new_ids_are_above_recovered_ones() -> None:
    core = Core()
    core.send(1, "a")
    core.run()

    again = core.restart()
    again.now -= 3600
    again.send(1, "b")
    again.run()

    assert again.rows() == ["a", "b"]


def test_queues_are_limited_for_messages() -> None:
    core = Core(queues=1)
    core.send(1, "a")

    core.send(1, "b", "/queue/b", receipt="r")

    assert core.run() == ["refuse 1 limit-exceeded r"]
    assert "limits.queues" in core.errors[0].detail
    assert "/queue/b" in core.errors[0].detail


def test_queues_are_limited_for_subscriptions() -> None:
    core = Core(queues=1)
    core.send(1, "a")

    core.subscribe(1, "/queue/b", receipt="r")

    assert core.run() == ["refuse 1 limit-exceeded r"]


def test_topics_are_not_queues() -> None:
    core = Core(queues=1)
    core.send(1, "a")
    core.subscribe(1, "/topic/t")

    core.send(1, "b", "/topic/t")

    assert core.run() == ["deliver 1 b"]


def test_queue_that_was_only_subscribed_to_is_forgotten() -> None:
    core = Core()
    core.subscribe(1)

    core.unsubscribe(1)

    assert _queue_count(core) == 0


def test_topic_that_was_only_subscribed_to_is_forgotten() -> None:
    core = Core()
    core.subscribe(1, "/topic/t")

    core.unsubscribe(1)

    assert _queue_count(core) == 0
    assert core.effects() == []


def test_queue_with_another_subscription_is_kept() -> None:
    core = Core()
    core.subscribe(1)
    core.subscribe(2)
    core.unsubscribe(1)
    core.send(3, "a", is_persistent=False)

    assert core.run() == ["deliver 2 a"]


def test_queue_with_a_subscription_that_has_not_begun_is_kept() -> None:
    core = Core()
    core.subscribe(2)
    core.send(1, "x", "/queue/b")
    core.subscribe(1)
    core.unsubscribe(2)
    core.run()
    core.send(3, "a", is_persistent=False)

    assert core.run() == ["deliver 1 a"]


def test_queue_with_a_message_on_its_way_is_kept() -> None:
    core = Core()
    core.subscribe(2)
    core.send(1, "x", "/queue/b")
    core.send(1, "a", is_persistent=False)
    core.unsubscribe(2)
    core.run()
    core.subscribe(3)

    assert core.run() == ["deliver 3 a"]


def test_queue_with_a_refusable_acknowledgement_under_way_is_kept() -> None:
    core = Core()
    core.subscribe(1)
    core.send(2, "a", is_persistent=False)
    core.run()
    core.begin(1)
    core.acknowledge(1, "a", "t")
    core.send(1, "x", "/queue/b", transaction="t")
    core.commit(1)
    core.unsubscribe(1)
    core.effects()
    core.refuse_unit()
    core.effects()
    core.subscribe(3)

    assert core.run() == ["deliver 3 a again 1"]


@pytest.mark.parametrize("is_persistent", [True, False])
def test_queue_with_messages_is_kept(is_persistent: bool) -> None:
    core = Core()
    core.subscribe(1)
    core.send(2, "a", is_persistent=is_persistent)
    core.run()
    core.unsubscribe(1)
    core.subscribe(3)

    assert core.run() == ["deliver 3 a again 1"]


def test_stored_queue_is_kept_when_it_is_empty() -> None:
    core = Core()
    core.subscribe(1)
    core.send(2, "a")
    core.run()
    core.acknowledge(1, "a")
    core.run()

    core.unsubscribe(1)

    assert _queue_count(core) == 1

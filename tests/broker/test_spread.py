"""Subscriptions of several destinations: lists, and queues with wildcards."""

from __future__ import annotations

import pytest

from stompd.broker.destination import parse_target
from stompd.broker.effects import SessionId
from stompd.broker.requests import AckMode
from tests.broker.core import Core


def test_wildcard_takes_from_the_queues_there_are() -> None:
    core = Core()
    core.send(2, "x", "/queue/a.x")
    core.send(2, "y", "/queue/a.y")
    core.send(2, "z", "/queue/b.z")

    core.subscribe(1, "/queue/a.*", receipt="r")

    assert core.run() == ["confirm 1 r prefetch-count:100", "deliver 1 x", "deliver 1 y"]


def test_wildcard_takes_from_queues_that_come_later() -> None:
    core = Core()
    core.subscribe(1, "/queue/a.#")

    core.send(2, "x", "/queue/a.x")
    core.send(2, "y", "/queue/a.y.z")
    core.send(2, "b", "/queue/b")

    assert core.run() == ["deliver 1 x", "deliver 1 y"]
    assert core.message(1, "y").destination == "/queue/a.y.z"


def test_wildcard_takes_from_queues_that_were_found_in_the_store() -> None:
    core = Core()
    core.send(2, "x", "/queue/a.x")
    core.run()
    core = core.restart()

    core.subscribe(1, "/queue/a.*")

    assert core.run() == ["deliver 1 x"]


@pytest.mark.parametrize("pattern", ["#", "**", ">", "*", "*.orders", "#.orders"])
def test_wildcard_for_the_first_word_leaves_dead_letters_alone(pattern: str) -> None:
    core = Core()
    core.send(2, "before", "/queue/DLQ.orders")

    core.subscribe(1, f"/queue/{pattern}")
    core.send(2, "after", "/queue/DLQ.orders")
    core.send(2, "later", "/queue/DLQ.new.orders")

    assert core.run() == []


@pytest.mark.parametrize("pattern", ["DLQ.#", "DLQ.>", "DLQ.*", "#,/queue/DLQ.orders"])
def test_dead_letters_reach_who_names_their_queues(pattern: str) -> None:
    core = Core()
    core.send(2, "a", "/queue/DLQ.orders")

    core.subscribe(1, f"/queue/{pattern}")
    core.send(2, "b", "/queue/DLQ.orders")

    assert core.run() == ["deliver 1 a", "deliver 1 b"]


def test_wildcard_takes_from_a_queue_that_is_only_called_like_those_of_dead_letters() -> None:
    core = Core()
    core.subscribe(1, "/queue/*")

    core.send(2, "a", "/queue/DLQ")
    core.send(2, "b", "/queue/DLQs")

    assert core.run() == ["deliver 1 a", "deliver 1 b"]


def test_rejected_message_does_not_come_again_by_way_of_its_dead_letter_queue() -> None:
    core = Core()
    core.subscribe(1, "/queue/#")
    core.send(2, "a")
    core.run()

    core.reject(1, "a", requeue=False)

    assert core.run() == []
    assert core.depth("/queue/DLQ.a") == 1


def test_acknowledgement_reaches_the_queue_that_the_message_is_from() -> None:
    core = Core()
    core.subscribe(1, "/queue/a.*")
    core.send(2, "x", "/queue/a.x")
    core.send(2, "y", "/queue/a.y")
    core.run()

    core.acknowledge(1, "x", receipt="r")

    assert core.run() == ["confirm 1 r"]
    assert (core.rows(), core.depth("/queue/a.x"), core.depth("/queue/a.y")) == (["y"], 0, 1)


def test_cumulative_acknowledgement_reaches_all_queues() -> None:
    core = Core()
    core.subscribe(1, "/queue/a.*", ack=AckMode.CLIENT)
    core.send(2, "x", "/queue/a.x")
    core.send(2, "y", "/queue/a.y")
    core.run()

    core.acknowledge(1, "y", receipt="r")

    core.run()
    assert core.rows() == []


def test_rejected_message_returns_to_its_queue() -> None:
    core = Core()
    core.subscribe(1, "/queue/a.*")
    core.send(2, "x", "/queue/a.x")
    core.send(2, "y", "/queue/a.y")
    core.run()
    core.reject(1, "y")
    core.unsubscribe(1)

    core.subscribe(2, "/queue/a.y")

    assert core.run() == ["deliver 2 y again 1"]


def test_unacknowledged_messages_return_to_their_queues() -> None:
    core = Core()
    core.subscribe(1, "/queue/a,/queue/b")
    core.send(3, "x", "/queue/a")
    core.send(3, "y", "/queue/b")
    core.run()

    core.lose(1)
    core.subscribe(2, "/queue/b")

    assert core.run() == ["deliver 2 y again 1"]


def test_queues_share_the_credit_and_take_turns_at_it() -> None:
    core = Core()
    for name in ("a.x", "a.y", "a.z"):
        core.send_all(2, f"{name}-1 {name}-2", f"/queue/{name}")
    core.subscribe(1, "/queue/a.*", prefetch=1)

    seen = core.run()
    for _ in range(5):
        core.acknowledge(1, seen[-1].removeprefix("deliver 1 "))
        seen += core.run()

    assert seen[:3] == ["deliver 1 a.x-1", "deliver 1 a.y-1", "deliver 1 a.z-1"]
    assert sorted(seen[3:]) == ["deliver 1 a.x-2", "deliver 1 a.y-2", "deliver 1 a.z-2"]


def test_empty_queue_does_not_keep_the_others_from_their_turn() -> None:
    core = Core()
    core.subscribe(1, "/queue/a,/queue/b", prefetch=1)
    core.send_all(2, "1 2", "/queue/a")
    core.run()
    core.acknowledge(1, "1")
    core.run()
    core.acknowledge(1, "2")
    core.run()

    core.send(2, "3", "/queue/b")

    assert core.run() == ["deliver 1 3"]


def test_subscription_without_credit_gets_nothing_from_a_new_queue() -> None:
    core = Core()
    core.subscribe(1, "/queue/a.*", prefetch=1)
    core.send_all(2, "1 2", "/queue/a.x")
    core.run()
    core.send(2, "3", "/queue/a.y")
    assert core.run() == []

    core.acknowledge(1, "1")

    assert len(core.run()) == 1


def test_session_that_was_not_writable_gets_everything_in_the_end() -> None:
    core = Core()
    core.subscribe(1, "/queue/a,/queue/b")
    core.set_writable(1, False)
    core.send(2, "x", "/queue/a")
    core.send(2, "y", "/queue/b")
    assert core.run() == []

    core.set_writable(1, True)

    assert sorted(core.run()) == ["deliver 1 x", "deliver 1 y"]


def test_several_subscriptions_share_the_queues() -> None:
    core = Core()
    core.subscribe(1, "/queue/a.*")
    core.subscribe(2, "/queue/a.x")

    core.send_all(3, "1 2 3 4", "/queue/a.x")

    assert core.run() == ["deliver 1 1", "deliver 2 2", "deliver 1 3", "deliver 2 4"]


def test_subscriptions_with_one_pattern_share_what_comes_later() -> None:
    core = Core()
    core.subscribe(1, "/queue/a.*")
    core.subscribe(2, "/queue/a.*")
    core.unsubscribe(1)
    core.subscribe(3, "/queue/a.*")

    core.send_all(1, "1 2", "/queue/a.x")

    assert core.run() == ["deliver 2 1", "deliver 3 2"]


def test_subscription_that_ends_before_it_began_leaves_nothing_behind() -> None:
    core = Core()
    core.send(1, "before", "/queue/b")
    core.subscribe(1, "/queue/a.*,/queue/b,/topic/c")

    core.unsubscribe(1)

    assert core.run() == []
    assert core.broker._catalogue._watchers.count == 0
    assert not core.broker._catalogue._topics


def test_selector_counts_in_every_queue() -> None:
    core = Core()
    core.subscribe(1, "/queue/a.*,/topic/b", selector="kind = 'x'", prefetch=2)
    for number, destination in enumerate(("/queue/a.1", "/queue/a.2", "/topic/b")):
        core.send(2, f"y{number}", destination, headers={"kind": "y"})
        core.send(2, f"x{number}", destination, headers={"kind": "x"})

    seen = core.run()
    core.acknowledge(1, seen[0].removeprefix("deliver 1 "))
    seen += core.run()

    assert sorted(seen) == ["deliver 1 x0", "deliver 1 x1", "deliver 1 x2"]
    assert [core.depth("/queue/a.1"), core.depth("/queue/a.2")].count(2) >= 1


def test_selector_of_an_ended_subscription_leaves_the_queues_as_they_were() -> None:
    core = Core()
    core.subscribe(1, "/queue/a,/queue/b", selector="kind = 'x'")
    core.send(2, "y", "/queue/b", headers={"kind": "y"})
    assert core.run() == []

    core.unsubscribe(1)
    core.subscribe(3, "/queue/b")

    assert core.run() == ["deliver 3 y"]


def test_ended_subscription_gets_nothing_more() -> None:
    core = Core()
    core.subscribe(1, "/queue/a.*")
    core.send(2, "x", "/queue/a.x")
    core.run()

    core.unsubscribe(1)
    core.send(2, "y", "/queue/a.x")
    core.send(2, "z", "/queue/a.z")

    assert core.run() == []


def test_queue_that_only_the_subscription_needed_is_forgotten_with_it() -> None:
    core = Core()
    core.subscribe(1, "/queue/a,/queue/b")

    core.unsubscribe(1)

    assert not core.broker._catalogue._queues


def test_list_takes_from_queues_and_topics() -> None:
    core = Core()
    core.subscribe(1, "/queue/a,/topic/b.*,/topic/c,/temp-queue/d")

    core.send(2, "x", "/queue/a")
    core.send(2, "y", "/topic/b.y")
    core.send(2, "z", "/topic/c")
    core.send(1, "t", "/temp-queue/d")

    assert sorted(core.run()) == [f"deliver 1 {body}" for body in "txyz"]


def test_list_of_topics_gets_each_message_once() -> None:
    core = Core()
    core.subscribe(1, "/topic/a.*,/topic/*.b,/topic/a.b")

    core.send(2, "x", "/topic/a.b")

    assert core.run() == ["deliver 1 x"]


def test_list_of_queues_takes_from_each_once() -> None:
    core = Core()
    core.subscribe(1, "/queue/a.*,/queue/a.b", prefetch=2)

    core.send_all(2, "x y z", "/queue/a.b")

    assert core.run() == ["deliver 1 x", "deliver 1 y"]


def test_list_that_needs_too_many_queues_is_refused() -> None:
    core = Core(queues=2)

    core.subscribe(1, "/queue/a.*,/queue/a,/queue/b,/queue/c", receipt="r")

    assert core.run() == ["refuse 1 limit-exceeded r"]


def test_jms_355_list_with_anothers_temporary_queue_is_refused() -> None:
    core = Core()
    core.subscribe(2, "/queue/work", ack=AckMode.AUTO)
    core.send(1, "work", "/queue/work", reply_to="/temp-queue/x")
    core.run()
    name = core.message(2, "work").headers["reply-to"]

    core.subscribe(2, f"/queue/a,{name}", "t", receipt="r")

    assert core.run() == ["refuse 2 invalid-destination r"]


def test_temporary_queue_that_a_list_takes_from_cannot_be_deleted() -> None:
    core = Core()
    core.subscribe(1, "/queue/a,/temp-queue/x")

    core.unsubscribe(1, "fresh", "r", delete="/temp-queue/x")

    assert core.run() == ["refuse 1 invalid-destination r"]


def test_send_to_a_list_is_one_unit() -> None:
    core = Core()
    core.subscribe(2, "/topic/c")

    core.send(1, "x", "/queue/a,/queue/b,/topic/c", receipt="r")

    assert core.effects() == ["persist queue /queue/a, insert x, queue /queue/b, insert x"]
    assert core.run() == ["confirm 1 r", "deliver 2 x"]
    assert core.rows() == ["x", "x"]


def test_each_message_of_a_list_is_one_of_its_own() -> None:
    core = Core()
    core.subscribe(1, "/queue/a", "a")
    core.subscribe(2, "/topic/b", "b")

    core.send(3, "x", "/queue/a,/topic/b", headers={"h": "v"}, priority=7)

    core.run()
    first, second = core.message(1, "x"), core.message(2, "x")
    assert (first.destination, second.destination) == ("/queue/a", "/topic/b")
    assert first.message_id != second.message_id
    assert [(copy.headers, copy.priority) for copy in (first, second)] == [({"h": "v"}, 7)] * 2


def test_transaction_sends_to_a_list() -> None:
    core = Core()
    core.begin(1)
    core.send(1, "x", "/queue/a,/queue/b", transaction="t")
    core.send(1, "y", "/queue/a", transaction="t")

    core.commit(1)

    assert core.effects() == ["persist queue /queue/a, insert x, queue /queue/b, insert x, queue /queue/a, insert y"]


def test_list_counts_as_so_many_operations_of_a_transaction() -> None:
    core = Core(transaction_operations=3)
    core.begin(1)
    core.send(1, "x", "/queue/a,/queue/b", transaction="t")

    core.send(1, "y", "/queue/a,/queue/b", transaction="t", receipt="r")

    assert core.run() == ["refuse 1 limit-exceeded r"]


def test_nothing_is_sent_when_one_part_cannot_be_used() -> None:
    core = Core()
    core.subscribe(2, "/queue/a")

    core.send(1, "x", "/queue/a,/reply-queue/unknown", receipt="r")

    assert core.run() == ["refuse 1 invalid-destination r"]


def test_list_may_name_the_senders_temporary_queue() -> None:
    core = Core()
    core.subscribe(1, "/temp-queue/x")

    core.send(1, "a", "/temp-queue/x,/queue/a")

    assert core.run() == ["deliver 1 a"]
    assert core.message(1, "a").destination.startswith("/reply-queue/")


def test_number_of_queues_is_limited() -> None:
    core = Core(spread_queues=2)
    for name in ("a.x", "a.y", "a.z"):
        core.send(2, name, f"/queue/{name}")
    core.run()

    core.subscribe(1, "/queue/a.*")

    assert core.run()[-1] == "refuse 1 limit-exceeded"
    assert "limits.spread_queues" in core.errors[0].detail
    assert core.depth("/queue/a.x") == 1


def test_number_of_queues_is_limited_when_they_come_later() -> None:
    core = Core(spread_queues=2)
    core.subscribe(1, "/queue/a,/queue/b.*")
    core.send(2, "x", "/queue/b.x")
    core.run()

    core.send(2, "y", "/queue/b.y", receipt="r")

    assert core.run() == ["refuse 1 limit-exceeded", "confirm 2 r"]


def test_queues_of_an_ended_subscription_do_not_count() -> None:
    core = Core(spread_queues=2)
    core.subscribe(1, "/queue/a,/queue/b")
    core.unsubscribe(1)

    core.subscribe(1, "/queue/c,/queue/d", receipt="r")

    assert core.run() == ["confirm 1 r prefetch-count:100"]


def test_subscription_of_many_queues_may_fall_behind_as_well() -> None:
    core = Core(topic_backlog=1)
    core.subscribe(1, "/queue/a,/topic/b", prefetch=1)

    core.send_all(2, "1 2 3", "/topic/b")

    assert core.run()[-1] == "refuse 1 slow-consumer"


def test_delay_counts_for_every_member_of_a_list() -> None:
    core = Core()
    core.subscribe(1, "/queue/a")
    core.subscribe(2, "/queue/b")

    core.send(3, "x", "/queue/a,/queue/b", delay=5.0)

    assert core.advance(4.0) == []
    assert core.advance(1.0) == ["deliver 1 x", "deliver 2 x"]


def test_who_reads_from_several_queues_gets_what_comes_back_later_from_the_queue_it_is_from() -> None:
    core = Core()
    core.send(3, "x", "/queue/b")
    core.subscribe(1, "/queue/a,/queue/b")
    core.run()

    core.reject(1, "x", delay_ms=5_000)

    assert core.advance(5.0) == ["deliver 1 x again 1"]
    core.reject(1, "x", requeue=False)
    core.run()
    assert (core.depth("/queue/b"), core.depth("/queue/DLQ.b")) == (0, 1)


@pytest.mark.parametrize("to", ["/topic/t", "/topic/t,/queue/a"])
@pytest.mark.parametrize("patterns", [["/topic/*"], ["/topic/t", "/topic/#"], ["/topic/*", "/topic/#"]])
def test_topic_lags_when_a_subscription_with_wildcards_does(patterns: list[str], to: str) -> None:
    core = Core(topic_backlog=10, topic_prefetch=1)
    for session, pattern in enumerate(patterns, 1):
        core.subscribe(session, pattern)
    core.run()
    assert not core.broker.is_lagging(SessionId(1), parse_target(to))

    for number in range(8):
        core.send(3, f"m{number}", to, is_persistent=False)
        core.run()

    assert core.broker.is_lagging(SessionId(1), parse_target(to))

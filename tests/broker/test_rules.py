"""Queues and topics with rules: what they take, what happens when they are full, and when they are removed."""

from __future__ import annotations

import pytest

from stompd.broker.effects import SessionId
from stompd.broker.policy import Overflow, Rule
from stompd.broker.requests import AckMode
from stompd.store.memory import MemoryStore
from tests.broker.core import Core


def full(overflow: Overflow, count: int = 2, **limits: int) -> Core:
    """Return a core with `/queue/a`, which takes two messages."""
    return Core(None, [Rule("/queue/a", max_messages=count, overflow=overflow)], **limits)


def waiting(core: Core, session: int = 3, to: str = "/queue/a") -> list[str]:
    """Return the bodies that a new consumer gets."""
    core.subscribe(session, to, "all", prefetch=0)
    return [text.split()[2] for text in core.run() if text.startswith("deliver")]


def test_full_queue_rejects() -> None:
    core = full(Overflow.REJECT)
    core.send_all(1, "a b")
    core.run()

    core.send(1, "c", receipt="r")

    assert core.run() == ["refuse 1 limit-exceeded r"]
    assert "max_messages" in core.errors[0].detail
    assert core.depth() == 2


def test_rejecting_queue_takes_more_when_some_were_consumed() -> None:
    core = full(Overflow.REJECT)
    core.send_all(1, "a b")
    core.subscribe(2, prefetch=1)
    core.run()
    core.acknowledge(2, "a")

    core.send(1, "c", receipt="r")

    assert "confirm 1 r" in core.run()


def test_bytes_are_limited_too() -> None:
    core = Core(None, [Rule("/queue/a", max_bytes=10, overflow=Overflow.REJECT)])
    core.send(1, "12345")
    core.send(1, "12345", receipt="fits")

    core.send(1, "1", receipt="r")

    assert core.run() == ["confirm 1 fits", "refuse 1 limit-exceeded r"]


def test_single_message_fits_whatever_its_size() -> None:
    core = Core(None, [Rule("/queue/a", max_bytes=3, overflow=Overflow.REJECT)])

    core.send(1, "12345", receipt="r")

    assert core.run() == ["confirm 1 r"]


def test_transaction_reserves_room_so_that_its_commit_does_not_fail() -> None:
    core = full(Overflow.REJECT)
    core.begin(1)
    core.send(1, "a", transaction="t")
    core.send(1, "b", transaction="t")
    core.send(2, "c", receipt="r")
    shown = core.run()

    core.commit(1, receipt="done")

    assert (shown, core.run()) == (["refuse 2 limit-exceeded r"], ["confirm 1 done"])
    assert core.depth() == 2


@pytest.mark.parametrize("ending", ["abort", "lose"])
def test_transaction_that_is_not_committed_gives_its_room_back(ending: str) -> None:
    core = full(Overflow.REJECT, 1)
    core.begin(1)
    core.send(1, "a", transaction="t")
    core.abort(1) if ending == "abort" else core.lose(1)

    core.send(2, "b", receipt="r")

    assert core.run() == ["confirm 2 r"]


def test_room_of_a_message_that_the_store_refused_is_free_again() -> None:
    core = full(Overflow.REJECT, 1)
    core.send(1, "a", receipt="r")
    core.effects()
    core.refuse_unit()
    core.send(2, "b", receipt="r")

    assert "confirm 2 r" in core.run()


def test_full_queue_drops_the_new_message_and_says_so() -> None:
    core = full(Overflow.DROP_NEW)
    core.send_all(1, "a b")

    core.send(1, "c", receipt="r")

    assert core.run() == ["confirm 1 r dropped:true"]
    assert waiting(core) == ["a", "b"]


def test_full_queue_drops_its_head() -> None:
    core = full(Overflow.DROP_OLD)
    core.send_all(1, "a b c d")

    core.run()

    assert core.rows() == ["c", "d"]
    assert waiting(core) == ["c", "d"]


def test_full_queue_drops_the_oldest_whatever_its_priority() -> None:
    core = full(Overflow.DROP_OLD)
    core.send(1, "old", priority=1)
    core.send(1, "urgent", priority=9)
    core.send(1, "new", priority=1)

    core.run()

    assert core.rows() == ["urgent", "new"]
    assert waiting(core) == ["urgent", "new"]


@pytest.mark.parametrize("selector", ["", "color = 'red'"])
def test_oldest_that_is_only_in_the_store_is_read_and_dropped(selector: str) -> None:
    before = Core(MemoryStore(), window_count=1)
    for body, priority in (("a", 1), ("b", 9), ("c", 9), ("d", 5)):
        before.send(1, body, priority=priority)
    before.run()
    rule = Rule("/queue/a", max_messages=2, overflow=Overflow.DROP_OLD)
    core = before.restart([rule], window_count=1)
    if selector:
        core.subscribe(2, selector=selector)
        core.run()

    core.send(1, "e", priority=0)
    core.run()

    assert core.rows() == ["d", "e"]
    assert core.depth() == 2


def test_what_is_with_consumers_is_not_dropped() -> None:
    core = full(Overflow.DROP_OLD)
    core.subscribe(2, prefetch=2)
    core.send_all(1, "a b")
    core.run()

    core.send_all(1, "c d")
    core.run()

    assert core.rows() == ["a", "b"]


def test_head_that_is_only_in_the_store_is_read_and_dropped() -> None:
    store = MemoryStore()
    before = Core(store)
    before.send_all(1, "a b c")
    before.run()
    core = before.restart([Rule("/queue/a", max_messages=2, overflow=Overflow.DROP_OLD)])

    core.send(1, "d")
    core.run()

    assert core.rows() == ["c", "d"]


def test_what_comes_back_into_a_full_queue_is_dropped() -> None:
    core = full(Overflow.DROP_OLD)
    core.subscribe(2)
    core.send_all(1, "a b c")
    core.run()

    core.lose(2)
    core.run()

    assert waiting(core, 3) == ["b", "c"]


def test_what_becomes_due_in_a_full_queue_is_dropped() -> None:
    core = full(Overflow.DROP_OLD)
    core.subscribe(2, prefetch=1)
    core.send(1, "a")
    core.send(1, "b", delay=1.0)
    core.send(1, "c", delay=2.0)
    core.run()

    core.advance(5.0)

    assert core.rows() == ["a", "c"]


def test_what_is_stored_for_want_of_memory_is_dropped() -> None:
    core = Core(None, [Rule("/queue/a", max_messages=2, overflow=Overflow.DROP_OLD)], window_count=1)
    core.send_all(1, "a b c d", is_persistent=False)

    core.run()

    assert core.depth() == 2
    assert waiting(core) == ["c", "d"]


def test_dropping_respects_selectors() -> None:
    core = full(Overflow.DROP_OLD)
    core.subscribe(2, selector="color = 'red'")
    core.run()

    core.send_all(1, "a b c")
    core.run()

    assert core.rows() == ["b", "c"]


def test_head_of_a_full_queue_becomes_a_dead_letter() -> None:
    core = full(Overflow.DEAD_LETTER)

    core.send_all(1, "a b c d")
    core.run()

    assert waiting(core, 3) == ["c", "d"]
    assert waiting(core, 2, "/queue/DLQ.a") == ["a", "b"]


def test_full_dead_letter_queue_drops_its_head() -> None:
    core = Core(None, [Rule("/queue/#", max_messages=1, overflow=Overflow.DEAD_LETTER)])

    core.send_all(1, "a b c")
    core.run()

    assert sorted(core.rows()) == ["b", "c"]


def test_refused_dead_letter_leaves_its_head() -> None:
    core = full(Overflow.DEAD_LETTER, 1)
    core.send_all(1, "a b")
    core.effects()
    core.answer(2)
    core.effects()

    core.refuse_unit()

    assert core.depth() == 2


def test_head_is_dropped_where_there_can_be_no_dead_letter_queue() -> None:
    core = full(Overflow.DEAD_LETTER, 1, queues=1)

    core.send_all(1, "a b")
    core.run()

    assert core.rows() == ["b"]


def test_sender_rests_while_the_queue_is_full() -> None:
    core = full(Overflow.BLOCK)
    core.send(1, "a")
    assert SessionId(1) not in core.broker.resting
    core.send(1, "b", receipt="r")
    rests = SessionId(1) in core.broker.resting
    core.subscribe(2, prefetch=1)
    core.run()

    core.acknowledge(2, "a")

    assert rests
    assert "resume 1" in core.run()
    assert SessionId(1) not in core.broker.resting


def test_sender_rests_no_longer_than_allowed() -> None:
    core = full(Overflow.BLOCK, 1, block_seconds=5)
    core.send(1, "a")

    assert core.advance(4.9) == []
    assert core.advance(0.2) == ["resume 1"]


def test_sender_that_consumes_from_the_queue_does_not_rest() -> None:
    core = full(Overflow.BLOCK, 1)
    core.subscribe(1)

    core.send(1, "a")

    assert SessionId(1) not in core.broker.resting


def test_lost_sender_rests_no_more() -> None:
    core = full(Overflow.BLOCK, 1)
    core.send(1, "a")

    core.lose(1)

    assert core.advance(100) == []


def test_message_larger_than_its_destination_takes_is_refused() -> None:
    core = Core(None, [Rule("/topic/a", message_bytes=3)])

    core.send(1, "abc", "/topic/a", receipt="fits")
    core.send(1, "abcd", "/topic/a", receipt="r")

    assert core.run() == ["confirm 1 fits", "refuse 1 limit-exceeded r"]
    assert "message_bytes" in core.errors[0].detail


def test_destination_has_no_more_consumers_than_allowed() -> None:
    core = Core(None, [Rule("/queue/a", consumers=1), Rule("/topic/a", consumers=1)])
    core.subscribe(1, "/queue/a", "q")
    core.subscribe(1, "/topic/a", "t")

    core.subscribe(2, "/queue/a", "q", receipt="q")
    core.subscribe(3, "/topic/a", "t", receipt="t")

    assert core.run() == ["refuse 2 limit-exceeded q", "refuse 3 limit-exceeded t"]


def test_rule_makes_messages_expire() -> None:
    core = Core(None, [Rule("/queue/a", default_ttl_ms=1000)])
    core.send(1, "a")
    core.run()

    core.advance(5)

    assert core.depth() == 0
    assert core.rows() == []


def test_rule_decides_about_redelivery() -> None:
    core = Core(None, [Rule("/queue/a", max_deliveries=1)])
    core.subscribe(2, ack=AckMode.INDIVIDUAL)
    core.send(1, "a")
    core.run()

    core.reject(2, "a")
    core.run()

    assert core.depth("/queue/DLQ.a") == 1


def test_size_is_known_after_a_restart() -> None:
    before = Core(MemoryStore())
    before.send_all(1, "12345 12345")
    before.run()
    core = before.restart([Rule("/queue/a", max_bytes=10, overflow=Overflow.REJECT)])
    core.run()

    core.send(1, "1", receipt="r")

    assert core.run() == ["refuse 1 limit-exceeded r"]


def test_expired_message_makes_room() -> None:
    core = Core(None, [Rule("/queue/a", max_bytes=5, overflow=Overflow.REJECT)])
    core.send(1, "12345", expires_ms=round(core.now * 1000) + 1000)
    core.run()
    core.advance(5)

    core.send(1, "12345", receipt="r")

    assert core.run() == ["confirm 1 r"]


def test_idle_empty_queue_is_removed_and_made_again() -> None:
    core = Core(idle_queue_seconds=10, queues=1)
    core.subscribe(1, ack=AckMode.AUTO)
    core.send(1, "a")
    core.run()
    core.settle_written(1)
    core.unsubscribe(1)
    core.run()

    core.advance(25)
    core.send(1, "b", "/queue/b", receipt="r")

    assert core.run() == ["confirm 1 r"]
    assert [queue.name for queue in core.store._queues.values()] == ["/queue/b"]


@pytest.mark.parametrize("use", ["message", "subscription"])
def test_queue_in_use_is_not_removed(use: str) -> None:
    core = Core(idle_queue_seconds=10)
    core.send(1, "a") if use == "message" else core.subscribe(1)
    core.run()

    core.advance(100)

    assert core.broker._catalogue.has_queues


def test_idle_time_begins_anew_with_each_use() -> None:
    core = Core(idle_queue_seconds=10)
    core.subscribe(1, ack=AckMode.AUTO)
    core.unsubscribe(1)
    core.run()
    core.advance(9)
    core.subscribe(1, ack=AckMode.AUTO)
    core.send(1, "a")
    core.run()
    core.settle_written(1)
    core.unsubscribe(1)
    core.run()

    core.advance(9)

    assert core.broker._catalogue.has_queues


def test_rule_decides_when_a_queue_is_idle() -> None:
    core = Core(None, [Rule("/queue/a", idle_seconds=2)])
    core.subscribe(1, ack=AckMode.AUTO)
    core.send(1, "a")
    core.run()
    core.settle_written(1)
    core.unsubscribe(1)
    core.run()

    core.advance(5)

    assert not core.broker._catalogue.has_queues


def test_message_that_arrives_while_its_queue_is_being_removed_has_a_new_queue() -> None:
    core = Core(idle_queue_seconds=1)
    core.subscribe(1, ack=AckMode.AUTO)
    core.send(1, "a")
    core.run()
    core.settle_written(1)
    core.unsubscribe(1)
    core.run()
    core.now += 1
    core.broker.tick(core.now)
    core.now += 1.5
    core.broker.tick(core.now)
    core.now += 1.5
    core.broker.tick(core.now)

    core.send(1, "b", receipt="r")

    assert core.run() == ["confirm 1 r"]
    assert core.rows() == ["b"]
    assert core.restart().depth() == 1

"""What becomes of messages that come back: back-off, dead-letter queues, and what a NACK may ask for."""

from __future__ import annotations

import pytest

from stompd.broker.limits import Limits
from stompd.broker.message import Message
from stompd.broker.redelivery import dead_letter_destination, policy_of
from tests.broker.core import NOW, Core

DEAD_LETTERS = "/queue/DLQ.a"


def _letters(core: Core) -> list[Message]:
    """What the store has in the dead-letter queue of /queue/a."""
    queues = [queue for queue in core.store._queues.values() if queue.name == DEAD_LETTERS]
    return [row.message for queue in queues for row in queue.rows.values()]


def _rejected(times: int, **limits: int) -> Core:
    """A core in which `a` was delivered to session 1 and rejected so many times."""
    core = Core(**limits)
    core.subscribe(1)
    core.send(2, "a")
    core.run()
    for _ in range(times):
        core.reject(1, "a")
        core.advance(300.0)
    return core


@pytest.mark.parametrize(
    ("delivery_count", "delay_ms"),
    [(1, 0), (2, 1000), (3, 2000), (4, 4000), (9, 128_000), (10, None), (11, None)],
)
def test_delay_doubles_from_the_second_return_on(delivery_count: int, delay_ms: int | None) -> None:
    assert policy_of(Limits(), "/queue/a").delay_ms(delivery_count) == delay_ms


def test_delay_has_a_limit() -> None:
    assert policy_of(Limits(max_deliveries=100), "/queue/a").delay_ms(99) == 300_000


def test_first_redelivery_is_at_once() -> None:
    core = Core()
    core.subscribe(1)
    core.send(2, "a")
    core.run()

    core.reject(1, "a")

    assert core.run() == ["deliver 1 a again 1"]


def test_second_redelivery_waits_in_the_store() -> None:
    core = _rejected(1)

    core.reject(1, "a")

    assert core.effects() == ["later return a 2"]
    assert core.advance(0.999) == []
    assert core.advance(0.001) == ["deliver 1 a again 2"]


def test_postponed_message_returns_to_its_old_place() -> None:
    core = _rejected(1)
    core.send_all(2, "b c")
    core.set_writable(1, False)
    core.run()
    core.reject(1, "a")
    core.advance(2.0)

    core.set_writable(1, True)

    assert core.run() == ["deliver 1 a again 2", "deliver 1 b", "deliver 1 c"]


def test_others_pass_while_a_message_waits() -> None:
    core = _rejected(1)
    core.reject(1, "a")

    core.send(2, "b")

    assert core.run() == ["deliver 1 b"]


@pytest.mark.parametrize("end", ["lose", "unsubscribe", "disconnect"])
def test_end_of_a_consumer_counts(end: str) -> None:
    core = _rejected(1)

    getattr(core, end)(1)
    core.subscribe(2)

    assert [text for text in core.run() if "deliver" in text] == []
    assert core.advance(1.0) == ["deliver 2 a again 2"]


def test_rejection_in_a_transaction_counts_at_its_commit() -> None:
    core = _rejected(1)
    core.begin(1)
    core.reject(1, "a", "t")
    core.advance(10.0)

    core.commit(1, receipt="r")

    assert core.effects() == ["persist return a 2"]
    core.answer()
    assert core.effects() == ["confirm 1 r"]
    assert core.advance(1.0) == ["deliver 1 a again 2"]


def test_receipt_of_a_rejection_waits_for_its_unit() -> None:
    core = _rejected(1)

    core.reject(1, "a", receipt="r")

    assert core.effects() == ["persist return a 2"]
    core.answer()
    assert core.effects() == ["confirm 1 r"]


def test_postponed_message_comes_back_when_its_unit_is_refused() -> None:
    core = _rejected(1)
    core.subscribe(2, prefetch=1)
    core.reject(1, "a", receipt="r")
    core.effects()

    core.refuse_unit()

    assert core.depth() == 1
    assert "deliver 2 a again 2" in core.effects()


def test_back_off_is_kept_over_a_restart() -> None:
    core = _rejected(1)
    core.reject(1, "a")
    core.run()

    restarted = core.restart()
    restarted.now = core.now
    restarted.subscribe(1)

    assert restarted.advance(0.9) == []
    assert restarted.advance(0.1) == ["deliver 1 a again 2"]


def test_what_became_due_while_the_broker_was_away_is_delivered() -> None:
    core = _rejected(1)
    core.reject(1, "a")
    core.run()

    restarted = core.restart()
    restarted.now = core.now + 60
    restarted.subscribe(1)

    assert restarted.advance(0.0) == ["deliver 1 a again 2"]


def test_after_the_last_delivery_a_message_goes_to_the_dead_letter_queue() -> None:
    core = _rejected(9)

    core.reject(1, "a")

    assert core.effects() == ["persist delete a, queue /queue/DLQ.a, insert a"]
    core.run()
    assert core.depth() == 0
    assert core.depth(DEAD_LETTERS) == 1


def test_dead_letter_says_where_it_comes_from_and_why() -> None:
    core = Core()
    core.subscribe(1)
    core.send(2, "a", headers={"type": "order"}, priority=7, expires_ms=int(NOW * 1000) + 60_000)
    core.run()

    core.reject(1, "a", requeue=False)
    core.run()

    (letter,) = _letters(core)
    message_id = letter.headers.pop("dlq-message-id")
    assert letter.headers == {
        "type": "order",
        "original-destination": "/queue/a",
        "dlq-reason": "rejected",
        "dlq-delivery-count": "1",
        "dlq-time": str(int(NOW * 1000)),
    }
    assert message_id.isdigit()
    assert (letter.destination, letter.priority, letter.expires_ms, letter.body) == (DEAD_LETTERS, 7, 0, b"a")


def test_dead_letter_of_too_many_deliveries_says_so() -> None:
    core = _rejected(3, max_deliveries=3)

    (letter,) = _letters(core)

    assert (letter.headers["dlq-reason"], letter.headers["dlq-delivery-count"]) == ("max-deliveries", "3")


def test_lost_consumer_makes_a_dead_letter_too() -> None:
    core = _rejected(1, max_deliveries=2)

    core.lose(1)
    core.run()

    assert core.depth(DEAD_LETTERS) == 1


def test_deliveries_of_a_dead_letter_are_counted_anew_and_never_end() -> None:
    core = _rejected(2, max_deliveries=2)
    core.subscribe(3, DEAD_LETTERS)

    seen = core.run()
    for _ in range(4):
        core.reject(3, "a")
        seen += core.advance(300.0)

    assert seen == ["deliver 3 a"] + [f"deliver 3 a again {count}" for count in (1, 2, 3, 4)]
    assert core.depth(DEAD_LETTERS) == 1


def test_dead_letter_that_nobody_wants_back_stays() -> None:
    core = _rejected(2, max_deliveries=2)
    core.subscribe(3, DEAD_LETTERS)
    core.run()

    core.reject(3, "a", requeue=False)

    assert core.run() == ["deliver 3 a again 1"]


def test_message_that_is_not_persistent_becomes_a_dead_letter() -> None:
    core = Core()
    core.subscribe(1)
    core.send(2, "a", is_persistent=False)
    core.run()

    core.reject(1, "a", requeue=False, receipt="r")
    core.subscribe(3, DEAD_LETTERS)

    assert core.run() == ["confirm 1 r", "deliver 3 a"]
    assert core.rows() == []


def test_dead_letter_in_a_transaction_is_part_of_its_unit() -> None:
    core = Core()
    core.subscribe(1)
    core.send(2, "a")
    core.run()
    core.begin(1)
    core.send(1, "b", "/queue/b", transaction="t")
    core.reject(1, "a", "t", requeue=False)

    core.commit(1, receipt="r")

    assert core.effects() == ["persist queue /queue/b, insert b, delete a, queue /queue/DLQ.a, insert a"]


def test_refused_dead_letter_returns_to_its_queue() -> None:
    core = Core()
    core.subscribe(1)
    core.subscribe(3)
    core.send(2, "a")
    core.run()
    core.reject(1, "a", requeue=False, receipt="r")
    core.effects()

    core.refuse_unit()

    assert "deliver 3 a again 1" in core.effects()
    assert (core.depth(), core.depth(DEAD_LETTERS)) == (1, 0)


def test_message_without_room_for_a_dead_letter_queue_is_tried_again() -> None:
    core = Core(queues=1)
    core.subscribe(1)
    core.send(2, "a")
    core.run()

    core.reject(1, "a", requeue=False)

    assert core.advance(299.0) == []
    assert core.advance(1.0) == ["deliver 1 a again 1"]


def test_rejection_may_say_after_how_long_the_message_comes_again() -> None:
    core = Core()
    core.subscribe(1)
    core.send(2, "a")
    core.run()

    core.reject(1, "a", delay_ms=5000)

    assert core.advance(4.999) == []
    assert core.advance(0.001) == ["deliver 1 a again 1"]


def test_message_that_nobody_has_seen_returns_without_a_count() -> None:
    core = Core()
    core.subscribe(1)
    core.send_all(2, "a b")
    core.run()

    core.reject(1, "a", is_undelivered=True)

    assert core.effects() == ["deliver 1 a"]


def test_message_that_nobody_has_seen_returns_with_its_transaction() -> None:
    core = Core()
    core.subscribe(1)
    core.send(2, "a")
    core.run()
    core.begin(1)
    core.reject(1, "a", "t", is_undelivered=True)

    core.commit(1)

    assert core.run() == ["deliver 1 a"]


def test_postponed_message_that_is_not_persistent_waits_in_the_store_until_the_broker_stops() -> None:
    core = Core()
    core.subscribe(1)
    core.send(2, "a", is_persistent=False)
    core.run()

    core.reject(1, "a", delay_ms=1000)

    assert core.effects() == ["persist queue /queue/a, insert a, return a 1"]
    assert core.advance(1.0) == ["deliver 1 a again 1"]
    core.acknowledge(1, "a")
    core.run()
    assert (core.depth(), core.rows()) == (0, [])


def test_subscription_of_a_topic_gets_its_message_again_after_the_delay() -> None:
    core = Core()
    core.subscribe(1, "/topic/t")
    core.send(2, "a", "/topic/t")
    core.run()

    core.reject(1, "a", delay_ms=1000)

    assert core.advance(0.999) == []
    assert core.advance(0.001) == ["deliver 1 a again 1"]


def test_subscription_of_a_topic_has_no_dead_letters() -> None:
    core = Core()
    core.subscribe(1, "/topic/t")
    core.send(2, "a", "/topic/t")
    core.run()

    core.reject(1, "a", requeue=False, receipt="r")

    assert core.run() == ["confirm 1 r"]
    assert core.advance(600.0) == []


def test_redelivered_message_that_was_due_before_comes_once() -> None:
    core = _rejected(2, window_count=2)
    core.send_all(2, "b c d e f g")

    core.reject(1, "a", delay_ms=0)

    delivered = core.run()
    assert delivered.count("deliver 1 a again 3") == 1
    assert len([text for text in delivered if " a " in text]) == 1


def test_name_of_a_dead_letter_queue_is_cut_to_what_is_allowed() -> None:
    destination = dead_letter_destination(f"/queue/{'x' * 255}")

    assert destination.path == f"/queue/DLQ.{'x' * 251}"

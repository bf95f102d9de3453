"""What a subscription is given: credit, bytes, and a transport that takes more."""

from __future__ import annotations

import pytest

from stompd.broker.effects import SessionId
from stompd.broker.requests import AckMode, Unsubscribe
from stompd.broker.subscription import AUTOMATIC_BYTES
from tests.broker.core import Core


def test_prefetch_is_the_brokers_where_the_client_does_not_ask() -> None:
    core = Core(queue_prefetch=2)
    core.subscribe(1)
    core.send_all(2, "a b c", is_persistent=False)

    assert core.run() == ["deliver 1 a", "deliver 1 b"]


def test_topic_subscription_has_a_prefetch_of_its_own() -> None:
    core = Core(topic_prefetch=1)
    core.subscribe(1, "/topic/t")
    core.send_all(2, "a b", "/topic/t")

    assert core.run() == ["deliver 1 a"]


def test_prefetch_is_what_the_client_asks_for() -> None:
    core = Core()
    core.subscribe(1, prefetch=1)
    core.send_all(2, "a b", is_persistent=False)

    assert core.run() == ["deliver 1 a"]


@pytest.mark.parametrize(("asked", "granted"), [(None, 100), (0, 10_000), (7, 7), (20_000, 10_000)])
def test_receipt_says_what_prefetch_was_granted(asked: int | None, granted: int) -> None:
    core = Core()

    core.subscribe(1, prefetch=asked, receipt="r")

    assert core.run() == [f"confirm 1 r prefetch-count:{granted}"]


def test_credit_returns_with_the_acknowledgement() -> None:
    core = Core()
    core.subscribe(1, prefetch=1)
    core.send_all(2, "a b")
    core.run()

    core.acknowledge(1, "a", receipt="r")

    assert core.effects() == ["persist delete a", "deliver 1 b"]


def test_bytes_outstanding_are_bounded() -> None:
    core = Core(outstanding_bytes=10)
    core.subscribe(1)
    core.send_all(2, "aaaaa bbbbb c", is_persistent=False)

    assert core.run() == ["deliver 1 aaaaa", "deliver 1 bbbbb"]


def test_one_delivery_is_allowed_whatever_its_size() -> None:
    core = Core(outstanding_bytes=3)
    core.subscribe(1)
    core.send_all(2, "aaaaa bbbbb", is_persistent=False)

    assert core.run() == ["deliver 1 aaaaa"]


def test_what_needs_no_acknowledgement_is_given_as_the_transport_takes_it() -> None:
    core = Core()
    core.subscribe(1, ack=AckMode.AUTO)
    body = "a" * (AUTOMATIC_BYTES // 2)
    core.send_all(2, f"{body}1 {body}2 {body}3", is_persistent=False)

    assert core.run() == [f"deliver 1 {body}1", f"deliver 1 {body}2"]
    core.settle_written(1)
    assert core.run() == [f"deliver 1 {body}3"]


def test_bytes_return_with_the_acknowledgement() -> None:
    core = Core(outstanding_bytes=3)
    core.subscribe(1)
    core.send_all(2, "aaaaa bbbbb", is_persistent=False)
    core.run()

    core.acknowledge(1, "aaaaa")

    assert core.run() == ["deliver 1 bbbbb"]


def test_subscription_with_its_bytes_outstanding_is_passed_over() -> None:
    core = Core(outstanding_bytes=6)
    core.subscribe(1)
    core.send(3, "aaaaaa", is_persistent=False)
    core.run()
    core.subscribe(2)
    core.send_all(3, "b c", is_persistent=False)

    assert core.run() == ["deliver 2 b", "deliver 2 c"]


def test_receipt_of_subscribe_comes_before_its_first_message() -> None:
    core = Core()
    core.send(2, "a")
    core.run()
    core.subscribe(1, receipt="r")

    assert core.run() == ["confirm 1 r prefetch-count:100", "deliver 1 a"]


def test_receipt_of_subscribe_comes_before_its_first_message_also_behind_a_unit() -> None:
    core = Core()
    core.send(2, "a")
    core.run()
    core.send(1, "x", "/queue/b", receipt="1")
    core.subscribe(1, receipt="2")
    core.effects()

    core.answer()

    assert core.run() == ["confirm 1 1", "confirm 1 2 prefetch-count:100", "deliver 1 a"]


def test_subscription_that_ended_before_it_began_gets_nothing() -> None:
    core = Core()
    core.send(2, "a", is_persistent=False)
    core.send(1, "x", "/queue/b")
    core.subscribe(1, receipt="1")
    core.unsubscribe(1, receipt="2")

    assert core.run() == ["confirm 1 1 prefetch-count:100", "confirm 1 2"]


def test_session_that_takes_nothing_is_given_nothing() -> None:
    core = Core()
    core.subscribe(1)
    core.set_writable(1, False)
    core.send(2, "a")

    assert core.run() == []


def test_deliveries_go_on_when_the_session_takes_more() -> None:
    core = Core()
    core.subscribe(1)
    core.set_writable(1, False)
    core.send(2, "a")
    core.run()

    core.set_writable(1, True)

    assert core.run() == ["deliver 1 a"]


def test_session_that_takes_nothing_leaves_messages_to_others() -> None:
    core = Core()
    core.subscribe(1)
    core.subscribe(2)
    core.set_writable(1, False)
    core.send_all(3, "a b", is_persistent=False)

    assert core.run() == ["deliver 2 a", "deliver 2 b"]


def test_writable_session_keeps_its_place_in_line() -> None:
    core = Core()
    core.subscribe(1)
    core.set_writable(1, True)
    core.send_all(2, "a b", is_persistent=False)

    assert core.run() == ["deliver 1 a", "deliver 1 b"]


def test_subscription_that_has_not_begun_waits_though_its_session_takes_more() -> None:
    core = Core()
    core.send(2, "a", is_persistent=False)
    core.send(1, "x", "/queue/b", receipt="1")
    core.subscribe(1)
    core.set_writable(1, True)

    assert core.effects() == ["persist queue /queue/b, insert x", "persist nothing"]
    assert core.run() == ["confirm 1 1", "deliver 1 a"]


def test_automatic_deliveries_are_settled_when_the_transport_has_taken_them() -> None:
    core = Core()
    core.subscribe(1, ack=AckMode.AUTO)
    core.send(2, "a")
    core.run()

    is_settled = core.settle_written(1)

    assert is_settled
    assert core.effects() == ["later delete a"]
    assert core.depth() == 0


def test_there_may_be_nothing_to_settle() -> None:
    core = Core()
    core.subscribe(1)
    core.send(2, "a")
    core.run()

    assert not core.settle_written(1)


def test_automatic_deliveries_are_settled_when_the_session_takes_more() -> None:
    core = Core()
    core.subscribe(1, ack=AckMode.AUTO, prefetch=1)
    core.send_all(2, "a b")
    core.run()

    core.set_writable(1, True)

    assert core.effects() == ["deliver 1 b", "later delete a"]


def test_automatic_deliveries_in_the_buffer_return_when_the_session_is_lost() -> None:
    core = Core()
    core.subscribe(1, ack=AckMode.AUTO)
    core.send_all(2, "a b")
    core.run()
    core.lose(1)
    core.subscribe(3)

    assert core.run() == ["deliver 3 a again 1", "deliver 3 b again 1"]


def test_automatic_deliveries_stay_with_the_session_after_unsubscribe() -> None:
    core = Core()
    core.subscribe(1, ack=AckMode.AUTO)
    core.send(2, "a")
    core.run()
    core.unsubscribe(1)
    core.subscribe(3)
    assert core.run() == []

    core.set_writable(1, True)

    assert core.run() == []
    assert core.depth() == 0


def test_automatic_credit_returns_when_settled() -> None:
    core = Core()
    core.subscribe(1, ack=AckMode.AUTO, prefetch=2)
    core.send_all(2, "a b c", is_persistent=False)
    assert core.run() == ["deliver 1 a", "deliver 1 b"]

    core.settle_written(1)

    assert core.run() == ["deliver 1 c"]


def test_unsubscribe_gives_messages_back_at_once() -> None:
    core = Core()
    core.subscribe(1)
    core.send_all(2, "a b")
    core.run()
    core.subscribe(3)

    core.unsubscribe(1, receipt="r")

    assert core.effects() == [
        "confirm 1 r",
        "deliver 3 a again 1",
        "deliver 3 b again 1",
        "later return b 1, return a 1",
    ]


def test_no_message_follows_unsubscribe() -> None:
    core = Core()
    core.subscribe(1)
    core.send(2, "a")

    core.unsubscribe(1)

    assert core.run() == []


def test_other_subscriptions_go_on_after_unsubscribe() -> None:
    core = Core()
    core.subscribe(1)
    core.subscribe(1, "/queue/b", "t")
    core.unsubscribe(1)
    core.send(2, "b", "/queue/b")

    assert core.run() == ["deliver 1/t b"]


def test_id_of_an_open_subscription_is_refused() -> None:
    core = Core()
    core.subscribe(1)

    core.subscribe(1, "/queue/b", receipt="r")

    assert core.run() == ["refuse 1 duplicate-subscription r"]


def test_id_may_be_used_again_after_unsubscribe() -> None:
    core = Core()
    core.subscribe(1)
    core.unsubscribe(1)

    core.subscribe(1, receipt="r")

    assert core.run() == ["confirm 1 r prefetch-count:100"]


def test_two_sessions_may_use_the_same_id() -> None:
    core = Core()
    core.subscribe(1)

    core.subscribe(2, receipt="r")

    assert core.run() == ["confirm 2 r prefetch-count:100"]


def test_unsubscribe_of_an_unknown_id_is_refused() -> None:
    core = Core()

    core.unsubscribe(1, "s", receipt="r")

    assert core.run() == ["refuse 1 unknown-subscription r"]


def test_subscriptions_of_a_session_are_limited() -> None:
    core = Core(subscriptions=1)
    core.subscribe(1)

    core.subscribe(1, "/queue/b", "t", receipt="r")

    assert core.run() == ["refuse 1 limit-exceeded r"]
    assert "limits.subscriptions" in core.errors[0].detail


def test_what_all_subscriptions_of_a_session_may_have_outstanding_is_limited() -> None:
    core = Core(session_prefetch=10)
    core.subscribe(1, "/queue/a", "a", prefetch=6)

    core.subscribe(1, "/queue/b", "b", prefetch=5, receipt="r")
    core.subscribe(2, "/queue/b", "b", prefetch=5, receipt="r")

    assert core.run() == ["refuse 1 limit-exceeded r", "confirm 2 r prefetch-count:5"]
    assert "limits.session_prefetch" in core.errors[0].detail


def test_grant_of_a_subscription_that_has_ended_is_free_again() -> None:
    core = Core(session_prefetch=10)
    core.subscribe(1, "/queue/a", "a", prefetch=6)
    core.submit(1, Unsubscribe("a"))

    core.subscribe(1, "/queue/b", "b", prefetch=10, receipt="r")

    assert core.run() == ["confirm 1 r prefetch-count:10"]


def test_bytes_that_a_session_may_have_outstanding_are_shared_out() -> None:
    core = Core(session_outstanding_bytes=8 * 1024 * 1024, outstanding_bytes=2 * 1024 * 1024)

    for number in range(100):
        core.subscribe(1, f"/queue/{number}", str(number))

    session = core.broker._sessions[SessionId(1)]
    limits = [subscription.byte_limit for subscription in session.subscriptions.values()]
    assert limits[0] == 1024 * 1024
    assert min(limits) == 64 * 1024
    assert sum(limits) == session.granted_bytes <= 8 * 1024 * 1024 + 100 * 64 * 1024

"""Which deliveries an ACK or NACK means, and what becomes of them."""

from __future__ import annotations

import pytest

from stompd.broker.requests import AckMode, DeliveredMessage, DeliveryToken
from tests.broker.core import Core


def _delivered(ack: AckMode = AckMode.INDIVIDUAL, to: str = "/queue/a") -> Core:
    """A core whose session 1 was given the persistent messages a, b and c."""
    core = Core()
    core.subscribe(1, to, ack=ack)
    core.send_all(2, "a b c", to)
    core.run()
    return core


def test_individual_acknowledgement_settles_no_other_message() -> None:
    core = _delivered()

    core.acknowledge(1, "b", receipt="r")

    assert core.effects() == ["persist delete b"]


def test_cumulative_acknowledgement_settles_all_before() -> None:
    core = _delivered(AckMode.CLIENT)

    core.acknowledge(1, "b", receipt="r")

    assert core.effects() == ["persist delete b, delete a"]


def test_cumulative_acknowledgement_leaves_other_subscriptions_alone() -> None:
    core = Core()
    core.subscribe(1, ack=AckMode.CLIENT)
    core.subscribe(1, "/queue/b", "t", ack=AckMode.CLIENT)
    core.send(2, "a")
    core.send(2, "b", "/queue/b")
    core.run()

    core.acknowledge(1, "b", receipt="r")

    assert core.effects() == ["persist delete b"]


def test_acknowledgement_names_a_message_and_a_subscription() -> None:
    core = _delivered()

    core.acknowledge(1, core.message_name(1, "b"), receipt="r")

    assert core.effects() == ["persist delete b"]


def test_acknowledgement_may_name_a_message_alone() -> None:
    core = _delivered()

    core.acknowledge(1, core.message_name(1, "b", None), receipt="r")

    assert core.effects() == ["persist delete b"]


def test_cumulative_acknowledgement_may_name_a_message() -> None:
    core = _delivered(AckMode.CLIENT)

    core.acknowledge(1, core.message_name(1, "c"), receipt="r")

    assert core.effects() == ["persist delete c, delete b, delete a"]


def test_acknowledgement_of_a_message_in_memory_needs_no_unit() -> None:
    core = Core()
    core.subscribe(1)
    core.send(2, "a", is_persistent=False)
    core.run()

    core.acknowledge(1, "a", receipt="r")

    assert core.effects() == ["confirm 1 r"]
    assert core.depth() == 0


def test_confirmed_acknowledgement_is_durable() -> None:
    core = _delivered()
    core.acknowledge(1, "b", receipt="r")

    assert core.run() == ["confirm 1 r"]
    assert core.rows() == ["a", "c"]


def test_rejected_message_is_delivered_again() -> None:
    core = _delivered()

    core.reject(1, "b", receipt="r")

    assert core.effects() == ["persist return b 1", "deliver 1 b again 1"]
    assert core.run() == ["confirm 1 r"]


def test_rejected_message_goes_back_before_newer_ones() -> None:
    core = Core()
    core.subscribe(1, prefetch=2)
    core.send_all(2, "a b c", is_persistent=False)
    core.run()
    core.reject(1, "a")

    assert core.run() == ["deliver 1 a again 1"]


def test_cumulative_rejection_returns_all_before_in_order() -> None:
    core = Core()
    core.subscribe(1, ack=AckMode.CLIENT)
    core.send_all(2, "a b c", is_persistent=False)
    core.run()
    core.reject(1, "b")

    assert core.run() == ["deliver 1 a again 1", "deliver 1 b again 1"]


def test_each_rejection_is_counted() -> None:
    core = _delivered()
    core.reject(1, "a")
    core.run()
    core.reject(1, "a")

    assert core.advance(1.0) == ["deliver 1 a again 2"]
    assert core.rows() == ["a:2", "b", "c"]


def test_returned_messages_of_several_consumers_are_in_their_old_order() -> None:
    core = Core()
    for session in (1, 2, 3):
        core.subscribe(session)
    core.send_all(3, "a b c d e f g h i", is_persistent=False)
    core.run()
    core.lose(2)
    core.lose(1)

    assert core.run() == [f"deliver 3 {body} again 1" for body in "abdegh"]


def test_late_acknowledgement_is_ignored() -> None:
    core = _delivered()
    core.acknowledge(1, "a", receipt="1")
    core.run()

    core.acknowledge(1, "a", receipt="2")
    core.reject(1, "a", receipt="3")

    assert core.run() == ["confirm 1 2", "confirm 1 3"]


def test_late_acknowledgement_by_message_is_ignored() -> None:
    core = _delivered()
    core.acknowledge(1, core.message_name(1, "a"), receipt="1")
    core.run()

    core.acknowledge(1, core.message_name(1, "a"), receipt="2")

    assert core.run() == ["confirm 1 2"]


@pytest.mark.parametrize("to", ["/queue/a", "/topic/t"])
def test_acknowledgement_after_unsubscribe_is_ignored(to: str) -> None:
    core = _delivered(to=to)
    core.unsubscribe(1)

    core.acknowledge(1, core.token(1, "a"), receipt="1")
    core.acknowledge(1, core.message_name(1, "b"), receipt="2")

    assert core.run() == ["confirm 1 1", "confirm 1 2"]


def test_receipt_of_a_late_acknowledgement_waits_for_the_first_one() -> None:
    core = _delivered()
    core.acknowledge(1, "a")

    core.acknowledge(1, "a", receipt="r")

    assert core.effects() == ["later delete a", "persist nothing"]
    assert core.run() == ["confirm 1 r"]


@pytest.mark.parametrize(
    "name",
    [
        DeliveryToken(0, 1),
        DeliveryToken(2, 1),
        DeliveryToken(1, 0),
        DeliveryToken(1, 4),
        DeliveredMessage("12345", "s"),
        DeliveredMessage("12345", None),
        DeliveredMessage("12345", "t"),
        DeliveredMessage("none", "s"),
    ],
)
def test_acknowledgement_of_what_was_never_delivered_is_refused(name: DeliveryToken | DeliveredMessage) -> None:
    core = _delivered()

    core.acknowledge(1, name, receipt="r")

    assert core.run() == ["refuse 1 unknown-delivery r"]


def test_message_of_another_subscription_is_refused() -> None:
    core = _delivered()
    core.subscribe(1, "/queue/b", "t")

    core.acknowledge(1, core.message_name(1, "a", "t"), receipt="r")

    assert core.run() == ["refuse 1 unknown-delivery r"]


def test_message_of_another_session_is_refused() -> None:
    core = _delivered()

    core.acknowledge(2, core.message_name(1, "a"), receipt="r")

    assert core.run() == ["refuse 2 unknown-delivery r"]


def test_refusal_names_the_subscription() -> None:
    core = _delivered()

    core.acknowledge(1, DeliveredMessage("12345", "s"))

    core.run()
    assert "message-id:12345" in core.errors[0].detail
    assert "subscription:s" in core.errors[0].detail


def test_acknowledgement_in_an_automatic_subscription_is_ignored() -> None:
    core = _delivered(AckMode.AUTO)

    core.acknowledge(1, core.token(1, "a"), receipt="1")
    core.acknowledge(1, core.message_name(1, "a"), receipt="2")
    core.acknowledge(1, core.message_name(1, "a", None), receipt="3")

    assert core.run() == ["confirm 1 1", "confirm 1 2", "confirm 1 3"]
    assert core.depth() == 3


def test_settled_messages_are_remembered_for_a_while() -> None:
    core = Core(queue_prefetch=2_000)
    core.subscribe(1, ack=AckMode.CLIENT)
    for number in range(1_001):
        core.send(2, f"m{number}", is_persistent=False)
    core.run()
    core.acknowledge(1, core.message_name(1, "m1000"), receipt="1")
    core.acknowledge(1, core.message_name(1, "m1"), receipt="2")
    core.acknowledge(1, core.message_name(1, "m0"), receipt="3")

    assert core.run() == ["confirm 1 1", "confirm 1 2", "refuse 1 unknown-delivery 3"]

"""Temporary destinations: of one session, in memory only, known to others by a name that nobody guesses."""

from __future__ import annotations

import pytest

from stompd.broker.effects import SessionId
from stompd.broker.requests import AckMode
from tests.broker.core import Core

MINE = "/temp-queue/x"
MY_TOPIC = "/temp-topic/x"


def learn_name(core: Core, reply_to: str = MINE, *, owner: int = 1) -> str:
    """Return how others name a temporary destination: session 3 is told in a message."""
    work = f"/queue/work-{reply_to.replace('/', '-')}-{owner}"
    core.subscribe(3, work, work, ack=AckMode.AUTO)
    core.send(owner, "work", work, reply_to=reply_to, is_persistent=False)
    core.run()
    core.unsubscribe(3, work)
    return core.message(3, "work").headers["reply-to"]


@pytest.mark.parametrize("mine", [MINE, MY_TOPIC])
def test_reply_reaches_the_owners_subscription(mine: str) -> None:
    core = Core()
    core.subscribe(1, mine)

    core.send(2, "reply", learn_name(core, mine), receipt="r")

    assert core.run() == ["confirm 2 r", "deliver 1 reply"]


@pytest.mark.parametrize("mine", [MINE, MY_TOPIC])
def test_reply_reaches_the_owner_that_only_named_its_destination(mine: str) -> None:
    core = Core()

    core.send(2, "reply", learn_name(core, mine))

    assert core.run() == [f"deliver 1/{mine} reply"]


def test_second_request_begins_no_second_subscription() -> None:
    core = Core()
    name = learn_name(core)

    assert learn_name(core) == name
    core.send(2, "reply", name)
    assert core.run() == ["deliver 1//temp-queue/x reply"]


def test_explicit_subscription_takes_the_place_of_the_implicit_one() -> None:
    core = Core()
    name = learn_name(core)
    core.subscribe(1, MINE)

    core.send_all(2, "a b", name)

    assert core.run() == ["deliver 1 a", "deliver 1 b"]


def test_explicit_subscription_may_have_the_implicit_ones_id() -> None:
    core = Core()
    name = learn_name(core)
    core.subscribe(1, MINE, MINE, ack=AckMode.CLIENT, receipt="r")

    core.send(2, "a", name)

    assert core.run() == ["confirm 1 r prefetch-count:100", "deliver 1//temp-queue/x a"]


@pytest.mark.parametrize("mine", [MINE, MY_TOPIC])
@pytest.mark.parametrize(
    ("others", "name", "code"),
    [
        ("", "taken", "duplicate-subscription"),
        (",/reply-queue/unknown", "fresh", "invalid-destination"),
        (",/queue/1,/queue/2,/queue/3", "fresh", "limit-exceeded"),
    ],
)
def test_explicit_subscription_that_fails_leaves_the_implicit_one(mine: str, others: str, name: str, code: str) -> None:
    core = Core(queues=4)
    core.broker.open_session(SessionId(1), has_soft_errors=True)
    core.subscribe(1, "/queue/used", "taken")
    public = learn_name(core, mine)

    core.subscribe(1, mine + others, name, receipt="r")
    core.send(2, "reply", public)

    assert core.run() == [f"decline 1 {code} r", f"deliver 1/{mine} reply"]


def test_explicit_subscription_may_be_the_last_one_allowed() -> None:
    core = Core(subscriptions=1)
    name = learn_name(core)
    core.subscribe(1, MINE)

    core.send(2, "reply", name)

    assert core.run() == ["deliver 1 reply"]


def test_other_subscription_that_has_the_implicit_ones_id_is_left_alone() -> None:
    core = Core()
    learn_name(core)
    core.unsubscribe(1, MINE)
    core.subscribe(1, "/queue/a", MINE)

    core.subscribe(1, MINE)
    core.send(2, "a", "/queue/a")

    assert core.run() == [f"deliver 1/{MINE} a"]


def test_subscription_that_was_ended_is_not_begun_again() -> None:
    core = Core()
    core.subscribe(1, MINE)
    core.unsubscribe(1)

    core.send(2, "reply", learn_name(core))

    assert core.run() == []


def test_messages_wait_for_the_subscription() -> None:
    core = Core()
    core.send(1, "a", MINE, receipt="r")
    core.subscribe(1, MINE)

    assert core.run() == ["confirm 1 r", "deliver 1 a"]


def test_unacknowledged_message_returns() -> None:
    core = Core()
    core.subscribe(1, MINE)
    core.send(1, "a", MINE)
    core.run()

    core.unsubscribe(1)
    core.subscribe(1, MINE, "t")

    assert core.run() == ["deliver 1/t a again 1"]


def test_rejected_message_comes_again() -> None:
    core = Core()
    core.subscribe(1, MINE)
    core.send(1, "a", MINE)
    core.run()

    core.reject(1, "a", receipt="r")

    assert core.run() == ["confirm 1 r", "deliver 1 a again 1"]


def test_acknowledgement_that_an_aborted_transaction_held_returns_the_message_of_an_ended_subscription() -> None:
    core = Core()
    core.subscribe(1, MINE)
    core.send(1, "a", MINE)
    core.run()
    core.begin(1)
    core.acknowledge(1, "a", "t")
    core.unsubscribe(1)
    core.subscribe(1, MINE, "again")

    core.abort(1)

    assert core.run() == ["deliver 1/again a again 1"]


def test_nothing_is_stored() -> None:
    core = Core()
    core.subscribe(1, MINE)

    core.send(1, "a", MINE)
    core.acknowledge(1, core.run() and "a")

    assert core.rows() == []
    assert not core.journal


def test_subscriptions_of_a_temporary_queue_take_turns() -> None:
    core = Core()
    core.subscribe(1, MINE)
    core.subscribe(1, MINE, "t")

    core.send_all(1, "a b", MINE)

    assert core.run() == ["deliver 1 a", "deliver 1/t b"]


def test_subscriptions_of_a_temporary_topic_get_everything() -> None:
    core = Core()
    core.subscribe(1, MY_TOPIC)
    core.subscribe(1, MY_TOPIC, "t")

    core.send(1, "a", MY_TOPIC)

    assert core.run() == ["deliver 1 a", "deliver 1/t a"]


def test_temporary_destinations_of_one_name_are_each_sessions_own() -> None:
    core = Core()
    core.subscribe(1, MINE)
    core.subscribe(2, MINE)

    core.send(2, "a", MINE)

    assert core.run() == ["deliver 2 a"]
    assert learn_name(core, owner=1) != learn_name(core, owner=2)


def test_queue_and_topic_of_one_name_are_two() -> None:
    core = Core()

    assert learn_name(core, MINE).startswith("/reply-queue/")
    assert learn_name(core, MY_TOPIC).startswith("/reply-topic/")


def test_public_name_does_not_contain_the_owners() -> None:
    core = Core()

    assert "secretary" not in learn_name(core, "/temp-queue/secretary")


def test_public_names_depend_on_what_only_the_session_knows() -> None:
    def name(token: bytes) -> str:
        core = Core()
        core.broker.open_session(SessionId(1), token=token)
        return learn_name(core)

    assert name(b"one") != name(b"other")


@pytest.mark.parametrize("mine", [MINE, MY_TOPIC])
def test_jms_355_only_the_owner_may_subscribe(mine: str) -> None:
    core = Core()
    name = learn_name(core, mine)

    core.subscribe(2, name, receipt="r")

    assert core.run() == ["refuse 2 invalid-destination r"]
    assert "belongs to another connection" in core.errors[0].detail


def test_jms_355_owner_may_subscribe_by_the_public_name() -> None:
    core = Core()
    name = learn_name(core)
    core.subscribe(1, name)

    core.send(2, "a", name)

    assert core.run() == ["deliver 1 a"]


@pytest.mark.parametrize("mine", [MINE, MY_TOPIC])
@pytest.mark.parametrize("end", [Core.lose, Core.disconnect])
def test_jms_359_sending_fails_when_the_owner_is_gone(mine: str, end: object) -> None:
    core = Core()
    name = learn_name(core, mine)
    assert callable(end)
    end(core, 1)
    core.run()

    core.send(2, "reply", name, receipt="r")

    assert core.run() == ["refuse 2 invalid-destination r"]
    assert name in core.errors[0].detail


def test_subscribing_fails_when_the_owner_is_gone() -> None:
    core = Core()
    name = learn_name(core)
    core.lose(1)

    core.subscribe(2, name, receipt="r")

    assert core.run() == ["refuse 2 invalid-destination r"]


def test_jms_251_transaction_sends_to_a_temporary_destination() -> None:
    core = Core()
    name = learn_name(core)
    core.begin(2)
    core.send(2, "reply", name, transaction="t")
    assert core.run() == []

    core.commit(2, receipt="r")

    assert core.run() == ["confirm 2 r", "deliver 1//temp-queue/x reply"]


def test_transaction_is_carried_out_although_the_owner_has_gone_meanwhile() -> None:
    core = Core()
    name = learn_name(core)
    core.begin(2)
    core.send(2, "reply", name, transaction="t")
    core.send(2, "kept", "/queue/a", transaction="t")
    core.lose(1)

    core.commit(2, receipt="r")

    assert core.run() == ["confirm 2 r"]
    assert core.rows() == ["kept"]


def test_jms_357_deleted_destination_takes_nothing_more() -> None:
    core = Core()
    name = learn_name(core)

    core.unsubscribe(1, MINE, "r", delete=MINE)
    core.send(2, "reply", name)

    assert core.run() == ["confirm 1 r", "refuse 2 invalid-destination"]


@pytest.mark.parametrize("mine", [MINE, MY_TOPIC])
def test_both_names_in_a_list_are_one_destination(mine: str) -> None:
    core = Core()
    name = learn_name(core, mine)
    core.subscribe(1, f"{mine},{name}")

    core.send(1, "a", f"{mine},{name}")

    assert core.run() == ["deliver 1 a"]
    core.unsubscribe(1, receipt="r")
    assert core.run() == ["confirm 1 r"]


def test_deleting_needs_no_subscription() -> None:
    core = Core()
    core.send(1, "a", MINE)

    core.unsubscribe(1, "fresh", "r", delete=MINE)
    core.subscribe(1, MINE)

    assert core.run() == ["confirm 1 r"]


def test_name_that_is_used_again_is_another_destination() -> None:
    core = Core()
    name = learn_name(core)
    core.unsubscribe(1, MINE, delete=MINE)

    assert learn_name(core) != name


def test_jms_357_destination_with_a_subscription_cannot_be_deleted() -> None:
    core = Core()
    core.subscribe(1, MINE)

    core.unsubscribe(1, "fresh", "r", delete=MINE)

    assert core.run() == ["refuse 1 invalid-destination r"]
    assert "UNSUBSCRIBE them first" in core.errors[0].detail


def test_deleting_what_is_not_there_is_refused() -> None:
    core = Core()

    core.unsubscribe(1, "fresh", "r", delete=MINE)

    assert core.run() == ["refuse 1 invalid-destination r"]


def test_number_of_temporary_destinations_is_limited() -> None:
    core = Core(temporary_destinations=2)
    core.send(1, "a", "/temp-queue/1")
    core.subscribe(1, "/temp-topic/2")
    core.send(1, "a", "/temp-queue/1", receipt="known")

    core.send(1, "a", "/temp-queue/3", receipt="r")

    assert core.run() == ["confirm 1 known", "refuse 1 limit-exceeded r"]
    assert "limits.temporary_destinations" in core.errors[0].detail


def test_owner_that_leaves_too_much_is_ended_and_not_the_sender() -> None:
    core = Core(topic_backlog=2)
    core.subscribe(1, MINE, prefetch=1)
    name = learn_name(core)
    core.send(2, "a", name)
    core.run()

    core.send_all(2, "b c d e", name)

    assert core.run() == ["refuse 1 slow-consumer"]
    assert "/temp-queue/x" in core.errors[0].detail


def test_owner_that_does_not_subscribe_may_be_ended_too() -> None:
    core = Core(topic_backlog=1)

    core.send_all(1, "a b", MINE)

    assert core.run() == ["refuse 1 slow-consumer"]


def test_other_destinations_of_the_session_are_not_blamed() -> None:
    core = Core(topic_backlog=1)
    core.subscribe(1, "/temp-topic/quiet")
    core.send_all(1, "a b", "/temp-queue/busy")

    core.run()

    assert "/temp-queue/busy" in core.errors[0].detail


def test_reply_that_was_rejected_comes_again_later() -> None:
    core = Core(redelivery_delay_ms=1_000)
    core.subscribe(1, MINE)
    core.send(2, "reply", learn_name(core))
    core.run()

    core.reject(1, "reply")
    assert core.run() == ["deliver 1 reply again 1"]
    core.reject(1, "reply")

    assert core.run() == []
    assert core.advance(1.0) == ["deliver 1 reply again 2"]


def test_reply_that_matches_comes_again_later() -> None:
    core = Core()
    core.subscribe(1, MINE, selector="colour = 'red'")
    core.send(2, "reply", learn_name(core), headers={"colour": "red"})
    core.run()

    core.reject(1, "reply", delay_ms=5_000)

    assert core.advance(4.0) == []
    assert core.advance(1.0) == ["deliver 1 reply again 1"]


def test_reply_that_is_rejected_for_good_is_dropped() -> None:
    core = Core()
    core.subscribe(1, MINE)
    core.send(2, "reply", learn_name(core))
    core.run()

    core.reject(1, "reply", requeue=False, receipt="r")

    assert core.run() == ["confirm 1 r"]
    assert core.rows() == []


def test_delayed_reply_is_forgotten_with_its_queue() -> None:
    core = Core()
    core.subscribe(1, MINE)
    core.send(2, "reply", learn_name(core), delay=5.0)
    core.run()

    core.lose(1)

    assert core.advance(10.0) == []
    assert core.broker.next_deadline() == 1_700_000_150.0  # the broker looks for idle queues

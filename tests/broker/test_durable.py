"""Durable and shared subscriptions: queues bound to a topic under a name."""

from __future__ import annotations

import pytest

from stompd.broker.effects import SessionId
from stompd.broker.peer import Peer
from stompd.broker.requests import AckMode, Naming, Scope, Unsubscribe
from stompd.errors import InvalidClientId
from tests.broker.core import Core

TOPIC = "/topic/t"

#: What the tests subscribe under.
UNSHARED = Naming("n")
SHARED = Naming("n", is_shared=True)
TRANSIENT = Naming("n", is_durable=False, is_shared=True)
GROUP = Naming("g", Scope.GROUP, is_shared=True)
BY_ID = Naming("0", Scope.LOGIN)

#: The client whose sessions they are.
FIRST, SECOND, OTHER = 11, 12, 13


def new_core(**limits: int) -> Core:
    """Return a core with a session of client `c` and one of client `d`, and 1 to 3 without a client id."""
    core = Core(**limits)
    core.open(FIRST, "c", "alice")
    core.open(OTHER, "d", "bob")
    return core


def with_durable(selector: str = "", *, no_local: bool = False, **limits: int) -> Core:
    """Return a core whose client `c` has left a durable subscription behind, and whose session it may open again."""
    core = new_core(**limits)
    core.subscribe(FIRST, TOPIC, naming=UNSHARED, selector=selector, no_local=no_local)
    core.lose(FIRST)
    core.run()
    core.open(FIRST, "c", "alice")
    return core


# Durable.


def test_subscription_is_confirmed_when_it_is_stored() -> None:
    core = new_core()

    core.subscribe(FIRST, TOPIC, naming=UNSHARED, receipt="r")

    assert core.effects() == ["persist queue /dsub/c.n, subscription c.n"]
    core.answer()
    assert core.effects() == ["confirm 11 r durable-subscription-name:n pending:0 prefetch-count:100"]


def test_messages_wait_while_nobody_is_connected() -> None:
    core = with_durable()
    core.send_all(1, "a b", TOPIC)
    core.run()

    core.subscribe(FIRST, TOPIC, naming=UNSHARED, receipt="r")

    assert core.run() == [
        "confirm 11 r durable-subscription-name:n pending:2 prefetch-count:100",
        "deliver 11 a",
        "deliver 11 b",
    ]


def test_message_is_confirmed_when_all_durable_subscriptions_have_it() -> None:
    core = with_durable()
    core.subscribe(OTHER, TOPIC, naming=UNSHARED)
    core.run()

    core.send(1, "a", TOPIC, receipt="r")

    assert core.effects() == ["persist mark", "persist insert a, insert a"]
    core.answer(2)
    assert core.effects() == ["confirm 1 r", "deliver 13 a"]
    assert core.rows() == ["a", "a"]


def test_messages_and_subscription_survive_the_broker() -> None:
    core = with_durable("colour = 'red'")
    core.send(1, "a", TOPIC, headers={"colour": "red"})
    core.run()

    core = core.restart()
    core.open(FIRST, "c", "alice")
    core.send(1, "b", TOPIC, headers={"colour": "red"})
    core.send(1, "c", TOPIC, headers={"colour": "blue"})
    core.subscribe(FIRST, TOPIC, naming=UNSHARED, selector="colour = 'red'")

    assert core.run() == ["deliver 11 a", "deliver 11 b"]


def test_durable_subscription_with_wildcards_survives_the_broker() -> None:
    core = new_core()
    core.subscribe(FIRST, "/topic/prices.*", naming=UNSHARED)
    core.lose(FIRST)
    core.send(1, "a", "/topic/prices.eur")
    core.run()

    core = core.restart()
    core.open(FIRST, "c", "alice")
    core.send(1, "b", "/topic/prices.usd")
    core.send(1, "not this", "/topic/rates.usd")
    core.subscribe(FIRST, "/topic/prices.*", naming=UNSHARED)

    assert core.run() == ["deliver 11 a", "deliver 11 b"]


def test_durable_subscription_with_wildcards_is_deleted_by_its_name() -> None:
    core = new_core()
    core.subscribe(FIRST, "/topic/prices.*", naming=UNSHARED)
    core.run()

    core.unsubscribe(FIRST, naming=UNSHARED, receipt="r")
    core.send(1, "a", "/topic/prices.eur")

    assert core.run() == ["confirm 11 r"]
    assert core.rows() == []


def test_what_may_have_been_delivered_before_a_crash_is_flagged() -> None:
    core = with_durable()
    core.subscribe(FIRST, TOPIC, naming=UNSHARED)
    core.send(1, "a", TOPIC)
    assert core.run() == ["deliver 11 a"]

    core = core.restart()
    core.open(FIRST, "c", "alice")
    core.subscribe(FIRST, TOPIC, naming=UNSHARED)

    assert core.run() == ["deliver 11 a again 1"]


def test_message_that_is_not_persistent_waits_in_memory() -> None:
    core = with_durable()
    core.send(1, "a", TOPIC, is_persistent=False)
    core.run()
    assert core.rows() == []

    core.subscribe(FIRST, TOPIC, naming=UNSHARED)

    assert core.run() == ["deliver 11 a"]


def test_messages_that_are_not_persistent_are_spooled_when_they_are_many() -> None:
    core = with_durable(window_count=1)
    for body in "abc":
        core.send(1, body, TOPIC, is_persistent=False)
    core.run()
    assert core.rows() == ["b", "c"]

    core.subscribe(FIRST, TOPIC, naming=UNSHARED)

    assert core.run() == ["deliver 11 a", "deliver 11 b", "deliver 11 c"]


def test_unacknowledged_message_waits_for_the_next_consumer() -> None:
    core = with_durable()
    core.subscribe(FIRST, TOPIC, naming=UNSHARED)
    core.send(1, "a", TOPIC)
    core.run()
    core.unsubscribe(FIRST)
    core.subscribe(FIRST, TOPIC, naming=UNSHARED)

    assert core.run() == ["deliver 11 a again 1"]


def test_unwritten_automatic_delivery_returns() -> None:
    core = with_durable()
    core.subscribe(FIRST, TOPIC, ack=AckMode.AUTO, naming=UNSHARED)
    core.send(1, "a", TOPIC)
    core.run()
    core.lose(FIRST)
    core.open(SECOND, "c", "alice")
    core.subscribe(SECOND, TOPIC, naming=UNSHARED)

    assert core.run() == ["deliver 12 a again 1"]


def test_acknowledgement_of_an_aborted_transaction_returns_its_message() -> None:
    core = with_durable()
    core.subscribe(FIRST, TOPIC, naming=UNSHARED)
    core.send(1, "a", TOPIC)
    core.run()
    core.begin(FIRST)
    core.acknowledge(FIRST, "a", "t")
    core.unsubscribe(FIRST)
    core.abort(FIRST)
    core.subscribe(FIRST, TOPIC, naming=UNSHARED)

    assert core.run() == ["deliver 11 a again 1"]


def test_clients_have_names_of_their_own() -> None:
    core = with_durable()
    core.subscribe(OTHER, TOPIC, naming=UNSHARED)
    core.subscribe(FIRST, TOPIC, naming=UNSHARED)
    core.send(1, "a", TOPIC)

    assert core.run() == ["deliver 11 a", "deliver 13 a"]


def test_dots_in_client_ids_confuse_no_names() -> None:
    core = Core()
    core.open(FIRST, "c.d")
    core.open(OTHER, "c", "alice")

    core.subscribe(FIRST, TOPIC, naming=Naming("e"))
    core.subscribe(OTHER, TOPIC, naming=Naming("d.e"))

    assert core.effects() == [
        "persist queue /dsub/c%2Ed.e, subscription c.d.e",
        "persist queue /dsub/c.d.e, subscription c.d.e",
    ]


def test_durable_subscription_without_client_id_is_refused() -> None:
    core = Core()

    core.subscribe(1, TOPIC, naming=UNSHARED, receipt="r")

    assert core.run() == ["refuse 1 missing-header r"]
    assert "client-id" in core.errors[-1].detail


def test_second_consumer_is_refused() -> None:
    core = new_core()
    core.subscribe(FIRST, TOPIC, naming=UNSHARED)
    core.subscribe(FIRST, TOPIC, "t", naming=UNSHARED, receipt="r")

    assert core.run() == ["refuse 11 subscription-conflict r"]


def test_subscription_is_confirmed_no_sooner_than_its_creation_by_another() -> None:
    core = new_core()
    core.subscribe(1, TOPIC, naming=SHARED)
    core.subscribe(2, TOPIC, naming=SHARED, receipt="r")
    assert core.effects() == ["persist queue /dsub/.n, subscription .n", "persist nothing"]

    core.answer()
    assert core.effects() == []
    core.answer()

    assert core.effects() == ["confirm 2 r durable-subscription-name:n pending:0 prefetch-count:1"]


@pytest.mark.parametrize(
    ("to", "selector", "no_local"), [("/topic/u", "", False), (TOPIC, "a = 1", False), (TOPIC, "", True)]
)
def test_other_topic_selector_or_no_local_replaces_it(to: str, selector: str, no_local: bool) -> None:
    core = with_durable()
    core.send_all(1, "a b", TOPIC)
    core.run()

    core.subscribe(FIRST, to, naming=UNSHARED, selector=selector, no_local=no_local)

    # One unit, so that a crash leaves the old one or the new one.
    assert core.effects() == ["persist drop queue, queue /dsub/c.n, subscription c.n"]
    assert core.run() == []
    assert core.rows() == []


def test_replaced_subscription_says_how_much_it_dropped() -> None:
    core = with_durable()
    core.send_all(1, "a b", TOPIC)
    core.run()

    core.subscribe(FIRST, "/topic/u", naming=UNSHARED, receipt="r")

    assert core.run() == ["confirm 11 r durable-subscription-name:n dropped:2 pending:0 prefetch-count:100"]


def test_replaced_subscription_gets_the_messages_of_its_new_topic_alone() -> None:
    core = with_durable()
    core.subscribe(FIRST, "/topic/u", naming=UNSHARED)
    core.send(1, "a", TOPIC)
    core.send(1, "b", "/topic/u")

    assert core.run() == ["deliver 11 b"]


def test_replacement_survives_the_broker() -> None:
    core = with_durable()
    core.subscribe(FIRST, "/topic/u", naming=UNSHARED)
    core.run()

    core = core.restart()
    core.open(FIRST, "c", "alice")
    core.send(1, "a", TOPIC)
    core.send(1, "b", "/topic/u")
    core.subscribe(FIRST, "/topic/u", naming=UNSHARED)

    assert core.run() == ["deliver 11 b"]


def test_what_was_on_its_way_into_a_replaced_subscription_is_not_spooled_any_more() -> None:
    core = with_durable(window_count=1)
    core.send(2, "x", "/queue/q")
    core.send_all(2, "a b", TOPIC, is_persistent=False)  # they wait behind the unit of x
    core.subscribe(FIRST, "/topic/u", naming=UNSHARED)
    core.effects()

    core.answer(3)

    assert core.effects() == []
    core.answer()
    assert core.effects() == []


def test_number_of_durable_subscriptions_is_limited() -> None:
    core = new_core(durable_subscriptions=1)
    core.subscribe(FIRST, TOPIC, naming=UNSHARED)

    core.subscribe(FIRST, TOPIC, "t", naming=Naming("m"), receipt="r")

    assert core.run() == ["refuse 11 limit-exceeded r"]
    assert "limits.durable_subscriptions" in core.errors[-1].detail


def test_replacing_the_last_one_allowed_is_allowed() -> None:
    core = with_durable(durable_subscriptions=1)

    core.subscribe(FIRST, "/topic/u", naming=UNSHARED)
    core.send(1, "a", "/topic/u")

    assert core.run() == ["deliver 11 a"]


def test_replacing_one_of_more_than_allowed_is_allowed() -> None:
    core = with_durable()
    core.subscribe(FIRST, TOPIC, "t", naming=Naming("m"))
    core.run()
    core = core.restart(durable_subscriptions=1)
    core.open(FIRST, "c", "alice")

    core.subscribe(FIRST, "/topic/u", naming=UNSHARED, receipt="r")

    assert core.run() == ["confirm 11 r durable-subscription-name:n dropped:0 pending:0 prefetch-count:100"]


def test_subscription_that_the_store_refuses_leaves_nothing_behind() -> None:
    core = new_core()
    core.subscribe(FIRST, TOPIC, naming=UNSHARED, receipt="r")
    core.send(1, "a", TOPIC)
    core.effects()

    core.refuse_unit()

    assert core.run() == ["refuse 11 refused-by-store r"]
    assert core.rows() == []
    core.open(SECOND, "c", "alice")
    core.subscribe(SECOND, TOPIC, naming=UNSHARED, receipt="r")
    assert core.run() == ["confirm 12 r durable-subscription-name:n pending:0 prefetch-count:100"]


def test_who_shares_a_subscription_that_the_store_refuses_is_refused_too() -> None:
    core = Core()
    core.subscribe(1, TOPIC, naming=SHARED)
    core.subscribe(2, TOPIC, naming=SHARED)
    core.effects()

    core.refuse_unit()

    assert core.run() == ["refuse 1 refused-by-store", "refuse 2 refused-by-store"]


def test_subscription_that_is_refused_after_it_was_deleted_leaves_nothing_behind() -> None:
    core = new_core()
    core.subscribe(FIRST, TOPIC, naming=UNSHARED)
    core.unsubscribe(FIRST, naming=UNSHARED)
    core.effects()

    core.refuse_unit()

    assert core.run() == ["refuse 11 refused-by-store"]
    assert core.store._queues == core.store._subscriptions == {}


def test_replacement_that_the_store_refuses_leaves_nothing_behind() -> None:
    core = with_durable()
    core.send(1, "a", TOPIC)
    core.run()
    core.subscribe(FIRST, "/topic/u", naming=UNSHARED)
    core.effects()

    core.refuse_unit()
    core.run()

    assert core.rows() == []
    assert core.store._queues == core.store._subscriptions == {}


def test_replacement_is_replaced_before_its_unit_is_answered() -> None:
    core = with_durable()
    core.subscribe(FIRST, "/topic/u", naming=UNSHARED)
    core.unsubscribe(FIRST)
    core.subscribe(FIRST, "/topic/v", naming=UNSHARED)
    core.effects()

    core.refuse_unit()
    core.run()

    core = core.restart()
    core.open(FIRST, "c", "alice")
    core.subscribe(FIRST, "/topic/v", naming=UNSHARED, receipt="r")
    assert core.run() == ["confirm 11 r durable-subscription-name:n pending:0 prefetch-count:100"]


def test_replacement_that_is_stored_needs_no_deletion_of_its_predecessor() -> None:
    core = with_durable()
    core.subscribe(FIRST, "/topic/u", naming=UNSHARED)
    core.run()

    core.unsubscribe(FIRST, naming=UNSHARED)

    assert core.effects() == ["persist drop queue"]


def test_name_whose_replacement_the_store_refuses_can_be_used_by_then() -> None:
    core = new_core()
    core.subscribe(1, TOPIC, naming=SHARED)
    core.lose(1)
    core.run()
    core.subscribe(2, "/topic/u", naming=SHARED)
    core.unsubscribe(2, naming=SHARED)
    core.subscribe(3, TOPIC, naming=SHARED, receipt="r")
    core.effects()

    core.refuse_unit()

    assert core.run() == [
        "refuse 2 refused-by-store",
        "confirm 3 r durable-subscription-name:n pending:0 prefetch-count:1",
    ]


# Deleting.


@pytest.mark.parametrize("receipt", [None, "r"])
def test_unsubscribe_with_the_name_deletes_what_nobody_is_connected_to(receipt: str | None) -> None:
    core = with_durable()
    core.send(1, "a", TOPIC)
    core.run()

    core.unsubscribe(FIRST, "fresh", receipt, naming=UNSHARED)

    assert core.effects() == ["persist drop queue"]
    assert core.run() == ([] if receipt is None else ["confirm 11 r"])
    assert core.rows() == []


def test_unsubscribe_of_the_own_consumer_with_the_name_ends_it_and_deletes() -> None:
    core = with_durable()
    core.subscribe(FIRST, TOPIC, naming=UNSHARED)
    core.send_all(1, "a b", TOPIC)
    core.run()

    core.unsubscribe(FIRST, receipt="r", naming=UNSHARED)
    core.send(1, "c", TOPIC)

    assert core.run() == ["confirm 11 r"]
    assert core.rows() == []
    assert core.store._queues == core.store._subscriptions == {}


def test_deleted_subscription_stays_away() -> None:
    core = with_durable()
    core.unsubscribe(FIRST, naming=UNSHARED)
    core.run()

    core = core.restart()
    core.open(FIRST, "c", "alice")
    core.send(1, "a", TOPIC)
    core.subscribe(FIRST, TOPIC, naming=UNSHARED)

    assert core.run() == []


def test_unsubscribe_without_the_name_only_leaves() -> None:
    core = with_durable()
    core.subscribe(FIRST, TOPIC, naming=UNSHARED)
    core.unsubscribe(FIRST, receipt="r")
    core.send(1, "a", TOPIC)
    assert core.run() == ["confirm 11 r"]

    core.subscribe(FIRST, TOPIC, naming=UNSHARED)

    assert core.run() == ["deliver 11 a"]


def test_unknown_name_is_refused() -> None:
    core = with_durable()

    core.unsubscribe(OTHER, receipt="r", naming=UNSHARED)

    assert core.run() == ["refuse 13 unknown-subscription r"]


def test_name_is_refused_while_another_subscription_is_its_consumer() -> None:
    core = with_durable()
    core.subscribe(FIRST, TOPIC, naming=UNSHARED)

    core.unsubscribe(FIRST, "fresh", "r", naming=UNSHARED)

    assert core.run() == ["refuse 11 subscription-conflict r"]


def test_name_is_refused_while_others_share_it() -> None:
    core = Core()
    core.subscribe(1, TOPIC, naming=SHARED)
    core.subscribe(2, TOPIC, naming=SHARED)

    core.unsubscribe(1, receipt="r", naming=SHARED)

    assert core.run() == ["refuse 1 subscription-conflict r"]


def test_name_is_refused_while_a_transaction_holds_a_message() -> None:
    core = with_durable()
    core.subscribe(FIRST, TOPIC, naming=UNSHARED)
    core.send(1, "a", TOPIC)
    core.run()
    core.begin(FIRST)
    core.send(FIRST, "x", transaction="t")
    core.acknowledge(FIRST, "a", "t")

    core.unsubscribe(FIRST, receipt="r", naming=UNSHARED)

    assert core.run() == ["refuse 11 subscription-conflict r"]
    assert core.rows() == ["a:1"]


def test_transactions_about_other_messages_do_not_matter() -> None:
    core = with_durable()
    core.subscribe(1)
    core.send(1, "x")
    core.run()
    core.begin(1)
    core.send(1, "y", transaction="t")
    core.acknowledge(1, "x", "t")

    core.unsubscribe(FIRST, receipt="r", naming=UNSHARED)

    assert core.run() == ["confirm 11 r"]


def test_late_acknowledgement_after_the_deletion_is_tolerated() -> None:
    core = with_durable()
    core.subscribe(FIRST, TOPIC, naming=UNSHARED)
    core.send(1, "a", TOPIC)
    core.run()
    core.unsubscribe(FIRST, naming=UNSHARED)

    core.acknowledge(FIRST, "a", receipt="r")

    assert core.run() == ["confirm 11 r"]


def test_automatic_delivery_may_be_written_after_the_deletion() -> None:
    core = with_durable()
    core.subscribe(FIRST, TOPIC, ack=AckMode.AUTO, naming=UNSHARED)
    core.send(1, "a", TOPIC)
    core.run()
    core.unsubscribe(FIRST, naming=UNSHARED)

    core.settle_written(FIRST)

    assert core.run() == []
    assert core.store._queues == {}


# Shared.


def test_consumers_of_a_shared_subscription_take_turns() -> None:
    core = Core()
    core.subscribe(1, TOPIC, naming=SHARED, prefetch=2)
    core.subscribe(2, TOPIC, naming=SHARED, prefetch=2)
    core.subscribe(3, TOPIC)
    core.send_all(3, "a b c", TOPIC)

    delivered = core.run()

    assert [text for text in delivered if not text.startswith("deliver 3")] == [
        "deliver 1 a",
        "deliver 2 b",
        "deliver 1 c",
    ]


@pytest.mark.parametrize("naming", [SHARED, TRANSIENT, GROUP, BY_ID])
def test_shared_subscription_gives_one_message_at_a_time(naming: Naming) -> None:
    core = Core()
    core.subscribe(1, TOPIC, naming=naming)
    core.send_all(2, "a b", TOPIC)
    assert core.run() == ["deliver 1 a"]

    core.acknowledge(1, "a")

    assert core.run() == ["deliver 1 b"]


@pytest.mark.parametrize("naming", [SHARED, TRANSIENT])
def test_message_of_a_consumer_that_left_goes_to_another(naming: Naming) -> None:
    core = Core()
    core.subscribe(1, TOPIC, naming=naming)
    core.subscribe(2, TOPIC, naming=naming)
    core.send(3, "a", TOPIC)
    assert core.run() == ["deliver 1 a"]

    core.lose(1)

    assert core.run() == ["deliver 2 a again 1"]


def test_unwritten_automatic_delivery_goes_to_another() -> None:
    core = Core()
    core.subscribe(1, TOPIC, ack=AckMode.AUTO, naming=TRANSIENT)
    core.subscribe(2, TOPIC, naming=TRANSIENT)
    core.send(3, "a", TOPIC)
    assert core.run() == ["deliver 1 a"]

    core.lose(1)

    assert core.run() == ["deliver 2 a again 1"]


def test_shared_subscription_ends_with_its_last_consumer_unless_it_is_durable() -> None:
    core = Core()
    core.subscribe(1, TOPIC, naming=TRANSIENT)
    core.subscribe(2, TOPIC, "u", naming=SHARED)
    core.send(3, "a", TOPIC)
    core.run()
    core.lose(1)
    core.lose(2)
    core.send(3, "b", TOPIC)
    core.open(4)

    core.subscribe(4, TOPIC, prefetch=0, naming=TRANSIENT)
    core.subscribe(4, TOPIC, "u", prefetch=0, naming=SHARED)

    assert core.run() == ["deliver 4/u a again 1", "deliver 4/u b"]


def test_shared_subscription_that_is_not_durable_writes_nothing() -> None:
    core = Core()
    core.subscribe(1, TOPIC, naming=TRANSIENT, receipt="r")
    core.send(2, "a", TOPIC)

    assert core.effects() == ["confirm 1 r prefetch-count:1", "deliver 1 a"]


def test_shared_subscription_that_falls_too_far_behind_is_ended_for_all() -> None:
    core = Core(topic_backlog=1)
    core.subscribe(1, TOPIC, naming=TRANSIENT)
    core.subscribe(2, TOPIC, naming=TRANSIENT)
    core.send_all(3, "a b", TOPIC)
    assert core.run() == ["deliver 1 a", "deliver 2 b"]

    core.send_all(3, "c d", TOPIC)

    assert core.run() == ["refuse 1 slow-consumer", "refuse 2 slow-consumer"]


@pytest.mark.parametrize("naming", [SHARED, TRANSIENT])
@pytest.mark.parametrize(("to", "selector"), [("/topic/u", ""), (TOPIC, "a = 1")])
def test_other_topic_or_selector_is_refused_while_a_consumer_is_there(naming: Naming, to: str, selector: str) -> None:
    core = Core()
    core.subscribe(1, TOPIC, naming=naming)

    core.subscribe(2, to, naming=naming, selector=selector, receipt="r")

    assert core.run() == ["refuse 2 subscription-conflict r"]
    assert "destination:/topic/t and no selector" in core.errors[-1].detail


def test_conflict_tells_the_selector_in_use() -> None:
    core = Core()
    core.subscribe(1, TOPIC, naming=SHARED, selector="a = 1")

    core.subscribe(2, TOPIC, naming=SHARED)

    assert core.run() == ["refuse 2 subscription-conflict"]
    assert "selector:a = 1" in core.errors[-1].detail


def test_shared_durable_subscription_is_replaced_when_nobody_is_connected() -> None:
    core = Core()
    core.subscribe(1, TOPIC, naming=SHARED)
    core.unsubscribe(1)
    core.run()

    core.subscribe(1, "/topic/u", naming=SHARED, receipt="r")

    assert core.run() == ["confirm 1 r durable-subscription-name:n dropped:0 pending:0 prefetch-count:1"]


@pytest.mark.parametrize(("first", "second"), [(UNSHARED, SHARED), (SHARED, UNSHARED)])
def test_shared_and_unshared_durable_subscriptions_have_their_names_in_common(first: Naming, second: Naming) -> None:
    core = new_core()
    core.subscribe(FIRST, TOPIC, naming=first)
    core.unsubscribe(FIRST)

    core.subscribe(FIRST, TOPIC, naming=second, receipt="r")

    assert core.run() == ["refuse 11 subscription-conflict r"]


def test_name_with_and_without_client_id_are_two() -> None:
    core = new_core()
    core.subscribe(FIRST, TOPIC, naming=SHARED)
    core.subscribe(1, TOPIC, naming=SHARED)
    core.send(2, "a", TOPIC)

    assert core.run() == ["deliver 11 a", "deliver 1 a"]


def test_durable_and_transient_names_do_not_meet() -> None:
    core = Core()
    core.subscribe(1, TOPIC, naming=SHARED)
    core.subscribe(2, TOPIC, naming=TRANSIENT)
    core.send(3, "a", TOPIC)

    assert sorted(core.run()) == ["deliver 1 a", "deliver 2 a"]


def test_groups_belong_to_their_topic_and_to_no_client() -> None:
    core = new_core()
    core.subscribe(FIRST, TOPIC, naming=GROUP, receipt="1")
    core.subscribe(1, TOPIC, naming=GROUP)
    core.subscribe(1, "/topic/u", "u", naming=GROUP)
    core.send_all(2, "a b", TOPIC)
    core.send(2, "c", "/topic/u")

    assert core.run() == [
        "confirm 11 1 durable-subscription-name:Consumer.g.t pending:0 prefetch-count:1",
        "deliver 11 a",
        "deliver 1 b",
        "deliver 1/u c",
    ]


@pytest.mark.parametrize("naming", [GROUP, Naming("Consumer.g.t")])
def test_group_is_deleted_by_its_name_and_topic(naming: Naming) -> None:
    core = Core()
    core.subscribe(1, TOPIC, naming=GROUP)
    core.lose(1)
    core.run()

    core.unsubscribe(2, "fresh", "r", naming=naming, to=TOPIC)

    assert core.run() == ["confirm 2 r"]
    assert core.store._queues == {}


def test_id_of_a_client_with_a_client_id_is_the_name_of_an_unshared_subscription() -> None:
    core = new_core()
    core.subscribe(FIRST, TOPIC, naming=BY_ID, receipt="r")

    assert core.run() == ["confirm 11 r durable-subscription-name:0 pending:0 prefetch-count:100"]


def test_id_without_client_id_is_shared_within_the_login_and_the_topic() -> None:
    core = Core()
    core.open(21, user_name="alice")
    core.open(22, user_name="alice")
    core.open(23, user_name="bob")
    for session in (21, 22, 23):
        core.subscribe(session, TOPIC, "0", naming=BY_ID)
    core.subscribe(21, "/topic/u", "1", naming=BY_ID)
    core.run()
    core.send_all(1, "a b", TOPIC)
    core.send(1, "c", "/topic/u")

    assert sorted(core.run()) == ["deliver 21/0 a", "deliver 21/1 c", "deliver 22/0 b", "deliver 23/0 a"]


def test_id_names_the_topic_of_the_own_consumer() -> None:
    core = Core()
    core.open(21, user_name="alice")
    core.subscribe(21, TOPIC, "0", naming=BY_ID)

    core.unsubscribe(21, "0", "r", naming=BY_ID)

    assert core.run() == ["confirm 21 r"]
    assert core.store._queues == {}


def test_id_without_consumer_needs_the_topic() -> None:
    core = Core()

    core.unsubscribe(1, "0", "r", naming=BY_ID)

    assert core.run() == ["refuse 1 missing-header r"]
    assert "destination:/topic/" in core.errors[-1].detail


# What the same client sends.


def test_no_local_keeps_out_what_the_same_session_sends() -> None:
    core = Core()
    core.subscribe(1, TOPIC, no_local=True)
    core.send(1, "a", TOPIC)
    core.begin(1)
    core.send(1, "b", TOPIC, transaction="t")
    core.commit(1)
    core.send(2, "c", TOPIC)

    assert core.run() == ["deliver 1 c"]


def test_no_local_of_a_durable_subscription_keeps_out_what_the_same_client_sends() -> None:
    core = with_durable(no_local=True)
    core.send(FIRST, "a", TOPIC)
    core.begin(FIRST)
    core.send(FIRST, "b", TOPIC, transaction="t")
    core.commit(FIRST)
    core.send(OTHER, "c", TOPIC)
    core.send(1, "d", TOPIC)
    core.subscribe(FIRST, TOPIC, naming=UNSHARED, no_local=True)

    assert core.run() == ["deliver 11 c", "deliver 11 d"]


def test_no_local_survives_the_broker() -> None:
    core = with_durable(no_local=True).restart()
    core.open(FIRST, "c", "alice")
    core.send(FIRST, "a", TOPIC)
    core.subscribe(FIRST, TOPIC, naming=UNSHARED, no_local=True, receipt="r")

    assert core.run() == ["confirm 11 r durable-subscription-name:n pending:0 prefetch-count:100"]


@pytest.mark.parametrize("naming", [SHARED, TRANSIENT, GROUP, BY_ID])
def test_no_local_of_a_shared_subscription_is_refused(naming: Naming) -> None:
    core = Core()

    core.subscribe(1, TOPIC, naming=naming, no_local=True, receipt="r")

    assert core.run() == ["refuse 1 invalid-header r"]


def test_no_local_and_selector_both_count() -> None:
    core = Core()
    core.subscribe(1, TOPIC, no_local=True, selector="a = 1")
    core.send(1, "own", TOPIC, headers={"a": "1"})
    core.send(2, "other", TOPIC, headers={"a": "2"})
    core.send(2, "right", TOPIC, headers={"a": "1"})

    assert core.run() == ["deliver 1 right"]


# Client ids.


def test_client_id_is_in_use_by_one_session() -> None:
    core = new_core()

    with pytest.raises(InvalidClientId, match="client-id:c is in use"):
        core.open(SECOND, "c", "alice")


def test_client_id_is_free_when_its_session_has_ended() -> None:
    core = new_core()
    core.disconnect(FIRST)
    core.open(SECOND, "c", "alice")
    core.lose(FIRST)

    with pytest.raises(InvalidClientId):
        core.open(14, "c", "alice")


def test_client_id_of_another_user_is_in_use_without_saying_where() -> None:
    core = Core()
    core.broker.open_session(SessionId(FIRST), Peer("c", "alice", origin="from 10.0.0.1"))

    with pytest.raises(InvalidClientId, match=r"by another connection, from 10.0.0.1"):
        core.broker.open_session(SessionId(SECOND), Peer("c", "alice"))
    with pytest.raises(InvalidClientId, match=r"by another connection\."):
        core.broker.open_session(SessionId(SECOND), Peer("c", "bob"))


def test_session_may_take_the_client_id_over_from_the_same_user() -> None:
    core = new_core()
    core.subscribe(FIRST, TOPIC, naming=UNSHARED)
    core.run()

    core.broker.open_session(SessionId(SECOND), Peer("c", "alice"), takes_over=True)
    core.subscribe(SECOND, TOPIC, naming=UNSHARED, receipt="r")

    assert core.run() == [
        "refuse 11 taken-over",
        "confirm 12 r durable-subscription-name:n pending:0 prefetch-count:100",
    ]


def test_session_cannot_take_the_client_id_over_from_another_user() -> None:
    core = new_core()

    with pytest.raises(InvalidClientId):
        core.broker.open_session(SessionId(SECOND), Peer("c", "bob"), takes_over=True)

    assert core.run() == []


def test_client_id_with_durable_subscriptions_belongs_to_their_user() -> None:
    core = with_durable()
    core.lose(FIRST)

    with pytest.raises(InvalidClientId, match="of another user"):
        core.open(SECOND, "c", "bob")

    core.open(SECOND, "c", "alice")


def test_client_id_belongs_to_its_user_after_a_restart() -> None:
    core = with_durable()
    core = core.restart()

    with pytest.raises(InvalidClientId, match="of another user"):
        core.open(SECOND, "c", "bob")


def test_client_id_is_free_when_its_last_durable_subscription_was_deleted() -> None:
    core = with_durable()
    core.submit(FIRST, Unsubscribe("s", naming=UNSHARED))
    core.lose(FIRST)
    core.run()

    core.open(SECOND, "c", "bob")


def test_durable_subscriptions_of_nobody_are_for_anybody() -> None:
    core = Core()
    core.open(FIRST, "c", "anonymous")
    core.subscribe(FIRST, TOPIC, naming=UNSHARED)
    core.lose(FIRST)
    core.run()

    core.open(SECOND, "c", "bob")


def test_sessions_without_client_id_do_not_meet() -> None:
    core = Core()
    core.lose(1)
    core.open(4)
    core.open(5)

    core.subscribe(5, receipt="r")

    assert core.run() == ["confirm 5 r prefetch-count:100"]


# Where ActiveMQ's clients read a group's messages.


def test_nothing_can_be_sent_to_the_queue_of_a_virtual_topic() -> None:
    core = Core()

    core.send(1, "a", "/queue/Consumer.g.VirtualTopic.t", receipt="r")

    assert core.run() == ["refuse 1 invalid-destination r"]
    assert "Send to /topic/VirtualTopic.t" in core.errors[-1].detail

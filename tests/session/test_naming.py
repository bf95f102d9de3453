"""Durable and shared subscriptions: how SUBSCRIBE and UNSUBSCRIBE of the several dialects spell them."""

from __future__ import annotations

import pytest

from stompd.broker.destination import parse_destination
from stompd.broker.requests import Naming, Scope, Subscribe, Unsubscribe
from stompd.errors import InvalidDestination, InvalidHeader, MissingHeader, UnsupportedHeader
from stompd.session.naming import NO_LOCAL_NAMES
from tests.session.peer import request

LONG = "n" * 256


def subscribe(headers: dict[str, str], version: str = "1.2") -> Subscribe:
    made = request("SUBSCRIBE", {"destination": "/topic/prices", "id": "0", **headers}, version=version)
    assert isinstance(made, Subscribe)
    return made


def unsubscribe(headers: dict[str, str], version: str = "1.2") -> Unsubscribe:
    made = request("UNSUBSCRIBE", headers, version=version)
    assert isinstance(made, Unsubscribe)
    return made


def test_subscription_has_no_name_unless_it_asks_for_one() -> None:
    assert subscribe({}).naming is None


@pytest.mark.parametrize(
    "name",
    ["durable-subscription-name", "durable-subscriber-name", "activemq.subscriptionName", "activemq.subcriptionName"],
)
def test_durable_name_counts_within_its_client(name: str) -> None:
    assert subscribe({name: "n"}).naming == Naming("n", Scope.CLIENT)
    assert unsubscribe({"id": "0", name: "n"}).naming == Naming("n", Scope.CLIENT)


def test_name_of_a_queue_of_rabbitmq_counts_within_its_login() -> None:
    assert subscribe({"x-queue-name": "n"}).naming == Naming("n", Scope.LOGIN)
    assert unsubscribe({"id": "0", "x-queue-name": "n"}).naming == Naming("n", Scope.LOGIN)


@pytest.mark.parametrize("flag", ["durable", "persistent"])
def test_id_is_the_name_of_what_is_flagged_as_durable(flag: str) -> None:
    assert subscribe({flag: "true"}).naming == Naming("0", Scope.LOGIN)
    assert unsubscribe({"id": "0", flag: "True"}).naming == Naming("0", Scope.LOGIN)


def test_name_counts_more_than_the_id() -> None:
    assert subscribe({"durable": "true", "auto-delete": "false", "activemq.subscriptionName": "n"}).naming == Naming(
        "n"
    )


def test_canonical_name_counts_more_than_its_aliases() -> None:
    assert subscribe({"x-queue-name": "a", "durable-subscription-name": "a"}).naming == Naming("a")


def test_durable_subscription_may_be_shared() -> None:
    assert subscribe({"durable-subscription-name": "n", "shared": "true"}).naming == Naming("n", is_shared=True)


def test_shared_subscription_need_not_be_durable() -> None:
    made = subscribe({"jms-subscription": "n", "shared": "true"})

    assert made.naming == Naming("n", is_durable=False, is_shared=True)


def test_group_shares_a_durable_subscription() -> None:
    assert subscribe({"subscription-group": "g"}).naming == Naming("g", Scope.GROUP, is_shared=True)


def test_queue_of_a_virtual_topic_means_the_topic() -> None:
    made = subscribe({"destination": "/queue/Consumer.g.VirtualTopic.a.b"})

    assert made.destination == parse_destination("/topic/VirtualTopic.a.b")
    assert made.naming == Naming("g", Scope.GROUP, is_shared=True)


@pytest.mark.parametrize("name", ["Consumer.g", "Consumer.g.a", "Consumer..VirtualTopic.a", "Consumer.g.VirtualTopic."])
def test_queue_that_is_called_almost_so_is_a_queue(name: str) -> None:
    made = subscribe({"destination": f"/queue/{name}"})

    assert made.destination == parse_destination(f"/queue/{name}")
    assert made.naming is None


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"shared": "true"}, "shared:true on SUBSCRIBE needs a name"),
        ({"jms-subscription": "n"}, "jms-subscription:n on SUBSCRIBE needs shared:true"),
        ({"jms-subscription": "n", "shared": "false"}, "jms-subscription:n on SUBSCRIBE needs shared:true"),
        ({"jms-subscription": "n", "shared": "true", "durable": "true"}, "jms-subscription:n and durable:true"),
        ({"jms-subscription": "n", "durable-subscription-name": "d"}, "jms-subscription:n and durable-subscription"),
        ({"subscription-group": "g", "shared": "false"}, "subscription-group:g and shared:false"),
        ({"subscription-group": "g", "persistent": "no"}, "subscription-group:g and durable:false"),
        ({"subscription-group": "g", "x-queue-name": "n"}, "subscription-group:g and x-queue-name"),
        ({"durable-subscription-name": "n", "durable": "false"}, "durable-subscription-name:n and durable:false"),
        ({"durable": "true", "auto-delete": "true"}, "durable:true and auto-delete:true"),
        ({"durable": "perhaps"}, "durable:perhaps cannot be used"),
        ({"shared": "perhaps"}, "shared:perhaps cannot be used"),
        ({"durable-subscription-name": LONG}, "a name of at most 255 characters"),
        ({"durable": "true", "id": LONG}, "a name of at most 255 characters"),
    ],
)
def test_headers_that_do_not_go_together_are_refused(headers: dict[str, str], words: str) -> None:
    with pytest.raises(InvalidHeader) as caught:
        subscribe(headers)

    assert words in caught.value.detail


@pytest.mark.parametrize(
    "headers",
    [
        {"durable-subscription-name": "n"},
        {"x-queue-name": "n"},
        {"subscription-group": "g"},
        {"jms-subscription": "n", "shared": "true"},
        {"shared": "true"},
    ],
)
@pytest.mark.parametrize("destination", ["/queue/a", "/queue/Consumer.g.VirtualTopic.a"])
def test_queue_has_no_named_subscriptions(headers: dict[str, str], destination: str) -> None:
    with pytest.raises(InvalidHeader, match=f"is for topics, and destination:{destination} is none"):
        subscribe({"destination": destination, **headers})


@pytest.mark.parametrize(
    "headers", [{"durable-subscription-name": "n"}, {"durable": "true"}, {"subscription-group": "g"}, {"shared": "yes"}]
)
@pytest.mark.parametrize("destination", ["/temp-topic/a", "/topic/a,/topic/b", "/queue/a,/topic/b"])
def test_jms_351_neither_temporary_topics_nor_lists_have_named_subscriptions(
    headers: dict[str, str], destination: str
) -> None:
    with pytest.raises(InvalidDestination, match=f"destination:{destination} cannot have a durable or shared"):
        subscribe({"destination": destination, **headers})


def test_list_of_queues_is_durable_anyway() -> None:
    assert subscribe({"destination": "/queue/a,/queue/b", "durable": "true"}).naming is None


def test_durable_subscription_may_have_wildcards() -> None:
    made = subscribe({"destination": "/topic/prices.*", "durable-subscription-name": "n"})

    assert (made.destination.path, made.naming) == ("/topic/prices.*", Naming("n", Scope.CLIENT))


@pytest.mark.parametrize("value", ["", "false"])
def test_headers_that_ask_for_nothing_are_fine(value: str) -> None:
    headers = {"durable": value, "shared": value, "durable-subscription-name": "", "subscription-group": ""}

    assert subscribe(headers).naming is None


def test_durable_subscription_without_id_needs_a_name_in_1_0() -> None:
    with pytest.raises(MissingHeader, match="SUBSCRIBE with durable:true needs the header id"):
        request("SUBSCRIBE", {"destination": "/topic/a", "durable": "true"}, version="1.0")
    with pytest.raises(MissingHeader, match="UNSUBSCRIBE with durable:true needs the header id"):
        request("UNSUBSCRIBE", {"destination": "/topic/a", "durable": "true"}, version="1.0")


@pytest.mark.parametrize("name", NO_LOCAL_NAMES)
def test_no_local_and_its_aliases(name: str) -> None:
    assert subscribe({name: "yes"}).no_local
    assert not subscribe({name: "no"}).no_local
    assert not subscribe({name: ""}).no_local


@pytest.mark.parametrize("name", NO_LOCAL_NAMES)
def test_no_local_on_a_queue_is_refused(name: str) -> None:
    with pytest.raises(UnsupportedHeader, match=f"{name}:true on SUBSCRIBE asks for"):
        subscribe({"destination": "/queue/a", name: "true"})


def test_no_local_that_is_no_boolean_is_refused() -> None:
    with pytest.raises(InvalidHeader, match="no-local:perhaps"):
        subscribe({"no-local": "perhaps"})


def test_unsubscribe_deletes_nothing_unless_it_has_a_name() -> None:
    made = unsubscribe({"id": "0", "durable": "false", "destination": "/topic/a"})

    assert (made.naming, made.destination) == (None, None)


def test_unsubscribe_with_a_name_needs_no_id() -> None:
    made = unsubscribe({"durable-subscription-name": "n", "receipt": "r"})

    assert (made.subscription_id, made.receipt, made.destination) == ("", "r", None)


def test_unsubscribe_from_a_group_names_its_topic() -> None:
    made = unsubscribe({"subscription-group": "g", "destination": "/topic/a"})

    assert (made.naming, made.destination) == (Naming("g", Scope.GROUP), parse_destination("/topic/a"))


def test_unsubscribe_names_the_topic_of_a_group_as_subscribe_does() -> None:
    made = unsubscribe({"subscription-group": "g", "destination": "/queue/Consumer.g.VirtualTopic.a"})

    assert made.destination == parse_destination("/topic/VirtualTopic.a")

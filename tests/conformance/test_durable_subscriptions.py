"""Durable and shared subscriptions, client ids and no-local, as seen from a socket; on SQLite and on PostgreSQL.

Tests are named by the rule of JMS that they show, where there is one.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.conftest import Clients, StartBroker
from tests.harness.raw import RawClient, unique_name
from tests.postgres import create_database, drop_database


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The databases that keep durable subscriptions."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('store') / 'stompd.sqlite3'}"
        return
    server = request.getfixturevalue("postgresql_server")
    url = create_database(server)
    yield url
    drop_database(server, url)


@pytest.fixture
def client_id() -> str:
    """A client id that no other test uses."""
    return unique_name("client")


@pytest.fixture
def name() -> str:
    """A name that no other test uses."""
    return unique_name("name")


def subscribe(client: RawClient, topic: str, name: str, **headers: str) -> dict[str, str]:
    """Subscribe durably, acknowledging one by one, and return the headers of the RECEIPT."""
    named = {"destination": topic, "id": "1", "ack": "client-individual", "durable-subscription-name": name}
    receipt = client.request("SUBSCRIBE", {**named, **{key.replace("_", "-"): value for key, value in headers.items()}})
    return dict(receipt.headers)


def leave(client: RawClient) -> None:
    """End a connection, and see that the broker knows."""
    client.disconnect()


# Durable subscriptions.


def test_jms_338_messages_wait_while_nobody_is_connected(
    clients: Clients, topic: str, client_id: str, name: str
) -> None:
    first = clients.connect(client_id=client_id)
    receipt = subscribe(first, topic, name)
    leave(first)
    sender = clients.connect()
    sender.send_message(topic, "a")
    sender.send_message(topic, "b", persistent="false")
    second = clients.connect(client_id=client_id)
    again = subscribe(second, topic, name)

    second.expect_bodies("a", "b")

    assert (receipt["durable-subscription-name"], receipt["pending"]) == (name, "0")
    assert (again["durable-subscription-name"], again["pending"]) == (name, "2")


def test_jms_339_unacknowledged_messages_come_to_the_next_consumer(
    clients: Clients, topic: str, client_id: str, name: str
) -> None:
    first = clients.connect(client_id=client_id)
    subscribe(first, topic, name)
    sender = clients.connect()
    sender.send_message(topic, "a")
    sender.send_message(topic, "b")
    acknowledged, _ = first.expect_bodies("a", "b")
    first.settle(acknowledged)
    leave(first)

    second = clients.connect(client_id=client_id)
    subscribe(second, topic, name)

    (message,) = second.expect_bodies("b")
    assert message["redelivered"] == "true"


def test_jms_328_subscriptions_are_independent(clients: Clients, topic: str, client_id: str) -> None:
    client = clients.connect(client_id=client_id)
    for number in ("1", "2"):
        client.request(
            "SUBSCRIBE",
            {"destination": topic, "id": number, "ack": "client", "durable-subscription-name": f"n{number}"},
        )
    client.send_message(topic, "a")
    first, second = client.expect_bodies("a", "a")
    client.settle(first)
    leave(client)

    again = clients.connect(client_id=client_id)
    receipts = [subscribe(again, topic, f"n{number}", id=number) for number in ("1", "2")]

    assert {first["subscription"], second["subscription"]} == {"1", "2"}
    pending = {receipt["durable-subscription-name"]: receipt["pending"] for receipt in receipts}
    assert pending[f"n{first['subscription']}"] == "0"
    assert pending[f"n{second['subscription']}"] == "1"


def test_jms_336_durable_subscription_needs_a_client_id(clients: Clients, topic: str, name: str) -> None:
    client = clients.connect()

    client.send_frame("SUBSCRIBE", {"destination": topic, "id": "1", "durable-subscription-name": name})

    client.expect_error("missing-header", name, "client-id", "shared:true")


def test_jms_337_second_consumer_is_refused(clients: Clients, topic: str, client_id: str, name: str) -> None:
    client = clients.connect(client_id=client_id)
    subscribe(client, topic, name)

    client.send_frame("SUBSCRIBE", {"destination": topic, "id": "2", "durable-subscription-name": name})

    client.expect_error("subscription-conflict", name)


@pytest.mark.parametrize("change", ["topic", "selector", "no-local"])
def test_jms_340_change_deletes_and_creates_again(
    clients: Clients, topic: str, client_id: str, name: str, change: str
) -> None:
    first = clients.connect(client_id=client_id)
    subscribe(first, topic, name)
    leave(first)
    clients.connect().send_message(topic, "a")
    second = clients.connect(client_id=client_id)
    headers = {"topic": {}, "selector": {"selector": "a = 1"}, "no-local": {"no_local": "true"}}[change]

    receipt = subscribe(second, f"{topic}-other" if change == "topic" else topic, name, **headers)

    assert (receipt["pending"], receipt["dropped"]) == ("0", "1")
    second.expect_nothing()


def test_jms_341_empty_selector_is_none(clients: Clients, topic: str, client_id: str, name: str) -> None:
    first = clients.connect(client_id=client_id)
    subscribe(first, topic, name)
    leave(first)
    clients.connect().send_message(topic, "a")
    second = clients.connect(client_id=client_id)

    assert subscribe(second, topic, name, selector="")["pending"] == "1"


def test_jms_338_durable_subscription_keeps_what_its_selector_selects(
    clients: Clients, topic: str, client_id: str, name: str
) -> None:
    sender, client = clients.connect(), clients.connect(client_id=client_id)
    headers = {"durable_subscription_name": name, "selector": "amount > 100"}
    client.subscribe(topic, "client-individual", **headers)
    client.disconnect()
    for amount in ("20", "500", "100", "101"):
        sender.send_message(topic, amount, amount=amount)

    client = clients.connect(client_id=client_id)
    client.subscribe(topic, "client-individual", **headers)

    client.expect_bodies("500", "101")
    client.expect_nothing()


@pytest.mark.parametrize("is_durable", [True, False], ids=["durable", "not durable"])
def test_jms_331_shared_subscription_divides_what_its_selector_selects(
    clients: Clients, topic: str, name: str, is_durable: bool
) -> None:
    first, second, sender = clients.connect(), clients.connect(), clients.connect()
    named = {("durable_subscription_name" if is_durable else "jms_subscription"): name}
    for client in (first, second):
        client.subscribe(topic, "client-individual", shared="true", selector="colour = 'red'", **named)

    for body, colour in (("1", "red"), ("2", "blue"), ("3", "red"), ("4", "blue")):
        sender.send_message(topic, body, colour=colour)

    first.expect_bodies("1")
    second.expect_bodies("3")
    first.expect_nothing()
    second.expect_nothing()


def test_jms_344_unsubscribe_deletes_by_name(clients: Clients, topic: str, client_id: str, name: str) -> None:
    first = clients.connect(client_id=client_id)
    subscribe(first, topic, name)
    first.request("UNSUBSCRIBE", {"id": "1"})
    first.send_message(topic, "a")

    first.request("UNSUBSCRIBE", {"id": "fresh", "durable-subscription-name": name})

    assert subscribe(first, topic, name)["pending"] == "0"
    first.expect_nothing()


def test_jms_344_unsubscribe_of_the_own_consumer_deletes_by_name(
    clients: Clients, topic: str, client_id: str, name: str
) -> None:
    client = clients.connect(client_id=client_id)
    subscribe(client, topic, name)
    client.send_message(topic, "a")
    client.expect_bodies("a")

    client.request("UNSUBSCRIBE", {"id": "1", "durable-subscription-name": name})

    assert subscribe(client, topic, name)["pending"] == "0"


def test_jms_345_unknown_name_is_refused(clients: Clients, client_id: str, name: str) -> None:
    client = clients.connect(client_id=client_id)

    client.send_frame("UNSUBSCRIBE", {"id": "1", "durable-subscription-name": name})

    client.expect_error("unknown-subscription", name, client_id)


def test_jms_346_deletion_is_refused_while_another_connection_has_a_consumer(
    clients: Clients, topic: str, name: str
) -> None:
    consumer, other = clients.connect(), clients.connect()
    subscribe(consumer, topic, name, shared="true")

    other.send_frame("UNSUBSCRIBE", {"id": "1", "durable-subscription-name": name})

    other.expect_error("subscription-conflict", name)
    clients.connect().send_message(topic, "a")
    consumer.expect_bodies("a")


def test_jms_346_deletion_is_refused_while_a_transaction_holds_a_message(
    clients: Clients, topic: str, client_id: str, name: str
) -> None:
    client = clients.connect(client_id=client_id)
    subscribe(client, topic, name)
    client.send_message(topic, "a")
    (message,) = client.expect_bodies("a")
    client.request("BEGIN", {"transaction": "t"})
    client.settle(message, transaction="t")

    client.send_frame("UNSUBSCRIBE", {"id": "1", "durable-subscription-name": name})

    client.expect_error("subscription-conflict", name, "COMMIT")


def test_jms_350_names_may_be_long(clients: Clients, topic: str, client_id: str) -> None:
    client = clients.connect(client_id=client_id)
    name = ("aZ0_.-" * 22)[:128]

    assert subscribe(client, topic, name)["durable-subscription-name"] == name


def test_jms_403_durable_subscriptions_survive_a_restart(
    start_broker: StartBroker, clients: Clients, store_url: str, request: pytest.FixtureRequest
) -> None:
    url = None if store_url.startswith("sqlite") else request.getfixturevalue("postgresql_url")
    broker = start_broker(store=url)
    topic = "/topic/restart"
    first = clients.connect(broker=broker, client_id="c")
    subscribe(first, topic, "n", selector="colour = 'red'", no_local="true")
    shared = clients.connect(broker=broker)
    subscribe(shared, topic, "m", shared="true")
    leave(first)
    leave(shared)
    sender = clients.connect(broker=broker)
    sender.send_message(topic, "a", colour="red")
    sender.send_message(topic, "b", colour="blue")
    broker.stop()
    broker.restart()

    first = clients.connect(broker=broker, client_id="c")
    shared = clients.connect(broker=broker)
    receipts = [
        subscribe(first, topic, "n", selector="colour = 'red'", no_local="true"),
        subscribe(shared, topic, "m", shared="true", prefetch_count="5"),
    ]

    assert [receipt["pending"] for receipt in receipts] == ["1", "2"]
    first.expect_bodies("a")
    shared.expect_bodies("a", "b")


def test_durable_subscription_holds_what_is_sent_in_a_transaction(
    clients: Clients, topic: str, client_id: str, name: str
) -> None:
    client = clients.connect(client_id=client_id)
    subscribe(client, topic, name)
    client.request("BEGIN", {"transaction": "t"})
    client.send_message(topic, "a", transaction="t")
    client.expect_nothing()

    client.request("COMMIT", {"transaction": "t"})

    client.expect_bodies("a")


def test_number_of_durable_subscriptions_is_limited(start_broker: StartBroker, clients: Clients) -> None:
    broker = start_broker("[limits]\ndurable_subscriptions = 1\n")
    client = clients.connect(broker=broker, client_id="c")
    subscribe(client, "/topic/t", "n")

    client.send_frame("SUBSCRIBE", {"destination": "/topic/t", "id": "2", "durable-subscription-name": "m"})

    client.expect_error("limit-exceeded", "limits.durable_subscriptions")


# Shared subscriptions.


@pytest.mark.parametrize("header", ["durable-subscription-name", "jms-subscription"])
def test_jms_331_consumers_of_a_shared_subscription_divide_the_messages(
    clients: Clients, topic: str, name: str, header: str
) -> None:
    consumers = clients.connect(), clients.connect()
    for consumer in consumers:
        consumer.request(
            "SUBSCRIBE",
            {"destination": topic, "id": "1", "ack": "client-individual", header: name, "shared": "true"},
        )
    sender = clients.connect()
    sender.send_message(topic, "a")
    sender.send_message(topic, "b")

    consumers[0].expect_bodies("a")
    consumers[1].expect_bodies("b")


def test_jms_332_shared_subscription_dies_with_its_last_consumer(clients: Clients, topic: str, name: str) -> None:
    headers = {"destination": topic, "id": "1", "jms-subscription": name, "shared": "true"}
    first, second = clients.connect(), clients.connect()
    first.request("SUBSCRIBE", headers)
    leave(first)
    second.send_message(topic, "a")

    second.request("SUBSCRIBE", headers)

    second.expect_nothing()


def test_jms_333_other_selector_is_refused_while_a_consumer_is_there(clients: Clients, topic: str, name: str) -> None:
    first, second = clients.connect(), clients.connect()
    subscribe(first, topic, name, shared="true", selector="a = 1")

    second.send_frame(
        "SUBSCRIBE", {"destination": topic, "id": "1", "durable-subscription-name": name, "shared": "true"}
    )

    second.expect_error("subscription-conflict", "selector:a = 1")


def test_jms_335_shared_and_unshared_share_their_names(clients: Clients, topic: str, client_id: str, name: str) -> None:
    client = clients.connect(client_id=client_id)
    subscribe(client, topic, name)
    client.request("UNSUBSCRIBE", {"id": "1"})

    client.send_frame(
        "SUBSCRIBE", {"destination": topic, "id": "1", "durable-subscription-name": name, "shared": "true"}
    )

    client.expect_error("subscription-conflict", name)


def test_jms_405_message_of_a_lost_consumer_goes_to_another(clients: Clients, topic: str, name: str) -> None:
    first, second = clients.connect(), clients.connect()
    subscribe(first, topic, name, shared="true")
    subscribe(second, topic, name, shared="true")
    second.send_message(topic, "a")
    first.expect_bodies("a")

    first.close()

    (message,) = second.expect_bodies("a")
    assert (message["redelivered"], message["JMSXDeliveryCount"]) == ("true", "2")


def test_jms_409_shared_subscription_gives_one_message_at_a_time(clients: Clients, topic: str, name: str) -> None:
    client = clients.connect()
    receipt = subscribe(client, topic, name, shared="true")
    sender = clients.connect()
    sender.send_message(topic, "a")
    sender.send_message(topic, "b")

    (message,) = client.expect_bodies("a")
    client.expect_nothing()
    client.ack(message)

    client.expect_bodies("b")
    assert receipt["prefetch-count"] == "1"


# Other brokers' dialects.


def test_activemq_group_of_a_virtual_topic(clients: Clients) -> None:
    topic = unique_name("VirtualTopic.t")
    consumers = clients.connect(), clients.connect()
    for consumer in consumers:
        consumer.subscribe(f"/queue/Consumer.g.{topic}", "client-individual")
    other = clients.connect()
    other.subscribe(f"/queue/Consumer.h.{topic}", "client-individual", prefetch_count="2")
    sender = clients.connect()
    sender.send_message(f"/topic/{topic}", "a")
    sender.send_message(f"/topic/{topic}", "b")

    consumers[0].expect_bodies("a")
    consumers[1].expect_bodies("b")
    other.expect_bodies("a", "b")


def test_group_by_its_own_header_is_the_same_as_activemqs(clients: Clients) -> None:
    topic = unique_name("VirtualTopic.t")
    client = clients.connect()
    client.subscribe(f"/topic/{topic}", subscription_group="g")
    leave(client)
    sender = clients.connect()
    sender.send_message(f"/topic/{topic}", "a")

    sender.subscribe(f"/queue/Consumer.g.{topic}")

    sender.expect_bodies("a")


def test_nothing_can_be_sent_to_the_queue_of_a_group(clients: Clients) -> None:
    client = clients.connect()

    client.send_frame("SEND", {"destination": "/queue/Consumer.g.VirtualTopic.t"})

    client.expect_error("invalid-destination", "/topic/VirtualTopic.t")


def test_rabbitmq_durable_subscription_by_id(clients: Clients, topic: str) -> None:
    headers = {"destination": topic, "id": "feed", "durable": "true", "auto-delete": "false"}
    first = clients.connect()
    first.request("SUBSCRIBE", headers)
    leave(first)
    second = clients.connect()
    second.send_message(topic, "a")

    second.request("SUBSCRIBE", headers)
    second.expect_bodies("a")
    second.request("UNSUBSCRIBE", {"id": "feed", "durable": "true"})

    second.send_message(topic, "b")
    second.request("SUBSCRIBE", headers)
    second.expect_nothing()


# Client ids.


@pytest.mark.parametrize("header", ["client-id", "client_id", "activemq.clientID"])
def test_jms_410_client_id_is_in_use_by_one_connection(clients: Clients, client_id: str, header: str) -> None:
    clients.connect(client_id=client_id)
    second = clients.dial()

    second.send_frame("CONNECT", {"accept-version": "1.2", "host": "localhost", header: client_id})

    second.expect_error("invalid-client-id", client_id)
    second.expect_closed()


def test_jms_197_client_id_is_free_when_its_connection_has_ended(clients: Clients, client_id: str) -> None:
    first = clients.connect(client_id=client_id)
    leave(first)

    second = clients.connect(client_id=client_id)

    second.expect_nothing()


def test_jms_198_empty_client_id_is_refused(clients: Clients) -> None:
    client = clients.dial()

    client.send_frame("CONNECT", {"accept-version": "1.2", "host": "localhost", "client-id": ""})

    client.expect_error("invalid-client-id", "client-id:")


# no-local.


def test_jms_347_no_local_keeps_out_what_the_same_connection_sends(clients: Clients, topic: str) -> None:
    client, other = clients.connect(), clients.connect()
    client.subscribe(topic, no_local="true")
    client.send_message(topic, "own")
    other.send_message(topic, "other")

    client.expect_bodies("other")


def test_jms_348_no_local_of_a_durable_subscription_keeps_out_what_the_same_client_sends(
    clients: Clients, topic: str, client_id: str, name: str
) -> None:
    first = clients.connect(client_id=client_id)
    subscribe(first, topic, name, no_local="true")
    leave(first)
    second = clients.connect(client_id=client_id)
    second.send_message(topic, "own")
    clients.connect().send_message(topic, "other")

    subscribe(second, topic, name, no_local="true")

    second.expect_bodies("other")

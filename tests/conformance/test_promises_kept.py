"""What the broker promises across its own end, and beyond its memory; on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conformance.conftest import StartBroker
from tests.harness.process import BrokerProcess
from tests.harness.raw import RawClient


@pytest.fixture
def own_broker(start_broker: StartBroker, database_url: str) -> BrokerProcess:
    """A broker for one test, which may stop or kill it and start it again."""
    return start_broker(store=database_url)


def send_all(client: RawClient, destination: str, *bodies: str, **headers: str) -> None:
    for body in bodies:
        client.send_message(destination, body, **headers)


def all_in(broker: BrokerProcess, destination: str) -> list[str]:
    """Take everything out of a queue."""
    with broker.client() as client:
        return [frame.body.decode() for frame in client.take_all(destination)]


@pytest.mark.parametrize("end", [BrokerProcess.kill, BrokerProcess.stop], ids=["killed", "stopped"])
def test_receipted_message_is_there_after_a_restart(
    own_broker: BrokerProcess, end: Callable[[BrokerProcess], object]
) -> None:
    with own_broker.client() as client:
        send_all(client, "/queue/orders", "1", "2", "3", colour="red")

    end(own_broker)
    own_broker.restart()

    with own_broker.client() as client:
        client.subscribe("/queue/orders")
        messages = client.expect_bodies("1", "2", "3")
    assert {(message["colour"], message["redelivered"]) for message in messages} == {("red", "false")}


def test_receipted_acknowledgement_is_settled_after_a_kill(own_broker: BrokerProcess) -> None:
    with own_broker.client() as client:
        send_all(client, "/queue/orders", "1", "2", "3")
        client.subscribe("/queue/orders", ack="client-individual")
        messages = client.expect_bodies("1", "2", "3")
        client.settle(messages[1])

        own_broker.kill()
    own_broker.restart()

    assert all_in(own_broker, "/queue/orders") == ["1", "3"]


def test_receipted_commit_is_whole_after_a_kill(own_broker: BrokerProcess) -> None:
    with own_broker.client() as client:
        send_all(client, "/queue/work", "work")
        client.subscribe("/queue/work", ack="client")
        [work] = client.expect_bodies("work")
        client.request("BEGIN", {"transaction": "t"})
        client.settle(work, transaction="t")
        send_all(client, "/queue/results", "1", "2", transaction="t")
        client.request("COMMIT", {"transaction": "t"})

        own_broker.kill()
    own_broker.restart()

    assert (all_in(own_broker, "/queue/work"), all_in(own_broker, "/queue/results")) == ([], ["1", "2"])


def test_open_transaction_leaves_nothing_after_a_kill(own_broker: BrokerProcess) -> None:
    with own_broker.client() as client:
        send_all(client, "/queue/work", "work")
        client.subscribe("/queue/work", ack="client")
        [work] = client.expect_bodies("work")
        client.request("BEGIN", {"transaction": "t"})
        client.settle(work, transaction="t")
        send_all(client, "/queue/results", "1", "2", transaction="t")

        own_broker.kill()
    own_broker.restart()

    assert (all_in(own_broker, "/queue/work"), all_in(own_broker, "/queue/results")) == (["work"], [])


def test_message_that_is_not_persistent_is_gone_after_a_restart(own_broker: BrokerProcess) -> None:
    with own_broker.client() as client:
        send_all(client, "/queue/orders", "forgotten", persistent="false")
        send_all(client, "/queue/orders", "by default")
        send_all(client, "/queue/orders", "persistent", persistent="true")

    own_broker.stop()
    own_broker.restart()

    assert all_in(own_broker, "/queue/orders") == ["by default", "persistent"]


def test_delivery_before_a_kill_is_flagged_after_it(own_broker: BrokerProcess) -> None:
    with own_broker.client() as client:
        send_all(client, "/queue/orders", "seen", "seen too", "never seen")
        client.subscribe("/queue/orders", ack="client", prefetch_count="2")
        client.expect_bodies("seen", "seen too")
        client.expect_nothing()

        own_broker.kill()
    own_broker.restart()

    with own_broker.client() as client:
        client.subscribe("/queue/orders")
        # One that was about to be delivered may be flagged as well; it is never the other way round.
        *seen, _ = client.expect_bodies("seen", "seen too", "never seen")
    assert [message["redelivered"] for message in seen] == ["true", "true"]


def test_delivery_count_outlives_a_clean_restart(own_broker: BrokerProcess) -> None:
    with own_broker.client() as client:
        send_all(client, "/queue/orders", "text")
        client.subscribe("/queue/orders", ack="client")
        message = client.expect("MESSAGE")
        client.ack(message, "NACK")
        client.expect("MESSAGE", JMSXDeliveryCount="2")
        client.disconnect()

    own_broker.stop()
    own_broker.restart()

    with own_broker.client() as client:
        client.subscribe("/queue/orders")
        message = client.expect("MESSAGE", redelivered="true")
    assert message["JMSXDeliveryCount"] == "3"


def test_queue_longer_than_memory_is_delivered_whole_and_in_order(start_broker: StartBroker, database_url: str) -> None:
    broker = start_broker("[limits]\nwindow_count = 50\nqueue_prefetch = 20\n", store=database_url)
    bodies = [str(number) for number in range(1000)]
    with broker.client() as sender, broker.client() as reader:
        for body in bodies:
            sender.send_frame("SEND", {"destination": "/queue/long"}, body.encode())
        sender.expect_nothing()

        reader.subscribe("/queue/long", ack="client-individual")

        for body in bodies:
            [message] = reader.expect_bodies(body)
            reader.ack(message)
        reader.expect_nothing()


def test_rejected_message_returns_to_its_place_in_a_long_queue(start_broker: StartBroker, database_url: str) -> None:
    broker = start_broker("[limits]\nwindow_count = 10\n", store=database_url)
    bodies = [str(number) for number in range(100)]
    with broker.client() as sender, broker.client() as reader:
        send_all(sender, "/queue/long", *bodies)
        reader.subscribe("/queue/long", ack="client", prefetch_count="30")
        held = reader.expect_bodies(*bodies[:30])

        reader.ack(held[9])
        reader.expect_bodies(*bodies[30:40])
        reader.disconnect()

        with broker.client() as other:
            other.subscribe("/queue/long")
            other.expect_bodies(*bodies[10:])


def test_subscriber_of_a_topic_that_falls_too_far_behind_gets_an_error(start_broker: StartBroker) -> None:
    broker = start_broker("[limits]\ntopic_backlog = 10\n")
    with broker.client() as sender, broker.client() as slow, broker.client() as good:
        slow.subscribe("/topic/news", ack="client", prefetch_count="1")
        good.subscribe("/topic/news")

        send_all(sender, "/topic/news", *map(str, range(12)))

        slow.expect_bodies("0")
        error = slow.expect("ERROR", error_code="slow-consumer")
        assert b"limits.topic_backlog" in error.body
        good.expect_bodies(*map(str, range(12)))

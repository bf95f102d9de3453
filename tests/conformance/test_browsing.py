"""Browsing over a socket, on SQLite and on PostgreSQL (JMS 3.1, 4.1.7; `browser:true`)."""

from __future__ import annotations

import pytest

from tests.conformance.conftest import StartBroker
from tests.harness.frames import RawFrame
from tests.harness.process import BrokerProcess
from tests.harness.raw import RawClient

QUEUE = "/queue/orders"
_MANY = 100_000


@pytest.fixture
def own_broker(start_broker: StartBroker, database_url: str) -> BrokerProcess:
    """A broker for one test."""
    return start_broker(store=database_url)


def browse(client: RawClient, **headers: str) -> list[RawFrame]:
    """Return what is shown, without the end."""
    client.subscribe(QUEUE, id="look", browser="true", **headers)
    frames = [client.expect("MESSAGE", subscription="look")]
    while frames[-1].get("browser") != "end":
        frames.append(client.expect("MESSAGE", subscription="look"))
    client.request("UNSUBSCRIBE", {"id": "look"})
    return frames[:-1]


def bodies(frames: list[RawFrame]) -> list[str]:
    return [frame.body.decode() for frame in frames]


def test_jms_321_browser_shows_all_in_order_and_takes_nothing(own_broker: BrokerProcess) -> None:
    with own_broker.client() as client, own_broker.client() as consumer:
        client.send_message(QUEUE, "2")
        client.send_message(QUEUE, "3", persistent="false")
        client.send_message(QUEUE, "1", priority="9")

        assert bodies(browse(client)) == ["1", "2", "3"]
        assert bodies(browse(client)) == ["1", "2", "3"]
        consumer.subscribe(QUEUE)
        messages = consumer.expect_bodies("1", "2", "3")
        assert {message["redelivered"] for message in messages} == {"false"}


def test_jms_416_end_is_that_of_activemq(own_broker: BrokerProcess) -> None:
    with own_broker.client() as client:
        client.subscribe(QUEUE, id="look", browser="true")

        end = client.expect("MESSAGE", browser="end", subscription="look", destination=QUEUE, message_id="0")

        assert end.body == b""


def test_jms_322_browser_has_a_selector(own_broker: BrokerProcess) -> None:
    with own_broker.client() as client:
        for number in range(6):
            client.send_message(QUEUE, str(number), colour="red" if number % 2 else "blue")

        assert bodies(browse(client, selector="colour = 'red'")) == ["1", "3", "5"]


def test_jms_324_browser_shows_nothing_that_is_not_due_has_expired_or_is_not_committed(
    own_broker: BrokerProcess,
) -> None:
    with own_broker.client() as client, own_broker.client() as other:
        client.send_message(QUEUE, "later", delay="600000")
        client.send_message(QUEUE, "gone", ttl="1")
        other.send_frame("BEGIN", {"transaction": "t"})
        other.send_message(QUEUE, "open", transaction="t")
        client.send_message(QUEUE, "there")

        assert bodies(browse(client)) == ["there"]


def test_jms_069_browsing_does_not_count_as_a_delivery(own_broker: BrokerProcess) -> None:
    with own_broker.client() as client, own_broker.client() as consumer:
        client.send_message(QUEUE, "1")
        consumer.subscribe(QUEUE, ack="client-individual")
        [message] = consumer.expect_bodies("1")
        consumer.ack(message, "NACK")
        consumer.expect_bodies("1")

        first, again = browse(client), browse(client)

        assert [first[0]["JMSXDeliveryCount"], again[0]["JMSXDeliveryCount"]] == ["2", "2"]


def test_browser_that_follows_shows_what_arrives(own_broker: BrokerProcess) -> None:
    with own_broker.client() as sender, own_broker.client() as client, own_broker.client() as consumer:
        sender.send_message(QUEUE, "1")
        client.subscribe(QUEUE, browser="true", browser_end="false")
        client.expect_bodies("1")
        consumer.subscribe(QUEUE)

        sender.send_message(QUEUE, "2")

        client.expect_bodies("2")
        consumer.expect_bodies("1", "2")


def test_browser_that_follows_shows_a_delayed_message_when_it_is_due(own_broker: BrokerProcess) -> None:
    with own_broker.client() as browser, own_broker.client() as sender:
        sender.send_message(QUEUE, "early", delay="300")
        browser.subscribe(QUEUE, id="look", browser="true", browser_end="false")
        sender.send_message(QUEUE, "late", delay="600")

        browser.expect_bodies("early", "late")


def test_long_queue_is_browsed_by_a_client_that_reads_slowly_and_others_go_on(own_broker: BrokerProcess) -> None:
    with own_broker.client() as sender, own_broker.client() as client, own_broker.client() as consumer:
        for _ in range(_MANY // 1_000):
            sender.send(b"SEND\ndestination:/queue/orders\n\n\0" * 1_000)
        sender.send_message(QUEUE, "last")
        before = own_broker.resident_bytes()
        client.send_frame("SUBSCRIBE", {"destination": QUEUE, "id": "look", "browser": "true"})
        consumer.subscribe(QUEUE, ack="client-individual", prefetch_count="1")
        consumer.ack(consumer.expect("MESSAGE"))
        consumer.expect("MESSAGE")

        seen = 0
        while client.expect("MESSAGE").get("browser") != "end":
            seen += 1

        assert _MANY - 1 <= seen <= _MANY + 1
        assert own_broker.resident_bytes() - before < 32 * 1024 * 1024


def test_queue_is_browsed_after_a_crash(start_broker: StartBroker, database_url: str) -> None:
    broker = start_broker("[limits]\nwindow_count = 5\n", store=database_url)
    with broker.client() as client:
        for number in range(20):
            client.send_message(QUEUE, str(number))
    broker.kill()
    broker.restart()

    with broker.client() as client:
        assert bodies(browse(client)) == [str(number) for number in range(20)]


@pytest.mark.parametrize("version", ["1.1", "1.2"])
@pytest.mark.parametrize("command", ["ACK", "NACK"])
def test_what_is_shown_cannot_be_settled(own_broker: BrokerProcess, version: str, command: str) -> None:
    with own_broker.client() as sender, own_broker.client(version) as client:
        sender.send_message(QUEUE, "1")
        client.subscribe(QUEUE, id="look", browser="true")
        message = client.expect("MESSAGE")
        assert message.get("ack") is None
        client.expect("MESSAGE", browser="end")
        name = {"id": "2-1-1"} if version == "1.2" else {"message-id": message["message-id"], "subscription": "look"}

        client.send_frame(command, name)

        client.expect_error("unknown-delivery", "browses /queue/orders")


def test_browser_acknowledges_automatically(own_broker: BrokerProcess) -> None:
    with own_broker.client() as client:
        client.send_frame("SUBSCRIBE", {"destination": QUEUE, "id": "1", "browser": "true", "ack": "client"})

        client.expect_error("invalid-header", "ack:client", "auto beside browser:true")


def test_topic_cannot_be_browsed(own_broker: BrokerProcess) -> None:
    with own_broker.client() as client:
        client.send_frame("SUBSCRIBE", {"destination": "/topic/a", "id": "1", "browser": "true"})

        client.expect_error("invalid-header", "browser:true", "/topic/a")

"""Groups, exclusive subscriptions and priorities over a socket, on SQLite and on PostgreSQL."""

from __future__ import annotations

import pytest

from tests.conformance.conftest import StartBroker
from tests.harness.process import BrokerProcess
from tests.harness.raw import RawClient

QUEUE = "/queue/orders"
_MANY = 30_000


@pytest.fixture
def own_broker(start_broker: StartBroker, database_url: str) -> BrokerProcess:
    """A broker for one test."""
    return start_broker(store=database_url)


def send(client: RawClient, *bodies: str) -> None:
    """Send messages to the queue, each to the group of its first letter."""
    for body in bodies:
        client.send_frame("SEND", {"destination": QUEUE, "JMSXGroupID": body[0]}, body.encode())
    client.request("SEND", {"destination": "/queue/barrier"})


def test_group_stays_with_its_subscription_and_goes_to_another_when_that_is_lost(own_broker: BrokerProcess) -> None:
    with own_broker.client() as sender, own_broker.client() as second:
        with own_broker.client() as first:
            for client in (first, second):
                client.subscribe(QUEUE, ack="client-individual", prefetch_count="2")
            send(sender, "a1", "b1", "a2", "a3")
            first.expect_bodies("a1", "a2")
            [other] = second.expect_bodies("b1")
            second.ack(other)

        frames = second.expect_bodies("a1", "a2")

        assert {frame["redelivered"] for frame in frames} == {"true"}
        second.ack(frames[0])
        second.expect_bodies("a3")


def test_group_that_waits_keeps_nobody_waiting_on_a_long_queue(own_broker: BrokerProcess) -> None:
    with own_broker.client() as sender, own_broker.client() as slow, own_broker.client() as fast:
        slow.subscribe(QUEUE, ack="client-individual", prefetch_count="1")
        send(sender, "a1")
        slow.expect_bodies("a1")
        for _ in range(_MANY // 1_000):
            sender.send(b"SEND\ndestination:/queue/orders\nJMSXGroupID:a\n\n\0" * 1_000)
        send(sender, "b1", "c1", "b2")

        fast.subscribe(QUEUE)

        fast.expect_bodies("b1", "c1", "b2")
        fast.expect_nothing()


def test_group_is_closed_by_its_last_message(own_broker: BrokerProcess) -> None:
    with own_broker.client() as sender, own_broker.client() as first, own_broker.client() as second:
        for client in (first, second):
            client.subscribe(QUEUE, ack="client-individual", prefetch_count="1")
        sender.send_message(QUEUE, "1", JMSXGroupID="a", JMSXGroupSeq="-1")
        first.expect_bodies("1")

        sender.send_message(QUEUE, "2", JMSXGroupID="a")

        second.expect_bodies("2")


def test_groups_are_kept_over_a_crash(start_broker: StartBroker, database_url: str) -> None:
    broker = start_broker("[limits]\nwindow_count = 5\n", store=database_url)
    with broker.client() as client:
        send(client, *(f"{group}{number}" for number in range(10) for group in "abc"))
    broker.kill()
    broker.restart()

    with broker.client() as first, broker.client() as second:
        received: list[str] = []
        for client in (first, second):
            client.subscribe(QUEUE, ack="client-individual", prefetch_count="3")
        seen: dict[str, list[str]] = {"a": [], "b": [], "c": []}
        while len(received) < 30:
            for client in (first, second):
                while frame := client.poll_frame(0.05):
                    received.append(frame.body.decode())
                    seen[received[-1][0]].append(f"{received[-1][1:]} {client is first}")
                    client.ack(frame)

    for numbers in seen.values():
        assert [number.split()[0] for number in numbers] == [str(number) for number in range(10)]
        assert len({number.split()[1] for number in numbers}) == 1


def test_too_many_groups_are_put_together(start_broker: StartBroker, database_url: str) -> None:
    broker = start_broker("[limits]\nmessage_groups = 2\n", store=database_url)
    with broker.client() as sender, broker.client() as client:
        client.subscribe(QUEUE)

        send(sender, "a1", "b1", "c1", "d1", "c2")

        client.expect_bodies("a1", "b1", "c1", "d1", "c2")


def test_exclusive_subscription_takes_over_in_order(own_broker: BrokerProcess) -> None:
    with own_broker.client() as sender, own_broker.client() as standby, own_broker.client() as idle:
        idle.subscribe(QUEUE)
        with own_broker.client() as active:
            active.subscribe(QUEUE, ack="client-individual", exclusive="true", prefetch_count="2")
            standby.subscribe(QUEUE, ack="client-individual", exclusive="true")
            for body in ("1", "2", "3"):
                sender.send_message(QUEUE, body)
            active.expect_bodies("1", "2")

        standby.expect_bodies("1", "2", "3")
        idle.expect_nothing()


def test_subscription_of_higher_priority_goes_first(own_broker: BrokerProcess) -> None:
    with own_broker.client() as sender, own_broker.client() as low, own_broker.client() as high:
        low.subscribe(QUEUE, ack="client-individual")
        high.subscribe(QUEUE, ack="client-individual", consumer_priority="7", prefetch_count="2")

        for body in ("1", "2", "3"):
            sender.send_message(QUEUE, body)

        high.expect_bodies("1", "2")
        low.expect_bodies("3")


@pytest.mark.parametrize(
    ("name", "value"),
    [("exclusive", "maybe"), ("consumer-priority", "high"), ("consumer-window-size", "-5"), ("browser", "2")],
)
def test_terms_that_cannot_be_read_are_refused(own_broker: BrokerProcess, name: str, value: str) -> None:
    with own_broker.client() as client:
        client.send_frame("SUBSCRIBE", {"destination": QUEUE, "id": "1", name: value, "receipt": "r"})

        client.expect_error("invalid-header", f"{name}:{value}", receipt="r")


@pytest.mark.parametrize(("name", "value"), [("JMSXGroupID", "g" * 256), ("JMSXGroupSeq", "last")])
def test_groups_that_cannot_be_read_are_refused(own_broker: BrokerProcess, name: str, value: str) -> None:
    with own_broker.client() as client:
        client.send_frame("SEND", {"destination": QUEUE, name: value, "receipt": "r"})

        client.expect_error("invalid-header", name, receipt="r")

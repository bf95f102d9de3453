"""Durable subscriptions of a broker that is killed in mid-load: every one keeps what was confirmed."""

from __future__ import annotations

import random

import pytest

from tests.harness.process import BrokerProcess
from tests.harness.raw import ConnectionEnded, RawClient

_MESSAGES = 2_000


def subscribe(client: RawClient, topic: str, name: str) -> int:
    """Subscribe under a name, and return how many messages wait for it."""
    receipt = client.request(
        "SUBSCRIBE",
        {
            "destination": topic,
            "id": name,
            "ack": "client-individual",
            "durable-subscription-name": name,
            "prefetch-count": "0",
        },
    )
    return int(receipt["pending"])


def publish(client: RawClient, topic: str, confirmations: int) -> set[str]:
    """Send many messages at once, and return which ones were confirmed when so many were."""
    for number in range(_MESSAGES):
        client.send_frame("SEND", {"destination": topic, "receipt": str(number)}, str(number).encode())
    return {client.expect("RECEIPT")["receipt-id"] for _ in range(confirmations)}


def read_rest(client: RawClient) -> set[str]:
    """Return the receipts that had still been on their way."""
    found = set()
    try:
        while True:
            found.add(client.expect("RECEIPT")["receipt-id"])
    except (ConnectionEnded, OSError):
        return found


@pytest.mark.parametrize("seed", range(4))
def test_killed_broker_keeps_what_it_confirmed_for_every_durable_subscription(broker: BrokerProcess, seed: int) -> None:
    topic, client_id = f"/topic/feed-{seed}", f"client-{seed}"
    with broker.client() as publisher, broker.client(None) as consumer:
        consumer.connect(client_id=client_id)
        for name in ("active", "idle"):
            subscribe(consumer, topic, name)
        consumer.request("UNSUBSCRIBE", {"id": "idle"})
        confirmed = publish(publisher, topic, random.Random(seed).randint(10, _MESSAGES - 10))
        settled = consumer.expect("MESSAGE")
        consumer.ack(settled, receipt="settled")
        while consumer.read_frame().command != "RECEIPT":
            pass
        broker.kill()
        confirmed |= read_rest(publisher)
    broker.restart()

    with broker.client(None) as client:
        client.connect(client_id=client_id)
        pending = subscribe(client, topic, "idle")
        idle = [client.expect("MESSAGE") for _ in range(pending)]
        pending = subscribe(client, topic, "active")
        active = [client.expect("MESSAGE") for _ in range(pending)]
        for name in ("active", "idle"):
            client.request("UNSUBSCRIBE", {"id": name, "durable-subscription-name": name})

    bodies = [frame.body.decode() for frame in idle]
    assert confirmed <= set(bodies)
    assert bodies == sorted(bodies, key=int)
    assert [frame.body for frame in active] == [frame.body for frame in idle if frame.body != settled.body]
    assert {frame["redelivered"] for frame in active[:1]} == {"true"}


def test_killed_broker_forgets_what_was_deleted(broker: BrokerProcess) -> None:
    with broker.client(None) as client:
        client.connect(client_id="forgetful")
        subscribe(client, "/topic/forgotten", "n")
        client.request("UNSUBSCRIBE", {"id": "n"})
        client.send_message("/topic/forgotten", "a")
        client.request("UNSUBSCRIBE", {"id": "n", "durable-subscription-name": "n"})
        broker.kill()
    broker.restart()

    with broker.client(None) as client:
        client.connect(client_id="forgetful")
        client.send_frame("UNSUBSCRIBE", {"id": "n", "durable-subscription-name": "n"})

        client.expect_error("unknown-subscription")


def test_killed_broker_keeps_the_replacement(broker: BrokerProcess) -> None:
    with broker.client(None) as client:
        client.connect(client_id="fickle")
        subscribe(client, "/topic/first", "n")
        client.request("UNSUBSCRIBE", {"id": "n"})
        client.send_message("/topic/first", "a")
        subscribe(client, "/topic/second", "n")
        client.request("UNSUBSCRIBE", {"id": "n"})
        client.send_message("/topic/first", "b")
        client.send_message("/topic/second", "c")
        broker.kill()
    broker.restart()

    with broker.client(None) as client:
        client.connect(client_id="fickle")

        assert subscribe(client, "/topic/second", "n") == 1
        client.expect_bodies("c")

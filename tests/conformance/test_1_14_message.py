"""STOMP rules, section 1.14: MESSAGE."""

from __future__ import annotations

import re

import pytest

from tests.conformance.conftest import Clients

VERSIONS = ["1.0", "1.1", "1.2"]


@pytest.mark.parametrize("version", VERSIONS)
def test_s10_msg_1_message_has_destination_and_unique_message_id(clients: Clients, queue: str, version: str) -> None:
    client = clients.connect(version)
    for _ in range(20):
        client.send_message(queue)

    client.subscribe(queue)

    messages = [client.expect("MESSAGE", destination=queue) for _ in range(20)]
    assert len({message["message-id"] for message in messages}) == 20


@pytest.mark.parametrize("version", VERSIONS)
def test_s10_msg_1_message_id_needs_no_escapes(clients: Clients, queue: str, version: str) -> None:
    client = clients.connect(version)
    client.send_message(queue)

    client.subscribe(queue, ack="client")

    message = client.expect("MESSAGE")
    assert re.fullmatch(r"[A-Za-z0-9._-]+", message["message-id"])
    assert re.fullmatch(r"[A-Za-z0-9._-]+", message.get("ack") or "none")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("sent", "read"), [("/queue/{}", "/queue/{}"), ("queue://{}", "/queue/{}"), ("/queue/{}%2Fb", "/queue/{}/b")]
)
def test_s12_msg_2_destination_is_spelled_as_in_the_send(
    clients: Clients, queue: str, version: str, sent: str, read: str
) -> None:
    client = clients.connect(version)
    name = queue.removeprefix("/queue/")

    client.send_message(sent.format(name))

    client.subscribe(read.format(name))
    client.expect("MESSAGE", destination=sent.format(name))


@pytest.mark.parametrize("version", VERSIONS)
def test_s11_msg_3_subscription_is_the_id_of_the_receiving_one(clients: Clients, topic: str, version: str) -> None:
    client, sender = clients.connect(version), clients.connect()
    for name in ("one", "two:2", "drei-größe"):
        client.subscribe(topic, id=name)

    sender.send_message(topic)

    received = sorted(client.expect("MESSAGE")["subscription"] for _ in range(3))
    assert received == sorted(["one", "two:2", "drei-größe"])


@pytest.mark.parametrize("mode", ["client", "client-individual"])
def test_s12_msg_4_1_2_message_has_an_ack_header_in_client_modes(clients: Clients, queue: str, mode: str) -> None:
    client = clients.connect("1.2")
    client.send_message(queue)

    client.subscribe(queue, ack=mode)

    assert client.expect("MESSAGE")["ack"]


def test_s12_msg_4_1_0_message_has_no_ack_header(clients: Clients, queue: str) -> None:
    client = clients.connect("1.0")
    client.send_message(queue)

    client.subscribe(queue, ack="client")

    assert "ack" not in client.expect("MESSAGE")


@pytest.mark.parametrize("version", VERSIONS)
def test_s11_msg_5_headers_of_the_sender_come_with_those_of_the_broker(
    clients: Clients, queue: str, version: str
) -> None:
    client = clients.connect(version)

    client.send_message(queue, colour="red", size="12", shape="")

    client.subscribe(queue)
    message = client.expect("MESSAGE", colour="red", size="12", shape="")
    assert {"redelivered", "JMSXDeliveryCount", "timestamp", "priority", "persistent"} <= set(message.names)


@pytest.mark.parametrize("version", VERSIONS)
def test_s10_msg_6_message_id_is_the_same_for_every_subscriber(clients: Clients, topic: str, version: str) -> None:
    readers = [clients.connect(version) for _ in range(3)]
    for number, reader in enumerate(readers):
        reader.subscribe(topic, id=str(number))

    clients.connect().send_message(topic)

    assert len({reader.expect("MESSAGE")["message-id"] for reader in readers}) == 1


@pytest.mark.parametrize("version", VERSIONS)
def test_s10_msg_6_message_id_is_the_same_when_delivered_again(clients: Clients, queue: str, version: str) -> None:
    first, second = clients.connect(version), clients.connect(version)
    first.send_message(queue)
    first.subscribe(queue, ack="client")
    message = first.expect("MESSAGE")

    first.close()

    second.subscribe(queue)
    second.expect("MESSAGE", redelivered="true", message_id=message["message-id"])

"""STOMP rules, section 1.11: ACK and NACK."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conformance.conftest import Clients
from tests.harness.raw import RawClient

VERSIONS = ["1.0", "1.1", "1.2"]

Contents = Callable[[str], list[str]]


def send_all(client: RawClient, destination: str, *bodies: str) -> None:
    for body in bodies:
        client.send_message(destination, body)


def test_s10_ack_1_1_0_acknowledges_by_message_id(clients: Clients, queue: str, contents: Contents) -> None:
    client = clients.connect("1.0")
    send_all(client, queue, "first", "second")
    client.request("SUBSCRIBE", {"destination": queue, "ack": "client"})
    first, _ = client.expect_bodies("first", "second")

    client.request("ACK", {"message-id": first["message-id"]})
    client.disconnect()

    assert contents(queue) == ["second"]


@pytest.mark.parametrize("command", ["ACK", "NACK"])
def test_s10_ack_1_1_0_acknowledgement_needs_message_id(clients: Clients, command: str) -> None:
    client = clients.connect("1.0")

    client.send_frame(command, {"receipt": "r"})

    client.expect_error("missing-header", "message-id", command, receipt="r")


@pytest.mark.parametrize("command", ["ACK", "NACK"])
@pytest.mark.parametrize("missing", ["message-id", "subscription"])
def test_s11_ack_2_1_1_acknowledgement_needs_message_id_and_subscription(
    clients: Clients, queue: str, command: str, missing: str
) -> None:
    client = clients.connect("1.1")
    client.send_message(queue)
    client.subscribe(queue, ack="client")
    message = client.expect("MESSAGE")
    headers = {"message-id": message["message-id"], "subscription": "1", "receipt": "r"}
    del headers[missing]

    client.send_frame(command, headers)

    client.expect_error("missing-header", missing, command, receipt="r")


def test_s12_ack_3_1_2_acknowledges_by_the_ack_header(clients: Clients, queue: str, contents: Contents) -> None:
    client = clients.connect("1.2")
    send_all(client, queue, "first", "second")
    client.subscribe(queue, ack="client")
    first, _ = client.expect_bodies("first", "second")

    client.request("ACK", {"id": first["ack"], "message-id": "ignored", "subscription": "ignored"})
    client.disconnect()

    assert contents(queue) == ["second"]


@pytest.mark.parametrize("command", ["ACK", "NACK"])
def test_s12_ack_3_1_2_acknowledgement_needs_id(clients: Clients, queue: str, command: str) -> None:
    client = clients.connect("1.2")
    client.send_message(queue)
    client.subscribe(queue, ack="client")
    message = client.expect("MESSAGE")

    client.send_frame(command, {"message-id": message["message-id"], "subscription": "1", "receipt": "r"})

    client.expect_error("missing-header", "id", command, receipt="r")


def test_s12_ack_4_ack_header_is_there_for_client_modes_only(clients: Clients, queue: str) -> None:
    client = clients.connect("1.2")
    sender = clients.connect()

    for mode in ("auto", "client", "client-individual"):
        client.subscribe(f"{queue}-{mode}", ack=mode, id=mode)
    has_ack = {}
    for mode in ("auto", "client", "client-individual"):
        sender.send_message(f"{queue}-{mode}")
        has_ack[mode] = "ack" in client.expect("MESSAGE", subscription=mode)

    assert has_ack == {"auto": False, "client": True, "client-individual": True}


def test_s12_ack_4_ack_header_is_unique_per_delivery(clients: Clients, topic: str, queue: str) -> None:
    client, sender = clients.connect("1.2"), clients.connect()
    client.subscribe(topic, ack="client", id="one")
    client.subscribe(topic, ack="client-individual", id="two")
    client.subscribe(queue, ack="client", id="three")
    send_all(sender, topic, "a", "b")
    send_all(sender, queue, "c", "d")
    messages = [client.expect("MESSAGE") for _ in range(6)]
    client.ack(messages[-1], "NACK")
    messages += [client.expect("MESSAGE", redelivered="true") for _ in range(2)]

    names = [message["ack"] for message in messages]

    assert len(set(names)) == 8


@pytest.mark.parametrize("version", VERSIONS)
def test_s11_ack_5_client_mode_is_cumulative(clients: Clients, queue: str, version: str, contents: Contents) -> None:
    client = clients.connect(version)
    send_all(client, queue, "1", "2", "3", "4")
    client.subscribe(queue, ack="client")
    messages = client.expect_bodies("1", "2", "3", "4")

    client.settle(messages[2])
    client.disconnect()

    assert contents(queue) == ["4"]


@pytest.mark.parametrize("version", VERSIONS)
def test_s11_ack_5_cumulative_ack_ends_at_its_subscription(
    clients: Clients, queue: str, version: str, contents: Contents
) -> None:
    client = clients.connect(version)
    older, newer = f"{queue}-older", f"{queue}-newer"
    send_all(client, older, "older")
    send_all(client, newer, "newer")
    client.subscribe(older, ack="client", id="older")
    client.expect_bodies("older")
    client.subscribe(newer, ack="client", id="newer")
    [message] = client.expect_bodies("newer")

    client.settle(message)
    client.disconnect()

    assert (contents(older), contents(newer)) == (["older"], [])


@pytest.mark.parametrize("version", VERSIONS)
def test_s11_ack_6_individual_ack_settles_one_message(
    clients: Clients, queue: str, version: str, contents: Contents
) -> None:
    client = clients.connect(version)
    send_all(client, queue, "1", "2", "3", "4")
    client.subscribe(queue, ack="client-individual")
    messages = client.expect_bodies("1", "2", "3", "4")

    client.settle(messages[2])
    client.settle(messages[0])
    client.disconnect()

    assert contents(queue) == ["2", "4"]


@pytest.mark.parametrize("version", VERSIONS)
def test_s10_ack_7_auto_mode_consumes_what_was_sent(
    clients: Clients, queue: str, version: str, contents: Contents
) -> None:
    client = clients.connect(version)
    send_all(client, queue, "1", "2")
    client.subscribe(queue, ack="auto")
    client.expect_bodies("1", "2")

    client.close()

    assert contents(queue) == []


def test_s10_ack_7_what_never_left_the_broker_returns(clients: Clients, queue: str) -> None:
    sender = clients.connect()
    numbers = [f"{number:06}" for number in range(40)]
    for number in numbers:
        sender.send_message(queue, number + "x" * 500_000)
    lost = clients.connect(receive_buffer=8192)
    lost.subscribe(queue, prefetch_count="0")

    lost.reset()

    reader = clients.connect()
    reader.subscribe(queue, prefetch_count="0")
    messages = [frame for frame in reader.frames_before_barrier() if frame.command == "MESSAGE"]
    while not messages or messages[-1].body[:6] != numbers[-1].encode():
        messages.append(reader.expect("MESSAGE"))
    received = [message.body[:6].decode() for message in messages]
    assert received == numbers[-len(received) :]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("ack", ["client", "client-individual"])
def test_s11_ack_8_message_of_a_lost_connection_goes_to_another_client(
    clients: Clients, queue: str, version: str, ack: str
) -> None:
    lost, other = clients.connect(version), clients.connect(version)
    lost.send_message(queue, "text")
    lost.subscribe(queue, ack=ack)
    lost.expect_bodies("text")
    other.subscribe(queue, ack=ack)

    lost.reset()

    assert other.expect("MESSAGE", redelivered="true", JMSXDeliveryCount="2").body == b"text"


@pytest.mark.parametrize("version", VERSIONS)
def test_s11_nack_9_nack_is_cumulative_in_client_mode(clients: Clients, queue: str, version: str) -> None:
    client = clients.connect(version)
    send_all(client, queue, "1", "2", "3")
    client.subscribe(queue, ack="client")
    messages = client.expect_bodies("1", "2", "3")

    client.ack(messages[1], "NACK")

    returned = client.expect_bodies("1", "2")
    assert [message["redelivered"] for message in returned] == ["true", "true"]
    client.expect_nothing()


@pytest.mark.parametrize("version", VERSIONS)
def test_s11_nack_9_nack_is_single_in_individual_mode(clients: Clients, queue: str, version: str) -> None:
    client = clients.connect(version)
    send_all(client, queue, "1", "2", "3")
    client.subscribe(queue, ack="client-individual")
    messages = client.expect_bodies("1", "2", "3")

    client.ack(messages[1], "NACK")

    assert client.expect("MESSAGE", redelivered="true").body == b"2"
    client.expect_nothing()


@pytest.mark.parametrize("version", VERSIONS)
def test_s11_nack_10_rejected_message_is_delivered_again_and_counted(
    clients: Clients, queue: str, version: str
) -> None:
    client = clients.connect(version)
    client.send_message(queue, "text")
    client.subscribe(queue, ack="client-individual")
    message = client.expect("MESSAGE", redelivered="false", JMSXDeliveryCount="1")

    for count in ("2", "3", "4"):
        client.ack(message, "NACK")
        message = client.expect("MESSAGE", redelivered="true", JMSXDeliveryCount=count)

    assert message.body == b"text"


def test_s11_nack_11_nack_of_a_1_0_client_is_accepted(clients: Clients, queue: str) -> None:
    client = clients.connect("1.0")
    client.send_message(queue, "text")
    client.subscribe(queue, ack="client")
    message = client.expect("MESSAGE")

    client.ack(message, "NACK")

    client.expect("MESSAGE", redelivered="true", message_id=message["message-id"])


@pytest.mark.parametrize("version", VERSIONS)
def test_s11_ack_12_ack_in_a_transaction_waits_for_its_commit(
    clients: Clients, queue: str, version: str, contents: Contents
) -> None:
    client = clients.connect(version)
    client.send_message(queue, "text")
    client.subscribe(queue, ack="client")
    message = client.expect("MESSAGE")
    client.request("BEGIN", {"transaction": "t"})

    client.settle(message, transaction="t")
    client.close()

    assert contents(queue) == ["text"]


@pytest.mark.parametrize("version", VERSIONS)
def test_s11_ack_12_ack_in_a_transaction_takes_effect_with_its_commit(
    clients: Clients, queue: str, version: str, contents: Contents
) -> None:
    client = clients.connect(version)
    client.send_message(queue, "text")
    client.subscribe(queue, ack="client")
    message = client.expect("MESSAGE")
    client.request("BEGIN", {"transaction": "t"})
    client.settle(message, transaction="t")

    client.request("COMMIT", {"transaction": "t"})
    client.close()

    assert contents(queue) == []


@pytest.mark.parametrize("version", VERSIONS)
def test_s11_ack_12_nack_in_a_transaction_waits_for_its_commit(clients: Clients, queue: str, version: str) -> None:
    client = clients.connect(version)
    client.send_message(queue, "text")
    client.subscribe(queue, ack="client")
    message = client.expect("MESSAGE")
    client.request("BEGIN", {"transaction": "t"})
    client.settle(message, "NACK", transaction="t")
    client.expect_nothing()

    client.send_frame("COMMIT", {"transaction": "t"})

    client.expect("MESSAGE", redelivered="true")


@pytest.mark.parametrize("version", ["1.1", "1.2"])
@pytest.mark.parametrize("command", ["ACK", "NACK"])
def test_s11_ack_12_acknowledgement_in_an_unknown_transaction_is_refused(
    clients: Clients, queue: str, version: str, command: str
) -> None:
    client = clients.connect(version)
    client.send_message(queue, "text")
    client.subscribe(queue, ack="client")
    message = client.expect("MESSAGE")

    client.ack(message, command, transaction="never-begun", receipt="r")

    client.expect_error("unknown-transaction", "never-begun", receipt="r")


@pytest.mark.parametrize("command", ["ACK", "NACK"])
@pytest.mark.parametrize(
    ("version", "headers"),
    [
        ("1.0", {"message-id": "never-issued"}),
        ("1.1", {"message-id": "never-issued", "subscription": "1"}),
        ("1.2", {"id": "never-issued"}),
    ],
)
def test_s12_ack_13_id_that_was_never_issued_is_refused(
    clients: Clients, queue: str, command: str, version: str, headers: dict[str, str]
) -> None:
    client = clients.connect(version)
    client.subscribe(queue, ack="client")

    client.send_frame(command, {**headers, "receipt": "r"})

    client.expect_error("unknown-delivery", "never-issued", receipt="r")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("command", ["ACK", "NACK"])
@pytest.mark.parametrize("mode", ["client", "client-individual"])
def test_s12_ack_13_settled_delivery_is_ignored(
    clients: Clients, queue: str, version: str, command: str, mode: str
) -> None:
    client = clients.connect(version)
    send_all(client, queue, "1", "2")
    client.subscribe(queue, ack=mode)
    first, _ = client.expect_bodies("1", "2")
    client.settle(first)

    client.settle(first, command)

    client.expect_nothing()


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("command", ["ACK", "NACK"])
def test_s10_ack_14_acknowledgement_on_an_auto_subscription_is_ignored(
    clients: Clients, queue: str, version: str, command: str
) -> None:
    client = clients.connect(version)
    client.send_message(queue, "text")
    client.subscribe(queue, ack="auto")
    [message] = client.expect_bodies("text")

    client.settle(message, command)

    client.expect_nothing()

"""STOMP rules, section 1.10: SUBSCRIBE and UNSUBSCRIBE."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conformance.conftest import Clients

VERSIONS = ["1.0", "1.1", "1.2"]


@pytest.mark.parametrize("version", VERSIONS)
def test_s10_sub_1_destination_is_required(clients: Clients, version: str) -> None:
    client = clients.connect(version)

    client.send_frame("SUBSCRIBE", {"id": "1", "receipt": "r"})

    client.expect_error("missing-header", "destination", "SUBSCRIBE", receipt="r")


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_s11_sub_2_id_is_required(clients: Clients, queue: str, version: str) -> None:
    client = clients.connect(version)

    client.send_frame("SUBSCRIBE", {"destination": queue, "receipt": "r"})

    client.expect_error("missing-header", "id", receipt="r")


@pytest.mark.parametrize("version", VERSIONS)
def test_s11_sub_2_id_in_use_is_refused(clients: Clients, queue: str, version: str) -> None:
    client = clients.connect(version)
    client.subscribe(queue, id="mine")

    client.send_frame("SUBSCRIBE", {"destination": f"{queue}-other", "id": "mine", "receipt": "r"})

    client.expect_error("duplicate-subscription", "mine", receipt="r")


@pytest.mark.parametrize("version", VERSIONS)
def test_s11_sub_2_id_is_free_again_after_unsubscribe(clients: Clients, queue: str, version: str) -> None:
    client = clients.connect(version)
    client.subscribe(f"{queue}-first", id="mine")
    client.request("UNSUBSCRIBE", {"id": "mine"})

    client.subscribe(queue, id="mine")

    clients.connect().send_message(queue, "text")
    client.expect("MESSAGE", subscription="mine")


def test_s11_sub_2_another_connection_may_use_the_same_id(clients: Clients, topic: str) -> None:
    first, second = clients.connect(), clients.connect()
    first.subscribe(topic, id="same")

    second.subscribe(topic, id="same")

    clients.connect().send_message(topic, "text")
    assert [client.expect("MESSAGE")["subscription"] for client in (first, second)] == ["same", "same"]


def test_s10_sub_3_1_0_subscription_needs_no_id(clients: Clients, queue: str) -> None:
    client = clients.connect("1.0")

    client.request("SUBSCRIBE", {"destination": queue})

    clients.connect().send_message(queue, "text")
    assert "subscription" not in client.expect("MESSAGE")


def test_s10_sub_3_1_0_message_carries_the_id_that_was_given(clients: Clients, queue: str) -> None:
    client = clients.connect("1.0")

    client.subscribe(queue, id="mine")

    clients.connect().send_message(queue, "text")
    client.expect("MESSAGE", subscription="mine")


def test_s10_sub_3_destination_is_the_key_of_a_1_0_subscription_without_id(clients: Clients, queue: str) -> None:
    client = clients.connect("1.0")
    client.request("SUBSCRIBE", {"destination": queue})

    client.send_frame("SUBSCRIBE", {"destination": queue})

    client.expect_error("duplicate-subscription", queue)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("ack", ["auto", "client", "client-individual"])
def test_s10_sub_4_ack_modes_are_known(clients: Clients, queue: str, version: str, ack: str) -> None:
    client = clients.connect(version)

    client.subscribe(queue, ack=ack)

    clients.connect().send_message(queue, "text")
    client.expect_bodies("text")


@pytest.mark.parametrize("version", VERSIONS)
def test_s10_sub_4_ack_mode_is_auto_by_default(
    clients: Clients, queue: str, version: str, contents: Callable[[str], list[str]]
) -> None:
    client = clients.connect(version)
    client.send_message(queue, "text")

    client.request("SUBSCRIBE", {"destination": queue, "id": "1"})
    client.expect_bodies("text")
    client.disconnect()

    assert contents(queue) == []


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("ack", ["Client", "individual", ""])
def test_s10_sub_4_unknown_ack_mode_is_refused(clients: Clients, queue: str, version: str, ack: str) -> None:
    client = clients.connect(version)

    client.send_frame("SUBSCRIBE", {"destination": queue, "id": "1", "ack": ack, "receipt": "r"})

    client.expect_error("invalid-header", "ack", "client-individual", receipt="r")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("destination", ["nowhere", "/nowhere/x", "/queue/", "/topic/a*", "/topic/>.a"])
def test_s11_sub_5_subscription_that_cannot_be_is_refused(clients: Clients, version: str, destination: str) -> None:
    client = clients.connect(version)

    client.send_frame("SUBSCRIBE", {"destination": destination, "id": "1", "receipt": "r"})

    client.expect_error("invalid-destination", "destination", receipt="r")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ["prefetch-count", "activemq.prefetchSize", "credit", "prefetch"])
def test_s11_sub_6_prefetch_is_a_header_of_ours(clients: Clients, queue: str, version: str, name: str) -> None:
    client = clients.connect(version)
    for body in ("first", "second"):
        client.send_message(queue, body)

    client.request("SUBSCRIBE", {"destination": queue, "id": "1", "ack": "client", name: "1"})

    first, *_ = client.expect_bodies("first")
    client.expect_nothing()
    client.ack(first)
    client.expect_bodies("second")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("value", ["many", "-1", "1.5", "9" * 30])
def test_s11_sub_6_prefetch_that_is_no_number_is_refused(
    clients: Clients, queue: str, version: str, value: str
) -> None:
    client = clients.connect(version)

    client.send_frame("SUBSCRIBE", {"destination": queue, "id": "1", "prefetch-count": value})

    client.expect_error("invalid-header", "prefetch-count")


@pytest.mark.parametrize("version", VERSIONS)
def test_s10_sub_7_selector_filters(clients: Clients, queue: str, version: str) -> None:
    client, sender = clients.connect(version), clients.connect()

    client.subscribe(queue, selector="colour = 'red'")

    sender.send_message(queue, "1", colour="blue")
    sender.send_message(queue, "2", colour="red")
    client.expect_bodies("2")
    client.expect_nothing()


@pytest.mark.parametrize("version", VERSIONS)
def test_s10_sub_8_receipt_comes_before_the_first_message(clients: Clients, queue: str, version: str) -> None:
    client = clients.connect(version)
    for number in range(5):
        client.send_message(queue, str(number))

    client.send_frame("SUBSCRIBE", {"destination": queue, "id": "1", "receipt": "r"})

    client.expect("RECEIPT", receipt_id="r")
    client.expect_bodies("0", "1", "2", "3", "4")


def test_s10_uns_1_1_0_unsubscribes_by_destination(clients: Clients, queue: str) -> None:
    client = clients.connect("1.0")
    client.request("SUBSCRIBE", {"destination": queue})

    client.request("UNSUBSCRIBE", {"destination": queue})

    clients.connect().send_message(queue, "text")
    client.expect_nothing()


@pytest.mark.parametrize("version", VERSIONS)
def test_s10_uns_1_unsubscribes_by_id(clients: Clients, queue: str, version: str) -> None:
    client = clients.connect(version)
    client.subscribe(queue, id="mine")

    client.request("UNSUBSCRIBE", {"id": "mine"})

    clients.connect().send_message(queue, "text")
    client.expect_nothing()


def test_s10_uns_1_1_0_unsubscribe_needs_id_or_destination(clients: Clients) -> None:
    client = clients.connect("1.0")

    client.send_frame("UNSUBSCRIBE", {"receipt": "r"})

    client.expect_error("missing-header", "destination", "id", receipt="r")


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_s10_uns_1_id_is_required(clients: Clients, queue: str, version: str) -> None:
    client = clients.connect(version)
    client.subscribe(queue)

    client.send_frame("UNSUBSCRIBE", {"destination": queue, "receipt": "r"})

    client.expect_error("missing-header", "id", receipt="r")


@pytest.mark.parametrize("version", VERSIONS)
def test_s10_uns_1_unknown_subscription_is_refused(clients: Clients, version: str) -> None:
    client = clients.connect(version)

    client.send_frame("UNSUBSCRIBE", {"id": "no-such-id", "receipt": "r"})

    client.expect_error("unknown-subscription", "no-such-id", receipt="r")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", ["queue", "topic"])
def test_s11_uns_2_no_message_comes_after_unsubscribe(clients: Clients, version: str, kind: str, queue: str) -> None:
    destination = queue.replace("/queue/", f"/{kind}/")
    client, sender = clients.connect(version), clients.connect()
    client.subscribe(destination)
    sender.send_message(destination, "before")
    client.expect_bodies("before")

    client.request("UNSUBSCRIBE", {"id": "1"})
    sender.send_message(destination, "after")

    client.expect_nothing()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("ack", ["client", "client-individual"])
def test_s11_uns_3_unacknowledged_messages_return_at_once(clients: Clients, queue: str, version: str, ack: str) -> None:
    client, reader = clients.connect(version), clients.connect()
    for body in ("first", "second"):
        client.send_message(queue, body)
    client.subscribe(queue, ack=ack)
    client.expect_bodies("first", "second")

    client.request("UNSUBSCRIBE", {"id": "1"})

    reader.subscribe(queue)
    returned = reader.expect_bodies("first", "second")
    assert [(frame["redelivered"], frame["JMSXDeliveryCount"]) for frame in returned] == [("true", "2")] * 2


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("command", ["ACK", "NACK"])
def test_s11_uns_3_late_acknowledgement_is_tolerated_and_changes_nothing(
    clients: Clients, queue: str, version: str, command: str, contents: Callable[[str], list[str]]
) -> None:
    client = clients.connect(version)
    client.send_message(queue, "text")
    client.subscribe(queue, ack="client")
    [message] = client.expect_bodies("text")
    client.request("UNSUBSCRIBE", {"id": "1"})

    client.settle(message, command)

    assert contents(queue) == ["text"]

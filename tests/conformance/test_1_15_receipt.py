"""STOMP rules, section 1.15: RECEIPT."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conformance.conftest import Clients
from tests.harness.raw import RawClient, acknowledgement

VERSIONS = ["1.0", "1.1", "1.2"]

Contents = Callable[[str], list[str]]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("receipt", ["1", "with space", "a:b", "größe-漢", "x" * 1000])
def test_s10_rcp_1_receipt_id_is_the_receipt_header(clients: Clients, queue: str, version: str, receipt: str) -> None:
    client = clients.connect(version)

    client.send_frame("SEND", {"destination": queue, "receipt": receipt})

    assert client.expect("RECEIPT", receipt_id=receipt).body == b""


@pytest.mark.parametrize("version", VERSIONS)
def test_s10_rcp_1_every_frame_gets_exactly_one(clients: Clients, queue: str, version: str) -> None:
    client = clients.connect(version)

    for _ in range(3):
        client.send_frame("SEND", {"destination": queue, "receipt": "the same"})

    for _ in range(3):
        client.expect("RECEIPT", receipt_id="the same")
    client.expect_nothing()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("persistent", ["true", "false"])
def test_s12_rcp_2_what_has_a_receipt_is_there_for_others(
    clients: Clients, queue: str, version: str, persistent: str
) -> None:
    sender, reader = clients.connect(version), clients.connect(version)
    reader.subscribe(queue)

    sender.send_message(queue, "text", persistent=persistent)

    assert [frame.body for frame in reader.frames_before_barrier()] == [b"text"]


@pytest.mark.parametrize("version", VERSIONS)
def test_s12_rcp_3_receipts_come_in_the_order_of_the_frames(
    clients: Clients, queue: str, topic: str, version: str
) -> None:
    client = clients.connect(version)
    frames = [
        "BEGIN\ntransaction:t",
        f"SEND\ndestination:{queue}",
        f"SEND\ndestination:{queue}\npersistent:false",
        f"SEND\ndestination:{queue}\ntransaction:t",
        f"SEND\ndestination:{topic}",
        f"SUBSCRIBE\ndestination:{queue}-empty\nid:1",
        "COMMIT\ntransaction:t",
        "UNSUBSCRIBE\nid:1",
        f"SEND\ndestination:{topic}\npersistent:false",
    ] * 10

    client.send("".join(f"{frame}\nreceipt:{number}\n\n\0" for number, frame in enumerate(frames)).encode())

    received = [client.expect("RECEIPT")["receipt-id"] for _ in frames]
    assert received == [str(number) for number in range(len(frames))]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("leave", [RawClient.close, RawClient.finish_sending], ids=lambda way: way.__name__)
def test_s12_rcp_4_frames_of_a_client_that_has_left_are_processed(
    clients: Clients, queue: str, version: str, leave: Callable[[RawClient], None]
) -> None:
    client, reader = clients.connect(version), clients.connect()
    reader.subscribe(queue)

    client.send("".join(f"SEND\ndestination:{queue}\n\n{number}\0" for number in range(50)).encode())
    leave(client)

    reader.expect_bodies(*(str(number) for number in range(50)))


@pytest.mark.parametrize("version", VERSIONS)
def test_s10_rcp_5_every_kind_of_frame_is_answered(clients: Clients, queue: str, version: str) -> None:
    client = clients.connect(version)
    for body in ("1", "2", "3"):
        client.send_message(queue, body)
    client.request("SUBSCRIBE", {"destination": queue, "id": "1", "ack": "client-individual", "prefetch-count": "2"})
    first, second = client.expect_bodies("1", "2")

    client.request("BEGIN", {"transaction": "t"})
    client.request("SEND", {"destination": f"{queue}-other", "transaction": "t"})
    client.request("COMMIT", {"transaction": "t"})
    client.request("BEGIN", {"transaction": "t"})
    client.request("ABORT", {"transaction": "t"})
    client.send_frame("ACK", {**acknowledgement(first, version), "receipt": "acknowledged"})
    # The credit that comes back with it brings the next message, before the receipt or behind it.
    answers = {client.read_frame().command for _ in range(2)}
    client.send_frame("NACK", {**acknowledgement(second, version), "receipt": "rejected"})
    answers_to_nack = {client.read_frame().command for _ in range(2)}
    client.request("UNSUBSCRIBE", {"id": "1"})

    assert (answers, answers_to_nack) == ({"RECEIPT", "MESSAGE"}, {"RECEIPT", "MESSAGE"})
    client.disconnect()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("persistent", ["true", "false"])
def test_s10_rcp_6_send_to_a_topic_without_subscribers_gets_its_receipt(
    clients: Clients, topic: str, version: str, persistent: str
) -> None:
    client = clients.connect(version)

    client.send_frame("SEND", {"destination": topic, "persistent": persistent, "receipt": "nobody listens"})

    client.expect("RECEIPT", receipt_id="nobody listens")


@pytest.mark.parametrize("version", VERSIONS)
def test_s10_rcp_6_refused_send_gets_an_error_with_its_receipt_id(clients: Clients, version: str) -> None:
    client = clients.connect(version)

    client.send_frame("SEND", {"destination": "/nowhere/x", "receipt": "refused"})

    client.expect_error("invalid-destination", receipt="refused")

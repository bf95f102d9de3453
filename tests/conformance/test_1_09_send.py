"""STOMP rules, section 1.9: SEND."""

from __future__ import annotations

import pytest

from tests.conformance.conftest import Clients

VERSIONS = ["1.0", "1.1", "1.2"]


@pytest.mark.parametrize("version", VERSIONS)
def test_s10_snd_1_destination_is_required(clients: Clients, version: str) -> None:
    client = clients.connect(version)

    client.send_frame("SEND", {"receipt": "1"}, b"text")

    client.expect_error("missing-header", "destination", "SEND", receipt="1")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("suffix", [".with.dots", "/with/slashes", " with spaces", "-größer-漢字", "%20", "=&?"])
def test_s10_snd_1_destination_is_opaque(clients: Clients, queue: str, version: str, suffix: str) -> None:
    client = clients.connect(version)

    client.send_message(queue + suffix, "text")

    client.subscribe(queue + suffix)
    client.expect("MESSAGE", destination=queue + suffix)


@pytest.mark.parametrize("version", VERSIONS)
def test_s10_snd_2_send_in_a_transaction_waits_for_its_commit(clients: Clients, queue: str, version: str) -> None:
    sender, reader = clients.connect(version), clients.connect()
    reader.subscribe(queue)
    sender.request("BEGIN", {"transaction": "t"})
    sender.send_message(queue, "held", transaction="t")
    reader.expect_nothing()

    sender.request("COMMIT", {"transaction": "t"})

    reader.expect_bodies("held")


@pytest.mark.parametrize("version", VERSIONS)
def test_s10_snd_2_send_in_an_unknown_transaction_is_refused(clients: Clients, queue: str, version: str) -> None:
    client = clients.connect(version)

    client.send_frame("SEND", {"destination": queue, "transaction": "never-begun", "receipt": "1"})

    client.expect_error("unknown-transaction", "never-begun", receipt="1")


@pytest.mark.parametrize("version", VERSIONS)
def test_s11_snd_3_headers_of_the_sender_are_passed_on(clients: Clients, queue: str, version: str) -> None:
    client = clients.connect(version)
    own = {"colour": "red", "X-Trace": "a=b;c", "reply-to": "/queue/answers", "correlation-id": "7", "type": "order"}

    client.request("SEND", {"destination": queue, **own}, b"text")

    client.subscribe(queue)
    message = client.expect("MESSAGE")
    assert {name: message[name] for name in own} == own


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("destination", ["nowhere", "/nowhere/x", "/queue/", "/topic/", "/queue/a,", "/topic/*"])
def test_s11_snd_4_send_that_cannot_be_done_is_refused(clients: Clients, version: str, destination: str) -> None:
    client = clients.connect(version)

    client.send_frame("SEND", {"destination": destination, "receipt": "1"}, b"text")

    client.expect_error("invalid-destination", "destination", receipt="1")


@pytest.mark.parametrize("version", VERSIONS)
def test_s12_snd_5_persistence_expiry_and_priority_are_headers(clients: Clients, queue: str, version: str) -> None:
    client = clients.connect(version)

    client.send_message(queue, persistent="false", priority="7", ttl="3600000")

    client.subscribe(queue)
    message = client.expect("MESSAGE", persistent="false", priority="7")
    assert int(message["expires"]) == int(message["timestamp"]) + 3_600_000


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("persistent", "perhaps"),
        ("priority", "high"),
        ("priority", "10"),
        ("priority", "-1"),
        ("ttl", "soon"),
        ("ttl", "-5"),
        ("expires", "tomorrow"),
        ("expires", "9" * 30),
    ],
)
def test_s12_snd_5_value_that_means_nothing_is_refused(
    clients: Clients, queue: str, version: str, name: str, value: str
) -> None:
    client = clients.connect(version)

    client.send_frame("SEND", {"destination": queue, name: value})

    client.expect_error("invalid-header", name, value[:20])


@pytest.mark.parametrize("version", VERSIONS)
def test_s11_snd_6_send_in_a_transaction_is_checked_when_it_arrives(clients: Clients, version: str) -> None:
    client = clients.connect(version)
    client.request("BEGIN", {"transaction": "t"})

    client.send_frame("SEND", {"destination": "/nowhere/x", "transaction": "t", "receipt": "the-send"})

    client.expect_error("invalid-destination", receipt="the-send")


@pytest.mark.parametrize("version", VERSIONS)
def test_s10_snd_7_plumbing_is_not_passed_on(clients: Clients, queue: str, version: str) -> None:
    client = clients.connect(version)
    client.request("BEGIN", {"transaction": "t"})
    client.send_message(queue, "text", transaction="t", content_length="4")
    client.request("COMMIT", {"transaction": "t"})

    client.subscribe(queue)

    message = client.expect("MESSAGE", content_length="4")
    assert "receipt" not in message
    assert "transaction" not in message

"""STOMP rules, section 1.7: limits, each with an ERROR that names the setting."""

from __future__ import annotations

import pytest

from tests.conformance.conftest import Clients
from tests.harness.waiting import wait_for

VERSIONS = ["1.0", "1.1", "1.2"]


@pytest.fixture(scope="module")
def settings() -> str:
    return """
        [limits]
        connections = 12
        login_seconds = 1
        login_frame_bytes = 2000
        command_bytes = 20
        header_count = 10
        header_line_bytes = 500
        body_bytes = 10000
        subscriptions = 3
        transactions = 2
        transaction_operations = 5
        transaction_bytes = 12000
    """


@pytest.mark.parametrize("version", VERSIONS)
def test_s11_lim_1_number_of_headers_is_limited(clients: Clients, queue: str, version: str) -> None:
    client = clients.connect(version)
    client.request("SEND", {"destination": queue, **{f"name-{number}": "x" for number in range(8)}})

    client.send_frame("SEND", {"destination": queue, **{f"name-{number}": "x" for number in range(10)}})

    client.expect_error("frame-too-large", "header_count", "10")


@pytest.mark.parametrize("version", VERSIONS)
def test_s11_lim_1_length_of_a_header_line_is_limited(clients: Clients, queue: str, version: str) -> None:
    client = clients.connect(version)
    client.send_message(queue, a="x" * 498)

    client.send_frame("SEND", {"destination": queue, "a": "x" * 499})

    client.expect_error("frame-too-large", "header_line_bytes", "500")


@pytest.mark.parametrize("version", VERSIONS)
def test_s11_lim_1_endless_header_line_is_refused_before_it_ends(clients: Clients, version: str) -> None:
    client = clients.connect(version)

    client.send(b"SEND\na:" + b"x" * 600)

    client.expect_error("frame-too-large", "header_line_bytes")


@pytest.mark.parametrize("version", VERSIONS)
def test_s11_lim_1_body_with_content_length_is_limited(clients: Clients, queue: str, version: str) -> None:
    client = clients.connect(version)
    client.send_message(queue, b"x" * 10_000, content_length="10000")

    client.send_frame("SEND", {"destination": queue, "content-length": "10001"}, b"x" * 10_001)

    client.expect_error("frame-too-large", "body_bytes", "10000")


@pytest.mark.parametrize("version", VERSIONS)
def test_s11_lim_1_body_without_content_length_is_limited(clients: Clients, queue: str, version: str) -> None:
    client = clients.connect(version)
    client.send_message(queue, b"x" * 10_000)

    client.send(f"SEND\ndestination:{queue}\n\n".encode() + b"x" * 10_100)

    client.expect_error("frame-too-large", "body_bytes", "10000")


@pytest.mark.parametrize("version", VERSIONS)
def test_s11_lim_2_exceeded_limit_gets_error_with_the_receipt_id_and_close(
    clients: Clients, queue: str, version: str
) -> None:
    client = clients.connect(version)

    for number in range(3):
        client.subscribe(queue, id=str(number))
    client.send_frame("SUBSCRIBE", {"destination": queue, "id": "3", "receipt": "one-too-many"})

    client.expect_error("limit-exceeded", "subscriptions", receipt="one-too-many")


def test_s11_lim_3_length_of_the_command_is_limited(clients: Clients) -> None:
    client = clients.connect()

    client.send(b"X" * 100)

    client.expect_error("malformed-frame", "command_bytes", "20")


def test_s11_lim_3_number_of_transactions_is_limited(clients: Clients) -> None:
    client = clients.connect()
    for transaction in ("one", "two"):
        client.request("BEGIN", {"transaction": transaction})

    client.send_frame("BEGIN", {"transaction": "three"})

    client.expect_error("limit-exceeded", "transactions")


def test_s11_lim_3_length_of_a_transaction_is_limited(clients: Clients, queue: str) -> None:
    client = clients.connect()
    client.request("BEGIN", {"transaction": "t"})
    for number in range(5):
        client.send_message(queue, str(number), transaction="t")

    client.send_frame("SEND", {"destination": queue, "transaction": "t"})

    client.expect_error("limit-exceeded", "transaction_operations")


def test_s11_lim_3_size_of_a_transaction_is_limited(clients: Clients, queue: str) -> None:
    client = clients.connect()
    client.request("BEGIN", {"transaction": "t"})
    client.send_message(queue, b"x" * 9000, transaction="t")

    client.send_frame("SEND", {"destination": queue, "transaction": "t"}, b"x" * 9000)

    client.expect_error("limit-exceeded", "transaction_bytes")


def test_s11_lim_3_time_until_the_login_is_limited(clients: Clients) -> None:
    client = clients.dial()

    client.expect_error("login-timeout", "login_seconds")


def test_s11_lim_3_time_until_the_login_is_limited_for_a_trickle(clients: Clients) -> None:
    client = clients.dial()
    client.send(b"CONNECT\nhost:")

    # An octet now and then must not keep a connection that never logs in.
    while (error := client.poll_frame(0.1)) is None:
        client.send(b"x")

    assert error["error-code"] == "login-timeout"


def test_s11_lim_3_size_of_the_login_frame_is_limited(clients: Clients) -> None:
    client = clients.dial()

    client.send(b"CONNECT\naccept-version:1.2\nhost:x\ncontent-length:3000\n\n" + b"x" * 3000)

    client.expect_error("frame-too-large", "login_frame_bytes")


def test_s11_lim_3_number_of_connections_is_limited(clients: Clients) -> None:
    connected = [clients.connect() for _ in range(12)]

    clients.dial().expect_error("limit-exceeded", "connections", "12")

    connected[0].disconnect()
    connected[0].close()
    connected[1].expect_nothing()
    wait_for(lambda: is_accepted(clients), "there is room for another connection")


def is_accepted(clients: Clients) -> bool:
    client = clients.dial()
    client.send_frame("CONNECT")
    return client.read_frame().command == "CONNECTED"

"""JMS-396: with `soft-errors:true` on CONNECT an ERROR about one frame leaves the connection open."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.conformance.conftest import Clients
from tests.harness.frames import RawFrame
from tests.harness.raw import RawClient
from tests.postgres import create_database, drop_database

VERSIONS = ["1.0", "1.1", "1.2"]

Contents = Callable[[str], list[str]]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The databases on which this holds."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('store') / 'stompd.sqlite3'}"
        return
    server = request.getfixturevalue("postgresql_server")
    url = create_database(server)
    yield url
    drop_database(server, url)


@pytest.fixture
def client(clients: Clients) -> RawClient:
    """A client that asked for soft errors."""
    return clients.connect(soft_errors="true")


def expect_soft(client: RawClient, code: str, receipt: str) -> RawFrame:
    """Return the next frame, which must be an ERROR that leaves the connection open."""
    return client.expect("ERROR", error_code=code, receipt_id=receipt, soft="true", jms_fatal="false")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ["soft_errors", "jms_soft_errors"])
def test_jms_396_opt_in_is_confirmed(clients: Clients, version: str, name: str) -> None:
    connected = clients.dial().connect(version, **{name: "true"})

    assert connected[name.replace("_", "-")] == "true"


def test_jms_396_opt_in_that_says_neither_yes_nor_no_is_refused(clients: Clients) -> None:
    client = clients.dial()

    client.send_frame("CONNECT", {"accept-version": "1.2", "soft-errors": "sometimes"})

    client.expect_error("invalid-header", "soft-errors", "true")


@pytest.mark.parametrize("version", VERSIONS)
def test_jms_396_frame_that_fails_is_named_and_the_connection_stays(
    clients: Clients, queue: str, version: str, contents: Contents
) -> None:
    client = clients.connect(version, soft_errors="true")

    client.send_frame("SEND", {"destination": "/nowhere/x", "receipt": "1"})
    error = expect_soft(client, "invalid-destination", "1")
    client.send_message(queue, "text")

    assert b"/queue/" in error.body
    assert contents(queue) == ["text"]


@pytest.mark.parametrize(
    ("command", "headers", "code"),
    [
        ("SEND", {}, "missing-header"),
        ("SEND", {"destination": "/queue/a", "priority": "high"}, "invalid-header"),
        ("SUBSCRIBE", {"destination": "/queue/a", "id": "1", "from-seq": "1"}, "unsupported-header"),
        ("SEND", {"destination": "/queue/a", "transaction": "unknown"}, "unknown-transaction"),
        ("SUBSCRIBE", {"destination": "/topic/a", "id": "1", "selector": "a ="}, "invalid-selector"),
        ("UNSUBSCRIBE", {"id": "unknown"}, "unknown-subscription"),
        ("ACK", {"id": "unknown"}, "unknown-delivery"),
        ("NACK", {"id": "unknown"}, "unknown-delivery"),
        ("COMMIT", {"transaction": "unknown"}, "unknown-transaction"),
        ("ABORT", {}, "missing-header"),
    ],
)
def test_jms_396_every_frame_can_fail_softly(
    client: RawClient, queue: str, command: str, headers: dict[str, str], code: str
) -> None:
    client.send_frame(command, {**headers, "receipt": "1"})

    expect_soft(client, code, "1")
    client.send_message(queue, "the connection is open")


def test_jms_396_subscription_that_is_in_use_stays_as_it_is(client: RawClient, queue: str) -> None:
    client.subscribe(queue, id="mine")

    client.send_frame("SUBSCRIBE", {"destination": f"{queue}-other", "id": "mine", "receipt": "1"})

    expect_soft(client, "duplicate-subscription", "1")
    client.send_message(queue, "text")
    client.expect("MESSAGE", subscription="mine")


def test_jms_396_errors_come_in_their_turn_among_the_receipts(client: RawClient, queue: str) -> None:
    for number in range(0, 60, 3):
        client.send_frame("SEND", {"destination": queue, "receipt": str(number)})
        client.send_frame("UNSUBSCRIBE", {"id": "unknown", "receipt": str(number + 1)})
        client.send_frame("SEND", {"destination": queue, "priority": "x", "receipt": str(number + 2)})

    answers = [client.read_frame() for _ in range(60)]

    assert [answer["receipt-id"] for answer in answers] == [str(number) for number in range(60)]
    assert [answer.command for answer in answers] == ["RECEIPT", "ERROR", "ERROR"] * 20


def test_jms_396_transaction_goes_on_without_the_frame_that_failed(
    client: RawClient, queue: str, contents: Contents
) -> None:
    client.request("BEGIN", {"transaction": "t"})
    client.send_message(queue, "first", transaction="t")

    client.send_frame("SEND", {"destination": queue, "transaction": "t", "priority": "x", "receipt": "1"}, b"second")
    expect_soft(client, "invalid-header", "1")
    client.send_message(queue, "third", transaction="t")
    client.request("COMMIT", {"transaction": "t"})

    assert contents(queue) == ["first", "third"]


def test_jms_396_delivery_whose_acknowledgement_fails_can_be_acknowledged(
    client: RawClient, queue: str, contents: Contents
) -> None:
    client.send_message(queue, "text")
    client.subscribe(queue, ack="client-individual")
    (message,) = client.expect_bodies("text")

    client.send_frame("ACK", {"id": message["ack"], "transaction": "unknown", "receipt": "1"})
    expect_soft(client, "unknown-transaction", "1")
    client.settle(message)

    client.disconnect()
    assert contents(queue) == []


def test_jms_396_frame_without_receipt_ends_the_connection(client: RawClient) -> None:
    client.send_frame("SEND", {"destination": "/nowhere/x"})

    error = client.expect_error("invalid-destination", "destination")
    assert "soft" not in error


@pytest.mark.parametrize(
    ("octets", "code", "receipt"),
    [
        (b"SEND\ndestination:/queue/a\nreceipt:1\nno colon\n\n\0", "malformed-frame", "1"),
        (b"SENDX\nreceipt:1\n\n\0", "unknown-command", "1"),
        (b"CONNECT\naccept-version:1.2\nreceipt:1\n\n\0", "already-connected", "1"),
        (b"SEND\nreceipt:1\ncontent-length:99999999999\n\n\0", "frame-too-large", "1"),
    ],
    ids=["malformed", "unknown", "second login", "too large"],
)
def test_jms_396_faults_of_more_than_a_frame_end_the_connection(
    client: RawClient, octets: bytes, code: str, receipt: str
) -> None:
    client.send(octets)

    error = client.expect_error(code, receipt=receipt)
    assert "soft" not in error


@pytest.mark.parametrize("headers", [{}, {"soft_errors": "false"}], ids=["unasked", "declined"])
def test_jms_396_without_the_opt_in_the_connection_ends(clients: Clients, headers: dict[str, str]) -> None:
    client = clients.connect(**headers)

    client.send_frame("SEND", {"destination": "/nowhere/x", "receipt": "1"})

    error = client.expect_error("invalid-destination", receipt="1")
    assert "soft" not in error

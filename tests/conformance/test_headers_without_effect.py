"""No header is silently ignored: it works, earns a warning, or an ERROR. On SQLite and PostgreSQL."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from tests.conformance.conftest import Clients
from tests.harness.raw import RawClient
from tests.postgres import create_database, drop_database

VERSIONS = ["1.0", "1.1", "1.2"]


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


def warning(client: RawClient, command: str, headers: dict[str, str]) -> str:
    """Send a frame with a receipt, and return what the RECEIPT warns of."""
    return client.request(command, headers).get("warning") or ""


@pytest.mark.parametrize("version", VERSIONS)
def test_misspelt_header_of_send_is_named_in_the_receipt(clients: Clients, queue: str, version: str) -> None:
    client = clients.connect(version)

    said = warning(client, "SEND", {"destination": queue, "persistant": "true", "colour": "red"})

    assert said == "persistant has no effect (did you mean persistent?)"


@pytest.mark.parametrize("version", VERSIONS)
def test_headers_of_the_sender_are_none_of_our_business(clients: Clients, queue: str, version: str) -> None:
    client = clients.connect(version)

    assert warning(client, "SEND", {"destination": queue, "colour": "red", "x-trace": "1", "id": "7"}) == ""


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        # P5: a header that nobody knows was swallowed, and all messages arrived.
        ("prefetch_size", "1", "prefetch_size is ignored"),
        ("prefetchSize", "1", "did you mean prefetch-count?"),
        # P9: the arguments of queues are no reason to refuse a client.
        ("x-max-length", "10", "set by the operator"),
        ("x-dead-letter-exchange", "dlx", "set by the operator"),
        ("x-message-ttl", "60000", "ttl on SEND"),
        ("auto-delete", "true", "queues come and go by themselves"),
        # P7: redelivery is none of the consumer's business.
        ("activemq.maximumRedeliveries", "3", "redelivery is set by the operator"),
        ("activemq.dispatchAsync", "true", "an option of ActiveMQ"),
        ("transformation", "jms-map-json", "passed on as they were sent"),
        ("priority", "9", "did you mean consumer-priority?"),
        ("ttl", "9", "it belongs to SEND"),
        ("colour", "red", "SUBSCRIBE has no such header"),
    ],
)
def test_header_of_subscribe_without_effect_is_named(
    clients: Clients, queue: str, name: str, value: str, expected: str
) -> None:
    said = warning(clients.connect(), "SUBSCRIBE", {"destination": queue, "id": "1", name: value})

    assert said.startswith(f"{name} is ignored (")
    assert expected in said


@pytest.mark.parametrize("version", VERSIONS)
def test_p39_header_of_another_frame_on_connect_is_named_in_connected(clients: Clients, version: str) -> None:
    connected = clients.dial().connect(version, ack="client")

    assert connected["warning"] == "ack is ignored (it belongs to SUBSCRIBE)"


def test_connect_with_headers_that_count_earns_no_warning(clients: Clients) -> None:
    connected = clients.dial().connect(login="me", passcode="secret", heart_beat="0,0", request_id="1")

    assert "warning" not in connected


@pytest.mark.parametrize("version", VERSIONS)
def test_warning_goes_with_its_own_receipt(clients: Clients, queue: str, version: str) -> None:
    client = clients.connect(version)
    for number in range(20):
        odd = {"persistant": "true"} if number % 5 == 0 else {}
        client.send_frame("SEND", {"destination": queue, "receipt": str(number), **odd})

    receipts = [client.expect("RECEIPT", receipt_id=str(number)) for number in range(20)]

    assert [number for number, receipt in enumerate(receipts) if "warning" in receipt] == [0, 5, 10, 15]


def test_filter_of_a_stream_would_change_what_is_delivered(clients: Clients, queue: str) -> None:
    client = clients.connect()

    client.send_frame("SUBSCRIBE", {"destination": queue, "id": "1", "x-stream-filter": "a", "receipt": "r"})

    client.expect_error("unsupported-header", "x-stream-filter", receipt="r")


def test_misspelt_header_that_is_required_is_named_in_the_error(clients: Clients, queue: str) -> None:
    client = clients.connect()

    client.send_frame("SEND", {"Destination": queue, "receipt": "r"})

    client.expect_error("missing-header", "did you mean destination?", receipt="r")


def test_warning_goes_with_the_error_of_a_frame_that_fails(clients: Clients) -> None:
    client = clients.connect()

    client.send_frame("UNSUBSCRIBE", {"id": uuid.uuid4().hex, "ttl": "5", "receipt": "r"})

    error = client.expect_error("unknown-subscription", receipt="r")
    assert error["warning"] == "ttl is ignored (it belongs to SEND)"


def test_many_odd_headers_make_one_short_warning(clients: Clients, queue: str) -> None:
    headers = {f"odd-{number}-{'x' * 500}": "1" for number in range(50)}

    said = warning(clients.connect(), "SUBSCRIBE", {"destination": queue, "id": "1", **headers})

    assert len(said) < 1_200
    assert said.endswith("and 42 more")

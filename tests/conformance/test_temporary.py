"""Temporary destinations and request/reply, in the style of ActiveMQ and in that of RabbitMQ."""

from __future__ import annotations

import pytest

from tests.conformance.conftest import Clients
from tests.harness.raw import RawClient

VERSIONS = ["1.0", "1.1", "1.2"]
KINDS = ["queue", "topic"]


@pytest.fixture(scope="module")
def store_url(either_store_url: str) -> str:
    """Both databases."""
    return either_store_url


def answer(server: RawClient, text: str) -> None:
    """Take the next request and reply to it."""
    request = server.expect("MESSAGE")
    server.send_message(request["reply-to"], text, correlation_id=request["correlation-id"])


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_jms_358_reply_reaches_an_explicit_subscription(clients: Clients, queue: str, kind: str, version: str) -> None:
    server, client = clients.connect(version), clients.connect(version)
    server.subscribe(queue)
    client.subscribe(f"/temp-{kind}/replies", id="mine")
    client.send_message(queue, "2 + 2", reply_to=f"/temp-{kind}/replies", correlation_id="c")

    answer(server, "4")

    reply = client.expect("MESSAGE", subscription="mine", correlation_id="c")
    assert reply.body == b"4"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_jms_358_reply_reaches_a_client_that_never_subscribed(
    clients: Clients, queue: str, kind: str, version: str
) -> None:
    server, client = clients.connect(version), clients.connect(version)
    server.subscribe(queue)
    client.send_message(queue, "2 + 2", reply_to=f"/temp-{kind}/replies", correlation_id="c")

    answer(server, "4")

    reply = client.expect("MESSAGE", subscription=f"/temp-{kind}/replies", correlation_id="c")
    assert reply.body == b"4"


def test_reply_to_shows_a_name_that_cannot_be_guessed(clients: Clients, queue: str) -> None:
    server, client = clients.connect(), clients.connect()
    server.subscribe(queue)
    client.send_message(queue, reply_to="/temp-queue/replies")

    name = server.expect("MESSAGE")["reply-to"]

    assert name.startswith("/reply-queue/")
    assert len(name.removeprefix("/reply-queue/")) == 32


@pytest.mark.parametrize("kind", KINDS)
def test_activemq_spelling_of_the_public_name_is_known(clients: Clients, queue: str, kind: str) -> None:
    server, client = clients.connect(), clients.connect()
    server.subscribe(queue)
    client.send_message(queue, reply_to=f"/temp-{kind}/replies")
    name = server.expect("MESSAGE")["reply-to"].rpartition("/")[2]

    server.send_message(f"/remote-temp-{kind}/{name}", "reply")

    client.expect_bodies("reply")


@pytest.mark.parametrize("kind", KINDS)
def test_jms_355_only_the_owner_may_subscribe(clients: Clients, queue: str, kind: str) -> None:
    server, client = clients.connect(), clients.connect()
    server.subscribe(queue)
    client.send_message(queue, reply_to=f"/temp-{kind}/replies")
    name = server.expect("MESSAGE")["reply-to"]

    server.send_frame("SUBSCRIBE", {"destination": name, "id": "spy", "receipt": "r"})

    server.expect_error("invalid-destination", name, "another connection", receipt="r")


@pytest.mark.parametrize("kind", KINDS)
def test_jms_359_reply_to_a_client_that_has_gone_is_refused(clients: Clients, queue: str, kind: str) -> None:
    server, client = clients.connect(), clients.connect()
    server.subscribe(queue)
    client.send_message(queue, reply_to=f"/temp-{kind}/replies")
    name = server.expect("MESSAGE")["reply-to"]
    client.disconnect()

    server.send_frame("SEND", {"destination": name, "receipt": "r"})

    server.expect_error("invalid-destination", name, "does not exist", receipt="r")


def test_jms_269_deleted_destination_takes_nothing_more(clients: Clients, queue: str) -> None:
    server, client = clients.connect(), clients.connect()
    server.subscribe(queue)
    client.subscribe("/temp-queue/replies", id="mine")
    client.send_message(queue, reply_to="/temp-queue/replies")
    name = server.expect("MESSAGE")["reply-to"]
    client.request("UNSUBSCRIBE", {"id": "mine", "destination": "/temp-queue/replies", "delete": "true"})

    server.send_frame("SEND", {"destination": name})

    server.expect_error("invalid-destination", name)


def test_deleting_needs_a_temporary_destination(clients: Clients, queue: str) -> None:
    client = clients.connect()
    client.subscribe(queue, id="mine")

    client.send_frame("UNSUBSCRIBE", {"id": "mine", "destination": queue, "delete": "true", "receipt": "r"})

    client.expect_error("invalid-header", "destination", "/temp-queue/replies", receipt="r")


def test_jms_251_reply_in_a_transaction_comes_with_the_commit(clients: Clients, queue: str) -> None:
    server, client = clients.connect(), clients.connect()
    server.subscribe(queue)
    client.send_message(queue, reply_to="/temp-queue/replies")
    name = server.expect("MESSAGE")["reply-to"]
    server.request("BEGIN", {"transaction": "t"})
    server.send_message(name, "reply", transaction="t")
    client.expect_nothing()

    server.request("COMMIT", {"transaction": "t"})

    client.expect_bodies("reply")

"""Wildcards in SUBSCRIBE, lists of destinations, and mandatory messages; on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.conformance.conftest import Clients
from tests.postgres import create_database, drop_database

Contents = Callable[[str], list[str]]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The databases on which lists are one unit, and queues found again match."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('store') / 'stompd.sqlite3'}"
        return
    server = request.getfixturevalue("postgresql_server")
    url = create_database(server)
    yield url
    drop_database(server, url)


@pytest.mark.parametrize("wildcard", ["#", "**", ">"])
def test_topics_any_number_of_words(clients: Clients, topic: str, wildcard: str) -> None:
    client = clients.connect()
    client.subscribe(f"{topic}.{wildcard}")

    for name in (topic, f"{topic}.a", f"{topic}.a.b"):
        clients.connect().send_message(name, name)

    messages = client.expect_bodies(topic, f"{topic}.a", f"{topic}.a.b")
    assert [message["destination"] for message in messages] == [message.body.decode() for message in messages]


def test_topics_one_word(clients: Clients, topic: str) -> None:
    client, sender = clients.connect(), clients.connect()
    client.subscribe(f"{topic}.*.eur")

    for name in ("us.eur", "eur", "us.ny.eur", "uk.eur"):
        sender.send_message(f"{topic}.{name}", name)

    client.expect_bodies("us.eur", "uk.eur")


def test_queues_that_are_there_and_that_come_later(clients: Clients, queue: str, contents: Contents) -> None:
    client, sender = clients.connect(), clients.connect()
    sender.send_message(f"{queue}.a", "a")

    client.subscribe(f"{queue}.*", ack="client-individual")
    sender.send_message(f"{queue}.b", "b")
    sender.send_message(f"{queue}.b", "c")

    first, second, _ = client.expect_bodies("a", "b", "c")
    client.settle(first)
    client.ack(second, "NACK")
    again = client.expect("MESSAGE", redelivered="true", destination=f"{queue}.b")
    assert again.body == b"b"
    client.settle(again)
    client.request("UNSUBSCRIBE", {"id": "1"})
    assert [contents(f"{queue}.a"), contents(f"{queue}.b")] == [[], ["c"]]


def test_dead_letters_are_for_who_names_their_queues(clients: Clients, queue: str) -> None:
    client, operator = clients.connect(), clients.connect()
    name = queue.removeprefix("/queue/")
    client.subscribe(f"/queue/#.{name}", ack="client-individual")
    client.send_message(queue, "poison")

    client.ack(client.expect("MESSAGE"), "NACK", requeue="false")

    operator.subscribe(f"/queue/DLQ.#.{name}")
    operator.expect_bodies("poison")
    client.expect_nothing()


@pytest.mark.parametrize("wildcard", ["*", "#", ">", "a*"])
def test_wildcard_in_send_is_refused(clients: Clients, queue: str, wildcard: str) -> None:
    client = clients.connect()

    client.send_frame("SEND", {"destination": f"{queue}.{wildcard}", "receipt": "r"})

    client.expect_error("invalid-destination", queue, "wildcards", receipt="r")


@pytest.mark.parametrize("wildcard", ["a*", ">.a", "a.#b"])
def test_wildcard_that_is_no_word_is_refused(clients: Clients, queue: str, wildcard: str) -> None:
    client = clients.connect()

    client.send_frame("SUBSCRIBE", {"destination": f"{queue}.{wildcard}", "id": "1", "receipt": "r"})

    client.expect_error("invalid-destination", queue, "whole word", receipt="r")


def test_send_to_a_list_reaches_all(clients: Clients, queue: str, topic: str, contents: Contents) -> None:
    client = clients.connect()
    client.subscribe(topic)

    client.send_message(f"{queue}-a,{queue}-b, {topic}", "text")

    client.expect("MESSAGE", destination=topic)
    assert [contents(f"{queue}-a"), contents(f"{queue}-b")] == [["text"], ["text"]]


def test_bare_name_in_a_list_is_of_the_first_ones_kind(clients: Clients, topic: str) -> None:
    client = clients.connect()
    client.subscribe(f"{topic}-other")

    client.send_message(f"{topic},{topic.removeprefix('/topic/')}-other", "text")

    client.expect_bodies("text")


def test_nothing_is_sent_when_one_destination_cannot_be_used(clients: Clients, queue: str, contents: Contents) -> None:
    client = clients.connect()

    client.send_frame("SEND", {"destination": f"{queue},/exchange/x", "receipt": "r"})

    client.expect_error("invalid-destination", "/exchange/x", receipt="r")
    assert contents(queue) == []


def test_list_in_an_aborted_transaction_sends_nothing(clients: Clients, queue: str, contents: Contents) -> None:
    client = clients.connect()
    client.request("BEGIN", {"transaction": "t"})
    client.send_message(f"{queue}-a,{queue}-b", "text", transaction="t")

    client.request("ABORT", {"transaction": "t"})

    assert [contents(f"{queue}-a"), contents(f"{queue}-b")] == [[], []]


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
def test_subscription_of_a_list_is_settled_as_usual(
    clients: Clients, queue: str, topic: str, version: str, contents: Contents
) -> None:
    client, sender = clients.connect(version), clients.connect()
    client.subscribe(f"{queue}-a,{queue}-b,{topic}", ack="client")
    sender.send_message(f"{queue}-a", "1")
    sender.send_message(topic, "2")
    sender.send_message(f"{queue}-b", "3")
    sender.send_message(f"{queue}-a", "4")

    messages = [client.expect("MESSAGE") for _ in range(4)]
    client.settle(next(message for message in messages if message.body == b"3"))

    client.disconnect()
    left = [contents(f"{queue}-a"), contents(f"{queue}-b")]
    settled = [message.body.decode() for message in messages[: [m.body for m in messages].index(b"3") + 1]]
    assert left == [[body for body in ("1", "4") if body not in settled], []]


def test_longest_list_is_named_by_the_error(clients: Clients, queue: str) -> None:
    client = clients.connect()

    client.send_frame("SEND", {"destination": ",".join(f"{queue}-{n}" for n in range(33)), "receipt": "r"})

    client.expect_error("invalid-destination", "32", receipt="r")


@pytest.mark.parametrize("kind", ["queue", "topic"])
def test_mandatory_message_that_nobody_would_get_is_refused(clients: Clients, queue: str, kind: str) -> None:
    client = clients.connect()
    destination = queue.replace("/queue/", f"/{kind}/")

    client.send_frame("SEND", {"destination": destination, "mandatory": "true", "receipt": "r"})

    client.expect_error("undeliverable", destination, receipt="r")


@pytest.mark.parametrize("kind", ["queue", "topic"])
def test_mandatory_message_reaches_whoever_subscribes(clients: Clients, queue: str, kind: str) -> None:
    client = clients.connect()
    destination = queue.replace("/queue/", f"/{kind}/")
    client.subscribe(destination)

    clients.connect().send_message(destination, "text", mandatory="true")

    message = client.expect("MESSAGE")
    assert "mandatory" not in message

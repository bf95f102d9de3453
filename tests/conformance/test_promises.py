"""What the broker promises, as seen from a socket; on SQLite and on PostgreSQL."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from tests.conformance.conftest import Clients
from tests.harness.raw import RawClient
from tests.harness.waiting import wait_for
from tests.postgres import create_database, drop_database

Contents = Callable[[str], list[str]]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The databases on which the promises hold."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('store') / 'stompd.sqlite3'}"
        return
    server = request.getfixturevalue("postgresql_server")
    url = create_database(server)
    yield url
    drop_database(server, url)


def send_all(client: RawClient, destination: str, *bodies: str, **headers: str) -> None:
    for body in bodies:
        client.send_message(destination, body, **headers)


def test_receipts_come_in_the_order_of_their_frames(clients: Clients, queue: str, topic: str) -> None:
    client = clients.connect()
    destinations = [queue, topic, f"{queue}-other"]

    for number in range(300):
        persistent = "false" if number % 3 else "true"
        headers = {"destination": destinations[number % 3], "persistent": persistent, "receipt": str(number)}
        client.send_frame("SEND", headers)

    assert [client.expect("RECEIPT")["receipt-id"] for _ in range(300)] == [str(number) for number in range(300)]


@pytest.mark.parametrize("persistent", ["true", "false"])
def test_message_waits_for_its_consumer(clients: Clients, queue: str, persistent: str) -> None:
    send_all(clients.connect(), queue, "1", "2", persistent=persistent)

    reader = clients.connect()
    reader.subscribe(queue)

    messages = reader.expect_bodies("1", "2")
    assert {message["persistent"] for message in messages} == {persistent}


# 4. Order.


def test_queue_is_first_in_first_out(clients: Clients, queue: str) -> None:
    sender, reader = clients.connect(), clients.connect()
    reader.subscribe(queue)
    bodies = [str(number) for number in range(500)]

    for body in bodies:
        sender.send_frame("SEND", {"destination": queue}, body.encode())

    reader.expect_bodies(*bodies)


def test_order_holds_between_persistent_and_other_messages_of_a_sender(clients: Clients, queue: str) -> None:
    sender, reader = clients.connect(), clients.connect()
    for number in range(20):
        sender.send_message(queue, str(number), persistent=str(number % 2 == 0).lower())

    reader.subscribe(queue)

    reader.expect_bodies(*(str(number) for number in range(20)))


def test_higher_priority_goes_first(clients: Clients, queue: str) -> None:
    sender, reader = clients.connect(), clients.connect()
    for priority in ("0", "9", "4", "9", "0", "5"):
        sender.send_message(queue, priority, priority=priority)
    sender.send_message(queue, "none given, which is 4")

    reader.subscribe(queue)

    reader.expect_bodies("9", "9", "5", "4", "none given, which is 4", "0", "0")


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
def test_rejected_message_comes_again_before_newer_ones(clients: Clients, queue: str, version: str) -> None:
    client = clients.connect(version)
    send_all(client, queue, "1", "2", "3")
    client.subscribe(queue, ack="client-individual", prefetch_count="1")
    message = client.expect("MESSAGE")

    for _ in range(3):
        client.ack(message, "NACK", delay="0")
        message = client.expect("MESSAGE")
        assert message.body == b"1"

    client.ack(message)
    client.expect_bodies("2")


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_rejected_message_returns_to_its_old_place(clients: Clients, queue: str, version: str) -> None:
    client = clients.connect(version)
    send_all(client, queue, "1", "2", "3", "4")
    client.subscribe(queue, ack="client-individual", prefetch_count="2")
    first, second = client.expect_bodies("1", "2")

    client.ack(second, "NACK")
    client.expect_bodies("2")
    client.ack(first, "NACK")

    client.expect_bodies("1")


def test_messages_of_a_lost_connection_return_before_newer_ones(clients: Clients, queue: str) -> None:
    lost, reader = clients.connect(), clients.connect()
    send_all(lost, queue, "1", "2", "3", "4", "5")
    lost.subscribe(queue, ack="client-individual", prefetch_count="3")
    lost.expect_bodies("1", "2", "3")

    lost.reset()
    reader.subscribe(queue, ack="client", prefetch_count="1")

    # The connection's end may be noticed after this SUBSCRIBE; all but the first delivery come after both.
    received = [reader.expect("MESSAGE")]
    while len({message.body for message in received}) < 5:
        reader.ack(received[-1])
        received.append(reader.expect("MESSAGE"))
    order = [message.body.decode() for message in received]
    assert order in (["1", "2", "3", "4", "5"], ["4", "1", "2", "3", "5"])


# 5. Transactions are one unit.


def test_messages_of_a_transaction_appear_together_and_in_order(clients: Clients, queue: str) -> None:
    sender, other, reader = clients.connect(), clients.connect(), clients.connect()
    reader.subscribe(queue)
    sender.request("BEGIN", {"transaction": "t"})
    send_all(sender, queue, "1", "2", "3", transaction="t")
    other.send_message(queue, "of another client")
    reader.expect_bodies("of another client")

    sender.request("COMMIT", {"transaction": "t"})

    reader.expect_bodies("1", "2", "3")


def test_commit_settles_and_rejects_with_its_sends(clients: Clients, queue: str, contents: Contents) -> None:
    client = clients.connect()
    send_all(client, queue, "done", "not now")
    client.subscribe(queue, ack="client-individual")
    done, not_now = client.expect_bodies("done", "not now")
    client.request("BEGIN", {"transaction": "t"})
    client.settle(done, transaction="t")
    client.settle(not_now, "NACK", transaction="t")
    client.send_message(f"{queue}-results", "result", transaction="t")
    client.expect_nothing()

    client.send_frame("COMMIT", {"transaction": "t"})

    again = client.expect("MESSAGE", redelivered="true")
    assert again.body == b"not now"
    client.settle(again)
    client.disconnect()
    assert (contents(queue), contents(f"{queue}-results")) == ([], ["result"])


def test_dropped_connection_aborts_its_transactions(clients: Clients, queue: str, contents: Contents) -> None:
    client, reader = clients.connect(), clients.connect()
    client.send_message(queue, "work")
    client.subscribe(queue, ack="client")
    [work] = client.expect_bodies("work")
    client.request("BEGIN", {"transaction": "t"})
    client.settle(work, transaction="t")
    client.send_message(f"{queue}-results", "result", transaction="t")

    client.reset()

    reader.subscribe(queue)
    reader.expect("MESSAGE", redelivered="true")
    assert contents(f"{queue}-results") == []


# 6. At least once, flagged.


def test_redelivery_is_flagged_and_counted(clients: Clients, queue: str) -> None:
    clients.connect().send_message(queue, "text")
    seen = []

    for _ in range(4):
        client = clients.connect()
        client.subscribe(queue, ack="client")
        message = client.expect("MESSAGE")
        seen.append((message["redelivered"], message["JMSXDeliveryCount"]))
        client.close()

    assert seen == [("false", "1"), ("true", "2"), ("true", "3"), ("true", "4")]


@pytest.mark.parametrize("mode", ["client", "client-individual"])
def test_unsubscribe_gives_messages_back(clients: Clients, queue: str, mode: str) -> None:
    first, second = clients.connect(), clients.connect()
    send_all(first, queue, "1", "2")
    first.subscribe(queue, ack=mode)
    first.expect_bodies("1", "2")
    second.subscribe(queue)

    first.request("UNSUBSCRIBE", {"id": "1"})

    returned = second.expect_bodies("1", "2")
    assert [message["redelivered"] for message in returned] == ["true", "true"]


@pytest.mark.parametrize(
    "leave",
    [RawClient.disconnect, RawClient.close, RawClient.reset, RawClient.finish_sending],
    ids=lambda way: way.__name__,
)
def test_connection_that_ends_gives_messages_back(
    clients: Clients, queue: str, leave: Callable[[RawClient], None]
) -> None:
    first, second = clients.connect(), clients.connect()
    send_all(first, queue, "1", "2")
    first.subscribe(queue, ack="client")
    first.expect_bodies("1", "2")
    second.subscribe(queue)

    leave(first)

    second.expect_bodies("1", "2")


# Headers that are the broker's.


def test_broker_owned_headers_cannot_be_forged(clients: Clients, queue: str) -> None:
    client = clients.connect()
    before = int(time.time() * 1000)
    forged = {
        "message-id": "forged",
        "subscription": "forged",
        "ack": "forged",
        "redelivered": "true",
        "JMSXDeliveryCount": "99",
        "timestamp": "1",
    }

    client.request("SEND", {"destination": queue, **forged})

    client.subscribe(queue, ack="client", id="mine")
    message = client.expect("MESSAGE", subscription="mine", redelivered="false", JMSXDeliveryCount="1")
    assert "forged" not in (message["message-id"], message["ack"])
    assert int(message["timestamp"]) >= before


def test_expired_message_is_not_delivered(clients: Clients, queue: str) -> None:
    sender, reader = clients.connect(), clients.connect()
    long_ago = str(int(time.time() * 1000) - 60_000)

    sender.send_message(queue, "stale", expires=long_ago)
    sender.send_message(queue, "fresh", expires=str(int(time.time() * 1000) + 3_600_000))
    sender.send_message(queue, "eternal", expires="0")

    reader.subscribe(queue)
    reader.expect_bodies("fresh", "eternal")
    reader.expect_nothing()


def test_time_to_live_runs_out_while_a_message_waits(clients: Clients, queue: str) -> None:
    sender, reader = clients.connect(), clients.connect()
    sender.send_message(queue, "short-lived", ttl="1")
    sender.send_message(queue, "long-lived", ttl="3600000")
    expires_at = time.time() + 0.001
    wait_for(lambda: time.time() > expires_at, "a millisecond is over")

    reader.subscribe(queue)

    reader.expect_bodies("long-lived")


# Sharing work.


def test_competing_consumers_share_a_queue(clients: Clients, queue: str) -> None:
    sender, first, second = clients.connect(), clients.connect(), clients.connect()
    for reader in (first, second):
        reader.subscribe(queue, ack="client-individual", prefetch_count="1")
    send_all(sender, queue, "1", "2", "3", "4")
    received = []

    for _ in range(2):
        for reader in (first, second):
            message = reader.expect("MESSAGE")
            received.append(message.body.decode())
            reader.ack(message)

    assert sorted(received) == ["1", "2", "3", "4"]


def test_busy_consumer_is_passed_over(clients: Clients, queue: str) -> None:
    sender, busy, idle = clients.connect(), clients.connect(), clients.connect()
    busy.subscribe(queue, ack="client-individual", prefetch_count="1")
    sender.send_message(queue, "keeps it busy")
    busy.expect_bodies("keeps it busy")
    idle.subscribe(queue, ack="client-individual", prefetch_count="1")

    for body in ("1", "2", "3"):
        sender.send_message(queue, body)
        [message] = idle.expect_bodies(body)
        idle.settle(message)

    busy.expect_nothing()


def test_prefetch_bounds_what_a_consumer_holds(clients: Clients, queue: str) -> None:
    client = clients.connect()
    send_all(client, queue, *"abcdef")

    client.subscribe(queue, ack="client", prefetch_count="3")

    *_, third = client.expect_bodies("a", "b", "c")
    client.expect_nothing()
    client.ack(third)
    client.expect_bodies("d", "e", "f")


def test_subscription_is_not_starved_by_another_of_its_connection(clients: Clients, queue: str) -> None:
    client, sender = clients.connect(), clients.connect()
    client.subscribe(queue, ack="client", id="full", prefetch_count="1")
    sender.send_message(queue, "taken")
    client.expect("MESSAGE", subscription="full")

    client.subscribe(queue, ack="client", id="free", prefetch_count="1")

    sender.send_message(queue, "next")
    client.expect("MESSAGE", subscription="free")


# Topics.


def test_topic_reaches_every_subscription(clients: Clients, topic: str) -> None:
    sender = clients.connect()
    readers = [clients.connect(version) for version in ("1.0", "1.1", "1.2")]
    for reader in readers:
        reader.subscribe(topic, id="one")
        reader.subscribe(topic, id="two")

    send_all(sender, topic, "a", "b")

    for reader in readers:
        received = [(frame["subscription"], frame.body.decode()) for frame in (reader.read_frame() for _ in range(4))]
        for name in ("one", "two"):
            assert [body for subscription, body in received if subscription == name] == ["a", "b"]


def test_topic_keeps_nothing_for_later_subscribers(clients: Clients, topic: str) -> None:
    sender, reader = clients.connect(), clients.connect()
    sender.send_message(topic, "before")

    reader.subscribe(topic)

    reader.expect_nothing()


def test_rejected_topic_message_returns_to_its_own_subscription(clients: Clients, topic: str) -> None:
    sender, first, second = clients.connect(), clients.connect(), clients.connect()
    for reader in (first, second):
        reader.subscribe(topic, ack="client-individual")
    sender.send_message(topic, "text")
    [message] = first.expect_bodies("text")
    second.expect_bodies("text")

    first.ack(message, "NACK")

    first.expect("MESSAGE", redelivered="true")
    second.expect_nothing()


def test_transaction_reaches_queue_and_topic(clients: Clients, queue: str, topic: str) -> None:
    sender, reader = clients.connect(), clients.connect()
    reader.subscribe(queue, id="queue")
    reader.subscribe(topic, id="topic")
    sender.request("BEGIN", {"transaction": "t"})
    sender.send_message(queue, "to the queue", transaction="t")
    sender.send_message(topic, "to the topic", transaction="t")
    reader.expect_nothing()

    sender.request("COMMIT", {"transaction": "t"})

    assert {reader.expect("MESSAGE")["subscription"] for _ in range(2)} == {"queue", "topic"}

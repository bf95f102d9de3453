"""Redelivery with back-off, dead letters and their replay, delays and expiry; on SQLite and on PostgreSQL."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, text

from stompd.cli import main
from tests.conformance.conftest import Clients
from tests.harness.frames import RawFrame
from tests.harness.process import BrokerProcess
from tests.harness.raw import RawClient
from tests.harness.waiting import wait_for
from tests.postgres import create_database, drop_database

DELAY_MS = 300


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Either database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('store') / 'stompd.sqlite3'}"
        return
    server = request.getfixturevalue("postgresql_server")
    url = create_database(server)
    yield url
    drop_database(server, url)


@pytest.fixture(scope="module")
def settings() -> str:
    return f"[limits]\nmax_deliveries = 3\nredelivery_delay_ms = {DELAY_MS}\n"


@pytest.fixture(scope="module")
def listen() -> str:
    """TCP alone, which the command that replays needs."""
    return "tcp:0:interface=127.0.0.1"


def reject(client: RawClient, message: RawFrame, **headers: str) -> None:
    client.ack(message, "NACK", **headers)


def consumer(clients: Clients, queue: str, **headers: str) -> RawClient:
    client = clients.connect()
    client.subscribe(queue, ack="client-individual", **headers)
    return client


def dead_letters(queue: str) -> str:
    return queue.replace("/queue/", "/queue/DLQ.")


def kill_message(clients: Clients, queue: str, body: str = "poison", **headers: str) -> None:
    """Send a message and reject it for good."""
    client = consumer(clients, queue)
    client.send_message(queue, body, **headers)
    reject(client, client.expect("MESSAGE"), requeue="false")
    client.disconnect()


def test_jms_406_first_redelivery_is_at_once_and_the_second_one_later(clients: Clients, queue: str) -> None:
    client = consumer(clients, queue)
    client.send_message(queue, "work")
    reject(client, client.expect("MESSAGE", JMSXDeliveryCount="1"))
    second = client.expect("MESSAGE", JMSXDeliveryCount="2", redelivered="true")

    began = time.monotonic()
    reject(client, second)
    client.expect_nothing()
    client.expect("MESSAGE", JMSXDeliveryCount="3")

    assert time.monotonic() - began >= DELAY_MS / 1000


def test_jms_406_after_the_last_delivery_a_message_is_a_dead_letter(clients: Clients, queue: str) -> None:
    client = consumer(clients, queue)
    client.send_message(queue, "work", type="order", persistent="true")
    for _ in range(3):
        reject(client, client.expect("MESSAGE"))

    letter = consumer(clients, dead_letters(queue)).expect("MESSAGE")

    assert (letter.body, letter["type"], letter["JMSXDeliveryCount"]) == (b"work", "order", "1")
    assert (letter["original-destination"], letter["dlq-reason"]) == (queue, "max-deliveries")
    assert letter["dlq-delivery-count"] == "3"
    assert abs(int(letter["dlq-time"]) / 1000 - time.time()) < 60
    client.expect_nothing()


def test_jms_405_lost_consumers_count(clients: Clients, queue: str) -> None:
    clients.connect().send_message(queue, "work")
    for _ in range(3):
        client = consumer(clients, queue)
        client.expect("MESSAGE")
        client.close()

    letter = consumer(clients, dead_letters(queue)).expect("MESSAGE")

    assert letter["dlq-reason"] == "max-deliveries"


def test_rejection_without_requeue_makes_a_dead_letter_at_once(clients: Clients, queue: str) -> None:
    client = consumer(clients, queue)
    client.send_message(queue, "work")

    reject(client, client.expect("MESSAGE"), requeue="false")

    letter = consumer(clients, dead_letters(queue)).expect("MESSAGE")
    assert (letter["dlq-reason"], letter["dlq-delivery-count"]) == ("rejected", "1")


def test_rejection_may_say_when_the_message_comes_again(clients: Clients, queue: str) -> None:
    client = consumer(clients, queue)
    client.send_message(queue, "work")
    message = client.expect("MESSAGE")

    began = time.monotonic()
    reject(client, message, delay="400")
    client.expect("MESSAGE", JMSXDeliveryCount="2")

    assert time.monotonic() - began >= 0.4


def test_jms_405_message_that_nobody_has_seen_is_not_counted(clients: Clients, queue: str) -> None:
    client = consumer(clients, queue)
    client.send_message(queue, "work")

    reject(client, client.expect("MESSAGE"), undelivered="true")

    client.expect("MESSAGE", JMSXDeliveryCount="1", redelivered="false")


@pytest.mark.parametrize(
    ("name", "value"), [("requeue", "perhaps"), ("delay", "soon"), ("delay", "1e3"), ("undelivered", "2")]
)
def test_rejection_that_cannot_be_understood_is_refused(clients: Clients, queue: str, name: str, value: str) -> None:
    client = consumer(clients, queue)
    client.send_message(queue, "work")
    message = client.expect("MESSAGE")

    client.ack(message, "NACK", **{name: value, "receipt": "r"})

    client.expect_error("invalid-header", f"{name}:{value}", "Accepted is", receipt="r")


@pytest.mark.parametrize("name", ["delay", "x-delay", "AMQ_SCHEDULED_DELAY"])
def test_jms_274_delayed_message_comes_when_it_is_due(clients: Clients, queue: str, name: str) -> None:
    client = consumer(clients, queue)
    began = time.monotonic()

    client.request("SEND", {"destination": queue, name: "300"}, b"later")
    client.send_message(queue, "now")

    first, second = client.expect_bodies("now", "later")
    assert time.monotonic() - began >= 0.3
    assert name not in second
    assert second["redelivered"] == first["redelivered"] == "false"


@pytest.mark.parametrize("name", ["AMQ_SCHEDULED_TIME", "_AMQ_SCHED_DELIVERY"])
def test_message_may_be_sent_for_a_certain_time(clients: Clients, queue: str, name: str) -> None:
    client = consumer(clients, queue)
    due = time.time() + 0.5

    client.request("SEND", {"destination": queue, name: str(int(due * 1000))})
    client.expect("MESSAGE")

    assert time.time() >= due - 0.002


def test_jms_275_delayed_message_to_a_topic_needs_a_subscription_when_it_is_sent(clients: Clients, topic: str) -> None:
    early, late = clients.connect(), clients.connect()
    early.request("SUBSCRIBE", {"destination": topic, "id": "1"})

    early.send_message(topic, "later", delay="300")
    late.request("SUBSCRIBE", {"destination": topic, "id": "1"})

    early.expect("MESSAGE")
    late.expect_nothing()


def test_jms_277_message_that_expires_before_it_is_due_is_never_delivered(clients: Clients, queue: str) -> None:
    client = consumer(clients, queue)

    client.send_message(queue, "never", delay="400", ttl="100")
    client.send_message(queue, "later", delay="500")

    client.expect_bodies("later")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("delay", "soon"),
        ("delay", "-1"),
        ("x-delay", "1.5"),
        ("AMQ_SCHEDULED_DELAY", "315360000001"),
        ("AMQ_SCHEDULED_TIME", "tomorrow"),
        ("_AMQ_SCHED_DELIVERY", "99999999999999"),
    ],
)
def test_delay_that_cannot_be_understood_is_refused(clients: Clients, queue: str, name: str, value: str) -> None:
    client = clients.connect()

    client.send_frame("SEND", {"destination": queue, name: value, "receipt": "r"})

    client.expect_error("invalid-header", f"{name}:{value}", "Accepted is a number from 0 to", receipt="r")


def test_dead_letters_are_sent_back_by_one_command(
    clients: Clients, broker: BrokerProcess, queue: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for body in ("1", "2"):
        kill_message(clients, queue, body, colour="red", priority="7")

    main(["replay", dead_letters(queue).removeprefix("/queue/"), "--url", url(broker)], standalone_mode=False)

    assert "2 messages" in capsys.readouterr().out
    client = consumer(clients, queue)
    messages = client.expect_bodies("1", "2")
    assert {(message["colour"], message["priority"]) for message in messages} == {("red", "7")}
    assert not [name for message in messages for name in message.names if name.startswith(("dlq-", "original-"))]
    client.send_message(dead_letters(queue), "end")
    assert consumer(clients, dead_letters(queue)).expect("MESSAGE").body == b"end"


def test_dead_letters_may_be_sent_elsewhere_and_some_of_them_only(
    clients: Clients, broker: BrokerProcess, queue: str
) -> None:
    for body in ("1", "2"):
        kill_message(clients, queue, body)

    main(
        ["replay", dead_letters(queue), "--url", url(broker), "--to", f"{queue}-b", "--count", "1"],
        standalone_mode=False,
    )

    consumer(clients, f"{queue}-b").expect_bodies("1")
    consumer(clients, dead_letters(queue)).expect_bodies("2")


def url(broker: BrokerProcess) -> str:
    return f"stomp://127.0.0.1:{broker.port}"


def test_jms_401_message_expires_in_a_queue_that_nobody_reads(
    clients: Clients, broker: BrokerProcess, queue: str
) -> None:
    client = clients.connect()

    client.send_message(queue, "short-lived", ttl="200")
    client.send_message(queue, "end")

    wait_for(lambda: rows(broker.store, queue) == 1, "the first message is gone")
    consumer(clients, queue).expect_bodies("end")


def rows(store: str, queue: str) -> int:
    """How many messages the database has for a queue."""
    engine = create_engine(store.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        count = connection.execute(text("SELECT count(*) FROM stompd_messages WHERE queue = :queue"), {"queue": queue})
        found: int = count.scalar_one()
    engine.dispose()
    return found

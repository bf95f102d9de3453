"""A unit that the database refuses: its sender is told, and all others are applied; on SQLite and on PostgreSQL."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from stompd.store.migrate import migrate
from tests.conformance.conftest import StartBroker
from tests.harness.process import BrokerProcess
from tests.harness.raw import RawClient

#: What makes the database refuse messages to one queue; the broker knows nothing of it.
CONSTRAINTS = {
    "sqlite": "CREATE TRIGGER refuse_some BEFORE INSERT ON stompd_message WHEN NEW.destination = '/queue/refused'"
    " BEGIN SELECT RAISE(ABORT, 'refused by the test'); END",
    "postgresql": "ALTER TABLE stompd_message ADD CONSTRAINT refuse_some CHECK (destination <> '/queue/refused')",
}

COUNT = 40


@pytest.fixture(scope="module")
def listen() -> str:
    """TCP alone: it is about the store."""
    return "tcp:0:interface=127.0.0.1"


@pytest.fixture
def own_broker(start_broker: StartBroker, database_url: str) -> BrokerProcess:
    """A broker on a database that refuses messages to `/queue/refused`."""
    migrate(database_url)
    url = make_url(database_url)
    engine = create_engine(url.set(drivername="postgresql+psycopg") if url.drivername == "postgresql" else url)
    with engine.begin() as connection:
        connection.exec_driver_sql(CONSTRAINTS[engine.dialect.name])
    engine.dispose()
    return start_broker(store=database_url)


def take_all(broker: BrokerProcess, destination: str) -> list[str]:
    with broker.client() as client:
        return [frame.body.decode() for frame in client.take_all(destination)]


def pipeline(client: RawClient, destination: str, name: str) -> None:
    """Send many messages with receipts, and wait for none."""
    for number in range(COUNT):
        client.send_frame("SEND", {"destination": destination, "receipt": f"{name}{number}"}, str(number).encode())


def expect_receipts(client: RawClient, name: str) -> None:
    assert [client.expect("RECEIPT")["receipt-id"] for _ in range(COUNT)] == [f"{name}{n}" for n in range(COUNT)]


def test_sender_of_a_refused_message_is_told_and_all_others_are_stored(own_broker: BrokerProcess) -> None:
    bodies = [str(number) for number in range(COUNT)]
    with own_broker.client() as guilty, own_broker.client() as before, own_broker.client() as after:
        pipeline(before, "/queue/before", "b")
        pipeline(guilty, "/queue/own", "o")
        guilty.send_frame("SEND", {"destination": "/queue/refused", "receipt": "refused"}, b"x")
        pipeline(after, "/queue/after", "a")

        expect_receipts(guilty, "o")
        guilty.expect_error("refused-by-store", receipt="refused")
        expect_receipts(before, "b")
        expect_receipts(after, "a")

    own_broker.kill()
    own_broker.restart()
    stored = {name: take_all(own_broker, f"/queue/{name}") for name in ("before", "own", "after")}
    assert stored == {"before": bodies, "own": bodies, "after": bodies}


def test_refused_transaction_leaves_nothing(own_broker: BrokerProcess) -> None:
    with own_broker.client() as sender, own_broker.client() as other:
        sender.send_message("/queue/work", "work")
        sender.subscribe("/queue/work", ack="client")
        [work] = sender.expect_bodies("work")
        sender.request("BEGIN", {"transaction": "t"})
        sender.settle(work, transaction="t")
        sender.send_message("/queue/results", "1", transaction="t")
        sender.send_message("/queue/refused", "2", transaction="t")
        sender.send_frame("COMMIT", {"transaction": "t", "receipt": "commit"})
        pipeline(other, "/queue/other", "o")

        sender.expect_error("refused-by-store", receipt="commit")
        expect_receipts(other, "o")

    assert take_all(own_broker, "/queue/results") == []
    assert take_all(own_broker, "/queue/work") == ["work"]


def test_connection_with_soft_errors_goes_on_after_a_refused_message(own_broker: BrokerProcess) -> None:
    with own_broker.client(soft_errors="true") as sender:
        sender.send_frame("SEND", {"destination": "/queue/refused", "dedup-id": "Z", "receipt": "refused"}, b"x")
        error = sender.expect("ERROR", receipt_id="refused")

        receipt = sender.request("SEND", {"destination": "/queue/taken", "dedup-id": "Z"}, b"y")

    assert (error["error-code"], error["soft"]) == ("refused-by-store", "true")
    assert "duplicate" not in dict(receipt.headers)
    assert take_all(own_broker, "/queue/taken") == ["y"]

"""Delays, back-off and dead letters across the end of the broker; on SQLite and on PostgreSQL."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.conformance.conftest import StartBroker
from tests.harness.process import BrokerProcess

SETTINGS = "[limits]\nmax_deliveries = 3\nredelivery_delay_ms = 1500\n"

Ends = pytest.mark.parametrize("end", [BrokerProcess.kill, BrokerProcess.stop], ids=["killed", "stopped"])
End = Callable[[BrokerProcess], object]


@pytest.fixture
def own_broker(start_broker: StartBroker, database_url: str) -> BrokerProcess:
    """A broker for one test, which may stop or kill it and start it again."""
    return start_broker(SETTINGS, store=database_url)


@Ends
def test_jms_278_delayed_message_is_delivered_after_a_restart(own_broker: BrokerProcess, end: End) -> None:
    with own_broker.client() as client:
        client.send_message("/queue/a", "soon", delay="1500")
        client.send_message("/queue/a", "much later", delay="3600000")
    due = time.time() + 1.4

    end(own_broker)
    own_broker.restart()

    with own_broker.client() as client:
        client.subscribe("/queue/a")
        client.expect_bodies("soon")
        assert time.time() >= due
        client.expect_nothing()


@Ends
def test_back_off_goes_on_after_a_restart(own_broker: BrokerProcess, end: End) -> None:
    with own_broker.client() as client:
        client.subscribe("/queue/a", ack="client-individual")
        client.send_message("/queue/a", "work")
        client.ack(client.expect("MESSAGE"), "NACK")
        client.settle(client.expect("MESSAGE"), "NACK")
    due = time.time() + 1.4

    end(own_broker)
    own_broker.restart()

    with own_broker.client() as client:
        client.subscribe("/queue/a", ack="client-individual")
        client.expect("MESSAGE", JMSXDeliveryCount="3", redelivered="true")
        assert time.time() >= due


@Ends
def test_dead_letter_is_in_one_queue_after_a_restart(own_broker: BrokerProcess, end: End) -> None:
    with own_broker.client() as client:
        client.subscribe("/queue/a", ack="client-individual")
        client.send_message("/queue/a", "work")
        client.settle(client.expect("MESSAGE"), "NACK", requeue="false")

    end(own_broker)
    own_broker.restart()

    with own_broker.client() as client:
        [letter] = client.take_all("/queue/DLQ.a")
        assert (letter.body, letter["dlq-reason"], letter["original-destination"]) == (b"work", "rejected", "/queue/a")
        assert client.take_all("/queue/a") == []


def test_message_that_expired_while_the_broker_was_away_is_removed(own_broker: BrokerProcess) -> None:
    with own_broker.client() as client:
        client.send_message("/queue/a", "short-lived", ttl="1")
        client.send_message("/queue/a", "end")

    own_broker.kill()
    own_broker.restart()

    with own_broker.client() as client:
        assert [message.body for message in client.take_all("/queue/a")] == [b"end"]

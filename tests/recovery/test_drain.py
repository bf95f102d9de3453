"""SIGTERM: no new frames, what was taken is stored, exit 0."""

from __future__ import annotations

import random

import pytest

from tests.harness.process import BrokerProcess
from tests.recovery.history import violations
from tests.recovery.load import Load, drain


@pytest.mark.parametrize("seed", range(100, 104))
def test_stopped_broker_keeps_what_it_confirmed_and_exits_with_0(broker: BrokerProcess, seed: int) -> None:
    load = Load(broker.port, seed)
    load.start()
    load.wait_for_confirmations(random.Random(seed).randint(20, 1500))

    load.may_end.set()
    status = broker.stop()
    load.join()
    broker.restart()

    with broker.client() as client:
        drained = drain(client, load.queues)
    assert status == 0
    assert violations(load.history, drained) == []


def test_stop_stores_what_had_been_sent_before(broker: BrokerProcess) -> None:
    count = 2000
    with broker.client() as sender:
        frames = b"".join(b"SEND\ndestination:/queue/sent-before\n\n%d\0" % number for number in range(count))
        sender.send(frames + b"SEND\ndestination:/queue/sent-before\nreceipt:last\n\nlast\0")
        sender.expect("RECEIPT", receipt_id="last")

        status = broker.stop()
    broker.restart()

    with broker.client() as client:
        bodies = [frame.body.decode() for frame in client.take_all("/queue/sent-before")]
    assert status == 0
    assert bodies == [*map(str, range(count)), "last"]


def test_stop_tells_idle_connections_and_closes_them(broker: BrokerProcess) -> None:
    with broker.client() as idle, broker.client(None) as stranger:
        idle.subscribe("/queue/nothing-comes")

        broker.terminate()

        idle.expect_error("shutting-down")
        stranger.expect_error("shutting-down")
    assert broker.wait() == 0


def test_stop_gives_messages_back(broker: BrokerProcess) -> None:
    with broker.client() as client:
        client.send_message("/queue/held", "text")
        client.subscribe("/queue/held", ack="client")
        [message] = client.expect_bodies("text")

        broker.stop()
    broker.restart()

    with broker.client() as client:
        [returned] = client.take_all("/queue/held")
    assert returned["redelivered"] == "true"
    assert returned["message-id"] == message["message-id"]

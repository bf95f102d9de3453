"""What the broker has stored is there for whoever asks right after it was started again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jms_api import Queue
from tests.harness.process import BrokerProcess


@pytest.fixture
def restarted(broker: BrokerProcess) -> Callable[[], str]:
    """Kill the module's broker, start it again, and return its URL."""

    def restart() -> str:
        broker.kill()
        broker.restart()
        return f"stomp://127.0.0.1:{broker.port}"

    return restart


@pytest.mark.parametrize("selector", [None, "JMSPriority = 4"], ids=["all", "selected"])
def test_jms_299_receive_no_wait_finds_what_was_stored_before_a_restart(
    way: Any, fill: Any, queue: Queue, restarted: Callable[[], str], selector: str | None
) -> None:
    fill(queue, "1", "2")
    connection = way.factory(restarted()).create_connection()
    connection.start()
    consumer = connection.create_session().create_consumer(queue, selector)

    found = [consumer.receive_no_wait() for _ in range(3)]
    connection.close()

    assert [message and message.text for message in found] == ["1", "2", None]

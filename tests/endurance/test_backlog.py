"""Promise 10: a queue may be long, queues and connections may be many, and memory stays small."""

from __future__ import annotations

import pytest

from tests.endurance.backlog import pile_up, sit_idle, spread_out
from tests.endurance.conftest import MakeBroker


def test_long_queue_costs_no_memory_and_comes_back_whole_and_in_order(
    database_url: str, make_broker: MakeBroker, capsys: pytest.CaptureFixture[str]
) -> None:
    broker = make_broker(database_url).start()

    backlog = pile_up(broker, 50_000)

    with capsys.disabled():
        print(f"\n  {backlog} ", end="", flush=True)
    assert backlog.is_in_order
    assert backlog.resident_bytes < 250_000_000


def test_many_queues_come_back_with_their_messages(database_url: str, make_broker: MakeBroker) -> None:
    broker = make_broker(database_url).start()

    crowd = spread_out(broker, 1_000, sample=20)

    assert crowd.wrong == []
    assert crowd.resident_bytes < 250_000_000


def test_idle_connection_costs_little_memory(sqlite_url: str, make_broker: MakeBroker) -> None:
    broker = make_broker(sqlite_url).start()

    each = sit_idle(broker, 300)

    assert each < 60_000

"""A real process killed in mid-load: durable subscriptions, dead letters, delayed and deduplicated messages."""

from __future__ import annotations

import random

import pytest

from tests.harness.process import BrokerProcess
from tests.recovery.history import violations
from tests.recovery.places import Places


@pytest.mark.parametrize("seed", range(8))
def test_killed_broker_keeps_what_every_place_holds(
    broker: BrokerProcess, seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    load = Places(broker.port, seed)
    load.start()
    load.wait_for_confirmations(random.Random(seed).randint(20, 1500))

    load.may_end.set()
    broker.kill()
    load.join()
    broker.restart()

    load.move(broker.port)
    with broker.client() as client:
        load.sender.repeat(client)
    drained = load.drain()
    with capsys.disabled():
        found = ", ".join(f"{len(entries)} {place}" for place, entries in drained.items())
        print(f"\n  seed {seed}: {load.summary()}; {found} ", end="", flush=True)
    assert violations(load.history, drained) == []

"""A real process killed with SIGKILL in mid-load: what was confirmed is there, what was settled stays away."""

from __future__ import annotations

import random

import pytest

from tests.harness.process import BrokerProcess
from tests.recovery.history import violations
from tests.recovery.load import Load, drain


@pytest.mark.parametrize("seed", range(20))
def test_killed_broker_keeps_what_it_confirmed(
    broker: BrokerProcess, seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    load = Load(broker.port, seed)
    load.start()
    load.wait_for_confirmations(random.Random(seed).randint(20, 1500))

    load.may_end.set()
    broker.kill()
    load.join()
    broker.restart()

    with broker.client() as client:
        drained = drain(client, load.queues)
        again = drain(client, load.queues)
    with capsys.disabled():
        found = sum(len(entries) for entries in drained.values())
        print(f"\n  seed {seed}: {load.summary()}; {found} there after the restart ", end="", flush=True)
    assert violations(load.history, drained) == []
    assert again == {queue: [] for queue in load.queues}

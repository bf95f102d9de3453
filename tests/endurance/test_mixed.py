"""Mixed load from clients that die at random: every message is accounted for."""

from __future__ import annotations

import pytest

from tests.endurance.conftest import MakeBroker
from tests.endurance.mixed import SETTINGS, live_and_die


def test_account_of_all_messages_balances_although_clients_die(
    database_url: str, make_broker: MakeBroker, capsys: pytest.CaptureFixture[str]
) -> None:
    broker = make_broker(database_url, SETTINGS).start()

    account = live_and_die(broker, 4, seed=1)

    with capsys.disabled():
        print(f"\n  {account} ", end="", flush=True)
    assert account.faults == []
    assert account.arrived >= account.confirmed > 0
    assert account.deaths > 3

"""A second broker on the same store waits, says so, and goes on where the first one died."""

from __future__ import annotations

import pytest

from tests.endurance.conftest import MakeBroker
from tests.endurance.standby import SETTINGS, take_over

#: Three times what is promised: CI machines pause.
TAKE_OVER_SECONDS = 15.0


def test_standby_takes_over_what_was_confirmed(
    database_url: str, make_broker: MakeBroker, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = make_broker(database_url, SETTINGS), make_broker(database_url, SETTINGS)

    result = take_over(first, second, confirmations=500, seed=1)

    with capsys.disabled():
        print(f"\n  took over within {result.seconds:.1f} s; {result.load} ", end="", flush=True)
    assert result.faults == []
    assert result.seconds < TAKE_OVER_SECONDS


def test_standby_ends_when_it_is_told_to(database_url: str, make_broker: MakeBroker) -> None:
    first, second = make_broker(database_url).start(), make_broker(database_url)
    second.launch()
    second.wait_for_output("standing by")

    assert second.stop() == 0

    with first.client() as client:
        client.send_message("/queue/still-served")

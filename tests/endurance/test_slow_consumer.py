"""Promise 8: a subscriber that stops reading costs a bounded amount of memory and nobody else's progress."""

from __future__ import annotations

import pytest

from tests.endurance.conftest import MakeBroker
from tests.endurance.slowness import stop_reading

#: Little of each, so that whatever is not bounded is soon more than all of it.
SETTINGS = """
    [limits]
    outstanding_bytes = 1000000
    outgoing_bytes = 1000000
    window_count = 1000
    window_bytes = 2000000
    topic_backlog = 1000
    topic_backlog_bytes = 2000000
    journal_units = 2000
"""

#: What the limits above and twice the journal add up to, doubled for what Python and the allocator add.
MEMORY_BYTES = 40_000_000

#: Where something is wrong, others come to a stand; how little they lose, `scripts/soak slow` measures.
LEAST_RATIO = 0.5


@pytest.mark.parametrize("kind", ["topic", "queue"])
def test_consumer_that_stops_reading_costs_little_memory_and_nobody_progress(
    sqlite_url: str, make_broker: MakeBroker, listen: str, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    broker = make_broker(sqlite_url, SETTINGS, listen).start()

    result = stop_reading(broker, f"/{kind}/shared", count=24_000, body_bytes=4_000)

    with capsys.disabled():
        print(
            f"\n  {kind}: {result.rate_alone:.0f}/s alone, {result.rate_beside:.0f}/s beside it;"
            f" {result.growth / 1e6:.1f} MB for {result.sent_bytes / 1e6:.0f} MB ",
            end="",
            flush=True,
        )
    assert result.growth < MEMORY_BYTES < result.sent_bytes / 2
    assert result.ratio > LEAST_RATIO

"""Promise 8: whoever sends faster than the store writes is read from more slowly, and nobody else is."""

from __future__ import annotations

import pytest

from tests.endurance.conftest import MakeBroker
from tests.endurance.slowness import send_without_end

SETTINGS = """
    [limits]
    journal_bytes = 2000000
    window_bytes = 1000000
"""

#: Many times what the limits above allow, and little of what is sent.
MEMORY_BYTES = 40_000_000
SENT_BYTES = 120_000_000


def test_reading_from_a_fast_producer_stops_while_acknowledgements_go_through(
    database_url: str, make_broker: MakeBroker, listen: str, capsys: pytest.CaptureFixture[str]
) -> None:
    broker = make_broker(database_url, SETTINGS, listen).start()

    result = send_without_end(broker, acks=50, least_bytes=SENT_BYTES, body_bytes=8_000)

    with capsys.disabled():
        grown, taken, worst = result.growth / 1e6, result.taken_bytes / 1e6, result.ack_seconds[-1] * 1000
        print(f"\n  {grown:.1f} MB for {taken:.0f} MB; the slowest ACK took {worst:.0f} ms ", end="", flush=True)
    assert len(result.ack_seconds) == 50
    assert result.growth < MEMORY_BYTES

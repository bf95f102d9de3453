"""Lines of cron."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from stompd.broker.cron import parse_cron


def following(line: str, after: str, count: int = 1) -> list[str]:
    """Return the next times after one."""
    ms = int(datetime.fromisoformat(after).replace(tzinfo=UTC).timestamp() * 1000)
    found = []
    for _ in range(count):
        ms = parse_cron(line).next_ms(ms)
        found.append(f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M}" if ms else "never")
    return found


@pytest.mark.parametrize(
    ("line", "after", "times"),
    [
        ("* * * * *", "2026-11-21 13:59:30", ["2026-11-21 14:00", "2026-11-21 14:01"]),
        ("*/20 * * * *", "2026-11-21 23:40", ["2026-11-22 00:00", "2026-11-22 00:20"]),
        ("5/25 8 * * *", "2026-11-21 09:00", ["2026-11-22 08:05", "2026-11-22 08:30"]),
        ("0 8-9 * * *", "2026-11-21 08:00", ["2026-11-21 09:00", "2026-11-22 08:00"]),
        ("30 4 1,15 * *", "2026-11-21 00:00", ["2026-12-01 04:30", "2026-12-15 04:30"]),
        ("0 8 * * MON-FRI", "2026-11-21 00:00", ["2026-11-23 08:00", "2026-11-24 08:00"]),
        ("0 0 * * 7", "2026-11-21 00:00", ["2026-11-22 00:00", "2026-11-29 00:00"]),
        ("0 0 13 * fri", "2026-11-21 00:00", ["2026-11-27 00:00", "2026-12-04 00:00"]),
        ("0 0 31 DEC *", "2026-12-31 00:00", ["2027-12-31 00:00"]),
        ("0 0 29 2 *", "2026-11-21 00:00", ["2028-02-29 00:00"]),
        ("0 0 31 2 *", "2026-11-21 00:00", ["never"]),
    ],
)
def test_next_times(line: str, after: str, times: list[str]) -> None:
    assert following(line, after, len(times)) == times


@pytest.mark.parametrize(
    "line",
    [
        *("", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8"),
        *("9-3 * * * *", "*/0 * * * *", "a * * * *", "1, * * * *", "1-2-3 * * * *", "* * * * MO", "-1 * * * *"),
        "٣ * * * *",
    ],
)
def test_line_that_is_none_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"it has|is not within|is no number"):
        parse_cron(line)

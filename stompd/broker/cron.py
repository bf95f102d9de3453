"""Lines of cron: when something happens again and again, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple, final

#: The lowest and highest number of each field: minute, hour, day of the month, month, day of the week (0 is Sunday).
_BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))

_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
_NAMES: tuple[dict[str, int], ...] = (
    {},
    {},
    {},
    {name: number for number, name in enumerate(_MONTHS, 1)},
    {name: number for number, name in enumerate(_WEEKDAYS)},
)

#: 29 February, on a day of the week that the line names too, may be so far away.
_MOST_DAYS = 366 * 40


@final
class Cron(NamedTuple):
    """When something happens: the numbers of each field, and whether the days are limited."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    is_any_day: bool
    is_any_weekday: bool

    def next_ms(self, after_ms: int) -> int:
        """Return the first time after another one, both in epoch milliseconds; 0 if there is none."""
        after = datetime.fromtimestamp(after_ms // 1000, UTC).replace(second=0) + timedelta(minutes=1)
        day = after.replace(hour=0, minute=0)
        for _ in range(_MOST_DAYS):
            if self._is_on(day):
                for hour in self.hours:
                    for minute in self.minutes:
                        found = day.replace(hour=hour, minute=minute)
                        if found >= after:
                            return int(found.timestamp()) * 1000
            day += timedelta(days=1)
        return 0

    def _is_on(self, day: datetime) -> bool:
        if day.month not in self.months:
            return False
        is_day, is_weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        if self.is_any_day or self.is_any_weekday:
            return is_day and is_weekday
        # crontab(5): if both are limited, one of them is enough.
        return is_day or is_weekday


@lru_cache(maxsize=256)
def parse_cron(text: str) -> Cron:
    """Return what a line of cron means: five fields with numbers, names, `*`, ranges, steps and lists.

    Raises:
        ValueError: It is none.
    """
    fields = text.upper().split()
    if len(fields) != len(_BOUNDS):
        raise ValueError(f"it has {len(fields)} fields, and cron has 5")
    minutes, hours, days, months, weekdays = (
        _parse_field(field, *bounds, names) for field, bounds, names in zip(fields, _BOUNDS, _NAMES, strict=True)
    )
    return Cron(
        tuple(sorted(minutes)),
        tuple(sorted(hours)),
        days,
        months,
        frozenset(number % 7 for number in weekdays),
        fields[2].startswith("*"),
        fields[4].startswith("*"),
    )


def _parse_field(field: str, lowest: int, highest: int, names: dict[str, int]) -> frozenset[int]:
    numbers: set[int] = set()
    for part in field.split(","):
        span, slash, step = part.partition("/")
        first, dash, last = span.partition("-")
        if span == "*":
            begin, end = lowest, highest
        else:
            begin = _parse_number(first, names)
            end = _parse_number(last, names) if dash else highest if slash else begin
        stride = _parse_number(step, {}) if slash else 1
        if not lowest <= begin <= end <= highest or stride < 1:
            raise ValueError(f"{part} is not within {lowest} to {highest}")
        numbers.update(range(begin, end + 1, stride))
    return frozenset(numbers)


def _parse_number(text: str, names: dict[str, int]) -> int:
    if text in names:
        return names[text]
    if not (text.isascii() and text.isdigit() and len(text) < 4):
        raise ValueError(f"{text or 'nothing'} is no number")
    return int(text)

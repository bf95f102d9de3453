"""Ids rise, whatever the clock does."""

from __future__ import annotations

from stompd.broker.identity import IdSource

NOW = 1_700_000_000.0


def test_ids_rise_within_a_millisecond() -> None:
    source = IdSource()

    ids = [source.next(NOW) for _ in range(10_000)]

    assert ids == sorted(set(ids))


def test_ids_rise_when_the_clock_goes_back() -> None:
    source = IdSource()

    ids = [source.next(NOW), source.next(NOW - 3600), source.next(NOW - 3600)]

    assert ids == sorted(set(ids))


def test_ids_follow_the_clock() -> None:
    source = IdSource()
    first = source.next(NOW)

    second = source.next(NOW + 1)

    assert (second - first) >> 22 == 1000


def test_ids_begin_above_the_highest_in_use() -> None:
    highest = IdSource(node=1_023).next(NOW + 60)

    assert IdSource(highest).next(NOW) > highest


def test_ids_of_two_brokers_differ() -> None:
    first, second = IdSource(node=1), IdSource(node=2)

    assert first.next(NOW) != second.next(NOW)


def test_ids_fit_into_63_bits_until_2089() -> None:
    year_2089 = 3_755_000_000.0

    assert IdSource(node=1_023).next(year_2089) < 1 << 63


def test_bound_is_above_ids_made_within_the_time() -> None:
    source = IdSource(node=1_023)

    bound = source.bound(NOW, 10)

    assert source.next(NOW + 9.999) < bound < source.next(NOW + 10.001)


def test_bound_stays_ahead_when_the_clock_goes_back() -> None:
    source = IdSource()
    last = source.next(NOW)

    bound = source.bound(NOW - 3600, 10)

    assert (bound - last) >> 22 == 10_000

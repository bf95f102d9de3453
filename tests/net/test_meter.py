"""Meters: how much of a rate is left, and how long to rest."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stompd.errors import LimitExceeded
from stompd.net.meter import Meter, Meters
from stompd.settings import OptionalLimit, ServiceLimits


def test_what_a_second_allows_costs_no_rest() -> None:
    meter = Meter(10, 0, 0, is_strict=False)

    assert [meter.charge(1_000_000, 0) for _ in range(10)] == [0.0] * 10


def test_more_costs_a_rest() -> None:
    meter = Meter(10, 1_000, 0, is_strict=False)

    assert meter.charge(1_000, 0) == 0
    assert meter.charge(500, 0) == 0.5


def test_buckets_fill_again_and_not_beyond_a_second() -> None:
    meter = Meter(2, 0, 0, is_strict=False)

    for _ in range(2):
        meter.charge(1, 0)

    assert meter.charge(1, 0.5) == 0
    assert meter.charge(1, 0.5) == 0.5
    assert [meter.charge(1, 100) for _ in range(3)] == [0, 0, 0.5]


def test_clock_that_is_set_back_does_no_harm() -> None:
    meter = Meter(1, 0, 100, is_strict=False)

    assert meter.charge(1, 50) == 0
    assert meter.charge(1, 50) == 1


@pytest.mark.parametrize(("messages", "octets"), [(2, 0), (0, 20)])
def test_strict_meter_refuses_more(messages: int, octets: int) -> None:
    meter = Meter(messages, octets, 0, is_strict=True)

    for _ in range(2):
        assert meter.charge(10, 0) == 0
    with pytest.raises(LimitExceeded, match=r"limits\.user_messages_per_second"):
        meter.charge(10, 0)

    assert meter.charge(10, 1) == 0


def test_strict_meter_takes_a_message_larger_than_the_bucket_when_that_is_full() -> None:
    meter = Meter(0, 20, 0, is_strict=True)

    assert meter.charge(50, 0) == 0
    with pytest.raises(LimitExceeded):
        meter.charge(1, 1)
    assert meter.charge(1, 3) == 0


def limits(messages: int) -> ServiceLimits:
    return replace(ServiceLimits(), user_messages_per_second=OptionalLimit(messages))


def test_without_a_rate_nothing_is_measured() -> None:
    assert Meters(ServiceLimits()).of("", "ann", 0) is None


def test_connections_of_a_user_share_a_meter() -> None:
    meters = Meters(limits(5))

    assert meters.of("", "ann", 0) is meters.of("", "ann", 0)
    assert meters.of("", "ann", 0) is not meters.of("", "bob", 0)
    assert meters.of("", "ann", 0) is not meters.of("shop", "ann", 0)


def test_meters_are_bounded() -> None:
    meters = Meters(limits(5))

    for number in range(10_100):
        meters.of("", str(number), 0)

    assert len(meters._meters) == 10_000

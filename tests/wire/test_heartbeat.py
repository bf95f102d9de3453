from __future__ import annotations

import pytest

from stompd.errors import InvalidHeader, ProtocolError
from stompd.wire.heartbeat import HeartBeat, agree, parse_heart_beat


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0,0", HeartBeat(0, 0)),
        ("10000,5000", HeartBeat(10_000, 5_000)),
        ("1500,1500", HeartBeat(1_500, 1_500)),
        ("00007,000000000000000000", HeartBeat(7, 0)),
        ("2147483647,2147483647", HeartBeat(2**31 - 1, 2**31 - 1)),
    ],
)
def test_two_numbers_of_milliseconds_are_read(text, expected):
    assert parse_heart_beat(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("abc", id="a word"),
        pytest.param("1000", id="one number"),
        pytest.param("1000,", id="second number missing"),
        pytest.param(",1000", id="first number missing"),
        pytest.param("1000:1000", id="colon for comma"),
        pytest.param("1000,1000,1000", id="three numbers"),
        pytest.param("1000, 1000", id="space"),
        pytest.param("1000,1000\n", id="line end"),
        pytest.param("-1,0", id="negative"),
        pytest.param("+1,0", id="plus sign"),
        pytest.param("1.5,0", id="fraction"),
        pytest.param("1e3,0", id="exponent"),
        pytest.param("1_000,0", id="underscore"),
        pytest.param("\u0661\u0660\u0660\u0660,0", id="Arabic digits"),
        pytest.param("2147483648,0", id="first above 31 bits"),
        pytest.param("0,2147483648", id="second above 31 bits"),
        pytest.param("9" * 5000 + ",0", id="thousands of digits"),
    ],
)
def test_anything_else_is_refused_with_an_example(text):
    with pytest.raises(InvalidHeader) as raised:
        parse_heart_beat(text)

    assert "Example: heart-beat:10000,10000" in raised.value.detail
    assert len(raised.value.detail) < 400


@pytest.mark.parametrize(
    ("client", "server", "expected"),
    [
        pytest.param(HeartBeat(0, 0), HeartBeat(10, 10), HeartBeat(0, 0), id="client wants none"),
        pytest.param(HeartBeat(10, 10), HeartBeat(0, 0), HeartBeat(0, 0), id="server wants none"),
        pytest.param(HeartBeat(20, 0), HeartBeat(30, 10), HeartBeat(0, 20), id="client sends only"),
        pytest.param(HeartBeat(0, 20), HeartBeat(30, 10), HeartBeat(30, 0), id="client listens only"),
        pytest.param(HeartBeat(1, 20), HeartBeat(30, 4), HeartBeat(30, 4), id="server is slower"),
        pytest.param(HeartBeat(50, 60), HeartBeat(30, 4), HeartBeat(60, 50), id="client is slower"),
    ],
)
def test_each_direction_takes_the_slower_of_both_sides(client, server, expected):
    assert agree(client, server) == expected


def test_negative_interval_is_refused():
    with pytest.raises(ProtocolError):
        agree(HeartBeat(-1, 0), HeartBeat(0, 0))

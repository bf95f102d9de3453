"""Where in the past a SUBSCRIBE begins."""

from __future__ import annotations

import pytest

from stompd.broker.identity import first_id
from stompd.broker.requests import Naming
from stompd.errors import InvalidHeader
from stompd.session.origin import read_origin


@pytest.mark.parametrize(
    ("name", "value", "origin"),
    [
        ("from-seq", "17", (17, 0)),
        ("from-seq", "0", (0, 0)),
        ("from-time", "1700000000000", (first_id(1_700_000_000_000), 0)),
        ("retroactive", "true", (0, 0)),
        ("activemq.retroactive", "1", (0, 0)),
        ("retroactive", "25", (0, 25)),
        ("activemq.retroactive", "YES", (0, 0)),
        ("x-stream-offset", "first", (0, 0)),
        ("x-stream-offset", "last", (0, 1)),
        ("x-stream-offset", "17", (17, 0)),
        ("x-stream-offset", "offset=17", (17, 0)),
        ("x-stream-offset", "timestamp=1700000000", (first_id(1_700_000_000_000), 0)),
    ],
)
def test_past_is_spelled_in_many_ways(name: str, value: str, origin: tuple[int, int]) -> None:
    found = read_origin({name: value}, None, no_local=False)

    assert found is not None
    assert (found.message_id, found.newest) == origin


@pytest.mark.parametrize(
    ("name", "value"), [("from-seq", "-1"), ("from-seq", ""), ("retroactive", "false"), ("x-stream-offset", "next")]
)
def test_present_is_spelled_too(name: str, value: str) -> None:
    assert read_origin({name: value}, None, no_local=False) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("from-seq", "x"),
        ("from-time", "now"),
        ("retroactive", "maybe"),
        ("x-stream-offset", "middle"),
        ("x-stream-offset", "offset=x"),
        ("x-stream-offset", "chunk=1"),
    ],
)
def test_value_that_means_nothing_is_refused(name: str, value: str) -> None:
    with pytest.raises(InvalidHeader, match=name):
        read_origin({name: value}, None, no_local=False)


@pytest.mark.parametrize(
    ("name", "value", "accepted"),
    [
        ("from-seq", "-2", "a number from -1 to"),
        ("retroactive", "zz", "true, false, 1, 0, yes or no, or a number from 2 to"),
        ("activemq.retroactive", "-3", "for example activemq.retroactive:10"),
    ],
)
def test_error_says_all_that_is_accepted(name: str, value: str, accepted: str) -> None:
    with pytest.raises(InvalidHeader, match=f"{name}:{value} cannot be used. Accepted is .*{accepted}"):
        read_origin({name: value}, None, no_local=False)


def test_past_may_be_spelled_twice() -> None:
    origin = read_origin({"from-seq": "5", "x-stream-offset": "offset=5"}, None, no_local=False)

    assert origin is not None
    assert origin.message_id == 5


def test_headers_that_do_not_go_together_are_refused() -> None:
    with pytest.raises(InvalidHeader, match="contradict"):
        read_origin({"from-seq": "1", "retroactive": "true"}, None, no_local=False)
    with pytest.raises(InvalidHeader, match="without a name"):
        read_origin({"from-seq": "1"}, Naming("n"), no_local=False)
    with pytest.raises(InvalidHeader, match="no-local"):
        read_origin({"from-seq": "1"}, None, no_local=True)

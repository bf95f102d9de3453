"""The census: how many connections there may be, and that they are forgotten."""

from __future__ import annotations

import pytest

from stompd.errors import LimitExceeded
from stompd.net.census import Census, Place
from tests.net.site import Site, frame


def test_connections_are_counted_by_place() -> None:
    census = Census()
    counted: list[Place] = []

    for _ in range(2):
        census.enter(counted, ("the user", "ann"), 2, "limits.user_connections")
    with pytest.raises(LimitExceeded, match=r"2 connections of the user ann.*limits.user_connections"):
        census.enter(counted, ("the user", "ann"), 2, "limits.user_connections")
    census.enter(counted, ("the user", "bob"), 2, "limits.user_connections")
    census.leave(counted)

    assert counted == []
    assert not census._counts


def test_no_limit_is_no_limit() -> None:
    census = Census()
    counted: list[Place] = []

    for _ in range(100):
        census.enter(counted, ("the user", "ann"), 0, "x")

    assert len(counted) == 100


def test_connections_of_a_user_are_limited() -> None:
    site = Site(user_connections=2)
    first = site.client(login="ann", passcode="x")
    site.client(login="ann", passcode="x")
    third, other = site.client(None), site.client(None)

    third.send(frame("CONNECT", accept_version="1.2", host="x", login="ann", passcode="x"))
    other.connect(login="bob", passcode="x")

    (error,) = third.received()
    assert error["error-code"] == "limit-exceeded"
    assert b"limits.user_connections" in error.body
    first.lose()
    site.client(login="ann", passcode="x")


def test_connections_from_an_address_are_limited() -> None:
    site = Site(address_connections=2)
    first = site.client()
    site.client(None)

    (error,) = site.client(None).received()

    assert error["error-code"] == "limit-exceeded"
    assert b"limits.address_connections" in error.body
    first.lose()
    site.client()


def test_refused_connections_are_not_counted() -> None:
    site = Site(address_connections=1)
    first = site.client()
    for _ in range(3):
        site.client(None).lose()

    first.lose()

    site.client()
    assert set(site.factory.census._counts.values()) == {1}


def test_user_beyond_the_rate_is_not_read_from_for_a_while() -> None:
    site = Site(user_messages_per_second=2)
    client, other = site.client(login="ann", passcode="x"), site.client(login="bob", passcode="x")

    client.send(frame("SEND", b"x", destination="/queue/a") * 4)
    is_reading = client.transport.is_reading
    other.send(frame("SEND", b"y", destination="/queue/a"))
    site.run()
    before = site.bodies()
    site.advance(0.5)
    later = site.bodies()
    site.advance(0.5)

    assert not is_reading
    assert before == ["x", "x", "x", "y"]
    assert later == ["x", "x", "x", "y", "x"]
    assert client.texts() == []


def test_message_beyond_the_rate_may_be_refused() -> None:
    site = Site(user_messages_per_second=2, rate_is_error=True)
    client = site.client(soft_errors="true")

    for receipt in "123":
        client.send(frame("SEND", b"x", destination="/queue/a", receipt=receipt))
    site.run()

    assert client.texts() == ["RECEIPT 1", "RECEIPT 2", "ERROR limit-exceeded 3"]

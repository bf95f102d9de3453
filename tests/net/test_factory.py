"""The links of a listener: how many there are, and how they end."""

from __future__ import annotations

from importlib.metadata import version

from tests.net.site import Site, frame


def test_connection_beyond_the_limit_is_told_and_closed() -> None:
    site = Site(connections=1)
    site.client()

    surplus = site.client(None)

    (error,) = surplus.received()
    assert error["error-code"] == "limit-exceeded"
    assert b"limits.connections" in error.body
    assert surplus.transport.ending == ["half-closed"]


def test_surplus_connection_takes_no_frame_and_no_place() -> None:
    site = Site(connections=1)
    client = site.client()
    surplus = site.client(None)
    surplus.send(frame("CONNECT", accept_version="1.2", host="x"))
    surplus.lose()

    client.lose()
    site.client()

    assert [found.command for found in surplus.received()] == ["ERROR"]


def test_lost_connection_makes_room() -> None:
    site = Site(connections=1)
    site.client().lose()

    connected = site.client(None).connect()

    assert connected.command == "CONNECTED"


def test_link_that_never_got_its_socket_takes_no_place() -> None:
    site = Site(connections=1)

    site.factory.buildProtocol(None)

    assert site.client(None).connect().command == "CONNECTED"
    assert site.client(None).texts() == ["ERROR limit-exceeded"]


def test_sessions_are_told_apart_across_restarts() -> None:
    site = Site()

    names = {site.client(None).connect()["session"] for _ in range(3)}

    assert names == {"nonce-1", "nonce-2", "nonce-3"}


def test_server_is_named() -> None:
    assert Site().client(None).connect()["server"] == f"stompd/{version('stompd')}"


def test_server_can_be_hidden() -> None:
    assert Site(hide_server=True).client(None).connect().get("server") is None


def test_heart_beat_of_the_settings_is_offered() -> None:
    assert Site(heart_beat=(3_000, 4_000)).client(None).connect()["heart-beat"] == "3000,4000"


def test_all_links_are_lost_when_there_is_none() -> None:
    assert Site().factory.all_lost().called


def test_all_links_are_lost_with_the_last_one() -> None:
    site = Site()
    first, last = site.client(), site.client()
    waiters = [site.factory.all_lost(), site.factory.all_lost()]

    first.lose()
    was_early = any(waiter.called for waiter in waiters)
    last.lose()

    assert not was_early
    assert all(waiter.called for waiter in waiters)


def test_every_link_is_shut_down() -> None:
    site = Site()
    clients = [site.client(), site.client(None)]

    site.factory.shut_down()
    site.run()

    assert [client.texts() for client in clients] == [["ERROR shutting-down"]] * 2


def test_links_are_dismissed_without_the_receipts_that_will_never_come() -> None:
    site = Site()
    client = site.client()
    client.send(frame("SEND", b"a", destination="/queue/a", receipt="r1"))
    site.turn()
    site.factory.shut_down()

    site.factory.dismiss()
    site.run()

    (error,) = client.received()
    assert error["error-code"] == "shutting-down"
    assert b"repeat what was not confirmed" in error.body
    assert client.transport.ending == ["half-closed"]


def test_links_that_are_closed_are_not_dismissed() -> None:
    site = Site()
    client = site.client()
    client.send(frame("BOO"))
    site.run()

    site.factory.dismiss()

    assert client.texts() == ["ERROR unknown-command"]


def test_every_link_is_cut() -> None:
    site = Site()
    clients = [site.client(), site.client(None)]

    site.factory.abort_all()

    assert [client.transport.ending for client in clients] == [["aborted"], ["aborted"]]
    assert site.factory.all_lost().called

"""Heart-beats: when one is sent, and when the peer is given up."""

from __future__ import annotations

import pytest

from stompd.errors import InternalError
from stompd.session.session import HeartBeatAction, Session, SessionSettings
from stompd.wire.heartbeat import HeartBeat
from tests.session.peer import NOW, connected, frame, new_session

NONE, SEND, DEAD = HeartBeatAction.NONE, HeartBeatAction.SEND, HeartBeatAction.DEAD


def beating(client: str, server: tuple[int, int] = (10_000, 10_000), version: str = "1.2") -> Session:
    return connected(version, SessionSettings(heart_beat=HeartBeat(*server)), client)


@pytest.mark.parametrize("client", ["0,0", ""])
def test_nothing_is_due_when_the_client_wants_none(client: str) -> None:
    headers = {"accept-version": "1.2"} | ({"heart-beat": client} if client else {})
    session = new_session()
    session.receive_frame(frame("CONNECT", headers), NOW)
    session.accepted("alice", NOW)

    assert session.next_deadline() is None
    assert session.tick(NOW + 1e6) is NONE


def test_nothing_is_due_in_1_0() -> None:
    session = beating("1000,1000", version="1.0")

    assert session.next_deadline() is None
    assert session.tick(NOW + 1e6) is NONE


def test_nothing_is_due_before_connected_is_sent() -> None:
    session = new_session()
    before = session.next_deadline()
    session.receive_frame(frame("CONNECT", {"accept-version": "1.2", "heart-beat": "1000,1000"}), NOW)

    assert before is None
    assert session.next_deadline() is None
    assert session.tick(NOW + 1e6) is NONE


@pytest.mark.parametrize(("client", "after"), [("0,20000", 10.0), ("0,1000", 5.0), ("0,10000", 5.0)])
def test_heart_beat_is_sent_after_half_the_agreed_interval(client: str, after: float) -> None:
    session = beating(client)

    assert session.next_deadline() == NOW + after
    assert session.tick(NOW + after - 0.001) is NONE
    assert session.tick(NOW + after) is SEND


def test_interval_below_a_second_is_kept() -> None:
    session = beating("0,1500", (100, 0))

    assert session.next_deadline() == NOW + 0.75


def test_whatever_is_sent_puts_the_heart_beat_off() -> None:
    session = beating("0,10000")
    session.octets_sent(NOW + 4)

    assert session.tick(NOW + 5) is NONE
    assert session.next_deadline() == NOW + 9


def test_heart_beat_counts_as_sent() -> None:
    session = beating("0,10000")
    session.tick(NOW + 5)

    assert session.tick(NOW + 5) is NONE
    assert session.next_deadline() == NOW + 10


@pytest.mark.parametrize(("client", "after"), [("20000,0", 41.0), ("1000,0", 21.0)])
def test_peer_is_dead_after_twice_the_agreed_interval_and_a_second(client: str, after: float) -> None:
    session = beating(client)

    assert session.next_deadline() == NOW + after
    assert session.tick(NOW + after - 0.001) is NONE
    assert session.tick(NOW + after) is DEAD


def test_any_octet_counts_as_life() -> None:
    session = beating("10000,0")
    session.octets_received(NOW + 20)

    assert session.tick(NOW + 21) is NONE
    assert session.next_deadline() == NOW + 41


def test_connected_starts_the_clock() -> None:
    session = new_session()
    session.receive_frame(frame("CONNECT", {"accept-version": "1.2", "heart-beat": "10000,10000"}), NOW)
    session.accepted("alice", NOW + 100)

    assert session.tick(NOW + 100) is NONE
    assert session.next_deadline() == NOW + 105


def test_earlier_deadline_comes_first() -> None:
    session = beating("1000,100000", (1_000, 1_000))

    assert session.next_deadline() == NOW + 3


def test_dead_peer_gets_no_heart_beat() -> None:
    session = beating("10000,10000")

    assert session.tick(NOW + 21) is DEAD


def test_peer_is_not_judged_while_nothing_is_read() -> None:
    session = beating("10000,0")
    session.reading_suspended(NOW + 1)

    assert session.next_deadline() is None
    assert session.tick(NOW + 1_000) is NONE


def test_own_heart_beats_go_on_while_nothing_is_read() -> None:
    session = beating("10000,10000")
    session.reading_suspended(NOW + 1)

    assert session.next_deadline() == NOW + 5
    assert session.tick(NOW + 1_000) is SEND


def test_silence_counts_from_when_reading_goes_on() -> None:
    session = beating("10000,0")
    session.reading_suspended(NOW + 1)
    session.reading_resumed(NOW + 1_000)

    assert session.next_deadline() == NOW + 1_021
    assert session.tick(NOW + 1_020) is NONE
    assert session.tick(NOW + 1_021) is DEAD


def test_peer_may_be_silent_after_its_disconnect() -> None:
    session = beating("10000,10000")
    session.receive_frame(frame("DISCONNECT", {"receipt": "r"}), NOW)

    assert session.next_deadline() == NOW + 5
    assert session.tick(NOW + 1_000) is SEND


def test_nothing_is_due_after_an_error() -> None:
    session = beating("10000,10000")
    session.error(InternalError("It was us."), None)

    assert session.next_deadline() is None
    assert session.tick(NOW + 1e6) is NONE

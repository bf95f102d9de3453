"""STOMP rules, section 1.8: heart-beats.

A client that promised heart-beats and stays silent is the clock of these tests: when the broker has given it up, more
than two intervals and a second are over, and every other client must be as the rule says.
"""

from __future__ import annotations

import re
import time

import pytest

from tests.conformance.conftest import Clients, StartBroker
from tests.harness.raw import RawClient


@pytest.fixture(scope="module")
def settings() -> str:
    return "heart_beat = [100, 100]\n"


def connect_doomed(clients: Clients) -> RawClient:
    """A client that promises something every 100 ms and never keeps it."""
    return clients.connect("1.2", heart_beat="100,0")


def test_s11_hb_1_heart_beat_is_two_numbers_of_milliseconds(clients: Clients) -> None:
    connected = clients.dial().connect("1.2", heart_beat="60000,60000")

    assert re.fullmatch(r"\d+,\d+", connected["heart-beat"])
    assert connected["heart-beat"] == "100,100"


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_s11_hb_2_no_header_means_no_heart_beats(clients: Clients, version: str) -> None:
    silent = clients.connect(version)
    doomed = connect_doomed(clients)
    seen = silent.line_ends

    doomed.expect_error("heart-beat-missed")

    assert silent.poll_frame(0.01) is None
    assert silent.line_ends <= seen + 1  # the EOL behind CONNECTED
    silent.expect_nothing()


@pytest.mark.parametrize("promise", ["0,0", "0,60000", "60000,0"])
def test_s11_hb_3_client_owes_the_longer_interval_or_none(clients: Clients, promise: str) -> None:
    client = clients.connect("1.2", heart_beat=promise)
    doomed = connect_doomed(clients)

    doomed.expect_error("heart-beat-missed")

    client.expect_nothing()


def test_s11_hb_3_client_owes_nothing_to_a_broker_that_wants_nothing(
    clients: Clients, start_broker: StartBroker
) -> None:
    broker = start_broker("heart_beat = [100, 0]\n")
    client = clients.connect("1.2", broker=broker, heart_beat="100,0")
    doomed = connect_doomed(clients)

    doomed.expect_error("heart-beat-missed")

    client.expect_nothing()


def test_s11_hb_4_broker_owes_the_longer_interval(clients: Clients) -> None:
    patient = clients.connect("1.2", heart_beat="0,20000")
    eager = clients.connect("1.2", heart_beat="0,10")

    eager.wait_for_line_ends(12)

    assert patient.poll_frame(0.01) is None
    assert patient.line_ends <= 1  # the EOL behind CONNECTED


def test_s11_hb_5_any_octet_is_a_sign_of_life(clients: Clients, queue: str) -> None:
    client = clients.connect("1.2", heart_beat="100,0")
    doomed = connect_doomed(clients)

    client.send(f"SEND\ndestination:{queue}\nreceipt:sent\n\n".encode())
    while doomed.poll_frame(0.05) is None:
        client.send(b"x")
    client.send(b"\0")

    client.expect("RECEIPT", receipt_id="sent")


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_s11_hb_6_broker_with_nothing_to_say_writes_line_ends(clients: Clients, version: str) -> None:
    client = clients.connect(version, heart_beat="0,100")

    client.wait_for_line_ends(8)

    client.expect_nothing()


def test_s11_hb_6_client_that_beats_stays_connected(clients: Clients) -> None:
    client = clients.connect("1.2", heart_beat="100,100")
    doomed = connect_doomed(clients)

    while doomed.poll_frame(0.05) is None:
        client.send(b"\n")

    client.expect_nothing()


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_s11_hb_7_silent_client_is_declared_dead(clients: Clients, queue: str, version: str) -> None:
    reader = clients.connect()
    reader.send_message(queue, "left behind")
    silent = clients.connect(version, heart_beat="100,0")
    silent.subscribe(queue, ack="client")
    silent.expect_bodies("left behind")

    silent.expect_error("heart-beat-missed")

    reader.subscribe(queue)
    assert reader.expect("MESSAGE", redelivered="true").body == b"left behind"


def test_s11_hb_8_late_heart_beat_is_forgiven(clients: Clients) -> None:
    connected_at = time.monotonic()
    doomed = connect_doomed(clients)

    doomed.expect_error("heart-beat-missed")

    # Two intervals of 100 ms and a second; a shorter margin would cut off clients that are merely busy.
    assert time.monotonic() - connected_at >= 1.1


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_s11_hb_9_connected_comes_before_any_heart_beat(clients: Clients, version: str) -> None:
    client = clients.dial()

    client.send_frame("CONNECT", {"accept-version": version, "host": "x", "heart-beat": "100,100"})

    assert client.read_octets(9).startswith(b"CONNECTED")


@pytest.mark.parametrize("version", ["1.1", "1.2"])
@pytest.mark.parametrize("value", ["1000:1000", "abc", "1000", "1000,", ",", "-1,0", "1,2,3", "1.5,1", ""])
def test_s11_hb_10_malformed_value_is_refused(clients: Clients, version: str, value: str) -> None:
    client = clients.dial()

    client.send_frame("CONNECT", {"accept-version": version, "host": "x", "heart-beat": value})

    client.expect_error("invalid-header", "heart-beat")


@pytest.mark.parametrize("headers", [{}, {"heart_beat": "100,100"}])
def test_s10_hb_11_silent_1_0_client_stays_connected(clients: Clients, queue: str, headers: dict[str, str]) -> None:
    consumer = clients.dial()
    consumer.connect("1.0", **headers)
    consumer.subscribe(queue)
    doomed = connect_doomed(clients)

    doomed.expect_error("heart-beat-missed")

    clients.connect().send_message(queue, "still there")
    consumer.expect_bodies("still there")


def test_s11_hb_12_client_that_is_not_read_for_a_while_is_not_given_up(clients: Clients, queue: str) -> None:
    sender = clients.connect()
    for number in range(24):
        sender.send_message(queue, f"{number:06}" + "x" * 500_000)
    slow = clients.connect("1.2", receive_buffer=8192, heart_beat="100,0")
    slow.subscribe(queue, prefetch_count="0")
    doomed = connect_doomed(clients)

    # It keeps its promise while the broker's writes to it are stuck.
    while doomed.poll_frame(0.05) is None:
        slow.send(b"\n")

    bodies = [slow.expect("MESSAGE").body[:6] for _ in range(24)]
    assert bodies == [f"{number:06}".encode() for number in range(24)]

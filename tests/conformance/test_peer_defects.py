"""Defects that other brokers have or had, each as a test of ours.

What belongs to durable subscriptions, retained messages and WebSocket comes with those.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from tests.conformance.conftest import Clients
from tests.harness.frames import RawFrame, write_frame
from tests.harness.process import BrokerProcess
from tests.harness.raw import RawClient

VERSIONS = ["1.0", "1.1", "1.2"]

Contents = Callable[[str], list[str]]


def test_cumulative_ack_leaves_older_deliveries_of_another_subscription(
    clients: Clients, queue: str, contents: Contents
) -> None:
    client = clients.connect()
    for number in range(3):
        client.send_message(f"{queue}-b", str(number))
    client.subscribe(f"{queue}-b", ack="client", id="b")
    client.expect_bodies("0", "1", "2")
    client.send_message(f"{queue}-a", "newer")
    client.subscribe(f"{queue}-a", ack="client", id="a")
    [newer] = client.expect_bodies("newer")

    client.settle(newer)
    client.disconnect()

    assert contents(f"{queue}-b") == ["0", "1", "2"]


@pytest.mark.parametrize("version", VERSIONS)
def test_malformed_frame_gets_an_error_before_the_close(clients: Clients, version: str) -> None:
    client = clients.connect(version)

    client.send(b"SEND\nno colon\n\n\0")

    client.expect_error("malformed-frame")


def test_commit_whose_third_frame_was_refused_leaves_nothing(clients: Clients, queue: str, contents: Contents) -> None:
    client = clients.connect()
    client.request("BEGIN", {"transaction": "t"})
    for body in ("first", "second"):
        client.send_message(queue, body, transaction="t")
    client.send_frame("SEND", {"destination": "/nowhere/x", "transaction": "t"})
    client.send_frame("COMMIT", {"transaction": "t"})

    client.expect_error("invalid-destination")

    assert contents(queue) == []


def test_ack_of_another_session_settles_nothing(clients: Clients, queue: str, contents: Contents) -> None:
    owner, thief = clients.connect(), clients.connect()
    owner.send_message(queue, "mine")
    owner.subscribe(queue, ack="client-individual", id="1")
    [message] = owner.expect_bodies("mine")
    thief.subscribe(f"{queue}-other", ack="client-individual", id="1")

    thief.send_frame("ACK", {"id": message["ack"], "receipt": "r"})

    assert thief.read_frame().command in {"ERROR", "RECEIPT"}
    owner.close()
    assert contents(queue) == ["mine"]


def test_header_names_are_escaped_on_output(clients: Clients, queue: str) -> None:
    client = clients.connect()

    client.request("SEND", {"destination": queue, "a:b\n\\": "c"})

    client.subscribe(queue)
    assert b"a\\cb\\n\\\\:c" in client.expect("MESSAGE").header_lines


def test_two_subscriptions_of_a_connection_keep_their_own_ack_modes(
    clients: Clients, queue: str, contents: Contents
) -> None:
    client, sender = clients.connect(), clients.connect()
    for mode in ("auto", "client"):
        client.subscribe(f"{queue}-{mode}", ack=mode, id=mode)
        sender.send_message(f"{queue}-{mode}", mode)
        client.expect_bodies(mode)

    client.close()

    assert [contents(f"{queue}-{mode}") for mode in ("auto", "client")] == [[], ["client"]]


def test_version_nobody_speaks_gets_an_error_and_no_connected(clients: Clients) -> None:
    client = clients.dial()

    client.send_frame("CONNECT", {"accept-version": "9.9", "host": "x"})

    client.expect_error("unsupported-version")


def test_huge_content_length_allocates_nothing(clients: Clients, broker: BrokerProcess) -> None:
    before = broker.resident_bytes()
    attackers = [clients.connect() for _ in range(20)]

    for attacker in attackers:
        attacker.send(b"SEND\ndestination:/queue/a\ncontent-length:4294967295\n\n")

    for attacker in attackers:
        attacker.expect_error("frame-too-large")
    assert broker.resident_bytes() - before < 50_000_000


def test_allowed_content_length_allocates_nothing_before_the_body_comes(
    clients: Clients, broker: BrokerProcess
) -> None:
    clients.connect().expect_nothing()
    before = broker.resident_bytes()
    attackers = [clients.connect() for _ in range(20)]

    for attacker in attackers:
        attacker.send(b"SEND\ndestination:/queue/a\ncontent-length:16000000\n\n")

    clients.connect().expect_nothing()
    assert broker.resident_bytes() - before < 50_000_000


def test_slow_topic_subscriber_stalls_nobody(clients: Clients, topic: str) -> None:
    stalled = clients.connect(receive_buffer=8192)
    stalled.subscribe(topic)
    reader, sender = clients.connect(), clients.connect()
    reader.subscribe(topic)
    bodies = [f"{number:06}" + "x" * 200_000 for number in range(60)]

    for body in bodies:
        sender.send_message(topic, body)
        assert reader.expect("MESSAGE").body == body.encode()

    # It gets its own in order when it wakes up, none of them spoiled.
    assert stalled.expect("MESSAGE").body == bodies[0].encode()
    assert stalled.expect("MESSAGE").body == bodies[1].encode()


@pytest.mark.parametrize("version", VERSIONS)
def test_connect_send_disconnect_in_one_segment_then_fin_is_processed(
    clients: Clients, queue: str, version: str, contents: Contents
) -> None:
    client = clients.dial()
    accepted = {} if version == "1.0" else {"accept-version": version, "host": "x"}
    session = [
        write_frame("CONNECT", accepted),
        write_frame("SEND", {"destination": queue}, b"from a one-shot sender"),
        write_frame("DISCONNECT", {"receipt": "goodbye"}),
    ]

    client.send(b"".join(session))
    client.finish_sending()

    client.expect("CONNECTED")
    client.expect("RECEIPT", receipt_id="goodbye")
    client.expect_closed()
    assert contents(queue) == ["from a one-shot sender"]


@pytest.mark.parametrize("version", VERSIONS)
def test_connect_and_send_then_fin_without_disconnect_is_processed(clients: Clients, queue: str, version: str) -> None:
    client, reader = clients.dial(), clients.connect()
    accepted = {} if version == "1.0" else {"accept-version": version, "host": "x"}

    client.send(write_frame("CONNECT", accepted) + write_frame("SEND", {"destination": queue}, b"one shot"))
    client.finish_sending()

    reader.subscribe(queue)
    reader.expect_bodies("one shot")


def test_pipelined_error_can_be_read_after_the_fin(clients: Clients) -> None:
    client = clients.dial()

    client.send(write_frame("CONNECT", {"accept-version": "1.2", "host": "x"}) + b"RUBBISH\n\n\0" + b"x" * 100_000)
    client.finish_sending()

    client.expect("CONNECTED")
    client.expect_error("unknown-command", "RUBBISH")


@pytest.mark.parametrize("version", VERSIONS)
def test_session_is_understood_octet_by_octet(clients: Clients, queue: str, version: str) -> None:
    client = clients.dial()
    accepted = {} if version == "1.0" else {"accept-version": version, "host": "x"}
    stream = write_frame("CONNECT", accepted) + write_frame(
        "SEND", {"destination": queue, "content-length": "5", "colour": "größe"}, b"a\0b\0c", version=version
    )
    stream += b"\n\n" + write_frame("SUBSCRIBE", {"destination": queue, "id": "1", "receipt": "r"}, version=version)

    for octet in stream:
        client.send(bytes([octet]))

    client.expect("CONNECTED", version=version)
    client.use_version(version)
    client.expect("RECEIPT", receipt_id="r")
    assert client.expect("MESSAGE", colour="größe").body == b"a\0b\0c"


@pytest.mark.parametrize("seed", range(20))
def test_random_octets_harm_nobody(clients: Clients, queue: str, seed: int) -> None:
    chance = random.Random(seed)
    words = [
        b"\0",
        b"\r",
        b"\n",
        b"\\",
        b":",
        b"SEND",
        b"CONNECT\n\n\0",
        b"destination:/queue/a\n",
        b"\xff",
        b"content-length:",
    ]
    witness, attacker = clients.connect(), clients.dial()
    witness.subscribe(queue)

    attacker.send(b"CONNECT\naccept-version:1.2\n\n\0" + b"".join(chance.choices(words, k=500)))
    attacker.finish_sending()

    clients.connect().send_message(queue, "still served")
    witness.expect_bodies("still served")
    witness.expect_nothing()
    last = last_frame_of(attacker)
    assert last.command in {"CONNECTED", "ERROR"}


def last_frame_of(client: RawClient) -> RawFrame:
    """Read everything up to the end of the stream."""
    last = client.expect("CONNECTED")
    while (frame := client.poll_frame(client.patience)) is not None:
        last = frame
    client.expect_closed()
    return last


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("length", "code"),
    [(3, "malformed-frame"), (4, "malformed-frame")],
    ids=["one too short", "characters, not octets"],
)
def test_content_length_that_is_too_short_is_refused(
    clients: Clients, queue: str, version: str, length: int, code: str
) -> None:
    client = clients.connect(version)

    client.send(f"SEND\ndestination:{queue}\ncontent-length:{length}\n\nmètr\0".encode())

    client.expect_error(code, "content-length")


@pytest.mark.parametrize("version", VERSIONS)
def test_content_length_that_is_too_long_swallows_the_next_frame_and_is_refused(
    clients: Clients, queue: str, version: str, contents: Contents
) -> None:
    client = clients.connect(version)

    client.send(f"SEND\ndestination:{queue}\ncontent-length:6\n\nabcd\0SEND\ndestination:{queue}\n\nefgh\0".encode())

    client.expect_error("malformed-frame", "content-length")
    assert contents(queue) == []


def test_header_with_every_special_octet_reaches_all_versions_at_once(clients: Clients, topic: str) -> None:
    readers = {version: clients.connect(version) for version in VERSIONS}
    for reader in readers.values():
        reader.subscribe(topic)
    value = "a\r\nb:c\\d"

    clients.connect("1.2").request("SEND", {"destination": topic, "mark": value, "plain": "x"}, b"text")

    messages = {version: reader.expect("MESSAGE", plain="x") for version, reader in readers.items()}
    assert [message.body for message in messages.values()] == [b"text"] * 3
    assert {version: message["mark"] for version, message in messages.items()} == {
        "1.0": "ab:c\\d",
        "1.1": value,
        "1.2": value,
    }

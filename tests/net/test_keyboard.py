"""Frames that people type."""

from __future__ import annotations

import pytest
from twisted.internet.address import IPv4Address

from stompd.net.keyboard import Keyboard
from tests.net.site import Client, Site

CONNECT = b"CONNECT\r\naccept-version:1.1\r\nhost:x\r\n\r\n"


def typed(octets: bytes, *, is_local: bool = True, step: int | None = None) -> bytes:
    """Return what a new keyboard makes of octets, given at once or in pieces."""
    keyboard = Keyboard(is_local=is_local)
    size = step or len(octets)
    return b"".join(keyboard.read(octets[at : at + size]) for at in range(0, len(octets), size))


@pytest.fixture
def person() -> Client:
    """Somebody on this machine with telnet."""
    client = Site().client(None)
    client.transport.peerAddr = IPv4Address("TCP", "127.0.0.1", 1234)
    return client


@pytest.mark.parametrize("step", [None, 1, 3])
@pytest.mark.parametrize(
    ("octets", "meaning"),
    [
        (b"CONNECT\r\n\r\n^@\r\n", b"CONNECT\r\n\r\n\0\n"),
        (b"CONNECT\n\n^@\nSEND\nto:x\n\nhello\n^@\n", b"CONNECT\n\n\0\nSEND\nto:x\n\nhello\0\n"),
        (b"CONNECT\n\n^@\nSEND\r\nto:x\r\n\r\n1\r\n\r\n2\r\n^@\r\n", b"CONNECT\n\n\0\nSEND\nto:x\n\n1\n\n2\0\n"),
        (b"CONNECT\n\n^@\nSEND\n\n\n\n^@\n", b"CONNECT\n\n\0\nSEND\n\n\n\0\n"),
        (b"CONNECT\n\n^@\nSEND\n\nx^@\n ^@\n^@y\n^@\n", b"CONNECT\n\n\0\nSEND\n\nx^@\n ^@\n^@y\0\n"),
        (b"CONNECT\n\n^@\n\n\nSEND\n\na\0\nSEND\n\nb\n^@\n", b"CONNECT\n\n\0\n\n\nSEND\n\na\0\nSEND\n\nb\0\n"),
    ],
)
def test_line_with_a_caret_is_a_nul(octets: bytes, meaning: bytes, step: int | None) -> None:
    assert typed(octets, step=step) == meaning


@pytest.mark.parametrize("step", [None, 1, 3])
@pytest.mark.parametrize(
    "octets", [b"CONNECT\n\n\0SEND\n\n^@\n\0", b"\n\r\nSTOMP\r\n\r\n\0\n^@\nHELP\n", b"^@^@\n\0", b"HELPER\n\n\0"]
)
def test_program_is_left_alone(octets: bytes, step: int | None) -> None:
    assert typed(octets, step=step) == octets


def test_line_with_a_caret_from_elsewhere_is_left_alone() -> None:
    assert typed(CONNECT + b"^@\r\n", is_local=False) == CONNECT + b"^@\r\n"


def test_long_unfinished_line_is_not_kept() -> None:
    keyboard = Keyboard(is_local=True)
    keyboard.read(b"CONNECT\n\n^@\n")

    taken = keyboard.read(b"x" * 10_000)

    assert taken == b"x" * 10_000


def test_conversation_with_telnet(person: Client) -> None:
    person.send(CONNECT)
    person.send(b"^@\r\n")
    (connected,) = person.received()
    person.send(b"SUBSCRIBE\r\nid:1\r\ndestination:/queue/a\r\n\r\n^@\r\n")
    person.send(b"SEND\r\ndestination:/queue/a\r\npersistent:false\r\ncolour:red\r\n\r\nhello\r\n^@\r\n")
    person._site.run()

    (message,) = person.received()
    assert connected["version"] == "1.1"
    assert message.body == b"hello"
    assert message["colour"] == "red"


def test_frames_for_a_person_end_with_a_line_end(person: Client) -> None:
    person.send(CONNECT + b"^@\r\n")

    assert person.transport.value().endswith(b"\0\n")


def test_telnet_that_sends_nul_needs_no_caret() -> None:
    client = Site().client(None)

    client.send(CONNECT + b"\0\r\n")
    client.send(b"SEND\r\ndestination:/queue/a\r\nreceipt:r1\r\npersistent:false\r\n\r\nx\0\r\n")
    client._site.run()

    assert client.texts() == ["CONNECTED", "RECEIPT r1"]


@pytest.mark.parametrize("octets", [b"HELP\r\n", b"help\n", b"\r\nHelp\r\n"])
def test_help_is_answered_before_connect(octets: bytes) -> None:
    client = Site().client(None)

    for octet in octets:
        client.send(bytes([octet]))
    answer = client.transport.value()
    client.transport.clear()
    client.send(b"CONNECT\naccept-version:1.2\nhost:x\n\n\0")

    assert b"accept-version:1.2\r\n" in answer
    assert client.texts() == ["CONNECTED"]
    assert client.transport.ending == []


def test_help_is_answered_in_a_typed_session(person: Client) -> None:
    person.send(CONNECT + b"^@\r\n")
    person.transport.clear()

    person.send(b"HELP\r\n")

    assert person.transport.value().startswith(b"This is a message broker.")
    assert person.transport.ending == []


def test_flood_of_help_from_a_peer_that_does_not_read_is_suspended() -> None:
    client = Site(outgoing_bytes=10_000).client(None)
    client.transport.is_peer_reading = False

    while client.transport.is_reading:
        client.send(b"HELP\n")

    assert len(client.transport.value()) < 2 * 65_536

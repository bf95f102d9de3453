"""What a connection begins with, and what strangers are told."""

from __future__ import annotations

import pytest

from stompd.net.recognition import PROXY_SIGNATURE, Opening, recognise
from tests.net.site import Site, frame

CLIENT_HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256))

OPENINGS = [
    (b"CONNECT\naccept-version:1.2\n\n\0", Opening.STOMP),
    (b"STOMP\r\n\r\n\0", Opening.STOMP),
    (b"\n\nCONNECT\n\n\0", Opening.STOMP),
    (b"\r\n\r\n\r\nCONNECT\n\n\0", Opening.STOMP),
    (b"x" * 100, Opening.STOMP),
    (b"GET / HTTP/1.1\r\n", Opening.HTTP),
    (b"CONNECT example.org:443 HTTP/1.1\r\n", Opening.HTTP),
    (b"OPTIONS * HTTP/1.1\r\n", Opening.HTTP),
    (CLIENT_HELLO, Opening.TLS),
    (b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n", Opening.PROXY),
    (PROXY_SIGNATURE + b"\x21\x11\0\x0c", Opening.PROXY),
]


@pytest.mark.parametrize(("octets", "opening"), OPENINGS)
def test_opening_is_recognised(octets: bytes, opening: Opening) -> None:
    assert recognise(octets) is opening


@pytest.mark.parametrize(("octets", "opening"), OPENINGS)
def test_opening_is_the_same_however_it_arrives(octets: bytes, opening: Opening) -> None:
    verdicts = [recognise(octets[:length]) for length in range(len(octets) + 1)]

    first = next(at for at, verdict in enumerate(verdicts) if verdict is not None)
    assert set(verdicts[first:]) == {opening}
    assert first <= len(PROXY_SIGNATURE)


def test_http_is_answered_in_http_and_closed() -> None:
    client = Site().client(None)

    client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")

    answer = client.transport.value()
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"ws: endpoint" in answer
    assert client.transport.ending == ["half-closed"]


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (CLIENT_HELLO, b"ssl: endpoint"),
        (b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nCONNECT\n\n\0", b"haproxy:"),
        (PROXY_SIGNATURE + b"\x21\x11\0\x0c" + bytes(12), b"haproxy:"),
    ],
    ids=["TLS", "PROXY 1", "PROXY 2"],
)
def test_stranger_is_told_in_one_line_what_to_do(octets: bytes, words: bytes) -> None:
    client = Site().client(None)

    for octet in octets[:20]:
        client.send(bytes([octet]))

    (error,) = client.received()
    assert error["error-code"] == "protocol-error"
    assert words in error.body
    assert error.body.count(b"\n") == 1
    assert client.transport.ending == ["half-closed"]


def test_connect_in_single_octets_is_taken() -> None:
    client = Site().client(None)

    for octet in frame("CONNECT", accept_version="1.2", host="x"):
        client.send(bytes([octet]))

    assert client.texts() == ["CONNECTED"]


def test_stranger_that_breaks_off_leaves_nothing() -> None:
    site = Site(connections=1)
    client = site.client(None)
    client.send(b"GE")

    client.lose()

    assert client.transport.value() == b""
    assert site.client(None).connect().command == "CONNECTED"

"""STOMP rules, section 1.17: STOMP in a WebSocket."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tests.harness.frames import write_frame
from tests.harness.process import BrokerProcess
from tests.harness.raw import PATIENCE_SECONDS
from tests.harness.websocket import BINARY, TEXT, WebSocketStream, deflate, mask

CONNECT = b"CONNECT\naccept-version:1.2\nhost:x\n\n\0"


@pytest.fixture(scope="module")
def listen() -> str:
    """These are about one transport."""
    return "ws:tcp:0:interface=127.0.0.1"


@pytest.fixture(scope="module")
def settings() -> str:
    return "websocket_deflate = true\nheart_beat = [200, 200]\n[limits]\nwebsocket_message_bytes = 1000000\n"


@pytest.fixture
def raw(broker: BrokerProcess) -> Iterator[socket.socket]:
    """A connection."""
    with socket.create_connection(("127.0.0.1", int(broker.port)), PATIENCE_SECONDS) as raw:
        yield raw


@pytest.fixture
def stream(raw: socket.socket) -> WebSocketStream:
    """A WebSocket that is open and speaks text."""
    stream = WebSocketStream(raw, opcode=TEXT)
    stream.open()
    return stream


def read_until(stream: WebSocketStream, end: bytes) -> bytes:
    octets = b""
    while end not in octets:
        more = stream.recv(65_536)
        assert more, f"{end!r} did not come, only {octets!r}"
        octets += more
    return octets


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        ("v10.stomp, v11.stomp, v12.stomp", b"v12.stomp"),
        ("v11.stomp, v10.stomp", b"v11.stomp"),
        ("v10.stomp", b"v10.stomp"),
    ],
)
def test_s12_ws_1_highest_subprotocol_is_taken(raw: socket.socket, offered: str, chosen: bytes) -> None:
    response = WebSocketStream(raw).open(subprotocols=offered)

    assert b"\r\nsec-websocket-protocol: " + chosen in response.lower()


def test_s12_ws_1_no_subprotocol_is_accepted(raw: socket.socket) -> None:
    stream = WebSocketStream(raw)

    response = stream.open(subprotocols="")
    stream.sendall(CONNECT)

    assert b"sec-websocket-protocol" not in response.lower()
    assert read_until(stream, b"\0").startswith(b"CONNECTED\n")


def test_s12_ws_2_frame_may_be_split_over_messages(stream: WebSocketStream) -> None:
    for octet in CONNECT:
        stream.sendall(bytes([octet]))

    assert read_until(stream, b"\0").startswith(b"CONNECTED\n")


def test_s12_ws_2_message_may_hold_several_frames(stream: WebSocketStream, topic: str) -> None:
    frames = [write_frame("SEND", {"destination": topic, "receipt": str(number)}) for number in range(3)]

    stream.sendall(CONNECT + b"\n" + b"\n".join(frames))

    assert read_until(stream, b"receipt-id:2").count(b"RECEIPT\n") == 3


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_s12_ws_3_client_is_answered_in_kind(raw: socket.socket, opcode: int) -> None:
    stream = WebSocketStream(raw, opcode=opcode)
    stream.open()

    stream.sendall(CONNECT)

    read_until(stream, b"\0")
    assert stream.opcodes == [opcode]


def test_s12_ws_3_body_that_is_not_utf_8_goes_out_as_binary(stream: WebSocketStream, topic: str) -> None:
    stream.sendall(CONNECT + write_frame("SUBSCRIBE", {"destination": topic, "id": "1"}))
    read_until(stream, b"CONNECTED")
    stream.opcodes.clear()

    stream.send_octets(mask(BINARY, write_frame("SEND", {"destination": topic}, b"\xff\xfe")) + mask(TEXT, b"\n"))

    assert b"\n\n\xff\xfe\0" in read_until(stream, b"\xff\xfe\0")
    assert BINARY in stream.opcodes


def test_s12_ws_4_heart_beat_is_a_line_end(stream: WebSocketStream) -> None:
    stream.sendall(b"CONNECT\naccept-version:1.2\nhost:x\nheart-beat:0,200\n\n\0")

    read_until(stream, b"\0")

    assert stream.recv(1) == b"\n"


def test_s12_ws_4_pings_keep_a_client_connected(stream: WebSocketStream, topic: str) -> None:
    stream.sendall(b"CONNECT\naccept-version:1.2\nhost:x\nheart-beat:200,200\n\n\0")
    read_until(stream, b"\0")

    # Thirty beats of the broker are twice as long as it would wait for one of ours.
    for _ in range(30):
        assert stream.recv(1) == b"\n"
        stream.send_octets(mask(9, b""))

    stream.sendall(write_frame("SEND", {"destination": topic, "receipt": "r"}))
    assert b"RECEIPT\n" in read_until(stream, b"receipt-id:r")


def test_s12_ws_5_page_of_another_host_is_kept_out(raw: socket.socket) -> None:
    response = WebSocketStream(raw).open(Origin="https://evil.example")

    assert response.startswith(b"HTTP/1.1 403 ")


def test_s12_ws_5_what_is_inflated_is_limited(raw: socket.socket) -> None:
    stream = WebSocketStream(raw)
    stream.open(Sec_WebSocket_Extensions="permessage-deflate")
    stream.sendall(CONNECT)
    read_until(stream, b"\0")

    stream.send_octets(mask(TEXT, deflate(b"SEND\n\n" + b"x" * 10_000_000), is_compressed=True))

    assert b"limits.websocket_message_bytes" in read_until(stream, b"\0")
    assert stream.recv(1) == b""
    assert stream.closed is not None
    assert stream.closed[0] == 1009

"""The WebSocket as a transport: the upgrade, messages in and out, and how it ends."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from twisted.internet.interfaces import IConsumer, IHalfCloseableProtocol, ITransport
from wsproto.events import BytesMessage, TextMessage
from zope.interface.verify import verifyObject

from stompd.errors import FrameTooLarge, InternalError, LimitExceeded, ShuttingDown, StompError
from stompd.interfaces import IBearerToken
from stompd.net.websocket import WebSocketFactory, messages
from stompd.settings import ServiceLimits, Settings
from tests.harness.frames import FrameReader
from tests.harness.websocket import BINARY, CLOSE, PING, PONG, TEXT, Part, deflate, head, mask, read_part, request
from tests.net.site import LateChecker, Site, Transport, frame

CONNECT = frame("CONNECT", accept_version="1.2", host="x")

DEFLATE = {"Sec_WebSocket_Extensions": "permessage-deflate; client_max_window_bits"}


class Peer:
    """The client's end of a WebSocket."""

    def __init__(self, site: Site | None = None, **settings: Any) -> None:
        self.site = site or Site()
        self._settings = replace(Settings(), **settings)
        self.socket = WebSocketFactory(self.site.factory, self._settings, self.site.reactor).buildProtocol(None)
        self.transport = Transport(self.socket)
        self._frames = FrameReader()
        self._frames.version = "1.2"
        self.socket.makeConnection(self.transport)

    def send(self, octets: bytes) -> None:
        """Send octets; a transport that is paused would not take them."""
        assert self.transport.is_reading, "nothing is read"
        self.socket.dataReceived(octets)

    def send_text(self, octets: bytes) -> None:
        self.send(mask(TEXT, octets))

    def send_octets(self, octets: bytes) -> None:
        self.send(mask(BINARY, octets))

    def open(self, path: str = "/ws", **headers: str) -> bytes:
        """Ask for the upgrade, and return the response."""
        self.send(request(path, **headers))
        return self.response()

    def response(self) -> bytes:
        response, _, rest = self.transport.value().partition(b"\r\n\r\n")
        self.transport.clear()
        self.transport.io.write(rest)
        return response

    def connect(self, **headers: str) -> Peer:
        """Open the WebSocket and a session in it, in text."""
        assert b" 101 " in self.open(**headers)
        self.send_text(CONNECT)
        assert self.texts() == ["CONNECTED"]
        return self

    def parts(self) -> list[Part]:
        """Take what was written since the last call."""
        octets, parts = self.transport.value(), []
        self.transport.clear()
        while (found := read_part(octets)) is not None:
            part, octets = found
            parts.append(part)
        assert not octets, octets
        return parts

    def texts(self) -> list[str]:
        """The same in short: what the frames in messages are, and `CLOSE code`, `PING`, `PONG`."""
        texts = []
        for part in self.parts():
            if part.opcode in {TEXT, BINARY}:
                self._frames.receive(part.payload)
                while (found := self._frames.next_frame()) is not None:
                    texts.append(" ".join(filter(None, [found.command, found.get("error-code")])))
            elif part.opcode == CLOSE:
                texts.append(f"CLOSE {int.from_bytes(part.payload[:2], 'big')}")
            else:
                texts.append({PING: "PING", PONG: "PONG"}[part.opcode])
        return texts

    def exchange(self, body: bytes) -> list[Part]:
        """Subscribe, send a message to oneself, and return what comes."""
        self.send_text(frame("SUBSCRIBE", id="s", destination="/topic/a"))
        self.send_octets(frame("SEND", body, destination="/topic/a", content_length=str(len(body))))
        self.send_text(b"\n")
        self.site.run()
        return self.parts()


@pytest.fixture
def peer() -> Peer:
    """One with a session."""
    return Peer().connect()


def test_websocket_provides_what_a_link_and_twisted_use(peer: Peer) -> None:
    for interface in (ITransport, IConsumer, IHalfCloseableProtocol):
        assert verifyObject(interface, peer.socket)


# The upgrade


def test_upgrade_is_granted_with_the_highest_subprotocol() -> None:
    response = Peer().open(subprotocols="v10.stomp, v12.stomp")

    assert response.startswith(b"HTTP/1.1 101 ")
    assert b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in response
    assert b"v12.stomp" in response
    assert b"permessage-deflate" not in response


def test_upgrade_in_pieces_is_granted_when_it_is_whole() -> None:
    peer = Peer()

    for octet in request():
        peer.send(bytes([octet]))

    assert peer.response().startswith(b"HTTP/1.1 101 ")


def test_frames_right_behind_the_request_are_taken() -> None:
    peer = Peer()

    peer.send(request() + mask(TEXT, CONNECT))
    peer.response()

    assert peer.texts() == ["CONNECTED"]


@pytest.mark.parametrize(
    ("octets", "status", "words"),
    [
        (request("/nowhere"), 404, b"websocket_paths"),
        (request(Origin="https://evil.example"), 403, b"websocket_origins"),
        (request(Authorization="Basic ???"), 400, b"Authorization"),
        (request().replace(b"GET", b"POST"), 400, b"GET"),
        (request().replace(b"Upgrade: websocket\r\n", b""), 400, b"Upgrade"),
        (request().replace(b"Version: 13", b"Version: 8"), 400, b"Version"),
        (request().replace(b"Sec-WebSocket-Key", b"X-Key"), 400, b"Key"),
        (request().replace(b"Host: localhost", b"Host: \xff"), 400, b"request"),
        (request().replace(b"GET / ", b"GET /\xe4 "), 400, b"request"),
        (b"GET / HTTP/1.1\r\n" + b"\0\r\n\r\n", 400, b"request"),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 20_000, 431, b"16384"),
        (b"\x16\x03\x01\x02\x00\x01", 400, b"not TLS"),
        (b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n", 400, b"not a PROXY header"),
        (b"CONNECT\naccept-version:1.2\n\n\0", 400, b"tcp:"),
        (bytes(range(255, 0, -1)), 400, b"STOMP in a WebSocket"),
    ],
)
def test_what_cannot_be_granted_is_explained_in_one_line(octets: bytes, status: int, words: bytes) -> None:
    peer = Peer()

    peer.send(octets)

    response, _, text = peer.transport.value().partition(b"\r\n\r\n")
    assert response.startswith(b"HTTP/1.1 %d " % status)
    assert words in text
    assert text.count(b"\n") == 1
    assert peer.transport.ending == ["half-closed"]


def test_nothing_behind_a_refused_request_is_taken() -> None:
    peer = Peer()
    peer.send(request("/nowhere"))
    answer = peer.transport.value()

    peer.send(request() + mask(TEXT, CONNECT))
    peer.site.advance(5)

    assert peer.transport.value() == answer
    assert peer.transport.ending == ["half-closed", "aborted"]


def test_request_has_to_come_in_time() -> None:
    peer = Peer(Site(login_seconds=3))
    peer.send(b"GET / HTTP/1.1\r\n")

    peer.site.advance(3)
    peer.send(request().removeprefix(b"GET / HTTP/1.1\r\n"))

    assert peer.response().startswith(b"HTTP/1.1 101 ")
    assert peer.texts() == ["ERROR login-timeout", "CLOSE 1008"]


def test_connection_that_never_asks_is_cut() -> None:
    peer = Peer(Site(login_seconds=3, linger_seconds=5))

    peer.site.advance(3)
    peer.site.advance(5)

    assert peer.transport.ending == ["aborted"]
    assert peer.transport.value() == b""


def test_surplus_connection_learns_why() -> None:
    site = Site(connections=1)
    Peer(site).connect()
    surplus = Peer(site)

    surplus.open()

    assert surplus.texts() == ["ERROR limit-exceeded", "CLOSE 1008"]


@pytest.mark.parametrize(
    ("authorization", "headers", "seen"),
    [
        ("Basic " + b64encode(b"ann:secret").decode(), {}, (b"ann", b"secret")),
        ("Bearer a.b.c", {}, "a.b.c"),
        ("Bearer a.b.c", {"login": "bob", "passcode": "own"}, (b"bob", b"own")),
        ("Bearer a.b.c", {"passcode": "d.e.f"}, "d.e.f"),
    ],
)
def test_credentials_of_the_request_count_where_connect_has_none(
    authorization: str, headers: dict[str, str], seen: str | tuple[bytes, bytes]
) -> None:
    asked: list[Any] = []

    class Curious(LateChecker):
        credentialInterfaces = (IBearerToken, *LateChecker.credentialInterfaces)

        def requestAvatarId(self, credentials: object) -> Any:
            asked.append(credentials)
            return super().requestAvatarId(credentials)

    peer = Peer(Site(Curious()))
    peer.open(Authorization=authorization)

    peer.send_text(frame("CONNECT", accept_version="1.2", host="x", **headers))

    (shown,) = asked
    assert (shown.token if IBearerToken.providedBy(shown) else (shown.username, shown.password)) == seen


# Messages in


def test_frame_split_over_messages_is_taken_when_it_is_whole() -> None:
    peer = Peer()
    peer.open()

    peer.send_text(CONNECT[:10])
    peer.send_octets(CONNECT[10:20])
    early = peer.texts()
    peer.send_text(CONNECT[20:])

    assert early == []
    assert peer.texts() == ["CONNECTED"]


def test_frames_in_one_message_are_taken_in_order(peer: Peer) -> None:
    send = b"".join(frame("SEND", destination="/topic/a", receipt=str(number)) for number in range(3))

    peer.send_text(b"\n" + send + b"\n")
    peer.site.run()

    assert peer.texts() == ["RECEIPT"] * 3


def test_fragments_and_pings_between_them_are_taken(peer: Peer) -> None:
    send = frame("SEND", "ä".encode(), destination="/topic/a", receipt="r")

    peer.send(mask(TEXT, send[:-2], is_final=False))
    peer.send(mask(PING, b"alive?"))
    peer.send(mask(0, send[-2:]))
    peer.site.run()

    assert peer.texts() == ["PONG", "RECEIPT"]


def test_octets_in_pieces_are_taken(peer: Peer) -> None:
    for octet in mask(TEXT, frame("SEND", b"x" * 200, destination="/topic/a", receipt="r")):
        peer.send(bytes([octet]))
    peer.site.run()

    assert peer.texts() == ["RECEIPT"]


def test_message_may_be_as_long_as_the_limit() -> None:
    send = frame("SEND", b"x" * 1_000, destination="/topic/a", receipt="r")
    peer = Peer(limits=replace(ServiceLimits(), websocket_message_bytes=len(send))).connect()

    peer.send_text(send)
    peer.send_text(send)
    peer.site.run()

    assert peer.texts() == ["RECEIPT", "RECEIPT"]


@pytest.mark.parametrize("is_whole", [True, False])
def test_longer_message_ends_with_a_reason_that_names_the_setting(is_whole: bool) -> None:
    peer = Peer(limits=replace(ServiceLimits(), websocket_message_bytes=1_000)).connect()
    send = frame("SEND", b"x" * 1_000, destination="/topic/a")

    if is_whole:
        peer.send_text(send)
    else:
        peer.send(mask(TEXT, send[:600], is_final=False))
        peer.send(mask(0, send[600:], is_final=False))
    peer.site.run()

    error, close = peer.parts()
    assert b"error-code:frame-too-large" in error.payload
    assert close.payload[:2] == (1009).to_bytes(2, "big")
    assert b"limits.websocket_message_bytes" in close.payload


def test_promise_of_an_endless_frame_costs_nothing(peer: Peer) -> None:
    peer.send(head(BINARY, 1 << 62) + b"key!")

    assert peer.texts() == []
    assert len(peer.socket._waiting) == 0


@pytest.mark.parametrize(
    ("octets", "code"),
    [
        (head(TEXT, 3, is_masked=False) + b"abc", 1002),
        (mask(3, b""), 1002),
        (mask(0, b"x"), 1002),
        (mask(TEXT, b"x", is_compressed=True), 1002),
        (mask(PING, b"x", is_final=False), 1002),
        (mask(PING, b"x" * 126), 1002),
        (mask(TEXT, b"a", is_final=False) + mask(TEXT, b"b"), 1002),
        (mask(TEXT, b"\xff\xfe"), 1007),
        (mask(CLOSE, b"\x03"), 1002),
        (mask(CLOSE, (1005).to_bytes(2, "big")), 1002),
        (mask(CLOSE, b"\x03\xe8\xff"), 1007),
        (bytes(range(256)), 1002),
    ],
    ids=[
        "no mask",
        "unknown opcode",
        "continuation of nothing",
        "compression that was not agreed upon",
        "ping in fragments",
        "long ping",
        "message within a message",
        "text that is none",
        "half a close code",
        "close code that is never sent",
        "close reason that is no text",
        "rubbish",
    ],
)
def test_broken_protocol_is_named_and_closed(peer: Peer, octets: bytes, code: int) -> None:
    peer.send(octets)
    peer.site.run()

    assert peer.texts() == ["ERROR protocol-error", f"CLOSE {code}"]
    peer.send(mask(TEXT, frame("SEND", destination="/topic/a")))
    assert peer.texts() == []


# Compression


def test_compressed_messages_are_taken_and_sent() -> None:
    peer = Peer(websocket_deflate=True)
    response = peer.open(**DEFLATE)
    peer.send(mask(TEXT, deflate(CONNECT), is_compressed=True))
    connected = peer.texts()
    body = b"0123456789" * 1_000
    peer.send(mask(TEXT, deflate(frame("SUBSCRIBE", id="s", destination="/topic/a")), is_compressed=True))
    send = deflate(frame("SEND", body, destination="/topic/a"))
    peer.send(mask(TEXT, send[:20], is_final=False, is_compressed=True))
    peer.send(mask(PONG, b"") + mask(0, send[20:]))
    peer.site.run()

    (message,) = peer.parts()
    assert b"permessage-deflate; client_no_context_takeover; server_no_context_takeover" in response
    assert connected == ["CONNECTED"]
    assert message.is_compressed
    assert body in message.payload


def test_short_messages_are_sent_as_they_are() -> None:
    peer = Peer(websocket_deflate=True)
    peer.open(**DEFLATE)

    peer.send_text(CONNECT)

    (connected,) = peer.parts()
    assert not connected.is_compressed


@pytest.mark.parametrize("offer", ["permessage-deflate; client_max_window_bits=x", "permessage-deflate; =", "\x00"])
def test_malformed_offer_of_compression_breaks_nothing(offer: str) -> None:
    peer = Peer(websocket_deflate=True)

    response = peer.open(Sec_WebSocket_Extensions=offer)

    assert response.startswith((b"HTTP/1.1 101 ", b"HTTP/1.1 400 "))


def test_bomb_is_inflated_as_far_as_the_limit_at_most() -> None:
    peer = Peer(websocket_deflate=True, limits=replace(ServiceLimits(), websocket_message_bytes=2_000_000))
    peer.open(**DEFLATE)
    peer.send_text(CONNECT)
    peer.texts()
    bomb = deflate(frame("SEND", bytes(1) + b"\n" * 40_000_000, destination="/topic/a", content_length="50000000"))
    assert len(bomb) < 65_536

    peer.send(mask(BINARY, bomb, is_compressed=True))
    peer.site.run()

    assert peer.texts() == ["ERROR frame-too-large", "CLOSE 1009"]


def test_bomb_before_the_login_is_refused_by_the_limit_of_the_login() -> None:
    peer = Peer(websocket_deflate=True)
    peer.open(**DEFLATE)

    peer.send(mask(BINARY, deflate(b"CONNECT\na:" + b"x" * 10_000_000), is_compressed=True))

    (error, close) = peer.parts()
    assert b"limits.header_line_bytes" in error.payload
    assert close.payload[:2] == (1009).to_bytes(2, "big")


def test_damaged_compression_is_named() -> None:
    peer = Peer(websocket_deflate=True)
    peer.open(**DEFLATE)

    peer.send(mask(TEXT, b"\xff\xff\xff\xff", is_compressed=True))

    assert peer.texts() == ["ERROR protocol-error", "CLOSE 1007"]


def test_compressed_octets_wait_while_the_link_takes_nothing() -> None:
    checker = LateChecker()
    peer = Peer(Site(checker), websocket_deflate=True)
    peer.open(**DEFLATE)
    noise = Random(1).randbytes(20_000)
    send = frame("SEND", noise, destination="/topic/a", receipt="r", content_length="20000")

    peer.send(mask(BINARY, CONNECT) + mask(BINARY, deflate(send), is_compressed=True))
    waiting = len(peer.socket._waiting)
    checker.answers[0].callback(b"ann")
    peer.site.run()

    assert waiting > 0
    assert peer.texts() == ["CONNECTED", "RECEIPT"]


# Messages out


def test_client_is_answered_in_kind(peer: Peer) -> None:
    peer.send_octets(frame("SEND", destination="/topic/a", receipt="1"))
    peer.site.run()
    (octets,) = peer.parts()
    peer.send_text(frame("SEND", destination="/topic/a", receipt="2"))
    peer.site.run()
    (text,) = peer.parts()

    assert [octets.opcode, text.opcode] == [BINARY, TEXT]


def test_body_that_is_no_text_goes_out_as_octets(peer: Peer) -> None:
    (message,) = peer.exchange(b"\xff\0\xfe")

    assert message.opcode == BINARY
    assert b"\xff\0\xfe" in message.payload


def test_frames_beside_one_that_is_no_text_are_still_text(peer: Peer) -> None:
    peer.send_text(frame("SUBSCRIBE", id="s", destination="/topic/a"))
    bodies = ["ä".encode(), b"\xff\n\n\0\n", b"", "ö".encode()]

    peer.send_text(frame("SUBSCRIBE", id="t", destination="/topic/b", receipt="r"))
    for body in bodies:
        peer.send_octets(frame("SEND", body, destination="/topic/a", content_length=str(len(body))))
    peer.send_text(b"\n")
    peer.site.run()

    opcodes = [part.opcode for part in peer.parts()]
    assert opcodes == [TEXT, TEXT, BINARY, TEXT, TEXT]


def test_many_frames_of_one_turn_are_one_message(peer: Peer) -> None:
    peer.send_text(b"".join(frame("SEND", destination="/topic/a", receipt=str(number)) for number in range(50)))
    peer.site.run()

    assert len(peer.parts()) == 1


def test_heart_beats_in_front_of_a_frame_go_with_it() -> None:
    octets = b"\n\nRECEIPT\nreceipt-id:1\n\n\0\n\nMESSAGE\ncontent-length:2\n\n\xff\n\0\nRECEIPT\nreceipt-id:2\n\n\0"

    parts = list(messages(octets, is_text=True))

    assert [type(part) for part in parts] == [TextMessage, BytesMessage, TextMessage]
    assert b"".join(part.data.encode() if isinstance(part.data, str) else part.data for part in parts) == octets


def test_sequence_is_one_message(peer: Peer) -> None:
    peer.socket.writeSequence([b"RECEIPT\n", b"receipt-id:1\n\n\0"])

    assert peer.texts() == ["RECEIPT"]


def test_addresses_are_those_of_the_socket(peer: Peer) -> None:
    assert peer.socket.getPeer() == peer.transport.getPeer()
    assert peer.socket.getHost() == peer.transport.getHost()
    assert peer.socket.getPeerCertificate() is None


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InternalError("x"), 1011),
        (FrameTooLarge("x"), 1009),
        (ShuttingDown("x"), 1012),
        (LimitExceeded("x"), 1008),
    ],
)
def test_close_code_says_what_it_can(peer: Peer, error: StompError, code: int) -> None:
    peer.socket._link.dismiss(error)

    assert peer.texts() == [f"ERROR {error.code}", f"CLOSE {code}"]


# Back-pressure and life


def test_link_is_told_what_the_socket_holds(peer: Peer) -> None:
    link = peer.socket._link

    peer.transport.producer.pauseProducing()
    is_writable = link.is_writable
    peer.transport.drain()

    assert not is_writable
    assert link.is_writable


def test_socket_is_not_read_while_the_portal_is_asked() -> None:
    checker = LateChecker()
    peer = Peer(Site(checker))
    peer.open()

    peer.send_text(CONNECT)
    was_reading = peer.transport.is_reading
    checker.answers[0].callback(b"ann")

    assert not was_reading
    assert peer.transport.is_reading


def test_silent_peer_is_pinged_and_its_pong_is_a_sign_of_life() -> None:
    peer = Peer(Site(heart_beat=(0, 10_000)))
    peer.open()
    peer.send_text(frame("CONNECT", accept_version="1.2", host="x", heart_beat="10000,0"))
    peer.texts()

    for _ in range(10):
        peer.site.advance(15)
        if "PING" in peer.texts():
            peer.send(mask(PONG, b""))

    assert peer.transport.ending == []


def test_peer_that_does_not_even_answer_pings_is_given_up() -> None:
    peer = Peer(Site(heart_beat=(0, 10_000)))
    peer.open()
    peer.send_text(frame("CONNECT", accept_version="1.2", host="x", heart_beat="10000,0"))

    for _ in range(3):
        peer.site.advance(15)

    assert "ERROR heart-beat-missed" in peer.texts()


def test_peer_that_talks_is_not_pinged(peer: Peer) -> None:
    for _ in range(4):
        peer.site.advance(10)
        peer.send_text(b"\n")

    assert "PING" not in peer.texts()


def test_flood_of_pings_from_a_peer_that_does_not_read_is_not_answered(peer: Peer) -> None:
    peer.transport.is_peer_reading = False

    for _ in range(200):
        peer.send(mask(PING, b"x" * 100) * 10)

    assert len(peer.transport.value()) < 2 * 65_536


# The end


def test_error_is_told_in_the_close_frame_too(peer: Peer) -> None:
    peer.send_text(frame("SEND", destination="/nowhere", receipt="r"))
    peer.site.run()

    error, close = peer.parts()
    assert b"receipt-id:r" in error.payload
    assert close.payload[:2] == (1008).to_bytes(2, "big")
    assert close.payload[2:].startswith(b"invalid-destination: ")
    assert len(close.payload) <= 125
    assert peer.transport.ending == []


def test_answered_close_ends_the_connection(peer: Peer) -> None:
    peer.send_text(frame("DISCONNECT", receipt="bye"))
    peer.site.run()
    said = peer.texts()

    peer.send(mask(CLOSE, (1000).to_bytes(2, "big")))

    peer.send_text(b"more")

    assert said == ["RECEIPT", "CLOSE 1000"]
    assert peer.transport.ending == ["closed"]


def test_close_that_is_not_answered_ends_after_a_while(peer: Peer) -> None:
    peer.send_text(frame("DISCONNECT"))
    peer.site.run()

    peer.send_text(b"more")
    peer.site.advance(5)

    assert peer.transport.ending == ["aborted"]


def test_peer_that_closes_is_answered_and_let_go(peer: Peer) -> None:
    peer.send(mask(CLOSE, (1001).to_bytes(2, "big") + b"bye"))
    peer.site.run()

    peer.socket.dataReceived(mask(TEXT, b"more"))

    assert peer.texts() == ["CLOSE 1001"]
    assert peer.transport.ending == ["closed"]


def test_frames_in_front_of_the_close_take_effect(peer: Peer) -> None:
    peer.send(mask(TEXT, frame("SEND", b"a", destination="/queue/a")) + mask(CLOSE, b""))
    peer.site.run()

    assert peer.site.bodies() == ["a"]


def test_peer_that_ends_its_half_gets_its_receipts(peer: Peer) -> None:
    peer.send_text(frame("SEND", b"a", destination="/queue/a", receipt="r"))
    peer.socket.readConnectionLost()
    peer.site.run()

    assert peer.texts() == ["RECEIPT", "CLOSE 1000"]
    assert peer.transport.ending == ["closed"]


def test_broker_that_stops_says_so(peer: Peer) -> None:
    peer.site.factory.shut_down()
    peer.site.run()

    assert peer.texts() == ["ERROR shutting-down", "CLOSE 1012"]


def test_lost_connection_leaves_nothing_behind(peer: Peer) -> None:
    peer.transport.lose()
    peer.site.run()

    assert peer.site.factory.all_lost().called
    assert peer.site.timers == []

"""STOMP over WebSocket: a protocol for the socket below, and the transport of the link above.

Spec: RFC 6455, and the subprotocols that IANA lists for STOMP.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import final

from OpenSSL.crypto import X509
from twisted.internet.interfaces import (
    IAddress,
    IConsumer,
    IHalfCloseableProtocol,
    IProducer,
    IReactorTime,
    ITransport,
)
from twisted.internet.protocol import Factory, Protocol
from twisted.python.failure import Failure
from wsproto import ConnectionType, WSConnection
from wsproto.connection import ConnectionState
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Message,
    Ping,
    Request,
    TextMessage,
)
from wsproto.extensions import Extension
from wsproto.frame_protocol import CloseReason
from wsproto.utilities import LocalProtocolError, RemoteProtocolError
from zope.interface import implementer

from stompd.errors import FrameTooLarge, InternalError, ProtocolError, ShuttingDown, StompError
from stompd.net.deflate import Deflate
from stompd.net.factory import LinkFactory
from stompd.net.link import Link
from stompd.net.recognition import Opening, http_answer, recognise
from stompd.net.timer import Timer
from stompd.net.transport import StreamTransport, set_socket_options
from stompd.net.upgrade import Authorization, UpgradeRefused, judge
from stompd.settings import Settings

#: Octets of a request, which has a few headers, cookies and a token: what HTTP servers usually take.
_LONGEST_REQUEST = 16_384

_END_OF_REQUEST = re.compile(rb"\r?\n\r?\n")

#: Compressed octets that are taken in one step: they inflate to a thousand times as many at most.
_COMPRESSED_STRIDE = 1_024

_CONTENT_LENGTH = re.compile(rb"\ncontent-length:(\d+)\n")


@final
class WebSocketFactory(Factory):
    """Makes the links of a WebSocket listener."""

    noisy = False

    def __init__(self, links: LinkFactory, settings: Settings, reactor: IReactorTime) -> None:
        """Open WebSockets as the settings say, and let links talk through them."""
        self._links = links
        self._settings = settings
        self._reactor = reactor

    def buildProtocol(self, addr: IAddress | None) -> WebSocket:
        """Make a WebSocket and its link."""
        return WebSocket(self._links.buildProtocol(addr), self._settings, self._reactor)


@final
@implementer(ITransport, IConsumer, IHalfCloseableProtocol)
class WebSocket(Protocol):
    """One connection: octets of the link go out in messages, and what is in messages goes to the link as octets.

    Messages and STOMP frames have nothing to do with each other: the link sees a stream, and is held, suspended and
    limited as on any other transport.
    """

    transport: StreamTransport  # type: ignore[assignment]  # narrower than Twisted's: there is one while connected

    def __init__(self, link: Link, settings: Settings, reactor: IReactorTime) -> None:
        """Begin before the connection is made."""
        self._link = link
        self._settings = settings
        self._limit = settings.limits.websocket_message_bytes
        self._ws = WSConnection(ConnectionType.SERVER)
        self._reactor = reactor
        self._timer = Timer(reactor)
        #: What was received and not looked at, because the link is not read from or the request is not complete.
        self._waiting = bytearray()
        self._is_paused = self._is_taking = False
        self._is_open = False
        #: Whether nothing that comes in counts any more.
        self._is_deaf = False
        self._heard_at = 0.0
        #: What the peer speaks: it is answered in kind.
        self._is_text = False
        self._message_bytes = 0
        self._stride = _LONGEST_REQUEST
        #: Why the connection will be closed, in the close frame or instead of the upgrade.
        self._reason = CloseConnection(CloseReason.NORMAL_CLOSURE)
        self._answer = b""
        #: What the link has written before the upgrade, and whether it has closed.
        self._early = b""
        self._is_leaving = False
        #: What the request for the upgrade said about who sends it.
        self.authorization: Authorization | None = None

    # Twisted tells of the socket.

    def connectionMade(self) -> None:
        """Let the link begin, so that it counts, and has to log in in time."""
        set_socket_options(self.transport)
        self._link.makeConnection(self)  # type: ignore[no-untyped-call]  # Twisted's

    def dataReceived(self, data: bytes) -> None:
        """Take octets of the request, and then those of messages."""
        if self._is_deaf:
            return
        self._heard_at = self._reactor.seconds()
        self._waiting += data
        if not self._is_open and not self._shake_hands():
            return
        self._take_waiting()

    def readConnectionLost(self) -> None:
        """The peer sends nothing more, not even a close frame, but may still read its receipts."""
        self._link.readConnectionLost()

    def writeConnectionLost(self) -> None:
        """Our side of the connection is closed; the rest is lingering."""

    def connectionLost(self, reason: Failure = Failure(ConnectionError())) -> None:  # noqa: B008  # Twisted's signature
        """The socket is gone."""
        self._is_deaf = True
        self._timer.cancel()
        self._link.connectionLost(reason)

    # The link writes and closes.

    def write(self, octets: bytes) -> None:
        """Send octets in as few messages as there can be; what comes before the upgrade waits for that."""
        if not self._is_open:
            self._early += octets
        elif self._ws.state is ConnectionState.OPEN:
            self.transport.write(b"".join(map(self._ws.send, messages(octets, is_text=self._is_text))))

    def writeSequence(self, sequence: Iterable[bytes]) -> None:
        """Send octets."""
        self.write(b"".join(sequence))

    def registerProducer(self, producer: IProducer, streaming: bool) -> None:
        """Let the socket tell the link how much it holds."""
        self.transport.registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:
        """Let the socket tell nobody."""
        self.transport.unregisterProducer()

    def pauseProducing(self) -> None:
        """Take nothing more, neither from the socket nor of what is there."""
        self._is_paused = True
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        """Go on with what is there, and then from the socket."""
        self._is_paused = False
        self._take_waiting()
        if not self._is_paused:
            self.transport.resumeProducing()

    def explain(self, error: StompError) -> None:
        """Note why the link will close, since a browser's page sees the close frame and not always the ERROR."""
        if isinstance(error, UpgradeRefused):
            self._answer = http_answer(error.status, error.detail)
        if self._reason.code == CloseReason.NORMAL_CLOSURE:
            self._reason = CloseConnection(_close_code(error), f"{error.code}: {error.detail}")

    def loseWriteConnection(self) -> None:
        """Say that nothing more will be sent; the peer answers that, and then the socket is closed."""
        self._say_goodbye()
        if self._answer:
            self.transport.loseWriteConnection()
        elif self._ws.state is ConnectionState.CLOSED:
            self.transport.loseConnection()

    def loseConnection(self) -> None:
        """Say that nothing more will be sent, and close the socket without an answer."""
        self._say_goodbye()
        self.transport.loseConnection()

    def abortConnection(self) -> None:
        """Cut the connection."""
        self.transport.abortConnection()

    def getPeer(self) -> IAddress:
        """Return who is connected."""
        return self.transport.getPeer()

    def getHost(self) -> IAddress:
        """Return where it is connected to."""
        return self.transport.getHost()

    def getPeerCertificate(self) -> X509 | None:  # noqa: N802  # as TLS calls it
        """Return the certificate that the peer has shown, if TLS is below."""
        certificate: X509 | None = getattr(self.transport, "getPeerCertificate", lambda: None)()
        return certificate

    def _say_goodbye(self) -> None:
        self._timer.cancel()
        self._is_leaving = True
        if not self._is_open:
            self._is_deaf = bool(self._answer)
            self.transport.write(self._answer)
        elif self._ws.state in {ConnectionState.OPEN, ConnectionState.REMOTE_CLOSING}:
            self.transport.write(self._ws.send(self._reason))

    # The upgrade.

    def _shake_hands(self) -> bool:
        """Open the WebSocket if the request is complete and may; return whether it is open."""
        try:
            request = self._read_request()
            if request is None:
                return False
            upgrade = judge(request, self._settings.websocket_paths, self._settings.websocket_origins)
            extensions: list[Extension] = [Deflate()] if self._settings.websocket_deflate else []
            answer = self._ws.send(AcceptConnection(upgrade.subprotocol, extensions))
        except UpgradeRefused as error:
            self._link.fail(error)
            return False
        except (RemoteProtocolError, LocalProtocolError, ValueError) as error:
            self._link.fail(UpgradeRefused(HTTPStatus.BAD_REQUEST, f"This is no request for a WebSocket: {error}."))
            return False
        self.authorization = upgrade.authorization
        self.transport.write(answer)
        self._is_open = True
        self._stride = _COMPRESSED_STRIDE if any(extension.enabled() for extension in extensions) else 1 << 62
        self._timer.set(self._settings.websocket_ping_seconds, self._ping)
        if self._early:
            self.write(self._early)
        if self._is_leaving:
            self._say_goodbye()
        return True

    def _read_request(self) -> Request | None:
        """Return the request when it is complete, and leave what is behind it."""
        opening = recognise(bytes(self._waiting[:_COMPRESSED_STRIDE]))
        if opening is not Opening.HTTP:
            if opening is None:
                return None
            what = f"This port speaks WebSocket, not {opening.value}." if opening is not Opening.STOMP else _NO_STOMP
            raise UpgradeRefused(HTTPStatus.BAD_REQUEST, what)
        end = _END_OF_REQUEST.search(self._waiting)
        if (end.end() if end else len(self._waiting)) > _LONGEST_REQUEST:
            detail = f"The request is longer than {_LONGEST_REQUEST} bytes."
            raise UpgradeRefused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, detail)
        if end is None:
            return None
        self._ws.receive_data(bytes(self._waiting[: end.end()]))
        del self._waiting[: end.end()]
        (request,) = self._ws.events()
        assert isinstance(request, Request)
        return request

    # Messages.

    def _take_waiting(self) -> None:
        """Take what is there, in steps, unless the link wants nothing."""
        if self._is_taking or not self._is_open:
            return
        self._is_taking = True
        while self._waiting and not (self._is_paused or self._is_deaf):
            step = bytes(self._waiting[: self._stride])
            del self._waiting[: self._stride]
            self._take(step)
        self._is_taking = False

    def _take(self, octets: bytes) -> None:
        self._ws.receive_data(octets)
        taken: list[bytes] = []
        for event in self._ws.events():
            if isinstance(event, Message):
                taken.append(self._read_message(event))
                if self._message_bytes > self._limit:
                    break
            elif isinstance(event, Ping) and self._ws.state is ConnectionState.OPEN and self._link.is_writable:
                # RFC 6455 "Pong": not every ping has to be answered; a peer that reads nothing gets nothing more.
                self.transport.write(self._ws.send(event.response()))
            elif isinstance(event, CloseConnection):
                self._hand_over(taken)
                self._end(event)
                return
        if self._message_bytes > self._limit:
            self._is_deaf = True
            self._link.fail(
                FrameTooLarge(
                    f"The WebSocket message is longer than {self._limit} bytes (limits.websocket_message_bytes)."
                )
            )
            return
        self._hand_over(taken)

    def _hand_over(self, taken: list[bytes]) -> None:
        # A pong has no octets and is a sign of life all the same.
        self._link.dataReceived(b"".join(taken))

    def _read_message(self, event: Message[str] | Message[bytearray | bytes]) -> bytes:
        """Return the octets of a part of a message."""
        part = event.data
        self._is_text = isinstance(part, str)
        octets = part.encode() if isinstance(part, str) else bytes(part)
        self._message_bytes += len(octets)
        if event.message_finished and self._message_bytes <= self._limit:
            self._message_bytes = 0
        return octets

    def _end(self, close: CloseConnection) -> None:
        """The peer has closed its side, answered our closing ours, or broken the protocol."""
        state = self._ws.state
        self._timer.cancel()
        self._is_deaf = True
        if state is ConnectionState.REMOTE_CLOSING:
            # RFC 6455 "Close": it is answered with the same code; nothing follows in either direction.
            self.transport.write(self._ws.send(close.response()))
            self._link.readConnectionLost()
        elif state is ConnectionState.CLOSED:
            self.transport.loseConnection()
        else:
            self._reason = close
            self._link.fail(ProtocolError(f"The WebSocket frame is malformed: {close.reason}."))

    def _ping(self) -> None:
        """Ask for a sign of life if there was none: browsers answer even where a page in the background sleeps."""
        rest = self._heard_at + self._settings.websocket_ping_seconds - self._reactor.seconds()
        if rest <= 0:
            self.transport.write(self._ws.send(Ping()))
        self._timer.set(rest if rest > 0 else self._settings.websocket_ping_seconds, self._ping)


_NO_STOMP = "This port speaks STOMP in a WebSocket. For STOMP alone, connect to a tcp: or ssl: endpoint of the broker."


def messages(octets: bytes, *, is_text: bool) -> Iterator[Event]:
    """Give out the messages that carry some frames of ours.

    Args:
        octets: Whole frames and line ends.
        is_text: Whether the peer wants text; what is not UTF-8 goes to it as octets, frame by frame, so that the others
            are still text.
    """
    if not is_text:
        yield BytesMessage(octets)
        return
    try:
        yield TextMessage(octets.decode())
    except UnicodeDecodeError:
        for frame in _frames(octets):
            try:
                yield TextMessage(frame.decode())
            except UnicodeDecodeError:
                yield BytesMessage(frame)


def _frames(octets: bytes) -> Iterator[bytes]:
    """Give out frames of ours one by one, each with the line ends behind it."""
    start = 0
    while start < len(octets):
        begin = start
        while octets.startswith(b"\n", begin):
            begin += 1
        head_end = octets.find(b"\n\n", begin) + 2
        length = _CONTENT_LENGTH.search(octets, begin, head_end)
        end = head_end + (int(length[1]) if length else 0) + 1
        while octets.startswith(b"\n", end):
            end += 1
        yield octets[start:end]
        start = end


def _close_code(error: StompError) -> int:
    """Return the code of RFC 6455 that says most about an error."""
    if isinstance(error, FrameTooLarge):
        return CloseReason.MESSAGE_TOO_BIG
    if isinstance(error, InternalError):
        return CloseReason.INTERNAL_ERROR
    if isinstance(error, ShuttingDown):
        return CloseReason.SERVICE_RESTART
    return CloseReason.POLICY_VIOLATION

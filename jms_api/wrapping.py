"""What may lie between STOMP and the socket: TLS and WebSocket, without any I/O."""

from __future__ import annotations

import ssl
from typing import Final, Protocol, final

from jms_api.url import ConnectionOptions

try:
    from wsproto import ConnectionType, WSConnection
    from wsproto.events import (
        AcceptConnection,
        BytesMessage,
        CloseConnection,
        Ping,
        RejectConnection,
        Request,
        TextMessage,
    )
    from wsproto.utilities import ProtocolError
except ImportError:  # pragma: no cover  # the extra is not installed
    WSConnection = None  # type: ignore[assignment,misc]  # looked at before use

_RECEIVE_BYTES: Final = 1 << 18

#: STOMP 1.2 over WebSocket, as browsers' clients and brokers agree upon it.
_SUBPROTOCOL: Final = "v12.stomp"


class Wrapping(Protocol):
    """Turns the octets of STOMP into those of the socket, and back; not thread-safe.

    What STOMP wants to send before the other side is ready waits here. Both methods raise OSError when the other side
    breaks the rules.
    """

    @property
    def has_outgoing(self) -> bool:
        """Whether `send(b"")` has something to write."""
        ...

    def send(self, octets: bytes) -> bytes:
        """Return what to write."""
        ...

    def receive(self, octets: bytes) -> bytes:
        """Return what was received."""
        ...


def wrap(options: ConnectionOptions, address: tuple[str, int]) -> Wrapping | None:
    """Return what an address needs; None for plain TCP.

    Raises:
        OSError: A certificate cannot be read, or the library for WebSocket is not installed.
    """
    tls = Tls(_tls_context(options), address[0]) if options.is_encrypted else None
    if not options.is_websocket:
        return tls
    websocket = WebSocket(address, options.path)
    return Chain(websocket, tls) if tls else websocket


@final
class Tls:
    """TLS, as its client."""

    def __init__(self, context: ssl.SSLContext, host: str) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self._is_ready = False
        self._waiting = bytearray()
        self._shake_hands()

    @property
    def has_outgoing(self) -> bool:
        """Whether TLS itself has something to say."""
        return self._outgoing.pending > 0

    def send(self, octets: bytes) -> bytes:
        """Return what to write; before the handshake, octets wait."""
        self._waiting += octets
        if self._is_ready and self._waiting:
            self._tls.write(self._waiting)
            self._waiting.clear()
        return self._outgoing.read()

    def receive(self, octets: bytes) -> bytes:
        """Return what was received.

        Raises:
            OSError: The other side cannot be trusted, or does not speak TLS.
        """
        self._incoming.write(octets)
        if not self._is_ready:
            self._shake_hands()
        received = bytearray()
        while self._is_ready:
            try:
                piece = self._tls.read(_RECEIVE_BYTES)
            except ssl.SSLWantReadError:
                break
            if not piece:
                break
            received += piece
        return bytes(received)

    def _shake_hands(self) -> None:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return
        self._is_ready = True
        if self._waiting:
            self._tls.write(self._waiting)
            self._waiting.clear()


@final
class WebSocket:
    """WebSocket, as its client; each piece is one message of octets."""

    def __init__(self, address: tuple[str, int], path: str) -> None:
        if WSConnection is None:
            raise OSError("ws:// and wss:// need the library wsproto, which is not installed")
        self._socket = WSConnection(ConnectionType.CLIENT)
        request = Request(host=f"{address[0]}:{address[1]}", target=path, subprotocols=[_SUBPROTOCOL])
        self._outgoing = bytearray(self._socket.send(request))
        self._is_ready = False
        self._waiting = bytearray()

    @property
    def has_outgoing(self) -> bool:
        """Whether WebSocket itself has something to say."""
        return bool(self._outgoing)

    def send(self, octets: bytes) -> bytes:
        """Return what to write; before the handshake, octets wait."""
        self._waiting += octets
        if self._is_ready and self._waiting:
            self._outgoing += self._socket.send(BytesMessage(bytes(self._waiting)))
            self._waiting.clear()
        written = bytes(self._outgoing)
        self._outgoing.clear()
        return written

    def receive(self, octets: bytes) -> bytes:
        """Return what was received.

        Raises:
            OSError: The other side refuses, or does not speak WebSocket.
        """
        received = bytearray()
        try:
            self._socket.receive_data(octets)
            for event in self._socket.events():
                if isinstance(event, BytesMessage):
                    received += event.data
                elif isinstance(event, TextMessage):
                    received += event.data.encode()
                elif isinstance(event, AcceptConnection):
                    self._accept()
                elif isinstance(event, Ping):
                    self._outgoing += self._socket.send(event.response())
                elif isinstance(event, RejectConnection):
                    raise ConnectionError(f"the server refuses WebSocket with the status {event.status_code}")
                elif isinstance(event, CloseConnection):
                    raise ConnectionError(f"the server ended the WebSocket: {event.code} {event.reason or ''}".rstrip())
        except ProtocolError as error:
            raise ConnectionError(f"the server does not speak WebSocket: {error}") from error
        return bytes(received)

    def _accept(self) -> None:
        self._is_ready = True
        if self._waiting:
            self._outgoing += self._socket.send(BytesMessage(bytes(self._waiting)))
            self._waiting.clear()


@final
class Chain:
    """One wrapping inside another."""

    def __init__(self, inner: Wrapping, outer: Wrapping) -> None:
        self._inner = inner
        self._outer = outer

    @property
    def has_outgoing(self) -> bool:
        """Whether one of them has something to say."""
        return self._inner.has_outgoing or self._outer.has_outgoing

    def send(self, octets: bytes) -> bytes:
        """Return what to write."""
        return self._outer.send(self._inner.send(octets))

    def receive(self, octets: bytes) -> bytes:
        """Return what was received."""
        received = self._outer.receive(octets)
        # To WebSocket no octets are the end, which a handshake of TLS is not.
        return self._inner.receive(received) if received else b""


def _tls_context(options: ConnectionOptions) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=options.ca_file)
    if options.certificate_file is not None:
        context.load_cert_chain(options.certificate_file, options.key_file)
    return context

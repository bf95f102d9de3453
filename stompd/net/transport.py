"""The transport of a link: what is needed of it, and the options of its socket."""

from __future__ import annotations

import socket
from contextlib import suppress
from ipaddress import ip_address
from typing import Protocol, runtime_checkable

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.interfaces import IAddress, IProducer, ISSLTransport, ITCPTransport

from stompd.errors import StompError

#: A dead peer is found within two minutes although it promised no heart-beats: idle seconds, interval, probes.
_KEEPALIVE = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4}


class StreamTransport(Protocol):
    """What a link needs of its transport, which is TCP, TLS, a UNIX socket or a WebSocket on one of them."""

    def write(self, octets: bytes) -> None: ...
    def registerProducer(self, producer: IProducer, streaming: bool) -> None: ...
    def unregisterProducer(self) -> None: ...
    def pauseProducing(self) -> None: ...
    def resumeProducing(self) -> None: ...
    def loseConnection(self) -> None: ...
    def loseWriteConnection(self) -> None: ...
    def abortConnection(self) -> None: ...
    def getPeer(self) -> IAddress: ...
    def getHost(self) -> IAddress: ...


@runtime_checkable
class _Explaining(Protocol):
    """A transport that can tell the peer why it is closed, beside the ERROR."""

    def explain(self, error: StompError) -> None: ...


def explain_close(transport: StreamTransport, error: StompError) -> None:
    """Let the transport tell the peer why it will be closed, if it can."""
    if isinstance(transport, _Explaining):
        transport.explain(error)


def end_writing(transport: StreamTransport, *, is_at_end: bool) -> None:
    """Close our side of a connection, or both if the other side is closed or cannot stay open by itself."""
    if is_at_end or ISSLTransport.providedBy(transport):
        # TLS has no half-closed state; its closing handshake waits for the peer.
        transport.loseConnection()
    else:
        transport.loseWriteConnection()


def peer_host(transport: StreamTransport) -> str:
    """Return where the peer is, without the port."""
    address = transport.getPeer()
    return str(getattr(address, "host", address))


def name_peer(transport: StreamTransport) -> str:
    """Return the peer's address for the log."""
    return f"{peer_host(transport)}:{getattr(transport.getPeer(), 'port', '')}"


def is_local(transport: StreamTransport) -> bool:
    """Return whether the peer is on this machine."""
    address = transport.getPeer()
    if isinstance(address, UNIXAddress):
        return True
    return isinstance(address, IPv4Address | IPv6Address) and ip_address(address.host.partition("%")[0]).is_loopback


def set_socket_options(transport: StreamTransport) -> None:
    """Send small frames at once, and let TCP find out that a peer is dead."""
    if not ITCPTransport.providedBy(transport):
        return
    # TLS wraps the transport that has the socket.
    handle = getattr(transport, "transport", transport).getHandle()  # type: ignore[union-attr]  # of every TCP transport
    with suppress(AttributeError, OSError):  # a UNIX socket has none of them, and not every system has all
        transport.setTcpNoDelay(True)
        # STOMP 1.0 has no heart-beats: TCP itself has to find out that a peer is dead.
        transport.setTcpKeepAlive(True)
        for name, value in _KEEPALIVE.items():
            handle.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)

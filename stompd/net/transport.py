"""The transport of a link: what is needed of it, and the options of its socket."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Protocol

from twisted.internet.interfaces import IAddress, IPushProducer, ITCPTransport

#: A dead peer is found within two minutes although it promised no heart-beats: idle seconds, interval, probes.
_KEEPALIVE = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4}


class StreamTransport(Protocol):
    """What a link needs of its transport, which is TCP, TLS or a UNIX socket."""

    def write(self, octets: bytes) -> None: ...
    def registerProducer(self, producer: IPushProducer, streaming: bool) -> None: ...
    def unregisterProducer(self) -> None: ...
    def pauseProducing(self) -> None: ...
    def resumeProducing(self) -> None: ...
    def loseConnection(self) -> None: ...
    def loseWriteConnection(self) -> None: ...
    def abortConnection(self) -> None: ...
    def getPeer(self) -> IAddress: ...


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

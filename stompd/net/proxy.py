"""The PROXY protocol, by which a proxy tells for whom it connects.

Spec: HAProxy, "The PROXY protocol", versions 1 and 2.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TypeAlias, final

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.interfaces import IAddress, IHalfCloseableProtocol, IProtocolFactory, IReactorTime
from twisted.logger import Logger
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.python.failure import Failure
from zope.interface import directlyProvides, implementer, providedBy

from stompd.net.recognition import PROXY_SIGNATURE, PROXY_WORD
from stompd.net.timer import Timer
from stompd.net.transport import name_peer

_log = Logger()

Network: TypeAlias = IPv4Network | IPv6Network

#: Octets of a header of version 1: "a 108-byte buffer is always enough".
_LONGEST_LINE = 107

#: Octets of a header of version 2 before the addresses, whose number stands in its last two.
_HEAD_LENGTH = 16

#: Octets of addresses and what a proxy adds about TLS and itself.
_LONGEST_ADDRESSES = 4_096

#: In version 2, by family and transport: the family and the octets of one address.
_FAMILIES = {0x11: (socket.AF_INET, 4), 0x21: (socket.AF_INET6, 16)}


class InvalidHeader(ValueError):
    """What came is no PROXY header."""


def read_header(octets: bytes) -> tuple[IAddress | None, int] | None:
    """Return whom a header names and how many octets it has; None if more are needed.

    The address is None where the proxy speaks for itself, as in health checks, or for something that is not TCP.

    Raises:
        InvalidHeader: It is no header, or a malformed one.
    """
    if octets.startswith(PROXY_SIGNATURE):
        return _read_binary(octets)
    if octets.startswith(PROXY_WORD):
        return _read_line(octets)
    if PROXY_SIGNATURE.startswith(octets) or PROXY_WORD.startswith(octets):
        return None
    raise InvalidHeader("it does not begin with one")


def _read_line(octets: bytes) -> tuple[IAddress | None, int] | None:
    end = octets.find(b"\r\n", 0, _LONGEST_LINE)
    if end < 0:
        if len(octets) >= _LONGEST_LINE:
            raise InvalidHeader("its line is too long")
        return None
    words = octets[:end].decode("latin-1").split(" ")
    if words[1] == "UNKNOWN":
        return None, end + 2
    if len(words) != 6 or words[1] not in {"TCP4", "TCP6"}:
        raise InvalidHeader("its line is malformed")
    return _address(words[2], words[4]), end + 2


def _address(host: str, port: str) -> IAddress:
    try:
        address, number = ip_address(host), int(port)
    except ValueError as error:
        raise InvalidHeader("its address is malformed") from error
    kind = IPv4Address if address.version == 4 else IPv6Address
    return kind("TCP", str(address), number)


def _read_binary(octets: bytes) -> tuple[IAddress | None, int] | None:
    if len(octets) < _HEAD_LENGTH:
        return None
    version_and_command, family, length = struct.unpack_from("!BBH", octets, len(PROXY_SIGNATURE))
    if version_and_command not in {0x20, 0x21} or length > _LONGEST_ADDRESSES:
        raise InvalidHeader("its version, command or length is wrong")
    end = _HEAD_LENGTH + length
    if len(octets) < end:
        return None
    # The command LOCAL is the proxy's own; of other families than TCP over IP nothing can be told.
    if version_and_command == 0x20 or family not in _FAMILIES:
        return None, end
    kind, size = _FAMILIES[family]
    if length < 2 * size + 4:
        raise InvalidHeader("its addresses are cut off")
    host = socket.inet_ntop(kind, octets[_HEAD_LENGTH : _HEAD_LENGTH + size])
    (port,) = struct.unpack_from("!H", octets, _HEAD_LENGTH + 2 * size)
    return _address(host, str(port)), end


def read_networks(texts: Sequence[str]) -> list[Network]:
    """Return the networks that are written as `10.0.0.0/8`, or as the address of one machine.

    Raises:
        ValueError: One is malformed.
    """
    return [ip_network(text) for text in texts]


@final
@implementer(IHalfCloseableProtocol)
class ProxiedProtocol(ProtocolWrapper):
    """One connection of a proxy: reads the header, and from then on gives out the peer that it names."""

    factory: ProxiedFactory

    def makeConnection(self, transport: object) -> None:  # noqa: N802  # Twisted's
        """Wait for the header, and connect the wrapped protocol at once, so that it counts."""
        self._received = b""
        #: Whether the header has come, so that the peer is known.
        self.is_open = False
        self._peer: IAddress | None = None
        self._timer = Timer(self.factory.reactor)
        super().makeConnection(transport)  # type: ignore[no-untyped-call]  # Twisted's
        directlyProvides(self, providedBy(transport), IHalfCloseableProtocol)
        if not self.factory.trusts(self.getPeer()):
            self._refuse("it is not among the trusted_proxies")
        else:
            self._timer.set(self.factory.seconds, lambda: self._refuse("its PROXY header did not come in time"))

    def dataReceived(self, octets: bytes) -> None:
        """Read the header, and pass on what is behind it."""
        if self.is_open:
            self.wrappedProtocol.dataReceived(octets)
            return
        self._received += octets
        try:
            found = read_header(self._received)
        except InvalidHeader as error:
            self._refuse(f"it sends no PROXY header: {error}")
            return
        if found is None:
            return
        self._peer, end = found
        self.is_open = True
        self._timer.cancel()
        rest, self._received = self._received[end:], b""
        if rest:
            self.wrappedProtocol.dataReceived(rest)

    def getPeer(self) -> IAddress:
        """Return whom the proxy speaks for."""
        assert self.transport is not None
        return self._peer or self.transport.getPeer()

    def readConnectionLost(self) -> None:
        """Pass on that the peer sends nothing more, to who can go on all the same."""
        if IHalfCloseableProtocol.providedBy(self.wrappedProtocol):
            self.wrappedProtocol.readConnectionLost()
        else:
            self.loseConnection()  # type: ignore[no-untyped-call]  # Twisted's

    def writeConnectionLost(self) -> None:
        """Pass on that nothing more can be sent."""
        if IHalfCloseableProtocol.providedBy(self.wrappedProtocol):
            self.wrappedProtocol.writeConnectionLost()

    def connectionLost(self, reason: Failure = Failure(ConnectionError())) -> None:  # noqa: B008  # Twisted's signature
        """The socket is gone."""
        self._timer.cancel()
        super().connectionLost(reason)  # type: ignore[no-untyped-call]  # Twisted's

    def _refuse(self, reason: str) -> None:
        # A proxy understands no answer, and whoever is none should not learn more.
        _log.info("{peer}: not accepted as a proxy: {reason}", peer=name_peer(self), reason=reason)
        self._timer.cancel()
        self.abortConnection()


@final
class ProxiedFactory(WrappingFactory[ProxiedProtocol]):
    """Puts the PROXY protocol in front of what another factory makes."""

    noisy = False
    protocol = ProxiedProtocol

    def __init__(
        self, wrapped: IProtocolFactory, networks: Sequence[Network], seconds: float, reactor: IReactorTime
    ) -> None:
        """Wrap a factory.

        Args:
            wrapped: Makes what is behind the header.
            networks: Of the proxies that are believed.
            seconds: In which a header has to come.
            reactor: Timers.
        """
        super().__init__(wrapped)  # type: ignore[no-untyped-call]  # Twisted's
        self._networks = networks
        self.seconds = seconds
        self.reactor = reactor

    def trusts(self, address: IAddress) -> bool:
        """Return whether a proxy at the address is believed; on a UNIX socket, whoever may open it is."""
        if isinstance(address, UNIXAddress):
            return True
        if not isinstance(address, IPv4Address | IPv6Address):
            return False
        proxy = ip_address(address.host.partition("%")[0])
        mapped = getattr(proxy, "ipv4_mapped", None) or proxy
        return any(mapped in network for network in self._networks)


def is_peer_known(transport: object) -> bool:
    """Return whether a transport has its peer's address already, or waits for a proxy to tell it."""
    while transport is not None:
        if isinstance(transport, ProxiedProtocol):
            return transport.is_open
        transport = getattr(transport, "transport", None)
    return True

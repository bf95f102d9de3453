"""The PROXY protocol: its headers, who is believed, and what a link then sees."""

from __future__ import annotations

import socket
import struct

import pytest
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Protocol

from stompd.net.proxy import InvalidHeader, ProxiedFactory, read_header, read_networks
from stompd.net.recognition import PROXY_SIGNATURE
from tests.logged import LoggedEvents
from tests.net.site import Site, Transport, frame

CONNECT = frame("CONNECT", accept_version="1.2", host="x")
LINE = b"PROXY TCP4 192.0.2.1 198.51.100.2 40000 61613\r\n"


def binary(version_and_command: int, family: int, addresses: bytes) -> bytes:
    return PROXY_SIGNATURE + struct.pack("!BBH", version_and_command, family, len(addresses)) + addresses


V4 = binary(0x21, 0x11, bytes([192, 0, 2, 1, 198, 51, 100, 2]) + struct.pack("!HH", 40_000, 61_613))
V6 = binary(
    0x21,
    0x21,
    socket.inet_pton(socket.AF_INET6, "2001:db8::1") * 2 + struct.pack("!HH", 40_000, 61_613) + b"\x04\0\x01x",
)

HEADERS = [
    (LINE, IPv4Address("TCP", "192.0.2.1", 40_000)),
    (b"PROXY TCP6 2001:db8::1 2001:db8::2 40000 61613\r\n", IPv6Address("TCP", "2001:db8::1", 40_000)),
    (b"PROXY UNKNOWN\r\n", None),
    (b"PROXY UNKNOWN ffff::1 ffff::1 1 2\r\n", None),
    (V4, IPv4Address("TCP", "192.0.2.1", 40_000)),
    (V6, IPv6Address("TCP", "2001:db8::1", 40_000)),
    (binary(0x20, 0, b""), None),
    (binary(0x21, 0x31, bytes(216)), None),
]


@pytest.mark.parametrize(("header", "address"), HEADERS)
def test_header_is_read_however_it_arrives(header: bytes, address: IAddress | None) -> None:
    early = [read_header(header[:length]) for length in range(len(header))]

    assert set(early) == {None}
    assert read_header(header + b"CONNECT") == (address, len(header))


@pytest.mark.parametrize(
    "octets",
    [
        b"CONNECT\n",
        b"PROXY TCP4 192.0.2.1 198.51.100.2 40000\r\n",
        b"PROXY TCP5 192.0.2.1 198.51.100.2 40000 61613\r\n",
        b"PROXY TCP4 192.0.2.256 198.51.100.2 40000 61613\r\n",
        b"PROXY TCP4 192.0.2.1 198.51.100.2 many 61613\r\n",
        b"PROXY \r\n",
        b"PROXY " + b"x" * 200,
        binary(0x31, 0x11, bytes(12)),
        binary(0x22, 0x11, bytes(12)),
        binary(0x21, 0x11, bytes(11)),
        PROXY_SIGNATURE + b"\x21\x11\xff\xff",
    ],
)
def test_malformed_header_is_refused(octets: bytes) -> None:
    with pytest.raises(InvalidHeader):
        read_header(octets)


class Proxy:
    """What a proxy at an address sends to a listener."""

    def __init__(self, address: IAddress, *networks: str, site: Site | None = None, **limits: int) -> None:
        self.site = site or Site(login_seconds=3, **limits)
        self.factory = ProxiedFactory(self.site.factory, read_networks(networks), 3, self.site.reactor)
        self.protocol = self.factory.buildProtocol(address)
        self.transport = Transport(self.protocol)
        self.transport.peerAddr = address
        self.protocol.makeConnection(self.transport)

    def another(self) -> Proxy:
        """Connect once more to the same broker."""
        return Proxy(self.transport.peerAddr, "127.0.0.0/8", site=self.site)


def proxy(host: str = "127.0.0.1") -> Proxy:
    return Proxy(IPv4Address("TCP", host, 1), "127.0.0.0/8", "10.0.0.1")


def test_link_sees_whom_the_proxy_speaks_for(logged: LoggedEvents) -> None:
    trusted = proxy()

    for octet in LINE:
        trusted.protocol.dataReceived(bytes([octet]))
    trusted.protocol.dataReceived(CONNECT)

    assert trusted.transport.value().startswith(b"CONNECTED\n")
    assert any(line.startswith("192.0.2.1:40000 session 1: connected") for line in logged.lines)


def test_frames_right_behind_the_header_are_taken() -> None:
    trusted = proxy("10.0.0.1")

    trusted.protocol.dataReceived(V4 + CONNECT)

    assert trusted.transport.value().startswith(b"CONNECTED\n")


def test_health_check_is_seen_as_the_proxy_itself(logged: LoggedEvents) -> None:
    proxy().protocol.dataReceived(binary(0x20, 0, b"") + CONNECT)

    assert any(line.startswith("127.0.0.1:1 session 1: connected") for line in logged.lines)


@pytest.mark.parametrize("header", [LINE, V4])
def test_connections_count_for_the_address_that_the_proxy_tells(header: bytes) -> None:
    first = Proxy(IPv4Address("TCP", "127.0.0.1", 1), "127.0.0.0/8", address_connections=1)
    again, other = first.another(), first.another()
    census = first.site.factory.census
    early = dict(census._counts)

    first.protocol.dataReceived(header + CONNECT)
    again.protocol.dataReceived(header + CONNECT)
    other.protocol.dataReceived(V6 + CONNECT)

    assert early == {}
    assert first.transport.value().startswith(b"CONNECTED\n")
    assert b"limits.address_connections" in again.transport.value()
    assert other.transport.value().startswith(b"CONNECTED\n")


@pytest.mark.parametrize("host", ["192.0.2.7", "10.0.0.2"])
def test_stranger_is_cut_without_a_word(host: str, logged: LoggedEvents) -> None:
    stranger = proxy(host)

    assert stranger.transport.ending == ["aborted"]
    assert stranger.transport.value() == b""
    assert any("trusted_proxies" in line for line in logged.lines)


@pytest.mark.parametrize(
    ("address", "is_trusted"),
    [
        (UNIXAddress(b"/run/proxy"), True),
        (IPv6Address("TCP", "::ffff:127.0.0.1", 1), True),
        (IPv6Address("TCP", "::1", 1), False),
        (IPv6Address("TCP", "fe80::1%eth0", 1), False),
        (None, False),
    ],
)
def test_trust_goes_by_the_address(address: IAddress, is_trusted: bool) -> None:
    factory = ProxiedFactory(Site().factory, read_networks(["127.0.0.0/8"]), 3, Site().reactor)

    assert factory.trusts(address) is is_trusted


def test_proxy_without_a_header_is_cut(logged: LoggedEvents) -> None:
    trusted = proxy()

    trusted.protocol.dataReceived(CONNECT)

    assert trusted.transport.ending == ["aborted"]
    assert any("no PROXY header" in line for line in logged.lines)


def test_header_has_to_come_in_time(logged: LoggedEvents) -> None:
    trusted = proxy()

    trusted.site.advance(3)

    assert trusted.transport.ending[-1] == "aborted"


def test_half_closed_connection_gets_its_receipts() -> None:
    trusted = proxy()
    trusted.protocol.dataReceived(
        LINE + CONNECT + frame("SEND", destination="/queue/a", receipt="r", persistent="false")
    )

    trusted.protocol.readConnectionLost()
    trusted.protocol.writeConnectionLost()
    trusted.site.run()

    assert b"RECEIPT\nreceipt-id:r\n" in trusted.transport.value()
    assert trusted.transport.ending == ["closed"]


def test_half_closed_connection_of_what_cannot_be_is_closed() -> None:
    class Whole(Protocol):
        """As TLS: it has no halves."""

    trusted = proxy()
    trusted.protocol.wrappedProtocol = Whole()

    trusted.protocol.writeConnectionLost()
    trusted.protocol.readConnectionLost()

    assert trusted.transport.ending == ["closed"]


@pytest.mark.parametrize("text", ["10.0.0.0/33", "10.0.0.1/8", "proxy.example"])
def test_malformed_network_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_networks([text])

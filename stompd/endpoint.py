"""Endpoint strings: whether they are well-formed, and whether only this machine can reach them."""

from __future__ import annotations

from ipaddress import ip_address

from OpenSSL.crypto import Error as CertificateError
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IStreamServerEndpointStringParser
from twisted.internet.protocol import Factory
from twisted.plugin import getPlugins

from stompd.errors import SettingError

#: The kinds that name the interface they listen on.
_ON_AN_INTERFACE = frozenset({"tcp", "tcp6", "ssl"})

#: The kinds that can be built, and so checked, without touching what the process was started with.
_CHECKED = _ON_AN_INTERFACE | {"unix", "haproxy"}

#: What Twisted's parser raises for a wrong port, keyword, quotation, certificate file or certificate.
_PARSER_ERRORS = (ValueError, TypeError, LookupError, AttributeError, RuntimeError, OSError, CertificateError)

_HIGHEST_PORT = 65_535


def is_local(description: str) -> bool:
    """Return whether only this machine can connect to what the endpoint string describes.

    Only a loopback interface and a UNIX socket are proven local; a proxy, an inherited socket and the endpoints of
    plugins count as reachable from elsewhere.

    Raises:
        SettingError: The string is malformed, or a certificate it names cannot be read.
    """
    kind = description.partition(":")[0]
    if kind not in _CHECKED:
        _require_known(kind, description)
        return False
    reactor = _Recorder()
    try:
        endpoint = serverFromString(reactor, description)
    except _PARSER_ERRORS as error:
        raise _unusable(description, str(error)) from error
    if kind in _ON_AN_INTERFACE:
        endpoint.listen(Factory())
        if not 0 <= reactor.port <= _HIGHEST_PORT:
            raise _unusable(description, f"a port is a number from 0 to {_HIGHEST_PORT}")
        return _is_loopback(reactor.interface)
    return kind == "unix"


def _unusable(description: str, reason: str) -> SettingError:
    return SettingError(
        f"endpoint {description!r} cannot be used: {reason}; give an endpoint string of Twisted such as "
        "tcp:61613:interface=127.0.0.1"
    )


def _require_known(kind: str, description: str) -> None:
    plugins = {parser.prefix for parser in getPlugins(IStreamServerEndpointStringParser)}
    if kind not in plugins:
        known = ", ".join(sorted(_CHECKED | plugins))
        raise _unusable(description, f"{kind!r} is none of the known kinds ({known})")


def _is_loopback(interface: str) -> bool:
    if interface == "localhost":
        return True
    try:
        return ip_address(interface).is_loopback
    except ValueError:
        return False


class _Recorder:
    """Stands in for the reactor and notes where an endpoint would listen, so that Twisted alone parses the string."""

    interface = ""
    port = 0

    def listenTCP(self, port: int, factory: Factory, backlog: int = 50, interface: str = "") -> None:
        self.port = port
        self.interface = interface

    def listenSSL(
        self, port: int, factory: Factory, contextFactory: object, backlog: int = 50, interface: str = ""
    ) -> None:
        self.listenTCP(port, factory, backlog, interface)

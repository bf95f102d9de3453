"""Endpoint strings: what a listener is made of, whether only this machine can reach it, and listening on it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any, TypeVar, final

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IListeningPort, IProtocolFactory, IStreamServerEndpointStringParser
from twisted.internet.protocol import Factory
from twisted.plugin import getPlugins

from stompd.errors import SettingError
from stompd.net.factory import LinkFactory
from stompd.net.proxy import ProxiedFactory, read_networks
from stompd.net.tls import TLS_ERRORS, Certificates, TlsFiles, make_tls_factory
from stompd.net.websocket import WebSocketFactory
from stompd.settings import Settings

#: The kinds that name the interface they listen on.
_ON_AN_INTERFACE = frozenset({"tcp", "tcp6"})

#: The kinds that can be built, and so checked, without touching what the process was started with.
_CHECKED = _ON_AN_INTERFACE | {"unix"}

#: What stands in front of other endpoints.
_LAYERS = ("ws", "haproxy", "ssl")

#: What Twisted's parser raises for a wrong port, keyword or quotation.
_PARSER_ERRORS = (ValueError, TypeError, LookupError, AttributeError, RuntimeError)

_HIGHEST_PORT = 65_535

#: A part of an endpoint string, up to a colon that no backslash precedes.
_PART = re.compile(r"((?:[^:\\]|\\.)*)(?::|\Z)", re.DOTALL)

#: What an `ssl:` endpoint says about TLS.
_TLS_NAMES = ("privateKey", "certKey", "extraCertChain", "clientCerts", "clientAuth")

_T = TypeVar("_T")


@final
@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to listen and what to speak there."""

    #: What the operator wrote.
    description: str
    #: Where to listen, as Twisted writes it.
    base: str
    is_websocket: bool = False
    is_proxied: bool = False
    #: TLS, if it is spoken.
    tls: TlsFiles | None = None

    @property
    def layers(self) -> str:
        """What is spoken there, as a prefix: `ws:ssl:`."""
        present = (self.is_websocket, self.is_proxied, self.tls is not None)
        return "".join(f"{name}:" for name, is_there in zip(_LAYERS, present, strict=True) if is_there)

    def listen(self, reactor: Any, links: LinkFactory, settings: Settings) -> Deferred[IListeningPort]:
        """Accept connections for links.

        Raises:
            SSL.Error, OSError, ValueError: A file of TLS cannot be used.
        """
        factory: IProtocolFactory = links
        if self.is_websocket:
            factory = WebSocketFactory(links, settings, reactor)
        if self.tls is not None:
            factory = make_tls_factory(Certificates(self.tls), factory, reactor)
        if self.is_proxied:
            # The header comes before everything else, TLS included.
            networks = read_networks(settings.trusted_proxies)
            factory = ProxiedFactory(factory, networks, settings.limits.login_seconds, reactor)
        port: Deferred[IListeningPort] = serverFromString(reactor, self.base).listen(factory)
        return port


def parse_endpoint(description: str) -> Endpoint:
    """Return what an endpoint string describes: one of Twisted, with `ws:`, `haproxy:` or both in front.

    Raises:
        SettingError: What is said about TLS is malformed.
    """
    names: set[str] = set()
    rest = description
    while (name := rest.partition(":")[0]) in {"ws", "haproxy"} and name not in names:
        names.add(name)
        rest = rest.partition(":")[2]
    tls = None
    if rest.startswith("ssl:"):
        tls, rest = _split_tls(description, rest.removeprefix("ssl:"))
    return Endpoint(description, rest, "ws" in names, "haproxy" in names, tls)


def is_local(description: str) -> bool:
    """Return whether only this machine can connect to what the endpoint string describes.

    Only a loopback interface and a UNIX socket are proven local; a proxy, an inherited socket and the endpoints of
    plugins count as reachable from elsewhere.

    Raises:
        SettingError: The string is malformed, or a certificate it names cannot be used.
    """
    endpoint = parse_endpoint(description)
    if endpoint.tls is not None:
        _attempt(description, TLS_ERRORS, Certificates, endpoint.tls)
    kind = endpoint.base.partition(":")[0]
    if kind not in _CHECKED:
        _require_known(kind, description)
        return False
    reactor = _Recorder()
    listener = _attempt(description, _PARSER_ERRORS, serverFromString, reactor, endpoint.base)
    if kind in _ON_AN_INTERFACE:
        listener.listen(Factory())
        if not 0 <= reactor.port <= _HIGHEST_PORT:
            raise _unusable(description, f"a port is a number from 0 to {_HIGHEST_PORT}")
        return _is_loopback(reactor.interface) and not endpoint.is_proxied
    return not endpoint.is_proxied


def _split_tls(description: str, text: str) -> tuple[TlsFiles, str]:
    """Return what an `ssl:` endpoint says about TLS, and the endpoint below it."""
    given: dict[str, str] = {}
    others = []
    for part in _PART.findall(text)[: text.count(":") + 1]:
        name, equals, value = part.partition("=")
        if equals and name in _TLS_NAMES:
            given[name] = re.sub(r"\\(.)", r"\1", value)
        elif part:
            others.append(part)
    if "privateKey" not in given:
        raise _unusable(description, "it has no privateKey=FILE")
    if given.get("clientAuth", "required") not in {"required", "optional"} or (
        "clientAuth" in given and "clientCerts" not in given
    ):
        raise _unusable(description, "clientAuth is required or optional, and goes with clientCerts=FILE")
    files = {name: Path(path) for name, path in given.items() if name != "clientAuth"}
    tls = TlsFiles(
        files["privateKey"],
        files.get("certKey", files["privateKey"]),
        files.get("extraCertChain"),
        files.get("clientCerts"),
        given.get("clientAuth") != "optional",
    )
    # With a port it is TCP; anything else, such as systemd:domain=INET:index=0, names its kind.
    is_kind = bool(others) and re.fullmatch(r"[a-z]\w*", others[0]) is not None
    return tls, ":".join(others if is_kind else ["tcp", *others])


def _attempt(
    description: str, errors: tuple[type[Exception], ...], function: Callable[..., _T], *arguments: object
) -> _T:
    try:
        return function(*arguments)
    except errors as error:
        raise _unusable(description, str(error) or type(error).__name__) from error


def _unusable(description: str, reason: str) -> SettingError:
    return SettingError(
        f"endpoint {description!r} cannot be used: {reason}; give an endpoint string of Twisted such as "
        "tcp:61613:interface=127.0.0.1"
    )


def _require_known(kind: str, description: str) -> None:
    plugins = {parser.prefix for parser in getPlugins(IStreamServerEndpointStringParser)}
    if kind not in plugins or kind in _LAYERS:
        known = ", ".join(sorted(_CHECKED.union(plugins, _LAYERS)))
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

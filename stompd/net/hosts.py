"""Virtual hosts: which one a CONNECT names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, final

from twisted.cred.portal import Portal
from twisted.internet.interfaces import IReactorTime

from stompd.errors import UnknownHost
from stompd.net.gate import Gate
from stompd.settings import Settings


@final
class VirtualHost(NamedTuple):
    """One virtual host, as far as connections are concerned."""

    #: Empty for the default one.
    name: str
    gate: Gate
    #: 0 for any number.
    connections: int


@final
class VirtualHosts:
    """Finds the virtual host for the `host` header of CONNECT."""

    def __init__(
        self, settings: Settings, portal: Portal, host_portals: Mapping[str, Portal], reactor: IReactorTime
    ) -> None:
        """Take the hosts of the settings; one that has no portal of its own shares that of the default host."""
        delay = settings.limits.login_delay_seconds
        #: Whose name is empty.
        self.default = VirtualHost("", Gate(portal, reactor, delay), 0)
        self._is_strict = settings.strict_host
        self._by_name = {settings.default_host.lower(): self.default}
        for name, host in settings.hosts.items():
            own = host_portals.get(name)
            gate = Gate(own, reactor, delay) if own else self.default.gate
            self._by_name[name.lower()] = VirtualHost(name, gate, host.connections)

    def find(self, name: str | None) -> VirtualHost:
        """Return the virtual host that a client names.

        Raises:
            UnknownHost: There is none, and the settings want it that way; otherwise it is the default one.
        """
        # Most clients write the name of the machine there that they connect to, so an unknown name means little.
        found = self._by_name.get((name or "").lower())
        if found is not None:
            return found
        if self._is_strict:
            shown = "no host header" if name is None else f"host:{name[:255]}"
            raise UnknownHost(f"CONNECT has {shown}. This broker wants the name of one of its virtual hosts there.")
        return self.default

"""The factory: makes a link for each connection, and knows which there are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from typing import final

from twisted.cred.portal import Portal
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import Factory
from twisted.logger import Logger

from stompd.broker.effects import SessionId
from stompd.broker.peer import Peer
from stompd.errors import LimitExceeded, ShuttingDown
from stompd.interfaces import IStompUser
from stompd.net.census import Census
from stompd.net.hosts import VirtualHosts
from stompd.net.link import Link
from stompd.net.meter import Meter, Meters
from stompd.net.proxy import is_peer_known
from stompd.net.transport import peer_host
from stompd.runtime.driver import Driver
from stompd.session.login import Login
from stompd.session.session import Session, SessionSettings
from stompd.settings import Settings
from stompd.wire.heartbeat import HeartBeat

_log = Logger()


@final
class LinkFactory(Factory):
    """What the links of one listener, or of several, have in common."""

    noisy = False

    def __init__(
        self,
        settings: Settings,
        driver: Driver,
        portal: Portal,
        reactor: IReactorTime,
        nonce: str,
        host_portals: Mapping[str, Portal] | None = None,
    ) -> None:
        """Serve a driver.

        Args:
            settings: The limits and what is offered to clients.
            driver: Where requests go.
            portal: Who may log in; gives out `IStompUser`.
            reactor: Timers.
            nonce: A text of this run of the broker, part of every `session` header.
            host_portals: The same for virtual hosts that have portals of their own.
        """
        self.driver = driver
        self.hosts = VirtualHosts(settings, portal, host_portals or {}, reactor)
        self.census = Census()
        self._meters = Meters(settings.limits)
        self._takes_over = settings.client_id_takeover
        self.reactor = reactor
        self.nonce = nonce
        self.limits = settings.limits
        self.frame_limits = settings.frame_limits
        self.login_frame_limits = settings.login_frame_limits
        self.session_settings = SessionSettings(
            heart_beat=HeartBeat(*settings.heart_beat),
            server=None if settings.hide_server else f"stompd/{version('stompd')}",
            names_sender=settings.sender_login,
        )
        self._links: set[Link] = set()
        self._next_advice = 0.0
        self._waiters: list[Deferred[None]] = []

    def buildProtocol(self, addr: IAddress | None) -> Link:
        """Make a link; beyond the limit it says so and closes."""
        return Link(self, is_surplus=len(self._links) >= self.limits.connections)

    def link_made(self, link: Link, *, is_surplus: bool) -> None:
        """Remember a link that has its socket, unless it is one too many.

        Raises:
            LimitExceeded: It is.
        """
        limits = self.limits
        if is_surplus:
            raise LimitExceeded(
                f"This broker has {limits.connections} connections, which is the limit (setting limits.connections)."
                " Try later."
            )
        if is_peer_known(link.transport):
            self._count_address(link)
        self._links.add(link)

    def enter(
        self, link: Link, session_id: SessionId, login: Login, user: IStompUser, *, has_soft_errors: bool
    ) -> Meter | None:
        """Begin the session of a link whose user has logged in, and return what measures him, if anything does.

        Raises:
            LimitExceeded: There are as many connections of the user, or on the virtual host, as allowed.
            InvalidClientId: The client id is another user's, or another connection has it.
        """
        host, now = link.admission.host, self.reactor.seconds()
        if not link.counted:
            self._count_address(link)
        place = ("the user", host.name, user.name)
        self.census.enter(link.counted, place, self.limits.user_connections, "limits.user_connections")
        setting = f"hosts.{host.name}.connections"
        self.census.enter(link.counted, ("the virtual host", host.name), host.connections, setting)
        since = datetime.fromtimestamp(now, UTC)
        origin = f"from {peer_host(link.transport)} since {since:%Y-%m-%d %H:%M:%S} UTC"
        self.driver.attach(
            session_id,
            link,
            Peer(login.client_id, user.name, host.name, origin),
            has_soft_errors=has_soft_errors,
            takes_over=self._takes_over,
        )
        return self._meters.of(host.name, user.name, now)

    def _count_address(self, link: Link) -> None:
        place = ("the address", peer_host(link.transport))
        self.census.enter(link.counted, place, self.limits.address_connections, "limits.address_connections")

    def link_lost(self, link: Link) -> None:
        """Forget a link whose socket is gone."""
        self._links.discard(link)
        self.census.leave(link.counted)
        if not self._links:
            waiters, self._waiters = self._waiters, []
            for waiter in waiters:
                waiter.callback(None)

    def all_lost(self) -> Deferred[None]:
        """Return a Deferred that fires when no link is left."""
        if not self._links:
            return succeed(None)
        waiter: Deferred[None] = Deferred()
        self._waiters.append(waiter)
        return waiter

    def log_advice(self, session: Session, peer_name: str) -> None:
        """Log what no RECEIPT can tell a client; of many clients with the same habits, the first one each second."""
        advice, session.advice = session.advice, ""
        now = self.reactor.seconds()
        if now >= self._next_advice:
            self._next_advice = now + 1
            _log.info("{peer}: headers without effect: {advice}", peer=peer_name, advice=advice)

    def shut_down(self) -> None:
        """Let no link take another frame; those that have a session hear of it after the receipts they are owed."""
        for link in list(self._links):
            link.shut_down()

    def dismiss(self) -> None:
        """Let nobody wait in silence for what will not be confirmed any more."""
        for link in list(self._links):
            link.dismiss(
                ShuttingDown(
                    "The broker had to stop before everything was stored. Connect again, and repeat what was not"
                    " confirmed."
                )
            )

    def abort_all(self) -> None:
        """Cut every connection that is left."""
        for link in list(self._links):
            link.abort()

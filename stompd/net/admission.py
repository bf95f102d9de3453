"""Admission: who is at the other end of a link, from CONNECT until the login expires."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast, final

from twisted.cred.error import UnauthorizedLogin
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from stompd.errors import InternalError, LoginExpired, LoginFailed, LoginTimedOut, StompError, UnknownHost
from stompd.interfaces import IStompUser
from stompd.net.credentials import choose_credentials
from stompd.net.hosts import VirtualHosts
from stompd.net.timer import Timer
from stompd.net.transport import StreamTransport, name_peer, peer_host
from stompd.session.login import Login

_log = Logger()

#: Reactors do not sleep for years, and clocks are set: so often the time is looked at.
_LONGEST_SECONDS = 1800.0


@final
class Admission:
    """Asks the gate of a virtual host for one link: at CONNECT, and for each renewal. One question at a time."""

    def __init__(
        self,
        hosts: VirtualHosts,
        reactor: IReactorTime,
        transport: StreamTransport,
        fail: Callable[[StompError, str | None], None],
    ) -> None:
        """Let nobody in yet.

        Args:
            hosts: Tells who decides.
            reactor: Tells when a login has expired.
            transport: Knows where the peer is, and perhaps who. It is asked at each login, since a proxy may tell late.
            fail: Ends the link with an ERROR, for a frame that wants this receipt or for none.
        """
        self._hosts = hosts
        #: Where the client has been let in, or wants to be.
        self.host = hosts.default
        self._reactor = reactor
        self._transport = transport
        self._fail = fail
        self._answer: Deferred[IStompUser] | None = None
        self._is_over = False
        self._receipt: str | None = None
        self._timer = Timer(reactor)
        #: Who has been let in.
        self.user: IStompUser | None = None

    def ask(self, login: Login, admit: Callable[[IStompUser], None]) -> None:
        """Have a login checked, and call `admit` with the user if it is right; a wrong one ends the link."""
        self._receipt = login.receipt
        if self.user is None:
            try:
                self.host = self._hosts.find(login.host)
            except UnknownHost as error:
                self._fail(error, None)
                return
        gate = self.host.gate
        credentials = choose_credentials(login, self._transport, gate.portal)
        answer = self._answer = gate.log_in(credentials, peer_host(self._transport))
        answer.addCallbacks(self._answered, self._refused, callbackArgs=(admit,))
        answer.addErrback(self._broke)

    def end(self) -> None:
        """Forget the question and the time: the link is over."""
        self._timer.cancel()
        self._is_over = True
        if self._answer is not None:
            self._answer.cancel()

    def _answered(self, user: IStompUser, admit: Callable[[IStompUser], None]) -> None:
        if self._is_over:
            return  # it took too long
        self._answer = None
        now = self._reactor.seconds()
        if self.user is not None and user.name != self.user.name:
            error = f"This connection is that of {self.user.name}; nobody else can renew its login."
            self._fail(LoginFailed(error), self._receipt)
            return
        expires_at = user.expires_at
        if expires_at is not None and expires_at <= now:
            self._expire(self._receipt)
            return
        self._timer.cancel()
        if expires_at is not None:
            self._timer.set(min(expires_at - now, _LONGEST_SECONDS), self._time_is_up)
        self.user = user
        admit(user)

    def _refused(self, failure: Failure) -> None:
        failure.trap(UnauthorizedLogin)
        if not self._is_over:
            error = "The login or the passcode is wrong. Check the login and passcode headers of the CONNECT frame."
            self._fail(LoginFailed(error), self._receipt)

    def _broke(self, failure: Failure) -> None:
        if failure.check(CancelledError):
            return
        _log.failure("{peer}: login failed with an internal error", failure, peer=name_peer(self._transport))
        if not self._is_over:
            self._fail(InternalError("The login could not be checked; the error has been logged."), self._receipt)

    def _time_is_up(self) -> None:
        expires_at = cast(Any, self.user).expires_at
        left = expires_at - self._reactor.seconds()
        if left > 0:
            self._timer.set(min(left, _LONGEST_SECONDS), self._time_is_up)
            return
        self._expire()

    def _expire(self, receipt: str | None = None) -> None:
        self._fail(
            LoginExpired(
                "The token has expired. Connect again with a new one; to keep a connection, send a new token before"
                " that: a SEND with destination:/session/renew and the token as passcode."
            ),
            receipt,
        )


def explain_timeout(limit: int) -> LoginTimedOut:
    """Return the error for a connection that has not logged in within so many seconds."""
    return LoginTimedOut(
        f"No CONNECT was completed within {limit} seconds (setting limits.login_seconds). Send the CONNECT frame, ended"
        " with a NUL octet, right after connecting."
    )

"""The gate: asks the portal who somebody is, later and later for those who have failed before."""

from __future__ import annotations

from typing import Any, cast, final

from twisted.cred.credentials import IUsernamePassword
from twisted.cred.error import UnauthorizedLogin, UnhandledCredentials
from twisted.cred.portal import Portal
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from stompd.interfaces import IStompUser
from stompd.net.penalty import Penalties

_log = Logger()

#: People mistype three times before they think.
_FREE_OF_USER = 3

#: Many may stand behind one address, and one of them that fails must not slow the others down at once.
_FREE_OF_ADDRESS = 10

#: Characters of a login that are logged and remembered.
_SHOWN_LENGTH = 255


@final
class Gate:
    """Lets users in; what all links have in common for that."""

    def __init__(self, portal: Portal, reactor: IReactorTime, longest_delay_seconds: float) -> None:
        """Ask a portal that gives out `IStompUser`."""
        #: Who decides.
        self.portal = portal
        self._reactor = reactor
        self._of_user = Penalties(_FREE_OF_USER, longest_delay_seconds)
        self._of_address = Penalties(_FREE_OF_ADDRESS, longest_delay_seconds)

    def log_in(self, credentials: object, address: str) -> Deferred[IStompUser]:
        """Return the user, later; whoever does not want to wait any longer cancels it.

        Args:
            credentials: What some checker of the portal knows.
            address: Where it comes from.

        Returns:
            A Deferred that fails with `UnauthorizedLogin` if the credentials are wrong.
        """
        return self._log_in(credentials, _name(credentials), address)

    @inlineCallbacks
    def _log_in(self, credentials: Any, name: str, address: str) -> Any:
        now = self._reactor.seconds()
        # The delay is the same whether the passcode is right, so it tells nothing.
        delay = max(self._of_user.seconds(name, now) if name else 0.0, self._of_address.seconds(address, now))
        if delay:
            yield deferLater(self._reactor, delay)
        try:
            _, user, _ = yield self.portal.login(credentials, None, IStompUser)
        except (UnauthorizedLogin, UnhandledCredentials) as error:
            self._note(name, address)
            raise UnauthorizedLogin from error
        self._of_user.forgive(name)
        return user

    def _note(self, name: str, address: str) -> None:
        now = self._reactor.seconds()
        count = self._of_address.note(address, now)
        if name:
            count = self._of_user.note(name, now)
        if count == 10 ** (len(str(count)) - 1):  # 1, 10, 100: a client that tries for ever does not fill the log
            who = repr(name) if name else "somebody without a name"
            _log.info("login of {user} from {address} failed, {count} in a row", user=who, address=address, count=count)


def _name(credentials: object) -> str:
    """Return the name that is given with a passcode; empty for tokens, which cannot be guessed, and the like."""
    if IUsernamePassword.providedBy(credentials):
        return str(cast(Any, credentials).username.decode("utf-8", "replace"))[:_SHOWN_LENGTH]
    return ""

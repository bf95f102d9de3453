"""The realm: turns who has logged in into the user that the broker asks for permission."""

from __future__ import annotations

from collections.abc import Callable
from typing import final

from twisted.cred.portal import IRealm
from zope.interface import Interface, implementer

from stompd.interfaces import IStompUser

#: The name of everybody who did not log in.
ANONYMOUS_NAME = "anonymous"


@final
@implementer(IStompUser)
class User:
    """Somebody who is connected."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def may(self, action: str, destination: str) -> bool:
        """Whether the user may `send` to, `consume` from or `browse` the destination: whoever is connected may."""
        return True


@final
@implementer(IRealm)
class StompRealm:
    """Gives out a `User` named after the login."""

    __slots__ = ()

    def requestAvatar(
        self, avatarId: bytes | str | tuple[()], mind: object, *interfaces: type[Interface]
    ) -> tuple[type[Interface], User, Callable[[], None]]:
        """Return the user for an avatar id: the login, which some checkers decode, or `ANONYMOUS` of Twisted.

        Raises:
            NotImplementedError: None of the interfaces asked for is `IStompUser`; `IRealm` asks for this exception.
        """
        if IStompUser not in interfaces:
            raise NotImplementedError("this realm gives out IStompUser only")
        login = avatarId.decode("utf-8", "replace") if isinstance(avatarId, bytes) else avatarId
        return IStompUser, User(login or ANONYMOUS_NAME), _log_out


def _log_out() -> None:
    """Nothing is kept for a user."""

"""The realm: turns who has logged in into the user that the broker asks for permission."""

from __future__ import annotations

from collections.abc import Callable
from typing import final

from twisted.cred.portal import IRealm
from zope.interface import Interface, implementer

from stompd.auth.permissions import Decisions, Permissions
from stompd.auth.tokens import Identity
from stompd.interfaces import IStompUser

#: The name of everybody who did not log in.
ANONYMOUS_NAME = "anonymous"


@final
@implementer(IStompUser)
class User:
    """Somebody who is connected."""

    __slots__ = ("_decisions", "expires_at", "name", "open_paths")

    def __init__(self, name: str, decisions: Decisions, expires_at: float | None = None) -> None:
        self.name = name
        self.expires_at = expires_at
        self.open_paths: set[str] = set()
        self._decisions = decisions

    def may(self, action: str, destination: str) -> bool:
        """Whether the user may do something; see `IStompUser`."""
        return self._decisions.may(action, destination)


@final
@implementer(IRealm)
class StompRealm:
    """Gives out a `User` named after the login."""

    __slots__ = ("_permissions",)

    def __init__(self, permissions: Permissions) -> None:
        self._permissions = permissions

    def requestAvatar(
        self, avatarId: bytes | str | tuple[()], mind: object, *interfaces: type[Interface]
    ) -> tuple[type[Interface], User, Callable[[], None]]:
        """Return the user for an avatar id: a login, which some checkers decode, or `ANONYMOUS`.

        Raises:
            NotImplementedError: None of the interfaces asked for is `IStompUser`; `IRealm` asks for this exception.
        """
        if IStompUser not in interfaces:
            raise NotImplementedError("this realm gives out IStompUser only")
        login = avatarId.decode("utf-8", "replace") if isinstance(avatarId, bytes) else avatarId
        name = login or ANONYMOUS_NAME
        if isinstance(avatarId, Identity):
            user = User(name, self._permissions.of(name, avatarId.groups), avatarId.expires_at)
        else:
            user = User(name, self._permissions.of(name))
        return IStompUser, user, _log_out


def _log_out() -> None:
    """Nothing is kept for a user."""

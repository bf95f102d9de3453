"""The checkers that `--auth` names, and the portal made of them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from typing import Any, TypeAlias, final

from twisted.cred.checkers import ANONYMOUS, AllowAnonymousAccess, ICredentialsChecker
from twisted.cred.credentials import IAnonymous, IUsernamePassword
from twisted.cred.error import UnauthorizedLogin
from twisted.cred.portal import Portal
from twisted.cred.strcred import ICheckerFactory, StrcredException, findCheckerFactories
from twisted.internet.defer import Deferred, inlineCallbacks, maybeDeferred, succeed
from zope.interface import implementer

from stompd.auth.certificate import CertificateLogin
from stompd.auth.passcodes import PasscodeFile, PasscodeTable
from stompd.auth.permissions import Permissions
from stompd.auth.realm import StompRealm
from stompd.auth.tokens import TokenChecker
from stompd.errors import SettingError, StoreError
from stompd.interfaces import IBearerToken, IPeerCertificate

#: The login, which may be an `Identity`, or `ANONYMOUS`.
AvatarId: TypeAlias = bytes | tuple[()]

#: What everybody can show, and must be answered.
_KINDS = (IUsernamePassword, IAnonymous, IBearerToken)

_USABLE = frozenset({IUsernamePassword, IAnonymous})

#: Twisted's `memory` keeps text and compares it with the octets of a login, so it would refuse everybody.
_UNUSABLE_TYPES = frozenset({"memory"})


def make_portal(
    auth: Sequence[str], *, allow_anonymous: bool, store: str = "memory:", permissions: Permissions | None = None
) -> Portal:
    """Return the portal that decides who may connect.

    Args:
        auth: Checker strings such as `file:/etc/stompd/users`; the first checker that accepts a login decides.
        allow_anonymous: Whether a client without a login is let in. With no checkers, that includes clients that
            give one.
        store: The URL of the store, for `database`.
        permissions: What users may do; without any, everything.

    Raises:
        SettingError: A checker string cannot be used.
    """
    portal = Portal(StompRealm(permissions or Permissions()))
    checkers = make_checkers(auth, store)
    if allow_anonymous:
        checkers.append(AllowAnonymousAccess() if auth else Unsecured())
    for kind in (*_KINDS, IPeerCertificate):
        able = [checker for checker in checkers if kind in checker.credentialInterfaces]
        # Where no certificate counts, who shows one is asked for a login.
        if able or kind is not IPeerCertificate:
            portal.registerChecker(_FirstOf(able), kind)
    return portal


def make_checkers(auth: Sequence[str], store: str = "memory:") -> list[ICredentialsChecker]:
    """Return what the checker strings stand for.

    `file:` is `PasscodeFile`, `database` is `PasscodeTable`, `jwt:` is `TokenChecker`, and `certificate:` is
    `CertificateLogin`; the others are the `twisted.cred` plugins that are installed.

    Raises:
        SettingError: A string names no checker that can be used here, or the checker refuses its argument.
    """
    known: dict[str, Callable[[str], ICredentialsChecker]] = {
        factory.authType: factory.generateChecker for factory in _factories()
    }
    known["file"] = PasscodeFile
    known["database"] = lambda url: PasscodeTable(url or store)
    known["jwt"] = TokenChecker
    known["certificate"] = CertificateLogin
    checkers = []
    for description in auth:
        kind, _, argument = description.partition(":")
        if kind not in known:
            raise SettingError(f"{kind!r} is not a known checker; use one of {', '.join(sorted(known))}")
        try:
            checkers.append(known[kind](argument))
        except (StrcredException, ValueError, OSError, StoreError) as error:
            raise SettingError(f"the checker {kind!r} cannot be used: {error}") from error
    return checkers


def _factories() -> list[ICheckerFactory]:
    return [
        factory
        for factory in findCheckerFactories()
        if factory.authType not in _UNUSABLE_TYPES and _USABLE.intersection(factory.credentialInterfaces)
    ]


@final
@implementer(ICredentialsChecker)
class Unsecured:
    """Lets everybody in as anonymous, whether they give a login or not."""

    # STOMP 1.2 "CONNECT or STOMP Frame": login and passcode are for secured servers; this one ignores them.
    credentialInterfaces = _KINDS

    def requestAvatarId(self, credentials: object) -> Deferred[AvatarId]:
        """Return the avatar id of everybody."""
        return succeed(ANONYMOUS)


@final
@implementer(ICredentialsChecker)
class _FirstOf:
    """Asks its checkers in turn until one accepts; a portal has room for one checker of a kind."""

    credentialInterfaces = ()

    def __init__(self, checkers: Sequence[ICredentialsChecker]) -> None:
        self._checkers = checkers

    @inlineCallbacks
    def requestAvatarId(self, credentials: Any) -> Generator[Deferred[AvatarId], AvatarId, AvatarId]:
        """Return, later, what the first checker that accepts the credentials returns."""
        for checker in self._checkers:
            with suppress(UnauthorizedLogin):
                return (yield maybeDeferred(checker.requestAvatarId, credentials))
        raise UnauthorizedLogin

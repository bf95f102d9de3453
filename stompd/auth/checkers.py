"""The checkers that `--auth` names, and the portal made of them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import suppress
from hmac import compare_digest
from pathlib import Path
from typing import TypeAlias, final

from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import InvalidHash, VerificationError
from twisted.cred.checkers import ANONYMOUS, AllowAnonymousAccess, ICredentialsChecker
from twisted.cred.credentials import IAnonymous, IUsernamePassword
from twisted.cred.error import UnauthorizedLogin
from twisted.cred.portal import Portal
from twisted.cred.strcred import ICheckerFactory, StrcredException, findCheckerFactories
from twisted.internet.defer import Deferred, DeferredSemaphore, inlineCallbacks, maybeDeferred, succeed
from twisted.internet.threads import deferToThread
from twisted.logger import Logger
from zope.interface import implementer

from stompd.auth.certificate import CertificateLogin
from stompd.auth.realm import StompRealm
from stompd.errors import SettingError
from stompd.interfaces import IPeerCertificate

_log = Logger()

#: The login, or `ANONYMOUS`.
AvatarId: TypeAlias = bytes | tuple[()]

#: How many hashes of one file are computed at the same time: each takes 64 MiB and a processor for some 50 ms.
_HASHES_AT_ONCE = 2

_HASH_PREFIX = b"$argon2"

_USABLE = frozenset({IUsernamePassword, IAnonymous})

#: Twisted's `memory` keeps text and compares it with the octets of a login, so it would refuse everybody.
_UNUSABLE_TYPES = frozenset({"memory"})


def make_portal(auth: Sequence[str], *, allow_anonymous: bool) -> Portal:
    """Return the portal that decides who may connect.

    Args:
        auth: Checker strings such as `file:/etc/stompd/users`; the first checker that accepts a login decides.
        allow_anonymous: Whether a client without a login is let in. With no checkers, that includes clients that
            give one.

    Raises:
        SettingError: A checker string cannot be used.
    """
    portal = Portal(StompRealm())
    checkers = make_checkers(auth)
    if allow_anonymous:
        checkers.append(AllowAnonymousAccess() if auth else Unsecured())
    for kind in (IUsernamePassword, IAnonymous, IPeerCertificate):
        able = [checker for checker in checkers if kind in checker.credentialInterfaces]
        # Where no certificate counts, who shows one is asked for a login.
        if able or kind is not IPeerCertificate:
            portal.registerChecker(_FirstOf(able), kind)
    return portal


def make_checkers(auth: Sequence[str]) -> list[ICredentialsChecker]:
    """Return what the checker strings stand for.

    `file:` is `PasscodeFile`, and `certificate:` is `CertificateLogin`; the others are the `twisted.cred` plugins that
    are installed.

    Raises:
        SettingError: A string names no checker that can be used here, or the checker refuses its argument.
    """
    known: dict[str, Callable[[str], ICredentialsChecker]] = {
        factory.authType: factory.generateChecker for factory in _factories()
    }
    known["file"] = PasscodeFile
    known["certificate"] = CertificateLogin
    checkers = []
    for description in auth:
        kind, _, argument = description.partition(":")
        if kind not in known:
            raise SettingError(f"{kind!r} is not a known checker; use one of {', '.join(sorted(known))}")
        try:
            checkers.append(known[kind](argument))
        except (StrcredException, ValueError, OSError) as error:
            raise SettingError(f"the checker {kind!r} cannot be used: {error}") from error
    return checkers


def hash_passcode(passcode: str) -> str:
    """Return what stands for the passcode in a `PasscodeFile`: an argon2id hash that takes some 50 ms to compute."""
    return PasswordHasher().hash(passcode)


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
    credentialInterfaces = (IAnonymous, IUsernamePassword)

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
    def requestAvatarId(self, credentials: object) -> Generator[Deferred[AvatarId], AvatarId, AvatarId]:
        """Return, later, what the first checker that accepts the credentials returns."""
        for checker in self._checkers:
            with suppress(UnauthorizedLogin):
                return (yield maybeDeferred(checker.requestAvatarId, credentials))
        raise UnauthorizedLogin


@final
@implementer(ICredentialsChecker)
class PasscodeFile:
    """Checks logins against a file with a line `login:passcode` or `login:hash` for each user.

    Hashes are argon2's, as `hash_passcode` makes them. Empty lines and lines that begin with `#` are skipped; a
    passcode may contain colons. The file is read anew for every login, so a change needs no restart; while it cannot
    be used, every login is refused and the log says why.
    """

    credentialInterfaces = (IUsernamePassword,)

    def __init__(self, path: str) -> None:
        """Check the file at the path.

        Raises:
            ValueError: A line is malformed.
            OSError: The file cannot be read.
        """
        self._path = Path(path)
        self._turns = DeferredSemaphore(_HASHES_AT_ONCE)
        _read(self._path)

    def requestAvatarId(self, credentials: IUsernamePassword) -> Deferred[AvatarId]:
        """Return the login, later, or fail with `UnauthorizedLogin`."""
        return self._turns.run(deferToThread, self._check, credentials.username, credentials.password)

    def _check(self, login: bytes, passcode: bytes) -> bytes:
        """Return the login if the passcode is right; called in a thread."""
        try:
            kept = _read(self._path)
        except (OSError, ValueError) as error:
            _log.error("Nobody can log in: {error}", error=error)
            raise UnauthorizedLogin from error
        if not _is_right(kept, login, passcode):
            raise UnauthorizedLogin
        return login


def _read(path: Path) -> dict[bytes, bytes]:
    """Return what the file keeps for each login: a passcode or a hash."""
    kept = {}
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        if not line.strip() or line.startswith(b"#"):
            continue
        login, colon, secret = line.partition(b":")
        if not (login and colon and secret):
            raise ValueError(f"line {number} of {path} is not login:passcode")
        if secret.startswith(_HASH_PREFIX):
            _require_hash(secret, f"line {number} of {path}")
        kept[login] = secret
    return kept


def _require_hash(secret: bytes, where: str) -> None:
    try:
        extract_parameters(secret.decode("utf-8"))
    except (InvalidHash, ValueError) as error:
        raise ValueError(f"{where} has a damaged hash; make a new one with stompd hash-passcode") from error


def _is_right(kept: Mapping[bytes, bytes], login: bytes, passcode: bytes) -> bool:
    """Compare, taking as long for an unknown login as for a wrong passcode.

    Where the file has hashes, one is computed each time, whoever asks.
    """
    secret = kept.get(login, b"")
    if secret.startswith(_HASH_PREFIX):
        return _matches_hash(secret, passcode)
    decoy = next((other for other in kept.values() if other.startswith(_HASH_PREFIX)), None)
    if decoy is not None:
        _matches_hash(decoy, passcode)
    return compare_digest(secret, passcode) and login in kept


def _matches_hash(secret: bytes, passcode: bytes) -> bool:
    try:
        return PasswordHasher().verify(secret, passcode)
    except VerificationError:
        return False

"""Passcodes: checked against a file or the users in the database, taking equally long whoever asks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cache
from hmac import compare_digest
from pathlib import Path
from typing import final

from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import InvalidHash, VerificationError
from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import IUsernamePassword
from twisted.cred.error import UnauthorizedLogin
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from zope.interface import implementer

from stompd.auth.turns import in_turn
from stompd.errors import StoreError
from stompd.store.users import UserTable

_log = Logger()

_HASH_PREFIX = b"$argon2"


def hash_passcode(passcode: str) -> str:
    """Return what is kept in place of the passcode: an argon2id hash that takes some 50 ms to compute."""
    return PasswordHasher().hash(passcode)


@implementer(ICredentialsChecker)
class _PasscodeChecker(ABC):
    """Checks a login and a passcode in a thread."""

    credentialInterfaces = (IUsernamePassword,)

    def requestAvatarId(self, credentials: IUsernamePassword) -> Deferred[bytes | tuple[()]]:
        """Return the login, later, or fail with `UnauthorizedLogin`."""
        return in_turn(self._check, credentials.username, credentials.password)

    def _check(self, login: bytes, passcode: bytes) -> bytes | tuple[()]:
        """Return the login if the passcode is right; called in a thread."""
        try:
            is_right = self._is_right(login, passcode)
        except (OSError, ValueError, StoreError) as error:
            _log.error("Nobody can log in: {error}", error=error)
            raise UnauthorizedLogin from error
        if not is_right:
            raise UnauthorizedLogin
        return login

    @abstractmethod
    def _is_right(self, login: bytes, passcode: bytes) -> bool:
        """Whether the passcode is that of the login; takes as long for an unknown login as for a wrong passcode.

        Raises:
            OSError: What is kept cannot be read.
            ValueError: It is malformed.
            StoreError: The same of a database.
        """


@final
class PasscodeFile(_PasscodeChecker):
    """Checks logins against a file with a line `login:passcode` or `login:hash` for each user.

    Hashes are argon2's, as `hash_passcode` makes them. Empty lines and lines that begin with `#` are skipped; a
    passcode may contain colons. The file is read anew for every login, so a change needs no restart; while it cannot
    be used, every login is refused and the log says why.
    """

    def __init__(self, path: str) -> None:
        """Check the file at the path.

        Raises:
            ValueError: A line is malformed.
            OSError: The file cannot be read.
        """
        self._path = Path(path)
        read_passcodes(self._path)

    def _is_right(self, login: bytes, passcode: bytes) -> bool:
        return _is_right(read_passcodes(self._path), login, passcode)


@final
class PasscodeTable(_PasscodeChecker):
    """Checks logins against the users in the database."""

    def __init__(self, url: str) -> None:
        """Check the users in the database of a store's URL.

        Raises:
            StoreUnusable: The URL cannot be used.
        """
        self._table = UserTable(url)

    def _is_right(self, login: bytes, passcode: bytes) -> bool:
        # A name that is no UTF-8, or that has a NUL, is in no database.
        name = login.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
        kept = self._table.find(name)
        is_match = _matches_hash((kept or _decoy()).encode(), passcode)
        return is_match and kept is not None and name.encode() == login


def read_passcodes(path: Path) -> dict[bytes, bytes]:
    """Return what a file keeps for each login: a passcode or a hash.

    Raises:
        ValueError: A line is malformed; the message does not repeat it.
        OSError: The file cannot be read.
    """
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


@cache
def _decoy() -> str:
    """Return a hash for those who are not known, so that a stranger learns nothing from the time it takes."""
    return hash_passcode("of nobody")

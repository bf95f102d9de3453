"""Tokens: JSON Web Tokens as passcodes, checked against the key of whoever issues them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast, final

import jwt
from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import IUsernamePassword
from twisted.cred.error import UnauthorizedLogin
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from zope.interface import implementer

from stompd.auth.turns import in_turn
from stompd.interfaces import IBearerToken

_log = Logger()

#: By name: what signs alike on both sides, and with a pair of keys. `none` and everything unusual is left out.
_ALGORITHMS = ("HS256", "RS256", "ES256")

#: RFC 7518, 3.2: a key for HS256 is at least as long as the hash.
_LEAST_SECRET_BYTES = 32

#: RFC 7518, 3.3.
_LEAST_RSA_BITS = 2_048

_PARAMETERS = ("algorithm", "audience", "groups", "issuer", "key", "user")

#: How each JSON Web Token begins: `{"` in Base64.
_BEGINNING = "eyJ"

#: Characters of a name; what is longer is no name.
_LONGEST_NAME = 255


@final
class Identity(bytes):
    """A login about which a token says more: when it ends, and which groups its user is in."""

    expires_at: float
    groups: tuple[str, ...]

    @classmethod
    def of(cls, name: str, expires_at: float, groups: Iterable[str] = ()) -> Identity:
        """Return the identity of a user until a time in epoch seconds."""
        identity = cls(name.encode())
        identity.expires_at = expires_at
        identity.groups = tuple(sorted(set(groups)))
        return identity


@final
@implementer(ICredentialsChecker)
class TokenChecker:
    """Accepts JSON Web Tokens of one issuer, as bearer tokens or as passcodes; a login beside one is not looked at.

    A token must say who its bearer is and when it expires. The key is read for every login, so it can be changed
    without a restart; while it cannot be used, tokens are refused and the log says why.
    """

    credentialInterfaces = (IUsernamePassword, IBearerToken)

    def __init__(self, argument: str) -> None:
        """Check tokens as the argument says.

        Args:
            argument: `key=FILE,algorithm=NAME` and optionally `issuer=`, `audience=`, `user=` and `groups=`, the last
                two being names of claims.

        Raises:
            ValueError: A parameter is unknown, missing or wrong, or the key cannot be used.
            OSError: The key cannot be read.
        """
        parameters = _parse(argument)
        self._path = Path(parameters["key"])
        self._algorithm = parameters["algorithm"]
        self._user_claim = parameters.get("user", "sub")
        self._groups_claim = parameters.get("groups")
        self._issuer = parameters.get("issuer")
        self._audience = parameters.get("audience")
        self._read_key()

    def requestAvatarId(self, credentials: object) -> Deferred[bytes | tuple[()]]:
        """Return who the bearer is, later, or fail with `UnauthorizedLogin`."""
        if IBearerToken.providedBy(credentials):
            token = cast(Any, credentials).token
        else:
            token = cast(Any, credentials).password.decode("utf-8", "replace")
        return in_turn(self._check, token)

    def _check(self, token: str) -> bytes | tuple[()]:
        """Return whose token it is; called in a thread."""
        if not token.startswith(_BEGINNING):
            raise UnauthorizedLogin
        try:
            key = self._read_key()
        except (OSError, ValueError) as error:
            _log.error("No token can be checked: {error}", error=error)
            raise UnauthorizedLogin from error
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=[self._algorithm],
                issuer=self._issuer,
                audience=self._audience,
                # When it was issued says nothing about whether it is valid, and clocks differ.
                options={
                    "require": ["exp", self._user_claim],
                    "verify_iat": False,
                    "verify_aud": self._audience is not None,
                },
            )
            return self._identify(claims)
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError) as error:
            # Python's own words for what is wrong, which never repeat the token.
            raise UnauthorizedLogin from error

    def _identify(self, claims: Mapping[str, Any]) -> Identity:
        name = claims[self._user_claim]
        # CONNECTED repeats the name, and escapes nothing.
        if not isinstance(name, str) or not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
            raise ValueError("the claim with the user's name is no name")
        groups = claims.get(self._groups_claim, []) if self._groups_claim else []
        if not isinstance(groups, list):
            groups = [groups]
        return Identity.of(name, float(claims["exp"]), map(str, groups))

    def _read_key(self) -> Any:
        """Return the key.

        Raises:
            ValueError: It cannot be used for the algorithm.
            OSError: It cannot be read.
        """
        octets = self._path.read_bytes()
        try:
            key = jwt.get_algorithm_by_name(self._algorithm).prepare_key(octets.strip())
        except (jwt.InvalidKeyError, ValueError, TypeError) as error:
            raise ValueError(f"{self._path} has no key for {self._algorithm}") from error
        length, least, unit = (
            (len(octets.strip()), _LEAST_SECRET_BYTES, "bytes")
            if self._algorithm == "HS256"
            else (getattr(key, "key_size", 0), _LEAST_RSA_BITS if self._algorithm == "RS256" else 256, "bits")
        )
        if length < least:
            raise ValueError(f"the key in {self._path} has {length} {unit}; {self._algorithm} needs {least}")
        return key


def _parse(argument: str) -> dict[str, str]:
    """Return the parameters of a checker string.

    Raises:
        ValueError: One is unknown, missing or wrong.
    """
    parameters = {}
    for part in filter(None, argument.split(",")):
        name, sign, value = part.partition("=")
        if name not in _PARAMETERS or not sign or not value:
            raise ValueError(f"{name!r} is not NAME=VALUE with one of the names {', '.join(_PARAMETERS)}")
        parameters[name] = value
    for name in ("key", "algorithm"):
        if name not in parameters:
            raise ValueError(f"{name}= is missing; write jwt:key=/etc/stompd/jwt.pem,algorithm=RS256")
    if parameters["algorithm"] not in _ALGORITHMS:
        raise ValueError(f"the algorithm must be one of {', '.join(_ALGORITHMS)}")
    return parameters

"""The request that opens a WebSocket: whether it may, in which subprotocol, and with whose credentials."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import final
from urllib.parse import urlsplit

from wsproto.events import Request

from stompd.errors import ProtocolError

#: IANA's names, highest version first. The last one is what ActiveMQ's clients call all of them.
_SUBPROTOCOLS = ("v12.stomp", "v11.stomp", "v10.stomp", "stomp")

#: Characters of a path or an origin that are repeated to its sender.
_SHOWN_LENGTH = 80


@final
class UpgradeRefused(ProtocolError):
    """The WebSocket cannot be opened."""

    def __init__(self, status: HTTPStatus, detail: str) -> None:
        """Say why.

        Args:
            status: Of the HTTP response.
            detail: Its text.
        """
        super().__init__(detail)
        self.status = status


@final
@dataclass(frozen=True, slots=True)
class Authorization:
    """The credentials in an HTTP request: a login and a passcode, or a token as passcode alone."""

    login: str | None
    passcode: str = field(repr=False)


@final
@dataclass(frozen=True, slots=True)
class Upgrade:
    """What was agreed upon."""

    subprotocol: str | None
    authorization: Authorization | None


def judge(request: Request, paths: Sequence[str], origins: Sequence[str]) -> Upgrade:
    """Return what a request is granted.

    Args:
        request: A well-formed request for a WebSocket.
        paths: Where WebSockets are opened.
        origins: Of which sites the pages may open one, such as `https://example.org`; `*` is any. Empty means the
            pages of the same host.

    Raises:
        UpgradeRefused: Path or origin are wrong, or the credentials cannot be read.
    """
    path = request.target.partition("?")[0]
    if path not in paths:
        raise UpgradeRefused(
            HTTPStatus.NOT_FOUND,
            f"There is no WebSocket at {_shown(path)}, only at {', '.join(paths)} (websocket_paths).",
        )
    headers = {name.lower(): value.decode("latin-1") for name, value in request.extra_headers}
    # RFC 6455 "Opening Handshake": browsers name the origin of the page; others have none and hide nothing.
    origin = headers.get(b"origin")
    if origin is not None and not _is_welcome(origin, request.host, origins):
        raise UpgradeRefused(
            HTTPStatus.FORBIDDEN, f"Pages of {_shown(origin)} may not connect; it is not among the websocket_origins."
        )
    # STOMP 1.2 "Protocol Negotiation" goes on as ever: a subprotocol decides nothing about the version.
    subprotocol = next((name for name in _SUBPROTOCOLS if name in request.subprotocols), None)
    return Upgrade(subprotocol, read_authorization(headers.get(b"authorization")))


def read_authorization(value: str | None) -> Authorization | None:
    """Return the credentials of an Authorization header; None for schemes that are somebody else's.

    Raises:
        UpgradeRefused: They are malformed.
    """
    scheme, _, credentials = (value or "").strip().partition(" ")
    credentials = credentials.strip()
    if scheme.lower() == "bearer":
        return Authorization(None, credentials)
    if scheme.lower() != "basic":
        return None
    try:
        login, colon, passcode = b64decode(credentials, validate=True).decode().partition(":")
    except (Base64Error, ValueError):
        colon = ""
    if not colon:
        # RFC 7617 "The 'Basic' Authentication Scheme": base64 of login, colon and passcode.
        detail = "The Authorization header is malformed: Basic is followed by the base64 of login:passcode."
        raise UpgradeRefused(HTTPStatus.BAD_REQUEST, detail)
    return Authorization(login, passcode)


def _is_welcome(origin: str, host: str, origins: Sequence[str]) -> bool:
    if origins:
        return "*" in origins or origin.lower() in [known.lower().rstrip("/") for known in origins]
    return _host_of(origin) == _host_of(f"//{host}")


def _host_of(url: str) -> str | None:
    """Return the host in a URL, without its port; of what is none, something that equals nothing else."""
    try:
        return urlsplit(url).hostname or url
    except ValueError:
        return url


def _shown(text: str) -> str:
    return repr(text[:_SHOWN_LENGTH])

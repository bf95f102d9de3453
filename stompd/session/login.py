"""Opening a session: the version both sides speak, and what CONNECT asks of whoever checks logins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import final

from stompd.errors import InvalidClientId, UnsupportedVersion
from stompd.session.headers import missing, parse_boolean, show
from stompd.wire.frame import Version

#: Ask that the connection be kept after an ERROR about one frame.
_SOFT_ERRORS = ("soft-errors", "jms-soft-errors")

#: What a client calls itself; the first header that is there counts.
CLIENT_ID_NAMES = ("client-id", "client_id", "activemq.clientID")

#: Where a client sends a new token before the old one expires: libraries can send any SEND, and no second CONNECT.
RENEWAL = "/session/renew"

#: Characters of a client id.
_CLIENT_ID_LENGTH = 255


@final
@dataclass(frozen=True, slots=True)
class Login:
    """What a CONNECT frame asks for: to be let in as somebody.

    `headers` are those of the frame, without the passcode. Neither they nor the passcode are in its `repr`, since
    clients put tokens into headers of their own.
    """

    login: str | None
    passcode: str | None = field(repr=False)
    host: str | None
    headers: Mapping[str, str] = field(repr=False)
    #: What the client calls itself, so that its durable subscriptions know it again; empty if it does not.
    client_id: str = ""
    #: What a renewal wants confirmed.
    receipt: str | None = None

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> Login:
        """Return the login that the headers of a CONNECT frame describe.

        Raises:
            InvalidClientId: The client id is empty or too long.
        """
        others = {name: value for name, value in headers.items() if name != "passcode"}
        client_id = _read_client_id(headers)
        return cls(headers.get("login"), headers.get("passcode"), headers.get("host"), others, client_id)

    @classmethod
    def renewal(cls, headers: Mapping[str, str]) -> Login:
        """Return the login with which a SEND to `RENEWAL` keeps its connection.

        Raises:
            MissingHeader: It has no passcode.
        """
        if "passcode" not in headers:
            raise missing(f"SEND to {RENEWAL}", "passcode", "eyJhbGciOi..., the new token")
        return cls(headers.get("login"), headers["passcode"], None, {}, receipt=headers.get("receipt"))


def _read_client_id(headers: Mapping[str, str]) -> str:
    for name in CLIENT_ID_NAMES:
        value = headers.get(name)
        if value is None:
            continue
        if 0 < len(value) <= _CLIENT_ID_LENGTH:
            return value
        raise InvalidClientId(
            f"{show(name, value)} on CONNECT cannot be used. Accepted are 1 to {_CLIENT_ID_LENGTH} characters, for"
            f" example {name}:billing-1; leave the header out if there are no durable subscriptions."
        )
    return ""


def expiry_headers(expires_at: float | None) -> dict[str, str]:
    """Return the header that says when a login ends, in milliseconds since 1970; none if it does not."""
    return {} if expires_at is None else {"login-expires": str(int(expires_at * 1000))}


def negotiate(accept_version: str | None, offered: Sequence[Version]) -> Version:
    """Return the version to speak.

    Args:
        accept_version: The CONNECT frame's header, None when it has none.
        offered: The versions this broker speaks, lowest first.

    Raises:
        UnsupportedVersion: None is common to both sides; the `version` header of the error lists ours.

    Spec: STOMP 1.2, "Protocol Negotiation".
    """
    # STOMP 1.1 "Protocol Negotiation": no accept-version means a client that speaks 1.0 only.
    # Clients write "1.1, 1.2" as well as "1.1,1.2".
    text = Version.V1_0.value if accept_version is None else accept_version
    wanted = {token.strip() for token in text.split(",")}
    # STOMP 1.2 "Protocol Negotiation": the highest common version; order and unknown versions do not matter.
    for version in reversed(offered):
        if version.value in wanted:
            return version
    ours = ",".join(version.value for version in offered)
    asked = (
        "no accept-version header, which means 1.0"
        if accept_version is None
        else show("accept-version", accept_version)
    )
    # STOMP 1.2 "Protocol Negotiation": the ERROR has a version header and names the versions in its body.
    raise UnsupportedVersion(
        f"CONNECT has {asked}; this broker speaks {ours}. Send, for example, accept-version:{ours}", {"version": ours}
    )


def read_soft_errors(headers: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names by which a CONNECT asks that errors about one frame leave the connection open; empty if not.

    Raises:
        InvalidHeader: The value says neither yes nor no.
    """
    return tuple(name for name in _SOFT_ERRORS if parse_boolean(name, headers.get(name) or "false"))

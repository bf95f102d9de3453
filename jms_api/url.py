"""Where the brokers are and how to connect to them, from a URL."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from typing import Any, Final, final
from urllib.parse import parse_qsl, unquote

from jms_api.exceptions import IllegalArgumentException
from jms_api.profiles import Profile, profile_named

_EXAMPLE: Final = "stomp://user:password@mq1:61613,mq2:61613?client_id=shop&heartbeat=10s,10s"

#: The default port of each scheme; None where a port or the scheme's own default is usual.
_PORTS: Final = {"stomp": 61613, "stomp+ssl": 61614, "ws": 80, "wss": 443}
_ENCRYPTED: Final = frozenset({"stomp+ssl", "wss"})

_DURATION: Final = re.compile(r"(?P<number>[0-9]{1,9})(?P<unit>ms|s|min|h)")
_MILLISECONDS: Final = {"ms": 1, "s": 1_000, "min": 60_000, "h": 3_600_000}
_ADDRESS: Final = re.compile(r"(?P<host>\[[^\[\]]+\]|[^:\[\]]+)(?::(?P<port>[0-9]{1,5}))?")
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f]")


@final
@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """How to reach a broker, and which one. Immutable. Times are in milliseconds.

    Attributes:
        scheme: `stomp`, `stomp+ssl`, `ws` or `wss`.
        addresses: Hosts and ports, tried in this order.
        path: Of a WebSocket.
        user_name: For the login; None for none.
        password: For the login; None for none.
        client_id: As `Connection.client_id`; None to leave it to the program.
        virtual_host: The `host` header of CONNECT; None for the name of the machine connected to.
        profile: The kind of broker; None to believe what it says.
        heartbeat: How often we can send, and want to hear, something; 0 for never.
        connect_timeout: For the network and the login together, per address.
        receipt_timeout: How long an answer may take before the connection counts as lost.
        reconnect: Whether a lost connection is made again.
        reconnect_delay: Before the second attempt in a row; it doubles up to the longest.
        reconnect_longest_delay: Between two attempts.
        reconnect_timeout: After which it is given up; 0 for never.
        prefetch: Deliveries that a consumer may hold ready; 0 for what suits its use.
        ca_file: Whom to trust in place of the system's authorities.
        certificate_file: Our own certificate, with its key unless `key_file` has it.
        key_file: The key of our own certificate.
        allowed_classes: What objects may be pickled and unpickled of, beside JSON; a URL cannot say it.
    """

    scheme: str = "stomp"
    addresses: tuple[tuple[str, int], ...] = (("localhost", 61613),)
    path: str = "/"
    user_name: str | None = None
    password: str | None = field(default=None, repr=False)
    client_id: str | None = None
    virtual_host: str | None = None
    profile: Profile | None = None
    heartbeat: tuple[int, int] = (10_000, 10_000)
    connect_timeout: int = 10_000
    receipt_timeout: int = 30_000
    reconnect: bool = True
    reconnect_delay: int = 100
    reconnect_longest_delay: int = 10_000
    reconnect_timeout: int = 0
    prefetch: int = 0
    ca_file: str | None = None
    certificate_file: str | None = None
    key_file: str | None = None
    allowed_classes: tuple[type, ...] = ()

    @property
    def is_encrypted(self) -> bool:
        """Whether TLS comes first."""
        return self.scheme in _ENCRYPTED

    @property
    def is_websocket(self) -> bool:
        """Whether frames travel in WebSocket messages."""
        return self.scheme in ("ws", "wss")

    @classmethod
    def parse(cls, url: str, **overrides: object) -> ConnectionOptions:
        """Return what a URL says, and keywords in place of it.

        Args:
            url: `stomp://user:password@mq1:61613,mq2:61613?client_id=shop&heartbeat=10s,10s`. What has a meaning in
                URLs is percent-encoded. A duration has a unit: ms, s, min or h.
            overrides: Attributes; as text they are read like keys of the URL. None is as if not given.

        Raises:
            IllegalArgumentException: The URL or a keyword cannot be used; it says which part and what would be right,
                and never the password.
        """
        scheme, separator, rest = url.partition("://")
        if not separator or scheme not in _PORTS:
            raise _error(f"the scheme is {', '.join(_PORTS)}, not {scheme[:20]!r}")
        if "#" in rest:
            raise _error("a # has to be written %23")
        rest, _, query = rest.partition("?")
        login, _, rest = rest.rpartition("@")
        places, slash, path = rest.partition("/")
        if slash and path and scheme not in ("ws", "wss"):
            raise _error("only ws:// and wss:// have a path behind the address")
        user_name, colon, password = login.partition(":")
        options = cls(
            scheme=scheme,
            addresses=tuple(_parse_address(place, scheme) for place in places.split(",")),
            path=f"/{path}",
            user_name=unquote(user_name) if login else None,
            password=unquote(password) if colon else None,
        )
        said: dict[str, object] = {}
        for key, value in parse_qsl(query, keep_blank_values=True):
            if key in said:
                raise _error(f"{key} is there twice")
            said[key] = value
        return options.override({**said, **{key: value for key, value in overrides.items() if value is not None}})

    def override(self, said: Mapping[str, object]) -> ConnectionOptions:
        """Return these options with some of them replaced.

        Raises:
            IllegalArgumentException: There is no such option, or it cannot have that value.
        """
        changes: dict[str, Any] = {}
        for key, value in said.items():
            if key not in _READERS:
                raise _error(f"there is no option {key[:40]!r}; there are {', '.join(_READERS)}")
            changes[key] = _READERS[key](key, value)
        return replace(self, **changes)


def _error(sentence: str) -> IllegalArgumentException:
    return IllegalArgumentException(f"The connection cannot be described so: {sentence}. Example: {_EXAMPLE}")


def _parse_address(place: str, scheme: str) -> tuple[str, int]:
    match = _ADDRESS.fullmatch(place)
    port = int(match["port"] or _PORTS[scheme]) if match else 0
    if match is None or not 0 < port < 65_536:
        raise _error(f"{place[:80]!r} is no address; that is a host and a port, as in mq1:61613 or [::1]:61613")
    return unquote(match["host"]).strip("[]"), port


def _to_text(key: str, value: object) -> str:
    if not isinstance(value, str) or not value or _CONTROLS.search(value):
        raise _error(f"{key} is a text of one line")
    return value


def _to_flag(key: str, value: object) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", "yes", "false", "no"):
        return value in ("true", "yes")
    raise _error(f"{key} is true or false")


def _to_count(key: str, value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if isinstance(value, str) and re.fullmatch("[0-9]{1,9}", value):
        return int(value)
    raise _error(f"{key} is a whole number from 0 on")


def to_milliseconds(key: str, value: object) -> int:
    """Return a duration in milliseconds that was given so, as a `timedelta`, or as text with a unit.

    Raises:
        IllegalArgumentException: It is none, or negative; the text names `key`.
    """
    if isinstance(value, timedelta) and value >= timedelta():
        return value // timedelta(milliseconds=1)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if value == "0":
        return 0
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise _error(f"{key} is a duration with a unit, as in 500ms, 10s, 5min or 1h")
    return int(match["number"]) * _MILLISECONDS[match["unit"]]


def _to_heartbeat(key: str, value: object) -> tuple[int, int]:
    both = value.split(",") if isinstance(value, str) else value
    if not isinstance(both, list | tuple) or len(both) != 2:
        raise _error(f"{key} is two durations with a comma between them: how often to send, and to hear, something")
    return to_milliseconds(key, both[0]), to_milliseconds(key, both[1])


def _to_profile(key: str, value: object) -> Profile:
    return value if isinstance(value, Profile) else profile_named(_to_text(key, value))


def _to_classes(key: str, value: object) -> tuple[type, ...]:
    classes = tuple(value) if isinstance(value, Iterable) and not isinstance(value, str) else (value,)
    if not all(isinstance(kind, type) for kind in classes):
        raise _error(f"{key} is a list of classes, given as a keyword and not in the URL")
    return classes


_KINDS: Final[Mapping[str, Callable[[str, object], object]]] = {
    "profile": _to_profile,
    "heartbeat": _to_heartbeat,
    "allowed_classes": _to_classes,
    "reconnect": _to_flag,
    "prefetch": _to_count,
}

#: What reads each option that a URL's query or a keyword may set.
_READERS: Final[Mapping[str, Callable[[str, object], object]]] = {
    option.name: _KINDS.get(option.name) or (to_milliseconds if option.type == "int" else _to_text)
    for option in fields(ConnectionOptions)
    if option.name not in ("scheme", "addresses", "path")
}

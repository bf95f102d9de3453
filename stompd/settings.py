"""Settings as values: what an operator can decide, with the reason for each default.

The dataclasses here and the limits they hold are the only list of settings. A field's name is the key, its type says
which values are accepted, its default is the default, and the comment above it is the documentation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import NewType, TypeAlias, final

from stompd.broker.limits import Limits
from stompd.broker.policy import Rule
from stompd.wire.limits import FrameLimits

#: By name: the users in a group.
Groups: TypeAlias = Mapping[str, tuple[str, ...]]

#: A limit that may be left open: 0 is none.
OptionalLimit = NewType("OptionalLimit", int)


class LogFormat(Enum):
    """How log events are written."""

    #: One line for a person to read.
    TEXT = "text"
    #: One JSON object per line, with every field of the event.
    JSON = "json"


class LogLevel(Enum):
    """The least important events that are logged."""

    DEBUG = "debug"
    INFO = "info"
    WARN = "warn"
    ERROR = "error"
    CRITICAL = "critical"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class HostSettings:
    """What a virtual host has of its own."""

    #: Its checkers; without any, those of the broker.
    auth: tuple[str, ...] = ()
    #: Its rules; without any, those of the broker.
    permissions: tuple[str, ...] = ()
    #: The groups in its rules.
    groups: Groups = field(default_factory=dict)
    #: Connections on it; 0 is as many as the broker has.
    connections: OptionalLimit = OptionalLimit(0)
    #: Queues on it; 0 is as many as `limits.queues`.
    queues: OptionalLimit = OptionalLimit(0)
    #: Durable subscriptions on it; 0 is as many as `limits.durable_subscriptions`.
    durable_subscriptions: OptionalLimit = OptionalLimit(0)


#: By name: the virtual hosts beside the default one.
Hosts: TypeAlias = Mapping[str, HostSettings]


@final
@dataclass(frozen=True, slots=True)
class ServiceLimits:
    """What all connections together, and one that is coming or going, may take."""

    #: Connections at the same time; further ones are told so and closed. Each takes a file descriptor.
    connections: int = 10_000
    #: Connections of one user. The default is that of `connections`, since all may have the same login.
    user_connections: int = 10_000
    #: Connections from one address. The default is that of `connections`, since all may come through one proxy.
    address_connections: int = 10_000
    #: Messages that one user may send in a second, on all his connections together; 0 is any number.
    user_messages_per_second: OptionalLimit = OptionalLimit(0)
    #: Bytes of bodies that one user may send in a second; 0 is any number.
    user_bytes_per_second: OptionalLimit = OptionalLimit(0)
    #: Whether a message beyond these rates is refused. Otherwise it is taken, and nothing more is read for a while.
    rate_is_error: bool = False
    #: Seconds from connecting until CONNECT has been accepted: long enough to type it, short enough that
    #: connections that say nothing cannot use up `connections`.
    login_seconds: int = 30
    #: Seconds that a login waits at most after others of the same user, or from the same address, have failed: little
    #: enough that nobody can be locked out.
    login_delay_seconds: int = 4
    #: Bytes of the CONNECT frame: room for a long token as passcode, little enough that strangers cost next to nothing.
    login_frame_bytes: int = 65_536
    #: Seconds that a connection stays open after its last frame, so that the client can read an ERROR.
    linger_seconds: int = 5
    #: Bytes waiting for a client that does not read what it asked for, before nothing is read from it any more: tens of
    #: thousands of receipts.
    outgoing_bytes: int = 1024 * 1024
    #: Bytes of one WebSocket message, inflated: room for the largest frame with its headers. Frames may be split over
    #: several messages.
    websocket_message_bytes: int = 17 * 1024 * 1024
    #: Units of work waiting for the store before reading from clients stops: what the store applies in about a second.
    journal_units: int = 20_000
    #: Bytes waiting for the store before reading from clients stops.
    journal_bytes: int = 64 * 1024 * 1024
    #: Seconds that a stopping broker waits for clients and the store before it closes anyway: less than the time after
    #: which service managers kill.
    drain_seconds: int = 30


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything an operator can decide, checked."""

    #: Endpoint strings of Twisted to accept STOMP on, with `ws:` in front for WebSocket and `haproxy:` for the PROXY
    #: protocol. The default can be reached from this machine only, because it
    #: asks nobody for a login.
    listen: tuple[str, ...] = ("tcp:61613:interface=127.0.0.1",)
    #: Where messages are kept: `sqlite:///FILE`, `postgresql://USER:PASSWORD@HOST/DATABASE`, or `memory:` for tests.
    #: The default is a file in the working directory, so that nothing has to be installed.
    store: str = "sqlite:///stompd.sqlite3"
    #: Checkers that decide who may log in, such as `file:/etc/stompd/users`, `database` or
    #: `jwt:key=/etc/stompd/jwt.pem,algorithm=RS256`; the first that accepts decides. Without any, everybody is
    #: `anonymous`, and only local endpoints are allowed.
    auth: tuple[str, ...] = ()
    #: Who may do what: lines `allow WHO ACTIONS DESTINATION` or `deny WHO ACTIONS DESTINATION`, of which the first that
    #: holds decides. Without any, whoever is connected may do everything; with some, what none allows is denied.
    permissions: tuple[str, ...] = ()
    #: Groups that rules name as `@NAME`, and the users in them.
    groups: Groups = field(default_factory=dict)
    #: Virtual hosts beside the default one, each a table such as `[hosts."shop.example"]`.
    hosts: Hosts = field(default_factory=dict)
    #: By which name the default virtual host is called. A `host` header that names none means it, too, unless
    #: `strict_host` is set.
    default_host: str = "localhost"
    #: Whether a CONNECT must name a virtual host that there is.
    strict_host: bool = False
    #: Whether a new connection takes a client id from an older one of the same user, which ends. Otherwise the new one
    #: is refused as long as the older one is alive.
    client_id_takeover: bool = False
    #: Whether every message says in `JMSXUserID` who sent it, by the name that CONNECTED gives its sender. Receivers
    #: learn all logins then.
    sender_login: bool = False
    #: Whether a start brings an older database up to date. Where an operator does that by hand with `stompd migrate`,
    #: set it to false.
    upgrade_schema: bool = True
    #: How often this broker offers to send something and how often it wants to hear something, in milliseconds; 0 is
    #: never. A client gets the longer of its wish and this.
    heart_beat: tuple[int, int] = (10_000, 10_000)
    #: Paths at which a `ws:` endpoint opens WebSockets: those that clients of other brokers ask for.
    websocket_paths: tuple[str, ...] = ("/", "/ws", "/stomp")
    #: Sites whose pages may open a WebSocket, such as `https://example.org`, or `*` for any. Empty means pages of the
    #: same host. Programs that are no browsers do not say where they come from and are always let in.
    websocket_origins: tuple[str, ...] = ()
    #: Whether WebSocket messages are compressed for clients that offer it. It saves bandwidth and takes time from the
    #: one thread that serves everybody.
    websocket_deflate: bool = False
    #: Seconds after which a WebSocket that was silent is pinged. Browsers answer even while a page in the background
    #: may send its heart-beats only once a minute, so it is less than the silence that the default `heart_beat` allows.
    websocket_ping_seconds: int = 15
    #: Networks of the proxies that connect to `haproxy:` endpoints and are believed when they say for whom.
    trusted_proxies: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    #: Whether CONNECTED leaves out the `server` header, which tells attackers the version.
    hide_server: bool = False
    #: How log events are written: `text` for people, `json` for programs that collect logs.
    log_format: LogFormat = LogFormat.TEXT
    #: The least important events that are logged: `debug`, `info`, `warn`, `error` or `critical`. `info` is what an
    #: operator acts on.
    log_level: LogLevel = LogLevel.INFO

    #: What holds for some destinations, one table `[[destination]]` for each; the keys are those of `Rule`.
    destinations: tuple[Rule, ...] = ()

    limits: ServiceLimits = field(default_factory=ServiceLimits)
    frame_limits: FrameLimits = field(default_factory=FrameLimits)
    broker_limits: Limits = field(default_factory=Limits)

    @property
    def login_frame_limits(self) -> FrameLimits:
        """The bounds of frames before the login has been accepted."""
        body_bytes = min(self.limits.login_frame_bytes, self.frame_limits.body_bytes)
        header_line_bytes = min(self.limits.login_frame_bytes, self.frame_limits.header_line_bytes)
        return replace(self.frame_limits, header_line_bytes=header_line_bytes, body_bytes=body_bytes)

    @property
    def host_limits(self) -> Mapping[str, Limits]:
        """The limits of the core for each virtual host."""
        limits = self.broker_limits
        return {
            name: replace(
                limits,
                queues=host.queues or limits.queues,
                durable_subscriptions=host.durable_subscriptions or limits.durable_subscriptions,
            )
            for name, host in self.hosts.items()
        }

    @property
    def allows_anonymous(self) -> bool:
        """Whether a client without a login is let in; then only this machine can connect."""
        return not self.auth

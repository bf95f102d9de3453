"""A broker without sockets: links on transports that model Twisted's, and a store that answers when it is told to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from twisted.cred.checkers import ANONYMOUS, ICredentialsChecker
from twisted.cred.credentials import IAnonymous, IUsernamePassword
from twisted.cred.portal import Portal
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import ISSLTransport, ITCPTransport
from twisted.internet.protocol import Protocol
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from zope.interface import alsoProvides, implementer

from stompd.auth.permissions import Permissions
from stompd.auth.realm import StompRealm
from stompd.broker.broker import Broker
from stompd.net.factory import LinkFactory
from stompd.net.link import Link
from stompd.runtime.backpressure import Backpressure
from stompd.runtime.driver import Driver
from stompd.runtime.journal import Journal
from stompd.settings import ServiceLimits, Settings
from tests.harness.frames import FrameReader, RawFrame, write_frame
from tests.runtime.doubles import Reactor, WatchedStore, Writer

NOW = 1_700_000_000.0

#: What a transport of Twisted holds before it asks its producer to pause.
HIGH_WATER = 65_536


class Handle:
    """A socket that notes its options."""

    def __init__(self) -> None:
        self.options: dict[tuple[int, int], int] = {}

    def setsockopt(self, level: int, name: int, value: int) -> None:
        self.options[level, name] = value


@implementer(ITCPTransport)
class Transport(StringTransport):
    """A TCP transport with two halves, whose octets stay in its buffer while the peer does not read."""

    def __init__(self, link: Protocol) -> None:
        super().__init__()
        self.protocol = link
        self.handle = Handle()
        #: What became of the connection on our side: `half-closed`, `closed`, `aborted`.
        self.ending: list[str] = []
        self.writes: list[bytes] = []
        self.options: list[tuple[str, bool]] = []
        self.is_peer_reading = True
        self._held = 0

    @property
    def is_reading(self) -> bool:
        """Whether octets of the peer are taken from the socket."""
        return self.producerState == "producing"

    def write(self, data: bytes) -> None:
        assert not self.ending, f"written after it was {self.ending}"
        assert self.connected, "written after the connection was lost"
        self.writes.append(data)
        super().write(data)
        if not self.is_peer_reading:
            self._held += len(data)
            if self._held > HIGH_WATER and self.producer is not None:
                self.producer.pauseProducing()

    def drain(self, *, goes_on: bool = True) -> None:
        """Let the peer read everything, and go on reading or not."""
        self.is_peer_reading, self._held = goes_on, 0
        if self.producer is not None:
            self.producer.resumeProducing()

    def loseWriteConnection(self) -> None:
        self.ending.append("half-closed")

    def loseConnection(self) -> None:
        super().loseConnection()
        self.ending.append("closed")

    def abortConnection(self) -> None:
        self.ending.append("aborted")
        self.lose()

    def lose(self) -> None:
        """Tell that the socket is gone, as Twisted does: the producer first."""
        self.connected = False
        producer, self.producer = self.producer, None
        if producer is not None:
            producer.stopProducing()
        self.protocol.connectionLost(Failure(ConnectionLost()))

    def setTcpNoDelay(self, enabled: bool) -> None:  # noqa: N802  # Twisted's
        self.options.append(("no delay", enabled))

    def setTcpKeepAlive(self, enabled: bool) -> None:  # noqa: N802  # Twisted's
        self.options.append(("keep alive", enabled))

    def getHandle(self) -> Handle:  # noqa: N802  # Twisted's
        return self.handle


class Client:
    """What the peer at the other end of a transport sends and has received."""

    def __init__(self, site: Site, *, is_tls: bool = False) -> None:
        self._site = site
        self.link: Link = site.factory.buildProtocol(None)
        self.transport = Transport(self.link)
        if is_tls:
            alsoProvides(self.transport, ISSLTransport)
        self._reader = FrameReader()
        self._reader.version = "1.2"
        self._read = 0
        self.link.makeConnection(self.transport)

    def send(self, octets: bytes) -> None:
        """Send octets; a transport that is paused would not take them."""
        assert self.transport.is_reading, "the link does not read"
        self.link.dataReceived(octets)

    def send_frame(self, command: str, body: bytes = b"", /, **headers: str) -> None:
        """Send a frame; underscores in header names stand for hyphens."""
        self.send(frame(command, body, **headers))

    def connect(self, version: str = "1.2", **headers: str) -> RawFrame:
        """CONNECT, and return the CONNECTED."""
        self._reader.version = version
        self.send_frame("CONNECT", accept_version=version, host="localhost", **headers)
        (connected,) = self.received()
        assert connected.command == "CONNECTED", connected
        return connected

    def finish(self) -> None:
        """Send a FIN."""
        self.link.readConnectionLost()

    def lose(self) -> None:
        """Lose the connection."""
        self.transport.lose()

    def received(self) -> list[RawFrame]:
        """The frames that were written since the last call."""
        octets = self.transport.value()
        self._reader.receive(octets[self._read :])
        self._read = len(octets)
        frames = []
        while (found := self._reader.next_frame()) is not None:
            frames.append(found)
        return frames

    def texts(self) -> list[str]:
        """The same in short: `RECEIPT r1`, `MESSAGE body`, `ERROR code`."""
        return [_shorten(found) for found in self.received()]


class LateChecker:
    """Answers logins when told to."""

    credentialInterfaces = (IUsernamePassword, IAnonymous)

    def __init__(self) -> None:
        self.answers: list[Deferred[object]] = []

    def requestAvatarId(self, credentials: object) -> Deferred[object]:
        self.answers.append(Deferred())
        return self.answers[-1]


class Open:
    """Lets everybody in at once, under the login that was given."""

    credentialInterfaces = (IUsernamePassword, IAnonymous)

    def requestAvatarId(self, credentials: Any) -> Deferred[object]:
        return succeed(getattr(credentials, "username", ANONYMOUS))


class Site:
    """A broker whose settings a test may change: `Site(checker, login_seconds=3)` changes one of the limits."""

    def __init__(
        self,
        checker: object | None = None,
        *,
        heart_beat: tuple[int, int] = (10_000, 10_000),
        hide_server: bool = False,
        portal: object | None = None,
        **limits: int,
    ) -> None:
        settings = Settings(heart_beat=heart_beat, hide_server=hide_server, limits=replace(ServiceLimits(), **limits))
        self.reactor = Reactor()
        self.reactor.advance(NOW)
        self.writer = Writer(self.reactor)
        self.store = WatchedStore()
        self.broker = Broker(settings.broker_limits, self.store.open())
        self.driver = Driver(self.broker, self.reactor)
        self.journal = Journal(
            self.store,
            self.driver,
            self.reactor,
            self.writer,
            print,
            limit_units=settings.limits.journal_units,
            limit_bytes=settings.limits.journal_bytes,
        )
        self.driver.start(self.journal, Backpressure(self.journal, self.reactor))
        self.factory = LinkFactory(settings, self.driver, _portal(portal, checker), self.reactor, "nonce")

    def client(self, version: str | None = "1.2", *, is_tls: bool = False, **headers: str) -> Client:
        """Return a client; with a version, it is connected in STOMP's sense."""
        client = Client(self, is_tls=is_tls)
        if version is not None:
            client.connect(version, **headers)
        return client

    def turn(self) -> None:
        """End the turn; the store answers nothing."""
        self.reactor.turn()

    def run(self) -> None:
        """Let everything happen that needs no time."""
        self.writer.write_all()

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.reactor.advance(seconds)
        self.run()

    def bodies(self) -> list[str]:
        """What the store keeps."""
        rows = [row for queue in self.store.kept._queues.values() for row in queue.rows.values()]
        return [row.message.body.decode() for row in rows]

    @property
    def timers(self) -> list[Callable[[], object]]:
        """What is waiting for its time, but for the broker's own look at its queues."""
        return [call.func for call in self.reactor.calls if call.func != self.driver._tick]


def _portal(portal: object | None, checker: object | None) -> Any:
    if portal is not None:
        return portal
    made = Portal(StompRealm(Permissions()))
    asked: Any = checker or Open()
    alsoProvides(asked, ICredentialsChecker)
    made.registerChecker(asked)
    return made


def frame(command: str, body: bytes = b"", /, **headers: str) -> bytes:
    """Return the octets of a frame; underscores in header names stand for hyphens."""
    return write_frame(command, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def _shorten(found: RawFrame) -> str:
    detail = {
        "RECEIPT": found.get("receipt-id"),
        "MESSAGE": found.body.decode(),
        "ERROR": " ".join(filter(None, [found.get("error-code"), found.get("receipt-id")])),
    }
    return f"{found.command} {detail.get(found.command, '')}".rstrip()

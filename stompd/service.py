"""The composition root: builds a broker from its settings, and starts and stops it as a Twisted service."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from importlib.metadata import version
from os import fsdecode
from typing import Any, TypeVar, cast, final

from twisted.application.service import IService, Service
from twisted.cred.portal import Portal
from twisted.internet import reactor as _reactor
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort, IReactorCore
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from stompd.auth.checkers import make_portal
from stompd.broker.broker import Broker
from stompd.config import find_store_factory, make_permissions
from stompd.endpoint import parse_endpoint
from stompd.errors import SettingError, StoreError, StoreLocked, StoreUnavailable, StoreUnusable
from stompd.interfaces import IMessageStore
from stompd.net.factory import LinkFactory
from stompd.runtime.backpressure import Backpressure
from stompd.runtime.driver import Driver
from stompd.runtime.journal import Journal
from stompd.runtime.logs import begin_logging
from stompd.runtime.writer import WriterReactor, WriterThread
from stompd.settings import HostSettings, LogFormat, Settings

_log = Logger()
_T = TypeVar("_T")

#: A standby looks this often whether the store is free: well within the seconds in which it has to take over.
_STANDBY_SECONDS = 1.0

_FIRST_RETRY_SECONDS = 0.25
_LAST_RETRY_SECONDS = 5.0

#: How long clients have to read the last frame of a broker that stops, before their connections are cut.
_FAREWELL_SECONDS = 1.0


class ServiceReactor(WriterReactor, IReactorCore):
    """What the service needs of a reactor."""


@final
class BrokerService(Service):
    """One broker: opens its store, listens, and drains when it is stopped.

    The store is opened beside the reactor, so that starting never blocks: a standby, or a broker whose database is
    not up yet, waits and says so.
    """

    def __init__(
        self,
        settings: Settings,
        reactor: ServiceReactor,
        announce: Callable[[str], None],
        on_failure: Callable[[str], None],
    ) -> None:
        """Prepare to start.

        Args:
            settings: What the operator decided.
            reactor: The reactor to run in.
            announce: Tells whoever started the broker, in one line, what it is doing.
            on_failure: Called with one sentence when the broker cannot start or must not go on.

        Raises:
            SettingError: The store or a checker cannot be made.
        """
        self._settings = settings
        self._reactor = reactor
        self._announce = announce
        self._on_failure = on_failure
        self._portal = _make_portal(settings)
        self._host_portals = {name: _make_portal(settings, host) for name, host in settings.hosts.items()}
        self._store = _make_store(settings)
        self._writer = WriterThread(reactor)
        self._ports: list[IListeningPort] = []
        self._factory: LinkFactory | None = None
        self._journal: Journal | None = None
        self._driver: Driver | None = None
        self._starting: Deferred[None] | None = None

    def startService(self) -> None:
        """Begin to start."""
        super().startService()  # type: ignore[no-untyped-call]  # Twisted's
        self._writer.start()
        self._starting = self._start()
        self._starting.addErrback(self._start_failed)

    @inlineCallbacks
    def stopService(self) -> Any:
        """Take no more frames, make durable what is under way, close every connection, and release the store."""
        yield super().stopService()  # type: ignore[no-untyped-call]  # Twisted's
        if self._starting is None:
            return  # it never started
        self._starting.cancel()
        for port in self._ports:
            yield port.stopListening()
        if self._factory is not None and self._journal is not None:
            yield self._drain(self._factory, self._journal)
        if self._driver is not None:
            self._driver.stop()
        try:
            yield self._writer.defer(self._store.close)
        finally:
            self._writer.stop()
        self._announce("stopped")

    @inlineCallbacks
    def _start(self) -> Any:
        recovered = yield self._open_store()
        settings = self._settings
        broker = Broker(settings.broker_limits, recovered, settings.destinations, host_limits=settings.host_limits)
        driver = Driver(broker, self._reactor)
        journal = Journal(
            self._store,
            driver,
            self._reactor,
            self._writer.call,
            self._store_lost,
            limit_units=settings.limits.journal_units,
            limit_bytes=settings.limits.journal_bytes,
        )
        driver.start(journal, Backpressure(journal, self._reactor))
        nonce = f"{int(self._reactor.seconds() * 1000):x}"
        factory = LinkFactory(settings, driver, self._portal, self._reactor, nonce, self._host_portals)
        self._journal, self._factory, self._driver = journal, factory, driver
        kept = sum(queue.message_count for queue in recovered.queues)
        self._announce(f"store: {self._store.description} ({kept:,} messages in {len(recovered.queues):,} queues)")
        yield self._listen(factory)

    @inlineCallbacks
    def _open_store(self) -> Any:
        """Return what the store recovered, however long it takes to get hold of it."""
        delay = _FIRST_RETRY_SECONDS
        told = ""
        while True:
            try:
                recovered = yield self._writer.defer(self._store.open)
            except StoreLocked as error:
                reason, pause = f"standing by: {error}", _STANDBY_SECONDS
            except StoreUnavailable as error:
                reason, pause = f"waiting for the store: {error}", delay
                delay = min(2 * delay, _LAST_RETRY_SECONDS)
            else:
                return recovered
            if reason != told:
                self._announce(reason)
                told = reason
            yield deferLater(self._reactor, pause)

    @inlineCallbacks
    def _listen(self, factory: LinkFactory) -> Any:
        endpoints = [parse_endpoint(description) for description in self._settings.listen]
        for endpoint in endpoints:
            port = yield endpoint.listen(self._reactor, factory, self._settings)
            self._ports.append(port)
            self._announce(f"listening on {_place(port, endpoint.layers)}")
        self._announce("ready" if endpoints[0].layers else _invitation(self._ports[0]))

    def _start_failed(self, failure: Failure) -> None:
        if not self.running:
            return  # stopped while starting
        error = failure.value
        if isinstance(error, StoreError | CannotListenError):
            self._on_failure(str(error))
            return
        _log.failure("The broker cannot start", failure)
        self._on_failure(f"The broker cannot start because of an internal error: {error}")

    def _store_lost(self, error: StoreError) -> None:
        """Another broker may serve the same messages now: nothing here is confirmed or delivered any more."""
        if self.running:
            self._on_failure(f"{error}; this broker stops")

    @inlineCallbacks
    def _drain(self, factory: LinkFactory, journal: Journal) -> Any:
        self._announce("stopping: no new frames are taken; what was received is being stored")
        limit = self._reactor.callLater(self._settings.limits.drain_seconds, journal.give_up)
        factory.shut_down()
        yield deferLater(self._reactor, 0)  # the turn in which the last units reach the journal
        yield journal.idle()
        yield deferLater(self._reactor, 0)  # the turn in which the last receipts are written
        if limit.active():
            limit.cancel()
        factory.dismiss()
        farewell = self._reactor.callLater(_FAREWELL_SECONDS, factory.abort_all)
        yield factory.all_lost()
        if farewell.active():
            farewell.cancel()


def make_service(settings: Settings) -> IService:
    """Return a broker for `twistd`, which logs and stops the reactor its own way.

    Raises:
        SettingError: A setting cannot be used.
    """
    reactor = cast(ServiceReactor, _reactor)

    def fail(sentence: str) -> None:
        _log.critical("{sentence}", sentence=sentence)
        reactor.stop()

    return BrokerService(settings, reactor, lambda line: _log.info("{line}", line=line), fail)


def run(settings: Settings) -> int:
    """Run a broker until it is told to stop, and return the exit code of the process.

    Returns:
        0 after SIGTERM or SIGINT; 2 when it could not start or had to stop, with a sentence on stderr.

    Raises:
        SettingError: A setting cannot be used.
    """
    reactor = cast(ServiceReactor, _reactor)
    failures: list[str] = []

    def announce(line: str) -> None:
        print(f"stompd: {line}", flush=True)

    def fail(sentence: str) -> None:
        failures.append(sentence)
        reactor.stop()

    _tune_interpreter()
    begin_logging(is_json=settings.log_format is LogFormat.JSON, level=settings.log_level.value)
    announce(f"version {version('stompd')}, Python {sys.version.split()[0]}")
    service = BrokerService(settings, reactor, announce, fail)
    reactor.callWhenRunning(service.startService)
    reactor.addSystemEventTrigger("before", "shutdown", service.stopService)
    reactor.run()
    for sentence in failures:
        print(f"stompd: {sentence}", file=sys.stderr)
    return 2 if failures else 0


def _tune_interpreter() -> None:
    """Let the writer thread and the garbage collector cost the reactor little."""
    # When the database answers, the writer needs the interpreter for some microseconds; by default it would wait 5 ms
    # for it while the reactor is busy, which is longer than the database takes.
    sys.setswitchinterval(0.0003)
    # Messages are not parts of cycles, and there are many: look for cycles seldom, and not among what is imported.
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def _make_portal(settings: Settings, host: HostSettings | None = None) -> Portal:
    """Return the portal of a virtual host, or of the default one."""
    auth = host.auth if host and host.auth else settings.auth
    return make_portal(
        auth, allow_anonymous=not auth, store=settings.store, permissions=make_permissions(settings, host)
    )


def _make_store(settings: Settings) -> IMessageStore:
    try:
        return find_store_factory(settings.store).make_store(settings.store, upgrade=settings.upgrade_schema)
    except StoreUnusable as error:
        raise SettingError(f"store: {error}") from error


def _place(port: IListeningPort, layers: str) -> str:
    """Return where a port is, and what is spoken there if that is more than STOMP."""
    address = port.getHost()
    if not isinstance(address, IPv4Address | IPv6Address):
        name = getattr(address, "name", None)
        return f"{layers}unix:{fsdecode(name)}" if name else f"{layers}{address}"
    host = f"[{address.host}]" if isinstance(address, IPv6Address) else address.host
    kind = "" if layers.endswith("ssl:") else f"{address.type.lower()}:"
    return f"{layers}{kind}{host}:{address.port}"


def _invitation(port: IListeningPort) -> str:
    address = port.getHost()
    if not isinstance(address, IPv4Address | IPv6Address):
        return "ready"
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address.host, address.host)
    return f"ready; try it: telnet {host} {address.port}  (or: stompd send /queue/hello world)"

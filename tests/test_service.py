"""The broker as a service: how it starts, waits, stops and gives up, on real sockets; and as a process."""

from __future__ import annotations

import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
from twisted.application.service import IService
from twisted.internet import epollreactor
from twisted.internet.testing import MemoryReactorClock
from twisted.internet.threads import blockingCallFromThread
from zope.interface.verify import verifyObject

from stompd import service as service_module
from stompd.broker.units import Recovered, UnitOfWork
from stompd.errors import SettingError, StoreError, StoreLocked, StoreLost, StoreUnavailable, StoreUnusable
from stompd.service import BrokerService, make_service, run
from stompd.settings import ServiceLimits, Settings
from stompd.store.sqlite import SqliteStore
from tests.certificates import Authority
from tests.harness.process import BrokerProcess
from tests.harness.raw import RawClient
from tests.logged import LoggedEvents, logged  # noqa: F401  # a fixture for every test here
from tests.runtime.doubles import WatchedStore

_T = TypeVar("_T")

LISTEN = "tcp:0:interface=127.0.0.1"
PATIENCE_SECONDS = 20.0


class HeldStore(WatchedStore):
    """A store that a test can hold while it opens or writes."""

    def __init__(self, *failures: StoreError) -> None:
        super().__init__()
        #: What the next attempts to open raise.
        self.opening: list[Exception] = list(failures)
        self.attempts = 0
        self.may_open = threading.Event()
        self.may_write = threading.Event()
        self.is_writing = threading.Event()
        self.may_open.set()
        self.may_write.set()

    def open(self) -> Recovered:
        self.attempts += 1
        assert self.may_open.wait(PATIENCE_SECONDS)
        if self.opening:
            raise self.opening.pop(0)
        return super().open()

    def apply(self, units: Sequence[UnitOfWork]) -> None:
        self.is_writing.set()
        assert self.may_write.wait(PATIENCE_SECONDS)
        super().apply(units)

    def bodies(self) -> list[bytes]:
        """What is kept."""
        return [row.message.body for queue in self.kept._queues.values() for row in queue.rows.values()]


class Running:
    """A service in a reactor of the tests, and what it says."""

    def __init__(self, reactor: Any, settings: Settings) -> None:
        self._reactor = reactor
        self._changed = threading.Condition()
        self.announced: list[str] = []
        self.failed: list[str] = []
        self.service = self.call(BrokerService, settings, reactor, self._announce, self._fail)
        self._is_stopped = False

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.find("listening on ").rpartition(":")[2])

    def call(self, function: Callable[..., _T], *arguments: object) -> _T:
        """Call something in the reactor's thread, and return its result or that of its Deferred."""
        found: _T = blockingCallFromThread(self._reactor, function, *arguments)
        return found

    def start(self) -> Running:
        """Begin to start."""
        self.call(self.service.startService)
        return self

    def stop(self) -> None:
        """Stop, and wait until it has."""
        self._is_stopped = True
        self.call(self.service.stopService)

    def begin_to_stop(self) -> threading.Thread:
        """Stop in a thread of its own."""
        thread = threading.Thread(target=self.stop)
        thread.start()
        return thread

    def end(self) -> None:
        """Stop unless it was."""
        if not self._is_stopped:
            self.stop()

    def wait_for(self, text: str) -> None:
        """Wait until it has announced, or failed with, a text."""
        with self._changed:
            came = self._changed.wait_for(
                lambda: any(text in line for line in self.announced + self.failed), PATIENCE_SECONDS
            )
        assert came, f"{text!r} did not come, only {self.announced + self.failed}"

    def find(self, text: str) -> str:
        """Return the first line with a text in it."""
        self.wait_for(text)
        return next(line for line in self.announced + self.failed if text in line)

    def _announce(self, line: str) -> None:
        with self._changed:
            self.announced.append(line)
            self._changed.notify_all()

    def _fail(self, sentence: str) -> None:
        with self._changed:
            self.failed.append(sentence)
            self._changed.notify_all()


@pytest.fixture(scope="module")
def reactor() -> Iterator[Any]:
    """A reactor that runs in a thread."""
    reactor = epollreactor.EPollReactor()
    thread = threading.Thread(target=reactor.run, kwargs={"installSignalHandlers": False})
    is_running = threading.Event()
    reactor.callWhenRunning(is_running.set)
    thread.start()
    assert is_running.wait(PATIENCE_SECONDS)
    yield reactor
    reactor.callFromThread(reactor.stop)
    thread.join()


@pytest.fixture
def prepare(reactor: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Running]]:
    """Make services, on a store of the test's own or on the one that the settings name."""
    made: list[Running] = []
    monkeypatch.setattr(service_module, "_STANDBY_SECONDS", 0.001)
    monkeypatch.setattr(service_module, "_FIRST_RETRY_SECONDS", 0.001)

    def make(store: HeldStore | str = "memory:", *, listen: Sequence[str] = (LISTEN,), **limits: int) -> Running:
        url = store if isinstance(store, str) else "memory:"
        settings = Settings(listen=tuple(listen), store=url, limits=replace(ServiceLimits(), **limits))
        with pytest.MonkeyPatch.context() as patch:
            if not isinstance(store, str):
                patch.setattr(service_module, "_make_store", lambda settings: store)
            made.append(Running(reactor, settings))
        return made[-1]

    yield make
    for running in made:
        running.end()


Prepare = Callable[..., Running]


@pytest.fixture
def short_farewell(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait long for clients that stay."""
    monkeypatch.setattr(service_module, "_FAREWELL_SECONDS", 0.01)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A key and a certificate for localhost, in one file."""
    return Authority(tmp_path).issue("localhost")


# Starting


def test_service_provides_what_twisted_runs(prepare: Prepare) -> None:
    assert verifyObject(IService, prepare().start().service)


def test_start_tells_where_messages_are_kept_and_where_it_listens(prepare: Prepare) -> None:
    running = prepare().start()

    running.wait_for("ready")

    assert running.announced == [
        "store: memory only: messages are gone when the broker stops (0 messages in 0 queues)",
        f"listening on tcp:127.0.0.1:{running.port}",
        f"ready; try it: telnet 127.0.0.1 {running.port}  (or: stompd send /queue/hello world)",
    ]


def test_start_tells_of_each_endpoint(prepare: Prepare, tmp_path: Path) -> None:
    path = tmp_path / "stompd.sock"
    running = prepare(listen=(f"unix:{path}", "tcp6:0:interface=\\:\\:1")).start()

    running.wait_for("ready")

    assert running.announced[1] == f"listening on unix:{path}"
    assert running.announced[2].startswith("listening on tcp:[::1]:")
    assert running.announced[3] == "ready"


def test_messages_are_there_after_a_restart(prepare: Prepare, sqlite_url: str) -> None:
    first = prepare(sqlite_url).start()
    with RawClient(first.port) as client:
        client.connect()
        client.send_message("/queue/a", "hello")
    first.stop()

    second = prepare(sqlite_url).start()

    assert "(1 messages in 1 queues)" in second.find("store:")
    with RawClient(second.port) as client:
        client.connect()
        client.subscribe("/queue/a")
        client.expect_bodies("hello")


def test_standby_waits_for_the_lock_and_takes_over(prepare: Prepare, sqlite_url: str) -> None:
    active, standby = prepare(sqlite_url).start(), prepare(sqlite_url)
    active.wait_for("ready")
    standby.start()
    standby.wait_for("standing by: another broker uses SQLite file")
    before = standby.announced.copy()

    active.stop()
    standby.wait_for("ready")

    assert len(before) == 1
    assert standby.failed == []


def test_standby_says_so_once(prepare: Prepare) -> None:
    store = HeldStore(*[StoreLocked("another broker holds it")] * 5)

    running = prepare(store).start()
    running.wait_for("ready")

    assert store.attempts == 6
    assert running.announced[0] == "standing by: another broker holds it"
    assert running.announced[1].startswith("store: ")


def test_unreachable_store_is_waited_for(prepare: Prepare) -> None:
    store = HeldStore(StoreUnavailable("no route"), StoreUnavailable("no route"), StoreUnavailable("starting up"))

    running = prepare(store).start()
    running.wait_for("ready")

    assert running.announced[:2] == ["waiting for the store: no route", "waiting for the store: starting up"]
    assert running.announced[2].startswith("store: ")


def test_unusable_store_ends_the_start_with_its_sentence(prepare: Prepare) -> None:
    running = prepare(HeldStore(StoreUnusable("the database is newer"))).start()

    running.wait_for("newer")

    assert running.failed == ["the database is newer"]
    assert running.announced == []


def test_fault_while_starting_is_told_and_logged(prepare: Prepare, logged: LoggedEvents) -> None:  # noqa: F811
    store = HeldStore()
    store.opening.append(ZeroDivisionError("division by zero"))

    running = prepare(store).start()
    running.wait_for("internal error")

    assert running.failed == ["The broker cannot start because of an internal error: division by zero"]
    assert [failure.type for failure in logged.failures] == [ZeroDivisionError]


def test_port_in_use_ends_the_start_with_a_sentence(prepare: Prepare) -> None:
    first = prepare().start()

    second = prepare(listen=(f"tcp:{first.port}:interface=127.0.0.1",)).start()
    second.wait_for("Address already in use")

    assert second.failed[0].startswith(f"Couldn't listen on 127.0.0.1:{first.port}")


def test_store_that_cannot_be_made_is_a_wrong_setting(prepare: Prepare) -> None:
    with pytest.raises(SettingError, match=r"^store: the store URL names no file"):
        prepare("sqlite://")


# Stopping


def test_stop_stores_confirms_and_tells_what_was_received(prepare: Prepare) -> None:
    store = HeldStore()
    running = prepare(store).start()
    with RawClient(running.port) as client, RawClient(running.port) as stranger:
        client.connect()
        store.may_write.clear()
        client.send_frame("SEND", {"destination": "/queue/a", "receipt": "r1"}, b"a")
        assert store.is_writing.wait(PATIENCE_SECONDS)
        stopping = running.begin_to_stop()
        stranger.expect_error("shutting-down")
        store.may_write.set()

        client.expect("RECEIPT", receipt_id="r1")
        client.expect_error("shutting-down")
        client.close()
        stranger.close()
        stopping.join()

    assert store.bodies() == [b"a"]
    assert store.is_closed
    assert running.announced[-1] == "stopped"


def test_stop_of_a_broker_that_never_started_is_harmless(prepare: Prepare) -> None:
    store = HeldStore()
    running = prepare(store)

    running.stop()

    assert running.announced == []
    assert not store.is_closed


def test_stopped_broker_takes_no_connection(prepare: Prepare) -> None:
    running = prepare().start()
    port = running.port

    running.stop()

    with pytest.raises(ConnectionRefusedError):
        RawClient(port)


def test_stop_returns_deliveries_and_counts_them(prepare: Prepare, sqlite_url: str) -> None:
    first = prepare(sqlite_url).start()
    with RawClient(first.port) as client:
        client.connect()
        client.send_message("/queue/a", "hello")
        client.subscribe("/queue/a", ack="client")
        client.expect_bodies("hello")
        stopping = first.begin_to_stop()
        client.expect_error("shutting-down")
        client.close()
        stopping.join()

    second = prepare(sqlite_url).start()

    with RawClient(second.port) as client:
        client.connect()
        client.subscribe("/queue/a")
        (message,) = client.expect_bodies("hello")
        assert message["redelivered"] == "true"


def test_clients_that_stay_are_cut(prepare: Prepare, short_farewell: None) -> None:
    running = prepare().start()

    with RawClient(running.port) as client:
        client.connect()
        running.stop()

        client.expect_error("shutting-down")
    assert running.announced[-1] == "stopped"


def test_stop_while_the_store_is_opened(prepare: Prepare) -> None:
    store = HeldStore()
    store.may_open.clear()
    running = prepare(store).start()

    stopping = running.begin_to_stop()
    store.may_open.set()
    stopping.join()

    assert store.is_closed
    assert running.announced == ["stopped"]
    assert running.failed == []


def test_stop_while_standing_by(prepare: Prepare, sqlite_url: str) -> None:
    other = SqliteStore(sqlite_url)
    other.open()
    running = prepare(sqlite_url).start()
    running.wait_for("standing by")

    running.stop()
    other.close()

    assert running.announced[-1] == "stopped"
    assert running.failed == []


def test_stop_while_the_store_is_away_ends_after_drain_seconds(prepare: Prepare, short_farewell: None) -> None:
    store = HeldStore()
    running = prepare(store, drain_seconds=0).start()
    with RawClient(running.port) as client:
        client.connect()
        store.failures.extend([StoreUnavailable("the network is down")] * 1_000)
        client.send_frame("SEND", {"destination": "/queue/a", "receipt": "r1"}, b"a")
        assert store.is_writing.wait(PATIENCE_SECONDS)

        running.stop()

        client.expect_error("shutting-down", "repeat what was not confirmed")
    assert store.bodies() == []
    assert running.announced[-1] == "stopped"


def test_store_that_cannot_be_closed_ends_the_writer_all_the_same(
    prepare: Prepare, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = HeldStore()
    running = prepare(store).start()
    running.wait_for("ready")
    writers = [thread for thread in threading.enumerate() if "stompd-writer" in thread.name]

    def fail() -> None:
        raise StoreError("the disk is gone")

    monkeypatch.setattr(store, "close", fail)
    with pytest.raises(StoreError, match="the disk is gone"):
        running.stop()

    assert writers
    assert not any(thread.is_alive() for thread in writers)


# Losing the store


def test_broker_that_loses_its_store_stops_and_confirms_nothing(prepare: Prepare, short_farewell: None) -> None:
    store = HeldStore()
    running = prepare(store).start()
    with RawClient(running.port) as client:
        client.connect()
        store.failures.append(StoreLost("another broker has taken over"))
        client.send_frame("SEND", {"destination": "/queue/a", "receipt": "r1"}, b"a")
        running.wait_for("taken over")

        running.stop()

        client.expect_error("shutting-down", "repeat what was not confirmed")
    assert running.failed == ["another broker has taken over; this broker stops"]


def test_store_that_is_lost_while_stopping_is_no_failure(prepare: Prepare, short_farewell: None) -> None:
    store = HeldStore()
    running = prepare(store).start()
    with RawClient(running.port) as client:
        client.connect()
        store.may_write.clear()
        store.failures.append(StoreLost("another broker has taken over"))
        client.send_frame("SEND", {"destination": "/queue/a", "receipt": "r1"}, b"a")
        assert store.is_writing.wait(PATIENCE_SECONDS)
        stopping = running.begin_to_stop()
        running.wait_for("stopping")
        store.may_write.set()
        stopping.join()

    assert running.failed == []


# Sockets


def test_error_reaches_a_client_that_goes_on_sending(prepare: Prepare) -> None:
    running = prepare().start()
    with RawClient(running.port) as client:
        client.connect()

        client.send(b"BOO\n\n\0" + b"x" * 1_000_000)

        client.expect_error("unknown-command")


def test_client_that_never_closes_is_cut_after_linger_seconds(prepare: Prepare) -> None:
    running = prepare(linger_seconds=0).start()
    with RawClient(running.port) as client:
        client.connect()
        client.send_frame("BOO")
        client.expect_error("unknown-command")

        with pytest.raises(ConnectionError):
            _send_forever(client)


def test_client_that_has_sent_everything_gets_its_receipts(prepare: Prepare) -> None:
    store = HeldStore()
    running = prepare(store).start()
    with RawClient(running.port) as client:
        client.send(b"CONNECT\naccept-version:1.2\nhost:x\n\n\0SEND\ndestination:/queue/a\nreceipt:r1\n\na\0")
        client.finish_sending()

        client.expect("CONNECTED")
        client.expect("RECEIPT", receipt_id="r1")
        client.expect_closed()


def test_message_of_a_client_that_vanishes_is_kept(prepare: Prepare) -> None:
    store = HeldStore()
    running = prepare(store).start()
    client = RawClient(running.port)
    client.connect()
    client.send_frame("SEND", {"destination": "/queue/a"}, b"a")
    client.finish_sending()
    client.expect_closed()
    client.reset()

    running.stop()

    assert store.bodies() == [b"a"]


def test_client_that_waits_for_the_store_is_not_reset(prepare: Prepare) -> None:
    store = HeldStore()
    running = prepare(store, journal_units=1).start()
    with RawClient(running.port) as client:
        client.connect()
        store.may_write.clear()
        for number in range(100):
            client.send_frame("SEND", {"destination": "/queue/a", "receipt": str(number)}, b"x" * 1_000)
            if number == 10:
                assert store.is_writing.wait(PATIENCE_SECONDS)
        client.send_frame("DISCONNECT", {"receipt": "last"})
        store.may_write.set()

        for number in range(100):
            client.expect("RECEIPT", receipt_id=str(number))
        client.expect("RECEIPT", receipt_id="last")
        client.expect_closed()


def test_unix_socket_serves(prepare: Prepare, tmp_path: Path) -> None:
    path = tmp_path / "stompd.sock"
    prepare(listen=(f"unix:{path}",)).start().wait_for("ready")

    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(PATIENCE_SECONDS)
        client.connect(str(path))
        client.sendall(b"CONNECT\naccept-version:1.2\nhost:x\n\n\0BOO\n\n\0")
        octets = _read_all(client)

    assert octets.startswith(b"CONNECTED\n")
    assert b"error-code:unknown-command\n" in octets


@pytest.fixture
def tls(prepare: Prepare, certificate: Path, tmp_path: Path) -> Iterator[tuple[Running, ssl.SSLSocket]]:
    """A broker that listens on TLS, and a client of it."""
    running = prepare(listen=(f"ssl:0:interface=127.0.0.1:privateKey={certificate}",)).start()
    context = ssl.create_default_context(cafile=str(tmp_path / "authority.pem"))
    context.check_hostname = False
    with (
        socket.create_connection(("127.0.0.1", running.port), PATIENCE_SECONDS) as raw,
        context.wrap_socket(raw) as client,
    ):
        yield running, client


def test_tls_serves_and_says_goodbye(tls: tuple[Running, ssl.SSLSocket]) -> None:
    _, client = tls

    client.sendall(b"CONNECT\naccept-version:1.2\nhost:x\n\n\0BOO\n\n\0")
    octets = _read_all(client)

    assert octets.startswith(b"CONNECTED\n")
    assert b"error-code:unknown-command\n" in octets


def test_dead_peers_are_found_behind_tls(tls: tuple[Running, ssl.SSLSocket]) -> None:
    running, client = tls
    client.sendall(b"CONNECT\naccept-version:1.2\nhost:x\n\n\0")
    client.recv(9)

    (link,) = running.service._factory._links
    handle = link.transport.transport.getHandle()

    assert handle.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    assert handle.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 60


def _send_forever(client: RawClient) -> None:
    while True:
        client.send(b"x")


def _read_all(client: socket.socket) -> bytes:
    octets = b""
    while chunk := client.recv(65_536):
        octets += chunk
    return octets


# In Twisted's daemon, and as the main program


@pytest.fixture
def memory_reactor(monkeypatch: pytest.MonkeyPatch) -> MemoryReactorClock:
    """A reactor that only notes what it is told, in place of the one of this process."""
    reactor = MemoryReactorClock()
    monkeypatch.setattr(service_module, "_reactor", reactor)
    return reactor


def test_daemon_logs_what_the_broker_says(
    memory_reactor: MemoryReactorClock,
    logged: LoggedEvents,  # noqa: F811
) -> None:
    made = make_service(Settings(store="memory:"))
    assert isinstance(made, BrokerService)

    made._announce("ready {or not}")
    made._on_failure("it cannot be")

    assert logged.lines == ["ready {or not}", "it cannot be"]
    assert memory_reactor.hasStopped


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[BrokerService]:
    """The services that were told to start, in place of starting them."""
    started: list[BrokerService] = []

    def start(service: BrokerService) -> None:
        started.append(service)

    monkeypatch.setattr(BrokerService, "startService", start)
    monkeypatch.setattr(service_module, "begin_logging", lambda **_: None)
    return started


def test_program_runs_the_broker_until_the_reactor_stops(
    memory_reactor: MemoryReactorClock, started: list[BrokerService], capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(Settings(store="memory:"))

    (service,) = started
    assert code == 0
    assert memory_reactor.triggers["before"]["shutdown"] == [(service.stopService, (), {})]
    assert capsys.readouterr().out.startswith("stompd: version ")


def test_program_that_cannot_start_fails_with_a_sentence(
    memory_reactor: MemoryReactorClock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(BrokerService, "startService", lambda service: service._on_failure("It cannot be."))
    monkeypatch.setattr(service_module, "begin_logging", lambda **_: None)

    code = run(Settings(store="memory:"))

    assert code == 2
    assert capsys.readouterr().err == "stompd: It cannot be.\n"


def stompd(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command until it ends by itself."""
    return subprocess.run(
        [str(Path(sys.executable).with_name("stompd")), *arguments],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def test_process_ends_with_0_when_it_is_told_to(tmp_path: Path, sqlite_url: str) -> None:
    with BrokerProcess(tmp_path, sqlite_url) as broker:
        client = broker.client()
        client.send_message("/queue/a", "hello")
        client.close()

        broker.terminate()
        code = broker.wait()

    assert code == 0
    assert "stompd: stopped" in broker.output.splitlines()
    assert "Traceback" not in broker.output


def test_process_ends_with_0_when_it_is_interrupted(tmp_path: Path) -> None:
    with BrokerProcess(tmp_path, "memory:") as broker:
        assert broker._process is not None
        broker._process.send_signal(signal.SIGINT)

        assert broker.wait() == 0
    assert "Traceback" not in broker.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--store", "postgresql:/x"], "store"),
        (["--store", "nonsense:x"], "nonsense"),
        (["--store", "sqlite:////nowhere/at/all.sqlite3"], "the directory /nowhere/at does not exist"),
    ],
)
def test_process_with_a_wrong_store_ends_with_2_and_a_sentence(
    tmp_path: Path, arguments: list[str], words: str
) -> None:
    result = stompd(tmp_path, "--listen", LISTEN, *arguments)

    assert result.returncode == 2
    assert words in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_process_with_a_newer_database_ends_with_2_and_a_sentence(tmp_path: Path, sqlite_url: str) -> None:
    store = SqliteStore(sqlite_url)
    store.open()
    store.close()
    connection = sqlite3.connect(tmp_path / "stompd.sqlite3")
    connection.execute("UPDATE stompd_revision SET version_num = '9999'")
    connection.commit()
    connection.close()

    result = stompd(tmp_path, "--listen", LISTEN, "--store", sqlite_url)

    assert result.returncode == 2
    assert "newer than this program" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_process_with_an_unknown_setting_ends_with_2_and_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "stompd.toml").write_text("lissten = []")

    result = stompd(tmp_path, "--config", "stompd.toml")

    assert result.returncode == 2
    assert "lissten" in result.stderr
    assert len(result.stderr.splitlines()) == 1


#: Stands in for systemd: passes on a socket as 3, and says so.
ACTIVATE = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ |= {"LISTEN_FDS": "1", "LISTEN_FDNAMES": "stompd.socket", "LISTEN_PID": str(os.getpid())}
os.execv(sys.argv[2], sys.argv[2:])
"""


def test_process_listens_on_a_socket_of_systemd(tmp_path: Path) -> None:
    (tmp_path / "users").write_text("ann:secret\n")
    options = ["--store", "memory:", "--listen", "systemd:domain=INET:index=0", "--auth", f"file:{tmp_path / 'users'}"]
    program = str(Path(sys.executable).with_name("stompd"))
    with socket.create_server(("127.0.0.1", 0)) as listener, RawClient(listener.getsockname()[1]) as early:
        process = subprocess.Popen(
            [sys.executable, "-c", ACTIVATE, str(listener.fileno()), program, *options],
            pass_fds=[listener.fileno()],
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
        )
        try:
            connected = early.connect(login="ann", passcode="secret")
        finally:
            process.terminate()
            process.wait(PATIENCE_SECONDS)

    assert connected["user-name"] == "ann"
    assert process.returncode == 0

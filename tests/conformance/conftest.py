"""Brokers and clients of the conformance suite: one broker process per module, unique destinations per test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol, final

import pytest

from tests.harness.process import BrokerProcess
from tests.harness.raw import RawClient, unique_name
from tests.harness.reporting import note_database, pytest_runtest_makereport  # noqa: F401  # the hook is found by its name
from tests.postgres import create_database, drop_database


@pytest.fixture(scope="module")
def store_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where the module's broker keeps its messages; a module that wants PostgreSQL too overrides it."""
    return f"sqlite:///{tmp_path_factory.mktemp('store') / 'stompd.sqlite3'}"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def either_store_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Either database, for a module's `store_url`."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('store') / 'stompd.sqlite3'}"
        return
    server = request.getfixturevalue("postgresql_server")
    url = create_database(server)
    yield url
    drop_database(server, url)


@pytest.fixture(scope="module")
def settings() -> str:
    """The settings file of the module's broker, as TOML; a module that wants others overrides it."""
    return ""


@pytest.fixture(scope="module", params=["tcp", "ws:tcp"], ids=["tcp", "websocket"])
def listen(request: pytest.FixtureRequest) -> str:
    """Where brokers listen; every rule holds on every transport."""
    return f"{request.param}:0:interface=127.0.0.1"


@pytest.fixture(scope="module")
def broker(
    store_url: str, settings: str, listen: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BrokerProcess]:
    """A broker that the tests of one module share."""
    with BrokerProcess(tmp_path_factory.mktemp("broker"), store_url, settings=settings, listen=listen) as broker:
        yield broker


class StartBroker(Protocol):
    """Starts a broker of the test's own."""

    def __call__(
        self, settings: str = "", *, store: str | None = None, arguments: list[str] | None = None
    ) -> BrokerProcess: ...


@pytest.fixture
def start_broker(tmp_path: Path, listen: str) -> Iterator[StartBroker]:
    """Start brokers that one test has for itself; they end with it."""
    started: list[BrokerProcess] = []

    def start(settings: str = "", *, store: str | None = None, arguments: list[str] | None = None) -> BrokerProcess:
        directory = tmp_path / f"broker-{len(started)}"
        directory.mkdir()
        url = store or f"sqlite:///{directory / 'stompd.sqlite3'}"
        started.append(BrokerProcess(directory, url, settings=settings, arguments=arguments or [], listen=listen))
        return started[-1].start()

    yield start
    for broker in started:
        broker.kill()


@final
class Clients:
    """Opens connections and closes them when the test is over."""

    def __init__(self, broker: BrokerProcess) -> None:
        self._broker = broker
        self._open: list[RawClient] = []

    def dial(self, *, receive_buffer: int | None = None, broker: BrokerProcess | None = None) -> RawClient:
        """Return a client that has connected its socket and said nothing."""
        client = RawClient((broker or self._broker).port, receive_buffer=receive_buffer)
        self._open.append(client)
        return client

    def connect(
        self,
        version: str = "1.2",
        *,
        receive_buffer: int | None = None,
        broker: BrokerProcess | None = None,
        **headers: str,
    ) -> RawClient:
        """Return a client that has its CONNECTED; `headers` are those of CONNECT, with underscores for hyphens."""
        client = self.dial(receive_buffer=receive_buffer, broker=broker)
        client.connect(version, **headers)
        return client

    def close(self) -> None:
        """Close all of them."""
        for client in self._open:
            client.close()


@pytest.fixture
def clients(request: pytest.FixtureRequest, broker: BrokerProcess) -> Iterator[Clients]:
    """Clients of the module's broker."""
    note_database(request, broker.store)
    clients = Clients(broker)
    yield clients
    clients.close()


@pytest.fixture
def queue() -> str:
    """A queue that no other test uses."""
    return unique_name("/queue/test")


@pytest.fixture
def topic() -> str:
    """A topic that no other test uses."""
    return unique_name("/topic/test")


@pytest.fixture
def contents(clients: Clients) -> Callable[[str], list[str]]:
    """Empty a queue, and tell the bodies that were in it."""

    def take(destination: str) -> list[str]:
        client = clients.connect()
        bodies = [frame.body.decode() for frame in client.take_all(destination)]
        client.disconnect()
        return bodies

    return take

"""Brokers for the tests of the drivers: one process per module and database, unique destinations per test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from jms_api import Queue, SessionMode, Topic
from tests.harness.process import BrokerProcess
from tests.harness.raw import unique_name
from tests.harness.reporting import note_database
from tests.jms_api.drivers.ways import WAYS, Way
from tests.postgres import create_database, drop_database


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the module's broker keeps its messages."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('store') / 'stompd.sqlite3'}"
        return
    server: str = request.getfixturevalue("postgresql_server")
    url = create_database(server)
    yield url
    drop_database(server, url)


@pytest.fixture(scope="module")
def broker(store_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    """A broker that the tests of one module share."""
    with BrokerProcess(tmp_path_factory.mktemp("broker"), store_url) as broker:
        yield broker


@pytest.fixture(params=WAYS, ids=lambda way: way.name)
def way(request: pytest.FixtureRequest) -> Way:
    """The driver."""
    found: Way = request.param
    return found


@pytest.fixture
def url(request: pytest.FixtureRequest, broker: BrokerProcess) -> str:
    """The URL of the module's broker."""
    note_database(request, broker.store)
    return f"stomp://127.0.0.1:{broker.port}"


@pytest.fixture
def connect(way: Way, url: str) -> Iterator[Callable[..., Any]]:
    """Open connections that are closed when the test is over; options are those of the URL."""
    opened = []

    def open_one(*, is_started: bool = True, **options: object) -> Any:
        connection = way.factory(url, **options).create_connection()
        opened.append(connection)
        if is_started:
            connection.start()
        return connection

    yield open_one
    for connection in opened:
        connection.close()


@pytest.fixture
def connection(connect: Callable[..., Any]) -> Any:
    """A connection that is started."""
    return connect()


@pytest.fixture
def session(connection: Any) -> Any:
    """A session in the mode AUTO_ACKNOWLEDGE."""
    return connection.create_session()


@pytest.fixture
def transacted(connection: Any) -> Any:
    """A transacted session."""
    return connection.create_session(SessionMode.SESSION_TRANSACTED)


@pytest.fixture
def client(connection: Any) -> Any:
    """A session in the mode CLIENT_ACKNOWLEDGE."""
    return connection.create_session(SessionMode.CLIENT_ACKNOWLEDGE)


@pytest.fixture
def open_context(way: Way, url: str) -> Iterator[Callable[..., Any]]:
    """Open contexts that are closed when the test is over."""
    opened = []

    def open_one(session_mode: int = SessionMode.AUTO_ACKNOWLEDGE, **options: object) -> Any:
        opened.append(way.factory(url, **options).create_context(session_mode))
        return opened[-1]

    yield open_one
    for context in opened:
        context.close()


@pytest.fixture
def context(open_context: Callable[..., Any]) -> Any:
    """A context in the mode AUTO_ACKNOWLEDGE."""
    return open_context()


@pytest.fixture
def queue() -> Queue:
    """A queue that no other test uses."""
    return Queue(unique_name("test"))


@pytest.fixture
def topic() -> Topic:
    """A topic that no other test uses."""
    return Topic(unique_name("test"))


@pytest.fixture
def fill(connection: Any) -> Callable[..., None]:
    """Send texts to a destination, from another session."""

    def send(destination: Queue | Topic, *texts: str) -> None:
        with connection.create_session() as session:
            producer = session.create_producer(destination)
            for text in texts:
                producer.send(session.create_text_message(text))

    return send

"""A broker inside the test's own process: the real one, in memory, on a thread and a free port of its own.

    from jms_api.testing import memory_factory

    def test_order_is_taken():
        with memory_factory() as factory, factory.create_context() as context:
            ...

Importing this module needs stompd with Twisted. With `pytest_plugins = ["jms_api.testing"]` in a conftest.py, or by
importing them there, tests get the fixtures `jms_broker` and `jms_factory`.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Final, Self, cast, final

import pytest
from twisted.internet.selectreactor import SelectReactor

from jms_api.factory import ConnectionFactory
from stompd.service import BrokerService, ServiceReactor
from stompd.settings import Settings

_LISTENING: Final = re.compile(r"listening on \S*:(\d+)$")

#: Longer than a healthy start or stop takes on a busy machine.
_PATIENCE_SECONDS: Final = 30.0


@final
class InMemoryBroker:
    """A broker for tests; everything is gone when it stops.

    It has a reactor of its own, so it does not care whether the test has one.

    Attributes:
        url: Where to connect to.
    """

    def __init__(self, store: str = "memory:") -> None:
        """Prepare a broker; `start` starts it.

        Args:
            store: The URL of its store, as for `stompd --store`, for tests that restart it.
        """
        self.url = ""
        self._store = store
        self._changed = threading.Condition()
        self._failure: str | None = None
        self._is_ready = False
        self._reactor: SelectReactor | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> Self:
        """Start it, and return when it can be connected to.

        Raises:
            RuntimeError: It cannot start.
        """
        port = self.url.rpartition(":")[2] or "0"
        self._failure, self._is_ready = None, False
        self._reactor = SelectReactor()
        self._thread = threading.Thread(target=self._run, args=(self._reactor, port), name="stompd", daemon=True)
        self._thread.start()
        with self._changed:
            self._changed.wait_for(lambda: self._is_ready or self._failure, _PATIENCE_SECONDS)
            if not self._is_ready:
                raise RuntimeError(self._failure or "the broker did not start in time")
        return self

    def stop(self) -> None:
        """Stop it, as an operator does."""
        if self._reactor is not None and self._thread is not None:
            self._reactor.callFromThread(self._reactor.stop)
            self._thread.join(_PATIENCE_SECONDS)
            self._reactor = self._thread = None

    def _run(self, reactor: SelectReactor, port: str) -> None:
        settings = Settings(listen=(f"tcp:{port}:interface=127.0.0.1",), store=self._store)
        service = BrokerService(settings, cast(ServiceReactor, reactor), self._announced, self._failed)
        reactor.callWhenRunning(service.startService)
        reactor.addSystemEventTrigger("before", "shutdown", service.stopService)
        reactor.run(installSignalHandlers=False)

    def _announced(self, line: str) -> None:
        match = _LISTENING.search(line)
        if match:
            with self._changed:
                self.url = f"stomp://127.0.0.1:{match[1]}"
                self._is_ready = True
                self._changed.notify_all()

    def _failed(self, sentence: str) -> None:
        with self._changed:
            self._failure = sentence
            self._changed.notify_all()


@contextmanager
def memory_factory(**options: object) -> Iterator[ConnectionFactory]:
    """Start a broker for a block, and give out a connection factory for it.

    Args:
        options: Those of `ConnectionFactory`.
    """
    with InMemoryBroker() as broker:
        yield ConnectionFactory(broker.url, **options)


@pytest.fixture
def jms_broker() -> Iterator[InMemoryBroker]:
    """A broker that one test has for itself."""
    with InMemoryBroker() as broker:
        yield broker


@pytest.fixture
def jms_factory(jms_broker: InMemoryBroker) -> ConnectionFactory:
    """A connection factory for the test's broker."""
    return ConnectionFactory(jms_broker.url)

"""`python -m tests.bench.jms`: jms_api beside stomp.py on the same broker, in messages per second.

Both send persistent messages in transactions of 100, and both take the same messages with a listener that acknowledges
each of them. The broker is a process of its own on SQLite.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import stomp

from jms_api import ConnectionFactory, Queue, SessionMode
from tests.harness.process import BrokerProcess

_COUNT: Final = 10_000
_TRANSACTION: Final = 100
_BODY: Final = "x" * 200
_PATIENCE_SECONDS: Final = 120.0


def main() -> None:
    """Print the rates, and how many times as fast jms_api is."""
    with tempfile.TemporaryDirectory() as directory:
        store = f"sqlite:///{Path(directory) / 'stompd.sqlite3'}"
        with BrokerProcess(Path(directory), store) as broker:
            report("producer", measure(broker.port, send_ours), measure(broker.port, send_theirs))
            rates = []
            for take in (take_ours, take_theirs):
                send_ours(broker.port)
                rates.append(measure(broker.port, take))
            report("listener", *rates)


def report(name: str, ours: float, theirs: float) -> None:
    """Print one line."""
    print(f"{name}: jms_api {ours:,.0f}/s, stomp.py {theirs:,.0f}/s, {ours / theirs:.1f} times as fast", flush=True)


def measure(port: int, work: Callable[[int], None]) -> float:
    """Return the rate of some work, messages per second."""
    began = time.perf_counter()
    work(port)
    return _COUNT / (time.perf_counter() - began)


def send_ours(port: int) -> None:
    """Send with jms_api."""
    with ConnectionFactory(f"stomp://127.0.0.1:{port}").create_connection() as connection:
        session = connection.create_session(SessionMode.SESSION_TRANSACTED)
        producer = session.create_producer(Queue("bench"))
        for number in range(1, _COUNT + 1):
            producer.send(session.create_text_message(_BODY))
            if number % _TRANSACTION == 0:
                session.commit()


def take_ours(port: int) -> None:
    """Take with jms_api."""
    done = threading.Event()
    left = _COUNT

    def count(message: Any) -> None:
        nonlocal left
        left -= 1
        if not left:
            done.set()

    with ConnectionFactory(f"stomp://127.0.0.1:{port}").create_context() as context:
        context.create_consumer(Queue("bench")).message_listener = count
        assert done.wait(_PATIENCE_SECONDS)


def send_theirs(port: int) -> None:
    """Send with stomp.py, which waits for a receipt of each COMMIT."""
    listener = _Listener()
    connection = listener.connect(port)
    for begin in range(0, _COUNT, _TRANSACTION):
        transaction = connection.begin()
        for _ in range(_TRANSACTION):
            connection.send("/queue/bench-theirs", _BODY, transaction=transaction, headers={"persistent": "true"})
        listener.confirmed.clear()
        connection.commit(transaction, headers={"receipt": str(begin)})
        assert listener.confirmed.wait(_PATIENCE_SECONDS)
    connection.disconnect()


def take_theirs(port: int) -> None:
    """Take with stomp.py."""
    listener = _Listener()
    connection = listener.connect(port)
    connection.subscribe("/queue/bench", id="1", ack="client-individual")
    assert listener.done.wait(_PATIENCE_SECONDS)
    connection.disconnect()


class _Listener(stomp.ConnectionListener):  # type: ignore[misc]  # stomp.py has no types
    def __init__(self) -> None:
        self.confirmed = threading.Event()
        self.done = threading.Event()
        self._left = _COUNT
        self._connection: Any = None

    def connect(self, port: int) -> Any:
        self._connection = stomp.Connection12([("127.0.0.1", port)])
        self._connection.set_listener("bench", self)
        self._connection.connect(wait=True)
        return self._connection

    def on_receipt(self, frame: Any) -> None:
        self.confirmed.set()

    def on_message(self, frame: Any) -> None:
        self._connection.ack(frame.headers["ack"])
        self._left -= 1
        if not self._left:
            self.done.set()


if __name__ == "__main__":
    main()

"""STOMP over WebSocket, against the broker's `ws:` endpoint."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from jms_api import JMSException, Queue, SessionMode
from tests.harness.process import BrokerProcess
from tests.jms_api.drivers.ways import PATIENCE_SECONDS, Way

#: Over 125 and 65,535 octets the length of a WebSocket frame is written otherwise.
_SIZES = (1, 200, 100_000)


@pytest.fixture(scope="module")
def ports(store_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[int]]:
    """Where a broker speaks plain STOMP, and WebSocket."""
    directory = tmp_path_factory.mktemp("broker")
    with BrokerProcess(directory, store_url, arguments=["--listen", "ws:tcp:0:interface=127.0.0.1"]) as broker:
        yield [int(port) for port in broker.ports]


@pytest.fixture
def websocket(ports: list[int]) -> str:
    """The URL of a broker that speaks WebSocket."""
    return f"ws://127.0.0.1:{ports[1]}"


@pytest.fixture
def plain_port(ports: list[int]) -> int:
    """Where it does not."""
    return ports[0]


def test_messages_of_all_lengths_pass(way: Way, websocket: str, queue: Queue) -> None:
    with way.factory(websocket).create_context() as context:
        producer, consumer = context.create_producer(), context.create_consumer(queue)
        for size in _SIZES:
            producer.send(queue, "x" * size)

        received: list[Any] = [consumer.receive(10_000) for _ in _SIZES]

    assert [len(message.text) for message in received] == list(_SIZES)


def test_transaction_takes_effect(way: Way, websocket: str, queue: Queue) -> None:
    with way.factory(websocket).create_context(SessionMode.SESSION_TRANSACTED) as context:
        producer, consumer = context.create_producer(), context.create_consumer(queue)
        producer.send(queue, "given up")
        context.rollback()
        for number in range(300):
            producer.send(queue, str(number))
        context.commit()

        received: list[Any] = [consumer.receive(10_000).text for _ in range(300)]
        context.commit()

    assert received == [str(number) for number in range(300)]


def test_listener_is_called(way: Way, websocket: str, queue: Queue) -> None:
    received: list[str] = []
    done = threading.Event()

    def listen(message: Any) -> None:
        received.append(message.text)
        if len(received) == 100:
            done.set()

    with way.factory(websocket).create_context() as context:
        context.create_consumer(queue).message_listener = listen
        producer = context.create_producer()
        for number in range(100):
            producer.send(queue, str(number))
        assert done.wait(PATIENCE_SECONDS)

    assert received == [str(number) for number in range(100)]


@pytest.mark.parametrize("path", ["/ws", "/stomp"])
def test_path_of_the_url_is_asked_for(way: Way, websocket: str, path: str) -> None:
    with way.factory(websocket + path).create_connection() as connection:
        assert connection.meta_data.jms_provider_name.startswith("stompd")


def test_path_that_is_not_there_is_told(way: Way, websocket: str) -> None:
    factory = way.factory(f"{websocket}/elsewhere")

    with pytest.raises(JMSException, match="404"):
        factory.create_connection()


def test_endpoint_without_websocket_is_told(way: Way, plain_port: int) -> None:
    factory = way.factory(f"ws://127.0.0.1:{plain_port}")

    with pytest.raises(JMSException):
        factory.create_connection()

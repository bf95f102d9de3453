"""What happens when the broker, the connection, a thread or the process ends at a bad moment."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jms_api import IllegalStateException, JMSException, Queue, SessionMode, TransactionRolledBackException
from jms_api.testing import InMemoryBroker
from tests.harness.waiting import wait_for
from tests.jms_api.drivers.ways import PATIENCE_SECONDS, Way


@pytest.fixture
def frail(tmp_path: Path) -> Iterator[InMemoryBroker]:
    """A broker that can be stopped and started again on its port, with what it has stored."""
    with InMemoryBroker(f"sqlite:///{tmp_path / 'stompd.sqlite3'}") as broker:
        yield broker


@pytest.fixture
def linked(way: Way, frail: InMemoryBroker) -> Iterator[Any]:
    """A started connection to it."""
    connection = way.factory(frail.url, reconnect_delay=20).create_connection()
    connection.start()
    yield connection
    connection.close()


def unused_port() -> int:
    """Return a port where nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def restart(broker: InMemoryBroker) -> None:
    broker.stop()
    broker.start()


def test_subscription_is_restored_after_a_loss(linked: Any, frail: InMemoryBroker, queue: Queue) -> None:
    session = linked.create_session()
    consumer = session.create_consumer(queue)

    restart(frail)

    session.create_producer(queue).send(session.create_text_message("after"))
    assert consumer.receive(10_000).text == "after"


def test_jms_202_exception_listener_is_told_of_a_loss(linked: Any, frail: InMemoryBroker) -> None:
    told: list[JMSException] = []
    linked.exception_listener = told.append

    restart(frail)

    wait_for(lambda: told, "the exception listener is told")
    assert isinstance(told[0], JMSException)


def test_receive_waits_through_a_loss(way: Way, linked: Any, frail: InMemoryBroker, queue: Queue) -> None:
    session = linked.create_session()
    consumer = session.create_consumer(queue)
    received: list[Any] = []
    waiting = threading.Thread(target=lambda: received.append(consumer.receive(7_000)))
    waiting.start()

    restart(frail)

    with way.factory(frail.url).create_connection() as other:
        other_session = other.create_session()
        other_session.create_producer(queue).send(other_session.create_text_message("after"))
    waiting.join(PATIENCE_SECONDS)
    assert [message.text for message in received] == ["after"]


def test_transaction_that_lost_its_connection_is_rolled_back(linked: Any, frail: InMemoryBroker, queue: Queue) -> None:
    session = linked.create_session(SessionMode.SESSION_TRANSACTED)
    producer, consumer = session.create_producer(queue), session.create_consumer(queue)
    producer.send(session.create_text_message("kept"))
    session.commit()
    consumer.receive(10_000)
    producer.send(session.create_text_message("lost"))

    restart(frail)

    with pytest.raises(TransactionRolledBackException):
        wait_for(lambda: session.commit() or False, "the loss is noticed")
    again = consumer.receive(10_000)
    assert (again.text, again.jms_redelivered) == ("kept", True)
    session.commit()
    assert consumer.receive_no_wait() is None


def test_acknowledgement_after_a_loss_fails_and_the_message_comes_again(
    way: Way, linked: Any, frail: InMemoryBroker, queue: Queue
) -> None:
    session = linked.create_session(SessionMode.CLIENT_ACKNOWLEDGE)
    session.create_producer(queue).send(session.create_text_message("1"))
    consumer = session.create_consumer(queue)
    message = consumer.receive(10_000)
    told: list[JMSException] = []
    linked.exception_listener = told.append

    restart(frail)
    wait_for(lambda: told, "the loss is noticed")

    with pytest.raises(JMSException):
        way.do(message.acknowledge)
    again = consumer.receive(10_000)
    assert again.jms_redelivered
    way.do(again.acknowledge)


@pytest.mark.jms("ConnectionFactory.create_connection")
def test_nobody_who_answers_is_told_at_once(way: Way) -> None:
    factory = way.factory(f"stomp://127.0.0.1:{unused_port()}")

    with pytest.raises(JMSException, match="cannot connect"):
        factory.create_connection()


def test_next_address_of_the_list_is_tried(way: Way, frail: InMemoryBroker) -> None:
    place = frail.url.removeprefix("stomp://")

    with way.factory(f"stomp://127.0.0.1:{unused_port()},{place}").create_connection() as connection:
        assert connection.capabilities.name == "stompd"


def test_connection_that_does_not_reconnect_says_so(way: Way, frail: InMemoryBroker, queue: Queue) -> None:
    connection = way.factory(frail.url, reconnect=False).create_connection()
    connection.start()
    session = connection.create_session()
    consumer = session.create_consumer(queue)
    told: list[JMSException] = []
    connection.exception_listener = told.append

    frail.stop()
    wait_for(lambda: told, "the loss is noticed")

    with pytest.raises(JMSException):
        consumer.receive(5_000)
    with pytest.raises(JMSException):
        session.create_producer(queue).send(session.create_text_message("x"))
    connection.close()


def test_connection_can_be_closed_while_it_is_lost(way: Way, frail: InMemoryBroker, queue: Queue) -> None:
    connection = way.factory(frail.url, reconnect_delay=20).create_connection()
    connection.create_session().create_consumer(queue)
    told: list[JMSException] = []
    connection.exception_listener = told.append
    frail.stop()
    wait_for(lambda: told, "the loss is noticed")

    connection.close()

    with pytest.raises(IllegalStateException):
        connection.start()


def test_jms_297_close_ends_a_receive(way: Way, frail: InMemoryBroker, queue: Queue) -> None:
    connection = way.factory(frail.url).create_connection()
    connection.start()
    consumer = connection.create_session().create_consumer(queue)
    received: list[Any] = []
    waiting = threading.Thread(target=lambda: received.append(consumer.receive()))
    waiting.start()
    waiting.join(0.05)

    connection.close()

    waiting.join(PATIENCE_SECONDS)
    assert received == [None]


def test_jms_301_second_receive_at_a_time_is_refused(linked: Any, queue: Queue) -> None:
    session = linked.create_session()
    consumer = session.create_consumer(queue)
    waiting = threading.Thread(target=lambda: consumer.receive(1_000))
    waiting.start()

    waiting.join(0.1)

    with pytest.raises(IllegalStateException):
        consumer.receive_no_wait()
    waiting.join(PATIENCE_SECONDS)


class TestProcess:
    """Of the blocking driver: signals, forks and the end of the interpreter."""

    def test_interrupted_receive_loses_nothing(self, frail: InMemoryBroker, queue: Queue) -> None:
        from jms_api import ConnectionFactory

        with ConnectionFactory(frail.url).create_context() as context:
            consumer = context.create_consumer(queue)
            timer = threading.Timer(0.1, signal.raise_signal, [signal.SIGINT])
            timer.start()
            with pytest.raises(KeyboardInterrupt):
                consumer.receive(5_000)
            context.create_producer().send(queue, "x")

            assert consumer.receive(10_000).text == "x"

    def test_connection_is_not_for_child_processes(self, frail: InMemoryBroker, queue: Queue) -> None:
        program = textwrap.dedent("""
            import os, sys, warnings
            from jms_api import ConnectionFactory, IllegalStateException
            warnings.simplefilter("ignore", DeprecationWarning)
            connection = ConnectionFactory(sys.argv[1]).create_connection()
            child = os.fork()
            if child == 0:
                try:
                    connection.create_session()
                except IllegalStateException:
                    os._exit(7)
                os._exit(1)
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            connection.create_session().create_producer("queue:a").send(connection.create_session().create_message())
            connection.close()
            sys.exit(status)
        """)

        finished = subprocess.run([sys.executable, "-c", program, frail.url], check=False, timeout=PATIENCE_SECONDS)

        assert finished.returncode == 7

    def test_jms_379_unclosed_connection_does_not_keep_the_interpreter(self, frail: InMemoryBroker) -> None:
        program = textwrap.dedent("""
            import sys
            from jms_api import ConnectionFactory
            context = ConnectionFactory(sys.argv[1]).create_context()
            context.create_consumer("queue:a").message_listener = print
        """)
        began = time.monotonic()

        finished = subprocess.run([sys.executable, "-c", program, frail.url], check=False, timeout=PATIENCE_SECONDS)

        assert finished.returncode == 0
        assert time.monotonic() - began < PATIENCE_SECONDS / 2

    def test_unclosed_connection_is_warned_of(self, frail: InMemoryBroker) -> None:
        from jms_api import ConnectionFactory

        connection = ConnectionFactory(frail.url).create_connection()

        with pytest.warns(ResourceWarning, match="unclosed"):
            del connection

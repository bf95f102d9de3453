"""Temporary destinations, delays and dead letters (JMS 3.1, 6.2.2, 7.9 and 8.7)."""

from __future__ import annotations

import time
from typing import Any

import pytest

from jms_api import InvalidDestinationException, JMSException, Queue, TemporaryQueue, Topic
from tests.jms_api.drivers.ways import Way


@pytest.fixture(params=["queue", "topic"])
def temporary(request: pytest.FixtureRequest, session: Any) -> Any:
    """A temporary destination of the connection."""
    return session.create_temporary_queue() if request.param == "queue" else session.create_temporary_topic()


@pytest.mark.jms("Session.create_temporary_queue", "Session.create_temporary_topic")
def test_jms_358_reply_comes_from_another_connection(connect: Any, session: Any, queue: Queue, temporary: Any) -> None:
    replies = session.create_consumer(temporary)
    request = session.create_text_message("ping")
    request.jms_reply_to = temporary
    session.create_producer(queue).send(request)
    other = connect().create_session()
    received = other.create_consumer(queue).receive(10_000)

    other.create_producer(None).send(received.jms_reply_to, other.create_text_message("pong"))

    assert type(received.jms_reply_to) is type(temporary)
    assert replies.receive(10_000).text == "pong"


def test_jms_004_temporary_destination_stays_one(session: Any) -> None:
    queue = session.create_temporary_queue()
    consumer = session.create_consumer(queue)
    session.create_producer(queue).send(session.create_text_message("x"))

    received = consumer.receive(10_000)

    assert isinstance(received.jms_destination, TemporaryQueue)
    assert received.jms_destination == queue


def test_jms_355_other_connections_may_send(connect: Any, session: Any, temporary: Any) -> None:
    consumer = session.create_consumer(temporary)
    other = connect().create_session()

    other.create_producer(temporary).send(other.create_text_message("x"))

    assert consumer.receive(10_000).text == "x"


def test_jms_355_other_connections_may_not_receive(connect: Any, temporary: Any) -> None:
    other = connect().create_session()

    with pytest.raises(JMSException):
        other.create_consumer(temporary)


def test_jms_357_destination_in_use_is_not_deleted(session: Any, way: Way, temporary: Any) -> None:
    consumer = session.create_consumer(temporary)
    with pytest.raises(JMSException):
        way.do(temporary.delete)
    consumer.close()

    way.do(temporary.delete)

    with pytest.raises(InvalidDestinationException):
        session.create_consumer(temporary)
    with pytest.raises(InvalidDestinationException):
        session.create_producer(temporary).send(session.create_text_message("x"))


def test_jms_359_destination_ends_with_its_connection(connect: Any, session: Any) -> None:
    gone = connect()
    queue = gone.create_session().create_temporary_queue()
    gone.close()

    with pytest.raises(JMSException):
        session.create_producer(queue).send(session.create_text_message("x"))


def test_jms_274_delayed_message_comes_later(session: Any, queue: Queue) -> None:
    producer = session.create_producer(queue)
    producer.delivery_delay = 300
    message = session.create_text_message("x")
    consumer = session.create_consumer(queue)
    producer.send(message)
    before = consumer.receive_no_wait()

    received = consumer.receive(10_000)

    assert before is None
    assert received.jms_delivery_time == message.jms_delivery_time
    assert time.time() * 1000 >= received.jms_delivery_time


def test_jms_304_message_that_always_fails_is_put_aside(session: Any, queue: Queue, connection: Any, fill: Any) -> None:
    counts: list[int] = []

    def fail(message: Any) -> None:
        counts.append(message.get_int_property("JMSXDeliveryCount"))
        raise ValueError("never")

    session.create_consumer(queue).message_listener = fail
    dead = connection.create_session().create_consumer(Queue(f"DLQ.{queue.queue_name}"))

    fill(queue, "x")

    message = dead.receive(10_000)
    assert message.text == "x"
    assert counts == [1, 2, 3, 4, 5, 6, 7]


def test_jms_316_names_are_only_names(session: Any) -> None:
    assert session.create_queue("a") == Queue("a")
    assert session.create_topic("a") == Topic("a")

"""The classes for one domain each, requestors, and the broker for tests; all of them block."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from jms_api import (
    IllegalStateException,
    InvalidDestinationException,
    Queue,
    QueueConnectionFactory,
    QueueRequestor,
    Requestor,
    Topic,
    TopicConnectionFactory,
    TopicRequestor,
)
from jms_api.testing import InMemoryBroker, memory_factory


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The URL of a broker in this process."""
    with InMemoryBroker() as broker:
        yield broker.url


@pytest.fixture
def queues(url: str) -> Iterator[Any]:
    """A QueueSession on a started connection."""
    with QueueConnectionFactory(url).create_queue_connection() as connection:
        connection.start()
        yield connection.create_queue_session(False, 1)


@pytest.fixture
def topics(url: str) -> Iterator[Any]:
    """A TopicSession on a started connection."""
    with TopicConnectionFactory(url).create_topic_connection() as connection:
        connection.start()
        yield connection.create_topic_session(False, 1)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("create_topic", ["t"]),
        ("create_temporary_topic", []),
        ("create_durable_subscriber", [Topic("t"), "n"]),
        ("create_durable_consumer", [Topic("t"), "n"]),
        ("create_shared_consumer", [Topic("t"), "n"]),
        ("create_shared_durable_consumer", [Topic("t"), "n"]),
        ("unsubscribe", ["n"]),
    ],
)
def test_jms_380_queue_session_is_for_queues(queues: Any, name: str, arguments: list[object]) -> None:
    with pytest.raises(IllegalStateException):
        getattr(queues, name)(*arguments)


@pytest.mark.parametrize(
    ("name", "arguments"), [("create_queue", ["q"]), ("create_temporary_queue", []), ("create_browser", [Queue("q")])]
)
def test_jms_381_topic_session_is_for_topics(topics: Any, name: str, arguments: list[object]) -> None:
    with pytest.raises(IllegalStateException):
        getattr(topics, name)(*arguments)


@pytest.mark.jms(
    "QueueConnectionFactory.create_queue_connection",
    "QueueConnection.create_queue_session",
    "QueueSession.create_queue",
    "QueueSession.create_sender",
    "QueueSession.create_receiver",
    "QueueSender.queue",
    "QueueSender.send",
    "QueueReceiver.queue",
)
def test_jms_383_sender_and_receiver_know_their_queue(queues: Any) -> None:
    queue = queues.create_queue("legacy")
    sender, receiver = queues.create_sender(queue), queues.create_receiver(queue)

    sender.send(queues.create_text_message("x"))

    assert (sender.queue, receiver.queue) == (queue, queue)
    assert receiver.receive(10_000).text == "x"


@pytest.mark.jms(
    "TopicConnectionFactory.create_topic_connection",
    "TopicConnection.create_topic_session",
    "TopicSession.create_topic",
    "TopicSession.create_subscriber",
    "TopicSession.create_publisher",
    "TopicPublisher.publish",
    "TopicPublisher.topic",
    "TopicSubscriber.topic",
    "TopicSubscriber.no_local",
)
def test_jms_354_subscriber_knows_its_topic(topics: Any) -> None:
    topic = topics.create_topic("legacy")
    subscriber = topics.create_subscriber(topic, None, True)

    topics.create_publisher(topic).publish(topics.create_text_message("own"))

    assert (subscriber.topic, subscriber.no_local) == (topic, True)
    assert topics.create_publisher(topic).topic == topic
    assert subscriber.receive_no_wait() is None


@pytest.mark.jms("QueueSession.create_temporary_queue", "TopicSession.create_temporary_topic")
def test_jms_355_both_sessions_have_their_temporary_destinations(queues: Any, topics: Any) -> None:
    for session, destination in (
        (queues, queues.create_temporary_queue()),
        (topics, topics.create_temporary_topic()),
    ):
        consumer = session.create_consumer(destination)
        session.create_producer(destination).send(session.create_text_message("x"))

        assert consumer.receive(10_000).text == "x"


@pytest.mark.jms("TopicSession.create_durable_subscriber", "TopicSession.unsubscribe")
def test_jms_352_topic_session_makes_and_deletes_durable_subscriptions(url: str) -> None:
    with TopicConnectionFactory(url, client_id="legacy").create_topic_connection() as connection:
        connection.start()
        session = connection.create_topic_session(False, 1)
        subscriber = session.create_durable_subscriber(Topic("durable"), "mine")
        session.create_publisher("topic:durable").publish(session.create_text_message("x"))
        received = subscriber.receive(10_000)
        subscriber.close()

        session.unsubscribe("mine")

        assert received is not None
        with pytest.raises(InvalidDestinationException):
            session.unsubscribe("mine")


def test_jms_319_topic_is_no_queue(queues: Any) -> None:
    with pytest.raises(InvalidDestinationException):
        queues.create_receiver(Topic("t"))


@pytest.mark.jms("QueueRequestor.request", "QueueRequestor.close", "TopicRequestor.request", "TopicRequestor.close")
@pytest.mark.parametrize(
    ("kind", "destination"), [(QueueRequestor, Queue("echo")), (TopicRequestor, Topic("echo"))], ids=["queue", "topic"]
)
def test_jms_362_requestor_returns_the_reply(url: str, kind: Any, destination: Any) -> None:
    from jms_api import ConnectionFactory

    with ConnectionFactory(url).create_context() as server, ConnectionFactory(url).create_connection() as connection:
        server.create_consumer(destination).message_listener = lambda message: server.create_producer().send(
            message.jms_reply_to, message.text.upper()
        )
        connection.start()
        session = connection.create_session()
        requestor = kind(session, destination)

        reply = requestor.request(session.create_text_message("ping"))
        requestor.close()

        assert reply.text == "PING"
        with pytest.raises(IllegalStateException):
            session.create_text_message("x")


def test_jms_361_requestor_needs_its_destination(queues: Any) -> None:
    with pytest.raises(InvalidDestinationException):
        QueueRequestor(queues, None)  # type: ignore[arg-type]  # what is tested


def test_requestor_gives_up_in_time_and_leaves_the_session_open(url: str) -> None:
    from jms_api import ConnectionFactory

    with ConnectionFactory(url).create_context() as context, Requestor(context, "queue:nobody") as requestor:
        reply = requestor.request(context.create_text_message("ping"), timeout=50)

        assert reply is None
        assert context.create_text_message("still open").text == "still open"


def test_broker_for_tests_is_ready_soon() -> None:
    InMemoryBroker().start().stop()  # imports what it needs
    began = time.perf_counter()

    with memory_factory() as factory, factory.create_context() as context:
        took = time.perf_counter() - began
        context.create_producer().send("queue:a", "x")

        assert context.create_consumer("queue:a").receive_body(str, 10_000) == "x"
    assert took < 1.0  # ten milliseconds where nothing else runs

"""Topics and their subscriptions (JMS 3.1, 4.2 and 8.3)."""

from __future__ import annotations

from typing import Any

import pytest

from jms_api import (
    IllegalStateException,
    InvalidDestinationException,
    JMSException,
    Queue,
    SessionMode,
    Topic,
)
from tests.harness.raw import unique_name
from tests.jms_api.drivers.ways import Way


@pytest.fixture
def name() -> str:
    """A subscription's name that no other test uses."""
    return unique_name("subscription")


@pytest.fixture
def client_id() -> str:
    """A client id that no other test uses."""
    return unique_name("client")


def texts(consumer: Any, count: int) -> list[str]:
    messages = [consumer.receive(10_000) for _ in range(count)]
    return [message.text for message in messages if message is not None]


def test_jms_329_each_consumer_gets_everything(session: Any, topic: Topic, fill: Any) -> None:
    consumers = [session.create_consumer(topic) for _ in range(2)]

    fill(topic, "1", "2")

    assert [texts(consumer, 2) for consumer in consumers] == [["1", "2"], ["1", "2"]]


def test_jms_330_what_was_sent_before_is_not_seen(session: Any, topic: Topic, fill: Any) -> None:
    fill(topic, "before")
    consumer = session.create_consumer(topic)

    fill(topic, "after")

    assert consumer.receive(10_000).text == "after"


def test_jms_235_recover_brings_messages_of_a_topic_back(client: Any, topic: Topic, fill: Any) -> None:
    consumer = client.create_consumer(topic)
    fill(topic, "1")
    consumer.receive(10_000)

    client.recover()

    assert consumer.receive(10_000).jms_redelivered


@pytest.mark.jms("Session.create_shared_consumer")
def test_jms_331_consumers_of_a_shared_subscription_divide_its_messages(
    session: Any, topic: Topic, name: str, fill: Any
) -> None:
    first = session.create_shared_consumer(topic, name)
    second = session.create_shared_consumer(topic, name)

    fill(topic, "1", "2")

    got = [first.receive(10_000), second.receive(10_000)]
    assert sorted(message.text for message in got) == ["1", "2"]


def test_jms_336_unshared_durable_needs_a_client_id(session: Any, topic: Topic, name: str) -> None:
    with pytest.raises(IllegalStateException):
        session.create_durable_consumer(topic, name)


@pytest.mark.jms("Session.create_durable_consumer", "Session.create_durable_subscriber")
def test_jms_338_durable_subscription_goes_on_without_a_consumer(
    connect: Any, topic: Topic, name: str, client_id: str, fill: Any
) -> None:
    session = connect(client_id=client_id).create_session()
    session.create_durable_consumer(topic, name).close()

    fill(topic, "1")

    consumer = session.create_durable_consumer(topic, name)
    assert consumer.receive(10_000).text == "1"


def test_jms_337_second_consumer_of_a_durable_is_refused(connect: Any, topic: Topic, name: str, client_id: str) -> None:
    session = connect(client_id=client_id).create_session()
    session.create_durable_consumer(topic, name)

    with pytest.raises(JMSException):
        session.create_durable_consumer(topic, name)

    # The connection goes on.
    session.create_durable_consumer(topic, f"{name}-2")


def test_jms_340_another_selector_begins_anew(connect: Any, topic: Topic, name: str, client_id: str, fill: Any) -> None:
    session = connect(client_id=client_id).create_session()
    session.create_durable_consumer(topic, name).close()
    fill(topic, "1")

    consumer = session.create_durable_consumer(topic, name, "n IS NULL")

    assert consumer.receive_no_wait() is None


@pytest.mark.parametrize("mode", [SessionMode.CLIENT_ACKNOWLEDGE, SessionMode.SESSION_TRANSACTED])
def test_jms_227_durable_subscription_is_reopened_though_something_is_not_settled(
    connect: Any, topic: Topic, name: str, client_id: str, fill: Any, way: Way, mode: SessionMode
) -> None:
    session = connect(client_id=client_id).create_session(mode)
    consumer = session.create_durable_consumer(topic, name)
    fill(topic, "1", "2")
    first = consumer.receive(10_000)
    consumer.close()

    reopened = session.create_durable_consumer(topic, name)
    second = reopened.receive(10_000)
    if session.transacted:
        session.commit()
    else:
        way.do(first.acknowledge)
    reopened.close()

    assert (first.text, second.text) == ("1", "2")
    assert session.create_durable_consumer(topic, name).receive_no_wait() is None


def test_jms_227_what_a_closed_durable_consumer_was_given_comes_again_to_the_next(
    connect: Any, topic: Topic, name: str, client_id: str, fill: Any
) -> None:
    session = connect(client_id=client_id).create_session(SessionMode.SESSION_TRANSACTED)
    consumer = session.create_durable_consumer(topic, name)
    fill(topic, "1")
    consumer.receive(10_000)
    consumer.close()

    reopened = session.create_durable_consumer(topic, name)
    session.rollback()
    again = reopened.receive(10_000)

    assert (again.text, again.jms_redelivered) == ("1", True)


def test_jms_346_subscription_is_not_changed_while_something_is_not_settled(
    connect: Any, topic: Topic, name: str, client_id: str, fill: Any, way: Way
) -> None:
    session = connect(client_id=client_id).create_session(SessionMode.CLIENT_ACKNOWLEDGE)
    consumer = session.create_durable_consumer(topic, name)
    fill(topic, "1")
    message = consumer.receive(10_000)
    consumer.close()

    with pytest.raises(IllegalStateException, match="is not settled"):
        session.create_durable_consumer(topic, name, "n > 0")

    way.do(message.acknowledge)
    assert session.create_durable_consumer(topic, name, "n > 0").message_selector == "n > 0"


@pytest.mark.jms("Session.unsubscribe")
def test_jms_344_unsubscribe_deletes_the_messages(
    connect: Any, topic: Topic, name: str, client_id: str, fill: Any
) -> None:
    session = connect(client_id=client_id).create_session()
    session.create_durable_consumer(topic, name).close()
    fill(topic, "1")

    session.unsubscribe(name)

    assert session.create_durable_consumer(topic, name).receive_no_wait() is None


def test_jms_345_unknown_subscription_cannot_be_deleted(connect: Any, client_id: str) -> None:
    session = connect(client_id=client_id).create_session()

    with pytest.raises(InvalidDestinationException):
        session.unsubscribe("nobody")


def test_jms_346_subscription_in_use_cannot_be_deleted(
    connect: Any, topic: Topic, name: str, client_id: str, fill: Any
) -> None:
    session = connect(client_id=client_id).create_session()
    consumer = session.create_durable_consumer(topic, name)

    with pytest.raises(IllegalStateException):
        session.unsubscribe(name)

    fill(topic, "1")
    assert consumer.receive(10_000).text == "1"


@pytest.mark.jms("Session.create_shared_durable_consumer")
def test_jms_343_shared_durable_needs_no_client_id(session: Any, topic: Topic, name: str, fill: Any) -> None:
    session.create_shared_durable_consumer(topic, name).close()
    fill(topic, "1")

    assert session.create_shared_durable_consumer(topic, name).receive(10_000).text == "1"


def test_jms_347_no_local_leaves_out_what_the_connection_sent(connect: Any, topic: Topic, fill: Any) -> None:
    session = connect().create_session()
    consumer = session.create_consumer(topic, None, True)
    session.create_producer(topic).send(session.create_text_message("own"))

    fill(topic, "other")

    assert consumer.receive(10_000).text == "other"


def test_jms_319_subscription_with_a_name_needs_a_topic(session: Any, name: str) -> None:
    with pytest.raises(InvalidDestinationException):
        session.create_shared_consumer(Queue("q"), name)


def test_jms_194_client_id_is_set_first(connect: Any, topic: Topic, name: str, client_id: str) -> None:
    connection = connect(is_started=False)

    connection.client_id = client_id

    assert connection.client_id == client_id
    connection.create_session().create_durable_consumer(topic, name)
    with pytest.raises(IllegalStateException):
        connection.client_id = "late"


def test_jms_197_client_id_in_use_is_refused(connect: Any, client_id: str) -> None:
    connect(client_id=client_id)

    with pytest.raises(JMSException, match="in use"):
        connect(client_id=client_id)

"""The simplified API (JMS 3.1, 6.1, 7 and 8.6)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from jms_api import (
    BytesMessage,
    IllegalStateRuntimeException,
    InvalidDestinationRuntimeException,
    InvalidSelectorRuntimeException,
    JMSRuntimeException,
    MapMessage,
    MessageFormatException,
    MessageFormatRuntimeException,
    MessageNotWriteableRuntimeException,
    ObjectMessage,
    Queue,
    SessionMode,
    TextMessage,
)
from tests.jms_api.drivers.ways import Way


@pytest.mark.jms("JMSContext.create_producer", "JMSContext.create_consumer", "JMSProducer.send", "JMSConsumer.receive")
@pytest.mark.parametrize(
    ("body", "kind"),
    [("text", TextMessage), (b"octets", BytesMessage), ({"a": 1, "b": "c"}, MapMessage), ([1, 2], ObjectMessage)],
)
def test_jms_290_body_makes_the_message(context: Any, queue: Queue, body: Any, kind: type) -> None:
    context.create_producer().send(queue, body)

    message = context.create_consumer(queue).receive(10_000)

    assert isinstance(message, kind)
    assert message.body == body


@dataclass(frozen=True)
class Parcel:
    """A class of an application, which may be pickled where it is allowed."""

    weight: int


def test_jms_090_objects_of_allowed_classes_arrive(open_context: Callable[..., Any], queue: Queue) -> None:
    context = open_context(allowed_classes=[Parcel])
    consumer = context.create_consumer(queue)

    context.create_producer().send(queue, Parcel(1)).send(queue, context.create_object_message(Parcel(2)))

    assert [consumer.receive(10_000).get_body(Parcel) for _ in range(2)] == [Parcel(1), Parcel(2)]


def test_jms_090_objects_of_other_classes_are_refused(open_context: Callable[..., Any], queue: Queue) -> None:
    sender, receiver = open_context(allowed_classes=[Parcel]), open_context()

    with pytest.raises(MessageFormatRuntimeException, match="allowed_classes"):
        receiver.create_producer().send(queue, Parcel(1))
    with pytest.raises(MessageFormatRuntimeException, match="allowed_classes"):
        receiver.create_object_message(Parcel(1))
    sender.create_producer().send(queue, Parcel(1))

    message = receiver.create_consumer(queue).receive(10_000)
    with pytest.raises(MessageFormatException, match="allowed_classes"):
        _ = message.object


def test_jms_289_setters_can_be_chained(context: Any, queue: Queue) -> None:
    producer = context.create_producer()

    producer.set_priority(8).set_property("n", 5).set_jms_type("t").send(queue, "x")

    message = context.create_consumer(queue).receive(10_000)
    assert (message.jms_priority, message.get_int_property("n"), message.jms_type) == (8, 5, "t")


def test_jms_295_keywords_count_for_one_message(context: Any, queue: Queue) -> None:
    producer = context.create_producer()
    producer.send(queue, "x", properties={"n": 1}, correlation_id="c", priority=9)
    producer.send(queue, "y")

    consumer = context.create_consumer(queue)
    first, second = consumer.receive(10_000), consumer.receive(10_000)

    assert (first.text, first.jms_correlation_id, first.get_int_property("n")) == ("x", "c", 1)
    assert (second.jms_correlation_id, second.property_exists("n"), second.jms_priority) == (None, False, 4)


def test_jms_293_properties_of_a_received_message_are_read_only(context: Any, queue: Queue) -> None:
    context.create_producer().send(queue, "x")
    message = context.create_consumer(queue).receive(10_000)

    with pytest.raises(MessageNotWriteableRuntimeException):
        context.create_producer().set_property("n", 1).send(queue, message)


@pytest.mark.jms("JMSContext.start", "JMSConsumer.receive_no_wait")
def test_jms_366_consumer_starts_the_connection(open_context: Any, queue: Queue) -> None:
    context = open_context()
    context.auto_start = False
    context.create_producer().send(queue, "x")
    consumer = context.create_consumer(queue)
    before = consumer.receive_no_wait()

    context.start()

    assert before is None
    assert consumer.receive(10_000).text == "x"


@pytest.mark.jms("JMSContext.create_context", "JMSContext.close")
def test_jms_367_connection_ends_with_its_last_context(open_context: Any, queue: Queue) -> None:
    first = open_context()
    second = first.create_context(SessionMode.AUTO_ACKNOWLEDGE)
    first.close()

    second.create_producer().send(queue, "x")

    assert second.create_consumer(queue).receive(10_000).text == "x"
    second.close()
    with pytest.raises(IllegalStateRuntimeException):
        second.create_text_message("x")


@pytest.mark.jms("JMSContext.commit", "JMSContext.recover")
def test_jms_370_transactions_and_recovery_are_for_their_modes(open_context: Any, context: Any) -> None:
    transacted = open_context(SessionMode.SESSION_TRANSACTED)

    with pytest.raises(IllegalStateRuntimeException):
        context.commit()
    with pytest.raises(IllegalStateRuntimeException):
        context.rollback()
    with pytest.raises(IllegalStateRuntimeException):
        transacted.recover()


@pytest.mark.jms("ConnectionFactory.create_context")
def test_jms_373_unknown_mode_is_refused(way: Way, url: str) -> None:
    with pytest.raises(JMSRuntimeException):
        way.factory(url).create_context(9)


def test_jms_369_runtime_twins_are_raised(context: Any, queue: Queue) -> None:
    with pytest.raises(InvalidDestinationRuntimeException):
        context.create_consumer(None)
    with pytest.raises(InvalidSelectorRuntimeException):
        context.create_consumer(queue, "=")
    with pytest.raises(InvalidDestinationRuntimeException):
        context.create_producer().send(None, "x")
    with pytest.raises(MessageFormatRuntimeException):
        context.create_producer().send(queue, {"a": object()})
    with pytest.raises(JMSRuntimeException):
        context.create_producer().set_priority(10)


@pytest.mark.jms("JMSConsumer.receive_body", "JMSConsumer.receive_body_no_wait")
def test_jms_121_body_is_received(context: Any, queue: Queue) -> None:
    producer = context.create_producer()
    producer.send(queue, "x")
    producer.send(queue, {"a": 1})
    consumer = context.create_consumer(queue)

    bodies = [
        consumer.receive_body(str, 10_000),
        consumer.receive_body(dict, 10_000),
        consumer.receive_body_no_wait(str),
    ]

    assert bodies == ["x", {"a": 1}, None]


def test_jms_122_body_of_the_wrong_type_leaves_the_message(context: Any, queue: Queue) -> None:
    context.create_producer().send(queue, "x")
    consumer = context.create_consumer(queue)
    with pytest.raises(MessageFormatRuntimeException):
        consumer.receive_body(dict, 10_000)

    message = consumer.receive(10_000)

    assert (message.text, message.jms_redelivered) == ("x", False)
    assert message.get_int_property("JMSXDeliveryCount") == 1


@pytest.mark.jms("JMSContext.rollback")
def test_jms_124_body_of_the_wrong_type_counts_as_received_in_a_transaction(open_context: Any, queue: Queue) -> None:
    context = open_context(SessionMode.SESSION_TRANSACTED)
    context.create_producer().send(queue, "x")
    context.commit()
    consumer = context.create_consumer(queue)
    with pytest.raises(MessageFormatRuntimeException):
        consumer.receive_body(dict, 10_000)
    before = consumer.receive_no_wait()

    context.rollback()

    assert before is None
    assert consumer.receive(10_000).get_int_property("JMSXDeliveryCount") == 2


@pytest.mark.jms("JMSContext.acknowledge")
def test_jms_225_context_acknowledges_all(open_context: Any, context: Any, queue: Queue) -> None:
    client = open_context(SessionMode.CLIENT_ACKNOWLEDGE)
    client.create_producer().send(queue, "x")
    client.create_consumer(queue).receive(10_000)

    client.acknowledge()
    client.close()

    assert context.create_consumer(queue).receive_no_wait() is None


def test_jms_281_asynchronous_sends_are_told(context: Any, queue: Queue) -> None:
    told: list[Any] = []
    producer = context.create_producer().set_async(told.append)

    producer.send(queue, "1")
    producer.send(queue, "2")
    consumer = context.create_consumer(queue)
    received = [consumer.receive(10_000).text for _ in range(2)]
    context.close()

    assert [message.text for message in told] == received == ["1", "2"]

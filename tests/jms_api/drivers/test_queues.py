"""Queues: sending, receiving, acknowledging (JMS 3.1, 4.1, 6.2 and 7)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from jms_api import (
    DeliveryMode,
    IllegalArgumentException,
    IllegalStateException,
    InvalidDestinationException,
    InvalidSelectorException,
    JMSException,
    MessageFormatException,
    Queue,
    Topic,
    UnsupportedOperationException,
)
from tests.jms_api.drivers.ways import Way


def texts(consumer: Any, count: int) -> list[str]:
    """Receive so many texts."""
    messages = [consumer.receive(10_000) for _ in range(count)]
    return [message.text for message in messages if message is not None]


def process(way: Way, message: Any, work: Callable[[Any], object]) -> None:
    """Work on a message within its block, as a program of that driver does."""

    def block() -> None:
        with message.processing() as processed:
            work(processed)

    async def asynchronous_block() -> None:
        async with message.processing() as processed:
            work(processed)

    way.do(block if way.name == "blocking" else asynchronous_block)


@pytest.mark.jms("Session.create_producer", "Session.create_consumer", "MessageProducer.send")
def test_jms_252_messages_come_in_the_order_of_sending(session: Any, queue: Queue) -> None:
    producer = session.create_producer(queue)
    for number in range(20):
        producer.send(session.create_text_message(str(number)))

    received = texts(session.create_consumer(queue), 20)

    assert received == [str(number) for number in range(20)]


def test_jms_001_headers_reach_the_receiver(session: Any, queue: Queue) -> None:
    message = session.create_text_message("x")
    message.jms_correlation_id = "c: 1\n2"
    message.jms_type = "order"
    message.jms_reply_to = Topic("answers")
    message.properties["count"] = 7
    session.create_producer(queue).send(message, priority=7, time_to_live=60_000)

    received = session.create_consumer(queue).receive(10_000)

    names = (
        "jms_message_id jms_destination jms_priority jms_expiration jms_timestamp jms_delivery_mode jms_delivery_time"
    )
    for name in [*names.split(), "jms_correlation_id", "jms_type", "jms_reply_to"]:
        assert getattr(received, name) == getattr(message, name), name
    assert received.get_int_property("count") == 7
    assert received.jms_redelivered is False


def test_jms_002_what_the_client_puts_into_the_provider_headers_has_no_effect(session: Any, queue: Queue) -> None:
    message = session.create_text_message("x")
    message.jms_priority = 9
    message.jms_delivery_mode = DeliveryMode.NON_PERSISTENT
    message.jms_message_id = "ID:mine"

    session.create_producer(queue).send(message)

    assert message.jms_priority == 4
    assert message.jms_delivery_mode is DeliveryMode.PERSISTENT
    assert message.jms_message_id is not None
    assert message.jms_message_id != "ID:mine"


def test_jms_007_two_sends_of_one_message_have_two_ids(session: Any, queue: Queue) -> None:
    message = session.create_text_message("x")
    producer = session.create_producer(queue)
    producer.send(message)
    first = message.jms_message_id

    producer.send(message)

    assert first.startswith("ID:")
    assert message.jms_message_id != first


def test_jms_010_timestamp_is_that_of_the_call(session: Any, queue: Queue) -> None:
    message = session.create_text_message("x")
    before = int(time.time() * 1000)

    session.create_producer(queue).send(message)

    assert before <= message.jms_timestamp <= time.time() * 1000


def test_jms_025_expired_message_does_not_come(session: Any, queue: Queue) -> None:
    consumer = session.create_consumer(queue)
    session.create_producer(queue).send(session.create_text_message("old"), time_to_live=1)
    time.sleep(0.05)  # what the test is about

    received = consumer.receive(100)

    assert received is None


@pytest.mark.parametrize("priority", [-1, 10])
def test_jms_034_priority_out_of_range_is_refused(session: Any, queue: Queue, priority: int) -> None:
    producer = session.create_producer(queue)

    with pytest.raises(JMSException):
        producer.priority = priority
    with pytest.raises(JMSException):
        producer.send(session.create_text_message("x"), priority=priority)


@pytest.mark.parametrize("mode", [-1, 0, 3, 10])
def test_jms_034_delivery_mode_out_of_range_is_refused(session: Any, queue: Queue, mode: int) -> None:
    producer = session.create_producer(queue)

    with pytest.raises(JMSException):
        producer.delivery_mode = mode
    with pytest.raises(JMSException):
        producer.send(session.create_text_message("x"), delivery_mode=mode)


def test_jms_079_redelivered_message_is_the_original(client: Any, queue: Queue) -> None:
    client.create_producer(queue).send(client.create_text_message("original"))
    consumer = client.create_consumer(queue)
    first = consumer.receive(10_000)
    first.clear_body()
    first.text = "changed"

    client.recover()

    assert consumer.receive(10_000).text == "original"


@pytest.mark.jms("Connection.create_session", "Session.transacted", "Session.acknowledge_mode")
def test_jms_207_java_form_of_create_session_is_known(connection: Any) -> None:
    transacted, client = connection.create_session(True, 1), connection.create_session(False, 2)

    assert (transacted.transacted, transacted.acknowledge_mode) == (True, 0)
    assert (client.transacted, client.acknowledge_mode) == (False, 2)


def test_jms_207_unknown_mode_is_refused(connection: Any) -> None:
    with pytest.raises(JMSException):
        connection.create_session(7)


def test_jms_216_received_message_is_acknowledged(connection: Any, session: Any, queue: Queue, fill: Any) -> None:
    fill(queue, "one")
    session.create_consumer(queue).receive(10_000)
    session.close()

    left = connection.create_session().create_consumer(queue).receive_no_wait()

    assert left is None


def test_jms_219_recover_of_an_auto_session_brings_nothing_back(session: Any, queue: Queue, fill: Any) -> None:
    fill(queue, "one", "two")
    consumer = session.create_consumer(queue)
    consumer.receive(10_000)

    session.recover()

    assert consumer.receive(10_000).text == "two"


def test_jms_221_acknowledge_covers_all_that_the_session_was_given(
    connection: Any, client: Any, queue: Queue, way: Way, fill: Any
) -> None:
    fill(queue, "1", "2", "3")
    consumer = client.create_consumer(queue)
    messages = [consumer.receive(10_000) for _ in range(3)]

    way.do(messages[0].acknowledge)
    client.close()

    assert connection.create_session().create_consumer(queue).receive_no_wait() is None


def test_jms_222_recover_brings_what_was_not_acknowledged(client: Any, queue: Queue, way: Way, fill: Any) -> None:
    fill(queue, "1", "2", "3", "4")
    consumer = client.create_consumer(queue)
    messages = [consumer.receive(10_000) for _ in range(3)]
    way.do(messages[1].acknowledge)
    consumer.receive(10_000)

    client.recover()

    again = consumer.receive(10_000)
    assert (again.text, again.jms_redelivered, again.get_int_property("JMSXDeliveryCount")) == ("4", True, 2)
    assert consumer.receive_no_wait() is None


def test_processed_message_is_acknowledged(connection: Any, client: Any, queue: Queue, way: Way, fill: Any) -> None:
    fill(queue, "a", "b")
    worked_on: list[str] = []

    process(way, client.create_consumer(queue).receive(10_000), lambda message: worked_on.append(message.text))
    client.close()

    assert worked_on == ["a"]
    assert texts(connection.create_session().create_consumer(queue), 1) == ["b"]


def test_message_whose_processing_raises_comes_again(client: Any, queue: Queue, way: Way, fill: Any) -> None:
    fill(queue, "a")
    consumer = client.create_consumer(queue)

    with pytest.raises(ZeroDivisionError):
        process(way, consumer.receive(10_000), lambda message: 1 // 0)

    again = consumer.receive(10_000)
    assert (again.text, again.jms_redelivered) == ("a", True)


def test_processing_is_refused_where_the_session_settles(session: Any, queue: Queue, way: Way, fill: Any) -> None:
    fill(queue, "a")
    message = session.create_consumer(queue).receive(10_000)

    with pytest.raises(IllegalStateException, match="CLIENT_ACKNOWLEDGE"):
        process(way, message, lambda processed: None)


def test_processing_of_a_message_that_was_not_received_settles_nothing(session: Any, way: Way) -> None:
    process(way, session.create_text_message("x"), lambda message: None)


def test_jms_224_acknowledge_after_close_is_refused(client: Any, queue: Queue, way: Way, fill: Any) -> None:
    fill(queue, "1")
    message = client.create_consumer(queue).receive(10_000)
    client.close()

    with pytest.raises(IllegalStateException):
        way.do(message.acknowledge)


@pytest.mark.jms("MessageConsumer.close")
def test_jms_227_message_of_a_closed_consumer_can_be_acknowledged(
    connection: Any, client: Any, queue: Queue, way: Way, fill: Any
) -> None:
    fill(queue, "1")
    consumer = client.create_consumer(queue)
    message = consumer.receive(10_000)
    consumer.close()

    way.do(message.acknowledge)
    client.close()

    assert connection.create_session().create_consumer(queue).receive_no_wait() is None


@pytest.mark.jms("Session.recover")
def test_jms_231_recover_begins_with_the_oldest(client: Any, queue: Queue, fill: Any) -> None:
    fill(queue, "1", "2", "3")
    consumer = client.create_consumer(queue)
    texts(consumer, 2)

    client.recover()

    assert texts(consumer, 3) == ["1", "2", "3"]


def test_jms_239_rolled_back_sends_are_gone(transacted: Any, queue: Queue) -> None:
    transacted.create_producer(queue).send(transacted.create_text_message("x"))

    transacted.rollback()

    consumer = transacted.create_consumer(queue)
    assert consumer.receive_no_wait() is None


@pytest.mark.jms("Session.commit")
def test_jms_239_sends_are_invisible_until_commit(transacted: Any, session: Any, queue: Queue) -> None:
    consumer = session.create_consumer(queue)
    transacted.create_producer(queue).send(transacted.create_text_message("x"))
    before = consumer.receive_no_wait()

    transacted.commit()

    assert before is None
    assert consumer.receive(10_000).text == "x"


def test_jms_240_commit_acknowledges(connection: Any, transacted: Any, queue: Queue, fill: Any) -> None:
    fill(queue, "1", "2")
    texts(transacted.create_consumer(queue), 2)

    transacted.commit()
    transacted.close()

    assert connection.create_session().create_consumer(queue).receive_no_wait() is None


@pytest.mark.jms("Session.rollback")
def test_jms_241_rollback_brings_messages_back_flagged(transacted: Any, queue: Queue, fill: Any) -> None:
    fill(queue, "1", "2")
    consumer = transacted.create_consumer(queue)
    texts(consumer, 2)

    transacted.rollback()

    again = [consumer.receive(10_000) for _ in range(2)]
    assert [message.text for message in again] == ["1", "2"]
    assert [message.jms_redelivered for message in again] == [True, True]
    assert [message.get_int_property("JMSXDeliveryCount") for message in again] == [2, 2]


def test_jms_244_commit_and_rollback_need_a_transacted_session(session: Any) -> None:
    with pytest.raises(IllegalStateException):
        session.commit()
    with pytest.raises(IllegalStateException):
        session.rollback()


def test_jms_230_transacted_session_cannot_recover(transacted: Any) -> None:
    with pytest.raises(IllegalStateException):
        transacted.recover()


def test_jms_264_producer_with_a_destination_takes_no_other(session: Any, queue: Queue) -> None:
    producer = session.create_producer(queue)

    with pytest.raises(UnsupportedOperationException):
        producer.send(Queue("other"), session.create_text_message("x"))


def test_jms_265_producer_without_a_destination_needs_one(session: Any, queue: Queue) -> None:
    producer = session.create_producer(None)
    producer.send(queue, session.create_text_message("x"))

    with pytest.raises(UnsupportedOperationException):
        producer.send(session.create_text_message("x"))
    assert session.create_consumer(queue).receive(10_000).text == "x"


def test_jms_266_no_destination_is_refused(session: Any) -> None:
    with pytest.raises(InvalidDestinationException):
        session.create_producer(None).send(None, session.create_text_message("x"))


def test_jms_267_no_message_is_refused(session: Any, queue: Queue) -> None:
    with pytest.raises(MessageFormatException):
        session.create_producer(queue).send(None)


@pytest.mark.jms("MessageProducer.close")
def test_jms_272_closed_producer_is_of_no_use(session: Any, queue: Queue) -> None:
    producer = session.create_producer(queue)
    producer.close()
    producer.close()

    with pytest.raises(IllegalStateException):
        producer.send(session.create_text_message("x"))
    with pytest.raises(IllegalStateException):
        _ = producer.priority


@pytest.mark.jms("MessageConsumer.receive")
def test_jms_298_receive_ends_when_the_time_is_up(session: Any, queue: Queue) -> None:
    consumer = session.create_consumer(queue)
    began = time.monotonic()

    received = consumer.receive(80)

    assert received is None
    assert time.monotonic() - began >= 0.08


def test_jms_298_negative_timeout_is_refused(session: Any, queue: Queue) -> None:
    consumer = session.create_consumer(queue)

    with pytest.raises(IllegalArgumentException):
        consumer.receive(-1)


@pytest.mark.jms("MessageConsumer.receive_no_wait")
def test_jms_299_receive_no_wait_finds_what_the_broker_has(session: Any, queue: Queue, fill: Any) -> None:
    consumer = session.create_consumer(queue)
    fill(queue, "1", "2")

    found = [consumer.receive_no_wait() for _ in range(3)]

    assert [message and message.text for message in found] == ["1", "2", None]


def test_jms_167_wrong_selector_is_refused_at_once(session: Any, queue: Queue) -> None:
    with pytest.raises(InvalidSelectorException):
        session.create_consumer(queue, "n >")


def test_jms_169_what_is_not_selected_stays(session: Any, queue: Queue) -> None:
    producer = session.create_producer(queue)
    for number in range(4):
        message = session.create_text_message(str(number))
        message.properties["n"] = number
        producer.send(message)
    selecting = session.create_consumer(queue, "n > 1")
    selected = texts(selecting, 2)
    selecting.close()

    rest = texts(session.create_consumer(queue), 2)

    assert (selected, rest) == (["2", "3"], ["0", "1"])


@pytest.mark.jms("MessageConsumer.message_selector")
def test_jms_171_selector_is_told(session: Any, queue: Queue) -> None:
    with_one, without = session.create_consumer(queue, "n > 1"), session.create_consumer(queue, " ")

    assert with_one.message_selector == "n > 1"
    assert without.message_selector is None


def test_jms_317_consumer_needs_a_destination(session: Any) -> None:
    with pytest.raises(InvalidDestinationException):
        session.create_consumer(None)


@pytest.mark.jms("Session.close")
def test_jms_346_closed_session_is_of_no_use(connection: Any, queue: Queue) -> None:
    session = connection.create_session()
    session.close()
    session.close()

    with pytest.raises(IllegalStateException):
        session.create_text_message("x")
    with pytest.raises(IllegalStateException):
        session.create_consumer(queue)
    with pytest.raises(IllegalStateException):
        _ = session.transacted


def test_jms_279_completion_listener_is_told(session: Any, queue: Queue) -> None:
    told: list[object] = []
    message = session.create_text_message("x")
    producer = session.create_producer(queue)

    producer.send(message, completion_listener=told.append)
    producer.close()

    assert told == [message]


def test_jms_281_completion_listener_may_not_be_none(session: Any, queue: Queue) -> None:
    producer = session.create_producer(queue)

    with pytest.raises(IllegalArgumentException):
        producer.send(session.create_text_message("x"), completion_listener=None)


def test_jms_312_what_a_closed_consumer_did_not_give_out_was_not_delivered(
    connection: Any, session: Any, queue: Queue, fill: Any
) -> None:
    consumer = session.create_consumer(queue)
    fill(queue, "1", "2", "3")
    consumer.receive(10_000)
    consumer.close()

    rest = session.create_consumer(queue)

    for text in ("2", "3"):
        message = rest.receive(10_000)
        described = (message.text, message.jms_redelivered, message.get_int_property("JMSXDeliveryCount"))
        assert described == (text, False, 1)


def test_jms_215_what_was_not_acknowledged_comes_again_flagged(
    connection: Any, client: Any, session: Any, queue: Queue, fill: Any
) -> None:
    fill(queue, "1", "2")
    client.create_consumer(queue).receive(10_000)
    client.close()
    consumer = session.create_consumer(queue)

    described = {}
    for _ in range(2):
        message = consumer.receive(20_000)
        described[message.text] = message.jms_redelivered, message.get_int_property("JMSXDeliveryCount")

    assert described == {"1": (True, 2), "2": (False, 1)}

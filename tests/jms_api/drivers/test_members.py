"""Small things that each object has: getters, setters and defaults."""

from __future__ import annotations

from typing import Any

import pytest

from jms_api import (
    CompletionListener,
    DeliveryMode,
    ExceptionListener,
    IllegalStateException,
    IllegalStateRuntimeException,
    JMSContext,
    JMSException,
    Message,
    MessageListener,
    Queue,
    Session,
    SessionMode,
    Topic,
)


class Everything:
    """A listener for everything."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def on_message(self, message: Message) -> None:
        self.told.append(message)

    def on_completion(self, message: Message) -> None:
        self.told.append(message)

    def on_exception(self, *what: object) -> None:
        self.told.append(what)


@pytest.mark.jms(
    "MessageListener.on_message",
    "CompletionListener.on_completion",
    "CompletionListener.on_exception",
    "ExceptionListener.on_exception",
)
def test_listener_is_what_has_the_methods() -> None:
    listener = Everything()

    assert isinstance(listener, MessageListener)
    assert isinstance(listener, CompletionListener)
    assert isinstance(listener, ExceptionListener)


@pytest.mark.jms(
    "Session.AUTO_ACKNOWLEDGE",
    "Session.CLIENT_ACKNOWLEDGE",
    "Session.DUPS_OK_ACKNOWLEDGE",
    "Session.SESSION_TRANSACTED",
    "JMSContext.AUTO_ACKNOWLEDGE",
    "JMSContext.CLIENT_ACKNOWLEDGE",
    "JMSContext.DUPS_OK_ACKNOWLEDGE",
    "JMSContext.SESSION_TRANSACTED",
)
@pytest.mark.parametrize("kind", [Session, JMSContext])
def test_modes_have_the_numbers_of_jms(kind: Any) -> None:
    modes = [kind.SESSION_TRANSACTED, kind.AUTO_ACKNOWLEDGE, kind.CLIENT_ACKNOWLEDGE, kind.DUPS_OK_ACKNOWLEDGE]

    assert modes == [0, 1, 2, 3]


@pytest.mark.jms("Connection.meta_data", "Connection.client_id", "Connection.exception_listener", "Connection.close")
def test_jms_186_closed_connection_tells_nothing(connect: Any) -> None:
    connection = connect()
    listener = Everything()
    connection.exception_listener = listener
    was = connection.exception_listener, connection.client_id, connection.meta_data.jms_version
    connection.close()
    connection.close()

    assert was == (listener, None, "3.1")
    for name in ("client_id", "meta_data", "exception_listener", "capabilities"):
        with pytest.raises(IllegalStateException):
            getattr(connection, name)


@pytest.mark.jms("Connection.start", "Connection.stop")
def test_jms_175_start_and_stop_may_be_repeated(connect: Any, queue: Queue) -> None:
    connection = connect()
    session = connection.create_session()
    consumer = session.create_consumer(queue)
    session.create_producer(queue).send(session.create_text_message("x"))

    connection.start()
    connection.stop()
    connection.stop()
    while_stopped = consumer.receive(50)
    connection.start()

    assert while_stopped is None
    assert consumer.receive(10_000).text == "x"


@pytest.mark.jms(
    "MessageProducer.disable_message_id",
    "MessageProducer.disable_message_timestamp",
    "MessageProducer.delivery_mode",
    "MessageProducer.priority",
    "MessageProducer.time_to_live",
    "MessageProducer.delivery_delay",
    "MessageProducer.destination",
)
def test_jms_262_producer_has_defaults_and_keeps_what_is_set(session: Any, queue: Queue) -> None:
    producer = session.create_producer(queue)
    wanted = {
        "disable_message_id": (False, True),
        "disable_message_timestamp": (False, True),
        "delivery_mode": (DeliveryMode.PERSISTENT, DeliveryMode.NON_PERSISTENT),
        "priority": (4, 9),
        "time_to_live": (0, 1000),
        "delivery_delay": (0, 1000),
    }

    defaults = {name: getattr(producer, name) for name in wanted}
    for name, (_, value) in wanted.items():
        setattr(producer, name, value)

    assert defaults == {name: default for name, (default, _) in wanted.items()}
    assert {name: getattr(producer, name) for name in wanted} == {name: value for name, (_, value) in wanted.items()}
    assert producer.destination == queue


@pytest.mark.jms(
    "JMSProducer.set_disable_message_id",
    "JMSProducer.disable_message_id",
    "JMSProducer.set_disable_message_timestamp",
    "JMSProducer.disable_message_timestamp",
    "JMSProducer.set_delivery_mode",
    "JMSProducer.delivery_mode",
    "JMSProducer.set_priority",
    "JMSProducer.priority",
    "JMSProducer.set_time_to_live",
    "JMSProducer.time_to_live",
    "JMSProducer.set_delivery_delay",
    "JMSProducer.delivery_delay",
    "JMSProducer.set_async",
    "JMSProducer.completion_listener",
    "JMSProducer.set_jms_correlation_id",
    "JMSProducer.jms_correlation_id",
    "JMSProducer.set_jms_correlation_id_as_bytes",
    "JMSProducer.jms_correlation_id_as_bytes",
    "JMSProducer.set_jms_type",
    "JMSProducer.jms_type",
    "JMSProducer.set_jms_reply_to",
    "JMSProducer.jms_reply_to",
)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("disable_message_id", True),
        ("disable_message_timestamp", True),
        ("delivery_mode", DeliveryMode.NON_PERSISTENT),
        ("priority", 9),
        ("time_to_live", 1000),
        ("delivery_delay", 1000),
        ("jms_correlation_id", "c"),
        ("jms_correlation_id_as_bytes", b"c"),
        ("jms_type", "t"),
        ("jms_reply_to", Queue("r")),
    ],
)
def test_jms_289_jms_producer_keeps_what_is_set(context: Any, name: str, value: Any) -> None:
    by_method, by_attribute = context.create_producer(), context.create_producer()

    returned = getattr(by_method, f"set_{name}")(value)
    setattr(by_attribute, name, value)

    assert getattr(returned, name) == getattr(by_method, name) == getattr(by_attribute, name) == value


def test_jms_281_listener_for_asynchronous_sends_is_told(context: Any) -> None:
    listener = Everything()
    producer = context.create_producer().set_async(listener)

    was = producer.completion_listener
    producer.set_async(None)

    assert was is listener
    assert producer.completion_listener is None


@pytest.mark.jms(
    "JMSProducer.set_property",
    "JMSProducer.clear_properties",
    "JMSProducer.property_exists",
    "JMSProducer.property_names",
    "JMSProducer.get_boolean_property",
    "JMSProducer.get_byte_property",
    "JMSProducer.get_short_property",
    "JMSProducer.get_int_property",
    "JMSProducer.get_long_property",
    "JMSProducer.get_float_property",
    "JMSProducer.get_double_property",
    "JMSProducer.get_string_property",
    "JMSProducer.get_object_property",
)
def test_jms_294_properties_of_a_jms_producer_convert(context: Any) -> None:
    producer = context.create_producer().set_property("n", "1").set_property("yes", True)

    numbers = [getattr(producer, f"get_{kind}_property")("n") for kind in ("byte", "short", "int", "long")]
    others = [getattr(producer, f"get_{kind}_property")("n") for kind in ("float", "double", "string", "object")]

    assert (numbers, others) == ([1, 1, 1, 1], [1.0, 1.0, "1", "1"])
    assert producer.get_boolean_property("yes") is True
    assert set(producer.property_names) == {"n", "yes"}
    assert not producer.clear_properties().property_exists("n")


@pytest.mark.jms(
    "Session.create_message",
    "Session.create_text_message",
    "Session.create_bytes_message",
    "Session.create_map_message",
    "Session.create_stream_message",
    "Session.create_object_message",
    "Session.create_queue",
    "Session.create_topic",
    "JMSContext.create_message",
    "JMSContext.create_text_message",
    "JMSContext.create_bytes_message",
    "JMSContext.create_map_message",
    "JMSContext.create_stream_message",
    "JMSContext.create_object_message",
    "JMSContext.create_queue",
    "JMSContext.create_topic",
)
@pytest.mark.parametrize(
    ("name", "argument", "kind"),
    [
        ("create_message", (), "Message"),
        ("create_text_message", ("x",), "TextMessage"),
        ("create_bytes_message", (), "BytesMessage"),
        ("create_map_message", (), "MapMessage"),
        ("create_stream_message", (), "StreamMessage"),
        ("create_object_message", ([1],), "ObjectMessage"),
        ("create_queue", ("q",), "Queue"),
        ("create_topic", ("t",), "Topic"),
    ],
)
def test_jms_374_sessions_and_contexts_make_messages_until_they_are_closed(
    session: Any, context: Any, name: str, argument: tuple[Any, ...], kind: str
) -> None:
    made = [getattr(owner, name)(*argument) for owner in (session, context)]
    session.close()
    context.close()

    assert [type(one).__name__ for one in made] == [kind, kind]
    with pytest.raises(IllegalStateException):
        getattr(session, name)(*argument)
    with pytest.raises(IllegalStateRuntimeException):
        getattr(context, name)(*argument)


@pytest.mark.jms(
    "JMSContext.transacted",
    "JMSContext.session_mode",
    "JMSContext.auto_start",
    "JMSContext.meta_data",
    "JMSContext.exception_listener",
    "JMSContext.client_id",
    "JMSContext.stop",
)
def test_context_tells_about_itself(open_context: Any) -> None:
    context = open_context(SessionMode.CLIENT_ACKNOWLEDGE)
    listener = Everything()
    context.client_id = f"client-{id(context)}"
    context.exception_listener = listener
    context.stop()

    assert (context.transacted, context.session_mode, context.auto_start) == (False, 2, True)
    assert (context.meta_data.jms_major_version, context.exception_listener) == (3, listener)
    assert context.client_id.startswith("client-")


@pytest.mark.jms("JMSConsumer.message_selector", "JMSConsumer.message_listener", "JMSConsumer.close")
def test_jms_186_closed_jms_consumer_tells_nothing(context: Any, queue: Queue) -> None:
    listener = Everything()
    consumer = context.create_consumer(queue, "n = 1")
    consumer.message_listener = listener
    was = consumer.message_selector, consumer.message_listener
    consumer.close()
    consumer.close()

    assert was == ("n = 1", listener)
    with pytest.raises(IllegalStateRuntimeException):
        _ = consumer.message_selector
    with pytest.raises(IllegalStateRuntimeException):
        consumer.receive(10)


@pytest.mark.jms(
    "JMSContext.create_durable_consumer",
    "JMSContext.create_shared_consumer",
    "JMSContext.create_shared_durable_consumer",
    "JMSContext.unsubscribe",
    "JMSContext.create_temporary_queue",
    "JMSContext.create_temporary_topic",
)
def test_jms_374_context_makes_all_kinds_of_consumers(open_context: Any, topic: Topic) -> None:
    name = topic.topic_name
    context = open_context(client_id=name)
    sources = [
        context.create_durable_consumer(topic, f"{name}-1"),
        context.create_shared_consumer(topic, f"{name}-2"),
        context.create_shared_durable_consumer(topic, f"{name}-3"),
    ]
    temporary = [context.create_temporary_queue(), context.create_temporary_topic()]
    context.create_producer().send(topic, "x")

    bodies = [source.receive_body(str, 10_000) for source in sources]

    assert bodies == ["x"] * 3
    assert [str(one).partition(":")[0] for one in temporary] == ["temp-queue", "temp-topic"]
    sources[0].close()
    context.unsubscribe(f"{name}-1")


@pytest.mark.jms("QueueBrowser.queue", "QueueBrowser.message_selector", "QueueBrowser.close", "Session.create_browser")
def test_jms_322_browser_tells_about_itself(session: Any, queue: Queue) -> None:
    browser = session.create_browser(queue, "n = 1")
    was = browser.queue, browser.message_selector
    browser.close()
    browser.close()

    assert was == (queue, "n = 1")
    with pytest.raises(IllegalStateException):
        _ = browser.queue
    with pytest.raises(JMSException):
        session.create_browser(Topic("t"))

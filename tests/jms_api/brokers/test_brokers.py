"""The client library on brokers of others: what they can do is done, and the rest is refused.

`STOMPD_TEST_RABBITMQ='stomp://guest:guest@127.0.0.1:61613?virtual_host=/' scripts/test tests/jms_api/brokers`, and
likewise with `STOMPD_TEST_ACTIVEMQ` and `STOMPD_TEST_ARTEMIS`.
"""

from __future__ import annotations

import queue as queues
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from jms_api import (
    ConnectionFactory,
    DeliveryMode,
    JMSContext,
    JMSSecurityRuntimeException,
    Long,
    MapMessage,
    Message,
    Queue,
    Requestor,
    Short,
    StreamMessage,
    Topic,
    UnsupportedOperationException,
)
from tests.harness.raw import unique_name
from tests.jms_api.brokers.conftest import BROKERS, NAMED

if not NAMED:
    examples = ", ".join(f"{variable}='{url}'" for variable, url in BROKERS.values())
    pytest.skip(f"to run these, say where a broker is: {examples}", allow_module_level=True)

PATIENCE_MS = 10_000

#: Long enough for a message that must not come.
SHORT_MS = 300


@pytest.fixture
def context(factory: ConnectionFactory) -> Iterator[JMSContext]:
    """A session that acknowledges by itself."""
    with factory.create_context() as context:
        yield context


@pytest.fixture
def transacted(factory: ConnectionFactory) -> Iterator[JMSContext]:
    """A session with transactions."""
    with factory.create_context(JMSContext.SESSION_TRANSACTED) as context:
        yield context


@pytest.fixture
def queue() -> Queue:
    """A queue that no other test uses; with a slash, which is no separator here."""
    return Queue(unique_name("stompd/test"))


def _bodies(context: JMSContext, queue: Queue, count: int) -> list[object]:
    consumer = context.create_consumer(queue)
    messages = [consumer.receive(PATIENCE_MS) for _ in range(count)]
    return [message and message.body for message in messages]


def test_broker_is_known(request: pytest.FixtureRequest, context: JMSContext) -> None:
    kind = request.node.callspec.params["factory"]

    assert context.capabilities.name == kind
    assert kind in context.meta_data.jms_provider_name.lower()


def test_header_fields_and_properties_arrive_with_their_types(context: JMSContext, queue: Queue) -> None:
    properties = {
        "short": Short(-5),
        "int": 5,
        "long": Long(5),
        "double": 0.1,
        "yes": True,
        "text": "a:b\n\\",
        "nothing": None,
    }
    reply_to = Queue("answers")

    context.create_producer().send(
        queue, "text", properties=properties, correlation_id="c", jms_type="t", reply_to=reply_to, time_to_live=60_000
    )

    message = context.create_consumer(queue).receive(PATIENCE_MS)
    assert message is not None
    arrived = {name: message.get_object_property(name) for name in properties}
    assert arrived == properties
    assert [type(arrived[name]) for name in ("short", "int", "long", "yes")] == [Short, int, Long, bool]
    assert (message.jms_correlation_id, message.jms_type, message.jms_reply_to) == ("c", "t", reply_to)
    assert (message.jms_destination, message.jms_delivery_mode) == (queue, DeliveryMode.PERSISTENT)
    assert message.jms_expiration == message.jms_timestamp + 60_000
    assert not message.jms_redelivered


@pytest.mark.parametrize("body", ["", "zażółć gęślą\0\r\n", b"\0\xff\n", ["a", 1, None], {"a": {"b": [0.5, True]}}])
def test_body_arrives_as_it_was(context: JMSContext, queue: Queue, body: object) -> None:
    kind = object if isinstance(body, dict) else None

    context.create_producer().send(queue, body, body_type=kind)

    message = context.create_consumer(queue).receive(PATIENCE_MS)
    assert message is not None
    assert message.get_body(type(body)) == body


def test_map_and_stream_arrive_with_the_types_of_their_values(context: JMSContext, queue: Queue) -> None:
    table = context.create_map_message()
    table["octets"], table["short"], table["nothing"] = b"\0\xff", Short(7), None
    stream = context.create_stream_message()
    stream.write_string("a")
    stream.write_long(1)

    context.create_producer().send(queue, table).send(queue, stream)

    consumer = context.create_consumer(queue)
    arrived, read = consumer.receive(PATIENCE_MS), consumer.receive(PATIENCE_MS)
    assert isinstance(arrived, MapMessage)
    assert dict(arrived) == {"octets": b"\0\xff", "short": Short(7), "nothing": None}
    assert isinstance(read, StreamMessage)
    assert (read.read_string(), read.read_long()) == ("a", 1)


def test_listener_is_given_messages_in_order(context: JMSContext, queue: Queue) -> None:
    heard: queues.Queue[object] = queues.Queue()
    context.create_consumer(queue).message_listener = lambda message: heard.put(message.body)

    with context.create_context(JMSContext.AUTO_ACKNOWLEDGE) as other:
        producer = other.create_producer()
        for number in range(100):
            producer.send(queue, str(number))

        assert [heard.get(timeout=PATIENCE_MS / 1000) for _ in range(100)] == [str(number) for number in range(100)]


def test_commit_sends_and_takes_what_rollback_would_have_undone(transacted: JMSContext, queue: Queue) -> None:
    producer, consumer = transacted.create_producer(), transacted.create_consumer(queue)
    producer.send(queue, "undone")
    transacted.rollback()
    with transacted.transaction():
        producer.send(queue, "one").send(queue, "two")

    taken = [consumer.receive(PATIENCE_MS) for _ in range(2)]
    transacted.commit()

    assert [message and message.body for message in taken] == ["one", "two"]
    assert consumer.receive(SHORT_MS) is None


def test_rollback_gives_the_messages_again_in_their_order(transacted: JMSContext, queue: Queue) -> None:
    with transacted.transaction():
        transacted.create_producer().send(queue, "one").send(queue, "two")
    consumer = transacted.create_consumer(queue)
    assert [_seen(consumer.receive(PATIENCE_MS)) for _ in range(2)] == [("one", False), ("two", False)]

    transacted.rollback()

    assert [_seen(consumer.receive(PATIENCE_MS)) for _ in range(2)] == [("one", True), ("two", True)]
    transacted.commit()


def _seen(message: Message | None) -> tuple[object, bool]:
    assert message is not None
    return message.body, message.jms_redelivered


def test_message_that_was_not_committed_goes_to_another_session(
    factory: ConnectionFactory, context: JMSContext, queue: Queue
) -> None:
    context.create_producer().send(queue, "kept")
    with factory.create_context(JMSContext.SESSION_TRANSACTED) as lost:
        assert _bodies(lost, queue, 1) == ["kept"]

    message = context.create_consumer(queue).receive(PATIENCE_MS)

    assert _seen(message) == ("kept", True)


def test_recover_gives_what_was_not_acknowledged_again(factory: ConnectionFactory, queue: Queue) -> None:
    with factory.create_context(JMSContext.CLIENT_ACKNOWLEDGE) as context:
        context.create_producer().send(queue, "again")
        consumer = context.create_consumer(queue)
        assert _seen(consumer.receive(PATIENCE_MS)) == ("again", False)

        context.recover()

        assert _seen(consumer.receive(PATIENCE_MS)) == ("again", True)
        context.acknowledge()
        assert consumer.receive(SHORT_MS) is None


def test_receive_no_wait_takes_what_is_there(context: JMSContext, queue: Queue) -> None:
    consumer = context.create_consumer(queue)
    assert consumer.receive_no_wait() is None
    context.create_producer().send(queue, "there")

    assert consumer.receive_body(str, PATIENCE_MS) == "there"
    assert consumer.receive_no_wait() is None


def test_topic_reaches_every_subscriber(context: JMSContext) -> None:
    topic = Topic(unique_name("stompd-test"))
    consumers = [context.create_consumer(topic) for _ in range(2)]

    context.create_producer().send(topic, "news")

    assert [consumer.receive_body(str, PATIENCE_MS) for consumer in consumers] == ["news", "news"]


def test_durable_subscription_keeps_messages_and_can_be_deleted(factory: ConnectionFactory) -> None:
    topic = Topic(unique_name("stompd-test"))
    with factory.create_context(client_id=unique_name("client")) as context:
        context.create_durable_consumer(topic, "daily").close()
        context.create_producer().send(topic, "kept")

        with context.create_durable_consumer(topic, "daily") as consumer:
            assert consumer.receive_body(str, PATIENCE_MS) == "kept"
        context.create_producer().send(topic, "deleted")
        context.unsubscribe("daily")

        with context.create_durable_consumer(topic, "daily") as consumer:
            assert consumer.receive(SHORT_MS) is None
        context.unsubscribe("daily")


def test_login_that_is_wrong_is_refused(factory: ConnectionFactory) -> None:
    if factory.options.user_name is None:
        pytest.skip("this broker lets everybody in; name one with a login in the URL")

    with pytest.raises(JMSSecurityRuntimeException):
        factory.create_context(factory.options.user_name, "wrong")


def test_browser_shows_and_takes_nothing(context: JMSContext, queue: Queue) -> None:
    _need(context, "has_browser")
    context.create_producer().send(queue, "one").send(queue, "two")

    with context.create_browser(queue) as browser:
        assert [message.body for message in browser] == ["one", "two"]
    assert _bodies(context, queue, 2) == ["one", "two"]


def test_selector_takes_what_it_selects(context: JMSContext, queue: Queue) -> None:
    _need(context, "has_selectors")
    producer = context.create_producer()
    producer.send(queue, "small", properties={"size": "S"}).send(queue, "large", properties={"size": "L"})

    with context.create_consumer(queue, "size = 'L'") as consumer:
        assert consumer.receive_body(str, PATIENCE_MS) == "large"
    assert _bodies(context, queue, 1) == ["small"]


def test_no_local_keeps_what_the_connection_sends(factory: ConnectionFactory, context: JMSContext) -> None:
    _need(context, "has_no_local")
    topic = Topic(unique_name("stompd-test"))
    consumer = context.create_consumer(topic, None, True)

    context.create_producer().send(topic, "own")
    with factory.create_context() as other:
        other.create_producer().send(topic, "of another")

    assert consumer.receive_body(str, PATIENCE_MS) == "of another"


def test_request_is_answered_on_a_temporary_queue(
    factory: ConnectionFactory, context: JMSContext, queue: Queue
) -> None:
    _need(context, "has_temporary")
    with factory.create_context() as server:
        producer = server.create_producer()
        server.create_consumer(queue).message_listener = lambda message: producer.send(
            message.jms_reply_to, "pong", correlation_id=message.jms_correlation_id
        )

        with Requestor(context, queue) as requestor:
            reply = requestor.request(context.create_text_message("ping"), PATIENCE_MS)

    assert reply is not None
    assert reply.body == "pong"


def test_delayed_message_comes_when_its_delay_is_over(context: JMSContext, queue: Queue) -> None:
    _need(context, "has_delay")
    consumer = context.create_consumer(queue)

    context.create_producer().send(queue, "late", delivery_delay=2 * SHORT_MS)

    assert consumer.receive(SHORT_MS) is None
    assert consumer.receive_body(str, PATIENCE_MS) == "late"


def _need(context: JMSContext, capability: str) -> None:
    if not getattr(context.capabilities, capability):
        pytest.skip(f"{context.capabilities.name} has none, which test_what_the_broker_cannot_do is about")


@pytest.mark.parametrize(
    ("capability", "ask"),
    [
        ("has_browser", lambda context, queue: context.create_browser(queue)),
        ("has_selectors", lambda context, queue: context.create_consumer(queue, "size > 5")),
        ("has_no_local", lambda context, queue: context.create_consumer(Topic("t"), None, True)),
        ("has_shared", lambda context, queue: context.create_shared_consumer(Topic("t"), "name")),
        ("has_shared", lambda context, queue: context.create_shared_durable_consumer(Topic("t"), "name")),
        ("has_temporary", lambda context, queue: context.create_temporary_queue()),
        ("has_temporary", lambda context, queue: context.create_temporary_topic()),
        ("has_delay", lambda context, queue: context.create_producer().send(queue, "late", delivery_delay=100)),
        ("has_temporary", Requestor),
        ("deletes_temporary", lambda context, queue: context.create_temporary_queue().delete()),
    ],
    ids=[
        "browser",
        "selector",
        "no-local",
        "shared",
        "shared-durable",
        "temporary-queue",
        "temporary-topic",
        "delay",
        "request",
        "deletion",
    ],
)
def test_what_the_broker_cannot_do_is_refused_at_once(
    context: JMSContext, queue: Queue, capability: str, ask: Callable[[JMSContext, Queue], Any]
) -> None:
    if getattr(context.capabilities, capability):
        pytest.skip("this broker can")

    with pytest.raises(UnsupportedOperationException):
        ask(context, queue)

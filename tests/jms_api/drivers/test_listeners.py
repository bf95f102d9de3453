"""Listeners: who calls them, when their messages are settled, and what they may not do (JMS 3.1, 6.1.5 and 8.7)."""

from __future__ import annotations

import queue as queues
import threading
from collections.abc import Callable
from typing import Any

import pytest

from jms_api import IllegalStateException, Queue
from tests.jms_api.drivers.ways import PATIENCE_SECONDS, WAYS, Way


class Heard:
    """A listener that remembers."""

    def __init__(self, count: int = 1, act: Callable[[Any], Any] = lambda message: None) -> None:
        self.messages: list[Any] = []
        self.errors: list[BaseException] = []
        self._count = count
        self._act = act
        self._enough = threading.Event()

    def on_message(self, message: Any) -> Any:
        self.messages.append(message)
        try:
            return self._act(message)
        except BaseException as error:
            self.errors.append(error)
            raise
        finally:
            if len(self.messages) >= self._count:
                self._enough.set()

    def wait(self) -> list[Any]:
        """Return the messages when there are enough."""
        assert self._enough.wait(PATIENCE_SECONDS), self.messages
        return self.messages


def texts(messages: list[Any]) -> list[str]:
    return [message.text for message in messages]


def test_jms_210_listener_is_called_in_order(session: Any, queue: Queue, fill: Any) -> None:
    heard = Heard(50)
    consumer = session.create_consumer(queue)

    consumer.message_listener = heard
    fill(queue, *map(str, range(50)))

    assert texts(heard.wait()) == [str(number) for number in range(50)]


def test_jms_217_listener_acknowledges_when_it_returns(connection: Any, queue: Queue, fill: Any) -> None:
    session = connection.create_session()
    heard = Heard(3)
    session.create_consumer(queue).message_listener = heard
    fill(queue, "1", "2", "3")
    heard.wait()

    session.close()

    assert connection.create_session().create_consumer(queue).receive_no_wait() is None


@pytest.mark.jms("MessageConsumer.message_listener")
def test_jms_303_listener_is_told_and_can_be_taken_away(session: Any, queue: Queue, fill: Any) -> None:
    heard = Heard()
    consumer = session.create_consumer(queue)
    consumer.message_listener = heard
    told = consumer.message_listener

    consumer.message_listener = None
    fill(queue, "1")

    assert told is heard
    assert consumer.receive(10_000).text == "1"
    assert not heard.messages


def test_jms_302_receive_beside_a_listener_is_refused(session: Any, queue: Queue) -> None:
    session.create_consumer(queue).message_listener = Heard()
    other = session.create_consumer(queue)

    with pytest.raises(IllegalStateException):
        other.receive(10)


def test_jms_304_message_comes_again_when_its_listener_raises(session: Any, queue: Queue, fill: Any) -> None:
    def fail_once(message: Any) -> None:
        if not message.jms_redelivered:
            raise ValueError("not now")

    heard = Heard(3, fail_once)
    session.create_consumer(queue).message_listener = heard

    fill(queue, "1", "2")

    messages = heard.wait()
    described = [(message.text, message.get_int_property("JMSXDeliveryCount")) for message in messages]
    # The second one fails as well.
    assert described[:3] == [("1", 1), ("1", 2), ("2", 1)]


def test_jms_305_client_session_goes_on_when_its_listener_raises(client: Any, queue: Queue, fill: Any) -> None:
    def fail(message: Any) -> None:
        raise ValueError("not this one")

    heard = Heard(2, fail)
    client.create_consumer(queue).message_listener = heard

    fill(queue, "1", "2")

    assert texts(heard.wait()) == ["1", "2"]


def test_jms_218_recover_in_a_listener_brings_its_message_back(
    way: Way, connection: Any, queue: Queue, fill: Any
) -> None:
    session = connection.create_session()
    target = getattr(session, "_target", session)

    def recover_once(message: Any) -> Any:
        return None if message.jms_redelivered else target.recover()

    heard = Heard(3, recover_once)
    session.create_consumer(queue).message_listener = heard

    fill(queue, "1", "2")

    assert texts(heard.wait())[:2] == ["1", "1"]


def test_jms_213_listener_may_not_close_its_session(session: Any, queue: Queue, fill: Any) -> None:
    target = getattr(session, "_target", session)
    # Where the call fails in the listener, its message comes again.
    heard = Heard(2, lambda message: None if message.jms_redelivered else target.close())
    consumer = session.create_consumer(queue)
    consumer.message_listener = heard

    fill(queue, "1")

    assert texts(heard.wait()) == ["1", "1"]
    assert session.transacted is False


@pytest.mark.parametrize("way", [way for way in WAYS if way.name == "twisted"], ids=lambda way: way.name)
def test_jms_213_callback_of_a_listener_may_not_close_its_session(transacted: Any, queue: Queue, fill: Any) -> None:
    session = transacted._target
    refused: queues.Queue[object] = queues.Queue()

    def listen(message: Any) -> Any:
        closing = session.commit().addCallback(lambda _: session.close())
        return closing.addErrback(lambda failure: refused.put(failure.value))

    transacted.create_consumer(queue).message_listener = listen
    fill(queue, "1")

    assert isinstance(refused.get(timeout=PATIENCE_SECONDS), IllegalStateException)


def test_jms_179_listener_may_not_stop_its_connection(connection: Any, session: Any, queue: Queue, fill: Any) -> None:
    target = getattr(connection, "_target", connection)
    heard = Heard(2, lambda message: None if message.jms_redelivered else target.stop())
    session.create_consumer(queue).message_listener = heard

    fill(queue, "1")

    assert texts(heard.wait()) == ["1", "1"]


def test_jms_310_listener_may_close_its_consumer(connection: Any, queue: Queue, fill: Any) -> None:
    session = connection.create_session()
    consumer = session.create_consumer(queue)
    target = getattr(consumer, "_target", consumer)
    heard = Heard(1, lambda message: target.close())
    consumer.message_listener = heard

    fill(queue, "1", "2")
    heard.wait()
    session.close()

    other = connection.create_session().create_consumer(queue)
    assert other.receive(10_000).text == "2"
    assert len(heard.messages) == 1


def test_jms_173_nothing_is_delivered_before_start(connect: Any, queue: Queue) -> None:
    connection = connect(is_started=False)
    session = connection.create_session()
    session.create_producer(queue).send(session.create_text_message("1"))
    heard = Heard()
    session.create_consumer(queue).message_listener = heard
    session.create_producer(queue).send(session.create_text_message("2"))
    before = list(heard.messages)

    connection.start()

    assert before == []
    assert heard.wait()[0].text == "1"


@pytest.mark.parametrize("way", WAYS[:1], ids=["blocking"])  # only there may a listener block
def test_jms_176_stop_waits_for_the_listener(connect: Any, queue: Queue, way: Way) -> None:
    connection = connect()
    session = connection.create_session()
    running, go_on = threading.Event(), threading.Event()

    def work(message: Any) -> None:
        running.set()
        assert go_on.wait(PATIENCE_SECONDS)

    heard = Heard(1, work)
    session.create_consumer(queue).message_listener = heard
    with connect().create_session() as other:
        other.create_producer(queue).send(other.create_text_message("1"))
    assert running.wait(PATIENCE_SECONDS)
    stopping = threading.Thread(target=connection.stop)
    stopping.start()
    stopping.join(0.05)
    was_waiting = stopping.is_alive()

    go_on.set()

    stopping.join(PATIENCE_SECONDS)
    assert was_waiting
    assert not stopping.is_alive()


@pytest.mark.parametrize("way", WAYS[:1], ids=["blocking"])  # only there may a listener block
def test_jms_376_session_of_a_listener_at_work_is_not_for_others(connect: Any, queue: Queue, way: Way) -> None:
    connection = connect()
    session = connection.create_session(True)
    running, go_on = threading.Event(), threading.Event()

    def work(message: Any) -> None:
        running.set()
        assert go_on.wait(PATIENCE_SECONDS)

    session.create_consumer(queue).message_listener = work
    with connect().create_session() as other:
        other.create_producer(queue).send(other.create_text_message("1"))
    assert running.wait(PATIENCE_SECONDS)

    with pytest.raises(IllegalStateException):
        session.commit()
    go_on.set()


def test_jms_240_listener_commits_its_session(connection: Any, transacted: Any, queue: Queue, fill: Any) -> None:
    target = getattr(transacted, "_target", transacted)
    heard = Heard(2, lambda message: target.commit())
    transacted.create_consumer(queue).message_listener = heard

    fill(queue, "1", "2")
    heard.wait()
    transacted.close()

    assert connection.create_session().create_consumer(queue).receive_no_wait() is None


def test_jms_189_completion_listener_may_not_commit(transacted: Any, queue: Queue) -> None:
    target = getattr(transacted, "_target", transacted)
    told = threading.Event()
    raised: list[BaseException] = []

    def complete(message: Any) -> Any:
        try:
            answer = target.commit()
        except IllegalStateException as error:
            raised.append(error)
            told.set()
            return None
        return _note(answer, raised, told)

    transacted.create_producer(queue).send(transacted.create_text_message("1"), completion_listener=complete)

    assert told.wait(PATIENCE_SECONDS)
    assert isinstance(raised[0], IllegalStateException)


def _note(answer: Any, raised: list[BaseException], told: threading.Event) -> Any:
    """Note how an awaitable or Deferred fails."""
    if hasattr(answer, "addErrback"):
        return answer.addErrback(lambda failure: (raised.append(failure.value), told.set()))

    async def wait() -> None:
        try:
            await answer
        except IllegalStateException as error:
            raised.append(error)
            told.set()

    return wait()

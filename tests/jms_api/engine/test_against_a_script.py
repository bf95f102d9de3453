"""The core without a socket: what it sends and does is compared with what a broker is told to answer."""

from __future__ import annotations

from typing import Any, TypeVar

import pytest

from jms_api import (
    ConnectionFactory,
    Queue,
    QueueBrowser,
    SessionMode,
    TemporaryQueue,
    TextMessage,
    TransactionRolledBackException,
    UnsupportedOperationException,
)
from jms_api.engine import creating
from jms_api.engine.connection import ConnectionCore
from jms_api.engine.context import ContextCore
from jms_api.engine.operations import Operation
from jms_api.engine.producer import delivering
from jms_api.engine.tasks import TaskQueue, call
from jms_api.exceptions import JMSException
from jms_api.surface.consumer import as_it_is

T = TypeVar("T")


class Script:
    """A driver whose broker answers what the test says."""

    def __init__(self, server: str = "stompd/1", **options: object) -> None:
        self.core = ConnectionCore(ConnectionFactory("stomp://broker", **options).options, self)
        self.core.next_address()
        self.core.link_up(0.0)
        self.sent()
        self.answer(f"CONNECTED\nversion:1.2\nserver:{server}\nheart-beat:0,0\n\n")
        self.core.start()

    def tasks_ready(self, queue: TaskQueue) -> None:
        """Let them wait."""

    def wake(self) -> None:
        """Nobody sleeps."""

    def answer(self, *frames: str) -> None:
        """Let the broker send frames, each without its NUL."""
        self.core.receive(b"".join(frame.encode() + b"\0" for frame in frames), 0.0)

    def sent(self) -> list[str]:
        """Return the frames that were sent since the last call."""
        return self.core.take_outgoing(0.0).decode().split("\0")[:-1]

    def confirm(self) -> list[str]:
        """Answer each frame that asks for a receipt, and return what was sent."""
        frames = self.sent()
        for frame in frames:
            for line in frame.split("\n"):
                if line.startswith("receipt:"):
                    self.answer(f"RECEIPT\nreceipt-id:{line.removeprefix('receipt:')}\n\n")
        return frames

    def wait(self, operation: Operation[T], timeout: float | None = None) -> T:
        """Return the result of what must be done by now."""
        while not operation.is_done and self.confirm():
            pass
        assert operation.is_done
        return operation.result()


def message(subscription: str, number: int, body: str = "x", **headers: str) -> str:
    """Return a MESSAGE."""
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    return (
        f"MESSAGE\nsubscription:{subscription}\nmessage-id:{number}\nack:{number}\ndestination:/queue/a\n"
        f"content-type:text/plain\n{lines}\n{body}"
    )


def subscription_id(frames: list[str]) -> str:
    """Return the id of the SUBSCRIBE among frames."""
    subscribe = next(frame for frame in frames if frame.startswith("SUBSCRIBE"))
    return next(line for line in subscribe.split("\n") if line.startswith("id:")).removeprefix("id:")


@pytest.fixture
def script() -> Script:
    return Script()


def consumer_of(script: Script, mode: SessionMode) -> tuple[Any, Any, str]:
    session = script.core.create_session(mode)
    creation = creating.create_consumer(session, Queue("a"), None, False)
    name = subscription_id(script.confirm())
    return session, creation.result(), name


@pytest.mark.jms("QueueBrowser.enumeration", "JMSContext.create_browser", "QueueSession.create_browser")
def test_jms_321_browser_shows_messages_up_to_the_marked_end(script: Script) -> None:
    context = ContextCore(script.core, SessionMode.AUTO_ACKNOWLEDGE)
    core = context.create_browser(Queue("a"), "n = 1")
    operation = core.enumerate()
    frames = script.confirm()
    name = subscription_id(frames)

    script.answer(message(name, 1, "one"), message(name, 2, "two"), message(name, 3, browser="end"))

    shown = [core.session.decode(delivery).text for delivery in operation.result()]  # type: ignore[attr-defined]
    assert shown == ["one", "two"]
    assert "browser:true" in frames[0]
    assert "selector:n = 1" in frames[0]
    assert script.sent()[0].startswith("UNSUBSCRIBE")


def test_jms_325_browser_of_a_stopped_connection_shows_nothing(script: Script) -> None:
    script.wait(script.core.stop())
    core = creating.create_browser(script.core.create_session(SessionMode.AUTO_ACKNOWLEDGE), Queue("a"), None)

    shown = list(QueueBrowser(core, script))  # type: ignore[arg-type]  # it waits as a channel does

    assert shown == []


def test_acknowledgements_of_a_listener_are_one_frame(script: Script) -> None:
    session, consumer, _ = consumer_of(script, SessionMode.AUTO_ACKNOWLEDGE)
    consumer.set_listener(lambda received: None)
    name = subscription_id(script.confirm())
    script.answer(*[message(name, number) for number in range(1, 6)])

    task = session.advance()
    while task is not None:
        task.call()
        task = session.advance(task)

    assert [frame.partition("\n")[0] for frame in script.sent()] == ["ACK"]


def test_jms_249_commit_whose_answer_is_lost_is_in_doubt(script: Script) -> None:
    session, consumer, name = consumer_of(script, SessionMode.SESSION_TRANSACTED)
    script.answer(message(name, 1))
    assert consumer.receive(as_it_is).result().text == "x"
    commit = session.commit()

    script.core.link_lost(ConnectionError("gone"))

    with pytest.raises(JMSException) as caught:
        commit.result()
    assert caught.value.error_code == "in-doubt"


def test_jms_245_refused_commit_was_rolled_back(script: Script) -> None:
    session, consumer, name = consumer_of(script, SessionMode.SESSION_TRANSACTED)
    script.answer(message(name, 1))
    consumer.receive(as_it_is).result()
    commit = session.commit()
    receipt = script.sent()[-1].partition("receipt:")[2].partition("\n")[0]

    script.answer(f"ERROR\nreceipt-id:{receipt}\nmessage:no\nerror-code:refused-by-store\nsoft:true\n\n")

    with pytest.raises(TransactionRolledBackException):
        commit.result()


def test_abandoned_receive_loses_nothing(script: Script) -> None:
    _, consumer, name = consumer_of(script, SessionMode.AUTO_ACKNOWLEDGE)
    waiting = consumer.receive(as_it_is)
    script.answer(message(name, 1))

    waiting.abandon()

    assert script.sent() == []
    assert consumer.receive(as_it_is).result().text == "x"


def test_answer_that_does_not_come_ends_the_connection(script: Script) -> None:
    session = script.core.create_session(SessionMode.AUTO_ACKNOWLEDGE)
    creating.create_consumer(session, Queue("a"), None, False)

    assert script.core.next_deadline() < float("inf")
    with pytest.raises(Exception, match="did not answer in time"):
        script.core.tick(script.core.next_deadline() + 1)


def test_silent_peer_is_given_up(script: Script) -> None:
    script.core.link_lost(ConnectionError("gone"))
    script.core.next_address()
    script.core.link_up(0.0)
    script.answer("CONNECTED\nversion:1.2\nheart-beat:1000,1000\n\n")

    with pytest.raises(Exception, match="heart-beats are missing"):
        script.core.tick(22.0)


@pytest.mark.parametrize(("server", "has_length"), [("stompd/1", True), ("ActiveMQ/6.1", False)])
def test_text_goes_without_a_length_where_that_would_make_it_octets(server: str, has_length: bool) -> None:
    script = Script(server)
    session = script.core.create_session(SessionMode.AUTO_ACKNOWLEDGE)
    producer = creating.create_producer(session, Queue("a"))

    producer.send(TextMessage("one"), Queue("a"), delivering(producer))

    (frame,) = script.sent()
    assert ("content-length:" in frame) is has_length
    assert frame.endswith("\n\none")


def test_transaction_that_would_not_be_one_unit_is_refused() -> None:
    session = Script("ActiveMQ-Artemis/2.33.0").core.create_session(SessionMode.SESSION_TRANSACTED)

    operation = creating.create_consumer(session, Queue("a"), None, False)

    with pytest.raises(UnsupportedOperationException, match="in a transaction"):
        operation.result()


def test_temporary_destination_that_cannot_be_deleted_says_so() -> None:
    core = Script("ActiveMQ/5.17").core

    operation = core.delete_temporary(TemporaryQueue("a"))

    with pytest.raises(UnsupportedOperationException, match="ends with its connection"):
        operation.result()


def test_jms_310_listener_that_closes_its_consumer_is_not_called_again(script: Script) -> None:
    session, consumer, name = consumer_of(script, SessionMode.AUTO_ACKNOWLEDGE)
    heard: list[str] = []

    def listen(received: Any) -> None:
        heard.append(received.text)
        consumer.close()

    consumer.set_listener(listen)
    name = subscription_id(script.confirm())
    script.answer(message(name, 1, "one"), message(name, 2, "two"))
    task = session.advance()
    while task is not None:
        call(session, task)
        task = session.advance(task)

    assert heard == ["one"]

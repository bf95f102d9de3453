"""The blocking client library beside stomp.py, on one broker: transactions of persistent sends, and a listener.

Both do what a program with the same promise to keep would do: each transaction ends when its COMMIT is confirmed, and a
message is acknowledged when the listener has returned from it. Both listeners take the same messages, as any client
sends them: once from the broker, and once from a peer that is never what limits the rate.
"""

from __future__ import annotations

import secrets
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, MutableSequence, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any, Final, final

import stomp

from jms_api import ConnectionFactory, JMSContext, Message, TextMessage
from tests.bench.account import faults
from tests.bench.crew import Crew, Shift
from tests.bench.feed import Feed
from tests.bench.figures import Figure, Measure, WrongResult
from tests.bench.load import PATIENCE_SECONDS, Address, LoadFailure, Outcome, Role, Taking, left_over
from tests.bench.load import Sending as Filling
from tests.bench.scenarios import Target

JMS_API: Final = "jms_api"
STOMP_PY: Final = "stomp.py"

_TRANSACTION: Final = 100
_BODY_BYTES: Final = 256

#: About what one of them does in a second.
_PER_SECOND: Final = 8_000

#: Name queues, so that no measurement meets what another one has left.
_RUN: Final = secrets.token_hex(3)
_serials = count(1)


def clients(seconds: float, target: Target, crew: Crew) -> Iterator[Sequence[Measure]]:
    """Yield the measurement of each library, side by side."""
    yield [partial(_measure, library, seconds, target, crew) for library in (JMS_API, STOMP_PY)]


def _measure(library: str, seconds: float, target: Target, crew: Crew) -> Iterator[Figure]:
    transactions = max(1, round(_PER_SECOND * seconds / _TRANSACTION))
    number = transactions * _TRANSACTION
    queue = f"bench-{_RUN}-client-{next(_serials)}"
    destination = f"/queue/{queue}"
    sent = f"persistent SENDs in transactions of {_TRANSACTION}"
    yield from _figures(library, "sending", sent, number, crew.work([Sending(library, target.address, queue, number)]))
    taken = crew.work([Taking(target.address, destination, _BODY_BYTES, number, is_late=True)]).outcomes[0].keys

    crew.work([Filling(target.address, destination, 0, number, _BODY_BYTES)])
    shift = crew.work([Listening(library, target.address, queue, number)])
    heard = shift.outcomes[0].keys
    yield from _figures(library, "listening", "a listener takes them, each acknowledged", number, shift)

    with Feed(queue, number, _BODY_BYTES) as feed:
        shift = crew.work([Listening(library, feed.address, queue, number)])
    yield from _figures(library, "listening, fed", "the same, and no broker limits it", number, shift)

    wrong = [fault for keys in (taken, heard, shift.outcomes[0].keys) for fault in faults({0: number}, [keys])]
    if left := left_over(target.address, destination):
        wrong.append(f"{left} messages are left, although all were acknowledged")
    if wrong:
        raise WrongResult(f"{library}: {'; '.join(wrong)}")


def _figures(library: str, work: str, meaning: str, number: int, shift: Shift) -> Iterator[Figure]:
    elapsed, used = shift.outcomes[0].ended - shift.start, shift.processor_seconds
    name = f"client {work}"
    yield Figure(name, number / elapsed, "messages/s", meaning, library, load_cores=used / elapsed)
    # Where the broker is what limits the rate, this still tells one library from the other.
    cost = used / number * 1e6
    yield Figure(f"{name} cost", cost, "us/message", "processor time of the client", library, is_less_better=True)


@final
@dataclass(frozen=True)
class Sending:
    """The job of a producer that blocks."""

    library: str
    address: Address
    queue: str
    count: int

    def begin(self, counts: MutableSequence[int], slot: int) -> Role:
        """Connect."""
        return _JmsProducer(self) if self.library == JMS_API else _StompProducer(self)


@final
@dataclass(frozen=True)
class Listening:
    """The job of a consumer with a listener."""

    library: str
    address: Address
    queue: str
    count: int

    def begin(self, counts: MutableSequence[int], slot: int) -> Role:
        """Connect; the subscription is part of the work."""
        return _JmsConsumer(self) if self.library == JMS_API else _StompConsumer(self)


class _Client(ABC):
    """A role whose work is measured as a whole."""

    def __init__(self) -> None:
        self.keys: list[int] = []

    def work(self, start: float) -> Outcome:
        time.sleep(max(0.0, start - time.monotonic()))
        before = time.process_time()
        self.act()
        ended, used = time.monotonic(), time.process_time() - before
        self.close()
        return Outcome(ended, used, self.keys, [])

    @abstractmethod
    def act(self) -> None:
        """Do what is measured."""

    @abstractmethod
    def close(self) -> None:
        """Disconnect, so that everything has been done at the broker."""


def _bodies(first: int) -> Iterator[str]:
    """Return bodies like those of the load."""
    return (f"{number:010}".ljust(_BODY_BYTES, "x") for number in range(first, first + _TRANSACTION))


class _Jms(_Client):
    def __init__(self, address: Address, mode: int) -> None:
        super().__init__()
        self.context = ConnectionFactory(f"stomp://127.0.0.1:{address.port}").create_context(mode)

    def close(self) -> None:
        self.context.close()


@final
class _JmsProducer(_Jms):
    def __init__(self, sending: Sending) -> None:
        super().__init__(sending.address, JMSContext.SESSION_TRANSACTED)
        self._sending = sending

    def act(self) -> None:
        queue, producer = self.context.create_queue(self._sending.queue), self.context.create_producer()
        for first in range(0, self._sending.count, _TRANSACTION):
            for body in _bodies(first):
                producer.send(queue, body)
            self.context.commit()


@final
class _JmsConsumer(_Jms):
    def __init__(self, listening: Listening) -> None:
        super().__init__(listening.address, JMSContext.AUTO_ACKNOWLEDGE)
        self._listening = listening
        self._done = threading.Event()

    def act(self) -> None:
        consumer = self.context.create_consumer(self.context.create_queue(self._listening.queue))
        consumer.message_listener = self._listen
        _wait(self._done)

    def _listen(self, message: Message) -> None:
        assert isinstance(message, TextMessage)
        self.keys.append(int((message.text or "")[:10]))
        if len(self.keys) == self._listening.count:
            self._done.set()


class _Stomp(_Client, stomp.ConnectionListener):  # type: ignore[misc]  # stomp.py has no types
    def __init__(self, address: Address) -> None:
        super().__init__()
        self.done = threading.Event()
        self.connection = stomp.Connection12([("127.0.0.1", address.port)], try_loopback_connect=False)
        self.connection.set_listener("", self)
        self.connection.connect(wait=True)

    def on_receipt(self, frame: Any) -> None:
        self.done.set()

    def close(self) -> None:
        self.done.clear()
        self.connection.disconnect(receipt="bye")
        _wait(self.done)


@final
class _StompProducer(_Stomp):
    def __init__(self, sending: Sending) -> None:
        super().__init__(sending.address)
        self._sending = sending

    def act(self) -> None:
        connection, queue = self.connection, f"/queue/{self._sending.queue}"
        for first in range(0, self._sending.count, _TRANSACTION):
            transaction = connection.begin()
            for body in _bodies(first):
                connection.send(queue, body, transaction=transaction, persistent="true")
            self.done.clear()
            connection.commit(transaction, receipt=transaction)
            _wait(self.done)


@final
class _StompConsumer(_Stomp):
    def __init__(self, listening: Listening) -> None:
        super().__init__(listening.address)
        self._listening = listening

    def act(self) -> None:
        headers = {"prefetch-count": "1000"}  # this and the mode as jms_api has them
        self.connection.subscribe(f"/queue/{self._listening.queue}", "1", ack="client", headers=headers)
        _wait(self.done)

    def on_message(self, frame: Any) -> None:
        self.keys.append(int(frame.body[:10]))
        self.connection.ack(frame.headers["ack"])
        if len(self.keys) == self._listening.count:
            self.done.set()


def _wait(event: threading.Event) -> None:
    if not event.wait(PATIENCE_SECONDS * 4):
        raise LoadFailure("the broker did not answer, or not everything came")

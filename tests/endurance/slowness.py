"""One client that is slow or greedy, and the others beside it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import final

from tests.endurance.load import PATIENCE_SECONDS, Consumer, LoadClient, MemoryWatch, Producer, Worker, key_of
from tests.harness.process import BrokerProcess
from tests.harness.waiting import wait_for

#: A consumer that reads nothing still has its kernel read for it; this keeps that small.
_RECEIVE_BUFFER = 4096

#: Messages on the way at a time: enough for full speed.
_AHEAD = 500

#: Deliveries that each consumer may have outstanding.
_PREFETCH = 1000


@final
@dataclass(frozen=True)
class Comparison:
    """How others fare beside a consumer that stopped reading."""

    #: Messages per second without it.
    rate_alone: float
    #: Messages per second beside it.
    rate_beside: float
    #: Bytes by which the broker grew for it.
    growth: int
    #: Bytes of bodies that were sent beside it.
    sent_bytes: int

    @property
    def ratio(self) -> float:
        """What is left of the rate."""
        return self.rate_beside / self.rate_alone


def stop_reading(broker: BrokerProcess, destination: str, *, count: int, body_bytes: int) -> Comparison:
    """Let messages go to a good consumer alone, and then beside one that reads nothing.

    On a queue the good one gets whatever the other has no credit for, and on a topic it gets everything.

    Raises:
        AssertionError: The good one did not get what it should, or not in order.
    """
    rate_alone = _rate(broker, destination, "alone", count, body_bytes, count)
    with (
        LoadClient(broker.port, receive_buffer=_RECEIVE_BUFFER) as stuck,
        MemoryWatch(broker) as memory,
    ):
        # Of a queue it could otherwise take as much as its socket holds, which is not ours to know.
        stuck.subscribe(destination, "auto" if destination.startswith("/topic/") else "client", _PREFETCH)
        # What the good one does not get of a queue is in the hands of the other.
        least = count if destination.startswith("/topic/") else count - _PREFETCH
        rate_beside = _rate(broker, destination, "beside", count, body_bytes, least)
    return Comparison(rate_alone, rate_beside, memory.growth, count * body_bytes)


@final
@dataclass(frozen=True)
class Flooding:
    """What a producer that never waits did to a broker, and to somebody who acknowledges beside it."""

    #: Octets that the producer's socket took.
    taken_bytes: int
    #: Bytes by which the broker grew.
    growth: int
    #: Seconds from each ACK to its RECEIPT, lowest first.
    ack_seconds: list[float]


def send_without_end(broker: BrokerProcess, *, acks: int, least_bytes: int, body_bytes: int) -> Flooding:
    """Let a producer send as fast as it can while another connection acknowledges, one message after the other.

    Args:
        broker: Running.
        acks: How many messages are acknowledged.
        least_bytes: How many octets are sent at least.
        body_bytes: The size of each body.
    """
    with broker.client() as client, MemoryWatch(broker) as memory:
        for number in range(acks):
            client.send_message("/queue/work", str(number))
        client.subscribe("/queue/work", "client-individual", prefetch_count="0")
        messages = [client.expect("MESSAGE") for _ in range(acks)]
        torrent = Torrent(broker.port, body_bytes)
        torrent.start()
        seconds = []
        for message in messages:
            started = time.monotonic()
            client.settle(message)
            seconds.append(time.monotonic() - started)
        wait_for(lambda: torrent.taken_bytes >= least_bytes, f"{least_bytes} octets were taken", PATIENCE_SECONDS)
        torrent.finish()
    return Flooding(torrent.taken_bytes, memory.growth, sorted(seconds))


@final
class Torrent(Worker):
    """Sends durable messages as fast as the broker takes them, and asks for nothing."""

    def __init__(self, port: int, body_bytes: int) -> None:
        """Connect."""
        super().__init__(port)
        self.taken_bytes = 0
        self._frame = b"SEND\ndestination:/queue/torrent\n\n" + b"." * body_bytes + b"\0"

    def work(self) -> None:
        """Send until the end."""
        while not self.is_ending:
            self.client.send(self._frame)
            self.taken_bytes += len(self._frame)


def _rate(broker: BrokerProcess, destination: str, name: str, count: int, body_bytes: int, least: int) -> float:
    consumer = Consumer(broker.port, destination, prefetch=_PREFETCH)
    producer = Producer(broker.port, name, destination, body_bytes=body_bytes, ahead=_AHEAD, limit=count)
    consumer.start()
    started = time.monotonic()
    producer.start()
    producer.wait_until_confirmed(count)
    wait_for(lambda: len(consumer.bodies) >= least, f"{least} of {count} messages came to the good consumer")
    rate = count / (time.monotonic() - started)
    consumer.leave()
    producer.finish()
    numbers = [key_of(body).number for body in consumer.bodies]
    astray = [place for place in range(1, len(numbers)) if numbers[place] <= numbers[place - 1]]
    assert not astray, f"{name}: number {numbers[astray[0]]} came behind {numbers[astray[0] - 1]}; {len(astray)} such"
    return rate

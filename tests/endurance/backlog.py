"""Many messages, many queues and many connections, and nobody who consumes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import zip_longest
from typing import final

from tests.endurance.load import Consumer, LoadClient, MemoryWatch, Producer, drain, drained, key_of
from tests.harness.process import BrokerProcess
from tests.harness.waiting import wait_for

#: Messages that a producer has unconfirmed: full speed, and little memory for what is on its way.
_AHEAD = 2_000

#: How long a consumer beside the backlog is timed with.
_BESIDE_COUNT = 5_000


@final
@dataclass(frozen=True)
class Backlog:
    """What was measured with one long queue."""

    #: Messages per second over the first and over the last tenth.
    first_rate: float
    last_rate: float
    #: The most memory the broker had while it was filled, served others, and was drained after a restart.
    resident_bytes: int
    #: From the start of the process on the full store until it was ready.
    restart_seconds: float
    drain_rate: float
    #: Messages per second through another queue, before and beside the backlog.
    rate_before: float
    rate_beside: float
    #: Whether each message came once, in order.
    is_in_order: bool


def pile_up(broker: BrokerProcess, count: int, *, body_bytes: int = 256) -> Backlog:
    """Fill a queue, use another one beside it, kill the broker, and drain what it has after a restart.

    Args:
        broker: Running, on an empty store.
        count: Messages.
        body_bytes: The size of each.
    """
    rate_before = pass_through(broker, _BESIDE_COUNT)
    with MemoryWatch(broker) as memory:
        producer = Producer(broker.port, "filler", "/queue/long", body_bytes=body_bytes, ahead=_AHEAD, limit=count)
        producer.start()
        producer.wait_until_confirmed(count)
        producer.finish()
        rate_beside = pass_through(broker, _BESIDE_COUNT)
        broker.kill()
        started = time.monotonic()
        broker.restart()
        restart_seconds = time.monotonic() - started
        started = time.monotonic()
        numbers = (key_of(body).number for body in drained(broker.port, "/queue/long"))
        is_in_order = all(number == expected for number, expected in zip_longest(numbers, range(count)))
        drain_rate = count / (time.monotonic() - started)
    tenths = producer.tenths
    return Backlog(
        first_rate=count / 10 / tenths[0],
        last_rate=count / 10 / (tenths[9] - tenths[8]),
        resident_bytes=memory.highest,
        restart_seconds=restart_seconds,
        drain_rate=drain_rate,
        rate_before=rate_before,
        rate_beside=rate_beside,
        is_in_order=is_in_order,
    )


def pass_through(broker: BrokerProcess, count: int) -> float:
    """Send messages through a queue to a consumer that acknowledges, and return how many pass per second."""
    consumer = Consumer(broker.port, "/queue/beside", prefetch=1000)
    producer = Producer(broker.port, "beside", "/queue/beside", ahead=_AHEAD, limit=count)
    consumer.start()
    started = time.monotonic()
    producer.start()
    wait_for(lambda: len(consumer.bodies) == count, f"all of {count} messages passed")
    seconds = time.monotonic() - started
    consumer.leave()
    producer.finish()
    return count / seconds


@final
@dataclass(frozen=True)
class Crowd:
    """What was measured with many queues."""

    resident_bytes: int
    restart_seconds: float
    #: Queues, of those that were looked into, whose messages were not all there in order.
    wrong: list[str]


def spread_out(broker: BrokerProcess, queues: int, *, each: int = 10, sample: int = 50) -> Crowd:
    """Put messages into many queues, kill the broker, and look into some of them after a restart."""
    names = [f"/queue/one-of-many-{number}" for number in range(queues)]
    with MemoryWatch(broker) as memory:
        with LoadClient(broker.port) as client:
            for number in range(each):
                for start in range(0, queues, 500):
                    frames = [f"SEND\ndestination:{name}\n\n{number}\0" for name in names[start : start + 500]]
                    client.send("".join(frames).encode())
            client.disconnect()
        broker.kill()
        started = time.monotonic()
        broker.restart()
        restart_seconds = time.monotonic() - started
        expected = [str(number).encode() for number in range(each)]
        step = max(1, queues // sample)
        wrong = [name for name in names[::step] if drain(broker.port, name) != expected]
    return Crowd(memory.highest, restart_seconds, wrong)


def sit_idle(broker: BrokerProcess, count: int) -> float:
    """Connect so many clients that subscribe and then do nothing, and return the bytes that each costs the broker."""
    with MemoryWatch(broker) as memory:
        clients = []
        for number in range(count):
            clients.append(LoadClient(broker.port))
            clients[-1].subscribe(f"/queue/idle-{number % 10}")
        clients[0].request("SEND\ndestination:/queue/still-served", "hello")
    for client in clients:
        client.close()
    return memory.growth / count

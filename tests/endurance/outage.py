"""A database that goes away under load and comes back."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, final

from tests.endurance.load import PATIENCE_SECONDS, Consumer, Idler, Producer, Worker, drain, faults
from tests.harness.process import BrokerProcess
from tests.harness.waiting import wait_for

#: A small journal, so that producers are held back early; heart-beats that are due many times while the database is
#: away, and whose absence would be noticed.
SETTINGS: Final = """
    heart_beat = [200, 1000]

    [limits]
    journal_units = 1000
"""

_HEART_BEAT: Final = "1000,200"
_BODY_BYTES: Final = 1000

#: A producer that sent nothing for so long is being held back.
_STANDSTILL_SECONDS: Final = 0.5


@final
@dataclass(frozen=True)
class Outage:
    """What was counted."""

    #: How long the database stayed away after the producers had come to a stand.
    still_seconds: float
    #: What the producers' sockets took in that time.
    sent_while_still: int
    #: RECEIPTs that came in that time.
    confirmed_while_still: int
    #: Of each connection: heart-beats that came in that time.
    beats_while_still: list[int]
    confirmed: int
    #: Promises broken, each as a sentence.
    faults: list[str]


def ride_out(
    broker: BrokerProcess, end_database: Callable[[], None], start_database: Callable[[], None], seconds: float
) -> Outage:
    """Take the database away from a running broker for a while, and see what becomes of everybody's messages.

    Two producers share a queue that a consumer works off. Two others fill one that is looked into at the end, after
    the broker was killed and started again.
    """
    worked, kept = "/queue/worked", "/queue/kept"
    consumer = Consumer(broker.port, worked, heart_beat=_HEART_BEAT)
    idler = Idler(broker.port, _HEART_BEAT)
    producers = [
        Producer(broker.port, f"{queue[7:]}-{number}", queue, body_bytes=_BODY_BYTES, heart_beat=_HEART_BEAT)
        for queue in (worked, kept)
        for number in range(2)
    ]
    everybody = [consumer, idler, *producers]
    for worker in everybody:
        worker.start()
    for producer in producers:
        producer.wait_until_confirmed(500)

    end_database()
    broker.wait_for_output("The store cannot be reached")
    _wait_for_standstill(producers)
    beats = idler.client.beats
    wait_for(lambda: idler.client.beats > beats + 1, "whatever was confirmed before has arrived")
    early = _Counts.now(everybody, producers)
    time.sleep(seconds)  # the outage itself
    late = _Counts.now(everybody, producers)
    start_database()

    for producer, goal in [(producer, producer.confirmed + 500) for producer in producers]:
        producer.wait_until_confirmed(goal)
    for producer in producers:
        producer.stop_sending()
    wait_for(lambda: len(consumer.bodies) >= sum(producer.attempted for producer in producers[:2]), "all were consumed")
    for worker in everybody:
        worker.check()
    consumer.leave()
    return Outage(
        still_seconds=seconds,
        sent_while_still=late.sent - early.sent,
        confirmed_while_still=late.confirmed - early.confirmed,
        beats_while_still=[after - before for before, after in zip(early.beats, late.beats, strict=True)],
        confirmed=sum(producer.confirmed for producer in producers),
        faults=[
            *faults(producers[:2], [*consumer.bodies, *drain(broker.port, worked)]),
            *_look_after_restart(broker, [idler, *producers], producers[2:], kept),
        ],
    )


@final
class _Counts(NamedTuple):
    """What was counted up to one moment."""

    sent: int
    confirmed: int
    beats: list[int]

    @classmethod
    def now(cls, everybody: Sequence[Worker], producers: Sequence[Producer]) -> _Counts:
        """Count."""
        return cls(
            sum(producer.sent for producer in producers),
            sum(producer.confirmed for producer in producers),
            [worker.client.beats for worker in everybody],
        )


def _wait_for_standstill(producers: Sequence[Producer]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    still_since, sent = time.monotonic(), -1
    while time.monotonic() < still_since + _STANDSTILL_SECONDS:
        assert time.monotonic() < deadline, "producers go on although the database is away"
        now_sent = sum(producer.sent for producer in producers)
        if now_sent != sent:
            still_since, sent = time.monotonic(), now_sent
        time.sleep(0.02)


def _look_after_restart(
    broker: BrokerProcess, workers: Sequence[Worker], producers: Sequence[Producer], queue: str
) -> list[str]:
    for worker in workers:
        worker.finish()
    broker.kill()
    broker.restart()
    return faults(producers, drain(broker.port, queue))

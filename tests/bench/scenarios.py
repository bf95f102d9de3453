"""What is measured end to end, over sockets: who sends what to whom, and how the work is checked."""

from __future__ import annotations

import secrets
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Final, final

from tests.bench.account import faults
from tests.bench.crew import Crew, Shift
from tests.bench.figures import Figure, WrongResult
from tests.bench.load import Address, LoadFailure, Outcome, Sending, Taking, left_over

#: Name destinations, so that no measurement meets what another one, or another run, has left.
_RUN: Final = secrets.token_hex(3)
_serials = count(1)


@final
@dataclass(frozen=True)
class Scenario:
    """One kind of work."""

    name: str
    meaning: str
    #: About what stompd does in a second, which decides how many messages are sent.
    per_second: int
    producers: int = 1
    consumers: int = 1
    destinations: int = 1
    body_bytes: int = 256
    is_topic: bool = False
    is_persistent: bool = True
    #: Receipts that a producer awaits at a time; None asks for none.
    window: int | None = 100
    transaction: int = 0
    #: Messages a second, whatever becomes of them; 0 is as fast as possible.
    rate: int = 0
    #: Whether consumers begin when everything has been sent.
    is_filled_first: bool = False

    def count(self, seconds: float) -> int:
        """Return how many messages each producer sends, in whole transactions."""
        whole = max(1, self.transaction)
        return max(1, round(self.per_second * seconds / self.producers / whole)) * whole


SCENARIOS: Final = (
    Scenario("queue", "persistent, a receipt for each, individual ACKs, 1 to 1", 15_000),
    Scenario("queue-wide", "the same, 4 to 4 on one queue", 15_000, producers=4, consumers=4),
    Scenario("queues", "the same, 4 to 4 on 4 queues", 15_000, producers=4, consumers=4, destinations=4),
    Scenario("one-by-one", "the next SEND waits for the RECEIPT", 1_000, window=1),
    Scenario("transactions", "10 SENDs a transaction, receipt on COMMIT", 20_000, transaction=10, window=10),
    Scenario("fill", "persistent, nobody consuming; then one drains", 20_000, producers=2, is_filled_first=True),
    Scenario("memory", "persistent:false, no receipts, individual ACKs", 30_000, is_persistent=False, window=None),
    Scenario(
        "topic",
        "1 to 5, automatic, persistent:false",
        8_000,
        consumers=5,
        is_topic=True,
        is_persistent=False,
        window=None,
    ),
    Scenario("latency", "SEND to MESSAGE at 2,000 persistent messages a second", 2_000, rate=2_000),
    Scenario("large", "persistent bodies of 1 MB", 60, body_bytes=1_000_000, window=8),
)


@final
@dataclass(frozen=True)
class Target:
    """A broker to be measured."""

    name: str
    address: Address


def measure(scenario: Scenario, target: Target, seconds: float, crew: Crew) -> Iterator[Figure]:
    """Do the work once, check it, and yield what was measured.

    Raises:
        WrongResult: A message was lost, came twice or out of order, or the broker failed.
    """
    work = _Work(scenario, target, seconds)
    try:
        if scenario.is_filled_first:
            filling, draining = crew.work(work.sendings()), crew.work(work.takings())
            taken = draining.outcomes
            figures = [_rate("fill", filling, work), _rate("drain", draining, work)]
        else:
            shift = crew.work([*work.takings(), *work.sendings()])
            taken = shift.outcomes[: scenario.consumers]
            figures = _latencies(shift, work) if scenario.rate else [_rate(scenario.name, shift, work)]
        work.check(taken)
    except (WrongResult, LoadFailure, OSError) as error:
        raise WrongResult(f"{scenario.name} on {target.name}: {error}") from error
    yield from figures


@final
class _Work:
    """One scenario on one broker, with destinations of its own."""

    def __init__(self, scenario: Scenario, target: Target, seconds: float) -> None:
        self.scenario = scenario
        self.target = target
        self.count = scenario.count(seconds)
        kind = "topic" if scenario.is_topic else "queue"
        serial = next(_serials)
        self._destinations = [f"/{kind}/bench-{_RUN}-{serial}-{number}" for number in range(scenario.destinations)]

    @property
    def target_count(self) -> int:
        """How many messages all consumers get together."""
        return self.count * self.scenario.producers * (self.scenario.consumers if self.scenario.is_topic else 1)

    def sendings(self) -> list[Sending]:
        """Return the jobs of the producers."""
        scenario = self.scenario
        return [
            Sending(
                self.target.address,
                self._destination(producer),
                producer,
                self.count,
                scenario.body_bytes,
                is_persistent=scenario.is_persistent,
                window=self.count if scenario.rate else scenario.window,
                transaction=scenario.transaction,
                rate=scenario.rate,
            )
            for producer in range(scenario.producers)
        ]

    def takings(self) -> list[Taking]:
        """Return the jobs of the consumers."""
        scenario = self.scenario
        ack = "auto" if scenario.is_topic else "client-individual"
        return [
            Taking(
                self.target.address,
                self._destination(consumer),
                scenario.body_bytes,
                self.target_count,
                ack,
                is_late=scenario.is_filled_first,
            )
            for consumer in range(scenario.consumers)
        ]

    def check(self, taken: Sequence[Outcome]) -> None:
        """Raise an error unless every message came once and in order, and the queues are empty."""
        wrong: list[str] = []
        for place, destination in enumerate(self._destinations):
            step = self.scenario.destinations
            counts = dict.fromkeys(range(place, self.scenario.producers, step), self.count)
            streams = [outcome.keys for outcome in taken[place::step]]
            for group in [[stream] for stream in streams] if self.scenario.is_topic else [streams]:
                wrong += faults(counts, group)
            if not self.scenario.is_topic and (left := left_over(self.target.address, destination)):
                wrong.append(f"{left} messages are left in {destination}, although all were acknowledged")
        if wrong:
            raise WrongResult("; ".join(wrong))

    def _destination(self, number: int) -> str:
        return self._destinations[number % len(self._destinations)]


def _rate(name: str, shift: Shift, work: _Work) -> Figure:
    """Return how many messages a second arrived, or were confirmed if nobody consumed."""
    elapsed = max(outcome.ended for outcome in shift.outcomes) - shift.start
    count = work.count * work.scenario.producers if name == "fill" else work.target_count
    megabyte = work.scenario.body_bytes / 1e6
    return Figure(
        name,
        count / elapsed,
        "deliveries/s" if work.scenario.is_topic else "messages/s",
        work.scenario.meaning,
        work.target.name,
        load_cores=shift.processor_seconds / elapsed,
        reword=lambda rate: f"{rate * megabyte:,.1f} MB/s",
    )


def _latencies(shift: Shift, work: _Work) -> list[Figure]:
    """Return the median and the 99th percentile of the time from when a SEND was due to its MESSAGE."""
    arrivals = shift.outcomes[0].arrivals
    totals = [total for _, total in arrivals]
    elapsed = max(outcome.ended for outcome in shift.outcomes) - shift.start
    delays = sorted(
        arrivals[bisect_left(totals, number + 1)][0] - shift.start - number / work.scenario.rate
        for number in range(work.count)
    )
    return [
        Figure(
            f"latency {name}",
            delays[int(len(delays) * part)] * 1000,
            "ms",
            work.scenario.meaning,
            work.target.name,
            is_less_better=True,
            load_cores=shift.processor_seconds / elapsed,
        )
        for name, part in (("p50", 0.5), ("p99", 0.99))
    ]

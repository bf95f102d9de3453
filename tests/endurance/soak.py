"""The long measurements: scripts/soak runs them one after the other, and says which bars were met.

Everything happens on this machine, through its loopback interface, with brokers and PostgreSQL servers of its own.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple, final

from tests.endurance import mixed as mixing
from tests.endurance import standby as standing_by
from tests.endurance import test_disk_full, test_fast_producer, test_slow_consumer
from tests.endurance.backlog import Backlog, pile_up, sit_idle, spread_out
from tests.endurance.fullness import fill_up, limit_files
from tests.endurance.load import close_all
from tests.endurance.outage import SETTINGS, ride_out
from tests.endurance.slowness import send_without_end, stop_reading
from tests.harness.process import BrokerProcess
from tests.postgres import PostgresServer

_MB: Final = 1_000_000

#: Draining and filling are compared with a queue of this length.
_SHORT_QUEUE: Final = 50_000


class Bar(NamedTuple):
    """One measured value beside what is promised."""

    what: str
    measured: str
    promised: str
    is_met: bool


@final
class Site:
    """Where one measurement has its brokers, on one kind of database."""

    def __init__(self, directory: Path, database: str) -> None:
        """Prepare a place; PostgreSQL is started with durable settings when it is the database."""
        self.database = database
        self.server: PostgresServer | None = None
        self._directory = directory
        self._brokers: list[BrokerProcess] = []
        if database == "postgresql":
            files = directory / "postgresql"
            files.mkdir()
            self.server = PostgresServer(files)
            self.server.start()

    @property
    def url(self) -> str:
        """The URL of the store."""
        return self.server.url() if self.server else f"sqlite:///{self._directory / 'stompd.sqlite3'}"

    def broker(self, settings: str = "") -> BrokerProcess:
        """Describe a broker; it is not started."""
        directory = self._directory / f"broker-{len(self._brokers)}"
        directory.mkdir()
        self._brokers.append(BrokerProcess(directory, self.url, settings=settings))
        return self._brokers[-1]

    def close(self) -> None:
        """End everything."""
        close_all()
        for broker in self._brokers:
            broker.kill()
        if self.server is not None:
            self.server.kill()


@contextmanager
def site(database: str) -> Iterator[Site]:
    """Lend a place that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="stompd-soak-", ignore_cleanup_errors=True) as directory:
        os.chmod(directory, 0o755)  # PostgreSQL may run as somebody else
        place = Site(Path(directory), database)
        try:
            yield place
        finally:
            place.close()


def tell(line: str) -> None:
    """Print how it goes."""
    print(f"    {line}", flush=True)


def outage(database: str, options: argparse.Namespace) -> Iterator[Bar]:
    """The database is stopped, and then killed, under load."""
    for what, end in (("stopped", PostgresServer.stop), ("killed", PostgresServer.kill)):
        tell(f"PostgreSQL is {what} for {options.outage_seconds:.0f} s under load")
        with site(database) as place:
            server = place.server
            assert server is not None
            broker = place.broker(SETTINGS).start()
            counted = ride_out(broker, partial(end, server), server.start, options.outage_seconds)
        yield _none(f"RECEIPTs while {what}", counted.confirmed_while_still)
        yield _none(f"octets taken from producers while {what}", counted.sent_while_still)
        beats, least = min(counted.beats_while_still), int(options.outage_seconds * 2)
        yield Bar(f"heart-beats to each client while {what}", f"{beats}", f">= {least}", beats >= least)
        yield _kept(f"{counted.confirmed} confirmed messages", counted.faults)


def disk(database: str, options: argparse.Namespace) -> Iterator[Bar]:
    """The database cannot grow for a while."""
    with site(database) as place:
        broker = place.broker(test_disk_full.SETTINGS).start()
        process = test_disk_full.session_of_broker(place.url) if place.server else broker.pid
        limit_files(process, test_disk_full.ROOM_BYTES)
        counted = fill_up(broker, lambda: limit_files(process, None))
    yield _kept(f"{counted.confirmed} confirmed, {counted.confirmed_before} of them before it was full", counted.faults)


def slow(database: str, options: argparse.Namespace) -> Iterator[Bar]:
    """A subscriber stops reading."""
    for kind in ("topic", "queue"):
        with site(database) as place:
            broker = place.broker(test_slow_consumer.SETTINGS).start()
            counted = stop_reading(broker, f"/{kind}/shared", count=200_000, body_bytes=1000)
        rates = f"{counted.ratio:.2f} ({counted.rate_alone:,.0f}/s alone, {counted.rate_beside:,.0f}/s beside it)"
        yield Bar(f"rate of the others on the {kind}", rates, ">= 0.9", counted.ratio >= 0.9)
        yield _memory(f"memory for it on the {kind}", counted.growth, test_slow_consumer.MEMORY_BYTES)


def fast(database: str, options: argparse.Namespace) -> Iterator[Bar]:
    """A producer never waits."""
    with site(database) as place:
        broker = place.broker(test_fast_producer.SETTINGS).start()
        counted = send_without_end(broker, acks=500, least_bytes=500 * _MB, body_bytes=8_000)
    yield _memory(f"memory for {counted.taken_bytes / _MB:.0f} MB", counted.growth, test_fast_producer.MEMORY_BYTES)
    middle = counted.ack_seconds[len(counted.ack_seconds) // 2]
    yield Bar("ACKs of others, median", f"{middle * 1000:.0f} ms", "<= 500 ms", middle <= 0.5)


def long(database: str, options: argparse.Namespace) -> Iterator[Bar]:
    """One queue gets very long."""
    results: list[Backlog] = []
    for count in (_SHORT_QUEUE, options.messages):
        tell(f"{count:,} messages of 256 bytes")
        with site(database) as place:
            results.append(pile_up(place.broker().start(), count))
        tell(str(results[-1]))
    short, full = results
    yield _ratio("fill: last tenth to first tenth", full.last_rate, full.first_rate, 0.8)
    yield _memory("memory", full.resident_bytes, 250 * _MB)
    yield Bar("restart", f"{full.restart_seconds:.1f} s", "< 3 s", full.restart_seconds < 3)
    yield _ratio(f"drain: to {_SHORT_QUEUE:,}", full.drain_rate, short.drain_rate, 0.5)
    yield _ratio("another queue: beside it to before", full.rate_beside, full.rate_before, 0.9)
    yield Bar("each message once, in order", str(full.is_in_order), "True", full.is_in_order)


def queues(database: str, options: argparse.Namespace) -> Iterator[Bar]:
    """There are 10,000 queues with ten messages each."""
    with site(database) as place:
        counted = spread_out(place.broker().start(), 10_000)
    yield _memory("memory with 10,000 queues", counted.resident_bytes, 500 * _MB)
    yield Bar("restart with 10,000 queues", f"{counted.restart_seconds:.1f} s", "< 10 s", counted.restart_seconds < 10)
    yield _kept("the messages of 50 of them", counted.wrong)


def idle(database: str, options: argparse.Namespace) -> Iterator[Bar]:
    """2,000 connections do nothing."""
    with site(database) as place:
        each = sit_idle(place.broker().start(), 2_000)
    yield Bar("an idle connection", f"{each / 1000:.1f} KB", "<= 40 KB", each <= 40_000)


def standby(database: str, options: argparse.Namespace) -> Iterator[Bar]:
    """A standby takes over five times."""
    for seed in range(5):
        with site(database) as place:
            first, second = place.broker(standing_by.SETTINGS), place.broker(standing_by.SETTINGS)
            result = standing_by.take_over(first, second, confirmations=2000, seed=seed)
        yield Bar(f"take-over {seed + 1}", f"{result.seconds:.1f} s", "<= 5 s", result.seconds <= 5)
        yield _kept(result.load, result.faults)


def mixed(database: str, options: argparse.Namespace) -> Iterator[Bar]:
    """Clients work and die at random."""
    with site(database) as place:
        broker = place.broker(mixing.SETTINGS).start()
        account = mixing.live_and_die(broker, options.minutes * 60, options.seed, tell)
    tell(str(account))
    yield _kept(f"{account.confirmed} confirmed, {account.arrived} arrived, {account.deaths} deaths", account.faults)
    sizes = f"{account.growth:+.0%} ({account.early_bytes / _MB:.0f} MB, then {account.late_bytes / _MB:.0f} MB)"
    yield Bar("memory at the end to a fifth of the way", sizes, "<= +20%", account.growth <= 0.2)


#: Each with the databases it is measured on.
PARTS: Final[dict[str, tuple[Callable[[str, argparse.Namespace], Iterator[Bar]], tuple[str, ...]]]] = {
    "outage": (outage, ("postgresql",)),
    "disk": (disk, ("sqlite", "postgresql")),
    "slow": (slow, ("sqlite", "postgresql")),
    "fast": (fast, ("sqlite", "postgresql")),
    "standby": (standby, ("sqlite", "postgresql")),
    "idle": (idle, ("sqlite",)),
    "queues": (queues, ("sqlite", "postgresql")),
    "long": (long, ("sqlite", "postgresql")),
    "mixed": (mixed, ("postgresql",)),
}


def main() -> int:
    """Measure what was asked for, and return 1 when a bar was missed."""
    gc.disable()  # looking through millions of bodies for cycles would make every client here a slow one
    options = _options()
    missed: list[str] = []
    for name in options.parts or PARTS:
        measure, databases = PARTS[name]
        for database in databases if options.database is None else (options.database,):
            if database not in databases:
                continue
            print(f"{name} on {database}: {(measure.__doc__ or '').strip()}", flush=True)
            started = time.monotonic()
            missed += [f"{name} on {database}: {bar.what}" for bar in _shown(measure(database, options))]
            tell(f"({time.monotonic() - started:.0f} s)")
    if missed:
        print("missed:", *missed, sep="\n  ")
        print(
            "Next: run that part alone, scripts/soak PART, on an idle machine; then profile the broker while it runs."
        )
        return 1
    print("All bars were met. Next: note the figures that changed, with this machine's number of cores.")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__)
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"what to measure, else everything: {', '.join(PARTS)}"
    )
    parser.add_argument("--database", choices=["sqlite", "postgresql"], help="this one only")
    parser.add_argument("--minutes", type=float, default=10, help="how long mixed load goes on (default 10)")
    parser.add_argument("--messages", type=int, default=1_000_000, help="in the long queue (default 1000000)")
    parser.add_argument("--outage-seconds", type=float, default=30, help="how long the database is away (default 30)")
    parser.add_argument("--seed", type=int, default=1, help="decides which clients die when (default 1)")
    options = parser.parse_args()
    unknown = set(options.parts) - set(PARTS)
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    return options


def _shown(bars: Iterator[Bar]) -> Iterator[Bar]:
    """Print each bar, and yield those that were missed."""
    for bar in bars:
        verdict = "met   " if bar.is_met else "MISSED"
        print(f"  {verdict} {bar.what}: {bar.measured}; promised {bar.promised}", flush=True)
        if not bar.is_met:
            yield bar


def _none(what: str, count: int) -> Bar:
    return Bar(what, str(count), "0", count == 0)


def _kept(what: str, faults: list[str]) -> Bar:
    return Bar(what, "; ".join(faults[:5]) or "all there, in order", "nothing lost", not faults)


def _memory(what: str, size: int, limit: int) -> Bar:
    return Bar(what, f"{size / _MB:.0f} MB", f"< {limit / _MB:.0f} MB", size < limit)


def _ratio(what: str, rate: float, reference: float, least: float) -> Bar:
    ratio = rate / reference
    return Bar(what, f"{ratio:.2f} ({rate:,.0f}/s, {reference:,.0f}/s)", f">= {least}", ratio >= least)


if __name__ == "__main__":
    sys.exit(main())

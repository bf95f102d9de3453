"""The project's own benchmarks: how fast each stage is alone, and how fast the broker is over a socket.

Nothing here judges: figures depend on the machine and the minute. Compare those of one run, or of two runs one after
the other. Every piece of work is checked, though: a wrong result ends the run with status 1.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Final, final

from stompd.service import _tune_interpreter
from tests.bench import clients, codec, core, selector, stores
from tests.bench.crew import Crew
from tests.bench.figures import Figure, Measure, WrongResult, limited_by_load, table
from tests.bench.load import Address
from tests.bench.scenarios import SCENARIOS, Scenario, Target, measure
from tests.harness.process import BrokerProcess
from tests.postgres import PostgresServer, create_database, drop_database

_STAGES: Final[dict[str, Callable[[float], Iterator[Measure]]]] = {
    "parse": codec.parse,
    "serialize": codec.serialization,
    "core": core.core,
    "selector": selector.selector,
}
_SCENARIOS: Final = {scenario.name: scenario for scenario in SCENARIOS}
_END_TO_END: Final = "end-to-end"
_CLIENTS: Final = "clients"

#: What can be asked for.
NAMES: Final = (*_STAGES, "store", _CLIENTS, _END_TO_END, *_SCENARIOS)

DATABASES: Final = ("sqlite", "postgresql")


@final
class Bench:
    """Where measurements have their databases, brokers and load processes; all of that is gone after `with`."""

    def __init__(
        self,
        directory: Path,
        databases: Sequence[str],
        seconds: float,
        *,
        postgresql_url: str | None = None,
        peers: Sequence[Target] = (),
        tell: Callable[[str], None] = print,
    ) -> None:
        """Measure on some databases.

        Args:
            directory: Where their files go.
            databases: Some of `DATABASES`.
            seconds: About how long one measurement takes.
            postgresql_url: A server where databases can be created; None starts one with durable settings.
            peers: Other brokers, which do the same work over sockets.
            tell: Told how it goes.
        """
        self._directory = directory
        self._databases = databases
        self._seconds = seconds
        self._postgresql_url = postgresql_url
        self._peers = peers
        self._tell = tell
        self._stack = ExitStack()
        self._crew = self._stack.enter_context(Crew())
        self._targets: list[Target] = []
        self._last_file = 0

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def groups(self, name: str) -> Iterator[Sequence[Measure]]:
        """Yield the measurements of one name; those of a group belong side by side."""
        if name in _STAGES:
            yield from ([stage] for stage in _STAGES[name](self._seconds))
        elif name == "store":
            urls = {"memory": lambda: "memory:"} | {kind: partial(self._url, kind) for kind in self._databases}
            stages = [stores.store(self._seconds, place, url) for place, url in urls.items()]
            yield from zip(*stages, strict=True)
        elif name == _CLIENTS:
            yield from clients.clients(self._seconds, self._start_targets()[0], self._crew)
        else:
            yield self._over_sockets(_SCENARIOS[name])

    def _over_sockets(self, scenario: Scenario) -> Sequence[Measure]:
        return [partial(measure, scenario, target, self._seconds, self._crew) for target in self._start_targets()]

    def _start_targets(self) -> Sequence[Target]:
        if not self._targets:
            self._targets = [*map(self._broker, self._databases), *self._peers]
        return self._targets

    def _broker(self, database: str) -> Target:
        self._tell(f"starting stompd on {database}")
        directory = self._directory / f"broker-{database}"
        directory.mkdir()
        broker = self._stack.enter_context(BrokerProcess(directory, self._url(database)))
        return Target(database, Address(broker.port))

    def _url(self, database: str) -> str:
        """Return the URL of a fresh database."""
        if database == "sqlite":
            self._last_file += 1
            return f"sqlite:///{self._directory / f'{self._last_file}.sqlite3'}"
        if self._postgresql_url is None:
            self._tell("starting PostgreSQL, with fsync")
            files = self._directory / "postgresql"
            files.mkdir()
            server = PostgresServer(files)
            self._stack.callback(server.kill)
            server.start()
            self._postgresql_url = server.url()
        url = create_database(self._postgresql_url)
        self._stack.callback(drop_database, self._postgresql_url, url)
        return url


def run(bench: Bench, names: Sequence[str], rounds: int, tell: Callable[[str], None]) -> tuple[list[Figure], list[str]]:
    """Measure, and return the figures and what went wrong, each as a sentence.

    Args:
        bench: Where.
        names: Some of `NAMES`.
        rounds: How often each; within a round, the places take turns, so that a drifting machine hurts all alike.
        tell: Told each figure.
    """
    figures: list[Figure] = []
    wrong: list[str] = []
    for name in names:
        for group in bench.groups(name):
            for measurement in [measurement for _ in range(rounds) for measurement in group]:
                try:
                    for figure in measurement():
                        tell(str(figure))
                        figures.append(figure)
                except WrongResult as error:
                    tell(f"WRONG: {error}")
                    wrong.append(str(error))
    return figures, wrong


def main() -> int:
    """Measure what was asked for, and return 1 when a result was wrong."""
    options = _options()
    _tune_interpreter()  # as the broker does
    peers = [Target(name, Address(port, options.login, options.passcode)) for name, port in options.beside]
    databases = DATABASES if options.database == "both" else (options.database,)
    names = [name for what in options.what or (*_STAGES, "store", _CLIENTS, _END_TO_END) for name in _expand(what)]
    with _directory() as directory:
        _tell(f"databases are below {directory}; set TMPDIR to measure another disk")
        with Bench(directory, databases, options.seconds, peers=peers, tell=_tell) as bench:
            figures, wrong = run(bench, names, options.rounds, _tell)
    print()
    others = [*(peer.name for peer in peers), *([clients.STOMP_PY] if _CLIENTS in names else [])]
    print(table(figures, others))
    print()
    if peers:
        print("The brokers beside keep empty queues, whose names begin with bench-.")
    if limited := limited_by_load(figures):
        print("The load itself was busy for a whole core, and may be what was measured:", ", ".join(limited) + ".")
    if wrong:
        print("Wrong results:", *wrong, sep="\n  ")
        print("Next: run that benchmark alone, scripts/bench NAME, and look at what the broker logs meanwhile.")
        return 1
    print(
        "Every message was accounted for. Next: run the same command on the commit before yours, and quote both "
        "figures; profile what became slower."
    )
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("what", nargs="*", metavar="WHAT", help=f"else everything: {', '.join(NAMES)}")
    parser.add_argument("--database", choices=[*DATABASES, "both"], default="both", help="default both")
    parser.add_argument("--seconds", type=float, default=1.0, help="about how long one measurement takes (default 1)")
    parser.add_argument("--rounds", type=int, default=1, help="how often each; medians are shown (default 1)")
    parser.add_argument(
        "--beside", action="append", default=[], type=_peer, metavar="NAME=PORT",
        help="do the same over sockets with another broker of this machine, and show ratios to it; repeatable",
    )  # fmt: skip
    parser.add_argument("--login", default="guest", help="at the brokers beside (default guest)")
    parser.add_argument("--passcode", default="guest", help="at the brokers beside (default guest)")
    options = parser.parse_args()
    if unknown := set(options.what) - set(NAMES):
        parser.error(f"nothing is called {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    return options


def _peer(text: str) -> tuple[str, int]:
    name, equals, port = text.partition("=")
    if not (name and equals and port.isdigit()) or name in DATABASES:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=PORT, such as rabbitmq=61613")
    return name, int(port)


def _expand(what: str) -> Sequence[str]:
    return tuple(_SCENARIOS) if what == _END_TO_END else (what,)


@contextmanager
def _directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="stompd-bench-", ignore_cleanup_errors=True) as directory:
        os.chmod(directory, 0o755)  # PostgreSQL may run as somebody else
        yield Path(directory)


def _tell(line: str) -> None:
    print(f"    {line}", file=sys.stderr, flush=True)

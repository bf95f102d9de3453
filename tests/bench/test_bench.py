"""The benchmarks themselves, in their smallest form: each does its work, and what it measures can be shown."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.bench import clients
from tests.bench.figures import table
from tests.bench.program import DATABASES, NAMES, Bench, run
from tests.bench.scenarios import SCENARIOS
from tests.harness.reporting import note_database

_STORES = ("memory", *DATABASES)
_PLACES: dict[str, Sequence[str]] = dict.fromkeys(("parse", "serialize", "core", "selector"), ("",))
_PLACES |= {"store": _STORES, "clients": (clients.JMS_API, clients.STOMP_PY)}
_PLACES |= {scenario.name: DATABASES for scenario in SCENARIOS}


@pytest.fixture(scope="module")
def bench(postgresql_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Both databases with a broker on each, for measurements that take no time."""
    with Bench(tmp_path_factory.mktemp("bench"), DATABASES, 0.005, postgresql_url=postgresql_server) as bench:
        yield bench


@pytest.mark.parametrize("name", _PLACES)
def test_benchmark_does_its_work_everywhere(request: pytest.FixtureRequest, bench: Bench, name: str) -> None:
    if "postgresql" in _PLACES[name]:
        note_database(request, "postgresql")

    figures, wrong = run(bench, [name], 1, print)

    assert wrong == []
    assert {figure.place for figure in figures} == set(_PLACES[name])
    assert all(figure.value > 0 for figure in figures)
    assert table(figures).count("\n") == 1 + len(figures)


def test_every_name_is_tried() -> None:
    assert set(_PLACES) | {"end-to-end"} == set(NAMES)


def test_broker_that_does_not_work_is_named_and_ends_the_script_with_1() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        beside = f"--beside=nobody={closed.getsockname()[1]}"
        command = [sys.executable, "-m", "tests.bench", "queue", "--database=sqlite", "--seconds=0.01", beside]

        ended = subprocess.run(
            command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False, timeout=60
        )

    assert ended.returncode == 1, ended.stderr
    assert "| to nobody |" in ended.stdout
    assert "| queue     | sqlite |" in ended.stdout
    assert "queue on nobody: taking failed: [Errno 111] Connection refused" in ended.stdout

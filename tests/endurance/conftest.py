"""Brokers of the endurance suite; each test has its own, for each does something bad to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from tests.endurance.load import close_all
from tests.harness.process import BrokerProcess
from tests.harness.reporting import note_database, pytest_runtest_makereport  # noqa: F401  # a hook, found by its name

LISTEN = "tcp:0:interface=127.0.0.1"


class MakeBroker(Protocol):
    """Describes a broker that ends with the test; it is not started."""

    def __call__(self, store: str, settings: str = "", listen: str = LISTEN) -> BrokerProcess: ...


@pytest.fixture(params=["tcp", "websocket"])
def listen(request: pytest.FixtureRequest) -> str:
    """Where a broker listens, once on each transport."""
    return LISTEN if request.param == "tcp" else f"ws:{LISTEN}"


@pytest.fixture
def make_broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeBroker]:
    """Make brokers that one test has for itself."""
    made: list[BrokerProcess] = []

    def make(store: str, settings: str = "", listen: str = LISTEN) -> BrokerProcess:
        note_database(request, store)
        directory = tmp_path / f"broker-{len(made)}"
        directory.mkdir()
        made.append(BrokerProcess(directory, store, settings=settings, listen=listen))
        return made[-1]

    yield make
    close_all()
    for broker in made:
        broker.kill()

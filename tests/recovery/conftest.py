"""Brokers of the recovery suite, on databases that keep what they have promised."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.process import BrokerProcess
from tests.harness.reporting import note_database, pytest_runtest_makereport  # noqa: F401  # a hook, found by its name
from tests.postgres import PostgresServer

#: What is drained is there at once, and nowhere else.
_SETTINGS = """
[limits]
max_deliveries = 1_000_000
redelivery_delay_ms = 1
redelivery_delay_limit_ms = 1
"""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database with durable settings."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('store') / 'stompd.sqlite3'}"
        return
    with tempfile.TemporaryDirectory(prefix="stompd-postgresql-", ignore_cleanup_errors=True) as directory:
        server = PostgresServer(Path(directory))
        server.start()
        try:
            yield server.url()
        finally:
            server.kill()


@pytest.fixture(scope="module")
def module_broker(store_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    """A broker that the module's tests kill and start again, one after the other."""
    with BrokerProcess(tmp_path_factory.mktemp("broker"), store_url, settings=_SETTINGS) as broker:
        yield broker


@pytest.fixture
def broker(request: pytest.FixtureRequest, module_broker: BrokerProcess) -> BrokerProcess:
    """The module's broker, running, whatever the test before has left."""
    note_database(request, module_broker.store)
    if not module_broker.is_running:
        module_broker.kill()
        module_broker.start()
    return module_broker

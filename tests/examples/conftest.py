"""A broker for the parts of an example that are tried alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.process import BrokerProcess
from tests.harness.reporting import pytest_runtest_makereport  # noqa: F401  # the hook is found by its name


@pytest.fixture
def broker(tmp_path: Path, sqlite_url: str) -> Iterator[BrokerProcess]:
    """A broker on SQLite that nobody has connected to."""
    with BrokerProcess(tmp_path, sqlite_url) as broker:
        yield broker

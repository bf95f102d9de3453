"""What a test's report says beside its outcome: the output of the brokers it talked to, and their database."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.harness.process import running_output


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the brokers' output to the report of a failure."""
    report = yield
    if report.failed and (output := running_output()):
        report.sections.append(("Output of the running brokers", output[-20_000:]))
    return report


def note_database(request: pytest.FixtureRequest, store: str) -> None:
    """Count a test whose broker is older than itself among those that ran on PostgreSQL."""
    if store.startswith("postgresql"):
        request.node.user_properties.append(("ran on", "PostgreSQL"))

"""Fixtures that every folder may use: a real PostgreSQL server, fresh databases, and the URL of either database."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.postgres import PostgresServer, create_database, drop_database

_ON_POSTGRESQL = ("ran on", "PostgreSQL")


@pytest.fixture(scope="session")
def postgresql_server(pytestconfig: pytest.Config) -> Iterator[str]:
    """The URL of a server where databases can be created: a temporary one, or what STOMPD_TEST_POSTGRESQL names."""
    given = os.environ.get("STOMPD_TEST_POSTGRESQL")
    if given:
        yield given
        return
    with pytestconfig.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print(" [starting PostgreSQL] ", end="", flush=True)
    with tempfile.TemporaryDirectory(prefix="stompd-postgresql-", ignore_cleanup_errors=True) as directory:
        server = PostgresServer(Path(directory), durable=False)
        server.start()
        try:
            yield server.url()
        finally:
            server.kill()


@pytest.fixture
def postgresql_url(request: pytest.FixtureRequest, postgresql_server: str) -> Iterator[str]:
    """The URL of a fresh, empty PostgreSQL database."""
    request.node.user_properties.append(_ON_POSTGRESQL)
    url = create_database(postgresql_server)
    yield url
    drop_database(postgresql_server, url)


@pytest.fixture
def own_postgresql_server(request: pytest.FixtureRequest) -> Iterator[PostgresServer]:
    """A server with durable settings, for one test, to be stopped, killed and restarted."""
    request.node.user_properties.append(_ON_POSTGRESQL)
    with tempfile.TemporaryDirectory(prefix="stompd-postgresql-", ignore_cleanup_errors=True) as directory:
        server = PostgresServer(Path(directory))
        server.start()
        try:
            yield server
        finally:
            server.kill()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of an SQLite database that does not exist yet."""
    return f"sqlite:///{tmp_path / 'stompd.sqlite3'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a fresh database, once on SQLite and once on PostgreSQL."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """End with the number of tests that ran on PostgreSQL."""
    passed = [report for report in terminalreporter.getreports("passed") if report.when == "call"]
    count = sum(_ON_POSTGRESQL in report.user_properties for report in passed)
    terminalreporter.write_line(f"{count} of {len(passed)} passed tests ran on PostgreSQL")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let a skipped test fail on CI, where every part has to be there."""
    report = yield
    is_expected_failure = hasattr(report, "wasxfail")
    if report.skipped and not is_expected_failure and os.environ.get("CI"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI does not allow: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Let a module that skips itself fail in the same way."""
    report = yield
    if report.skipped and os.environ.get("CI"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI does not allow: {report.longrepr}"
    return report

"""OPERATING.md: its settings are those of the program, its examples can be used, its statements run."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from stompd.config import KEYS, load_settings
from stompd.endpoint import parse_endpoint
from stompd.store.factory import make_store
from tests.certificates import Authority
from tests.docs.documents import ROOT, blocks, code, prose, rows, section
from tests.harness.process import BrokerProcess

OPERATING = "OPERATING.md"

_STATEMENTS = [
    statement.strip()
    for document in ("README.md", OPERATING)
    for block in blocks(document, "sql")
    for statement in block.split(";")
    if statement.strip()
]


def test_settings_are_those_of_the_program() -> None:
    printed = subprocess.run(
        [sys.executable, "scripts/settings.py"], cwd=ROOT, capture_output=True, text=True, check=True
    )

    text = section(OPERATING, "Settings") + section(OPERATING, "Destinations")
    listed = [line for line in text.splitlines() if line.startswith("* ")]

    assert listed == printed.stdout.splitlines(), "put the output of scripts/settings.py into OPERATING.md"


def test_settings_named_elsewhere_exist() -> None:
    named = re.findall(r"`(limits\.\w+)`", prose(OPERATING))

    assert set(named) <= set(KEYS)


def _is_deployment(example: str) -> bool:
    """Whether an example needs the files of a certain machine."""
    return "systemd:" in example


@pytest.mark.parametrize("example", [example for example in blocks(OPERATING, "toml") if not _is_deployment(example)])
def test_settings_file_can_be_used(tmp_path: Path, example: str) -> None:
    path = tmp_path / "stompd.toml"
    path.write_text(example)

    settings = load_settings(path, {})

    for name, value in tomllib.loads(example).items():
        if name == "hosts":
            assert set(settings.hosts) == set(value)
        elif name == "destination":
            assert [rule.pattern for rule in settings.destinations] == [table["pattern"] for table in value]
        elif name == "limits":
            assert settings.limits.connections == value["connections"]
        else:
            given = getattr(settings, name)
            assert (list(given) if isinstance(given, tuple) else given) == _frozen(value)


def _frozen(value: object) -> object:
    """Return a value with the lists in a table as settings keep them."""
    return {name: tuple(inner) for name, inner in value.items()} if isinstance(value, dict) else value


def test_settings_of_the_deployment_can_be_used(tmp_path: Path) -> None:
    (example,) = [example for example in blocks(OPERATING, "toml") if _is_deployment(example)]
    certificate = Authority(tmp_path).issue("localhost")
    (tmp_path / "users").write_text("ann:secret\n")
    for name in ("key", "fullchain"):
        example = example.replace(f"/etc/stompd/{name}.pem", str(certificate))
    path = tmp_path / "stompd.toml"
    path.write_text(example.replace("/etc/stompd/users", str(tmp_path / "users")))

    settings = load_settings(path, {})

    assert [parse_endpoint(endpoint).layers for endpoint in settings.listen] == ["ssl:", "ws:", ""]


def test_parts_of_a_tls_endpoint_are_those_of_the_program() -> None:
    listed = [code(row[0])[0].partition("=")[0] for row in rows(section(OPERATING, "TLS"))]

    assert listed[:-1] == ["privateKey", "certKey", "extraCertChain", "clientCerts", "clientAuth"]


def test_tests_in_the_threat_table_exist() -> None:
    sources = "\n".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    named = [name for row in rows(section(OPERATING, "Threats")) for name in code(row[2])]

    assert named
    assert [name for name in named if not ((ROOT / name).is_file() or f"def {name}(" in sources)] == []


def test_broker_announces_itself_as_printed(broker: BrokerProcess) -> None:
    (printed,) = blocks(OPERATING, "text")
    patterns = [re.escape(line).replace(re.escape("..."), ".*") for line in printed.splitlines()]
    expected = "\n".join(patterns).replace("61613", str(broker.port))

    announced = "\n".join(line for line in broker.output.splitlines() if line.startswith("stompd: "))

    assert re.fullmatch(expected, announced)


def test_events_in_the_log_table_are_those_of_the_program() -> None:
    source = "\n".join(path.read_text("utf-8") for path in (ROOT / "stompd").rglob("*.py"))
    events = [code(row[0])[0] for row in rows(section(OPERATING, "Logs"))]
    texts = [re.sub(r" ?[A-Z]{4,}.*| N$", "", event) for event in events]

    assert [event for event in texts if event not in source] == []


@pytest.mark.parametrize("statement", _STATEMENTS)
def test_statement_runs(database_url: str, statement: str) -> None:
    store = make_store(database_url)
    store.open()
    store.close()
    url = make_url(database_url)
    engine = create_engine(url.set(drivername="postgresql+psycopg") if url.drivername == "postgresql" else url)

    with engine.connect() as connection:
        found = connection.execute(text(statement)).all()
    engine.dispose()

    assert found == []


def test_columns_of_the_views_are_listed(sqlite_url: str) -> None:
    store = make_store(sqlite_url)
    store.open()
    store.close()
    engine = create_engine(sqlite_url)
    described = section(OPERATING, "Looking into queues with SQL")

    with engine.connect() as connection:
        for view in ("stompd_queues", "stompd_subscriptions", "stompd_messages"):
            columns = list(connection.execute(text(f"SELECT * FROM {view}")).keys())
            (paragraph,) = [part for part in described.split("\n\n") if part.startswith(f"`{view}`:")]

            assert code(paragraph)[1 : 1 + len(columns)] == columns
    engine.dispose()

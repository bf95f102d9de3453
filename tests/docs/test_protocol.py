"""PROTOCOL.md: its tables of errors, headers, limits and rules are those of the program."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

from stompd import errors
from stompd.broker.requests import AckMode
from stompd.config import KEYS
from stompd.errors import StompError
from stompd.session.login import CLIENT_ID_NAMES
from stompd.session.naming import DURABLE_FLAGS, DURABLE_NAMES, NO_LOCAL_NAMES
from stompd.session.unsupported import UNSUPPORTED
from tests.docs.documents import ROOT, code, read, rows, section
from tests.harness.rules import table

PROTOCOL = "PROTOCOL.md"


def _errors(base: type[StompError]) -> Iterator[type[StompError]]:
    for error in base.__subclasses__():
        if error.__module__ == errors.__name__:
            yield error
            yield from _errors(error)


def test_errors_are_those_of_the_program() -> None:
    listed = {code(row[0])[0]: row[1] for row in rows(section(PROTOCOL, "Errors"))}

    assert listed == {error.code: error("").summary for error in _errors(StompError)}


def test_every_error_says_what_to_do() -> None:
    assert all(all(row) for row in rows(section(PROTOCOL, "Errors")))


def test_errors_that_are_never_soft_are_those_of_the_program() -> None:
    listed = set(code(section(PROTOCOL, "Soft errors"))) & {error.code for error in _errors(StompError)}

    assert listed == {error.code for error in _errors(StompError) if not error.is_of_frame}


def test_headers_are_those_of_the_program() -> None:
    printed = subprocess.run(
        [sys.executable, "scripts/headers.py"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    expected = dict(part.split("\n", 1) for part in printed.stdout.split("### ")[1:])

    listed = {heading: _table(section(PROTOCOL, heading)) for heading in expected}

    tables = {heading: _table(text) for heading, text in expected.items()}
    assert listed == tables, "put the output of scripts/headers.py into PROTOCOL.md"


def _table(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("|")]


def test_headers_of_named_subscriptions_are_those_of_the_program() -> None:
    listed = [code(row[0]) + code(row[1]) for row in rows(section(PROTOCOL, "SUBSCRIBE"))]

    for names in (DURABLE_NAMES, DURABLE_FLAGS, NO_LOCAL_NAMES):
        assert list(names) in listed


def test_client_id_is_spelled_as_in_the_program() -> None:
    listed = [code(row[0]) + code(row[1]) for row in rows(section(PROTOCOL, "CONNECT"))]

    assert list(CLIENT_ID_NAMES) in listed


def test_ack_modes_are_those_of_the_program() -> None:
    modes = [code(row[0]) for row in rows(section(PROTOCOL, "Acknowledgement and redelivery"))]

    assert [names[0] for names in modes if names] == [mode.value for mode in AckMode]


def test_refused_headers_are_those_of_the_program() -> None:
    listed: dict[str, set[str]] = {}
    for commands, names, _ in rows(section(PROTOCOL, "Headers that are refused")):
        for command in commands.split(", "):
            listed.setdefault(command, set()).update(code(names))

    refused = {command: set(names) for command, names in UNSUPPORTED.items()}
    assert listed == refused


def test_limits_are_those_of_the_program() -> None:
    listed = {name for row in rows(section(PROTOCOL, "Limits")) for name in code(row[0])}

    defaults = {
        "limits.queue_prefetch",
        "limits.topic_prefetch",
        "limits.shared_prefetch",
    }  # not limits: what is granted to who does not ask
    assert listed | defaults == {name for name in KEYS if name.startswith("limits.")}


def test_rules_name_their_tests() -> None:
    assert table() in read(PROTOCOL), "put the output of python -m tests.harness.rules into PROTOCOL.md"

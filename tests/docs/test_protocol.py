"""PROTOCOL.md: its tables of errors, headers, limits and rules are those of the program."""

from __future__ import annotations

from collections.abc import Iterator

from stompd import errors
from stompd.broker.requests import AckMode
from stompd.config import KEYS
from stompd.errors import StompError
from stompd.session.headers import DURABLE_FLAGS, MEANINGS, UNSUPPORTED, read_prefetch
from tests.docs.documents import code, read, rows, section
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


def test_headers_of_send_are_those_of_the_program() -> None:
    text = section(PROTOCOL, "SEND")
    spellings: dict[object, set[str]] = {}
    for name, meaning in MEANINGS.items():
        spellings.setdefault(meaning, set()).add(name)

    listed = [{*code(row[0]), *code(row[1])} for row in rows(text)]

    assert len(listed) == 6
    assert all(names in (*spellings.values(), {"mandatory"}) for names in listed)
    assert set(MEANINGS) <= set(code(text))


def test_headers_of_subscribe_are_those_of_the_program() -> None:
    [prefetch] = [row for row in rows(section(PROTOCOL, "SUBSCRIBE")) if "prefetch-count" in row[0]]

    listed = code(prefetch[0]) + code(prefetch[1])

    assert [read_prefetch({name: "7"}) for name in listed] == [7] * 5


def test_ack_modes_are_those_of_the_program() -> None:
    modes = [code(row[0]) for row in rows(section(PROTOCOL, "Acknowledgement and redelivery"))]

    assert [names[0] for names in modes if names] == [mode.value for mode in AckMode]


def test_refused_headers_are_those_of_the_program() -> None:
    listed: dict[str, set[str]] = {}
    for commands, names, _ in rows(section(PROTOCOL, "Headers that are refused")):
        for command in commands.removesuffix(" of a topic").split(", "):
            listed.setdefault(command, set()).update(code(names))

    refused = {command: set(names) for command, names in UNSUPPORTED.items()}
    refused["SUBSCRIBE"] |= set(DURABLE_FLAGS)
    assert listed == refused


def test_limits_are_those_of_the_program() -> None:
    listed = {name for row in rows(section(PROTOCOL, "Limits")) for name in code(row[0])}

    defaults = {"limits.queue_prefetch", "limits.topic_prefetch"}  # not limits: what is granted to who does not ask
    assert listed | defaults == {name for name in KEYS if name.startswith("limits.")}


def test_rules_name_their_tests() -> None:
    assert table() in read(PROTOCOL), "put the output of python -m tests.harness.rules into PROTOCOL.md"

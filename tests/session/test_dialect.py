"""The table of headers: it has all that the code reads, and what it says of aliases is true."""

from __future__ import annotations

import pytest

from stompd.errors import StompError
from stompd.session.dialect import HEADERS, MEANT, ODD
from stompd.session.headers import DROPPED, MEANINGS, read_prefetch
from stompd.session.unsupported import UNSUPPORTED
from stompd.wire.frame import CLIENT_COMMANDS
from tests.session.peer import NOW, connected, frame, new_session

_NAMES = {
    command: {name for header in headers for name in (header.name, *header.aliases)}
    for command, headers in HEADERS.items()
}


def test_every_command_of_clients_is_there() -> None:
    assert {*HEADERS, "STOMP"} == set(CLIENT_COMMANDS)


@pytest.mark.parametrize("command", HEADERS)
def test_no_name_stands_for_two_headers(command: str) -> None:
    listed = [name for header in HEADERS[command] for name in (header.name, *header.aliases)]

    assert len(listed) == len(set(listed))


@pytest.mark.parametrize("command", HEADERS)
def test_every_header_is_described(command: str) -> None:
    assert all(header.values and header.default and header.meaning for header in HEADERS[command])


def test_every_header_of_send_that_is_read_is_there() -> None:
    assert set(MEANINGS) - DROPPED <= _NAMES["SEND"]


@pytest.mark.parametrize("command", [*UNSUPPORTED])
def test_every_header_that_is_refused_is_there(command: str) -> None:
    assert set(UNSUPPORTED[command]) <= _NAMES[command.partition(" ")[0]]  # "SUBSCRIBE of a queue"


@pytest.mark.parametrize(
    ("command", "name", "alias"),
    [
        (command, header.name, alias)
        for command, headers in HEADERS.items()
        for header in headers
        for alias in header.aliases
    ],
)
def test_alias_is_read_as_its_header(command: str, name: str, alias: str) -> None:
    meanings = MEANINGS if command == "SEND" else {}
    features = UNSUPPORTED.get(command, {})

    assert meanings.get(alias) is meanings.get(name)
    assert features.get(alias) == features.get(name)


def test_aliases_of_prefetch_count_are_read() -> None:
    (prefetch,) = [header for header in HEADERS["SUBSCRIBE"] if header.name == "prefetch-count"]

    assert [read_prefetch({name: "7"}) for name in (prefetch.name, *prefetch.aliases)] == [7] * 5


@pytest.mark.parametrize("command", ODD)
def test_what_has_an_effect_is_not_said_to_have_none(command: str) -> None:
    assert not _NAMES[command] & ODD[command].keys()


def test_reasons_can_stand_in_a_warning() -> None:
    reasons = {odd.reason for odds in ODD.values() for odd in odds.values()}

    # A semicolon separates remarks, and CONNECTED cannot escape a colon.
    assert not {reason for reason in reasons if set(reason) & set(";:\n")}


@pytest.mark.parametrize("command", MEANT)
def test_what_is_meant_exists(command: str) -> None:
    assert set(MEANT[command].values()) <= _NAMES[command]
    assert not _NAMES[command] & MEANT[command].keys()


#: What cannot be empty: what a frame needs, and what nobody leaves empty on purpose.
_FILLED = {"destination", "ack", "transaction", "client-id", "client_id", "activemq.clientID", "heart-beat"}
_FILLED_OF = {"CONNECT": {"accept-version"}, "ACK": {"id"}, "NACK": {"id"}}

#: What the frames of each command need.
_NEEDED = {
    "CONNECT": {"accept-version": "1.2"},
    "SEND": {"destination": "/topic/a"},
    "SUBSCRIBE": {"destination": "/topic/a", "id": "1"},
    "UNSUBSCRIBE": {"id": "1"},
    "ACK": {"id": "7-1-1"},
    "NACK": {"id": "7-1-1"},
    "BEGIN": {"transaction": "t"},
    "COMMIT": {"transaction": "t"},
    "ABORT": {"transaction": "t"},
    "DISCONNECT": {},
}


@pytest.mark.parametrize(
    ("command", "name"),
    [(command, name) for command, names in _NAMES.items() for name in sorted(names)],
)
def test_empty_value_says_nothing_unless_it_must_say_something(command: str, name: str) -> None:
    session = new_session() if command == "CONNECT" else connected()
    sent = frame(command, {**_NEEDED[command], name: ""})
    if name in _FILLED | _FILLED_OF.get(command, set()) and (command, name) != ("UNSUBSCRIBE", "destination"):
        with pytest.raises(StompError):
            session.receive_frame(sent, NOW)
    else:
        session.receive_frame(sent, NOW)

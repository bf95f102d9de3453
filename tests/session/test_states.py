"""The transition table, and the errors it gives."""

from __future__ import annotations

import pytest

from stompd.errors import AlreadyConnected, NotConnected, StompError, UnknownCommand
from stompd.session.states import RECEIVED, SENT, State, StateMachine
from stompd.wire.frame import CLIENT_COMMANDS, SERVER_COMMANDS
from tests.session.peer import connected, frame, new_session

NOW = 1_700_000_000.0


def machine_in(state: State) -> StateMachine:
    machine = StateMachine()
    if state in (State.LOGGING_IN, State.CONNECTED, State.DISCONNECTING):
        machine.received("CONNECT")
    if state in (State.CONNECTED, State.DISCONNECTING):
        machine.sent("CONNECTED")
    if state is State.DISCONNECTING:
        machine.received("DISCONNECT")
    if state is State.CLOSED:
        machine.sent("ERROR")
    return machine


@pytest.mark.parametrize("state", State)
def test_every_state_has_an_entry_for_every_command(state: State) -> None:
    assert list(RECEIVED[state]) == [*CLIENT_COMMANDS, *SERVER_COMMANDS]
    assert list(SENT[state]) == ["CONNECTED", "ERROR"]


@pytest.mark.parametrize("command", [*CLIENT_COMMANDS, *SERVER_COMMANDS])
@pytest.mark.parametrize("state", State)
def test_machine_does_what_the_table_says(state: State, command: str) -> None:
    machine = machine_in(state)
    entry = RECEIVED[state][command]

    if isinstance(entry, State):
        machine.received(command)
        expected = entry
    else:
        with pytest.raises(entry or RuntimeError):
            machine.received(command)
        expected = state

    assert machine.state is expected


def test_table_draws_the_protocol() -> None:
    steps = {
        (state, entry)
        for state, row in RECEIVED.items()
        for entry in row.values()
        if isinstance(entry, State) and entry is not state
    } | {(state, entry) for state, row in SENT.items() for entry in row.values() if entry not in (None, state)}

    assert steps == {
        (State.AWAITING_CONNECT, State.LOGGING_IN),
        (State.LOGGING_IN, State.CONNECTED),
        (State.CONNECTED, State.DISCONNECTING),
        (State.AWAITING_CONNECT, State.CLOSED),
        (State.LOGGING_IN, State.CLOSED),
        (State.CONNECTED, State.CLOSED),
        (State.DISCONNECTING, State.CLOSED),
    }


@pytest.mark.parametrize("state", State)
def test_frames_are_taken_where_the_table_has_steps(state: State) -> None:
    takes_frames = any(entry is not None for entry in RECEIVED[state].values())

    assert machine_in(state).takes_frames is takes_frames


@pytest.mark.parametrize("state", [State.LOGGING_IN, State.DISCONNECTING, State.CLOSED])
def test_unknown_command_in_a_state_without_frames_is_the_callers_fault(state: State) -> None:
    with pytest.raises(RuntimeError, match=state.value):
        machine_in(state).received("SENDX")


@pytest.mark.parametrize("state", [state for state in State if state is not State.LOGGING_IN])
def test_connected_is_sent_only_as_the_answer_to_connect(state: State) -> None:
    with pytest.raises(RuntimeError, match="CONNECTED cannot be sent"):
        machine_in(state).sent("CONNECTED")


def test_frame_before_connect_is_refused_with_an_example() -> None:
    with pytest.raises(NotConnected, match=r'SEND came before CONNECT\..*"accept-version:1\.2"'):
        new_session().receive_frame(frame("SEND", {"destination": "/queue/a"}), NOW)


@pytest.mark.parametrize("command", ["CONNECT", "STOMP"])
def test_second_connect_is_refused(command: str) -> None:
    with pytest.raises(AlreadyConnected, match="open another connection"):
        connected().receive_frame(frame(command, {"accept-version": "1.2"}), NOW)


@pytest.mark.parametrize("command", SERVER_COMMANDS)
def test_command_of_servers_is_refused(command: str) -> None:
    for session in (new_session(), connected()):
        with pytest.raises(UnknownCommand, match="only servers send"):
            session.receive_frame(frame(command), NOW)


@pytest.mark.parametrize(("typo", "meant"), [("SENDX", "SEND"), ("send", "SEND"), ("UNSUB", "UNSUBSCRIBE")])
def test_unknown_command_is_told_the_nearest_one(typo: str, meant: str) -> None:
    with pytest.raises(UnknownCommand, match=rf'"{typo}" is not a STOMP command. Did you mean {meant}\?'):
        connected().receive_frame(frame(typo), NOW)


def test_unknown_command_without_a_near_one_gets_no_guess() -> None:
    with pytest.raises(UnknownCommand) as caught:
        connected().receive_frame(frame("\u00e6\u00f8"), NOW)

    assert "Did you mean" not in caught.value.detail


def test_unknown_command_after_another_frame_is_asked_about_content_length() -> None:
    with pytest.raises(UnknownCommand, match="Was content-length wrong on the previous frame"):
        connected().receive_frame(frame("rest of a body"), NOW)


def test_unknown_first_command_is_not_asked_about_a_previous_frame() -> None:
    with pytest.raises(StompError) as caught:
        new_session().receive_frame(frame("GET / HTTP/1.1"), NOW)

    assert "previous" not in caught.value.detail


def test_unknown_command_is_repeated_in_part_only() -> None:
    with pytest.raises(UnknownCommand) as caught:
        connected().receive_frame(frame("X" * 10_000), NOW)

    assert len(caught.value.detail) < 300


def test_refused_frame_leaves_the_state_as_it_was() -> None:
    session = connected()

    with pytest.raises(UnknownCommand):
        session.receive_frame(frame("MESSAGE"), NOW)

    assert session.takes_frames

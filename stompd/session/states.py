"""Where a session stands, and the one table that decides which frames may come next."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from enum import Enum
from typing import TypeAlias, final

from stompd.errors import AlreadyConnected, NotConnected, StompError, UnknownCommand
from stompd.wire.frame import CLIENT_COMMANDS, SERVER_COMMANDS


class State(Enum):
    """Where a session stands."""

    AWAITING_CONNECT = "awaiting CONNECT"
    #: CONNECT was read; the portal is asked.
    LOGGING_IN = "logging in"
    CONNECTED = "connected"
    #: DISCONNECT was read; what came before it is still being made durable.
    DISCONNECTING = "disconnecting"
    #: An ERROR was written.
    CLOSED = "closed"


#: What the table says of a command: the state it leads to, the error it earns, or None where no frame is read at all.
Cell: TypeAlias = State | type[StompError] | None

#: Every command, received in every state.
RECEIVED: Mapping[State, Mapping[str, Cell]] = {
    State.AWAITING_CONNECT: {
        # STOMP 1.2 "CONNECT or STOMP Frame": STOMP is handled exactly as CONNECT.
        "CONNECT": State.LOGGING_IN,
        "STOMP": State.LOGGING_IN,
        # STOMP 1.0 is silent on frames before CONNECT: they are refused.
        "SEND": NotConnected,
        "SUBSCRIBE": NotConnected,
        "UNSUBSCRIBE": NotConnected,
        "ACK": NotConnected,
        "NACK": NotConnected,
        "BEGIN": NotConnected,
        "COMMIT": NotConnected,
        "ABORT": NotConnected,
        "DISCONNECT": NotConnected,
        "CONNECTED": UnknownCommand,
        "MESSAGE": UnknownCommand,
        "RECEIPT": UnknownCommand,
        "ERROR": UnknownCommand,
    },
    # Nothing overtakes authentication.
    State.LOGGING_IN: dict.fromkeys(CLIENT_COMMANDS + SERVER_COMMANDS),
    State.CONNECTED: {
        # STOMP 1.0 is silent on a second CONNECT: it is refused.
        "CONNECT": AlreadyConnected,
        "STOMP": AlreadyConnected,
        "SEND": State.CONNECTED,
        "SUBSCRIBE": State.CONNECTED,
        "UNSUBSCRIBE": State.CONNECTED,
        "ACK": State.CONNECTED,
        # STOMP 1.1 "NACK": 1.0 does not know it; it is accepted there all the same.
        "NACK": State.CONNECTED,
        "BEGIN": State.CONNECTED,
        "COMMIT": State.CONNECTED,
        "ABORT": State.CONNECTED,
        "DISCONNECT": State.DISCONNECTING,
        # STOMP 1.0 "Server Frames": no client sends these.
        "CONNECTED": UnknownCommand,
        "MESSAGE": UnknownCommand,
        "RECEIPT": UnknownCommand,
        "ERROR": UnknownCommand,
    },
    # STOMP 1.1 "DISCONNECT": no frame follows it; what comes all the same is not looked at.
    State.DISCONNECTING: dict.fromkeys(CLIENT_COMMANDS + SERVER_COMMANDS),
    # STOMP 1.2 "ERROR": the connection is closed right after it.
    State.CLOSED: dict.fromkeys(CLIENT_COMMANDS + SERVER_COMMANDS),
}

#: The frames whose sending changes the state; None where they cannot be sent.
SENT: Mapping[State, Mapping[str, State | None]] = {
    State.AWAITING_CONNECT: {"CONNECTED": None, "ERROR": State.CLOSED},
    State.LOGGING_IN: {"CONNECTED": State.CONNECTED, "ERROR": State.CLOSED},
    State.CONNECTED: {"CONNECTED": None, "ERROR": State.CLOSED},
    State.DISCONNECTING: {"CONNECTED": None, "ERROR": State.CLOSED},
    State.CLOSED: {"CONNECTED": None, "ERROR": State.CLOSED},
}

#: Characters of an unknown command that are repeated to its sender and compared with the known ones.
_SHOWN_LENGTH = 32


@final
class StateMachine:
    """Holds a session's state; the only place that changes it."""

    __slots__ = ("_row", "state")

    def __init__(self) -> None:
        self.state = State.AWAITING_CONNECT
        self._row = RECEIVED[self.state]

    def received(self, command: str) -> None:
        """Take the step that a client's command leads to.

        Raises:
            StompError: The command is unknown or impossible in this state, which stays as it is.
            RuntimeError: No frame is read in this state, so the caller is at fault.
        """
        next_state = self._row.get(command, UnknownCommand)
        if next_state is self.state:
            return
        if isinstance(next_state, State):
            self._enter(next_state)
        elif next_state is None or not self.takes_frames:
            raise RuntimeError(f"a frame was given to a session that is {self.state.value}")
        else:
            raise next_state(_explain(command, self.state))

    def sent(self, command: str) -> None:
        """Take the step that a CONNECTED or an ERROR of ours leads to.

        Raises:
            RuntimeError: It cannot be sent in this state, so the caller is at fault.
        """
        next_state = SENT[self.state][command]
        if next_state is None:
            raise RuntimeError(f"{command} cannot be sent by a session that is {self.state.value}")
        self._enter(next_state)

    @property
    def takes_frames(self) -> bool:
        """Whether frames are read in this state."""
        return self.state is State.AWAITING_CONNECT or self.state is State.CONNECTED

    def _enter(self, state: State) -> None:
        self.state = state
        self._row = RECEIVED[state]


def _explain(command: str, state: State) -> str:
    """Say why a command is refused in a state, and what to do."""
    if command in SERVER_COMMANDS:
        return f"{command} is a frame that only servers send; a client sends one of {', '.join(CLIENT_COMMANDS)}."
    if command not in CLIENT_COMMANDS:
        return _explain_unknown(command, state)
    if state is State.AWAITING_CONNECT:
        return (
            f"{command} came before CONNECT. Open the session with a CONNECT or STOMP frame,"
            ' for example with the headers "accept-version:1.2" and "host:localhost".'
        )
    return f"{command} came on a session that is open already. To log in again, open another connection."


def _explain_unknown(command: str, state: State) -> str:
    shown = command[:_SHOWN_LENGTH]
    sentences = [f'"{shown}" is not a STOMP command.']
    # STOMP 1.2 "Augmented BNF": commands match exactly, case included; a near miss only earns advice.
    near = difflib.get_close_matches(shown.strip().upper(), CLIENT_COMMANDS, n=1)
    if near:
        sentences.append(f"Did you mean {near[0]}?")
    else:
        sentences.append(f"A client sends one of {', '.join(CLIENT_COMMANDS)}.")
    if state is State.CONNECTED:
        # Octets behind a NUL begin the next command, so a wrong body length shows up here.
        sentences.append(
            "Was content-length wrong on the previous frame? It counts the octets of the body, not its characters."
        )
    return " ".join(sentences)

"""A broker that answers from a script: for tests of clients, which need one that misbehaves on demand."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from contextlib import suppress
from threading import Thread
from types import TracebackType
from typing import Self, TypeAlias

from stompd.wire.frame import Frame, Version
from stompd.wire.parser import FrameParser
from stompd.wire.serializer import serialize

#: What the broker sends in answer to a frame: frames, or octets that may be none.
Answer: TypeAlias = Callable[[Frame], Iterable[Frame | bytes]]


def confirm(frame: Frame) -> Iterable[Frame]:
    """Answer as a broker does that takes everything."""
    if frame.command in {"CONNECT", "STOMP"}:
        yield Frame("CONNECTED", {"version": "1.2"})
    if "receipt" in frame.headers:
        yield Frame("RECEIPT", {"receipt-id": frame.headers["receipt"]})


class ScriptedBroker:
    """Serves one connection at a time on a free port of 127.0.0.1, in a thread, within a `with` statement.

    It answers each frame as `answer` says, and closes the connection after an ERROR and after a DISCONNECT.
    """

    def __init__(self, answer: Answer = confirm) -> None:
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = Thread(target=self._serve, daemon=True)
        #: Every frame received, in order.
        self.frames: list[Frame] = []

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"stomp://127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def commands(self) -> list[str]:
        """The commands of the frames received."""
        return [frame.command for frame in self.frames]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # A shut listener wakes the thread, where a closed one would leave it waiting.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with connection, suppress(ConnectionError):
                    self._converse(connection)

    def _converse(self, connection: socket.socket) -> None:
        parser = FrameParser()
        while octets := connection.recv(65_536):
            parser.receive_data(octets)
            while (frame := parser.next_frame()) is not None:
                parser.version = Version.V1_2
                self.frames.append(frame)
                for answer in self._answer(frame):
                    connection.sendall(answer if isinstance(answer, bytes) else serialize(answer, Version.V1_2))
                    if isinstance(answer, Frame) and answer.command == "ERROR":
                        return
                if frame.command == "DISCONNECT":
                    return

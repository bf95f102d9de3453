"""What a connection begins with, before the link knows whom it talks to."""

from __future__ import annotations

from http import HTTPStatus
from typing import final

from stompd.errors import ProtocolError
from stompd.net.keyboard import Keyboard
from stompd.net.recognition import Opening, http_answer, recognise
from stompd.net.transport import StreamTransport, is_local


@final
class NotStomp(ProtocolError):
    """The octets are not STOMP."""

    def __init__(self, opening: Opening) -> None:
        """Say what came, and what to do about it."""
        super().__init__(_ADVICE[opening])
        #: What to write in place of an ERROR, for those who would not understand one.
        self.answer = http_answer(HTTPStatus.BAD_REQUEST, self.detail) if opening is Opening.HTTP else None


_ADVICE = {
    Opening.HTTP: "This port speaks STOMP, not HTTP. Browsers connect with a WebSocket, to a ws: endpoint of the broker"
    " such as ws:tcp:15674.",
    Opening.TLS: "This port speaks STOMP without TLS. Turn TLS off in the client, or connect to an ssl: endpoint of the"
    " broker.",
    Opening.PROXY: "This port expects no PROXY header. Put haproxy: in front of its endpoint, or let the proxy send"
    " none.",
}


@final
class Intake:
    """Stands in front of the parser of a link until it is clear that a program speaks STOMP."""

    __slots__ = ("_first", "_keyboard", "_transport")

    def __init__(self, transport: StreamTransport) -> None:
        """Begin before the first octet of a connection."""
        self._transport = transport
        self._first = b""
        #: None until it is clear that somebody speaks STOMP.
        self._keyboard: Keyboard | None = None

    @property
    def answer(self) -> bytes:
        """What is to be written before anything else: the answer to a person."""
        return b"" if self._keyboard is None else self._keyboard.answer

    @property
    def is_over(self) -> bool:
        """Whether it changes nothing any more."""
        return self._keyboard is not None and self._keyboard.is_over

    def read(self, octets: bytes) -> bytes:
        """Return what there is of STOMP in octets.

        Raises:
            NotStomp: They are something else that can be named.
        """
        if self._keyboard is None:
            octets = self._first = self._first + octets
            opening = recognise(octets)
            if opening is None:
                return b""
            if opening is not Opening.STOMP:
                raise NotStomp(opening)
            self._keyboard, self._first = Keyboard(is_local=is_local(self._transport)), b""
        return self._keyboard.read(octets)

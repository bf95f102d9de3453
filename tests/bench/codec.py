"""How fast octets become frames, and answers become octets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

from stompd.broker.delivery import Delivery
from stompd.broker.message import Message
from stompd.wire.frame import Frame, Version
from stompd.wire.parser import FrameParser
from stompd.wire.serializer import serialize
from tests.bench.figures import Figure, Measure, Stopwatch, WrongResult
from tests.session.peer import connected, delivery, subscription

#: As much as Twisted reads from a socket at a time.
_CHUNK: Final = 65_536

_LARGE: Final = 1_000_000

#: Frames that are made between two looks at the clock.
_TURN: Final = 500

_SMALL_BODY: Final = b"x" * 256
_HEADERS: Final = {"destination": "/queue/bench", "receipt": "00000001"}


class _Case(NamedTuple):
    name: str
    frame: Frame
    is_client: bool


def _message(body: bytes) -> Frame:
    """Return a MESSAGE as a client gets it."""
    octets = connected().message(delivery(Message("/queue/bench", {"type": "order"}, body, message_id=1)))
    parser = FrameParser(is_client=True)
    parser.version = Version.V1_2
    parser.receive_data(octets)
    frame = parser.next_frame()
    assert frame is not None
    return frame


def _cases() -> Sequence[_Case]:
    return [
        _Case("SEND, 256 bytes", Frame("SEND", _HEADERS, _SMALL_BODY), False),
        _Case("SEND, 1 MB", Frame("SEND", _HEADERS, bytes(_LARGE)), False),
        _Case("ACK", Frame("ACK", {"id": "17-1-00000001"}), False),
        _Case("MESSAGE, 256 bytes", _message(_SMALL_BODY), True),
        _Case("MESSAGE, 1 MB", _message(bytes(_LARGE)), True),
        _Case("RECEIPT", Frame("RECEIPT", {"receipt-id": "00000001"}), True),
    ]


def parse(seconds: float) -> Iterator[Measure]:
    """Yield measurements of the parser in both roles."""
    for case in _cases():
        yield partial(_parse, case, seconds)


def _parse(case: _Case, seconds: float) -> Iterator[Figure]:
    frame_octets = serialize(case.frame, Version.V1_2)
    octets = frame_octets * max(1, _CHUNK // len(frame_octets))
    pieces = [octets[start : start + _CHUNK] for start in range(0, len(octets), _CHUNK)]
    parser = FrameParser(is_client=case.is_client)
    parser.version = Version.V1_2
    watch = Stopwatch()
    given = taken = 0
    while watch.seconds < seconds:
        given += len(octets) // len(frame_octets)
        with watch:
            for piece in pieces:
                parser.receive_data(piece)
                while (frame := parser.next_frame()) is not None:
                    taken += 1
                    last = frame
    if taken != given or last.body != case.frame.body:
        raise WrongResult(f"parse {case.name}: {given} frames went in, {taken} came out.")
    role = "a client" if case.is_client else "the broker"
    yield _figure(f"parse {case.name}", taken, watch, len(frame_octets), f"in {role}, from pieces of 64 KB")


def serialization(seconds: float) -> Iterator[Measure]:
    """Yield measurements of what is written: a client's SEND, and the broker's MESSAGE and RECEIPT."""
    session = connected()
    further = delivery(Message("/queue/bench", {}, _SMALL_BODY, message_id=1))

    def first() -> list[Delivery]:
        to = subscription()
        return [delivery(Message("/queue/bench", {}, _SMALL_BODY, message_id=1), to) for _ in range(_TURN)]

    sends = [Frame("SEND", _HEADERS, _SMALL_BODY)] * _TURN
    written: dict[str, tuple[Callable[[], list[Any]], Callable[[Any], bytes], str]] = {
        "SEND, 256 bytes": (lambda: sends, lambda frame: serialize(frame, Version.V1_2), "by a client"),
        "MESSAGE, new": (first, session.message, "256 bytes, to the first who gets it"),
        "MESSAGE, again": (lambda: [further] * _TURN, session.message, "256 bytes, to everybody else"),
        "RECEIPT": (lambda: ["00000001"] * _TURN, lambda receipt: session.receipt(receipt, {}), "by the broker"),
    }
    for name, (prepare, write, meaning) in written.items():
        yield partial(_serialize, name, prepare, write, meaning, seconds)


def _serialize(
    name: str, prepare: Callable[[], list[Any]], write: Callable[[Any], bytes], meaning: str, seconds: float
) -> Iterator[Figure]:
    watch = Stopwatch()
    count = 0
    while watch.seconds < seconds:
        values = prepare()
        with watch:
            octets = [write(value) for value in values]
        count += len(octets)
    if {frame.count(b"\0") for frame in octets} != {1}:
        raise WrongResult(f"serialize {name}: not every result is one frame.")
    yield _figure(f"serialize {name}", count, watch, len(octets[0]), meaning)


def _figure(name: str, count: int, watch: Stopwatch, frame_bytes: int, meaning: str) -> Figure:
    return Figure(
        name, count / watch.seconds, "frames/s", meaning, reword=lambda rate: f"{rate * frame_bytes / 1e6:,.0f} MB/s"
    )

"""Heart-beats: the header that offers them, and what two offers amount to."""

from __future__ import annotations

import re
from typing import NamedTuple

from stompd.errors import InvalidHeader, ProtocolError

#: Milliseconds, about 24 days: the most that peers which count in signed 32-bit integers can keep.
_LONGEST_MS = 2**31 - 1

#: ASCII digits only (`\d` would take any script's); at most ten that count, so that `int` is never given a long text.
_HEART_BEAT = re.compile(r"0*([0-9]{1,10}),0*([0-9]{1,10})")

#: As many characters of a wrong value as the ERROR repeats.
_QUOTED_CHARACTERS = 40


class HeartBeat(NamedTuple):
    """How often one side can send something, and how often it wants to hear something; 0 means never."""

    send_ms: int
    want_ms: int


def parse_heart_beat(text: str) -> HeartBeat:
    """Return what a `heart-beat` header offers.

    Raises:
        InvalidHeader: The value is not two whole numbers of milliseconds up to 2,147,483,647.

    Spec: STOMP 1.2, "Heart-beating".
    """
    # STOMP 1.2 "Heart-beating": two positive integers separated by a comma, of which either may be 0.
    match = _HEART_BEAT.fullmatch(text)
    if match:
        heart_beat = HeartBeat(int(match[1]), int(match[2]))
        if max(heart_beat) <= _LONGEST_MS:
            return heart_beat
    raise InvalidHeader(
        f"The header heart-beat has the value {text[:_QUOTED_CHARACTERS]!r}. It has to be two whole numbers of "
        f"milliseconds up to {_LONGEST_MS} with a comma between them and nothing else: how often the sender can send, "
        "and how often it wants to hear something; 0 means never. Example: heart-beat:10000,10000"
    )


def agree(client: HeartBeat, server: HeartBeat) -> HeartBeat:
    """Return how often each side has promised to send something.

    Args:
        client: From the CONNECT frame, in milliseconds; 0 means never.
        server: What this broker offers, in milliseconds; 0 means never.

    Returns:
        Both intervals in milliseconds, seen from the server; 0 means none in that direction.

    Raises:
        ProtocolError: A value is negative.

    Spec: STOMP 1.2, "Heart-beating".
    """
    if min(*client, *server) < 0:
        raise ProtocolError("A heart-beat interval is negative; it counts milliseconds, and 0 means never.")
    return HeartBeat(
        send_ms=_interval(server.send_ms, client.want_ms),
        want_ms=_interval(client.send_ms, server.want_ms),
    )


def _interval(offered_ms: int, wanted_ms: int) -> int:
    """Return the interval of one direction."""
    # STOMP 1.2 "Heart-beating": none if either side says 0, otherwise every MAX(<sx>,<cy>) milliseconds.
    return max(offered_ms, wanted_ms) if offered_ms and wanted_ms else 0

"""Helpers for reading octets in every way they can arrive."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from stompd.errors import ProtocolError
from stompd.wire.frame import Frame, Version
from stompd.wire.limits import FrameLimits
from stompd.wire.parser import FrameParser

#: The frames that were read, and the class and detail of the error that ended them.
Outcome = tuple[list[Frame], tuple[type[ProtocolError], str] | None]

_TRAILING_OCTETS = b"\nRECEIPT\nreceipt-id:last\n\n\0"
_TRAILING_FRAME = Frame("RECEIPT", {"receipt-id": "last"})


def _read(
    pieces: Iterable[bytes],
    version: Version | None,
    *,
    is_client: bool = False,
    limits: FrameLimits | None = None,
) -> Outcome:
    """Feed a fresh parser piece by piece and take its frames after each."""
    parser = FrameParser(limits or FrameLimits(), is_client=is_client)
    parser.version = version
    frames: list[Frame] = []
    for piece in pieces:
        parser.receive_data(piece)
        try:
            while (frame := parser.next_frame()) is not None:
                frames.append(frame)
        except ProtocolError as error:
            return frames, (type(error), error.detail)
    return frames, None


def _read_every_way(octets: bytes, version: Version | None, *, is_client: bool = False) -> Outcome:
    """Read octets whole, byte by byte, in any two pieces, and with a good frame behind; assert that all agree."""
    whole = _read([octets], version, is_client=is_client)
    assert _read([octets[i : i + 1] for i in range(len(octets))], version, is_client=is_client) == whole
    for i in range(1, len(octets)):
        assert _read([octets[:i], octets[i:]], version, is_client=is_client) == whole

    frames, failure = whole
    expected = (frames, failure) if failure else ([*frames, _TRAILING_FRAME], None)
    assert _read([octets + _TRAILING_OCTETS], version, is_client=is_client) == expected
    return whole


@pytest.fixture(scope="session")
def read() -> Callable[..., Outcome]:
    return _read


@pytest.fixture(scope="session")
def read_every_way() -> Callable[..., Outcome]:
    return _read_every_way

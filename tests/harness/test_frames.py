"""The harness's own reader and writer of frames: what it accepts, and what it must not let pass."""

from __future__ import annotations

import pytest

from tests.harness.frames import FrameReader, RawFrame, escape, unescape, write_frame


def read_one(octets: bytes, version: str = "1.2") -> RawFrame:
    reader = FrameReader()
    reader.version = version
    reader.receive(octets)
    frame = reader.next_frame()
    assert frame is not None
    return frame


def test_frame_is_read_with_headers_and_body() -> None:
    frame = read_one(b"MESSAGE\na:1\nb:2\n\nbody\0")

    assert frame == RawFrame("MESSAGE", (("a", "1"), ("b", "2")), b"body", (b"a:1", b"b:2"))


def test_frame_is_read_byte_by_byte() -> None:
    reader = FrameReader()
    frames = []

    for octet in b"\nRECEIPT\nreceipt-id:1\n\n\0\nRECEIPT\nreceipt-id:2\n\n\0":
        reader.receive(bytes([octet]))
        frames += [frame] if (frame := reader.next_frame()) else []

    assert [frame["receipt-id"] for frame in frames] == ["1", "2"]


def test_content_length_covers_nuls() -> None:
    frame = read_one(b"MESSAGE\ncontent-length:3\n\n\0\0\0\0")

    assert frame.body == b"\0\0\0"


def test_line_ends_between_frames_are_counted() -> None:
    reader = FrameReader()
    reader.receive(b"\n\nRECEIPT\nreceipt-id:1\n\n\0\n")

    reader.next_frame()
    reader.skip_line_ends()

    assert reader.line_ends == 3


def test_incomplete_frame_is_not_returned() -> None:
    reader = FrameReader()
    reader.receive(b"MESSAGE\ncontent-length:5\n\nbody")

    assert reader.next_frame() is None


def test_first_of_repeated_headers_is_found() -> None:
    assert read_one(b"MESSAGE\na:first\na:second\n\n\0")["a"] == "first"


def test_connected_is_not_unescaped() -> None:
    assert read_one(b"CONNECTED\nsession:a\\nb:c\n\n\0")["session"] == "a\\nb:c"


@pytest.mark.parametrize(
    "octets",
    [
        b"message\n\n\0",
        b"\0MESSAGE\n\n\0",
        b"MESSAGE\r\na:b\n\n\0",
        b"MESSAGE\nno-colon\n\n\0",
        b"MESSAGE\n:no-name\n\n\0",
        b"MESSAGE\na:raw:colon\n\n\0",
        b"MESSAGE\na:\\t\n\n\0",
        b"MESSAGE\na:lone\\\n\n\0",
        b"MESSAGE\ncontent-length:-1\n\n\0",
        b"MESSAGE\ncontent-length:1\n\nab\0",
    ],
)
def test_what_a_broker_must_not_write_is_told(octets: bytes) -> None:
    with pytest.raises(AssertionError):
        read_one(octets)


def test_carriage_return_escape_is_unknown_to_1_1() -> None:
    with pytest.raises(AssertionError):
        read_one(b"MESSAGE\na:\\r\n\n\0", version="1.1")


@pytest.mark.parametrize(
    ("version", "escaped"),
    [("1.0", "a:b\\c\rd"), ("1.1", "a\\cb\\\\c\rd"), ("1.2", "a\\cb\\\\c\\rd")],
)
def test_escapes_are_those_of_the_version(version: str, escaped: str) -> None:
    assert escape("a:b\\c\rd", version) == escaped
    assert unescape(escaped, version) == "a:b\\c\rd"


def test_connect_is_written_unescaped() -> None:
    assert write_frame("CONNECT", {"passcode": "a:b\\"}) == b"CONNECT\npasscode:a:b\\\n\n\0"


def test_repeated_headers_are_written_in_order() -> None:
    assert write_frame("SEND", [("a", "1"), ("a", "2")], b"x") == b"SEND\na:1\na:2\n\nx\0"

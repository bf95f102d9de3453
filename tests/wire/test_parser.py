"""What the vectors cannot show: limits, memory, versions that change between frames, errors that last."""

from __future__ import annotations

import tracemalloc

import pytest

from stompd.errors import FrameTooLarge, MalformedFrame
from stompd.wire.frame import Frame, Version
from stompd.wire.limits import FrameLimits
from stompd.wire.parser import FrameParser

SMALL = FrameLimits(command_bytes=8, header_count=3, header_line_bytes=20, body_bytes=10)


def parser_of(octets: bytes, limits: FrameLimits = SMALL) -> FrameParser:
    parser = FrameParser(limits)
    parser.version = Version.V1_2
    parser.receive_data(octets)
    return parser


def singly(octets: bytes) -> list[bytes]:
    return [octets[i : i + 1] for i in range(len(octets))]


def test_nothing_received_is_no_frame():
    parser = FrameParser()

    assert parser.next_frame() is None


def test_frame_is_returned_when_its_nul_arrives():
    parser = parser_of(b"ACK\nid:1\n\n")
    before = parser.next_frame()

    parser.receive_data(b"\0")

    assert before is None
    assert parser.next_frame() == Frame("ACK", {"id": "1"})


def test_cr_at_the_end_of_what_arrived_may_be_half_a_line_end():
    parser = parser_of(b"\n\r")
    before = parser.next_frame()

    parser.receive_data(b"\nACK\n\n\0")

    assert before is None
    assert parser.next_frame() == Frame("ACK", {})


def test_version_set_after_connect_reads_what_was_received_with_it():
    parser = FrameParser()
    parser.receive_data(b"CONNECT\nhost:a\\cb\n\n\0SEND\ndestination:a\\cb\n\nhello\0")

    connect = parser.next_frame()
    parser.version = Version.V1_2
    send = parser.next_frame()

    assert connect == Frame("CONNECT", {"host": "a\\cb"})
    assert send == Frame("SEND", {"destination": "a:b"}, b"hello")


def test_limits_set_between_frames_hold_for_the_next():
    parser = parser_of(b"SEND\n\nten octets\0SEND\n\nthirteen more\0")
    parser.next_frame()

    parser.limits = FrameLimits()

    assert parser.next_frame() == Frame("SEND", {}, b"thirteen more")


def test_stray_nuls_are_counted():
    parser = parser_of(b"\0\0ACK\n\n\0\n\0\r\n\0")

    parser.next_frame()
    parser.next_frame()

    assert parser.stray_nuls == 4


def test_nul_that_ends_a_frame_is_not_stray():
    parser = parser_of(b"ACK\n\n\0\nACK\n\n\0\n")

    parser.next_frame()
    parser.next_frame()
    parser.next_frame()

    assert parser.stray_nuls == 0


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(b"COMMANDS\n\n\0", id="command"),
        pytest.param(b"ACK\na:1\nb:2\nc:3\n\n\0", id="header count"),
        pytest.param(b"ACK\na:" + b"x" * 18 + b"\n\n\0", id="header line"),
        pytest.param(b"ACK\na:" + b"x" * 17 + b"\r\n\r\n\0", id="header line with CR"),
        pytest.param(b"ACK\na:" + b"x" * 18 + b"\nb:" + b"x" * 18 + b"\n\n\0", id="two header lines"),
        pytest.param(b"SEND\n\n" + b"x" * 10 + b"\0", id="body"),
        pytest.param(b"SEND\ncontent-length:10\n\n" + b"x" * 10 + b"\0", id="body with content-length"),
    ],
)
def test_frame_as_large_as_the_limits_is_read(read, octets):
    frames, failure = read([octets], Version.V1_2, limits=SMALL)

    assert failure is None
    assert len(frames) == 1
    assert read(singly(octets), Version.V1_2, limits=SMALL) == (frames, None)


@pytest.mark.parametrize(
    ("octets", "error", "detail"),
    [
        (b"COMMANDS!\n\n\0", MalformedFrame, "The command is longer than 8 bytes (limits.command_bytes)."),
        (b"COMMANDS!", MalformedFrame, "The command is longer than 8 bytes (limits.command_bytes)."),
        (b"ACK\na:1\nb:2\nc:3\nd:4\n\n\0", FrameTooLarge, "more than 3 header lines (limits.header_count)"),
        (b"ACK\na:1\nb:2\nc:3\nd:4\n", FrameTooLarge, "more than 3 header lines (limits.header_count)"),
        (b"ACK\nid:1\na:" + b"x" * 19 + b"\n\n\0", FrameTooLarge, "Header line 2 is longer than 20 bytes (limits."),
        (
            b"ACK\nid:1\na:" + b"x" * 19,
            FrameTooLarge,
            "Header line 2 is longer than 20 bytes (limits.header_line_bytes).",
        ),
        (b"ACK\na:" + b"x" * 19 + b"\n\n\0", FrameTooLarge, "Header line 1 is longer than 20 bytes (limits."),
        (b"ACK\na:\xff" + b"x" * 18 + b"\n\n\0", FrameTooLarge, "Header line 1 is longer than 20 bytes (limits."),
        (b"SEND\n\n" + b"x" * 11 + b"\0", FrameTooLarge, "The body is longer than 10 bytes (limits.body_bytes)."),
        (b"SEND\n\n" + b"x" * 11, FrameTooLarge, "The body is longer than 10 bytes (limits.body_bytes)."),
        (b"SEND\ncontent-length:11\n\n", FrameTooLarge, "The body is longer than 10 bytes (limits.body_bytes)."),
    ],
)
def test_frame_larger_than_a_limit_is_refused(read, octets, error, detail):
    frames, failure = read([octets], Version.V1_2, limits=SMALL)

    assert frames == []
    assert failure is not None
    assert failure[0] is error
    assert detail in failure[1]
    assert read(singly(octets), Version.V1_2, limits=SMALL) == (frames, failure)


@pytest.mark.parametrize(
    ("beginning", "repeated"),
    [
        pytest.param(b"", b"X", id="command"),
        pytest.param(b"ACK\n", b"a:b\n", id="headers"),
        pytest.param(b"ACK\n", b"a", id="header line"),
        pytest.param(b"SEND\n\n", b"x", id="body"),
        pytest.param(b"SEND\ncontent-length:10\n\n", b"x", id="body with content-length"),
    ],
)
def test_endless_frame_is_refused_before_it_fills_memory(beginning, repeated):
    parser = parser_of(beginning)
    most = 0

    def feed_for_ever():
        nonlocal most
        while parser.next_frame() is None:
            parser.receive_data(repeated)
            most = max(most, parser.buffered_bytes)

    with pytest.raises((MalformedFrame, FrameTooLarge)):
        feed_for_ever()

    assert most <= SMALL.command_bytes + SMALL.header_count * (SMALL.header_line_bytes + 1) + len(repeated)


def test_endless_line_ends_between_frames_are_not_kept():
    parser = parser_of(b"\n\r\n\0" * 1000)

    parser.next_frame()

    assert parser.buffered_bytes == 0


def test_octets_of_returned_frames_are_given_up():
    parser = parser_of(b"ACK\n\n\0" * 3 + b"ACK\nid")

    frames = [parser.next_frame(), parser.next_frame(), parser.next_frame(), parser.next_frame()]

    assert frames == [Frame("ACK", {})] * 3 + [None]
    assert parser.buffered_bytes == len(b"ACK\nid")


def test_memory_of_returned_frames_is_given_up():
    parser = FrameParser()
    tracemalloc.start()

    for _ in range(20):
        parser.receive_data(b"SEND\n\n" + b"x" * 100_000 + b"\0")
        while parser.next_frame():
            pass
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert held < 100_000


@pytest.mark.parametrize(
    ("beginning", "searches"),
    [
        pytest.param(b"SEND\nname:", 2, id="header line, for its end and for a NUL"),
        pytest.param(b"SEND\n\n", 1, id="body, for its NUL"),
    ],
)
def test_octets_that_arrive_singly_are_not_searched_again(beginning, searches):
    class RecordingBuffer(bytearray):
        searched = 0

        def find(self, octet, start, stop=None):
            stop = len(self) if stop is None else stop
            self.searched += stop - start
            return super().find(octet, start, stop)

    parser = FrameParser()
    parser._buffer = RecordingBuffer(beginning)
    parser.next_frame()
    parser._buffer.searched = 0

    for _ in range(1000):
        parser.receive_data(b"x")
        parser.next_frame()

    assert parser._buffer.searched == searches * 1000


def test_error_is_raised_again_by_every_later_call():
    parser = parser_of(b"ACK\nid\n\n\0ACK\nid:1\n\n\0")
    with pytest.raises(MalformedFrame) as first:
        parser.next_frame()

    parser.receive_data(b"ACK\nid:1\n\n\0")
    with pytest.raises(MalformedFrame) as second:
        parser.next_frame()

    assert second.value.detail == first.value.detail


def test_nothing_is_kept_after_an_error():
    parser = parser_of(b"ACK\nid\n\n\0ACK\nid:1\n\n\0")
    with pytest.raises(MalformedFrame):
        parser.next_frame()

    parser.receive_data(b"ACK\nid:1\n\n\0")

    assert parser.buffered_bytes == 0


def test_long_line_is_quoted_by_its_start_alone():
    parser = parser_of(b"ACK\n" + b"x" * 10_000 + b"\n\n\0", FrameLimits())

    with pytest.raises(MalformedFrame) as raised:
        parser.next_frame()

    assert f"'{'x' * 40}'" in raised.value.detail
    assert len(raised.value.detail) < 200


@pytest.mark.parametrize(("line_end", "value"), [(b"\r\n", "x"), (b"\n", "x\r")])
def test_cr_in_1_1_is_part_of_a_value_unless_connect_had_it_too(line_end: bytes, value: str) -> None:
    parser = parser_of(b"CONNECT" + line_end + b"host:x" + line_end * 2 + b"\0")
    parser.version = None
    parser.next_frame()
    parser.version = Version.V1_1

    parser.receive_data(b"SEND\r\na:x\r\n\r\n\0" if value == "x" else b"SEND\na:x\r\n\r\n\0")
    frame = parser.next_frame()

    assert frame is not None
    assert (frame.command, frame.headers) == ("SEND", {"a": value})

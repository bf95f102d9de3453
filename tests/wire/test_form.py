"""A frame is read alike whatever came before it, although heads that repeat are not read again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stompd.errors import FrameTooLarge, ProtocolError
from stompd.wire.frame import Frame, Version
from stompd.wire.limits import FrameLimits
from stompd.wire.parser import FrameParser

#: Lines that are alike in all but one respect, so that heads of them are often like the one before.
LINES = [
    *(b"destination:/queue/a", b"destination:/queue/b", b"content-length:3", b"content-length:4", b"colour:red"),
    *(b"receipt:1", b"receipt:22", b"receipt:a\\cb", b"receipt:", b"receipt: 1 ", b"receipt:a:b", b"receipt:1\r"),
    *(b"receipts:1", b"x:receipt:1", b"id:1", b"transaction:1", b"id:1\\n", b"id:a:b", b"nothing", b"\xff:1"),
]
COMMANDS = [b"SEND", b"ACK", b"BEGIN", b"SENDS"]
versions = st.sampled_from([None, *Version])


@st.composite
def heads(draw: st.DrawFn) -> bytes:
    """Return one head, or the start of one."""
    lines = draw(st.lists(st.sampled_from(LINES), max_size=4))
    return b"\n".join([draw(st.sampled_from(COMMANDS)), *lines])


@st.composite
def streams(draw: st.DrawFn) -> list[bytes]:
    """Return frames of a few heads, over and over; two of them differ in one octet."""
    first = draw(heads())
    at = draw(st.integers(0, len(first) - 1))
    second = first[:at] + draw(st.sampled_from([b"a", b"b", b"3", b":", b"\\", b"\r", b"\n", b""])) + first[at + 1 :]
    few = [first, second, draw(heads())]
    receipts = st.sampled_from([b"", b"\nreceipt:7", b"\nreceipt:8"])
    end = st.sampled_from([b"\n\nabc\0", b"\n\nabcd\0", b"\n\n\0"])
    return draw(
        st.lists(st.tuples(st.sampled_from(few), receipts, end).map(b"".join), min_size=2, max_size=8),
    )


def alone(octets: bytes, version: Version | None, limits: FrameLimits) -> Frame | str | None:
    """Return the frame that a fresh parser reads, or what it has to say."""
    return next_of(fresh(version, limits), octets)


def fresh(version: Version | None, limits: FrameLimits = FrameLimits()) -> FrameParser:  # noqa: B008  # is immutable
    parser = FrameParser(limits)
    parser.version = version
    return parser


def next_of(parser: FrameParser, octets: bytes) -> Frame | str | None:
    parser.receive_data(octets)
    try:
        return parser.next_frame()
    except ProtocolError as error:
        return error.detail


@given(streams(), versions, st.sampled_from([FrameLimits(), FrameLimits(header_count=2, header_line_bytes=40)]))
def test_frame_is_read_as_if_it_were_the_first(stream: list[bytes], version: Version | None, limits: FrameLimits):
    parser = fresh(version, limits)
    for octets in stream:
        found = next_of(parser, octets)

        assert found == alone(octets, version, limits)
        if not isinstance(found, Frame) or parser.buffered_bytes:
            return


def test_heads_that_differ_in_the_receipt_alone_have_one_form():
    parser = fresh(Version.V1_2)
    stream = [b"SEND\ndestination:/queue/a\nreceipt:%d\n\n\0" % number for number in range(3)]

    first, second, third = (next_of(parser, octets) for octets in stream)

    assert isinstance(first, Frame)
    assert isinstance(second, Frame)
    assert isinstance(third, Frame)
    assert first.form is None
    assert second.form is not None
    assert third.form is second.form
    assert third.headers == {"destination": "/queue/a", "receipt": "2"}


def test_frames_of_one_form_share_no_headers():
    parser = fresh(Version.V1_2)
    frames = [next_of(parser, b"SEND\ndestination:/queue/a\n\n\0") for _ in range(4)]

    changed, other = frames[2:]
    assert isinstance(changed, Frame)
    assert isinstance(other, Frame)
    changed.headers["destination"] = "/queue/b"

    assert other.headers == {"destination": "/queue/a"}


@pytest.mark.parametrize(
    "other", [b"destination:/queue/b", b"destination:/queue/a\ncolour:red", b"destination:/queue/a\nreceipt:a\\cb"]
)
def test_form_ends_with_another_head(other: bytes):
    parser = fresh(Version.V1_2)
    for _ in range(3):
        next_of(parser, b"SEND\ndestination:/queue/a\n\n\0")

    frame = next_of(parser, b"SEND\n%b\n\n\0" % other)

    assert frame == alone(b"SEND\n%b\n\n\0" % other, Version.V1_2, FrameLimits())
    assert isinstance(frame, Frame)
    assert frame.form is None


def test_receipt_that_makes_a_line_too_long_is_found_in_a_known_form():
    limits = FrameLimits(header_line_bytes=60)
    parser = fresh(Version.V1_2, limits)
    for number in range(3):
        next_of(parser, b"SEND\ndestination:/queue/a\nreceipt:%d\n\n\0" % number)

    parser.receive_data(b"SEND\ndestination:/queue/a\nreceipt:%b\n\n\0" % (b"1" * 60))

    with pytest.raises(FrameTooLarge, match="Header line 2"):
        parser.next_frame()


def test_long_head_is_not_kept():
    parser = fresh(Version.V1_2)
    octets = b"SEND\ndestination:/queue/a\nnote:%b\n\n\0" % (b"x" * 2_000)

    frames = [next_of(parser, octets) for _ in range(3)]

    assert all(isinstance(frame, Frame) and frame.form is None for frame in frames)


@pytest.mark.parametrize("version", Version)
@pytest.mark.parametrize(
    "value", [b"%d\\cb", b"%d\r", b"%d x", b" %d", b"%d:1", b"", b"%d\nreceipt:9", b"a\\cb\nreceipt:%d"]
)
def test_receipt_of_any_kind_is_that_of_its_frame(version: Version, value: bytes):
    parser = fresh(version)
    for number in (1, 2, 2, 2, 3):
        octets = b"SEND\ndestination:/queue/a\nreceipt:%b\n\n\0" % value.replace(b"%d", b"%d" % number)

        assert next_of(parser, octets) == alone(octets, version, FrameLimits())


@pytest.mark.parametrize("version", Version)
@pytest.mark.parametrize("command", [b"ACK", b"NACK", b"BEGIN", b"COMMIT", b"ABORT"])
@pytest.mark.parametrize(
    "header", [b"id:1-1-7", b"transaction:t1", b"id:a\\cb", b"id:a:b", b"id: 7 ", b"id:\xc3\xa9", b"id:"]
)
def test_frame_of_one_header_is_read_like_one_of_two(version: Version, command: bytes, header: bytes):
    one = alone(b"%b\n%b\n\n\0" % (command, header), version, FrameLimits())
    two = alone(b"%b\n%b\nmore:1\n\n\0" % (command, header), version, FrameLimits())

    assert isinstance(one, Frame)
    assert isinstance(two, Frame)
    assert {**one.headers, "more": "1"} == two.headers
    assert (one.command, one.body) == (two.command, two.body)


def test_frame_of_one_header_is_held_to_the_limits():
    limits = FrameLimits(header_line_bytes=20)

    assert alone(b"ACK\nid:%b\n\n\0" % (b"1" * 18), Version.V1_2, limits) == (
        "Header line 1 is longer than 20 bytes (limits.header_line_bytes)."
    )

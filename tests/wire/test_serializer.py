from __future__ import annotations

import pytest

from stompd.errors import InvalidHeader
from stompd.wire.frame import Frame, Version
from stompd.wire.serializer import encode_headers, serialize


def test_frame_ends_with_its_nul_alone():
    assert serialize(Frame("RECEIPT", {"receipt-id": "1"}), Version.V1_2) == b"RECEIPT\nreceipt-id:1\n\n\0"


def test_frame_without_headers_has_its_blank_line():
    assert serialize(Frame("DISCONNECT", {}), Version.V1_2) == b"DISCONNECT\n\n\0"


@pytest.mark.parametrize("command", ["SEND", "MESSAGE", "ERROR"])
def test_frames_that_can_have_a_body_say_its_length_in_octets(command):
    octets = serialize(Frame(command, {}, "hé\0".encode()), Version.V1_2)

    assert octets == command.encode() + b"\ncontent-length:4\n\nh\xc3\xa9\0\0"


def test_empty_body_has_a_length_too():
    assert serialize(Frame("MESSAGE", {}), Version.V1_2) == b"MESSAGE\ncontent-length:0\n\n\0"


def test_body_of_another_frame_has_a_length_too():
    assert serialize(Frame("ACK", {}, b"\0"), Version.V1_2) == b"ACK\ncontent-length:1\n\n\0\0"


def test_wrong_length_is_written_right_in_its_place():
    frame = Frame("SEND", {"content-length": "99", "destination": "/queue/a"}, b"hello")

    assert serialize(frame, Version.V1_2) == b"SEND\ncontent-length:5\ndestination:/queue/a\n\nhello\0"


def test_serialized_frame_is_not_changed():
    frame = Frame("SEND", {"destination": "/queue/a"}, b"hello")

    serialize(frame, Version.V1_2)

    assert frame == Frame("SEND", {"destination": "/queue/a"}, b"hello")


@pytest.mark.parametrize("version", [None, *Version])
@pytest.mark.parametrize("command", ["CONNECT", "STOMP", "CONNECTED"])
def test_frames_that_negotiate_are_never_escaped(command, version):
    octets = serialize(Frame(command, {"session": "a:1\\n"}), version)

    assert octets == command.encode() + b"\nsession:a:1\\n\n\n\0"


def test_nothing_is_escaped_before_a_version_is_negotiated():
    assert serialize(Frame("ERROR", {"message": "a:\\"}), None) == b"ERROR\nmessage:a:\\\ncontent-length:0\n\n\0"


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        (Version.V1_0, b"note:1:2\\34\n"),
        (Version.V1_1, b"a\\cb\\nc\\\\d\re:1\\c2\\\\3\r\\n4\nnote:1\\c2\\\\3\r\\n4\n"),
        (Version.V1_2, b"a\\cb\\nc\\\\d\\re:1\\c2\\\\3\\r\\n4\nnote:1\\c2\\\\3\\r\\n4\n"),
    ],
)
def test_each_version_writes_special_characters_in_its_way(version, expected):
    value = "1:2\\3\r\n4"

    assert encode_headers({"a:b\nc\\d\re": value, "note": value}, version) == expected


@pytest.mark.parametrize("name", ["a:b", "a\nb", "a\rb"])
def test_header_that_would_split_a_1_0_frame_is_left_out(name):
    assert encode_headers({name: "1", "note": "2"}, Version.V1_0) == b"note:2\n"


def test_backslash_in_a_1_0_name_is_kept():
    assert encode_headers({"a\\n": "1"}, Version.V1_0) == b"a\\n:1\n"


def test_no_headers_are_no_octets():
    assert encode_headers({}, Version.V1_2) == b""


@pytest.mark.parametrize("version", Version)
@pytest.mark.parametrize(
    ("name", "value"),
    [("", "1"), ("a\0b", "1"), ("note", "s3cret\0"), ("a\ud800b", "1"), ("note", "s3cret\udfff")],
)
def test_header_that_no_version_can_write_is_refused(name, value, version):
    with pytest.raises(InvalidHeader) as raised:
        encode_headers({"first": "1", name: value}, version)

    assert "first" not in raised.value.detail
    assert "s3cret" not in raised.value.detail
    assert raised.value.detail.isprintable()


@pytest.mark.parametrize("version", [Version.V1_1, Version.V1_2])
@pytest.mark.parametrize("character", ["\\", ":", "\n", "\r"])
def test_each_special_character_is_read_back(read_every_way, character, version):
    frame = Frame("SEND", {"content-length": "3", "note": character}, b"a\0b")

    assert read_every_way(serialize(frame, version), version) == ([frame], None)

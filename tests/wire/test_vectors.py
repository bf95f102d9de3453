"""Every file in tests/vectors, read whole, byte by byte, in any two pieces, and with a good frame behind it."""

from __future__ import annotations

from pathlib import Path

import pytest

from stompd.errors import FrameTooLarge, MalformedFrame
from stompd.wire.frame import Frame, Version

_VECTORS = Path(__file__).parent.parent / "vectors"

V1_0, V1_1, V1_2 = Version
EVERY = (None, V1_0, V1_1, V1_2)
ESCAPING = (V1_1, V1_2)
#: The versions in which one CR before a LF belongs to the line end.
CRLF = (None, V1_0, V1_2)


def send(body: bytes = b"hello", **headers: str) -> Frame:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Frame("SEND", {"destination": "/queue/a", **named}, body)


def ack(number: int) -> Frame:
    return Frame("ACK", {"id": str(number)})


#: File, versions, frames.
VALID = [
    ("no_headers_and_no_body", EVERY, [Frame("DISCONNECT", {})]),
    ("lf_line_ends", EVERY, [send(receipt="1")]),
    ("crlf_line_ends", CRLF, [send(receipt="1")]),
    ("crlf_line_ends", [V1_1], [Frame("SEND\r", {"destination": "/queue/a\r", "receipt": "1\r"}, b"hello")]),
    ("crlf_blank_line_alone", EVERY, [send()]),
    ("lf_blank_line_after_crlf", CRLF, [send()]),
    ("two_crs_before_lf", CRLF, [send(destination="/queue/a\r")]),
    ("two_crs_before_lf", [V1_1], [send(destination="/queue/a\r\r")]),
    ("cr_inside_value", EVERY, [send(note="a\rb")]),
    ("body_with_nuls_and_content_length", EVERY, [send(b"\0a\0\n\n\0\0", content_length="7")]),
    ("body_with_blank_lines", EVERY, [send(b"\n\na\r\n\r\nb:c\n\n")]),
    ("body_of_octets_that_are_no_utf8", EVERY, [send(b"\xff\xfe\xc0\x80")]),
    ("short_frame_behind_a_longer_body", EVERY, [send(b"a body longer than the next frame"), ack(1)]),
    ("content_length_of_utf8_body", EVERY, [send("héllo".encode(), content_length="6")]),
    ("content_length_with_leading_zeros", EVERY, [send(content_length="0" * 30 + "5")]),
    (
        "content_length_zero_on_subscribe",
        EVERY,
        [Frame("SUBSCRIBE", {"id": "0", "destination": "/queue/a", "content-length": "0"})],
    ),
    ("content_length_on_disconnect", EVERY, [Frame("DISCONNECT", {"receipt": "1", "content-length": "3"}, b"a\0b")]),
    ("repeated_content_length", EVERY, [send(b"a\0b", content_length="3")]),
    ("line_ends_between_frames", EVERY, [ack(1), ack(2)]),
    ("line_ends_alone", EVERY, []),
    ("stray_nuls_between_frames", EVERY, [ack(1), ack(2)]),
    ("repeated_header", EVERY, [send(foo="World")]),
    ("repeated_header_in_two_spellings", [V1_2], [Frame("SEND", {"a\rb": "first"})]),
    ("raw_colons_in_value", EVERY, [send(url="http://a:80/:")]),
    ("empty_value", EVERY, [send(note="")]),
    (
        "spaces_around_name_and_value",
        [None, V1_1, V1_2],
        [Frame("SEND", {"destination": "/queue/a", " note ": "  a b  "}, b"hello")],
    ),
    ("spaces_around_name_and_value", [V1_0], [Frame("SEND", {"destination": "/queue/a", " note ": "a b"}, b"hello")]),
    ("padded_content_length", [V1_0], [send(b"a\0b", content_length="3")]),
    ("padded_content_length_on_connect", [None], [Frame("CONNECT", {"login": " guest", "content-length": " 0 "})]),
    ("utf8_in_headers", EVERY, [Frame("SEND", {"destination": "/queue/größe", "名": "\U0001f600"}, b"hello")]),
    ("escapes_in_value", ESCAPING, [send(note="\n:\\")]),
    ("escapes_in_value", [None, V1_0], [send(note="\\n\\c\\\\")]),
    ("escaped_cr_in_value", [V1_2], [send(note="a\r\nb")]),
    ("escaped_backslash_before_n", ESCAPING, [send(note="C\\new\\\n")]),
    ("escapes_in_name", ESCAPING, [Frame("SEND", {"destination": "/queue/a", "a:b\nc\\d": "1"}, b"hello")]),
    ("backslashes_that_are_no_escapes", [None, V1_0], [send(path="C:\\temp\\")]),
    (
        "backslashes_in_connect",
        EVERY,
        [Frame("CONNECT", {"accept-version": "1.2", "host": "a", "passcode": "a\\nb\\t\\"})],
    ),
    (
        "backslashes_in_stomp",
        EVERY,
        [Frame("STOMP", {"accept-version": "1.2", "host": "a", "passcode": "a\\nb\\t\\"})],
    ),
    ("lower_case_command_and_upper_case_header", EVERY, [Frame("send", {"Destination": "/queue/a"}, b"hello")]),
    ("cr_before_command", EVERY, [Frame("\rACK", {"id": "1"})]),
    ("as_many_headers_as_allowed", EVERY, [Frame("SEND", {f"h{i}": str(i) for i in range(100)})]),
]

#: What a client reads.
VALID_FROM_SERVER = [
    ("connected_with_colon_in_session", EVERY, [Frame("CONNECTED", {"version": "1.2", "session": "a:1\\c"})]),
    ("error_before_negotiation", [None, V1_0], [Frame("ERROR", {"version": "1.2", "message": "a\\tb"}, b"no")]),
    (
        "message_and_receipt",
        EVERY,
        [
            Frame(
                "MESSAGE",
                {"subscription": "0", "message-id": "7", "destination": "/queue/a", "content-length": "5"},
                b"hello",
            ),
            Frame("RECEIPT", {"receipt-id": "1"}),
        ],
    ),
]

#: File, versions, how many frames are read before the error, its class, and a part of its detail.
MALFORMED = [
    ("header_without_colon", EVERY, 0, MalformedFrame, "Header line 2, 'receipt', has no colon"),
    ("header_without_colon_beside_passcode", EVERY, 0, MalformedFrame, "Header line 3 has no colon"),
    ("passcode_without_colon", EVERY, 0, MalformedFrame, "Header line 2 has no colon"),
    ("header_without_name", EVERY, 0, MalformedFrame, "Header line 2, ':value', has an empty name"),
    ("header_without_name_before_passcode", EVERY, 0, MalformedFrame, "Header line 1 has an empty name"),
    ("header_of_space_alone", EVERY, 0, MalformedFrame, "Header line 2, ' ', has no colon"),
    ("two_crs_on_blank_line", EVERY, 0, MalformedFrame, "has no colon"),
    ("blank_line_forgotten", EVERY, 0, MalformedFrame, "was the blank line after the headers forgotten?"),
    ("blank_line_forgotten_after_command", EVERY, 0, MalformedFrame, "NUL before the blank line"),
    ("command_alone", EVERY, 0, MalformedFrame, "NUL before the blank line"),
    ("nul_in_header", EVERY, 0, MalformedFrame, "NUL before the blank line"),
    ("octet_ff_in_header", EVERY, 0, MalformedFrame, "The octet at offset 24 of the frame is not UTF-8"),
    ("octet_ff_in_command", EVERY, 0, MalformedFrame, "The octet at offset 3 of the frame is not UTF-8"),
    ("utf8_cut_short_in_header", EVERY, 0, MalformedFrame, "The octet at offset 24 of the frame is not UTF-8"),
    ("utf8_overlong_nul_in_header", EVERY, 0, MalformedFrame, "The octet at offset 24 of the frame is not UTF-8"),
    ("utf8_surrogate_in_header", EVERY, 0, MalformedFrame, "The octet at offset 24 of the frame is not UTF-8"),
    ("latin1_in_passcode", EVERY, 0, MalformedFrame, "The octet at offset 40 of the frame is not UTF-8"),
    ("undefined_escape_in_value", [V1_1], 0, MalformedFrame, "'note' has the escape \\t, which STOMP 1.1 does not"),
    ("undefined_escape_in_value", [V1_2], 0, MalformedFrame, "It accepts \\n, \\c, \\r, \\\\;"),
    ("undefined_escape_in_name", ESCAPING, 0, MalformedFrame, "has the escape \\t,"),
    ("undefined_escape_of_control_character", ESCAPING, 0, MalformedFrame, "has a backslash before '\\x07',"),
    ("undefined_escape_in_passcode", ESCAPING, 0, MalformedFrame, "'passcode' has an escape, which STOMP"),
    ("upper_case_escape", ESCAPING, 0, MalformedFrame, "'note' has the escape \\N,"),
    ("escaped_cr", [V1_1], 0, MalformedFrame, "'note' has the escape \\r, which STOMP 1.1 does not define"),
    ("backslash_at_end_of_value", ESCAPING, 0, MalformedFrame, "'note' has a backslash at its end,"),
    ("backslash_at_end_of_name", ESCAPING, 0, MalformedFrame, "has a backslash at its end,"),
    ("content_length_negative", EVERY, 0, MalformedFrame, "content-length has the value '-1'"),
    ("content_length_with_plus", EVERY, 0, MalformedFrame, "content-length has the value '+5'"),
    ("content_length_in_words", EVERY, 0, MalformedFrame, "content-length has the value 'five'"),
    ("content_length_empty", EVERY, 0, MalformedFrame, "content-length has the value ''"),
    ("content_length_with_underscore", EVERY, 0, MalformedFrame, "content-length has the value '0_5'"),
    ("content_length_in_arabic_digits", EVERY, 0, MalformedFrame, "content-length has the value '\u0665'"),
    ("content_length_padded", ESCAPING, 0, MalformedFrame, "content-length has the value ' 5'"),
    ("content_length_of_4_gib", EVERY, 0, FrameTooLarge, "longer than 16777216 bytes (limits."),
    ("content_length_of_5000_digits", EVERY, 0, FrameTooLarge, "longer than 16777216 bytes (limits."),
    ("content_length_too_short", EVERY, 0, MalformedFrame, "after the 3 octets that content-length promises"),
    ("content_length_too_long", EVERY, 0, MalformedFrame, "after the 9 octets that content-length promises"),
    ("content_length_in_characters", EVERY, 0, MalformedFrame, "octets of the encoded body, not characters"),
    ("command_without_end", EVERY, 1, MalformedFrame, "Was content-length wrong on the previous frame?"),
    ("command_too_long", EVERY, 1, MalformedFrame, "longer than 32 bytes (limits.command_bytes)"),
    ("command_of_too_many_octets", EVERY, 0, MalformedFrame, "longer than 32 bytes (limits.command_bytes)"),
    ("one_header_too_many", EVERY, 0, FrameTooLarge, "more than 100 header lines (limits.header_count)"),
]

MALFORMED_FROM_SERVER = [
    ("command_of_a_client", EVERY, 0, MalformedFrame, "A server does not send 'SEND'"),
]


def _octets(folder, name):
    return (_VECTORS / folder / f"{name}.stomp").read_bytes()


def _for_each_version(rows):
    return [
        pytest.param(name, version, *rest, id=f"{name}-{version.value if version else 'before negotiation'}")
        for name, versions, *rest in rows
        for version in versions
    ]


@pytest.mark.parametrize(("name", "version", "expected"), _for_each_version(VALID))
def test_valid_frames_are_read(read_every_way, name, version, expected):
    outcome = read_every_way(_octets("valid", name), version)

    assert outcome == (expected, None)


@pytest.mark.parametrize(("name", "version", "expected"), _for_each_version(VALID_FROM_SERVER))
def test_valid_frames_of_a_server_are_read(read_every_way, name, version, expected):
    outcome = read_every_way(_octets("valid", name), version, is_client=True)

    assert outcome == (expected, None)


@pytest.mark.parametrize(("name", "version", "count", "error", "detail"), _for_each_version(MALFORMED))
def test_malformed_frames_are_refused(read_every_way, name, version, count, error, detail):
    frames, failure = read_every_way(_octets("malformed", name), version)

    assert len(frames) == count
    assert failure is not None
    assert failure[0] is error
    assert detail in failure[1]


@pytest.mark.parametrize(("name", "version", "count", "error", "detail"), _for_each_version(MALFORMED_FROM_SERVER))
def test_malformed_frames_of_a_server_are_refused(read_every_way, name, version, count, error, detail):
    frames, failure = read_every_way(_octets("malformed", name), version, is_client=True)

    assert len(frames) == count
    assert failure is not None
    assert failure[0] is error
    assert detail in failure[1]


@pytest.mark.parametrize("version", ESCAPING)
@pytest.mark.parametrize("name", sorted(path.stem for path in (_VECTORS / "malformed").glob("*passcode*")))
def test_no_error_quotes_a_passcode(read, name, version):
    _, failure = read([_octets("malformed", name)], version)

    assert failure is not None
    assert not any(secret in failure[1] for secret in ("s3", "cret", "\\Z"))


@pytest.mark.parametrize(
    ("folder", "rows"), [("valid", VALID + VALID_FROM_SERVER), ("malformed", MALFORMED + MALFORMED_FROM_SERVER)]
)
def test_every_vector_is_read_by_a_test(folder, rows):
    files = {path.stem for path in (_VECTORS / folder).glob("*.stomp")}

    assert files == {name for name, *_ in rows}

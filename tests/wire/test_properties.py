"""What holds for all octets and all frames."""

from __future__ import annotations

import re
from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from stompd.errors import FrameTooLarge, MalformedFrame
from stompd.wire.frame import Frame, Version
from stompd.wire.limits import FrameLimits
from stompd.wire.serializer import serialize

#: Small, so that random octets reach every limit.
SMALL = FrameLimits(command_bytes=8, header_count=3, header_line_bytes=24, body_bytes=12)

#: Octets that look like STOMP in parts.
FRAGMENTS = [
    *(b"\0", b"\n", b"\r", b":", b"\\", b" ", b"\xff", b"\xc3\xa9", b"a"),
    *(b"\n\n", b"\r\n", b"\n\r\n", b"\\n", b"\\r", b"\\c", b"\\t"),
    *(b"CONNECT\n", b"SEND\n", b"ERROR\n", b"ACK\nid:1\n\n\0", b"content-length:", b"5\n\n", b"passcode:s\n"),
]
octets = st.one_of(st.binary(max_size=100), st.lists(st.sampled_from(FRAGMENTS), max_size=25).map(b"".join))
versions = st.sampled_from([None, *Version])

# NUL and lone surrogates cannot stand in a header.
text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
special = st.text("ab:\\\n\r ", max_size=8)
headers = st.dictionaries((text | special).filter(bool), text | special, max_size=6)


@given(octets, versions, st.booleans())
def test_random_octets_are_frames_or_a_protocol_error(read, data, version, is_client):
    _, failure = read([data], version, is_client=is_client)

    assert failure is None or (failure[0] in (MalformedFrame, FrameTooLarge) and failure[1])


@given(octets, versions, st.booleans(), st.lists(st.integers(0, 100)))
@example(b"ACK\n\xff\n" + b"a" * 25 + b"\n\n\0", Version.V1_2, False, range(40))
@example(b"ACK\na\n" + b"a:\n" * 3 + b"\n\0", Version.V1_2, False, range(40))
def test_frames_do_not_depend_on_how_the_octets_arrive(read, data, version, is_client, splits):
    bounds = [0, *sorted(splits), len(data)]
    pieces = [data[start:stop] for start, stop in pairwise(bounds)]

    in_pieces = read(pieces, version, is_client=is_client, limits=SMALL)

    assert in_pieces == read([data], version, is_client=is_client, limits=SMALL)


@given(st.sampled_from(["SEND", "MESSAGE", "ERROR"]), headers, st.binary(max_size=50))
@example("SEND", {"a:b": "\r\n:\\", "\\": "", "\r": "\r"}, b"\0")
def test_escaping_versions_read_what_they_write(read, command, headers, body):
    frame = Frame(command, {**headers, "content-length": str(len(body))}, body)

    for version in (Version.V1_1, Version.V1_2):
        assert read([serialize(frame, version)], version) == ([frame], None)


@given(headers, st.binary(max_size=50))
def test_1_0_reads_what_it_writes_except_what_it_cannot_write(read, headers, body):
    frame = Frame("MESSAGE", headers, body)

    frames, failure = read([serialize(frame, Version.V1_0)], Version.V1_0)

    writable = {
        name: re.sub("[\r\n]", "", value).strip(" ")
        for name, value in {**headers, "content-length": str(len(body))}.items()
        if not re.search("[:\r\n]", name)
    }
    assert (frames, failure) == ([Frame("MESSAGE", writable, body)], None)


@given(headers, versions)
def test_connect_is_read_as_it_was_written_in_every_version(read, headers, version):
    frame = Frame("CONNECT", headers)

    outcome = read([serialize(frame, version)], None)

    writable = {name: re.sub("[\r\n]", "", value) for name, value in headers.items() if not re.search("[:\r\n]", name)}
    assert outcome == ([Frame("CONNECT", writable)], None)

from __future__ import annotations

import pytest

from stompd.errors import MalformedFrame
from stompd.wire.escaping import escape, unescape
from stompd.wire.frame import Version

SPECIAL = "a\\b\nc:d\re"


@pytest.mark.parametrize(
    ("version", "written"),
    [
        (Version.V1_0, "a\\b\nc:d\re"),
        (Version.V1_1, "a\\\\b\\nc\\cd\re"),
        (Version.V1_2, "a\\\\b\\nc\\cd\\re"),
    ],
)
def test_each_version_escapes_what_it_defines(version, written):
    assert escape(SPECIAL, version) == written


@pytest.mark.parametrize("version", Version)
def test_unescape_is_the_reverse_of_escape(version):
    assert unescape(escape(SPECIAL, version), version) == SPECIAL


@pytest.mark.parametrize("version", [Version.V1_1, Version.V1_2])
def test_escaped_backslash_begins_no_other_escape(version):
    assert unescape("\\\\n\\\\\\n", version) == "\\n\\\n"


def test_error_names_the_escape_and_what_is_accepted():
    with pytest.raises(MalformedFrame) as raised:
        unescape("a\\tb", Version.V1_1)

    assert raised.value.detail == (
        "The header has the escape \\t, which STOMP 1.1 does not define. "
        "It accepts \\n, \\c, \\\\; a backslash itself is written \\\\."
    )


def test_error_names_the_header():
    with pytest.raises(MalformedFrame) as raised:
        unescape("a\\tb", Version.V1_2, header="note")

    assert raised.value.detail.startswith("The header 'note' has the escape \\t")


def test_error_quotes_no_more_than_the_start_of_a_long_name():
    with pytest.raises(MalformedFrame) as raised:
        unescape("a\\tb", Version.V1_2, header="n" * 10_000)

    assert len(raised.value.detail) < 200

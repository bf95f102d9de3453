"""Everything of JMS 3.1 that makes sense in Python is there under its name, and shown by a test."""

from __future__ import annotations

import pytest

from tests.jms_api.inventory import Entry, claims, entries, is_implemented, relevant_entries

CLAIMS = claims()


@pytest.mark.parametrize("entry", relevant_entries(), ids=lambda entry: entry.java)
def test_entry_is_implemented(entry: Entry) -> None:
    assert is_implemented(entry), f"jms_api has no {entry.python}"


@pytest.mark.parametrize("entry", relevant_entries(), ids=lambda entry: entry.java)
def test_entry_is_shown_by_a_test(entry: Entry) -> None:
    assert entry.python in CLAIMS, f"no test has the marker jms({entry.python!r})"


def test_markers_name_what_there_is() -> None:
    assert CLAIMS.keys() <= {entry.python for entry in entries()}

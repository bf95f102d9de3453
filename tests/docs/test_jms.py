"""JMS.md: its tables are those that the inventory and the tests make."""

from __future__ import annotations

from jms_api.bodies import BodyKind
from jms_api.primitives import ValueType
from tests.docs.documents import code, section
from tests.jms_api.inventory import omissions, table

JMS = "JMS.md"


def test_tables_are_up_to_date() -> None:
    expected = {"What there is": list(table()), "What is left out": list(omissions())}

    found = {heading: [line for line in section(JMS, heading).splitlines() if line] for heading in expected}

    assert found == expected, "run .venv/bin/python scripts/jms_table.py and put what it prints in place"


def test_codes_of_types_are_listed() -> None:
    listed = code(section(JMS, "On the wire"))

    assert {value_type.value for value_type in ValueType} <= set(listed)
    assert {kind.value for kind in BodyKind} <= set(listed)

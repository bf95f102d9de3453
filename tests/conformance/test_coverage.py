"""Every rule has a test, every such test has a rule, and PROTOCOL.md says which."""

from __future__ import annotations

from pathlib import Path

from tests.harness.rules import named_tests, rules

PROTOCOL = Path(__file__).parents[2] / "PROTOCOL.md"


def test_every_rule_has_a_test() -> None:
    assert sorted(rules().keys() - named_tests().keys()) == []


def test_every_test_named_for_a_rule_has_one() -> None:
    assert sorted(named_tests().keys() - rules().keys()) == []


def test_protocol_names_the_tests_of_every_rule() -> None:
    lines = PROTOCOL.read_text().splitlines()

    unmapped = [
        rule
        for rule, tests in named_tests().items()
        if not any(f"| {rule} |" in line and all(name in line for _, name in tests) for line in lines)
    ]

    assert unmapped == [], "print the table with: python -m tests.harness.rules"

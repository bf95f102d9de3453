"""CONTRIBUTING.md: the folders of tests are all there."""

from __future__ import annotations

from tests.docs.documents import ROOT, code, rows, section


def test_folders_of_tests_are_listed() -> None:
    listed = {name for row in rows(section("CONTRIBUTING.md", "Where tests go")) for name in code(row[0])}

    folders = {f"tests/{path.name}" for path in (ROOT / "tests").iterdir() if any(path.glob("*.py"))}
    assert listed - {"tests"} == folders | {"tests/vectors"}

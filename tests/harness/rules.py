"""Which tests stand for which rule: the table of PROTOCOL.md comes from here.

`python -m tests.harness.rules` prints it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "conformance"

_TEST = re.compile(r"test_(s1[012])_([a-z]+)_(\d+)_")


def rules() -> dict[str, str]:
    """Return the rules of `rules.txt`, each id with its sentence, in their order."""
    lines = (FOLDER / "rules.txt").read_text().splitlines()
    entries = [line.partition(" ") for line in lines if line and not line.startswith("#")]
    return {rule: sentence for rule, _, sentence in entries}


def named_tests() -> dict[str, list[tuple[str, str]]]:
    """Return the tests named for a rule, by its id, as pairs of file and function."""
    found: dict[str, list[tuple[str, str]]] = {}
    for file, name in _test_functions():
        if match := _TEST.match(name):
            rule = f"{match[1]}-{match[2]}-{match[3]}".upper()
            found.setdefault(rule, []).append((file, name))
    return found


def table() -> str:
    """Return rules and tests as a Markdown table."""
    tests = named_tests()
    rows = [
        f"| {rule} | {sentence} | {'<br>'.join(f'`{name}`' for _, name in tests.get(rule, []))} |"
        for rule, sentence in rules().items()
    ]
    return "\n".join(["| rule | how we read it | tests |", "| --- | --- | --- |", *rows])


def _test_functions() -> Iterator[tuple[str, str]]:
    for path in sorted(FOLDER.glob("test_*.py")):
        tree = ast.parse(path.read_text())
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield path.name, node.name


if __name__ == "__main__":
    print(table())

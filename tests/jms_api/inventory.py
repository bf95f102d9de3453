"""What JMS 3.1 has, what of it `jms_api` is to have, and which tests show it.

`inventory.json` lists every type of `jakarta.jms` with its constants and methods and what they are called in Python;
one with a `reason` is left out for it. A test says what it shows by a marker: `@pytest.mark.jms("Message.clear_body")`,
or `@pytest.mark.jms("Destination")` for a type without members of its own.
"""

from __future__ import annotations

import ast
import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_HERE = Path(__file__).parent
_ROOT = _HERE.parents[1]


class Entry(NamedTuple):
    """A type, or a member of one: a constant or all methods of a name."""

    #: In Java, for example `Message`, and `getText` or nothing.
    type: str
    member: str
    #: In Python, for example `TextMessage.text`; what a marker names.
    python: str
    #: Why it is left out; empty if it is not.
    reason: str

    @property
    def java(self) -> str:
        """What a JMS book calls it."""
        return f"{self.type}.{self.member}" if self.member else self.type


def entries() -> list[Entry]:
    """Return everything that JMS has. A type without members of its own is an entry itself, and so is one left out."""
    found: list[Entry] = []
    for type_name, described in json.loads((_HERE / "inventory.json").read_text("utf-8")).items():
        members = described.get("members", {})
        if not members:
            found.append(Entry(type_name, "", type_name, described.get("reason", "")))
        for member, how in members.items():
            found.append(Entry(type_name, member, f"{type_name}.{how['python']}", how.get("reason", "")))
    return found


def relevant_entries() -> list[Entry]:
    """Return what `jms_api` is to have."""
    return [entry for entry in entries() if not entry.reason]


def is_implemented(entry: Entry) -> bool:
    """Whether `jms_api` offers what an entry calls for, under that name."""
    type_name, _, member = entry.python.partition(".")
    package = importlib.import_module("jms_api")
    owner = getattr(package, type_name, None)
    if owner is None or not member:
        return owner is not None
    if member.startswith("__"):
        return getattr(owner, member) is not getattr(object, member)
    return hasattr(owner, member)


def claims() -> dict[str, list[str]]:
    """Return the tests that show something, by what they show; each as `path::function`."""
    found: dict[str, list[str]] = {}
    for path in sorted(_HERE.rglob("test_*.py")):
        for function in ast.walk(ast.parse(path.read_bytes(), str(path))):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                for name in _marked(function):
                    found.setdefault(name, []).append(f"{path.relative_to(_ROOT).as_posix()}::{function.name}")
    return found


def _marked(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    """Give out what a test claims to show, wherever in its decorators it says so."""
    for decorator in function.decorator_list:
        for node in ast.walk(decorator):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.jms":
                for argument in node.args:
                    names = ast.literal_eval(argument.value if isinstance(argument, ast.Starred) else argument)
                    yield from [names] if isinstance(names, str) else names


def table() -> Iterator[str]:
    """Give out the lines of the Markdown table for JMS.md: what JMS calls it, what it is here, and what shows it."""
    shown = claims()
    yield "| JMS | Python | test |"
    yield "| --- | --- | --- |"
    for entry in relevant_entries():
        python = f"`{entry.python}`" if is_implemented(entry) else "missing"
        yield f"| `{entry.java}` | {python} | {_describe(shown.get(entry.python, []))} |"


def _describe(tests: list[str]) -> str:
    """Return a link to a test, and how many more there are."""
    if not tests:
        return "missing"
    path, _, function = tests[0].partition("::")
    others = f" and {len(tests) - 1} more" if len(tests) > 1 else ""
    return f"[{function}]({path}){others}"


def omissions() -> Iterator[str]:
    """Give out the lines of the Markdown table of what is left out."""
    yield "| JMS | why not |"
    yield "| --- | --- |"
    for entry in entries():
        if entry.reason:
            yield f"| `{entry.java}` | {entry.reason} |"

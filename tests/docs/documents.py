"""The documents of the project as text, and the examples, tables and links in them."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]

#: Every document, by name.
DOCUMENTS = sorted(path.name for path in ROOT.glob("*.md"))

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)]+)\)")
_CODE = re.compile(r"`([^`]+)`")


def read(document: str) -> str:
    """Return the text of a document."""
    return (ROOT / document).read_text("utf-8")


def prose(document: str) -> str:
    """Return the text of a document without its examples."""
    return _BLOCK.sub("", read(document))


def blocks(document: str, language: str) -> list[str]:
    """Return the examples of a document that are in a language."""
    return [text for found, text in _BLOCK.findall(read(document)) if found == language]


def links(document: str) -> list[str]:
    """Return where a document's links lead."""
    return _LINK.findall(prose(document))


def anchors(document: str) -> set[str]:
    """Return the names by which links reach the document's headings."""
    headings = re.findall(r"^#+ (.+)$", prose(document), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}


def section(document: str, heading: str) -> str:
    """Return what stands below a heading, up to the next one."""
    found = re.search(rf"^#+ {re.escape(heading)}$(.*?)(?=^#|\Z)", read(document), re.MULTILINE | re.DOTALL)
    assert found, f"{document} has no heading {heading!r}"
    return found[1]


def rows(text: str) -> list[list[str]]:
    """Return the cells of the tables in a text, without the lines that head them."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    rules = [number for number, row in enumerate(cells) if set("".join(row)) <= set("- ")]
    return [row for number, row in enumerate(cells) if number not in rules and number + 1 not in rules]


def code(text: str) -> list[str]:
    """Return what a text quotes as code."""
    return _CODE.findall(text)

"""Links and file names in the documents lead somewhere."""

from __future__ import annotations

import re

import pytest

from tests.docs.documents import DOCUMENTS, ROOT, anchors, blocks, code, links, prose

#: Names in code quotes that are files of the project, and not of an operator's machine.
_OURS = re.compile(r"(?<![\w/])(?:stompd|tests|db|scripts|twisted|\.ci)/[\w./]*\w")

_SUFFIXES = (".py", ".txt", ".md")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_to_files_and_headings(document: str) -> None:
    local = [link.partition("#") for link in links(document) if "://" not in link]

    broken = [
        f"{file}#{anchor}"
        for file, _, anchor in local
        if not (ROOT / file).exists() or (anchor and anchor not in anchors(file or document))
    ]

    assert not broken


@pytest.mark.parametrize("document", DOCUMENTS)
def test_files_that_are_named_exist(document: str) -> None:
    quoted = [name for text in code(prose(document)) for name in _OURS.findall(text)]

    missing = [name for name in quoted if not (ROOT / name).exists()]

    assert not missing


def test_modules_named_in_the_architecture_exist() -> None:
    quoted = [name for name in code(prose("ARCHITECTURE.md")) if "/" in name and name.endswith(_SUFFIXES)]

    missing = [name for name in quoted if not any((ROOT / top / name).exists() for top in ("", "stompd"))]

    assert not missing


@pytest.mark.parametrize("document", DOCUMENTS)
def test_scripts_in_examples_exist(document: str) -> None:
    commands = [word for block in blocks(document, "sh") for word in re.findall(r"^scripts/\w+", block, re.MULTILINE)]

    assert all((ROOT / command).is_file() for command in commands)

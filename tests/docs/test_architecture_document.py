"""ARCHITECTURE.md: its layers and the face of the core are those of the program."""

from __future__ import annotations

import ast
import inspect

from stompd.broker.broker import Broker
from tests.docs.documents import ROOT, blocks, code, rows, section
from tests.test_architecture import LAYERS

ARCHITECTURE = "ARCHITECTURE.md"


def test_layers_are_those_that_the_test_enforces() -> None:
    listed = {name: int(row[0]) for row in rows(section(ARCHITECTURE, "Layers")) for name in code(row[1])}

    there = {name for name in LAYERS if name != "stompd" and _exists(name)}
    assert listed == {name: LAYERS[name] for name in there}


def _exists(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def test_methods_of_the_core_are_those_of_the_program() -> None:
    (example,) = blocks(ARCHITECTURE, "python")
    (described,) = ast.parse(example).body
    assert isinstance(described, ast.ClassDef)

    listed = {
        method.name: [argument.arg for argument in method.args.args + method.args.kwonlyargs]
        for method in described.body
        if isinstance(method, ast.FunctionDef)
    }

    methods = {name: method for name, method in vars(Broker).items() if not name.startswith("_") and name != "depth"}
    assert listed == {name: list(inspect.signature(method).parameters) for name, method in methods.items()}

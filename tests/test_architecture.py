"""The rules of ARCHITECTURE.md that a program can check: who imports whom, how large things are, how they are named."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

#: A module belongs to the longest of these names that it begins with.
LAYERS = {
    "stompd": 0,  # the package itself: a docstring
    "stompd.errors": 0,
    "stompd.wire": 1,
    "stompd.selector": 1,
    "stompd.broker": 2,
    "stompd.session": 3,
    "stompd.interfaces": 4,
    "stompd.settings": 4,
    "stompd.store": 4,
    "stompd.migrations": 4,
    "stompd.runtime": 5,
    "stompd.net": 6,
    "stompd.auth": 6,
    "stompd.endpoint": 7,
    "stompd.config": 7,
    "stompd.service": 7,
    "stompd.tap": 7,
    "stompd.client": 7,
    "stompd.replay": 7,
    "stompd.scheduled": 7,
    "stompd.users": 7,
    "stompd.cli": 7,
}

#: Packages of one layer do not know each other, and the broker core knows no frames. `interfaces` stands between the
#: stores and those who use them. The top layer is one program.
FORBIDDEN = {
    "stompd.wire": {"stompd.selector"},
    "stompd.selector": {"stompd.wire"},
    "stompd.broker": {"stompd.wire", "stompd.session"},
    "stompd.interfaces": {"stompd.store"},
    "stompd.net": {"stompd.auth"},
    "stompd.auth": {"stompd.net"},
}

#: Up to this layer only the standard library may be imported, and of that nothing which acts on the world.
LAST_PURE_LAYER = 3
IMPURE = {
    "time",
    "random",
    "secrets",
    "uuid",
    "logging",
    "socket",
    "threading",
    "asyncio",
    "sqlite3",
    "os",
    "subprocess",
}

#: What else each package may import. The store has no Twisted, and only what talks to the network has.
THIRD_PARTY = {
    "stompd.interfaces": {"zope"},
    "stompd.store": {"sqlalchemy", "alembic", "psycopg", "zope"},
    "stompd.migrations": {"sqlalchemy", "alembic", "psycopg"},
    "stompd.runtime": {"twisted", "zope"},
    "stompd.net": {"twisted", "zope", "OpenSSL", "cryptography", "wsproto"},
    "stompd.auth": {"twisted", "zope", "argon2", "cryptography", "jwt"},
    "stompd.endpoint": {"twisted"},
    "stompd.config": {"twisted", "zope"},
    "stompd.service": {"twisted", "zope"},
    "stompd.tap": {"twisted"},
    "stompd.client": set[str](),
    "stompd.replay": set[str](),
    "stompd.scheduled": set[str](),
    "stompd.users": {"click"},
    "stompd.cli": {"click", "importlib"},
}

JMS_API_MAY_IMPORT = {"jms_api", "stompd.errors", "stompd.wire", "stompd.selector"}

#: The broker in the test's own process needs the broker.
JMS_API_MAY_IMPORT_TOO = {"jms_api.testing": {"stompd.service", "stompd.settings"}}

LONGEST_MODULE = 400
LONGEST_FUNCTION = 40

#: Each says nothing about the thing it names.
BANNED_WORDS = {
    *("manager", "handler", "processor", "engine", "util", "utils", "helper", "helpers"),
    *("data", "info", "misc", "do", "perform", "my"),
}

#: Names that are not ours to choose, or that the design gives.
ALLOWED_NAMES = {
    "data",  # the octets of dataReceived and receive_data
    "dataReceived",
    "frame_inbound_payload_data",  # wsproto's
    "receive_data",
    "INFO",  # a log level
    "engine",  # what SQLAlchemy calls its connection pool
    "ConnectionMetaData",  # JMS 3.1
    "meta_data",
    "_engine",
}

#: The edges where a fault of ours is caught so that the broker goes on.
MAY_CATCH_EVERYTHING = {
    "stompd.net.link",
    "stompd.runtime.driver",
    "stompd.runtime.journal",
    "stompd.runtime.writer",
    "jms_api.channel",
    "jms_api.aio.channel",
    "jms_api.engine.operations",
}


def _module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _sources(*packages: str) -> dict[str, ast.Module]:
    """Return the syntax tree of each module. The migrations are reached through their link in stompd."""
    paths = [path for package in packages for path in sorted(_walk(ROOT / package))]
    return {_module_name(path): ast.parse(path.read_bytes(), str(path)) for path in paths}


def _walk(directory: Path) -> Iterator[Path]:
    for path in directory.iterdir():
        if path.is_dir():
            yield from _walk(path)
        elif path.suffix == ".py":
            yield path


SOURCES = _sources("stompd", "jms_api")
MODULES = sorted(SOURCES)


def _imports(module: str) -> Iterator[str]:
    """Yield what a module imports, wherever in it, by full name."""
    for node in ast.walk(SOURCES[module]):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} line {node.lineno}: write the whole name"
            source = node.module or ""
            # `from stompd.wire import frame` imports a module, `from stompd.wire.frame import Frame` a name.
            yield from (
                f"{source}.{alias.name}" if f"{source}.{alias.name}" in SOURCES else source for alias in node.names
            )


def _package_of(module: str) -> str:
    return max((name for name in LAYERS if module == name or module.startswith(f"{name}.")), key=len)


def _may_import(importer: str, imported: str) -> bool:
    source, target = _package_of(importer), _package_of(imported)
    if source == target:
        return True
    if target in FORBIDDEN.get(source, ()):
        return False
    return LAYERS[target] <= LAYERS[source]


def _definitions(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield every name that a module gives to something, and its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr, node.lineno


def _words(name: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)}


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("stompd")])
def test_module_imports_only_layers_below(module: str) -> None:
    ours = [name for name in _imports(module) if name.partition(".")[0] in {"stompd", "jms_api"}]

    wrong = [name for name in ours if name.startswith("jms_api") or not _may_import(module, name)]

    assert not wrong, f"{module} may not import {wrong}"


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("stompd")])
def test_module_imports_only_the_libraries_of_its_layer(module: str) -> None:
    package = _package_of(module)
    allowed = THIRD_PARTY.get(package, set())
    if LAYERS[package] > LAST_PURE_LAYER:
        allowed = allowed | sys.stdlib_module_names
    else:
        allowed = allowed | (sys.stdlib_module_names - IMPURE)

    foreign = {name.partition(".")[0] for name in _imports(module)} - {"stompd", "jms_api"}

    assert foreign <= allowed, f"{module} may not import {sorted(foreign - allowed)}"


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("jms_api")])
def test_jms_api_imports_only_the_codec_of_the_broker(module: str) -> None:
    ours = [name for name in _imports(module) if name.partition(".")[0] in {"stompd", "jms_api"}]

    may_import = JMS_API_MAY_IMPORT | JMS_API_MAY_IMPORT_TOO.get(module, set())
    wrong = [name for name in ours if not any(f"{name}.".startswith(f"{allowed}.") for allowed in may_import)]

    assert not wrong, f"{module} may not import {wrong}"


@pytest.mark.parametrize("module", MODULES)
def test_module_is_short_enough_to_read(module: str) -> None:
    path = ROOT.joinpath(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")

    assert len(path.read_text("utf-8").splitlines()) <= LONGEST_MODULE


@pytest.mark.parametrize("module", MODULES)
def test_functions_are_short_enough_to_read(module: str) -> None:
    functions = [node for node in ast.walk(SOURCES[module]) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]

    long = [node.name for node in functions if _code_lines(node) > LONGEST_FUNCTION]

    assert not long, f"{module}: {long} have more than {LONGEST_FUNCTION} lines"


def _code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return how many lines a function has from its `def` on, without its docstring."""
    docstring = function.body[0] if ast.get_docstring(function) is not None else None
    documented = (docstring.end_lineno or 0) - docstring.lineno + 1 if docstring else 0
    return (function.end_lineno or 0) - function.lineno + 1 - documented


@pytest.mark.parametrize("module", MODULES)
def test_names_say_what_they_stand_for(module: str) -> None:
    definitions = [(module.rpartition(".")[2], 1), *_definitions(SOURCES[module])]

    empty = [
        f"{name} (line {line})"
        for name, line in definitions
        if name not in ALLOWED_NAMES and _words(name) & BANNED_WORDS
    ]

    assert not empty, f"{module}: {empty}"


@pytest.mark.parametrize("module", [name for name in MODULES if name not in MAY_CATCH_EVERYTHING])
def test_only_the_edges_catch_everything(module: str) -> None:
    caught = [node for node in ast.walk(SOURCES[module]) if isinstance(node, ast.ExceptHandler)]

    too_wide = [node.lineno for node in caught if _catches_everything(node)]

    assert not too_wide, f"{module}: lines {too_wide}"


def _catches_everything(clause: ast.ExceptHandler) -> bool:
    """Whether a clause ends the way of any exception; to clean up and raise it again is no end."""
    raised_again = isinstance(clause.body[-1], ast.Raise) and clause.body[-1].exc is None
    kinds = clause.type.elts if isinstance(clause.type, ast.Tuple) else [clause.type]
    wide = any(kind is None or getattr(kind, "id", "") in {"Exception", "BaseException"} for kind in kinds)
    return wide and not raised_again


@pytest.mark.parametrize("module", MODULES)
def test_modules_have_a_docstring_and_packages_little_else(module: str) -> None:
    tree = SOURCES[module]
    is_package = ROOT.joinpath(*module.split(".")).is_dir()

    assert ast.get_docstring(tree), f"{module} does not say what it is"
    assert not is_package or all(_is_export_list(node) for node in tree.body[1:]), f"{module} holds code"


def _is_export_list(node: ast.stmt) -> bool:
    """Whether a statement says what a package offers: a list of names, and where they come from."""
    if isinstance(node, ast.ImportFrom):
        return (node.module or "").startswith("jms_api")
    return isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__"


def test_every_module_has_a_layer() -> None:
    unplaced = [module for module in MODULES if module.startswith("stompd.") and _package_of(module) == "stompd"]

    assert not unplaced, f"ARCHITECTURE.md gives no layer to {unplaced}"


def test_every_package_is_installed() -> None:
    packages = {module for module in MODULES if ROOT.joinpath(*module.split(".")).is_dir()}

    listed = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["packages"]

    assert packages | {"twisted.plugins"} == set(listed)


def test_plugin_directory_is_no_package() -> None:
    # With an __init__.py the directory would hide Twisted itself.
    assert not list((ROOT / "twisted").rglob("__init__.py"))

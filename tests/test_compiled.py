"""The compiled build, which `scripts/compile` makes: it behaves as the one in Python does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.process import BrokerProcess

ROOT = Path(__file__).parents[1]

#: What tests the compiled layers without standing in for their parts.
_SUITES = ("tests/wire", "tests/selector", "tests/broker")

_MODULES = ("stompd.wire.parser", "stompd.selector.evaluate", "stompd.broker.queue", "stompd.session.session")
_PRINT_FILES = f"import {', '.join(_MODULES)}, sys; print(*(sys.modules[name].__file__ for name in {_MODULES}))"


def _run(*command: str | Path, cwd: Path, library: Path | None = None) -> str:
    environment = {**os.environ, "PYTHONPATH": str(library)} if library else None
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the compiled packages."""
    place = tmp_path_factory.mktemp("compiled")
    _run(ROOT / "scripts" / "compile", place, cwd=ROOT)
    [wheel] = place.glob("*.whl")
    _run(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", place / "lib", wheel, cwd=place)
    return place / "lib"


def test_hot_layers_are_compiled(library: Path, tmp_path: Path) -> None:
    files = _run(sys.executable, "-c", _PRINT_FILES, cwd=tmp_path, library=library).split()

    assert all(file.startswith(str(library)) and file.endswith(".so") for file in files), files


def test_compiled_layers_pass_their_tests(library: Path, tmp_path: Path) -> None:
    # From a directory without the packages, so that the compiled ones are found.
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    (tmp_path / "setup.cfg").symlink_to(ROOT / "setup.cfg")

    shown = _run(
        sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *_SUITES, cwd=tmp_path, library=library
    )

    assert " passed" in shown


def test_compiled_broker_serves(library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(library))

    with (
        BrokerProcess(tmp_path, f"sqlite:///{tmp_path / 'stompd.sqlite3'}") as broker,
        broker.client() as sender,
        broker.client() as client,
    ):
        client.subscribe("/queue/orders", ack="client-individual", selector="amount > 9")
        sender.send_message("/queue/orders", "small", amount="5")
        sender.send_message("/queue/orders", "large", amount="10")
        [message] = client.expect_bodies("large")
        client.settle(message)
        client.send_frame("SUBSCRIBE", {"destination": "/queue/orders", "id": "2", "selector": "amount >"})
        client.expect_error("invalid-selector")

"""Log events on standard error."""

from __future__ import annotations

import json
import sys
import warnings
from types import SimpleNamespace

import pytest
from twisted.logger import LogBeginner, Logger, LogPublisher

from stompd.runtime import logs
from stompd.runtime.logs import begin_logging


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Logger:
    """A logger whose events go where `begin_logging` sends them, and not where the tests' own go."""
    publisher = LogPublisher()
    unwarned = SimpleNamespace(showwarning=warnings.showwarning)
    monkeypatch.setattr(logs, "globalLogBeginner", LogBeginner(publisher, sys.stderr, sys, unwarned))
    return Logger(namespace="stompd.test", observer=publisher)


def test_events_are_lines_on_stderr(log: Logger, capsys: pytest.CaptureFixture[str]) -> None:
    begin_logging(is_json=False, level="info")

    log.info("{peer}: connected", peer="127.0.0.1:5")

    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.endswith("[stompd.test#info] 127.0.0.1:5: connected\n")


def test_peer_cannot_forge_a_line(log: Logger, capsys: pytest.CaptureFixture[str]) -> None:
    begin_logging(is_json=False, level="info")

    log.info("refused: {detail}", detail="a\n2026-01-01 all is well")

    assert capsys.readouterr().err.splitlines()[1].startswith("\t")


def test_events_are_objects_when_json_is_wanted(log: Logger, capsys: pytest.CaptureFixture[str]) -> None:
    begin_logging(is_json=True, level="info")

    log.info("{peer}: connected", peer="127.0.0.1:5")

    (line,) = capsys.readouterr().err.splitlines()
    event = json.loads(line)
    assert event["peer"] == "127.0.0.1:5"
    assert event["log_format"] == "{peer}: connected"


def test_less_important_events_are_left_out(log: Logger, capsys: pytest.CaptureFixture[str]) -> None:
    begin_logging(is_json=False, level="warn")

    log.debug("one")
    log.info("two")
    log.warn("three")
    log.error("four")

    assert [line.split()[-1] for line in capsys.readouterr().err.splitlines()] == ["three", "four"]


@pytest.mark.parametrize(("level", "shown"), [("debug", ["warn", "error"]), ("error", ["error"])])
def test_twisted_is_heard_from_warnings_on(
    log: Logger, capsys: pytest.CaptureFixture[str], level: str, shown: list[str]
) -> None:
    begin_logging(is_json=False, level=level)

    log.namespace = "twisted.internet.base"
    log.info("info")
    log.warn("warn")
    log.error("error")

    assert [line.split()[-1] for line in capsys.readouterr().err.splitlines()] == shown


def test_events_from_before_are_dropped(log: Logger, capsys: pytest.CaptureFixture[str]) -> None:
    log.info("too early")

    begin_logging(is_json=False, level="info")

    assert "too early" not in capsys.readouterr().err

"""Turns: how many checks run at once, whoever gives up."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred, DeferredSemaphore

from stompd.auth.turns import in_turn


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Deferred[Any]]:
    """The checks that run, of which two may at once."""
    started: list[Deferred[Any]] = []

    def start(*arguments: object) -> Deferred[Any]:
        started.append(Deferred())
        return started[-1]

    monkeypatch.setattr("stompd.auth.turns.deferToThread", start)
    monkeypatch.setattr("stompd.auth.turns._turns", DeferredSemaphore(2))
    return started


def test_next_one_begins_when_one_has_ended(started: list[Deferred[Any]]) -> None:
    results: list[object] = []
    for _ in range(4):
        in_turn(print).addBoth(results.append)

    started[0].callback("one")
    started[1].errback(ZeroDivisionError())

    assert len(started) == 4
    assert results[0] == "one"
    assert results[1].check(ZeroDivisionError)  # type: ignore[attr-defined]


def test_one_that_is_given_up_while_it_runs_keeps_its_place(started: list[Deferred[Any]]) -> None:
    failures: list[Any] = []
    running = [in_turn(print).addErrback(failures.append) for _ in range(2)]
    in_turn(print)

    for each in running:
        each.cancel()
    before = len(started)
    started[0].callback("late")

    assert [failure.type for failure in failures] == [CancelledError, CancelledError]
    assert before == 2
    assert len(started) == 3


def test_one_that_is_given_up_before_its_turn_never_runs(started: list[Deferred[Any]]) -> None:
    waiting = [in_turn(print) for _ in range(3)]
    waiting[2].addErrback(lambda failure: failure.trap(CancelledError))

    waiting[2].cancel()
    for each in started[:2]:
        each.callback(None)

    assert len(started) == 2

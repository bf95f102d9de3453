"""The writer thread: in order, and with an answer for whoever asks for one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from queue import SimpleQueue

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

from stompd.runtime.writer import WriterThread
from tests.logged import LoggedEvents


class Reactor:
    """Keeps what other threads want called until the test calls it."""

    def __init__(self) -> None:
        self._calls: SimpleQueue[tuple[Callable[..., object], tuple[object, ...]]] = SimpleQueue()

    def callFromThread(self, function: Callable[..., object], *arguments: object) -> None:
        self._calls.put((function, arguments))

    def call_next(self) -> None:
        function, arguments = self._calls.get(timeout=10)
        function(*arguments)


@pytest.fixture
def reactor() -> Reactor:
    return Reactor()


@pytest.fixture
def writer(reactor: Reactor) -> Iterator[WriterThread]:
    writer = WriterThread(reactor)  # type: ignore[arg-type]  # all that it needs of a reactor
    writer.start()
    yield writer
    writer.stop()


def test_functions_are_called_in_order_on_one_other_thread(writer: WriterThread) -> None:
    seen: list[tuple[int, int | None]] = []

    for number in range(100):
        writer.call(lambda number=number: seen.append((number, threading.current_thread().ident)))  # type: ignore[misc]
    writer.stop()

    assert [number for number, _ in seen] == list(range(100))
    assert len({thread for _, thread in seen}) == 1
    assert seen[0][1] != threading.current_thread().ident


def test_result_comes_back_through_the_reactor(writer: WriterThread, reactor: Reactor) -> None:
    results: list[int] = []
    writer.defer(lambda: 6 * 7).addCallback(results.append)

    reactor.call_next()

    assert results == [42]


def test_exception_comes_back_through_the_reactor(writer: WriterThread, reactor: Reactor) -> None:
    failures: list[Failure] = []
    answer: Deferred[float] = writer.defer(lambda: 1 / 0)
    answer.addErrback(failures.append)

    reactor.call_next()

    assert failures[0].check(ZeroDivisionError)


def test_result_of_what_was_cancelled_is_dropped(writer: WriterThread, reactor: Reactor) -> None:
    failures: list[Failure] = []
    answer = writer.defer(lambda: 1)
    answer.addErrback(failures.append)  # type: ignore[arg-type]

    answer.cancel()
    reactor.call_next()

    assert failures[0].check(CancelledError)


def test_failure_that_nobody_answers_for_is_logged_and_does_not_end_the_thread(
    writer: WriterThread, reactor: Reactor, logged: LoggedEvents
) -> None:
    results: list[int] = []
    writer.call(lambda: 1 / 0)

    writer.defer(lambda: 1).addCallback(results.append)
    reactor.call_next()

    assert results == [1]
    assert [failure.type for failure in logged.failures] == [ZeroDivisionError]

"""The writer thread: the only one that touches the store."""

from __future__ import annotations

from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import TypeVar, final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

_log = Logger()
_T = TypeVar("_T")


class WriterReactor(IReactorTime, IReactorFromThreads):
    """What is needed of a reactor beside a writer thread: timers, and the way back."""


@final
class WriterThread:
    """Calls functions one after the other on a thread of its own.

    Twisted's thread pool does that too, but takes twice as long from a call to its beginning, for which every message
    waits that is sent alone.
    """

    def __init__(self, reactor: IReactorFromThreads) -> None:
        """Prepare a thread; `start` begins it."""
        self._reactor = reactor
        self._calls: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name="stompd-writer", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Finish what was asked for, and end; called on another thread, which waits for it."""
        self._calls.put(None)
        self._thread.join()

    def call(self, function: Callable[[], object]) -> None:
        """Call a function that answers for its own errors."""
        self._calls.put(function)

    def defer(self, function: Callable[[], _T]) -> Deferred[_T]:
        """Call a function, and return a Deferred that fires on the reactor thread with its result or its exception."""
        answer: Deferred[_T] = Deferred()

        def attempt() -> None:
            try:
                result = function()
            except Exception:
                self._reactor.callFromThread(answer.errback, Failure())
            else:
                self._reactor.callFromThread(answer.callback, result)

        self._calls.put(attempt)
        return answer

    def _run(self) -> None:
        while function := self._calls.get():
            try:
                function()
            except Exception:
                _log.failure("A call on the writer thread failed")

"""Turns: what checks logins runs in threads, a few at a time, so that logins cannot use up processors or memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, DeferredSemaphore
from twisted.internet.threads import deferToThread

_T = TypeVar("_T")

#: A hash of argon2 takes 64 MiB and a processor for some 50 ms, so two at a time are 40 logins a second.
_AT_ONCE = 2

_turns = DeferredSemaphore(_AT_ONCE)


def in_turn(check: Callable[..., _T], *arguments: Any) -> Deferred[_T]:
    """Call a blocking function in a thread when it is its turn.

    What is cancelled before that is never called. What is cancelled while it runs keeps its place until it is done, or
    who gives up often could start any number of them.
    """

    def begin(turn: DeferredSemaphore) -> Deferred[_T]:
        answer: Deferred[_T] = Deferred()
        work = deferToThread(check, *arguments)
        work.addBoth(_give_back, turn)
        work.addCallbacks(answer.callback, answer.errback)
        return answer

    return _turns.acquire().addCallback(begin)


def _give_back(result: _T, turn: DeferredSemaphore) -> _T:
    turn.release()
    return result

"""Forks: a child process must not touch the sockets of its parent."""

from __future__ import annotations

import os
from threading import RLock
from typing import Final, Protocol
from weakref import WeakSet


class _Forkable(Protocol):
    lock: RLock
    is_closed: bool
    is_forked: bool


_all: Final[WeakSet[_Forkable]] = WeakSet()


def forget_in_children(connection: _Forkable) -> None:
    """Let a connection count as closed in every process that is forked from this one."""
    _all.add(connection)


#: Those that a fork under way holds.
_held: Final[list[_Forkable]] = []


def _before() -> None:
    # The child gets the locks as they are, so they must be ours.
    _held.extend(_all)
    for connection in _held:
        connection.lock.acquire()


def _in_parent() -> None:
    while _held:
        _held.pop().lock.release()


def _in_child() -> None:
    while _held:
        connection = _held.pop()
        connection.is_closed = connection.is_forked = True
        connection.lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)

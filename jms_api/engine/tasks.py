"""Tasks: the calls of an application's listeners, one at a time and in order for each session."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from contextvars import ContextVar
from threading import RLock, get_ident
from typing import Final, Protocol

from jms_api.engine.operations import Operation

_log: Final = logging.getLogger("jms_api")


class Task(Protocol):
    """One call of a listener."""

    def call(self) -> object:
        """Call it, outside the lock; what it returns may have to be awaited."""
        ...

    def finish(self, error: BaseException | None) -> None:
        """Note under the lock that it returned, or what it raised."""
        ...


#: The queue whose task is being called here; it is inherited by what an asyncio task starts.
running_in: Final[ContextVar[TaskQueue | None]] = ContextVar("running_in", default=None)


class TaskQueue:
    """What is to be called for one session, or for the exception listener of a connection.

    JMS-210, JMS-375: one call at a time. The driver calls `advance` again and again until there is no task, and again
    after `on_ready`.
    """

    def __init__(self, lock: RLock, on_ready: Callable[[TaskQueue], None]) -> None:
        self.lock = lock
        self._on_ready = on_ready
        self._tasks: deque[Task] = deque()
        self._idle: list[Operation[None]] = []
        self._running: Task | None = None
        self._is_announced = False
        self._thread = 0
        #: What the driver keeps here: its thread, or whatever else calls the tasks.
        self.driver: object = None
        self.is_over = False

    @property
    def is_running(self) -> bool:
        """Whether a task is being called."""
        return self._running is not None

    @property
    def is_running_here(self) -> bool:
        """Whether the caller is, directly or not, a task of this queue."""
        return self._running is not None and running_in.get() is self

    @property
    def is_running_elsewhere(self) -> bool:
        """Whether a task is being called by another thread."""
        return self._running is not None and self._thread != get_ident()

    def add(self, task: Task) -> None:
        """Add a task at the end; called under the lock."""
        self._tasks.append(task)
        self.announce()

    def announce(self) -> None:
        """Tell the driver that there is something to call, unless it knows; called under the lock."""
        if not self._is_announced and self._running is None:
            self._is_announced = True
            self._on_ready(self)

    def advance(self, done: Task | None = None, error: BaseException | None = None) -> Task | None:
        """Return the next task to be called, after the one that is done; None if there is none now."""
        with self.lock:
            if done is not None:
                self._running = None
                done.finish(error)
            self._running = task = self._tasks.popleft() if self._tasks else self.find()
            self._thread = get_ident()
            if task is None:
                self._is_announced = False
                idle, self._idle = self._idle, []
                for operation in idle:
                    operation.succeed(None)
            return task

    def find(self) -> Task | None:
        """Return a task that nobody added; for subclasses."""
        return None

    def idle(self) -> Operation[None]:
        """Return an operation that is done when no task is being called and none waits; called under the lock."""
        if self._running is None and not self._tasks:
            return Operation.of(None)
        operation: Operation[None] = Operation()
        self._idle.append(operation)
        return operation

    def end(self) -> None:
        """Call nothing any more, and let the driver end what it keeps; called under the lock."""
        self.is_over = True
        self._tasks.clear()
        self._on_ready(self)


def call(queue: TaskQueue, task: Task) -> object:
    """Call a task as part of its queue."""
    token = running_in.set(queue)
    try:
        return task.call()
    finally:
        running_in.reset(token)

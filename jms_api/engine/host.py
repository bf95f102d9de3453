"""What a connection needs of its driver, and what the driver needs to know of it."""

from __future__ import annotations

from enum import Enum
from typing import Protocol

from jms_api.engine.tasks import TaskQueue


class Host(Protocol):
    """What a driver does for the connection; all of it is called under the lock and returns at once."""

    def tasks_ready(self, queue: TaskQueue) -> None:
        """Call the tasks of a queue, from a thread or turn of its own; end what it keeps when the queue is over."""
        ...

    def wake(self) -> None:
        """Look at the deadlines and at what is to be written again."""
        ...


class Phase(Enum):
    """Where a connection is in its life."""

    DIALLING = "dialling"  # for the first time, or with another client id
    UP = "up"
    DOWN = "down"  # lost, and dialled again
    OVER = "over"  # closed, or given up

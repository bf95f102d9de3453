"""Operations: what an application asked for and may have to wait for, whichever way its driver waits."""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import wraps
from threading import RLock
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeAlias, TypeVar, cast

from jms_api.exceptions import JMSError

T = TypeVar("T")
P = ParamSpec("P")

#: The steps of a procedure: each yields the operation it waits for.
Steps: TypeAlias = Generator["Operation[Any]", None, T]


class Operation(Generic[T]):
    """A result that is there, or will be.

    It is completed once, under the lock of its connection, by whoever has the result: often the thread that reads the
    socket. Whoever waits for it takes the result with `result`, in its own thread.
    """

    __slots__ = ("_callbacks", "_error", "_value", "is_done")

    def __init__(self) -> None:
        self.is_done = False
        self._value: T | None = None
        self._error: BaseException | None = None
        self._callbacks: list[Callable[[Operation[T]], object]] = []

    @classmethod
    def of(cls, value: T) -> Operation[T]:
        """Return an operation that is done."""
        operation = cls()
        operation._value = value
        operation.is_done = True
        return operation

    @classmethod
    def failed(cls, error: BaseException) -> Operation[T]:
        """Return an operation that has failed."""
        operation = cls()
        operation._error = error
        operation.is_done = True
        return operation

    @property
    def error(self) -> BaseException | None:
        """Why it failed; None while it has not."""
        return self._error

    def succeed(self, value: T) -> None:
        """Complete it; what is done already stays as it is."""
        if not self.is_done:
            self._value = value
            self._complete()

    def fail(self, error: BaseException) -> None:
        """Complete it with an error; what is done already stays as it is."""
        if not self.is_done:
            self._error = error
            self._complete()

    def when_done(self, callback: Callable[[Operation[T]], object]) -> None:
        """Call back when it is done, or now; the callback must not wait."""
        if self.is_done:
            callback(self)
        else:
            self._callbacks.append(callback)

    def result(self) -> T:
        """Return the result of an operation that is done, or raise its error."""
        if self._error is not None:
            raise self._error
        return cast(T, self._value)

    def expire(self) -> None:
        """Give up waiting because the time is up; an operation that knows no time limit waits on."""

    def abandon(self) -> None:
        """Give up waiting because whoever waited was interrupted; nothing that was received may be lost."""

    def __iter__(self) -> Steps[T]:
        """Wait for it as a step of a procedure: `value = yield from operation`."""
        if not self.is_done:
            yield self
        return self.result()

    def _complete(self) -> None:
        self.is_done = True
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback(self)


def attempt(function: Callable[P, Operation[T]]) -> Callable[P, Operation[T]]:
    """Let a function that raises return a failed operation, so that every driver tells it in its way."""

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> Operation[T]:
        try:
            return function(*args, **kwargs)
        except (JMSError, ValueError, TypeError, NotImplementedError) as error:
            return Operation.failed(error)

    return call


class _Locked(Protocol):
    @property
    def lock(self) -> RLock: ...


_L = TypeVar("_L", bound=_Locked)


def procedure(
    function: Callable[Concatenate[_L, P], Steps[T]],
) -> Callable[Concatenate[_L, P], Operation[T]]:
    """Turn a method that yields the operations it waits for into one that returns an operation.

    It runs under the lock, up to its first wait in the caller's thread, then in those that complete what it waits for.
    """

    @wraps(function)
    def begin(self: _L, *args: P.args, **kwargs: P.kwargs) -> Operation[T]:
        with self.lock:
            return _run(function(self, *args, **kwargs))

    return begin  # type: ignore[return-value]  # mypy does not see that a wrapped function stays one


def _run(steps: Steps[T]) -> Operation[T]:
    operation: Operation[T] = Operation()

    def advance(_: object = None) -> None:
        try:
            while True:
                awaited = next(steps)
                if not awaited.is_done:
                    break
        except StopIteration as end:
            operation.succeed(end.value)
        except Exception as error:
            operation.fail(error)
        else:
            awaited.when_done(advance)

    advance()
    return operation


class Count:
    """How many things are under way, and an operation for when none is."""

    __slots__ = ("_waiting", "count")

    def __init__(self) -> None:
        self.count = 0
        self._waiting: list[Operation[None]] = []

    def begin(self) -> None:
        """Count one more."""
        self.count += 1

    def end(self) -> None:
        """Count one less."""
        self.count -= 1
        if not self.count:
            waiting, self._waiting = self._waiting, []
            for operation in waiting:
                operation.succeed(None)

    def none(self) -> Operation[None]:
        """Return an operation that is done when nothing is under way."""
        if not self.count:
            return Operation.of(None)
        operation: Operation[None] = Operation()
        self._waiting.append(operation)
        return operation

"""The simplified API raises the runtime twins of what the classic one raises (JMS-369)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

from jms_api.exceptions import JMSException, to_runtime

P = ParamSpec("P")
T = TypeVar("T")


@contextmanager
def as_runtime() -> Iterator[None]:
    """Raise the runtime twin of a checked exception."""
    try:
        yield
    except JMSException as error:
        raise to_runtime(error) from error


def simplified(function: Callable[P, T]) -> Callable[P, T]:
    """Let a function raise runtime twins."""

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except JMSException as error:
            raise to_runtime(error) from error

    return call

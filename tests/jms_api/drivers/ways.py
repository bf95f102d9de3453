"""The three drivers behind one face: whatever they return, a test gets values, and waits as a blocking program does."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import cache
from typing import Any, Protocol

import jms_api.aio
import jms_api.factory
import jms_api.tx

#: Longer than anything takes, even on a busy machine; what takes longer hangs.
PATIENCE_SECONDS = 30.0


class Way(Protocol):
    """How a program uses jms_api."""

    name: str

    def factory(self, url: str, **options: object) -> Any:
        """Return a connection factory whose calls, and those of what it makes, return values."""
        ...

    def do(self, call: Callable[[], Any]) -> Any:
        """Make a call where the driver wants it, and wait for its result."""
        ...


class Blocking:
    """Threads that wait."""

    name = "blocking"

    def factory(self, url: str, **options: object) -> Any:
        return jms_api.factory.ConnectionFactory(url, **options)

    def do(self, call: Callable[[], Any]) -> Any:
        return call()


class Asyncio:
    """A loop in a thread of its own."""

    name = "asyncio"

    def factory(self, url: str, **options: object) -> Any:
        return Remote(self, jms_api.aio.ConnectionFactory(url, **options))

    def do(self, call: Callable[[], Any]) -> Any:
        async def run() -> Any:
            result = call()
            return await result if inspect.isawaitable(result) else result

        return asyncio.run_coroutine_threadsafe(run(), _loop()).result(PATIENCE_SECONDS)


class Twisted:
    """The reactor in a thread of its own."""

    name = "twisted"

    def factory(self, url: str, **options: object) -> Any:
        return Remote(self, jms_api.tx.ConnectionFactory(url, _reactor(), **options))

    def do(self, call: Callable[[], Any]) -> Any:
        from twisted.internet.defer import maybeDeferred

        future: Future[Any] = Future()

        def run() -> None:
            waiting = maybeDeferred(call)
            waiting.addCallbacks(future.set_result, lambda failure: future.set_exception(failure.value))

        _reactor().callFromThread(run)
        return future.result(PATIENCE_SECONDS)


WAYS: tuple[Way, ...] = (Blocking(), Asyncio(), Twisted())


class Remote:
    """An object of the aio or tx driver, used as if it were one of the blocking driver."""

    def __init__(self, way: Way, target: Any) -> None:
        vars(self)["_way"] = way
        vars(self)["_target"] = target

    def __getattr__(self, name: str) -> Any:
        value = self._way.do(lambda: _Kept(getattr(self._target, name))).value
        if not inspect.ismethod(value):
            return self._wrap(value)

        def call(*args: Any, **kwargs: Any) -> Any:
            return self._wrap(self._way.do(lambda: value(*args, **kwargs)))

        return call

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "client_id":
            self.set_client_id(value)
        else:
            self._way.do(lambda: setattr(self._target, name, value))

    def __enter__(self) -> Remote:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Any]:
        while (message := self.receive()) is not None:
            yield message

    def _wrap(self, value: Any) -> Any:
        is_ours = type(value).__module__.startswith(("jms_api.aio", "jms_api.tx"))
        return Remote(self._way, value) if is_ours else value


class _Kept:
    """Keeps a value that happens to be awaitable from being awaited."""

    def __init__(self, value: Any) -> None:
        self.value = value


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="loop of the tests", daemon=True).start()
    return loop


@cache
def _reactor() -> Any:
    from twisted.internet import reactor

    started = threading.Event()
    reactor.callWhenRunning(started.set)  # type: ignore[attr-defined]  # the reactor that is installed
    run = reactor.run  # type: ignore[attr-defined]  # see above
    threading.Thread(
        target=run, kwargs={"installSignalHandlers": False}, name="reactor of the tests", daemon=True
    ).start()
    started.wait(PATIENCE_SECONDS)
    return reactor

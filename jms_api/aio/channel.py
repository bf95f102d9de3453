"""The asyncio driver's tasks: one that owns the socket, and one for each session that has listeners."""

from __future__ import annotations

import asyncio
import inspect
import time
from typing import Final, TypeVar, final

from jms_api.engine.connection import ConnectionCore
from jms_api.engine.link import LinkError
from jms_api.engine.operations import Operation
from jms_api.engine.tasks import TaskQueue, running_in
from jms_api.url import ConnectionOptions
from jms_api.wrapping import Wrapping, wrap

T = TypeVar("T")

_RECEIVE_BYTES: Final = 1 << 18

#: The longest sleep, so that a clock that jumps costs no more.
_LONGEST_SECONDS: Final = 60.0


@final
class Channel:
    """The socket of one connection and everything that waits for it; belongs to the running loop."""

    def __init__(self, options: ConnectionOptions) -> None:
        self._options = options
        self.core = ConnectionCore(options, self)
        self._loop = asyncio.get_running_loop()
        self._writer: asyncio.StreamWriter | None = None
        self._wrapping: Wrapping | None = None
        self._woken = asyncio.Event()
        self._task = self._loop.create_task(self._run(), name="jms_api socket")
        self._dispatchers: set[asyncio.Task[None]] = set()

    async def wait(self, operation: Operation[T], timeout: float | None = None) -> T:
        """Write what is to be written, wait until an operation is done, and return its result.

        A cancellation leaves everything that came to be received.

        Args:
            operation: What to wait for.
            timeout: After how many seconds it ends by itself; None if it has to be completed.
        """
        self.flush()
        if self._writer is not None:
            await self._drain(self._writer)
        if not operation.is_done:
            future: asyncio.Future[None] = self._loop.create_future()
            operation.when_done(lambda _: _resolve(future))
            timer = self._loop.call_later(timeout, operation.expire) if timeout is not None else None
            try:
                await future
            except BaseException:
                operation.abandon()
                raise
            finally:
                if timer is not None:
                    timer.cancel()
        try:
            return operation.result()
        finally:
            self.flush()

    def flush(self) -> None:
        """Write everything that is to be written."""
        core, wrapping = self.core, self._wrapping
        if self._writer is None:
            return
        octets = core.take_outgoing(time.monotonic()) if core.has_outgoing else b""
        if wrapping is not None and (octets or wrapping.has_outgoing):
            octets = wrapping.send(octets)
        if octets:
            self._writer.write(octets)

    async def finished(self) -> None:
        """Wait until the socket is closed, after the end of the connection."""
        if asyncio.current_task() not in self._dispatchers:
            await asyncio.shield(self._task)

    # What the engine asks for, under its lock.

    def tasks_ready(self, queue: TaskQueue) -> None:
        """Let a task call the tasks of a queue."""
        ready = queue.driver
        if ready is None:
            if queue.is_over:
                return
            ready = queue.driver = asyncio.Event()
            task = self._loop.create_task(self._dispatch(queue, ready), name="jms_api listener")
            self._dispatchers.add(task)
            task.add_done_callback(self._dispatchers.discard)
        assert isinstance(ready, asyncio.Event)
        ready.set()

    def wake(self) -> None:
        """Look again, in a turn of its own."""
        self._woken.set()

    # The tasks.

    async def _dispatch(self, queue: TaskQueue, ready: asyncio.Event) -> None:
        running_in.set(queue)
        while not queue.is_over:
            await ready.wait()
            ready.clear()
            task = queue.advance()
            while task is not None:
                error: BaseException | None = None
                try:
                    answer = task.call()
                    if inspect.isawaitable(answer):
                        await answer
                except asyncio.CancelledError as raised:
                    queue.advance(task, raised)
                    raise
                except BaseException as raised:  # whatever an application raises is not the end of its session
                    error = raised
                task = queue.advance(task, error)
                self.flush()
                # A listener that never waits must not keep the loop from everybody else.
                await asyncio.sleep(0)

    async def _run(self) -> None:
        core = self.core
        while (dial := core.next_address()) is not None:
            index, delay = dial
            if delay:
                await self._pause(delay)
            if not core.is_over:
                core.link_lost(await self._connect_and_serve(index))

    async def _pause(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not self.core.is_over and (left := deadline - time.monotonic()) > 0:
            await self._sleep(left)

    async def _sleep(self, seconds: float) -> None:
        """Sleep, unless there is something to do."""
        try:
            async with asyncio.timeout(min(seconds, _LONGEST_SECONDS)):
                await self._woken.wait()
        except TimeoutError:
            return
        self._woken.clear()

    async def _connect_and_serve(self, index: int) -> Exception:
        """Serve one connection of the transport until its end, and return why it ended."""
        host, port = self._options.addresses[index]
        try:
            wrapping = wrap(self._options, (host, port))
            async with asyncio.timeout(self._options.connect_timeout / 1000):
                reader, writer = await asyncio.open_connection(host, port)
        except OSError as error:
            failure = ConnectionError(f"cannot connect to {host}:{port}: {error}")
            failure.__cause__ = error
            return failure
        self._writer, self._wrapping = writer, wrapping
        self.core.link_up(time.monotonic())
        keeper = self._loop.create_task(self._keep(writer), name="jms_api clock")
        try:
            await self._read(reader)
        except (OSError, LinkError) as error:
            return error
        finally:
            keeper.cancel()
            self._writer = self._wrapping = None
            writer.close()
        return ConnectionError("the broker closed the connection")

    async def _read(self, reader: asyncio.StreamReader) -> None:
        self.flush()
        while octets := await reader.read(_RECEIVE_BYTES):
            if self._wrapping is not None:
                octets = self._wrapping.receive(octets)
            if octets:
                self.core.receive(octets, time.monotonic())
            self.flush()
            if self.core.is_over:
                return

    async def _keep(self, writer: asyncio.StreamWriter) -> None:
        """Do what is due at its time, and end the connection when it is over."""
        core = self.core
        try:
            while not core.is_over:
                core.tick(time.monotonic())
                self.flush()
                await self._sleep(max(core.next_deadline() - time.monotonic(), 0.0))
            self.flush()
            writer.close()
        except LinkError:
            writer.transport.abort()

    @staticmethod
    async def _drain(writer: asyncio.StreamWriter) -> None:
        try:
            await writer.drain()
        except OSError:
            return  # who reads finds out why


async def open_channel(options: ConnectionOptions) -> Channel:
    """Return a channel to a broker that has let us in (JMS-172).

    Raises:
        JMSException: None of them has.
    """
    channel = Channel(options)
    try:
        await channel.wait(channel.core.opened())
    except BaseException:
        channel.core.abort()
        raise
    return channel


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)

"""The blocking driver's threads: one that owns the socket, and one for each session that has listeners."""

from __future__ import annotations

import selectors
import socket
import threading
import time
from contextlib import suppress
from typing import Final, TypeVar, final

from jms_api.engine.connection import ConnectionCore
from jms_api.engine.host import Phase
from jms_api.engine.link import LinkError
from jms_api.engine.operations import Operation
from jms_api.engine.tasks import TaskQueue, call
from jms_api.url import ConnectionOptions
from jms_api.wrapping import Wrapping, wrap

T = TypeVar("T")

_RECEIVE_BYTES: Final = 1 << 18

#: The longest that the socket's thread sleeps, so that a clock that jumps costs no more.
_LONGEST_SECONDS: Final = 60.0


@final
class Channel:
    """The socket of one connection and everything that waits for it."""

    def __init__(self, options: ConnectionOptions) -> None:
        self._options = options
        self.core = ConnectionCore(options, self)
        #: Held by whoever writes to the socket.
        self._writing = threading.Lock()
        self._socket: socket.socket | None = None
        self._wrapping: Wrapping | None = None
        #: What the socket did not take when it was offered.
        self._unsent = b""
        self._waker, self._woken = socket.socketpair()
        for end in (self._waker, self._woken):
            end.setblocking(False)
        self._thread = threading.Thread(target=self._run, name="jms_api socket", daemon=True)
        self._thread.start()

    def wait(self, operation: Operation[T], timeout: float | None = None) -> T:
        """Write what is to be written, wait until an operation is done, and return its result.

        An exception that interrupts the wait, such as KeyboardInterrupt, leaves everything that came to be received.

        Args:
            operation: What to wait for.
            timeout: After how many seconds it ends by itself; None if it has to be completed.
        """
        self.flush()
        if not operation.is_done:
            try:
                self._sleep_until_done(operation, timeout)
            except BaseException:
                operation.abandon()
                raise
        try:
            return operation.result()
        finally:
            self.flush()

    def flush(self) -> None:
        """Write everything that is to be written; it blocks as long as the broker does not read.

        That has no bound of its own: a broker whose database is away stops reading, and heart-beats tell one that is
        gone, upon which the socket is shut down and this returns.
        """
        core = self.core
        while core.has_outgoing:
            with self._writing:
                if not self._write(is_patient=True):
                    return

    # What the engine asks for, under its lock.

    def tasks_ready(self, queue: TaskQueue) -> None:
        """Let a thread call the tasks of a queue."""
        dispatcher = queue.driver
        if dispatcher is None:
            if queue.is_over:
                return
            dispatcher = queue.driver = _Dispatcher(self, queue)
        assert isinstance(dispatcher, _Dispatcher)
        dispatcher.signal.release()

    def wake(self) -> None:
        """Let the socket's thread look again."""
        with suppress(OSError):
            self._waker.send(b"\0")

    # The socket's thread.

    def _run(self) -> None:
        core = self.core
        try:
            while (dial := core.next_address()) is not None:
                index, delay = dial
                if delay:
                    self._pause(delay)
                    if core.phase is Phase.OVER:
                        break
                core.link_lost(self._connect_and_serve(index))
        finally:
            self._waker.close()
            self._woken.close()

    def _connect_and_serve(self, index: int) -> Exception:
        """Serve one connection of the transport until its end, and return why it ended."""
        address = self._options.addresses[index]
        timeout = self._options.connect_timeout / 1000
        try:
            connected = socket.create_connection(address, timeout)
        except OSError as error:
            failure = ConnectionError(f"cannot connect to {address[0]}:{address[1]}: {error}")
            failure.__cause__ = error
            return failure
        with connected:
            try:
                connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                connected.setblocking(False)
                with self._writing:
                    self._socket, self._wrapping, self._unsent = connected, wrap(self._options, address), b""
                self.core.link_up(time.monotonic())
                self._serve(connected)
            except (OSError, LinkError) as error:
                return error
            finally:
                with suppress(OSError):
                    connected.shutdown(socket.SHUT_RDWR)  # whoever is writing stops
                with self._writing:
                    self._socket = self._wrapping = None
                    self._unsent = b""
        return ConnectionError("the connection was closed")

    def _serve(self, connected: socket.socket) -> None:
        core = self.core
        with selectors.DefaultSelector() as selector:
            selector.register(self._woken, selectors.EVENT_READ)
            selector.register(connected, selectors.EVENT_READ)
            interest = selectors.EVENT_READ
            while core.phase is not Phase.OVER:
                is_waiting = not self._write_some()
                wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if is_waiting else 0)
                if wanted != interest:
                    selector.modify(connected, wanted)
                    interest = wanted
                now = time.monotonic()
                pause = min(max(core.next_deadline() - now, 0.0), _LONGEST_SECONDS)
                for key, events in selector.select(pause):
                    if key.fileobj is self._woken:
                        self._drain()
                    elif events & selectors.EVENT_READ:
                        self._read(connected)
                core.tick(time.monotonic())
            self._write_some()

    def _read(self, connected: socket.socket) -> None:
        try:
            octets = connected.recv(_RECEIVE_BYTES)
        except BlockingIOError:
            return
        if not octets:
            raise ConnectionError("the broker closed the connection")
        wrapping = self._wrapping
        if wrapping is not None:
            with self._writing:
                octets = wrapping.receive(octets)
        if octets:
            self.core.receive(octets, time.monotonic())

    def _write_some(self) -> bool:
        """Write what the socket takes now; return whether that was everything."""
        core = self.core
        while core.has_outgoing or self._unsent or (self._wrapping is not None and self._wrapping.has_outgoing):
            # Whoever else is writing looks again when it is done.
            if not self._writing.acquire(blocking=False):
                return True
            try:
                if not self._write(is_patient=False):
                    return False
            finally:
                self._writing.release()
        return True

    def _pause(self, seconds: float) -> None:
        """Sleep, unless the connection is closed meanwhile."""
        deadline = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self._woken, selectors.EVENT_READ)
            while self.core.phase is not Phase.OVER and (left := deadline - time.monotonic()) > 0:
                if selector.select(left):
                    self._drain()

    def _drain(self) -> None:
        with suppress(BlockingIOError):
            while self._woken.recv(4096):
                pass

    # Writing, under the lock for that.

    def _write(self, *, is_patient: bool) -> bool:
        """Write what there is; return whether the socket took it all and there is a socket."""
        connected = self._socket
        if connected is None:
            return False
        octets = self.core.take_outgoing(time.monotonic())
        if self._wrapping is not None:
            octets = self._wrapping.send(octets)
        if self._unsent:
            octets = self._unsent + octets
        view = memoryview(octets)
        try:
            while view:
                try:
                    view = view[connected.send(view) :]
                except BlockingIOError:
                    if not is_patient:
                        return False
                    self._wait_until_writable(connected)
        except OSError:
            view = view[:0]  # the socket's thread finds out why
            return False
        finally:
            self._unsent = bytes(view)
        return True

    @staticmethod
    def _wait_until_writable(connected: socket.socket) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(connected, selectors.EVENT_WRITE)
            selector.select()

    def _sleep_until_done(self, operation: Operation[T], timeout: float | None) -> None:
        done = threading.Lock()
        done.acquire()
        with self.core.lock:
            operation.when_done(lambda _: done.release())
        if not done.acquire(timeout=-1 if timeout is None else min(timeout, threading.TIMEOUT_MAX)):
            operation.expire()
            done.acquire()


def open_channel(options: ConnectionOptions) -> Channel:
    """Return a channel to a broker that has let us in (JMS-172).

    Raises:
        JMSException: None of them has.
    """
    channel = Channel(options)
    try:
        channel.wait(channel.core.opened())
    except BaseException:
        channel.core.abort()
        raise
    return channel


@final
class _Dispatcher:
    """The thread that calls the listeners of one session."""

    def __init__(self, channel: Channel, queue: TaskQueue) -> None:
        self.signal = threading.Semaphore(0)
        self._channel = channel
        self._queue = queue
        threading.Thread(target=self._run, name="jms_api listener", daemon=True).start()

    def _run(self) -> None:
        queue, flush = self._queue, self._channel.flush
        while not queue.is_over:
            self.signal.acquire()
            task = queue.advance()
            while task is not None:
                error: BaseException | None = None
                try:
                    call(queue, task)
                except BaseException as raised:  # whatever an application raises is not the end of its session
                    error = raised
                task = queue.advance(task, error)
                flush()

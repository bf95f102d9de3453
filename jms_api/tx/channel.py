"""The Twisted driver: the protocol that owns the connection, and what calls listeners in turns of the reactor."""

from __future__ import annotations

import time
from contextvars import copy_context
from typing import Final, TypeVar, final

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.endpoints import HostnameEndpoint, connectProtocol
from twisted.internet.interfaces import IDelayedCall, IReactorTCP, IReactorTime
from twisted.internet.protocol import Protocol as TransportProtocol
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure

from jms_api.engine.connection import ConnectionCore
from jms_api.engine.link import LinkError
from jms_api.engine.operations import Operation
from jms_api.engine.tasks import Task, TaskQueue, running_in
from jms_api.exceptions import JMSError
from jms_api.url import ConnectionOptions
from jms_api.wrapping import Wrapping, wrap

T = TypeVar("T")

#: The longest sleep, so that a clock that jumps costs no more.
_LONGEST_SECONDS: Final = 60.0


class ChannelReactor(IReactorTCP, IReactorTime):
    """What the driver needs of a reactor."""


@final
class Channel:
    """The transport of one connection and everything that waits for it; belongs to the reactor's thread."""

    def __init__(self, options: ConnectionOptions, reactor: ChannelReactor) -> None:
        self._options = options
        self._reactor = reactor
        self.core = ConnectionCore(options, self)
        self._transport: _Transport | None = None
        self._timer: IDelayedCall | None = None
        self._is_flushing = False
        self._dial()

    def wait(self, operation: Operation[T], timeout: float | None = None) -> Deferred[T]:
        """Write what is to be written and return a Deferred of the result of an operation.

        Its cancellation leaves everything that came to be received. Its callbacks run in the caller's context, so that
        those of a listener count as a part of it, which may not close its own session (JMS-213).

        Args:
            operation: What to wait for.
            timeout: After how many seconds it ends by itself; None if it has to be completed.
        """
        self.flush()
        waiting: Deferred[T] = Deferred(lambda _: operation.abandon())
        if operation.is_done:
            self._fire(waiting, operation)
            return waiting
        timer = self._reactor.callLater(timeout, operation.expire) if timeout is not None else None

        def done(_: object) -> None:
            if timer is not None and timer.active():
                timer.cancel()
            # Not now: the engine is in the middle of something.
            self._reactor.callLater(0, context.run, self._fire, waiting, operation)

        context = copy_context()
        operation.when_done(done)
        return waiting

    def flush(self) -> None:
        """Write everything that is to be written."""
        core, transport = self.core, self._transport
        if transport is not None:
            octets = core.take_outgoing(time.monotonic()) if core.has_outgoing else b""
            transport.send(octets)
            if core.is_over:
                transport.end()

    # What the engine asks for, under its lock.

    def tasks_ready(self, queue: TaskQueue) -> None:
        """Call the tasks of a queue in turns of the reactor."""
        if not queue.is_over:
            self._reactor.callLater(0, self._call_next, queue, None, None)

    def wake(self) -> None:
        """Look again, in a turn of its own."""
        self._reactor.callLater(0, self._look)

    # Turns of the reactor.

    def _fire(self, waiting: Deferred[T], operation: Operation[T]) -> None:
        if waiting.called:
            operation.abandon()
            return
        try:
            result = operation.result()
        except (JMSError, ValueError, TypeError, NotImplementedError):
            self.flush()
            waiting.errback(Failure())
        else:
            self.flush()
            waiting.callback(result)

    def _call_next(self, queue: TaskQueue, done: Task | None, error: BaseException | None) -> None:
        task = queue.advance(done, error)
        self.flush()
        if task is None:
            return
        token = running_in.set(queue)
        try:
            answer: Deferred[object] = maybeDeferred(task.call)
        finally:
            running_in.reset(token)
        answer.addCallbacks(lambda _: None, lambda failure: failure.value)
        answer.addCallback(lambda raised: self._reactor.callLater(0, self._call_next, queue, task, raised))

    def _look(self) -> None:
        """Do what is due, and see to it that the next thing is done in time."""
        core, transport = self.core, self._transport
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None
        self.flush()
        if transport is None or core.is_over:
            return
        now = time.monotonic()
        try:
            core.tick(now)
        except LinkError as error:
            transport.fail(error)
            return
        self.flush()
        pause = min(max(core.next_deadline() - now, 0.0), _LONGEST_SECONDS)
        self._timer = self._reactor.callLater(pause, self._look)

    def _dial(self) -> None:
        dial = self.core.next_address()
        if dial is None:
            return
        index, delay = dial
        self._reactor.callLater(delay, self._connect, index)

    def _connect(self, index: int) -> None:
        if self.core.is_over:
            return
        host, port = self._options.addresses[index]
        endpoint = HostnameEndpoint(self._reactor, host, port, timeout=self._options.connect_timeout / 1000)
        try:
            transport = _Transport(self, wrap(self._options, (host, port)))
        except OSError as error:
            self.lost(error)
            return
        connecting = connectProtocol(endpoint, transport)
        connecting.addErrback(lambda failure: self.lost(_explain(failure, host, port)))

    # What the transport tells.

    def connected(self, transport: _Transport) -> None:
        """Begin to speak STOMP."""
        self._transport = transport
        self.core.link_up(time.monotonic())
        self._look()

    def received(self, octets: bytes) -> None:
        """Take in what came."""
        self.core.receive(octets, time.monotonic())
        self.flush()

    def lost(self, error: BaseException) -> None:
        """Dial again, if there is something to hope for."""
        self._transport = None
        self.core.link_lost(error)
        self._dial()


@final
class _Transport(TransportProtocol):
    """One connection of the transport."""

    def __init__(self, channel: Channel, wrapping: Wrapping | None) -> None:
        self._channel = channel
        self._wrapping = wrapping
        self._error: BaseException | None = None

    def connectionMade(self) -> None:
        self.transport.setTcpNoDelay(True)  # type: ignore[union-attr]  # TCP, as dialled
        self.transport.setTcpKeepAlive(True)  # type: ignore[union-attr]  # see above
        self._channel.connected(self)

    def dataReceived(self, data: bytes) -> None:
        try:
            octets = data if self._wrapping is None else self._wrapping.receive(data)
            if octets:
                self._channel.received(octets)
            else:
                self.send(b"")
        except (OSError, LinkError) as error:
            self.fail(error)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._channel.lost(self._error or reason.value or ConnectionError("the connection was closed"))

    def send(self, octets: bytes) -> None:
        """Write octets of STOMP, and what their wrapping has to say."""
        wrapping = self._wrapping
        if wrapping is not None and (octets or wrapping.has_outgoing):
            octets = wrapping.send(octets)
        if octets and self.transport is not None:
            self.transport.write(octets)

    def end(self) -> None:
        """Close when everything is written."""
        if self.transport is not None:
            self.transport.loseConnection()

    def fail(self, error: BaseException) -> None:
        """Close at once."""
        self._error = error
        if self.transport is not None:
            self.transport.abortConnection()  # type: ignore[attr-defined]  # TCP, as dialled


def _explain(failure: Failure, host: str, port: int) -> ConnectionError:
    error = ConnectionError(f"cannot connect to {host}:{port}: {failure.getErrorMessage()}")
    error.__cause__ = failure.value
    return error


def open_channel(options: ConnectionOptions, reactor: ChannelReactor) -> Deferred[Channel]:
    """Return a channel to a broker that has let us in (JMS-172); it fails with a JMSException if none has."""
    channel = Channel(options, reactor)

    def failed(failure: Failure) -> Failure:
        channel.core.abort()
        return failure

    return channel.wait(channel.core.opened()).addCallbacks(lambda _: channel, failed)

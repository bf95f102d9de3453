"""Listeners: any callable, or an object with the methods that JMS names."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeAlias, final

from jms_api.exceptions import IllegalArgumentException, JMSException
from jms_api.messages.message import Message

if TYPE_CHECKING:
    from jms_api.engine.consumer import ConsumerCore
    from jms_api.engine.delivery import Delivery
    from jms_api.engine.session import SessionCore

_log: Final = logging.getLogger("jms_api")

Listener: TypeAlias = Callable[[Message], object]


def as_listener(listener: object) -> Listener | None:
    """Return what is called with a message: the object's `on_message`, or itself.

    Raises:
        IllegalArgumentException: It is neither.
    """
    return _method(listener, "on_message", "a message listener")


def as_exception_listener(listener: object) -> Callable[[JMSException], object] | None:
    """Return what is called with an exception: the object's `on_exception`, or itself.

    Raises:
        IllegalArgumentException: It is neither.
    """
    return _method(listener, "on_exception", "an exception listener")


def _method(listener: object, name: str, what: str) -> Callable[..., object] | None:
    if listener is None:
        return None
    method = getattr(listener, name, listener)
    if not callable(method):
        raise IllegalArgumentException(f"{what} is a callable, or has a method {name}; {listener!r} is neither")
    return method


@final
class Completion:
    """What is called when a message was sent asynchronously (JMS-279): an object with two methods, or two callables."""

    __slots__ = ("given", "on_completion", "on_exception")

    def __init__(self, listener: object) -> None:
        """Take either `on_completion` and `on_exception` of an object, or a callable for the first of them.

        Raises:
            IllegalArgumentException: It is neither, or None (JMS-281).
        """
        on_completion = getattr(listener, "on_completion", listener)
        on_exception = getattr(listener, "on_exception", None)
        if not callable(on_completion) or not (on_exception is None or callable(on_exception)):
            raise IllegalArgumentException(
                "a completion listener has the methods on_completion and on_exception, or is a callable"
            )
        self.given = listener
        self.on_completion: Callable[[Message], object] = on_completion
        self.on_exception: Callable[[Message, BaseException], object] | None = on_exception


@final
class ListenerTask:
    """Gives one message to a listener."""

    __slots__ = ("_listener", "_message", "consumer", "delivery", "is_recovered", "session")

    def __init__(self, session: SessionCore, consumer: ConsumerCore, delivery: Delivery, listener: Listener) -> None:
        self.session = session
        self.consumer = consumer
        self.delivery = delivery
        #: Whether `recover` was called meanwhile, so that it comes again (JMS-218).
        self.is_recovered = False
        self._listener = listener
        self._message: Message | None = None

    def call(self) -> object:
        """Call the listener with the decoded message."""
        message = self._message = self.session.decode(self.delivery)
        return self._listener(message)

    def finish(self, error: BaseException | None) -> None:
        """Acknowledge, or let the message come again (JMS-217, JMS-304)."""
        if error is not None:
            _log.warning("a message listener of %s raised", self.consumer.destination, exc_info=error)
        self.session.listened(self, error)


@final
class CompletionTask:
    """Tells a completion listener what became of a message."""

    __slots__ = ("_completion", "_error", "_message", "_session")

    def __init__(
        self, session: SessionCore, completion: Completion, message: Message, error: BaseException | None
    ) -> None:
        self._session = session
        self._completion = completion
        self._message = message
        self._error = error

    def call(self) -> object:
        """Call one of its two methods."""
        if self._error is None:
            return self._completion.on_completion(self._message)
        if self._completion.on_exception is not None:
            return self._completion.on_exception(self._message, self._error)
        _log.warning("a message that was sent asynchronously was not accepted", exc_info=self._error)
        return None

    def finish(self, error: BaseException | None) -> None:
        """Note that it has returned (JMS-284)."""
        if error is not None:
            _log.warning("a completion listener raised", exc_info=error)
        self._session.sends.end()


@final
class ExceptionTask:
    """Tells an exception listener what happened to the connection (JMS-202)."""

    __slots__ = ("_error", "_listener")

    def __init__(self, listener: Callable[[JMSException], object], error: JMSException) -> None:
        self._listener = listener
        self._error = error

    def call(self) -> object:
        """Call it."""
        return self._listener(self._error)

    def finish(self, error: BaseException | None) -> None:
        """Note that it has returned."""
        if error is not None:
            _log.warning("an exception listener raised", exc_info=error)

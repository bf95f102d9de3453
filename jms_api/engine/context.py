"""Contexts: a session together with the connection that it shares with others (JMS-365 to JMS-368)."""

from __future__ import annotations

from typing import TypeVar

from jms_api.engine import checks, creating
from jms_api.engine.browser import BrowserCore
from jms_api.engine.connection import ConnectionCore
from jms_api.engine.consumer import ConsumerCore, Sharing
from jms_api.engine.operations import Operation, Steps, procedure
from jms_api.exceptions import MessageFormatException
from jms_api.messages.message import Message
from jms_api.messages.stream import StreamMessage

T = TypeVar("T")


class ContextCore:
    """One context."""

    def __init__(self, connection: ConnectionCore, session_mode: object) -> None:
        self.connection = connection
        self.lock = connection.lock
        self.session = connection.create_session(checks.session_mode(session_mode), is_use=bool(connection.contexts))
        self.auto_start = True
        connection.contexts += 1
        self._has_left = False

    def create_context(self, session_mode: object) -> ContextCore:
        """Return another session on the same connection (JMS-365)."""
        self.session.check_open()
        return ContextCore(self.connection, session_mode)

    @procedure
    def create_consumer(
        self,
        destination: object,
        selector: object,
        no_local: bool,
        sharing: Sharing = Sharing.UNSHARED,
        name: object = None,
    ) -> Steps[ConsumerCore]:
        """Return a consumer; the connection starts unless it shall not (JMS-366)."""
        consumer = yield from creating.create_consumer(self.session, destination, selector, no_local, sharing, name)
        yield from self._start()
        return consumer

    def create_browser(self, queue: object, selector: object) -> BrowserCore:
        """Return a browser; the connection starts unless it shall not (JMS-325)."""
        browser = creating.create_browser(self.session, queue, selector)
        self._start()
        return browser

    @procedure
    def close(self) -> Steps[None]:
        """End the session, and the connection with the last context of it (JMS-367)."""
        if self._has_left:
            return
        self.session.check_not_in_listener("close")
        self._has_left = True
        self.connection.contexts -= 1
        if self.connection.contexts:
            yield from self.session.close()
        else:
            yield from self.connection.close()

    def abandon(self) -> None:
        """Leave without a word, because nobody has the context any more."""
        with self.lock:
            if not self._has_left:
                self._has_left = True
                self.connection.contexts -= 1
            if not self.connection.contexts:
                self.connection.abort()

    def _start(self) -> Operation[None]:
        return self.connection.start() if self.auto_start else Operation.of(None)


def body_of(message: Message, type_: type[T]) -> T:
    """Return the body of a message for `receive_body` (JMS-121).

    Raises:
        MessageFormatException: There is none, or it is no such object.
    """
    if type(message) is Message or isinstance(message, StreamMessage):
        raise MessageFormatException(f"a {type(message).__name__} has no body that receive_body could return")
    body = message.get_body(type_)
    if body is None:
        raise MessageFormatException(f"the {type(message).__name__} came without a body")
    return body

"""Browsers for Twisted: see JMS 3.1, 4.1.7."""

from __future__ import annotations

from collections.abc import Iterator

from twisted.internet.defer import Deferred

from jms_api.destinations import Queue
from jms_api.engine.browser import BrowserCore
from jms_api.messages.message import Message
from jms_api.tx.channel import Channel


class QueueBrowser:
    """Shows what is in a queue and takes nothing."""

    def __init__(self, core: BrowserCore, channel: Channel) -> None:
        """Browsers come from a session."""
        self._core = core
        self._channel = channel

    @property
    def queue(self) -> Queue:
        """Which queue it shows."""
        self._core.check_open()
        return self._core.queue

    @property
    def message_selector(self) -> str | None:
        """Which messages it shows; None for all."""
        self._core.check_open()
        return self._core.selector

    def enumeration(self) -> Deferred[Iterator[Message]]:
        """Return what is in the queue now, in the order in which it would be received (JMS-321 to JMS-326)."""
        decode = self._core.session.decode
        found = self._channel.wait(self._core.enumerate())
        return found.addCallback(lambda deliveries: (decode(delivery) for delivery in deliveries))

    def close(self) -> Deferred[None]:
        """Show nothing more."""
        return self._channel.wait(self._core.close())

"""What was logged during a test, and the rule that a test which does not expect a traceback fails when there is one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from twisted.logger import LogEvent, formatEvent, globalLogPublisher
from twisted.python.failure import Failure


class LoggedEvents:
    """The log events of one test, in order."""

    def __init__(self) -> None:
        self.events: list[LogEvent] = []
        self._is_failure_expected = False

    def __call__(self, event: LogEvent) -> None:
        """Take an event; Twisted calls this."""
        self.events.append(event)

    @property
    def lines(self) -> list[str]:
        """The events as a person reads them."""
        return [formatEvent(event) for event in self.events]

    @property
    def failures(self) -> list[Failure]:
        """What was logged with a traceback; a test that looks at them expects some."""
        self._is_failure_expected = True
        return [event["log_failure"] for event in self.events if "log_failure" in event]

    @property
    def surprises(self) -> list[str]:
        """The tracebacks that the test has not looked at."""
        if self._is_failure_expected:
            return []
        return [event["log_failure"].getTraceback() for event in self.events if "log_failure" in event]


@pytest.fixture(autouse=True)
def logged() -> Iterator[LoggedEvents]:
    """The events that are logged from now on."""
    events = LoggedEvents()
    globalLogPublisher.addObserver(events)
    yield events
    globalLogPublisher.removeObserver(events)
    assert not events.surprises, "\n".join(events.surprises)

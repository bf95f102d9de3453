"""Where log events go: to standard error, as lines for people or as JSON for programs."""

from __future__ import annotations

import sys

from twisted.logger import (
    FilteringLogObserver,
    ILogObserver,
    LogLevel,
    LogLevelFilterPredicate,
    globalLogBeginner,
    jsonFileLogObserver,
    textFileLogObserver,
)


def begin_logging(*, is_json: bool, level: str) -> None:
    """Send log events to standard error from now on.

    Args:
        is_json: Whether each event is a JSON object with all its fields, and not a line of text.
        level: The least important level that is written: `debug`, `info`, `warn`, `error` or `critical`.
    """
    observer: ILogObserver = jsonFileLogObserver(sys.stderr, "") if is_json else textFileLogObserver(sys.stderr)
    least = LogLevel.levelWithName(level)
    predicate = LogLevelFilterPredicate(least)
    # Below that, Twisted tells of itself, not of the broker.
    for namespace in ("twisted", "log_legacy"):
        predicate.setLogLevelForNamespace(namespace, max(least, LogLevel.warn))
    globalLogBeginner.beginLoggingTo(
        [FilteringLogObserver(observer, [predicate])], redirectStandardIO=False, discardBuffer=True
    )

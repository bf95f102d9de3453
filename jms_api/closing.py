"""Closing at the end of a block without hiding why it ended."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Final

from jms_api.exceptions import JMSError

_log: Final = logging.getLogger("jms_api")


def close_after(error: BaseException | None, close: Callable[[], object]) -> None:
    """Close something; what goes wrong is only logged if the block has raised already."""
    try:
        close()
    except JMSError as trouble:
        if error is None:
            raise
        _log.warning("closing after %r: %s", error, trouble)


async def close_after_awaiting(error: BaseException | None, close: Callable[[], Awaitable[object]]) -> None:
    """Close something that has to be awaited; see `close_after`."""
    try:
        await close()
    except JMSError as trouble:
        if error is None:
            raise
        _log.warning("closing after %r: %s", error, trouble)

"""The numbers that JMS gives names to."""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class SessionMode(IntEnum):
    """How a session acknowledges what it receives."""

    SESSION_TRANSACTED = 0
    AUTO_ACKNOWLEDGE = 1
    CLIENT_ACKNOWLEDGE = 2
    DUPS_OK_ACKNOWLEDGE = 3


class DeliveryMode(IntEnum):
    """Whether a message outlives the broker."""

    NON_PERSISTENT = 1
    PERSISTENT = 2


#: JMS-035. Times are in milliseconds; a time to live of 0 is for ever.
DEFAULT_DELIVERY_MODE: Final = DeliveryMode.PERSISTENT
DEFAULT_PRIORITY: Final = 4
DEFAULT_TIME_TO_LIVE: Final = 0
DEFAULT_DELIVERY_DELAY: Final = 0

#: JMS-026.
LOWEST_PRIORITY: Final = 0
HIGHEST_PRIORITY: Final = 9

"""What can keep a link from taking frames, while what it received waits."""

from __future__ import annotations

from enum import Enum


class Hold(Enum):
    """Why a link takes no frames for now."""

    #: The portal has not answered yet.
    LOGIN = "login"
    #: The journal is full, and this link's frames helped to fill it.
    JOURNAL = "journal"
    #: The peer does not read what it is sent.
    UNREAD = "unread"
    #: Its user has sent more than a rate allows.
    RATE = "rate"

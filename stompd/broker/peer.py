"""Who is at the other end of a session."""

from __future__ import annotations

from typing import NamedTuple, final


@final
class Peer(NamedTuple):
    """What is known of a client that has logged in."""

    #: What it called itself; empty if it did not.
    client_id: str = ""
    #: Who logged in.
    user_name: str = ""
    #: The virtual host that it is on; empty for the default one.
    host: str = ""
    #: Where it comes from and since when, in words for others of the same user.
    origin: str = ""


#: Somebody of whom nothing is known.
NOBODY = Peer()

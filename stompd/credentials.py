"""What somebody shows in order to be let in, beside what `twisted.cred` knows."""

from __future__ import annotations

from typing import final

from zope.interface import Attribute, Interface, implementer


class IBearerToken(Interface):
    """A token that says by itself who its bearer is; checkers that verify tokens register for this."""

    token = Attribute("The token as it was sent. A `str`; it is a secret.")


@final
@implementer(IBearerToken)
class BearerToken:
    """A token from the passcode of a CONNECT without a login, or from `Authorization: Bearer` of a WebSocket."""

    __slots__ = ("token",)

    def __init__(self, token: str) -> None:
        self.token = token

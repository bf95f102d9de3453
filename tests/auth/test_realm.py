"""The realm: which user a login becomes."""

from __future__ import annotations

import pytest
from twisted.cred.checkers import ANONYMOUS
from twisted.cred.portal import IRealm
from zope.interface import Interface
from zope.interface.verify import verifyObject

from stompd.auth.permissions import Permissions
from stompd.auth.realm import StompRealm, User
from stompd.interfaces import IStompUser


def test_realm_and_user_provide_their_interfaces() -> None:
    assert verifyObject(IRealm, StompRealm(Permissions()))
    assert verifyObject(IStompUser, User("ann", Permissions().of("ann")))


@pytest.mark.parametrize(
    ("avatar_id", "name"),
    [(b"ann", "ann"), ("zoë".encode(), "zoë"), (b"\xff", "\ufffd"), ("ann", "ann"), (ANONYMOUS, "anonymous")],
)
def test_user_is_named_after_the_login(avatar_id: bytes | str | tuple[()], name: str) -> None:
    interface, user, _ = StompRealm(Permissions()).requestAvatar(avatar_id, None, IStompUser)

    assert interface is IStompUser
    assert user.name == name


def test_whoever_is_connected_may_send_and_consume() -> None:
    user = User("ann", Permissions().of("ann"))

    assert user.may("send", "/queue/a")
    assert user.may("consume", "/queue/a")


def test_realm_gives_out_nothing_else() -> None:
    with pytest.raises(NotImplementedError):
        StompRealm(Permissions()).requestAvatar(b"ann", None, Interface)


def test_logging_out_changes_nothing() -> None:
    _, user, log_out = StompRealm(Permissions()).requestAvatar(b"ann", None, IStompUser)

    log_out()

    assert user.name == "ann"

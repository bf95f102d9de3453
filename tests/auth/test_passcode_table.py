"""Logins checked against the users in the database."""

from __future__ import annotations

from pathlib import Path

import argon2
import pytest
from twisted.cred.credentials import UsernamePassword
from twisted.cred.error import UnauthorizedLogin
from twisted.internet.defer import DeferredSemaphore, maybeDeferred

from stompd.auth.checkers import make_checkers
from stompd.auth.passcodes import PasscodeTable
from stompd.errors import SettingError
from stompd.store.users import UserTable
from tests.auth.test_checkers import QUICK_HASH, result_of
from tests.logged import LoggedEvents, logged  # noqa: F401  # a fixture


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stompd.auth.turns.deferToThread", maybeDeferred)
    monkeypatch.setattr("stompd.auth.turns._turns", DeferredSemaphore(2))


@pytest.fixture
def url(database_url: str) -> str:
    """A database with the user zoë, whose passcode is `secret`."""
    table = UserTable(database_url)
    table.prepare()
    table.add("zoë", QUICK_HASH)
    return database_url


def log_in(url: str, login: bytes, passcode: bytes) -> object:
    return result_of(PasscodeTable(url).requestAvatarId(UsernamePassword(login, passcode)))


def test_right_passcode_is_accepted(url: str) -> None:
    assert log_in(url, "zoë".encode(), b"secret") == "zoë".encode()


@pytest.mark.parametrize(
    ("login", "passcode"),
    [(b"zo\xc3\xab", b"wrong"), (b"nobody", b"secret"), (b"", b""), (b"\xff", b"secret"), (b"a\0b", b"secret")],
)
def test_wrong_login_is_refused(url: str, login: bytes, passcode: bytes) -> None:
    with pytest.raises(UnauthorizedLogin):
        log_in(url, login, passcode)


def test_unknown_user_costs_a_hash_like_any_other(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    verified: list[object] = []

    def verify(self: argon2.PasswordHasher, secret: bytes, given: bytes) -> bool:
        verified.append(given)
        return True

    monkeypatch.setattr(argon2.PasswordHasher, "verify", verify)

    with pytest.raises(UnauthorizedLogin):
        log_in(url, b"nobody", b"secret")
    assert verified == [b"secret"]


def test_database_that_is_not_there_is_logged(tmp_path: Path, logged: LoggedEvents) -> None:  # noqa: F811
    with pytest.raises(UnauthorizedLogin):
        log_in(f"sqlite:///{tmp_path}/none/x.sqlite3", b"ann", b"secret")

    assert "Nobody can log in" in str(logged.lines)


def test_checker_looks_into_the_database_of_the_store_unless_another_is_named(url: str, tmp_path: Path) -> None:
    own, other = make_checkers(["database", f"database:{url}"], f"sqlite:///{tmp_path / 'x'}")

    assert isinstance(own, PasscodeTable)
    assert result_of(other.requestAvatarId(UsernamePassword("zoë".encode(), b"secret"))) == "zoë".encode()


def test_store_in_memory_cannot_be_used() -> None:
    with pytest.raises(SettingError, match="the checker 'database' cannot be used: a store in memory keeps no users"):
        make_checkers(["database"], "memory:")

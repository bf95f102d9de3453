"""Checkers and the portal: who is let in, who is not, and what the operator reads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import get_ident
from typing import Any

import argon2
import pytest
from twisted.cred.checkers import ANONYMOUS, ICredentialsChecker
from twisted.cred.credentials import Anonymous, UsernamePassword
from twisted.cred.error import LoginFailed, UnauthorizedLogin
from twisted.cred.portal import Portal
from twisted.internet.defer import Deferred, DeferredSemaphore, maybeDeferred
from twisted.internet.threads import deferToThreadPool
from twisted.logger import LogEvent, globalLogPublisher
from twisted.python.threadpool import ThreadPool
from zope.interface.verify import verifyObject

from stompd.auth.checkers import Unsecured, make_checkers, make_portal
from stompd.auth.passcodes import PasscodeFile, hash_passcode
from stompd.errors import SettingError
from stompd.interfaces import IStompUser

#: A hash that costs next to nothing, of the passcode `secret`.
QUICK_HASH = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("secret")


@pytest.fixture
def users(tmp_path: Path) -> Path:
    """A file with a plain passcode, a hash, a passcode with a colon, a comment and an empty line."""
    path = tmp_path / "users"
    path.write_text(f"# users\n\nann:plain\nbob:{QUICK_HASH}\neve:with:colon\nzoë:\u00fc\n", "utf-8")
    return path


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do at once what belongs in a thread; without a running reactor a thread has nobody to tell."""
    monkeypatch.setattr("stompd.auth.turns.deferToThread", maybeDeferred)
    monkeypatch.setattr("stompd.auth.turns._turns", DeferredSemaphore(2))


def log_in(checker: PasscodeFile, login: str, passcode: str) -> object:
    """Return the avatar id."""
    return result_of(checker.requestAvatarId(UsernamePassword(login.encode(), passcode.encode())))


def result_of(deferred: Deferred[Any]) -> Any:
    """Return what a Deferred that has fired holds, or raise its failure."""
    results: list[Any] = []
    failures: list[Any] = []
    deferred.addCallbacks(results.append, failures.append)
    if failures:
        failures[0].raiseException()
    assert results, "the Deferred has not fired"
    return results[0]


def user_name(portal: Portal, credentials: object) -> str:
    """Return the name of the user that the portal gives out."""
    _, user, _ = result_of(portal.login(credentials, None, IStompUser))
    return str(user.name)


def test_checkers_provide_their_interface(users: Path) -> None:
    assert verifyObject(ICredentialsChecker, PasscodeFile(str(users)))
    assert verifyObject(ICredentialsChecker, Unsecured())


@pytest.mark.parametrize(
    ("login", "passcode"), [("ann", "plain"), ("bob", "secret"), ("eve", "with:colon"), ("zoë", "\u00fc")]
)
def test_right_passcode_is_accepted(users: Path, login: str, passcode: str) -> None:
    assert log_in(PasscodeFile(str(users)), login, passcode) == login.encode()


@pytest.mark.parametrize(
    ("login", "passcode"),
    [
        ("ann", "wrong"),
        ("ann", ""),
        ("bob", "wrong"),
        ("bob", QUICK_HASH),
        ("eve", "with"),
        ("nobody", "plain"),
        ("nobody", ""),
        ("", ""),
        ("# users", ""),
    ],
)
def test_wrong_passcode_is_refused(users: Path, login: str, passcode: str) -> None:
    with pytest.raises(UnauthorizedLogin):
        log_in(PasscodeFile(str(users)), login, passcode)


def test_hash_made_for_the_file_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "users"
    path.write_text(f"ann:{hash_passcode('secret')}\n")

    assert log_in(PasscodeFile(str(path)), "ann", "secret") == b"ann"


@pytest.mark.parametrize(("login", "passcode"), [("bob", "wrong"), ("ann", "plain"), ("nobody", "secret")])
def test_every_login_costs_one_hash_where_the_file_has_any(
    users: Path, monkeypatch: pytest.MonkeyPatch, login: str, passcode: str
) -> None:
    verified: list[bytes] = []

    def verify(self: argon2.PasswordHasher, secret: bytes, given: bytes) -> bool:
        verified.append(secret)
        raise argon2.exceptions.VerifyMismatchError

    monkeypatch.setattr(argon2.PasswordHasher, "verify", verify)
    maybeDeferred(log_in, PasscodeFile(str(users)), login, passcode).addErrback(
        lambda failure: failure.trap(LoginFailed)
    )

    assert verified == [QUICK_HASH.encode()]


def test_changed_file_counts_from_the_next_login(users: Path) -> None:
    checker = PasscodeFile(str(users))

    users.write_text("ann:new\n")

    assert log_in(checker, "ann", "new") == b"ann"


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_text("no colon\n")])
def test_unusable_file_refuses_every_login_and_is_logged(
    users: Path, damage: Callable[[Path], object], logged: list[LogEvent]
) -> None:
    checker = PasscodeFile(str(users))

    damage(users)

    with pytest.raises(UnauthorizedLogin):
        log_in(checker, "ann", "plain")
    assert [event["log_format"] for event in logged] == ["Nobody can log in: {error}"]


@pytest.fixture
def logged() -> Any:
    """The events logged during the test."""
    events: list[LogEvent] = []
    globalLogPublisher.addObserver(events.append)
    yield events
    globalLogPublisher.removeObserver(events.append)


@pytest.mark.parametrize("line", ["no colon", ":secret", "ann:", "bob:$argon2id$broken"])
def test_malformed_line_is_named_without_its_content(tmp_path: Path, line: str) -> None:
    path = tmp_path / "users"
    path.write_text(f"ann:plain\n{line}\n")

    with pytest.raises(SettingError, match=r"the checker 'file' cannot be used: line 2 of .*users") as caught:
        make_checkers([f"file:{path}"])
    assert line not in str(caught.value)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"the checker 'file' cannot be used: .*No such file.*none"):
        make_checkers([f"file:{tmp_path / 'none'}"])


def test_unknown_checker_is_answered_with_the_known_ones() -> None:
    known = "anonymous, certificate, database, file, jwt, unix"
    with pytest.raises(SettingError, match=f"'ldap' is not a known checker; use one of {known}"):
        make_checkers(["ldap:secret"])


def test_hashes_are_computed_beside_the_reactor(users: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pool = ThreadPool(1, 1)
    reactor = Reactor()
    threads: list[int] = []

    def note_thread(check: Callable[..., bytes], *arguments: object) -> bytes:
        threads.append(get_ident())
        return check(*arguments)

    monkeypatch.setattr(
        "stompd.auth.turns.deferToThread",
        lambda *arguments: deferToThreadPool(reactor, pool, note_thread, *arguments),
    )

    pool.start()
    deferred = PasscodeFile(str(users)).requestAvatarId(UsernamePassword(b"bob", b"secret"))
    pool.stop()
    for turn in reactor.turns:
        turn()

    assert result_of(deferred) == b"bob"
    assert threads != [get_ident()]


class Reactor:
    """Collects what threads ask it to call."""

    def __init__(self) -> None:
        self.turns: list[Callable[[], object]] = []

    def callFromThread(self, function: Callable[..., object], *arguments: object) -> None:
        """Keep the call for later."""
        self.turns.append(lambda: function(*arguments))


def test_few_hashes_are_computed_at_a_time(users: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Deferred[Any]] = []

    def start(*arguments: object) -> Deferred[Any]:
        started.append(Deferred())
        return started[-1]

    monkeypatch.setattr("stompd.auth.turns.deferToThread", start)
    checker = PasscodeFile(str(users))

    for _ in range(5):
        checker.requestAvatarId(UsernamePassword(b"bob", b"secret"))

    assert len(started) == 2
    started[0].callback(b"bob")
    assert len(started) == 3


def test_unsecured_broker_ignores_logins() -> None:
    portal = make_portal([], allow_anonymous=True)

    assert user_name(portal, Anonymous()) == "anonymous"
    assert user_name(portal, UsernamePassword(b"guest", b"guest")) == "anonymous"
    assert result_of(Unsecured().requestAvatarId(Anonymous())) == ANONYMOUS


@pytest.fixture
def two_files(tmp_path: Path) -> list[str]:
    """Two checker strings, each for a file with one user."""
    for login in ("ann", "bob"):
        (tmp_path / login).write_text(f"{login}:secret of {login}\n")
    return [f"file:{tmp_path / 'ann'}", f"file:{tmp_path / 'bob'}"]


def test_secured_broker_lets_nobody_in_without_a_login(two_files: list[str]) -> None:
    portal = make_portal(two_files, allow_anonymous=False)

    with pytest.raises(UnauthorizedLogin):
        user_name(portal, Anonymous())


def test_broker_that_allows_both_still_checks_logins(two_files: list[str]) -> None:
    portal = make_portal(two_files, allow_anonymous=True)

    assert user_name(portal, Anonymous()) == "anonymous"
    with pytest.raises(UnauthorizedLogin):
        user_name(portal, UsernamePassword(b"ann", b"wrong"))


@pytest.mark.parametrize("login", ["ann", "bob"])
def test_login_is_accepted_by_whichever_checker_knows_it(two_files: list[str], login: str) -> None:
    portal = make_portal(two_files, allow_anonymous=False)

    assert user_name(portal, UsernamePassword(login.encode(), f"secret of {login}".encode())) == login


def test_login_that_no_checker_accepts_is_refused(two_files: list[str]) -> None:
    portal = make_portal(two_files, allow_anonymous=False)

    with pytest.raises(UnauthorizedLogin):
        user_name(portal, UsernamePassword(b"ann", b"secret of bob"))


def test_operator_may_name_the_anonymous_checker() -> None:
    portal = make_portal(["anonymous"], allow_anonymous=False)

    assert user_name(portal, Anonymous()) == "anonymous"

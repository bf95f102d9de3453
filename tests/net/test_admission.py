"""Logins on one connection: delays after failures, tokens that expire, and their renewal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography.x509 import load_pem_x509_certificate
from OpenSSL.crypto import X509
from twisted.cred.checkers import ANONYMOUS
from twisted.cred.credentials import IAnonymous, IUsernamePassword
from twisted.cred.error import UnauthorizedLogin
from twisted.internet.defer import Deferred, fail, succeed

from stompd.auth.checkers import make_portal
from stompd.auth.tokens import Identity
from stompd.interfaces import IBearerToken
from stompd.net.hosts import VirtualHosts
from stompd.net.upgrade import Authorization
from stompd.settings import HostSettings, Settings
from tests.certificates import Authority
from tests.logged import LoggedEvents
from tests.net.site import NOW, LateChecker, Site, frame

CONNECT = frame("CONNECT", accept_version="1.2", host="localhost", login="ann", passcode="wrong")
RENEWAL = "/session/renew"


class Tokens:
    """Takes tokens `USER SECONDS` for so long, and the passcode `right`."""

    credentialInterfaces = (IBearerToken, IUsernamePassword, IAnonymous)

    def __init__(self) -> None:
        self.asked: list[object] = []

    def requestAvatarId(self, credentials: Any) -> Deferred[Any]:
        self.asked.append(credentials)
        if IBearerToken.providedBy(credentials):
            name, _, seconds = credentials.token.partition(" ")
            return succeed(Identity.of(name, NOW + int(seconds))) if seconds else fail(UnauthorizedLogin())
        if IAnonymous.providedBy(credentials):
            return succeed(ANONYMOUS)
        return succeed(credentials.username) if credentials.password == b"right" else fail(UnauthorizedLogin())


def renewal(token: str, receipt: str = "r") -> bytes:
    return frame("SEND", destination=RENEWAL, passcode=token, receipt=receipt)


def fail_times(site: Site, times: int, login: str = "ann") -> None:
    for _ in range(times):
        client = site.client(None)
        client.send(frame("CONNECT", accept_version="1.2", host="x", login=login, passcode="wrong"))
        site.advance(10)
        assert client.texts() == ["ERROR login-failed"]


def test_passcode_without_login_is_a_token() -> None:
    client = Site(Tokens()).client(None)

    connected = client.connect(passcode="ann 60")

    assert connected["user-name"] == "ann"
    assert connected["login-expires"] == str(int(NOW + 60) * 1000)


def test_login_without_end_is_told_none() -> None:
    connected = Site(Tokens()).client(None).connect(login="ann", passcode="right")

    assert connected.get("login-expires") is None


def test_credentials_of_the_transport_count_where_connect_has_none() -> None:
    site = Site(Tokens())
    client, other = site.client(None), site.client(None)
    for each in (client, other):
        vars(each.transport)["authorization"] = Authorization("carla", "right")

    assert client.connect()["user-name"] == "carla"
    assert other.connect(login="ann", passcode="right")["user-name"] == "ann"


def test_connection_ends_when_its_login_expires() -> None:
    site = Site(Tokens(), heart_beat=(0, 0))
    client = site.client(passcode="ann 60")

    site.advance(59)
    before = client.texts()
    site.advance(1)

    assert before == []
    assert client.texts() == ["ERROR login-expired"]


def test_login_may_last_longer_than_a_timer() -> None:
    site = Site(Tokens(), heart_beat=(0, 0))
    client = site.client(passcode="ann 5000")

    for _ in range(4):
        site.advance(1_000)
    before = client.texts()
    site.advance(1_000)

    assert before == []
    assert client.texts() == ["ERROR login-expired"]


def test_token_that_expired_while_it_was_checked_is_refused() -> None:
    client = Site(Tokens()).client(None)

    client.send(frame("CONNECT", accept_version="1.2", host="x", passcode="ann 0"))

    assert client.texts() == ["ERROR login-expired"]


def test_renewal_keeps_the_connection() -> None:
    site = Site(Tokens(), heart_beat=(0, 0))
    client = site.client(passcode="ann 60")

    site.advance(50)
    client.send(renewal("ann 600"))
    site.run()
    (receipt,) = client.received()
    site.advance(500)

    assert (receipt.command, receipt["receipt-id"]) == ("RECEIPT", "r")
    assert receipt["login-expires"] == str(int(NOW + 600) * 1000)
    assert client.texts() == []
    site.advance(50)
    assert client.texts() == ["ERROR login-expired"]


def test_renewal_is_confirmed_in_its_turn() -> None:
    site = Site(Tokens())
    client = site.client(passcode="ann 60")

    client.send(frame("SEND", b"x", destination="/queue/a", receipt="1") + renewal("ann 600", "2"))
    before = client.texts()
    site.run()

    assert before == []
    assert client.texts() == ["RECEIPT 1", "RECEIPT 2"]


def test_renewal_needs_no_receipt() -> None:
    site = Site(Tokens())
    client = site.client(passcode="ann 60")

    client.send(frame("SEND", destination=RENEWAL, passcode="ann 600"))
    site.advance(60)

    assert "ERROR login-expired" not in client.texts()


@pytest.mark.parametrize("token", ["wrong", "bob 600"])
def test_renewal_with_a_wrong_token_or_for_another_user_ends_the_connection(token: str) -> None:
    site = Site(Tokens())
    client = site.client(passcode="ann 60")

    client.send(renewal(token))
    site.run()

    assert client.texts() == ["ERROR login-failed r"]


def test_renewal_without_a_token_is_answered_with_what_is_missing() -> None:
    site = Site(Tokens())
    client = site.client(passcode="ann 60")

    client.send(frame("SEND", destination=RENEWAL, receipt="r"))
    site.run()

    (error,) = client.received()
    assert (error["error-code"], error["receipt-id"]) == ("missing-header", "r")
    assert b"passcode" in error.body


def test_frames_behind_a_renewal_wait_for_it() -> None:
    checker = LateChecker()
    site = Site(checker)
    client = site.client(None)
    client.send(frame("CONNECT", accept_version="1.2", host="x", login="ann", passcode="x"))
    checker.answers[0].callback(b"ann")

    client.send(
        frame("SEND", destination=RENEWAL, login="ann", passcode="x", receipt="1")
        + frame("SEND", b"x", destination="/queue/a", receipt="2")
    )
    site.run()
    before = site.bodies()
    checker.answers[1].callback(b"ann")
    site.run()

    assert before == []
    assert site.bodies() == ["x"]


def test_connection_that_ends_asks_no_longer() -> None:
    checker = LateChecker()
    site = Site(checker, login_seconds=3)
    client = site.client(None)
    client.send(CONNECT)

    site.advance(3)

    assert client.texts() == ["ERROR login-timeout"]
    assert checker.answers[0].called, "it was not cancelled"


def test_connection_that_was_lost_does_not_expire(logged: LoggedEvents) -> None:
    site = Site(Tokens(), heart_beat=(0, 0))
    site.client(passcode="ann 60").lose()

    site.advance(60)

    assert not [line for line in logged.lines if "error" in line or "login-expired" in line]
    assert site.timers == []


def test_certificate_counts_on_a_host_that_takes_it(tmp_path: Path) -> None:
    site = Site()
    takes = make_portal(["certificate:cn"], allow_anonymous=False)
    settings = Settings(hosts={"shop": HostSettings()})
    anybody = make_portal([], allow_anonymous=True)
    site.factory.hosts = VirtualHosts(settings, anybody, {"shop": takes}, site.reactor)
    pem = Authority(tmp_path).issue("billing").read_bytes()
    shown = X509.from_cryptography(load_pem_x509_certificate(pem))

    names = []
    for host in ("shop", "localhost"):
        client = site.client(None)
        vars(client.transport)["getPeerCertificate"] = lambda: shown
        client.send(frame("CONNECT", accept_version="1.2", host=host))
        (connected,) = client.received()
        names.append(connected.get("user-name"))

    assert names == ["billing", "anonymous"]


def test_login_after_failures_of_the_same_user_waits() -> None:
    site = Site(Tokens())
    fail_times(site, 4)
    client = site.client(None)

    client.send(frame("CONNECT", accept_version="1.2", host="x", login="ann", passcode="right"))
    site.advance(0.9)
    before = client.texts()
    site.advance(0.1)

    assert before == []
    assert client.texts() == ["CONNECTED"]


def test_delay_is_bounded_by_its_setting() -> None:
    site = Site(Tokens(), login_delay_seconds=1)
    fail_times(site, 9)
    client = site.client(None)

    client.send(frame("CONNECT", accept_version="1.2", host="x", login="ann", passcode="right"))
    site.advance(1)

    assert client.texts() == ["CONNECTED"]


def test_login_after_failures_of_others_from_the_same_address_waits() -> None:
    site = Site(Tokens())
    for number in range(10):
        fail_times(site, 1, f"user{number}")
    client = site.client(None)

    client.send(frame("CONNECT", accept_version="1.2", host="x", login="ann", passcode="right"))
    before = client.texts()
    site.advance(0.5)

    assert before == []
    assert client.texts() == ["CONNECTED"]


def test_failures_are_logged_with_who_and_from_where_and_seldom(logged: LoggedEvents) -> None:
    site = Site(Tokens())

    fail_times(site, 30)

    lines = [line for line in logged.lines if line.startswith("login of 'ann' from ")]
    assert [line.rpartition(", ")[2] for line in lines] == ["1 in a row", "10 in a row"]
    assert [event for event in logged.events if event["log_level"].name == "info"] == [
        event for event, line in zip(logged.events, logged.lines, strict=True) if line in lines
    ]

"""Login and permissions over a real socket: users in a file and in the database, tokens, rules."""

from __future__ import annotations

import time
from collections.abc import Iterator

import jwt
import pytest

from stompd.auth.passcodes import hash_passcode
from stompd.store.users import UserTable
from tests.harness.process import BrokerProcess
from tests.harness.raw import RawClient
from tests.postgres import create_database, drop_database

SECRET = "0123456789abcdef0123456789abcdef"

RULES = """
permissions = [
    "deny * consume /queue/DLQ.#",
    "deny ann create /queue/made.#",
    "allow @clerks send,consume /queue/orders.#",
    "allow ann send,consume /queue/made.#",
    "allow * send,consume /queue/inbox.{user}",
    "allow * consume /topic/news",
    "allow olga * *",
]

[groups]
clerks = ["ann", "bob"]
"""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The databases that keep users."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('store') / 'stompd.sqlite3'}"
        return
    server = request.getfixturevalue("postgresql_server")
    url = create_database(server)
    yield url
    drop_database(server, url)


@pytest.fixture(scope="module")
def broker(store_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    """A broker with the users ann and bob in a file, olga in the database, and tokens."""
    directory = tmp_path_factory.mktemp("login")
    (directory / "users").write_text("ann:a\nbob:b\n")
    (directory / "secret").write_text(SECRET)
    table = UserTable(store_url)
    table.prepare()
    for name in ("olga", "leaving"):
        table.add(name, hash_passcode(name[0]))
    checkers = (
        f"file:{directory / 'users'}",
        "database",
        f"jwt:key={directory / 'secret'},algorithm=HS256,groups=roles",
    )
    arguments = [argument for checker in checkers for argument in ("--auth", checker)]
    with BrokerProcess(directory, store_url, settings=RULES, arguments=arguments) as broker:
        yield broker


def token(seconds: float, **claims: object) -> str:
    return jwt.encode({"sub": "zoe", "exp": time.time() + seconds, **claims}, SECRET, "HS256")


def connect(broker: BrokerProcess, login: str, passcode: str | None = None) -> RawClient:
    client = RawClient(broker.port)
    client.connect(login=login, passcode=login[0] if passcode is None else passcode)
    return client


def test_users_of_file_database_and_tokens_log_in(broker: BrokerProcess) -> None:
    for login, passcode in (("ann", "a"), ("olga", "o")):
        with connect(broker, login, passcode) as client:
            client.disconnect()
    with RawClient(broker.port) as client:
        connected = client.connect(passcode=token(60))
        assert connected["user-name"] == "zoe"
    with RawClient(broker.port) as client:
        client.send_frame("CONNECT", {"accept-version": "1.2", "host": "x", "login": "olga", "passcode": "a"})
        client.expect_error("login-failed")
    assert "connected as olga" in broker.output
    assert "login of 'olga' from 127.0.0.1 failed, 1 in a row" in broker.output
    assert SECRET not in broker.output


def test_added_and_removed_users_count_at_once(broker: BrokerProcess) -> None:
    UserTable(broker.store).add("new", hash_passcode("n"))
    UserTable(broker.store).remove("leaving")

    connect(broker, "new").close()
    with RawClient(broker.port) as client:
        client.send_frame("CONNECT", {"accept-version": "1.2", "host": "x", "login": "leaving", "passcode": "l"})
        client.expect_error("login-failed")


@pytest.mark.parametrize(
    ("login", "command", "destination"),
    [
        ("ann", "SEND", "/queue/orders.eu"),
        ("bob", "SUBSCRIBE", "queue://orders.eu"),
        ("ann", "SEND", "/queue/inbox.ann"),
        ("bob", "SUBSCRIBE", "/topic/news"),
        ("olga", "SEND", "/topic/anything"),
    ],
)
def test_what_a_rule_allows_can_be_done(broker: BrokerProcess, login: str, command: str, destination: str) -> None:
    with connect(broker, login) as client:
        client.request(command, {"destination": destination, "id": "1"})


@pytest.mark.parametrize(
    ("login", "command", "destination"),
    [
        ("ann", "SEND", "/queue/other"),
        ("ann", "SEND", "/queue/inbox.bob"),
        ("ann", "SEND", "/topic/news"),
        ("bob", "SUBSCRIBE", "/queue/order"),
        ("olga", "SUBSCRIBE", "/queue/DLQ.orders.eu"),
        ("ann", "SEND", "/queue/made.new"),
        ("ann", "SUBSCRIBE", "/queue/made.new"),
    ],
)
def test_what_no_rule_allows_is_refused(broker: BrokerProcess, login: str, command: str, destination: str) -> None:
    with connect(broker, login) as client:
        client.send_frame(command, {"destination": destination, "id": "1", "receipt": "r"})
        client.expect_error("access-denied", login, destination, receipt="r")


def test_refusal_can_be_soft(broker: BrokerProcess) -> None:
    with RawClient(broker.port) as client:
        client.connect(login="ann", passcode="a", soft_errors="true")
        client.send_frame("SEND", {"destination": "/queue/other", "receipt": "r"})
        error = client.expect("ERROR", receipt_id="r")
        assert error["error-code"] == "access-denied"
        client.send_message("/queue/orders.eu")


def test_queue_that_is_there_can_be_used_by_who_may_not_create_it(broker: BrokerProcess) -> None:
    with connect(broker, "olga") as olga, connect(broker, "ann") as ann:
        olga.send_message("/queue/made.here", "1")
        ann.send_message("/queue/made.here", "2")
        ann.send_message("/queue/made.here", "3")
        ann.subscribe("/queue/made.here")
        ann.expect_bodies("1", "2", "3")


def test_refused_message_is_in_no_transaction(broker: BrokerProcess) -> None:
    with connect(broker, "ann") as client:
        client.request("BEGIN", {"transaction": "t"})
        client.send_frame("SEND", {"destination": "/queue/other", "transaction": "t", "receipt": "r"})
        client.expect_error("access-denied", receipt="r")


def test_reply_to_must_be_a_place_of_ones_own(broker: BrokerProcess) -> None:
    with connect(broker, "ann") as client:
        client.send_message("/queue/orders.eu", reply_to="/queue/inbox.ann")
        client.send_frame("SEND", {"destination": "/queue/orders.eu", "reply-to": "queue://inbox.bob", "receipt": "r"})
        client.expect_error("access-denied", "/queue/inbox.bob", "reply-to", receipt="r")


def test_groups_of_a_token_count(broker: BrokerProcess) -> None:
    with RawClient(broker.port) as client:
        client.connect(passcode=token(60, roles=["clerks"]))
        client.send_message("/queue/orders.eu")
    with RawClient(broker.port) as client:
        client.connect(passcode=token(60, roles=["others"]))
        client.send_frame("SEND", {"destination": "/queue/orders.eu"})
        client.expect_error("access-denied")


def test_connection_ends_with_its_token_unless_it_is_renewed(broker: BrokerProcess) -> None:
    with RawClient(broker.port) as client, RawClient(broker.port) as other:
        for each in (client, other):
            each.connect(passcode=token(2))
        client.request("SEND", {"destination": "/session/renew", "passcode": token(600)})
        other.expect_error("login-expired", "/session/renew")
        client.send_message("/queue/inbox.zoe")


def test_renewal_may_take_rights_away(broker: BrokerProcess) -> None:
    with RawClient(broker.port) as client:
        client.connect(passcode=token(60, roles=["clerks"]))
        client.send_message("/queue/orders.eu")
        client.request("SEND", {"destination": "/session/renew", "passcode": token(60)})
        client.send_frame("SEND", {"destination": "/queue/orders.eu", "receipt": "r"})
        client.expect_error("access-denied", receipt="r")


def test_expired_and_forged_tokens_are_refused(broker: BrokerProcess) -> None:
    for wrong in (token(-1), jwt.encode({"sub": "zoe", "exp": time.time() + 60}, "f" * 32, "HS256")):
        with RawClient(broker.port) as client:
            client.send_frame("CONNECT", {"accept-version": "1.2", "host": "x", "passcode": wrong})
            client.expect_error("login-failed")

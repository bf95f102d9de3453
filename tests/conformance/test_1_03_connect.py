"""STOMP rules, section 1.3: CONNECT and CONNECTED."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from tests.conformance.conftest import Clients, StartBroker
from tests.harness.process import BrokerProcess

VERSIONS = ["1.0", "1.1", "1.2"]


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory, listen: str) -> Iterator[BrokerProcess]:
    """A broker that asks for a login."""
    directory = tmp_path_factory.mktemp("secured")
    (directory / "users").write_text("alice:secret\nbackslash:a\\nb\\t\ncolon:a:b\n")
    store = f"sqlite:///{directory / 'stompd.sqlite3'}"
    arguments = ["--auth", f"file:{directory / 'users'}"]
    with BrokerProcess(directory, store, arguments=arguments, listen=listen) as broker:
        yield broker


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_s11_con_1_connect_without_host_is_accepted(clients: Clients, version: str) -> None:
    client = clients.dial()

    client.send_frame("CONNECT", {"accept-version": version})

    client.expect("CONNECTED", version=version)


def test_s11_con_2_unknown_host_means_the_default_one(clients: Clients) -> None:
    client = clients.dial()

    client.send_frame("CONNECT", {"accept-version": "1.2", "host": "no.such.host.example"})

    client.expect("CONNECTED", version="1.2")


@pytest.mark.parametrize("version", VERSIONS)
def test_s10_con_3_unsecured_broker_ignores_login_and_passcode(clients: Clients, version: str) -> None:
    client = clients.dial()

    client.connect(version, login="anybody", passcode="anything")

    client.expect_nothing()


@pytest.mark.parametrize("version", VERSIONS)
def test_s10_con_3_login_and_passcode_authenticate(clients: Clients, secured: BrokerProcess, version: str) -> None:
    client = clients.dial(broker=secured)

    client.connect(version, login="alice", passcode="secret")

    client.expect_nothing()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "credentials",
    [{"login": "alice", "passcode": "wrong-passcode"}, {"login": "mallory", "passcode": "wrong-passcode"}, {}],
)
def test_s11_con_4_refused_login_gets_error_and_close(
    clients: Clients, secured: BrokerProcess, version: str, credentials: dict[str, str]
) -> None:
    client = clients.dial(broker=secured)

    client.send_frame("CONNECT", {"accept-version": version, "host": "localhost", **credentials})

    error = client.expect_error("login-failed")
    assert b"wrong-passcode" not in error.body


@pytest.mark.parametrize("version", VERSIONS)
def test_s10_con_5_session_is_unique(clients: Clients, version: str) -> None:
    sessions = [clients.dial().connect(version)["session"] for _ in range(5)]

    assert len(set(sessions)) == 5
    assert all(sessions)


def test_s11_con_6_server_names_itself_with_its_version(clients: Clients) -> None:
    connected = clients.dial().connect()

    assert re.fullmatch(r"stompd/[^ /]+( .+)?", connected["server"])


def test_s11_con_6_server_can_be_hidden(clients: Clients, start_broker: StartBroker) -> None:
    broker = start_broker("hide_server = true\n")

    connected = clients.dial(broker=broker).connect()

    assert "server" not in connected


def test_s11_con_7_connected_offers_heart_beats(clients: Clients) -> None:
    connected = clients.dial().connect("1.2", heart_beat="5000,5000")

    assert connected["heart-beat"] == "10000,10000"


@pytest.mark.parametrize("version", VERSIONS)
def test_s11_con_8_clients_may_come_and_go_rapidly(
    clients: Clients, queue: str, version: str, contents: Callable[[str], list[str]]
) -> None:
    for number in range(50):
        client = clients.connect(version)
        client.send_message(queue, str(number))
        client.disconnect()

    assert contents(queue) == [str(number) for number in range(50)]


@pytest.mark.parametrize("version", VERSIONS)
def test_s10_con_9_receipt_of_connect_is_ignored(clients: Clients, version: str) -> None:
    client = clients.dial()

    connected = client.connect(version, receipt="ignored")

    assert "receipt-id" not in connected
    client.expect_nothing()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("command", ["CONNECT", "STOMP"])
def test_s11_con_10_connect_is_not_unescaped(
    clients: Clients, secured: BrokerProcess, version: str, command: str
) -> None:
    client = clients.dial(broker=secured)

    client.send(f"{command}\naccept-version:{version}\nhost:x\nlogin:backslash\npasscode:a\\nb\\t\n\n\0".encode())

    client.expect("CONNECTED", version=version)


@pytest.mark.parametrize("version", VERSIONS)
def test_s11_con_10_colon_in_a_passcode_is_kept(clients: Clients, secured: BrokerProcess, version: str) -> None:
    client = clients.dial(broker=secured)

    client.send(f"CONNECT\naccept-version:{version}\nhost:x\nlogin:colon\npasscode:a:b\n\n\0".encode())

    client.expect("CONNECTED", version=version)


def test_s10_con_11_spaces_around_values_of_connect_are_trimmed_in_1_0(
    clients: Clients, secured: BrokerProcess
) -> None:
    client = clients.dial(broker=secured)

    client.send(b"CONNECT\nlogin: alice \npasscode: secret \n\n\0")

    client.expect("CONNECTED", version="1.0")


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_s10_con_11_spaces_around_values_of_connect_count_in_1_1_and_1_2(
    clients: Clients, secured: BrokerProcess, version: str
) -> None:
    client = clients.dial(broker=secured)

    client.send(f"CONNECT\naccept-version:{version}\nhost:x\nlogin:alice\npasscode: secret\n\n\0".encode())

    client.expect_error("login-failed")

"""Bad input: each fault gets one ERROR that names it, then the close, and nobody else notices."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from tests.conformance.conftest import Clients
from tests.harness.frames import write_frame
from tests.harness.process import BrokerProcess

VERSIONS = ["1.0", "1.1", "1.2"]


@pytest.fixture(scope="module")
def store_url(either_store_url: str) -> str:
    """Both databases."""
    return either_store_url


class Fault(NamedTuple):
    """Something a peer must not send."""

    name: str
    #: What is sent on a connected session; `{queue}` stands for a queue.
    octets: bytes
    code: str
    #: What the ERROR must name.
    mention: str
    versions: tuple[str, ...] = ("1.0", "1.1", "1.2")


SUBSCRIBE = b"SUBSCRIBE\ndestination:{queue}\nid:twice\nack:client\n\n\0"

FAULTS = [
    Fault("header line without a colon", b"SEND\ndestination\n\n\0", "malformed-frame", "colon"),
    Fault("header line without a name", b"SEND\n:x\n\n\0", "malformed-frame", "name"),
    Fault("unknown command", b"ELEPHANT\ndestination:{queue}\n\n\0", "unknown-command", "ELEPHANT"),
    Fault("SEND without destination", b"SEND\n\nbody\0", "missing-header", "destination"),
    Fault("BEGIN without transaction", b"BEGIN\n\n\0", "missing-header", "transaction"),
    Fault("SUBSCRIBE without id", b"SUBSCRIBE\ndestination:{queue}\n\n\0", "missing-header", "id", ("1.1", "1.2")),
    Fault("escape of no version", b"SEND\ndestination:{queue}\na:\\x\n\n\0", "malformed-frame", "\\x", ("1.1", "1.2")),
    Fault("escape of another version", b"SEND\ndestination:{queue}\na:\\r\n\n\0", "malformed-frame", "\\r", ("1.1",)),
    Fault("NUL in a header value", b"SEND\ndestination:{queue}\na:b\0c\n\n\0", "malformed-frame", "NUL"),
    Fault("NUL in a header name", b"SEND\ndestination:{queue}\na\0b:c\n\n\0", "malformed-frame", "NUL"),
    Fault(
        "body longer than allowed",
        b"SEND\ndestination:{queue}\n\n" + b"x" * (16 * 1024 * 1024 + 1) + b"\0",
        "frame-too-large",
        "body_bytes",
    ),
    Fault("4 GiB content-length", b"SEND\ncontent-length:4294967296\n\n", "frame-too-large", "body_bytes"),
    Fault("negative content-length", b"SEND\ncontent-length:-1\n\n\0", "malformed-frame", "content-length"),
    Fault("second CONNECT", b"CONNECT\n\n\0", "already-connected", "CONNECT"),
    Fault(
        "SEND in an unknown transaction",
        b"SEND\ndestination:{queue}\ntransaction:no-such-tx\n\n\0",
        "unknown-transaction",
        "no-such-tx",
    ),
    Fault("COMMIT of an unknown one", b"COMMIT\ntransaction:no-such-tx\n\n\0", "unknown-transaction", "no-such-tx"),
    Fault("ABORT of an unknown one", b"ABORT\ntransaction:no-such-tx\n\n\0", "unknown-transaction", "no-such-tx"),
    Fault("duplicate subscription id", SUBSCRIBE * 2, "duplicate-subscription", "twice"),
    Fault("unknown ack id", SUBSCRIBE + b"ACK\nid:no-such-id\n\n\0", "unknown-delivery", "no-such-id", ("1.2",)),
    Fault("unknown nack id", SUBSCRIBE + b"NACK\nid:no-such-id\n\n\0", "unknown-delivery", "no-such-id", ("1.2",)),
    Fault(
        "unknown message-id",
        SUBSCRIBE + b"ACK\nmessage-id:no-such-id\nsubscription:twice\n\n\0",
        "unknown-delivery",
        "no-such-id",
        ("1.0", "1.1"),
    ),
    Fault("invalid UTF-8 in a value", b"SEND\ndestination:{queue}\na:\xff\n\n\0", "malformed-frame", "UTF-8"),
    Fault("invalid UTF-8 in a name", b"SEND\ndestination:{queue}\n\xc3:a\n\n\0", "malformed-frame", "UTF-8"),
]

CASES = [pytest.param(fault, version, id=f"{fault.name}-{version}") for fault in FAULTS for version in fault.versions]


@pytest.mark.parametrize(("fault", "version"), CASES)
def test_fault_is_named_and_nobody_else_notices(clients: Clients, queue: str, fault: Fault, version: str) -> None:
    sender, reader, culprit = clients.connect(), clients.connect(), clients.connect(version)
    reader.subscribe(queue, ack="client-individual")
    sender.send_message(queue, "before")
    [before] = reader.expect_bodies("before")

    culprit.send(fault.octets.replace(b"{queue}", f"{queue}-culprit".encode()))
    sender.send_message(queue, "meanwhile")
    culprit.expect_error(fault.code, fault.mention)

    reader.expect_bodies("meanwhile")
    reader.settle(before)
    reader.expect_nothing()


@pytest.mark.parametrize("version", VERSIONS)
def test_fault_loses_nothing_that_was_stored(
    clients: Clients, queue: str, version: str, contents: Callable[[str], list[str]]
) -> None:
    culprit = clients.connect(version)
    culprit.send_message(queue, "held")
    culprit.subscribe(queue, ack="client")
    culprit.expect_bodies("held")

    culprit.send(f"SEND\ndestination:{queue}\n\nnew\0RUBBISH\n\n\0".encode())
    culprit.expect_error("unknown-command")

    assert contents(queue) == ["held", "new"]


@pytest.mark.parametrize(
    "octets", [b"SEND\ndestination:/queue/a\n\n\0", b"SUBSCRIBE\ndestination:/queue/a\nid:1\n\n\0"]
)
def test_frame_before_connect_is_named(clients: Clients, octets: bytes) -> None:
    witness, culprit = clients.connect(), clients.dial()

    culprit.send(octets)

    culprit.expect_error("not-connected", "CONNECT")
    witness.expect_nothing()


@pytest.mark.parametrize(
    "octets",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)) * 2,
        b"x" * 100_000,
        b"\xff" * 100,
        b"CONNECT\n" + b"a:b\n" * 10_000,
        b"CONNECT\naccept-version:1.2\nhost:\xff\n\n\0",
    ],
    ids=["TLS", "endless command", "binary", "endless headers", "invalid UTF-8"],
)
def test_stranger_gets_an_error_and_is_closed(clients: Clients, octets: bytes) -> None:
    witness, stranger = clients.connect(), clients.dial()

    stranger.send(octets)
    stranger.finish_sending()

    error = stranger.expect("ERROR")
    stranger.expect_closed()
    assert error["error-code"] in {"protocol-error", "malformed-frame", "frame-too-large"}
    witness.expect_nothing()


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory, listen: str) -> Iterator[BrokerProcess]:
    """A broker that asks for a login."""
    directory = tmp_path_factory.mktemp("secured")
    (directory / "users").write_text("alice:the-right-passcode\n")
    store = f"sqlite:///{directory / 'stompd.sqlite3'}"
    arguments = ["--auth", f"file:{directory / 'users'}"]
    with BrokerProcess(directory, store, arguments=arguments, listen=listen) as broker:
        yield broker


@pytest.mark.parametrize("version", VERSIONS)
def test_wrong_passcode_is_refused_and_never_repeated(clients: Clients, secured: BrokerProcess, version: str) -> None:
    witness = clients.connect(broker=secured, login="alice", passcode="the-right-passcode")
    culprit = clients.dial(broker=secured)

    culprit.send_frame(
        "CONNECT", {"accept-version": version, "host": "x", "login": "alice", "passcode": "a-wrong-passcode"}
    )

    error = culprit.expect_error("login-failed")
    for secret in ("a-wrong-passcode", "the-right-passcode"):
        assert secret not in str(error)
        assert secret not in secured.output
    witness.expect_nothing()


@pytest.mark.parametrize("version", VERSIONS)
def test_nothing_behind_a_refused_login_is_processed(
    clients: Clients, secured: BrokerProcess, queue: str, version: str
) -> None:
    reader = clients.connect(broker=secured, login="alice", passcode="the-right-passcode")
    reader.subscribe(queue)
    culprit = clients.dial(broker=secured)

    culprit.send(
        write_frame("CONNECT", {"accept-version": version, "host": "x", "login": "alice", "passcode": "wrong"})
        + write_frame("SEND", {"destination": queue}, b"smuggled")
    )

    culprit.expect_error("login-failed")
    reader.expect_nothing()

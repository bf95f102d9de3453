"""Promise 8: whatever a hostile peer sends without end meets a limit, and costs little memory until then."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.endurance.load import MemoryWatch
from tests.harness.process import BrokerProcess
from tests.harness.raw import RawClient
from tests.harness.waiting import wait_for

CONNECTIONS = 150

SETTINGS = f"""
    [limits]
    connections = {CONNECTIONS}
    login_seconds = 2
    linger_seconds = 1
    queues = 500
    outgoing_bytes = 500000
    body_bytes = 1000000
"""

#: What one attack may cost: a few frames of the largest size, and garbage. The attacks send many times as much.
MEMORY_BYTES = 16_000_000


@pytest.fixture(scope="module")
def module_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    """A broker that all attacks go to, one after the other."""
    directory = tmp_path_factory.mktemp("flooded")
    with BrokerProcess(directory, f"sqlite:///{directory / 'stompd.sqlite3'}", settings=SETTINGS) as broker:
        yield broker


@pytest.fixture
def broker(module_broker: BrokerProcess) -> Iterator[BrokerProcess]:
    """The broker, which must serve an honest client and not have grown much after the attack."""
    with MemoryWatch(module_broker) as memory:
        yield module_broker
        wait_for(lambda: is_served(module_broker), "an honest client is served")
    assert memory.growth < MEMORY_BYTES, f"the broker grew by {memory.growth} bytes"


def is_served(broker: BrokerProcess) -> bool:
    """Whether a client is let in and can send; the connections of the attack may still be closing."""
    with broker.client(version=None) as honest:
        honest.send_frame("CONNECT", {"accept-version": "1.2", "host": "localhost"})
        if honest.read_frame().command == "ERROR":
            return False
        honest.send_message("/queue/honest", "still served")
        return True


def test_connections_over_the_limit_are_told_so(broker: BrokerProcess) -> None:
    with ExitStack() as stack:
        for _ in range(CONNECTIONS):
            stack.enter_context(broker.client())

        for _ in range(300):
            with broker.client(version=None) as surplus:
                surplus.expect_error("limit-exceeded", "limits.connections")


def test_connections_that_say_nothing_are_ended(broker: BrokerProcess) -> None:
    with ExitStack() as stack:
        silent = [stack.enter_context(broker.client(version=None)) for _ in range(100)]

        for client in silent:
            client.expect_error("login-timeout", "limits.login_seconds")


def test_connections_that_are_reset_leave_nothing(broker: BrokerProcess) -> None:
    for number in range(300):
        client = broker.client(version=None)
        client.send(b"CONNECT\naccept-version:1.2\nhost:x\n\n\0SEND\ndestination:/queue/half"[: number % 80])
        client.reset()


def test_headers_that_drip_do_not_extend_the_login(broker: BrokerProcess) -> None:
    with ExitStack() as stack:
        drips = [stack.enter_context(broker.client(version=None)) for _ in range(50)]
        for client in drips:
            client.send(b"CONNECT\nhost:")

        ended = drip_until_ended(drips)

        assert ended == ["login-timeout"] * 50


def drip_until_ended(clients: list[RawClient]) -> list[str | None]:
    """Send an octet to each now and then, until each got an ERROR; return their codes."""
    codes = []
    deadline = time.monotonic() + 20
    dripping = list(clients)
    while dripping:
        assert time.monotonic() < deadline, f"{len(dripping)} connections go on dripping"
        for client in list(dripping):
            frame = client.poll_frame(0.002)
            if frame is None:
                client.send(b"x")
            else:
                codes.append(frame.get("error-code"))
                dripping.remove(client)
    return codes


@pytest.mark.parametrize("version", [None, "1.2"], ids=["before login", "after login"])
def test_million_header_lines_are_refused(broker: BrokerProcess, version: str | None) -> None:
    with broker.client(version) as client:
        client.send(b"CONNECT\n" if version is None else b"SEND\n")
        send_in_vain(client, b"a:b\n" * 1000, 1000)

        client.expect_error("frame-too-large", "limits.header_count")


@pytest.mark.parametrize("version", [None, "1.2"], ids=["before login", "after login"])
def test_endless_header_line_is_refused(broker: BrokerProcess, version: str | None) -> None:
    with broker.client(version) as client:
        client.send(b"CONNECT\na:" if version is None else b"SEND\na:")
        send_in_vain(client, b"x" * 10_000, 5000)

        client.expect_error("frame-too-large", "limits.header_line_bytes")


def test_endless_body_is_refused(broker: BrokerProcess) -> None:
    with broker.client() as client:
        client.send(b"SEND\ndestination:/queue/a\n\n")
        send_in_vain(client, b"x" * 10_000, 5000)

        client.expect_error("frame-too-large", "limits.body_bytes")


def test_giant_content_length_is_refused_before_the_body_comes(broker: BrokerProcess) -> None:
    for _ in range(100):
        with broker.client() as client:
            client.send(b"SEND\ndestination:/queue/a\ncontent-length:999999999999999999\n\n")

            client.expect_error("frame-too-large", "limits.body_bytes")


def test_bodies_that_never_end_are_held_one_for_each_connection(broker: BrokerProcess) -> None:
    with ExitStack() as stack:
        for _ in range(8):
            client = stack.enter_context(broker.client())
            client.send(b"SEND\ndestination:/queue/a\ncontent-length:1000000\n\n" + b"x" * 999_999)


def test_endless_line_ends_are_read_and_forgotten(broker: BrokerProcess) -> None:
    with broker.client() as client:
        for _ in range(1000):
            client.send(b"\n" * 100_000)

        client.send_message("/queue/honest", "after 100 MB of heart-beats")


def test_subscriptions_are_limited(broker: BrokerProcess) -> None:
    with broker.client() as client:
        for number in range(1001):
            client.send_frame("SUBSCRIBE", {"destination": f"/topic/{number}", "id": str(number)})

        client.expect_error("limit-exceeded", "limits.subscriptions")


def test_transactions_are_limited(broker: BrokerProcess) -> None:
    with broker.client() as client:
        for number in range(101):
            client.send_frame("BEGIN", {"transaction": str(number)})

        client.expect_error("limit-exceeded", "limits.transactions")


def test_queues_are_limited(broker: BrokerProcess) -> None:
    with broker.client() as client:
        for number in range(600):
            client.send_frame("SEND", {"destination": f"/queue/flood-{number}"})

        client.expect_error("limit-exceeded", "limits.queues")


def test_transaction_that_is_never_committed_is_limited(broker: BrokerProcess) -> None:
    with broker.client() as client:
        client.send_frame("BEGIN", {"transaction": "t"})
        frame = b"SEND\ndestination:/queue/honest\ntransaction:t\n\n" + b"x" * 100 + b"\0"

        send_in_vain(client, frame * 100, 1000)

        client.expect_error("limit-exceeded", "limits.transaction_operations")


def test_receipts_that_nobody_reads_are_bounded(broker: BrokerProcess) -> None:
    with RawClient(broker.port, receive_buffer=4096, patience=2) as client:
        client.connect()
        frames = b"".join(b"SEND\ndestination:/topic/nobody\nreceipt:%0100d\n\n\0" % number for number in range(1000))

        assert send_in_vain(client, frames, 1000), "everything was read, although no receipt was"


def send_in_vain(client: RawClient, piece: bytes, count: int) -> bool:
    """Send the same again and again; return whether the broker stopped taking it."""
    try:
        for _ in range(count):
            client.send(piece)
    except (BrokenPipeError, ConnectionResetError, TimeoutError):
        return True
    return False

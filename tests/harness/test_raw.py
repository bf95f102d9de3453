"""The harness's client against a peer that a test scripts: each expectation can fail, and says why."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tests.harness.raw import RawClient

ERROR = (
    b"ERROR\nerror-code:unknown-command\nmessage:The command is not known\ncontent-type:text/plain\n"
    b"content-length:5\n\nHELLO\0\n"
)


class Peer:
    """The other side: it sends what the test says and closes when told."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.client = RawClient(self._listener.getsockname()[1], patience=0.3)
        self.socket, _ = self._listener.accept()

    def close(self) -> None:
        for each in (self.socket, self._listener, self.client):
            each.close()


@pytest.fixture
def peer() -> Iterator[Peer]:
    peer = Peer()
    yield peer
    peer.close()


def test_expected_frame_is_returned(peer: Peer) -> None:
    peer.socket.sendall(b"RECEIPT\nreceipt-id:7\n\n\0")

    assert peer.client.expect("RECEIPT", receipt_id="7").body == b""


def test_another_command_fails(peer: Peer) -> None:
    peer.socket.sendall(b"RECEIPT\nreceipt-id:7\n\n\0")

    with pytest.raises(AssertionError, match="expected MESSAGE, not RECEIPT"):
        peer.client.expect("MESSAGE")


def test_another_header_fails(peer: Peer) -> None:
    peer.socket.sendall(b"RECEIPT\nreceipt-id:7\n\n\0")

    with pytest.raises(AssertionError, match="expected receipt-id:8"):
        peer.client.expect("RECEIPT", receipt_id="8")


def test_silence_fails_within_the_patience(peer: Peer) -> None:
    with pytest.raises(AssertionError, match=r"nothing came within 0\.3 s"):
        peer.client.read_frame()


def test_close_before_a_frame_fails(peer: Peer) -> None:
    peer.socket.close()

    with pytest.raises(AssertionError, match="the connection was closed"):
        peer.client.read_frame()


def test_error_and_close_are_expected(peer: Peer) -> None:
    peer.socket.sendall(ERROR)
    peer.socket.shutdown(socket.SHUT_WR)

    assert peer.client.expect_error("unknown-command", "hello")["message"] == "The command is not known"


def test_error_without_close_fails(peer: Peer) -> None:
    peer.socket.sendall(ERROR)

    with pytest.raises(AssertionError, match="did not close"):
        peer.client.expect_error("unknown-command")


def test_error_with_another_code_fails(peer: Peer) -> None:
    peer.socket.sendall(ERROR)

    with pytest.raises(AssertionError, match="error-code:malformed-frame"):
        peer.client.expect_error("malformed-frame")


def test_error_that_does_not_name_the_fault_fails(peer: Peer) -> None:
    peer.socket.sendall(ERROR)

    with pytest.raises(AssertionError, match="does not name 'GOODBYE'"):
        peer.client.expect_error("unknown-command", "GOODBYE")


def test_frame_behind_the_error_fails(peer: Peer) -> None:
    peer.socket.sendall(ERROR + b"RECEIPT\nreceipt-id:1\n\n\0")
    peer.socket.shutdown(socket.SHUT_WR)

    with pytest.raises(AssertionError, match="expected the end"):
        peer.client.expect_error("unknown-command")


def test_reset_instead_of_a_close_fails(peer: Peer) -> None:
    peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    peer.socket.close()

    with pytest.raises(AssertionError, match="reset the connection"):
        peer.client.expect_closed()


def test_barrier_returns_what_came_before_it(peer: Peer) -> None:
    peer.socket.sendall(b"MESSAGE\nmessage-id:1\n\n\0")
    answer_barrier(peer)

    assert [frame.command for frame in peer.client.frames_before_barrier()] == ["MESSAGE"]


def test_message_before_the_barrier_is_not_nothing(peer: Peer) -> None:
    peer.socket.sendall(b"MESSAGE\nmessage-id:1\n\n\0")
    answer_barrier(peer)

    with pytest.raises(AssertionError, match="expected nothing"):
        peer.client.expect_nothing()


def test_line_ends_are_waited_for(peer: Peer) -> None:
    peer.socket.sendall(b"\n\n")

    peer.client.wait_for_line_ends(2)

    with pytest.raises(AssertionError, match="2 of 3 EOLs"):
        peer.client.wait_for_line_ends(3)


def answer_barrier(peer: Peer) -> None:
    """Write the RECEIPT of the barrier as soon as its SEND is on the wire."""
    send = peer.client.send

    def send_and_answer(octets: bytes) -> None:
        send(octets)
        receipt = octets.partition(b"receipt:")[2].partition(b"\n")[0]
        peer.socket.sendall(b"RECEIPT\nreceipt-id:" + receipt + b"\n\n\0")

    peer.client.send = send_and_answer  # type: ignore[method-assign]

"""STOMP rules, section 1.1: how a frame looks."""

from __future__ import annotations

import pytest

from tests.conformance.conftest import Clients

VERSIONS = ["1.0", "1.1", "1.2"]


@pytest.mark.parametrize("version", VERSIONS)
def test_s10_frm_1_frame_is_command_headers_blank_line_body_nul(clients: Clients, queue: str, version: str) -> None:
    client = clients.connect(version)

    client.send(f"SEND\ndestination:{queue}\nreceipt:sent\n\nthe body\0".encode())

    client.expect("RECEIPT", receipt_id="sent")
    client.subscribe(queue)
    client.expect_bodies("the body")


@pytest.mark.parametrize("version", VERSIONS)
def test_s10_frm_2_lines_end_with_lf(clients: Clients, queue: str, version: str) -> None:
    client = clients.dial()
    accepted = "" if version == "1.0" else f"accept-version:{version}\nhost:localhost\n"

    client.send(f"CONNECT\n{accepted}\n\0".encode())
    connected = client.expect("CONNECTED")
    client.use_version(version)
    client.send_message(queue, "text")
    client.subscribe(queue)
    message = client.expect("MESSAGE")

    assert not [line for frame in (connected, message) for line in frame.header_lines if line.endswith(b"\r")]


def test_s12_frm_3_lines_of_1_2_may_end_with_cr_lf(clients: Clients, queue: str) -> None:
    client = clients.connect("1.2")

    client.send(f"SEND\r\ndestination:{queue}\r\ncolour:red\r\nreceipt:sent\r\n\r\ntext\0".encode())

    client.expect("RECEIPT", receipt_id="sent")
    client.subscribe(queue)
    client.expect("MESSAGE", destination=queue, colour="red")


def test_s12_frm_3_exactly_one_cr_is_removed(clients: Clients, queue: str) -> None:
    client = clients.connect("1.2")

    client.send(f"SEND\ndestination:{queue}\ncolour:red\r\r\n\n\0".encode())

    client.subscribe(queue)
    client.expect("MESSAGE", colour="red\r")


def test_s11_frm_4_cr_belongs_to_the_value_in_1_1(clients: Clients, queue: str) -> None:
    client = clients.connect("1.1")

    client.send(f"SEND\ndestination:{queue}\ncolour:red\r\n\n\0".encode())

    client.subscribe(queue)
    client.expect("MESSAGE", colour="red\r")


def test_s11_frm_4_cr_alone_on_a_line_ends_the_headers_in_1_1(clients: Clients, queue: str) -> None:
    client = clients.connect("1.1")

    client.send(f"SEND\ndestination:{queue}\n\r\ntext\0".encode())

    client.subscribe(queue)
    client.expect_bodies("text")


def test_s11_frm_4_cr_is_removed_in_1_0(clients: Clients, queue: str) -> None:
    client = clients.connect("1.0")

    client.send(f"SEND\r\ndestination:{queue}\r\ncolour:red\r\n\r\ntext\0".encode())

    client.subscribe(queue)
    assert client.expect("MESSAGE", colour="red").body == b"text"


@pytest.mark.parametrize("command", ["CONNECT", "STOMP"])
@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_s11_frm_4_cr_is_removed_in_connect(clients: Clients, command: str, version: str) -> None:
    client = clients.dial()

    client.send(f"{command}\r\naccept-version:{version}\r\nhost:localhost\r\n\r\n\0".encode())

    client.expect("CONNECTED", version=version)


@pytest.mark.parametrize(("version", "line_ends"), [("1.0", "\n\n"), ("1.1", "\n\n\n"), ("1.2", "\n\r\n\r\n\n")])
def test_s10_frm_5_line_ends_between_frames_are_skipped(clients: Clients, version: str, line_ends: str) -> None:
    client = clients.connect(version)

    client.send(
        f"BEGIN\ntransaction:t\nreceipt:1\n\n\0{line_ends}ABORT\ntransaction:t\nreceipt:2\n\n\0{line_ends}".encode()
    )

    client.expect("RECEIPT", receipt_id="1")
    client.expect("RECEIPT", receipt_id="2")
    client.expect_nothing()


@pytest.mark.parametrize("version", VERSIONS)
def test_s11_frm_6_commands_are_case_sensitive(clients: Clients, queue: str, version: str) -> None:
    client = clients.connect(version)

    client.send(f"send\ndestination:{queue}\n\n\0".encode())

    client.expect_error("unknown-command", "send")


@pytest.mark.parametrize("version", VERSIONS)
def test_s11_frm_6_header_names_are_case_sensitive(clients: Clients, queue: str, version: str) -> None:
    client = clients.connect(version)
    client.send_message(queue, colour="red", Colour="blue")

    client.send(f"SEND\nDestination:{queue}\n\n\0".encode())

    client.expect_error("missing-header", "destination")
    reader = clients.connect()
    reader.subscribe(queue)
    reader.expect("MESSAGE", colour="red", Colour="blue")


@pytest.mark.parametrize("version", VERSIONS)
def test_s11_frm_7_headers_are_utf_8(clients: Clients, queue: str, version: str) -> None:
    client = clients.connect(version)

    client.send_message(queue, größe="mètre 米 🜁")

    client.subscribe(queue)
    assert client.expect("MESSAGE")["größe"] == "mètre 米 🜁"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("line", [b"colour:\xff\xfe", b"col\xc3:red", b"colour:\xed\xa0\x80", b"colour:\xc0\xaf"])
def test_s11_frm_7_invalid_utf_8_in_a_header_is_malformed(
    clients: Clients, queue: str, version: str, line: bytes
) -> None:
    client = clients.connect(version)

    client.send(b"SEND\ndestination:" + queue.encode() + b"\n" + line + b"\n\n\0")

    client.expect_error("malformed-frame", "utf-8")


@pytest.mark.parametrize("version", VERSIONS)
def test_s12_frm_8_frame_without_headers_is_legal(clients: Clients, version: str) -> None:
    client = clients.connect(version)

    client.send(b"DISCONNECT\n\n\0")

    client.expect_closed()


def test_s12_frm_8_connect_without_headers_is_legal(clients: Clients) -> None:
    client = clients.dial()

    client.send(b"CONNECT\n\n\0")

    client.expect("CONNECTED")


def test_s10_frm_9_name_ends_at_the_first_colon(clients: Clients, queue: str) -> None:
    client = clients.connect("1.0")

    client.send(f"SEND\ndestination:{queue}\ntime:12:30:00\n\n\0".encode())

    client.subscribe(queue)
    client.expect("MESSAGE", time="12:30:00")


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_s11_frm_10_raw_colon_in_a_value_is_kept(clients: Clients, queue: str, version: str) -> None:
    client = clients.connect(version)

    client.send(f"SEND\ndestination:{queue}\ntime:12:30:00\n\n\0".encode())

    client.subscribe(queue)
    client.expect("MESSAGE", time="12:30:00")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("line", [":red", "colour", ":"])
def test_s11_frm_11_header_without_name_or_colon_is_malformed(
    clients: Clients, queue: str, version: str, line: str
) -> None:
    client = clients.connect(version)

    client.send(f"SEND\ndestination:{queue}\n{line}\n\n\0".encode())

    client.expect_error("malformed-frame", "header")


@pytest.mark.parametrize("version", VERSIONS)
def test_s11_frm_12_empty_value_is_legal(clients: Clients, queue: str, version: str) -> None:
    client = clients.connect(version)

    client.send(f"SEND\ndestination:{queue}\ncolour:\n\n\0".encode())

    client.subscribe(queue)
    client.expect("MESSAGE", colour="")


@pytest.mark.parametrize("version", VERSIONS)
def test_s10_frm_13_stray_nuls_between_frames_are_skipped(clients: Clients, version: str) -> None:
    client = clients.connect(version)

    client.send(b"\0\0\n\0BEGIN\ntransaction:t\nreceipt:1\n\n\0\0\0\n\0")

    client.expect("RECEIPT", receipt_id="1")
    client.expect_nothing()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("rest", "code"),
    [("cdef\na:b\n\n", "unknown-command"), ("cdef", "malformed-frame"), ("cdef\nno colon\n\n", "malformed-frame")],
)
def test_s10_frm_14_octets_behind_the_nul_are_the_next_command(
    clients: Clients, queue: str, version: str, rest: str, code: str
) -> None:
    client = clients.connect(version)

    client.send(f"SEND\ndestination:{queue}\ncontent-length:2\n\nab\0{rest}\0".encode())

    client.expect_error(code, "content-length", "previous frame")


@pytest.mark.parametrize("version", VERSIONS)
def test_s10_frm_15_who_types_line_ends_gets_them_behind_each_nul(clients: Clients, version: str) -> None:
    client = clients.dial()
    client.send(f"CONNECT\naccept-version:{version}\n\n\0\n".encode())
    client.expect("CONNECTED", version=version)
    client.use_version(version)
    client.wait_for_line_ends(1)

    client.send_frame("BEGIN", {"transaction": "t", "receipt": "1"})

    client.expect("RECEIPT", receipt_id="1")
    client.wait_for_line_ends(2)


@pytest.mark.parametrize("version", VERSIONS)
def test_s10_frm_15_programs_get_no_line_ends(clients: Clients, version: str) -> None:
    client = clients.connect(version)

    client.request("BEGIN", {"transaction": "t"})
    client.request("ABORT", {"transaction": "t"})

    assert client.line_ends == 0

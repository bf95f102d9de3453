"""STOMP rules, section 1.4: escaped octets in headers, and spaces around them."""

from __future__ import annotations

import pytest

from tests.conformance.conftest import Clients


def test_s10_esc_1_backslash_is_an_ordinary_octet_in_1_0(clients: Clients, queue: str) -> None:
    client = clients.connect("1.0")

    client.send(f"SEND\ndestination:{queue}\npath:a\\nb\\c\\\\\\t\\\n\n\0".encode())

    client.subscribe(queue)
    assert b"path:a\\nb\\c\\\\\\t\\" in client.expect("MESSAGE").header_lines


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_s11_esc_2_escapes_of_1_1_are_decoded_in_names_and_values(clients: Clients, queue: str, version: str) -> None:
    client = clients.connect(version)

    client.send(f"SEND\ndestination:{queue}\nna\\cm\\\\e:one\\ntwo\\cthree\\\\four\n\n\0".encode())

    client.subscribe(queue)
    assert client.expect("MESSAGE")["na:m\\e"] == "one\ntwo:three\\four"


def test_s12_esc_3_1_2_decodes_the_carriage_return(clients: Clients, queue: str) -> None:
    client = clients.connect("1.2")

    client.send(f"SEND\ndestination:{queue}\nna\\rme:one\\r\\ntwo\n\n\0".encode())

    client.subscribe(queue)
    assert client.expect("MESSAGE")["na\rme"] == "one\r\ntwo"


@pytest.mark.parametrize(
    ("version", "line"),
    [
        ("1.1", "colour:a\\rb"),
        ("1.1", "colour:a\\tb"),
        ("1.1", "colour:a\\"),
        ("1.1", "co\\rlour:red"),
        ("1.1", "colour\\:red"),
        ("1.2", "colour:a\\tb"),
        ("1.2", "colour:a\\"),
        ("1.2", "colour:a\\\\\\"),
        ("1.2", "colour:\\N"),
        ("1.2", "co\\tlour:red"),
        ("1.2", "colour\\:red"),
    ],
)
def test_s11_esc_4_undefined_escape_is_malformed(clients: Clients, queue: str, version: str, line: str) -> None:
    client = clients.connect(version)

    client.send(f"SEND\ndestination:{queue}\n{line}\n\n\0".encode())

    client.expect_error("malformed-frame", "backslash", f"STOMP {version}")


@pytest.mark.parametrize(
    ("version", "line"),
    [("1.1", b"na\\cme\r:a\\cb\\nc\\\\d\re"), ("1.2", b"na\\cme\\r:a\\cb\\nc\\\\d\\re")],
)
def test_s11_esc_5_names_and_values_are_encoded(clients: Clients, queue: str, version: str, line: bytes) -> None:
    sender, reader = clients.connect("1.2"), clients.connect(version)

    sender.request("SEND", {"destination": queue, "na:me\r": "a:b\nc\\d\re"})

    reader.subscribe(queue)
    assert line in reader.expect("MESSAGE").header_lines


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_s11_esc_6_decoding_is_one_pass_from_left_to_right(clients: Clients, queue: str, version: str) -> None:
    client = clients.connect(version)

    client.send(f"SEND\ndestination:{queue}\npath:C\\c\\\\new\\\\\\nend\n\n\0".encode())

    client.subscribe(queue)
    client.expect("MESSAGE", path="C:\\new\\\nend")


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_s11_esc_7_spaces_belong_to_names_and_values(clients: Clients, queue: str, version: str) -> None:
    client = clients.connect(version)

    client.send(f"SEND\ndestination:{queue}\n colour : red \n\n\0".encode())

    client.subscribe(queue)
    assert b" colour : red " in client.expect("MESSAGE").header_lines


def test_s10_esc_8_spaces_around_values_are_trimmed_in_1_0(clients: Clients, queue: str) -> None:
    client = clients.connect("1.0")

    client.send(f"SEND\ndestination: {queue} \ncolour:  light red  \n\n\0".encode())

    client.subscribe(queue)
    client.expect("MESSAGE", destination=queue, colour="light red")


def test_s10_esc_9_line_ends_in_values_are_dropped_for_1_0(clients: Clients, queue: str) -> None:
    sender, reader = clients.connect("1.2"), clients.connect("1.0")

    sender.send_message(queue, "text", colour="re\r\nd", path="a\\b", time="12:30")

    reader.subscribe(queue)
    assert reader.expect("MESSAGE", colour="red", path="a\\b", time="12:30").body == b"text"


@pytest.mark.parametrize("name", ["a:b", "a\nb"])
def test_s10_esc_9_names_that_1_0_cannot_write_are_left_out(clients: Clients, queue: str, name: str) -> None:
    sender, reader = clients.connect("1.2"), clients.connect("1.0")

    sender.request("SEND", {"destination": queue, name: "value", "colour": "red"})

    reader.subscribe(queue)
    message = reader.expect("MESSAGE", colour="red")
    assert not [own_name for own_name, value in message.headers if "value" in value]

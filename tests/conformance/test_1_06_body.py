"""STOMP rules, section 1.6: body, content-length, content-type."""

from __future__ import annotations

import pytest

from tests.conformance.conftest import Clients

VERSIONS = ["1.0", "1.1", "1.2"]


@pytest.mark.parametrize("version", VERSIONS)
def test_s12_len_1_connected_and_receipt_have_no_body(clients: Clients, version: str) -> None:
    client = clients.dial()

    frames = [client.connect(version), client.request("BEGIN", {"transaction": "t"})]

    assert [frame.body for frame in frames] == [b"", b""]


@pytest.mark.parametrize("version", VERSIONS)
def test_s12_len_2_body_of_another_frame_is_ignored(clients: Clients, queue: str, version: str) -> None:
    client = clients.connect(version)

    client.request("SUBSCRIBE", {"destination": queue, "id": "1"}, b"a body that nobody asked for")

    clients.connect().send_message(queue, "text")
    client.expect_bodies("text")


@pytest.mark.parametrize("version", VERSIONS)
def test_s10_len_3_content_length_says_how_many_octets_follow(clients: Clients, queue: str, version: str) -> None:
    client = clients.connect(version)
    body = b"\0one\0\ntwo\n\n\0\0\xff\xfe\r\n"

    client.send_message(queue, body, content_length=str(len(body)))

    client.subscribe(queue)
    assert client.expect("MESSAGE").body == body


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("body", ["abcd", "ab\0d"])
def test_s10_len_4_nul_must_follow_the_body(clients: Clients, queue: str, version: str, body: str) -> None:
    client = clients.connect(version)

    client.send(f"SEND\ndestination:{queue}\ncontent-length:3\n\n{body}\0".encode())

    client.expect_error("malformed-frame", "content-length")


@pytest.mark.parametrize("version", VERSIONS)
def test_s10_len_5_without_content_length_the_body_ends_at_the_first_nul(
    clients: Clients, queue: str, version: str
) -> None:
    client = clients.connect(version)

    client.send(f"SEND\ndestination:{queue}\n\none\n\ntwo\0\nSEND\ndestination:{queue}\n\nthree\0".encode())

    client.subscribe(queue)
    client.expect_bodies("one\n\ntwo", "three")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("length", "body"), [("0", b""), ("3", b"\0\0\0")])
def test_s12_len_6_content_length_is_honoured_on_every_frame(
    clients: Clients, version: str, length: str, body: bytes
) -> None:
    client = clients.connect(version)

    client.request("BEGIN", {"transaction": "t", "content-length": length}, body)

    client.request("ABORT", {"transaction": "t", "content-length": length}, body)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("body", [b"", b"text", "Größe".encode()])
def test_s11_len_7_message_carries_content_length(clients: Clients, queue: str, version: str, body: bytes) -> None:
    client = clients.connect(version)

    client.send_message(queue, body)

    client.subscribe(queue)
    client.expect("MESSAGE", content_length=str(len(body)))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("value", ["abc", "-1", "1.5", "", "0x10", "1 2", "\u0661"])
def test_s11_len_8_content_length_that_is_no_number_is_refused(
    clients: Clients, queue: str, version: str, value: str
) -> None:
    client = clients.connect(version)

    client.send_frame("SEND", {"destination": queue, "content-length": value}, b"text")

    client.expect_error("malformed-frame", "content-length")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("value", [str(16 * 1024 * 1024 + 1), "4294967295", "9" * 40])
def test_s11_len_8_content_length_over_the_limit_is_refused_before_the_body(
    clients: Clients, queue: str, version: str, value: str
) -> None:
    client = clients.connect(version)

    client.send(f"SEND\ndestination:{queue}\ncontent-length:{value}\n\n".encode())

    client.expect_error("frame-too-large", "body_bytes")


@pytest.mark.parametrize("version", VERSIONS)
def test_s10_len_9_content_length_counts_octets_and_the_error_says_so(
    clients: Clients, queue: str, version: str
) -> None:
    client = clients.connect(version)
    body = "Größe"

    client.send(f"SEND\ndestination:{queue}\ncontent-length:{len(body)}\n\n{body}\0".encode())

    text = client.expect_error("malformed-frame", "content-length").body.decode()
    assert "octets" in text or "bytes" in text


@pytest.mark.parametrize("version", VERSIONS)
def test_s11_ct_1_content_type_is_passed_on_unchanged(clients: Clients, queue: str, version: str) -> None:
    client = clients.connect(version)

    client.send_message(queue, content_type='application/x-Odd; Charset="latin-1"')

    client.subscribe(queue)
    client.expect("MESSAGE", content_type='application/x-Odd; Charset="latin-1"')


@pytest.mark.parametrize("version", VERSIONS)
def test_s11_ct_1_content_type_is_never_invented(clients: Clients, queue: str, version: str) -> None:
    client = clients.connect(version)

    client.send_message(queue, "text")

    client.subscribe(queue)
    assert "content-type" not in client.expect("MESSAGE")


def test_s12_ct_2_body_of_any_charset_is_not_transcoded(clients: Clients, queue: str) -> None:
    client = clients.connect()
    body = "Größe".encode("utf-16")

    client.send_message(queue, body, content_type="text/plain;charset=utf-16", content_length=str(len(body)))

    client.subscribe(queue)
    assert client.expect("MESSAGE", content_type="text/plain;charset=utf-16").body == body


def test_s12_ct_2_error_is_utf_8_text(clients: Clients) -> None:
    client = clients.connect()

    client.send_frame("BEGIN", {"transaktion": "Größe"})

    error = client.expect_error("missing-header", "transaction")
    assert error["content-type"].partition(";")[0] == "text/plain"
    assert error.body.decode("utf-8")


@pytest.mark.parametrize("version", VERSIONS)
def test_s11_ct_3_utf_8_passes_in_headers_and_body(clients: Clients, queue: str, version: str) -> None:
    client = clients.connect(version)

    client.send_message(queue, "¡Hola, señor! 漢字 🜁", title="¡Hola! 漢字 🜁", content_type="text/plain")

    client.subscribe(queue)
    message = client.expect("MESSAGE", title="¡Hola! 漢字 🜁")
    assert message.body.decode() == "¡Hola, señor! 漢字 🜁"

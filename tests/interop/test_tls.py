"""TLS: stomp.py and bare sockets against a broker with certificates of the tests' own authority."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import stomp

from tests.certificates import Authority
from tests.harness.process import BrokerProcess
from tests.harness.raw import PATIENCE_SECONDS, unique_name
from tests.harness.websocket import WebSocketStream
from tests.interop.test_stomp_py import Recorder

CONNECT = b"CONNECT\naccept-version:1.2\nhost:x\n\n\0"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Who signs the certificates of brokers and of most clients."""
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def broker(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    """A broker that asks for a login: one TLS listener for everybody, one for those with a certificate, and others."""
    directory = tmp_path_factory.mktemp("broker")
    (directory / "users").write_text("ann:secret\n")
    key = authority.issue("localhost")
    tls = f"privateKey={key}:interface=127.0.0.1"
    endpoints = [
        f"ssl:0:{tls}:clientCerts={authority.path}",
        f"ws:ssl:0:{tls}:clientCerts={authority.path}:clientAuth=optional",
        f"haproxy:ssl:0:{tls}",
    ]
    arguments = ["--auth", f"file:{directory / 'users'}", "--auth", "certificate:cn"]
    for endpoint in endpoints:
        arguments += ["--listen", endpoint]
    store = f"sqlite:///{directory / 'stompd.sqlite3'}"
    with BrokerProcess(directory, store, arguments=arguments, listen=f"ssl:0:{tls}") as broker:
        yield broker


def context(authority: Authority, certificate: Path | None = None) -> ssl.SSLContext:
    """Return what a client trusts and shows."""
    context = ssl.create_default_context(cafile=str(authority.path))
    if certificate is not None:
        context.load_cert_chain(certificate)
    return context


def dial(port: int, context: ssl.SSLContext, first: bytes = b"") -> ssl.SSLSocket:
    """Connect, and say something before TLS begins."""
    raw = socket.create_connection(("127.0.0.1", int(port)), PATIENCE_SECONDS)
    raw.sendall(first)
    return context.wrap_socket(raw, server_hostname="localhost")


def read_to_end(client: socket.socket) -> bytes:
    octets = b""
    while chunk := client.recv(65_536):
        octets += chunk
    return octets


def ask(port: int, context: ssl.SSLContext) -> bytes:
    """CONNECT, and return all that comes."""
    with dial(port, context) as client:
        client.sendall(CONNECT)
        return read_to_end(client)


def converse(broker: BrokerProcess, port: int, recorder: Recorder, **options: Any) -> None:
    """Let stomp.py log in, send a message and receive it."""
    login = {name: options.pop(name) for name in ("username", "passcode") if name in options}
    connection = stomp.StompConnection12([("localhost", port)], try_loopback_connect=False, reconnect_attempts_max=1)
    connection.set_ssl(for_hosts=[("localhost", port)], **options)
    connection.set_listener("recorder", recorder)
    connection.connect(wait=True, **login)
    queue = unique_name("/queue/tls")
    connection.subscribe(queue, id="1")
    connection.send(queue, "hello")
    recorder.expect("CONNECTED")
    recorder.expect_bodies("hello")
    connection.disconnect(receipt="bye")
    connection.transport.io_thread.join(PATIENCE_SECONDS)


def test_stomp_py_over_tls(broker: BrokerProcess, authority: Authority) -> None:
    converse(broker, broker.port, Recorder(), ca_certs=str(authority.path), username="ann", passcode="secret")


def test_stomp_py_logs_in_by_certificate(broker: BrokerProcess, authority: Authority) -> None:
    path = str(authority.issue("billing"))

    converse(broker, broker.ports[1], Recorder(), ca_certs=str(authority.path), cert_file=path, key_file=path)

    assert "connected as billing" in broker.output


def test_client_without_a_certificate_is_not_let_in(broker: BrokerProcess, authority: Authority) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError)):
        ask(broker.ports[1], context(authority))


def test_certificate_of_another_authority_is_not_let_in(
    broker: BrokerProcess, authority: Authority, tmp_path: Path
) -> None:
    forged = Authority(tmp_path).issue("billing")

    with pytest.raises((ssl.SSLError, ConnectionError)):
        ask(broker.ports[1], context(authority, forged))
    broker.wait_for_output("A client's certificate is not accepted: CN=billing")


def test_login_in_connect_comes_before_the_certificate(broker: BrokerProcess, authority: Authority) -> None:
    with dial(broker.ports[1], context(authority, authority.issue("shipping"))) as client:
        client.sendall(CONNECT.replace(b"host:x\n", b"host:x\nlogin:ann\npasscode:secret\n"))

        assert b"\nuser-name:ann\n" in client.recv(65_536)


@pytest.mark.parametrize("name", ["billing", None])
def test_websocket_over_tls_knows_the_certificate(
    broker: BrokerProcess, authority: Authority, name: str | None
) -> None:
    certificate = None if name is None else authority.issue(name)
    with dial(broker.ports[2], context(authority, certificate)) as raw:
        client = WebSocketStream(raw)
        client.open()

        client.sendall(CONNECT)

        octets = client.recv(65_536)
        assert (b"\nuser-name:billing\n" in octets) is (name is not None)
        assert (b"\nerror-code:login-failed\n" in octets) is (name is None)


def test_tls_behind_a_proxy_header(broker: BrokerProcess, authority: Authority) -> None:
    with dial(broker.ports[3], context(authority), b"PROXY TCP4 192.0.2.1 192.0.2.2 40000 61614\r\n") as client:
        client.sendall(CONNECT.replace(b"host:x\n", b"host:x\nlogin:ann\npasscode:secret\n"))

        assert client.recv(65_536).startswith(b"CONNECTED\n")
    assert "192.0.2.1:40000 session" in broker.output


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_tls_is_refused(broker: BrokerProcess, authority: Authority, version: ssl.TLSVersion) -> None:
    old = context(authority)
    old.minimum_version = ssl.TLSVersion.TLSv1
    old.maximum_version = version
    old.set_ciphers("ALL:@SECLEVEL=0")

    with pytest.raises((ssl.SSLError, ConnectionError)):
        dial(broker.port, old)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_new_tls_is_spoken(broker: BrokerProcess, authority: Authority, version: ssl.TLSVersion) -> None:
    new = context(authority)
    new.minimum_version = new.maximum_version = version

    with dial(broker.port, new) as client:
        client.sendall(CONNECT)

        assert client.recv(65_536).startswith(b"ERROR\n")


@pytest.mark.parametrize("octets", [CONNECT, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\xff" * 100])
def test_what_is_no_tls_is_told_so(broker: BrokerProcess, octets: bytes) -> None:
    with socket.create_connection(("127.0.0.1", broker.port), PATIENCE_SECONDS) as client:
        client.sendall(octets)

        assert b"This port speaks TLS" in read_to_end(client)


def test_broken_handshake_harms_nobody(broker: BrokerProcess, authority: Authority) -> None:
    with socket.create_connection(("127.0.0.1", broker.port), PATIENCE_SECONDS) as client:
        client.sendall(b"\x16\x03\x01\x00\x05rubbish")
        read_to_end(client)

    test_stomp_py_over_tls(broker, authority)


def test_certificate_is_replaced_without_a_restart(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    key = authority.issue("localhost", to="server")
    listen = f"ssl:0:privateKey={key}:interface=127.0.0.1"
    with BrokerProcess(tmp_path, "memory:", listen=listen) as broker:
        with dial(broker.port, context(authority)) as client:
            first = client.getpeercert(binary_form=True)
            authority.issue("localhost", to="server")
            with dial(broker.port, context(authority)) as other:
                second = other.getpeercert(binary_form=True)
            key.write_text("rubbish")
            with dial(broker.port, context(authority)) as other:
                third = other.getpeercert(binary_form=True)
            client.sendall(CONNECT)
            survived = client.recv(65_536)

        assert first != second
        assert second == third
        assert survived.startswith(b"CONNECTED\n")
        assert "The certificate was reloaded" in broker.output
        assert "the old one is kept" in broker.output

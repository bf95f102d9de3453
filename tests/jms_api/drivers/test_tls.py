"""TLS: the driver's own, without any I/O, against the broker's."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from jms_api import JMSException, Queue
from tests.harness.process import BrokerProcess
from tests.jms_api.drivers.ways import Way

_SCHEMES = ("stomp+ssl", "wss")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a certificate for 127.0.0.1 and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "stompd")])
    now = datetime.datetime.now(datetime.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "broker.pem"
    form = serialization.PrivateFormat.PKCS8
    private = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    file.write_bytes(private + built.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.fixture(scope="module")
def ports(certificate: Path, store_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[int]]:
    """Where a broker speaks plain STOMP, STOMP within TLS, and WebSocket within TLS."""
    endpoint = f"ssl:0:interface=127.0.0.1:privateKey={certificate}:certKey={certificate}"
    directory = tmp_path_factory.mktemp("broker")
    arguments = ["--listen", endpoint, "--listen", f"ws:{endpoint}"]
    with BrokerProcess(directory, store_url, arguments=arguments) as broker:
        yield [int(port) for port in broker.ports]


@pytest.fixture(params=_SCHEMES)
def encrypted(request: pytest.FixtureRequest, ports: list[int]) -> str:
    """The URL of a broker that speaks TLS."""
    return f"{request.param}://127.0.0.1:{ports[_SCHEMES.index(request.param) + 1]}"


def test_messages_pass(way: Way, encrypted: str, certificate: Path, queue: Queue) -> None:
    text = "x" * 100_000

    with way.factory(encrypted, ca_file=str(certificate)).create_context() as context:
        context.create_producer().send(queue, text)
        received: Any = context.create_consumer(queue).receive(10_000)

    assert received.text == text


def test_unknown_certificate_is_refused(way: Way, encrypted: str) -> None:
    factory = way.factory(encrypted)

    with pytest.raises(JMSException, match="certificate verify failed"):
        factory.create_connection()


def test_plain_port_is_noticed(way: Way, ports: list[int], certificate: Path) -> None:
    factory = way.factory(f"stomp+ssl://127.0.0.1:{ports[0]}", ca_file=str(certificate))

    with pytest.raises(JMSException):
        factory.create_connection()

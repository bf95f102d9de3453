"""Endpoint strings: which are local, and which are malformed."""

from __future__ import annotations

from pathlib import Path

import pytest

from stompd.endpoint import is_local
from stompd.errors import SettingError


@pytest.mark.parametrize(
    "endpoint",
    [
        "tcp:61613:interface=127.0.0.1",
        "tcp:61613:127.0.0.1",
        "tcp:interface=127.8.9.1:port=61613",
        "tcp:61613:interface=localhost",
        r"tcp6:61613:interface=\:\:1",
        r"tcp:61613:interface=\:\:1",
        "unix:/var/run/stompd",
        r"unix:C\:/stompd:mode=600",
    ],
)
def test_loopback_and_unix_sockets_are_local(endpoint: str) -> None:
    assert is_local(endpoint)


@pytest.mark.parametrize(
    "endpoint",
    [
        "tcp:61613",
        "tcp:61613:interface=",
        "tcp:61613:interface=0.0.0.0",
        r"tcp:61613:interface=\:\:",
        "tcp:61613:interface=192.168.0.1",
        "tcp:61613:interface=127.0.0.1.example.org",
        "tcp6:61613",
        "haproxy:tcp:61613:interface=127.0.0.1",
        "systemd:domain=INET:index=0",
        "stdio:",
    ],
)
def test_what_is_not_proven_local_is_not(endpoint: str) -> None:
    assert not is_local(endpoint)


def test_interface_counts_for_tls_as_well(certificate: Path) -> None:
    assert is_local(f"ssl:61614:interface=127.0.0.1:privateKey={certificate}")
    assert not is_local(f"ssl:61614:privateKey={certificate}")


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "61613",
        "tcp",
        "tcp:",
        "tcp:port",
        "tcp:61613:127.0.0.1:5:6:7",
        "tcp:61613:colour=red",
        "tcp:61613:interface=127.0.0.1\\",
        "tcp:65536",
        "tcp:-1",
        "haproxy:tcp:port",
        "unix",
        "ssl:61614:privateKey=/nowhere/key.pem",
        "pigeon:7",
    ],
)
def test_malformed_endpoint_is_refused_by_name(endpoint: str) -> None:
    with pytest.raises(SettingError) as caught:
        is_local(endpoint)

    assert str(caught.value).startswith(f"endpoint {endpoint!r} cannot be used: ")


def test_file_that_is_no_certificate_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_text("not a key")

    with pytest.raises(SettingError, match="cannot be used"):
        is_local(f"ssl:61614:privateKey={path}")


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A file with a private key and a certificate signed with it."""
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "server.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return path

"""Endpoint strings: which are local, and which are malformed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from stompd.endpoint import is_local, parse_endpoint
from stompd.errors import SettingError
from stompd.net.tls import TlsFiles
from tests.certificates import Authority


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
    """A file with a private key and a certificate for it."""
    return Authority(tmp_path).issue("localhost")


@pytest.mark.parametrize(
    ("prefix", "layers", "is_proven"),
    [("ws:", "ws:", True), ("haproxy:", "haproxy:", False), ("ws:haproxy:", "ws:haproxy:", False)],
)
def test_layers_stand_in_front(prefix: str, layers: str, is_proven: bool) -> None:
    description = f"{prefix}tcp:61613:interface=127.0.0.1"

    endpoint = parse_endpoint(description)

    assert endpoint.layers == layers
    assert endpoint.base == "tcp:61613:interface=127.0.0.1"
    assert is_local(description) is is_proven


def test_order_of_layers_does_not_matter() -> None:
    one, other = parse_endpoint("ws:haproxy:tcp:1"), parse_endpoint("haproxy:ws:tcp:1")

    assert replace(one, description="") == replace(other, description="")


def test_tls_is_taken_out_of_an_endpoint() -> None:
    endpoint = parse_endpoint(
        r"ws:ssl:61614:privateKey=/a\:b.pem:certKey=c.pem:interface=\:\:1:extraCertChain=d.pem:"
        "clientCerts=e.pem:clientAuth=optional"
    )

    assert endpoint.layers == "ws:ssl:"
    assert endpoint.base == r"tcp:61614:interface=\:\:1"
    assert endpoint.tls == TlsFiles(
        Path("/a:b.pem"), Path("c.pem"), Path("d.pem"), Path("e.pem"), requires_client=False
    )


def test_tls_needs_one_file_at_least() -> None:
    tls = parse_endpoint("ssl:61614:privateKey=a.pem:clientCerts=b.pem").tls

    assert tls == TlsFiles(Path("a.pem"), Path("a.pem"), None, Path("b.pem"), requires_client=True)


@pytest.mark.parametrize("base", ["systemd:domain=INET:index=0", "unix:/run/stompd.sock", r"tcp6:1:interface=\:\:1"])
def test_tls_may_be_on_any_endpoint(base: str) -> None:
    assert parse_endpoint(f"ssl:{base}:privateKey=a.pem").base == base


@pytest.mark.parametrize(
    ("endpoint", "words"),
    [
        ("ssl:61614", "privateKey=FILE"),
        ("ssl:61614:privateKey={}:clientAuth=optional", "clientCerts=FILE"),
        ("ssl:61614:privateKey={}:clientCerts={}:clientAuth=perhaps", "required or optional"),
        ("ssl:61614:privateKey={}:sslmethod=SSLv3_METHOD", "sslmethod"),
        ("ssl:61614:privateKey={}:certKey=/nowhere/cert.pem", "cannot be used"),
        ("ssl:61614:privateKey={}:extraCertChain=/nowhere/chain.pem", "No such file"),
        ("ssl:61614:privateKey={}:clientCerts=/nowhere/ca.pem", "cannot be used"),
        ("ws:ws:tcp:1", "'ws' is none of the known kinds"),
        ("ws:", "is none of the known kinds"),
    ],
)
def test_mistake_in_a_layer_is_named(certificate: Path, endpoint: str, words: str) -> None:
    with pytest.raises(SettingError, match=words):
        is_local(endpoint.replace("{}", str(certificate)))


def test_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    one, other = authority.issue("one"), authority.issue("other")

    with pytest.raises(SettingError, match="cannot be used"):
        is_local(f"ssl:61614:privateKey={one}:certKey={other}")

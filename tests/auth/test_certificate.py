"""Login by certificate: who is named in it, and whom a file makes of that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate
from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.error import LoginFailed
from zope.interface.verify import verifyObject

from stompd.auth.certificate import CertificateLogin
from stompd.auth.checkers import make_portal
from stompd.errors import SettingError
from stompd.interfaces import IPeerCertificate, IStompUser
from stompd.net.credentials import PeerCertificate
from tests.certificates import Authority
from tests.logged import LoggedEvents, logged  # noqa: F401  # a fixture for every test here


@pytest.fixture
def shown(tmp_path: Path) -> PeerCertificate:
    """The certificate of the billing service."""
    path = Authority(tmp_path).issue("billing", organization="Example", alternative="billing@example.org")
    certificate = load_pem_x509_certificate(path.read_bytes())
    return PeerCertificate(certificate.public_bytes(Encoding.DER))


def login(checker: CertificateLogin, shown: PeerCertificate) -> Any:
    """Return the login, or the failure."""
    outcomes: list[Any] = []
    checker.requestAvatarId(shown).addBoth(outcomes.append)
    return outcomes[0]


def test_checker_and_credentials_provide_what_cred_uses(shown: PeerCertificate) -> None:
    assert verifyObject(ICredentialsChecker, CertificateLogin("cn"))
    assert verifyObject(IPeerCertificate, shown)


@pytest.mark.parametrize(
    ("kind", "name"), [("cn", b"billing"), ("dn", b"O=Example,CN=billing"), ("san", b"billing@example.org")]
)
def test_name_in_the_certificate_is_the_login(shown: PeerCertificate, kind: str, name: bytes) -> None:
    assert login(CertificateLogin(kind), shown) == name


@pytest.mark.parametrize(
    ("kind", "name"), [("cn", "billing"), ("dn", "O=Example,CN=billing"), ("san", "billing@example.org")]
)
def test_file_maps_the_name_to_a_login(shown: PeerCertificate, tmp_path: Path, kind: str, name: str) -> None:
    file = tmp_path / "certificates"
    file.write_text(f"# who is who\n\nann:other\nbob:{name}\n")

    assert login(CertificateLogin(f"{kind}:{file}"), shown) == b"bob"


def test_certificate_that_maps_to_nobody_is_refused(
    shown: PeerCertificate,
    tmp_path: Path,
    logged: LoggedEvents,  # noqa: F811
) -> None:
    file = tmp_path / "certificates"
    file.write_text("ann:other\n")

    assert login(CertificateLogin(f"cn:{file}"), shown).check(LoginFailed)
    assert any("billing" in line and "maps to nobody" in line for line in logged.lines)


def test_file_is_read_for_every_login(shown: PeerCertificate, tmp_path: Path) -> None:
    file = tmp_path / "certificates"
    file.write_text("ann:other\n")
    checker = CertificateLogin(f"cn:{file}")

    file.write_text("ann:billing\n")

    assert login(checker, shown) == b"ann"


def test_file_that_is_gone_lets_nobody_in(
    shown: PeerCertificate,
    tmp_path: Path,
    logged: LoggedEvents,  # noqa: F811
) -> None:
    file = tmp_path / "certificates"
    file.write_text("ann:billing\n")
    checker = CertificateLogin(f"cn:{file}")

    file.unlink()

    assert login(checker, shown).check(LoginFailed)
    assert any("Nobody can log in by certificate" in line for line in logged.lines)


def test_octets_that_are_no_certificate_are_refused(logged: LoggedEvents) -> None:  # noqa: F811
    assert login(CertificateLogin("cn"), PeerCertificate(b"rubbish")).check(LoginFailed)


@pytest.mark.parametrize("description", ["", "ou", "cn:/nowhere/file"])
def test_description_that_means_nothing_is_refused(description: str) -> None:
    with pytest.raises(SettingError, match="'certificate' cannot be used"):
        make_portal([f"certificate:{description}"], allow_anonymous=False)


def test_malformed_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "certificates"
    file.write_text("ann\n")

    with pytest.raises(SettingError, match="line 1 of"):
        make_portal([f"certificate:cn:{file}"], allow_anonymous=False)


def test_portal_lets_a_certificate_in_where_one_counts(shown: PeerCertificate) -> None:
    avatars: list[Any] = []

    make_portal(["certificate:cn"], allow_anonymous=False).login(shown, None, IStompUser).addCallback(avatars.append)

    assert avatars[0][1].name == "billing"


def test_portal_takes_no_certificates_where_none_counts() -> None:
    assert IPeerCertificate not in make_portal([], allow_anonymous=True).listCredentialsInterfaces()

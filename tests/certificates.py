"""An authority of the tests, and certificates that it signs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@final
class Authority:
    """Signs certificates and writes them to files."""

    def __init__(self, directory: Path, name: str = "authority") -> None:
        """Make an authority whose own certificate is the file `path`."""
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        certificate = _builder(self._name, self._name, self._key).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        self.path = directory / f"{name}.pem"
        self.path.write_bytes(_pem(certificate.sign(self._key, hashes.SHA256())))

    def issue(self, name: str, *, to: str | None = None, organization: str = "", alternative: str = "") -> Path:
        """Return a file with a new key and a certificate for it.

        Args:
            name: The common name, and a DNS name if nothing else is given.
            to: The name of the file; that of the certificate if it is None.
            organization: What else the distinguished name has.
            alternative: A mail address in place of the DNS name.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        names = [x509.RFC822Name(alternative) if alternative else x509.DNSName(name)]
        certificate = _builder(_name(name, organization), self._name, key).add_extension(
            x509.SubjectAlternativeName(names), critical=False
        )
        path = self._directory / f"{to or name}.pem"
        octets = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        # As those do it who care: the new file takes the place of the old one at once.
        fresh = path.with_suffix(".new")
        fresh.write_bytes(octets + _pem(certificate.sign(self._key, hashes.SHA256())))
        fresh.replace(path)
        return path


def _name(common: str, organization: str = "") -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common)]
    if organization:
        attributes.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    return x509.Name(attributes)


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder(subject_name=subject, issuer_name=issuer, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)

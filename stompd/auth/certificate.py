"""Login by the certificate that a client has shown in TLS."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import final

from cryptography import x509
from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.error import UnauthorizedLogin
from twisted.internet.defer import Deferred, fail, succeed
from twisted.logger import Logger
from zope.interface import implementer

from stompd.interfaces import IPeerCertificate

_log = Logger()


@final
@implementer(ICredentialsChecker)
class CertificateLogin:
    """Lets in whoever shows a certificate, as the user that is named in it or that a file maps it to.

    TLS has verified the certificate: its issuer is among the authorities of the listener. In the file, a line
    `login:name` maps a name to a login; empty lines and lines that begin with `#` are skipped. It is read anew for
    every login. Who is not in it cannot log in.
    """

    credentialInterfaces = (IPeerCertificate,)

    def __init__(self, description: str) -> None:
        """Look where the description says.

        Args:
            description: `cn`, `dn` or `san`, and perhaps the path of a file, with a colon between.

        Raises:
            ValueError: It is something else, or a line of the file is malformed.
            OSError: The file cannot be read.
        """
        kind, _, path = description.partition(":")
        if kind not in _NAMES:
            raise ValueError(f"{kind!r} is no part of a certificate that names somebody; use cn, dn or san")
        self._names = _NAMES[kind]
        self._path = Path(path) if path else None
        if self._path is not None:
            _read(self._path)

    def requestAvatarId(self, credentials: IPeerCertificate) -> Deferred[bytes | tuple[()]]:
        """Return the login, or fail with `UnauthorizedLogin`."""
        try:
            names = self._names(x509.load_der_x509_certificate(credentials.certificate))
            logins = None if self._path is None else _read(self._path)
        except (OSError, ValueError) as error:
            _log.error("Nobody can log in by certificate: {error}", error=error)
            return fail(UnauthorizedLogin())
        known = names if logins is None else [logins[name] for name in names if name in logins]
        if known and known[0]:
            login: bytes | tuple[()] = known[0].encode()
            return succeed(login)
        _log.info("The certificate of {names} maps to nobody", names=names)
        return fail(UnauthorizedLogin())


def _common_names(certificate: x509.Certificate) -> list[str]:
    found = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return [str(attribute.value) for attribute in found]


def _distinguished_names(certificate: x509.Certificate) -> list[str]:
    return [certificate.subject.rfc4514_string()]


def _alternative_names(certificate: x509.Certificate) -> list[str]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    kinds = (x509.RFC822Name, x509.UniformResourceIdentifier, x509.DNSName)
    return [str(name.value) for name in extension.value if isinstance(name, kinds)]


#: By the first word of the description: where the names stand in a certificate.
_NAMES: Mapping[str, Callable[[x509.Certificate], list[str]]] = {
    "cn": _common_names,
    "dn": _distinguished_names,
    "san": _alternative_names,
}


def _read(path: Path) -> dict[str, str]:
    """Return the login for each name in a file."""
    logins = {}
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        login, _, name = line.partition(":")
        if not (login and name):
            raise ValueError(f"line {number} of {path} is not login:name")
        logins[name] = login
    return logins

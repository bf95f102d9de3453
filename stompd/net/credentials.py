"""Which credentials a connection logs in with: those of CONNECT, of its HTTP request, or of its certificate."""

from __future__ import annotations

from typing import Protocol, final, runtime_checkable

from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL.crypto import X509
from twisted.cred.credentials import Anonymous, ICredentials, UsernamePassword
from twisted.cred.portal import Portal
from zope.interface import implementer

from stompd.interfaces import IBearerToken, IPeerCertificate
from stompd.net.transport import StreamTransport
from stompd.net.upgrade import Authorization
from stompd.session.login import Login


@runtime_checkable
class _Authorized(Protocol):
    """A transport that came about by an HTTP request."""

    authorization: Authorization | None


@runtime_checkable
class _Certified(Protocol):
    """A transport whose peer may have shown a certificate."""

    def getPeerCertificate(self) -> X509 | None: ...  # noqa: N802  # Twisted's


@final
@implementer(IBearerToken, ICredentials)
class BearerToken:
    """A token from the passcode of a CONNECT without a login, or from `Authorization: Bearer` of a WebSocket."""

    __slots__ = ("token",)

    def __init__(self, token: str) -> None:
        """Keep a token as it was sent."""
        self.token = token


@final
@implementer(IPeerCertificate, ICredentials)
class PeerCertificate:
    """The certificate of a client, which TLS has verified."""

    __slots__ = ("certificate",)

    def __init__(self, certificate: bytes) -> None:
        """Keep a certificate in DER."""
        self.certificate = certificate


def choose_credentials(login: Login, transport: StreamTransport, portal: Portal) -> ICredentials:
    """Return what the portal is asked with: the first that there is of CONNECT's, HTTP's and TLS's credentials."""
    if login.login is not None or login.passcode is not None:
        return _passcode(login.login, login.passcode)
    return transport_credentials(transport, portal) or Anonymous()


def transport_credentials(transport: StreamTransport, portal: Portal) -> ICredentials | None:
    """Return what a transport knows of its peer, as soon as that has said CONNECT; None if that is nothing.

    A certificate counts where the portal has a use for one; else who shows it is a stranger like others.
    """
    if isinstance(transport, _Authorized) and transport.authorization is not None:
        return _passcode(transport.authorization.login, transport.authorization.passcode)
    certificate = transport.getPeerCertificate() if isinstance(transport, _Certified) else None
    if certificate is None or IPeerCertificate not in portal.listCredentialsInterfaces():
        return None
    return PeerCertificate(certificate.to_cryptography().public_bytes(Encoding.DER))


def _passcode(login: str | None, passcode: str | None) -> ICredentials:
    if login is None:
        # A token says by itself whose it is, and comes without a login.
        return BearerToken(passcode or "")
    return UsernamePassword(login.encode(), (passcode or "").encode())

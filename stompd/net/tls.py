"""TLS of a listener: its certificate, which may be replaced while the broker runs, and what it asks of clients."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import final

from cryptography.x509 import load_pem_x509_certificates
from OpenSSL import SSL
from OpenSSL.crypto import X509
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator, IProtocolFactory, IReactorTime
from twisted.logger import Logger
from twisted.protocols.tls import BufferingTLSTransport, TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from zope.interface import implementer

from stompd.net.recognition import Opening, recognise
from stompd.net.transport import StreamTransport, name_peer

_log = Logger()

#: Nothing but what TLS 1.2 has with forward secrecy and authentication of its octets; TLS 1.3 has nothing else.
_CIPHERS = b"ECDHE+AESGCM:ECDHE+CHACHA20"

_OPTIONS = SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION | SSL.OP_CIPHER_SERVER_PREFERENCE | SSL.OP_NO_TICKET

#: What OpenSSL and the file system raise for a file that is missing, no PEM, or does not fit the others.
TLS_ERRORS = (SSL.Error, OSError, ValueError)

_ADVICE = b"""\
ERROR
message:The octets are not STOMP
error-code:protocol-error
content-type:text/plain

This port speaks TLS, and nothing else.
\0"""


@final
@dataclass(frozen=True, slots=True)
class TlsFiles:
    """The files of one listener, in PEM."""

    private_key: Path
    #: The certificate, and those between it and the authority behind it.
    certificate: Path
    #: More of those between.
    extra_chain: Path | None = None
    #: The authorities whose certificates clients may show; None asks for none.
    client_authorities: Path | None = None
    #: Whether clients have to show one.
    requires_client: bool = True

    @property
    def paths(self) -> list[Path]:
        """All of them."""
        files = (self.private_key, self.certificate, self.extra_chain, self.client_authorities)
        return [path for path in files if path is not None]


@final
@implementer(IOpenSSLServerConnectionCreator)
class Certificates:
    """Gives each new connection a context of the files as they are then.

    If they cannot be used when they have changed, the last ones that could are kept, and the log says why.
    """

    def __init__(self, files: TlsFiles) -> None:
        """Read the files.

        Raises:
            SSL.Error, OSError, ValueError: They cannot be used.
        """
        self._files = files
        self._stamp = self._read_stamp()
        self._context = make_context(files)

    def serverConnectionForTLS(self, protocol: TLSMemoryBIOProtocol) -> SSL.Connection:  # noqa: N802  # Twisted's
        """Return the TLS of one connection."""
        stamp = self._read_stamp()
        if stamp != self._stamp:
            self._stamp = stamp
            self._reload()
        return SSL.Connection(self._context, None)

    def _reload(self) -> None:
        try:
            self._context = make_context(self._files)
        except TLS_ERRORS as error:
            _log.error(
                "The new certificate cannot be used, the old one is kept: {path}: {error}",
                path=str(self._files.certificate),
                error=error,
            )
        else:
            _log.info("The certificate was reloaded: {path}", path=str(self._files.certificate))

    def _read_stamp(self) -> list[tuple[int, int, int]]:
        """Return what changes when a file does; a look at the file system costs little beside a handshake."""
        stamps = []
        for path in self._files.paths:
            try:
                status = path.stat()
            except OSError:
                stamps.append((0, 0, 0))
            else:
                stamps.append((status.st_mtime_ns, status.st_size, status.st_ino))
        return stamps


def make_context(files: TlsFiles) -> SSL.Context:
    """Return the context that some files make.

    Raises:
        SSL.Error, OSError, ValueError: They cannot be used.
    """
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_options(_OPTIONS)
    context.set_cipher_list(_CIPHERS)
    # A session that was resumed would outlive its certificate.
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.use_certificate_chain_file(str(files.certificate))
    context.use_privatekey_file(str(files.private_key))
    context.check_privatekey()
    if files.extra_chain is not None:
        for certificate in load_pem_x509_certificates(files.extra_chain.read_bytes()):
            context.add_extra_chain_cert(certificate)
    if files.client_authorities is not None:
        context.load_verify_locations(str(files.client_authorities))
        required = SSL.VERIFY_FAIL_IF_NO_PEER_CERT if files.requires_client else 0
        context.set_verify(SSL.VERIFY_PEER | required, _keep_verdict)
    return context


def _keep_verdict(connection: SSL.Connection, certificate: X509, error: int, depth: int, is_verified: int) -> bool:
    """Let OpenSSL's own verdict on a client's certificate stand, and tell the operator."""
    if not is_verified:
        name = certificate.to_cryptography().subject.rfc4514_string()
        _log.info("A client's certificate is not accepted: {name}, error {error} of OpenSSL", name=name, error=error)
    return bool(is_verified)


@final
class _Listener(BufferingTLSTransport):
    """Tells whoever speaks no TLS what to do, where OpenSSL would only hang up."""

    transport: StreamTransport  # type: ignore[assignment]  # narrower than Twisted's: there is one while connected
    _is_tls = False

    def dataReceived(self, octets: bytes) -> None:
        """Take what was received."""
        if not self._is_tls:
            opening = recognise(octets)
            if opening is not Opening.TLS and opening is not None:
                _log.info("{peer}: {opening} came where TLS is spoken", peer=name_peer(self), opening=opening.value)
                self.transport.write(_ADVICE)
                self.transport.loseConnection()
                return
            self._is_tls = True
        super().dataReceived(octets)  # type: ignore[no-untyped-call]  # Twisted's


def make_tls_factory(
    certificates: Certificates, wrapped: IProtocolFactory, reactor: IReactorTime
) -> TLSMemoryBIOFactory:
    """Return a factory that puts TLS below what another one makes."""
    factory = TLSMemoryBIOFactory(certificates, False, wrapped, clock=reactor)
    factory.protocol = _Listener
    factory.noisy = False
    return factory

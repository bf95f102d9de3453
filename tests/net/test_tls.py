"""TLS of a listener, without sockets: contexts, reloading, and what is no TLS."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from OpenSSL import SSL
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from zope.interface.verify import verifyObject

from stompd.net.tls import TLS_ERRORS, Certificates, TlsFiles, make_context, make_tls_factory
from tests.certificates import Authority
from tests.logged import LoggedEvents
from tests.net.site import Site, Transport, frame

CONNECT = frame("CONNECT", accept_version="1.2", host="x")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def files(authority: Authority) -> TlsFiles:
    """The server's, in one file."""
    path = authority.issue("localhost", to="server")
    return TlsFiles(path, path)


class Peer:
    """A client whose octets go to a listener without a network."""

    def __init__(self, certificates: Certificates, site: Site | None = None, *, shown: Path | None = None) -> None:
        site = site or Site()
        self.server = make_tls_factory(certificates, site.factory, site.reactor).buildProtocol(None)
        self.transport = Transport(self.server)
        self.server.makeConnection(self.transport)
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        if shown is not None:
            context.use_certificate_chain_file(str(shown))
            context.use_privatekey_file(str(shown))
        self.tls = SSL.Connection(context, None)
        self.tls.set_connect_state()
        self._site = site

    def exchange(self) -> None:
        """Let octets go both ways until there are none."""
        for _ in range(6):
            try:
                self.server.dataReceived(self.tls.bio_read(65_536))
            except SSL.WantReadError:
                self._site.advance(0)
            octets = self.transport.value()
            self.transport.clear()
            if octets:
                self.tls.bio_write(octets)

    def shake_hands(self) -> Any:
        """Return the certificate of the server."""
        for _ in range(3):
            try:
                self.tls.do_handshake()
            except SSL.WantReadError:
                self.exchange()
        self.exchange()
        return self.tls.get_peer_certificate(as_cryptography=True).serial_number

    def ask(self, octets: bytes) -> bytes:
        """Send octets, and return what comes."""
        self.tls.send(octets)
        self.exchange()
        return self.tls.recv(65_536)


def test_certificates_provide_what_twisted_calls(files: TlsFiles) -> None:
    assert verifyObject(IOpenSSLServerConnectionCreator, Certificates(files))


def test_session_over_tls(files: TlsFiles) -> None:
    peer = Peer(Certificates(files))
    peer.shake_hands()

    assert peer.ask(CONNECT).startswith(b"CONNECTED\n")


def test_new_certificate_counts_for_new_connections(
    files: TlsFiles, authority: Authority, logged: LoggedEvents
) -> None:
    certificates = Certificates(files)
    old = Peer(certificates)
    first = old.shake_hands()

    authority.issue("localhost", to="server")
    second = Peer(certificates).shake_hands()

    assert first != second
    assert old.ask(CONNECT).startswith(b"CONNECTED\n")
    assert [line for line in logged.lines if "reloaded" in line] == [
        f"The certificate was reloaded: {files.certificate}"
    ]


@pytest.mark.parametrize("is_gone", [True, False])
def test_certificate_that_cannot_be_used_changes_nothing(files: TlsFiles, logged: LoggedEvents, is_gone: bool) -> None:
    certificates = Certificates(files)
    first = Peer(certificates).shake_hands()

    if is_gone:
        files.certificate.unlink()
    else:
        files.certificate.write_text("rubbish")
    serials = [Peer(certificates).shake_hands() for _ in range(3)]

    assert serials == [first] * 3
    assert sum("the old one is kept" in line for line in logged.lines) == 1


def test_certificate_that_stays_is_not_read_again(files: TlsFiles, logged: LoggedEvents) -> None:
    certificates = Certificates(files)

    Peer(certificates).shake_hands()

    assert not any("certificate" in line for line in logged.lines)


def test_key_of_another_certificate_is_an_error(authority: Authority) -> None:
    one, other = authority.issue("one"), authority.issue("other")

    with pytest.raises(TLS_ERRORS):
        make_context(TlsFiles(one, other))


def test_chain_is_sent(files: TlsFiles, authority: Authority) -> None:
    peer = Peer(Certificates(TlsFiles(files.private_key, files.certificate, extra_chain=authority.path)))
    peer.shake_hands()

    chain: Any = peer.tls.get_peer_cert_chain(as_cryptography=True)

    assert [certificate.subject.rfc4514_string() for certificate in chain] == ["CN=localhost", "CN=authority"]


def test_certificate_of_the_client_is_known(files: TlsFiles, authority: Authority) -> None:
    asking = TlsFiles(files.private_key, files.certificate, None, authority.path)
    peer = Peer(Certificates(asking), shown=authority.issue("billing"))
    peer.shake_hands()

    certificate = peer.server.getPeerCertificate().to_cryptography()

    assert certificate.subject.rfc4514_string() == "CN=billing"


def test_certificate_of_another_authority_is_noted(
    files: TlsFiles, authority: Authority, tmp_path: Path, logged: LoggedEvents
) -> None:
    (tmp_path / "other").mkdir()
    forged = Authority(tmp_path / "other").issue("billing")
    asking = TlsFiles(files.private_key, files.certificate, None, authority.path)
    peer = Peer(Certificates(asking), shown=forged)
    peer.shake_hands()

    assert any(line.startswith("A client's certificate is not accepted: CN=billing") for line in logged.lines)
    assert peer.transport.ending


@pytest.mark.parametrize("octets", [CONNECT, b"GET / HTTP/1.1\r\n\r\n", os.urandom(8).replace(b"\x16", b"x")])
def test_what_is_no_tls_is_told_so(files: TlsFiles, octets: bytes, logged: LoggedEvents) -> None:
    peer = Peer(Certificates(files))

    peer.server.dataReceived(octets)

    assert b"This port speaks TLS" in peer.transport.value()
    assert peer.transport.ending == ["closed"]
    assert any("came where TLS is spoken" in line for line in logged.lines)

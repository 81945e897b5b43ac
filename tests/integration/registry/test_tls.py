"""Encrypted registries: certificates are verified, HTTPS_PROXY is used, and passwords do not leave the encryption."""

from __future__ import annotations

import base64
import datetime
import ipaddress
import ssl
from pathlib import Path

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._oci.registry import Registry, RegistryError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from registries.between import Front, HttpProxy
from registries.images import Pusher
from registries.server import PASSWORD, USER, Server

CONF = {"etc/nginx/nginx.conf": b""}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1 and its key in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "registry of a test")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - datetime.timedelta(1), now + datetime.timedelta(1))
        .add_extension(address, critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


def test_an_unknown_certificate_is_refused_at_once(server: Server, tls: ssl.SSLContext) -> None:
    pauses: list[float] = []
    with Front(server.port, tls=tls) as front, pytest.raises(RegistryError, match="its certificate is not trusted here: install the registry's CA"):
        Registry(front.url, sleep=pauses.append).manifest("a/b", "v1")
    assert pauses == []


def test_a_known_certificate_through_a_proxy(server: Server, tls: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pushed = Pusher(server.url, "tls/nginx").image("v1", CONF)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with Front(server.port, tls=tls) as front, HttpProxy() as proxy:
        assert Registry(front.url).manifest("tls/nginx", "v1").digest == pushed.digest
        assert proxy.asked == []
        monkeypatch.setenv("HTTPS_PROXY", f"http://office:pass%20word@{proxy.host}")
        assert Registry(front.url).manifest("tls/nginx", "v1").digest == pushed.digest
        assert proxy.asked[0].startswith(f"CONNECT {front.host} HTTP/1")
        assert f"Proxy-Authorization: Basic {base64.b64encode(b'office:pass word').decode()}" in proxy.asked[0]
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        assert Registry(front.url).manifest("tls/nginx", "v1").digest == pushed.digest
        assert len(proxy.asked) == 1


def test_the_password_is_not_sent_in_clear_text(server: Server, tls: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither to a token service without encryption, nor after a redirect to the same name without it."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with Front(server.port, lambda method, path: (200, {}, b'{"token": "t"}')) as clear:
        challenge = {"WWW-Authenticate": f'Bearer realm="{clear.url}/token"'}
        with Front(server.port, lambda method, path: (401, challenge, b""), tls) as front, pytest.raises(RegistryError, match="HTTP 401"):
            Registry(front.url, USER, PASSWORD).manifest("a/b", "v1")
        assert clear.seen == []
        with Front(server.port, lambda method, path: (307, {"Location": f"{clear.url}{path}"}, b""), tls) as front, pytest.raises(RegistryError):
            Registry(front.url, USER, PASSWORD).blob("a/b", f"sha256:{'0' * 64}")
        assert clear.seen
        assert not [headers for _method, _path, headers in clear.seen if "Authorization" in headers]

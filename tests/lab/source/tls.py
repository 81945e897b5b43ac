"""A certificate for the shop's name from an authority of the lab's own. Both are made once and kept in the cache."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID = timedelta(days=3650)
FILES = ("ca.pem", "certificate.pem", "private-key.pem")


def ensure(folder: Path, name: str) -> Path:
    """``ca.pem``, ``certificate.pem`` and ``private-key.pem`` for ``name`` in the folder."""
    if not all((folder / file).exists() for file in FILES):
        folder.mkdir(parents=True, exist_ok=True)
        for file, content in zip(FILES, _make(name), strict=True):
            path = folder / file
            path.touch(mode=0o600)
            path.write_bytes(content)
    return folder


def _make(name: str) -> tuple[bytes, bytes, bytes]:
    authority_key, key = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
    authority = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "cutover.fargate lab")])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    root = (
        _builder(authority, authority, authority_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    leaf = (
        _builder(subject, authority, key.public_key())
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return root.public_bytes(serialization.Encoding.PEM), leaf.public_bytes(serialization.Encoding.PEM), private


def _builder(subject: x509.Name, issuer: x509.Name, key: rsa.RSAPublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + VALID)
    )

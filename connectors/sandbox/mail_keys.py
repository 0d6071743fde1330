"""The certificates of a sandbox mailbox: the office's own, and one to sign with, made once."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

_YEARS = timedelta(days=10 * 365)


class MailboxKeys(NamedTuple):
    """The certificate that mails are encrypted for, and the key that opens them."""

    certificate: x509.Certificate
    key: RSAPrivateKey


def keys_in(folder: Path, now: datetime) -> MailboxKeys:
    """Return the keys of the mailbox in a folder; what is not there is made.

    A destination has `recipient.pem`, `signer.pem` and `signer.key`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("recipient", "signer"):
        if not (folder / f"{name}.pem").exists():
            _make(folder, name, now)
    key = load_pem_private_key((folder / "recipient.key").read_bytes(), None)
    assert isinstance(key, RSAPrivateKey)  # noqa: S101  it was made here
    return MailboxKeys(x509.load_pem_x509_certificate((folder / "recipient.pem").read_bytes()), key)


def _make(folder: Path, name: str, now: datetime) -> None:
    key = generate_private_key(65537, 2048)
    called = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"sandbox {name}")])
    made = (
        x509.CertificateBuilder()
        .subject_name(called)
        .issuer_name(called)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _YEARS)
        .sign(key, SHA256())
    )
    private = folder / f"{name}.key"
    private.touch(mode=0o600)
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (folder / f"{name}.pem").write_bytes(made.public_bytes(Encoding.PEM))

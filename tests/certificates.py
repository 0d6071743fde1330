"""Certificates for tests, made as they are needed: a CA, and what it or nobody signs."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

_LONG = timedelta(days=3650)
_START = datetime(2020, 1, 1, tzinfo=UTC)


def _name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "样例数据局"),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def written(
    folder: Path,
    common: str,
    made: x509.Certificate,
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey,
) -> tuple[Path, Path]:
    """Write a certificate and its key; return their files."""
    certificate, private = folder / f"{common}.pem", folder / f"{common}.key"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate, private


class Authority:
    """A CA of its own; `file` has its certificate in PEM."""

    def __init__(self, folder: Path, name: str = "样例 CA") -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = _name(name)
        until = _START + 5 * _LONG
        self.certificate = self._signed(self.name, self.key, None, ca=True, until=until)
        self.file = folder / "ca.pem"
        self.file.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def issue(
        self,
        common: str,
        *,
        address: str = "127.0.0.1",
        until: datetime = _START + 5 * _LONG,
        signed: bool = True,
    ) -> tuple[Path, Path]:
        """Return the files of a certificate for an address and of its key; or a self-signed one."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = self._signed(_name(common), key, address, until=until, signed=signed)
        return written(self.folder, common, made, key)

    def _signed(
        self,
        name: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        address: str | None,
        *,
        until: datetime,
        ca: bool = False,
        signed: bool = True,
    ) -> x509.Certificate:
        issuer, signer = (self.name, self.key) if signed else (name, key)
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(_START)
            .not_valid_after(until)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if address is not None:
            names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(signer, hashes.SHA256())


def server_context(files: tuple[Path, Path], clients: Path | None = None) -> ssl.SSLContext:
    """Return the context of a server; with `clients` it demands certificates of that CA."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*files)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # as `connectors.shared.tls`
    if clients is not None:
        context.load_verify_locations(clients)
        context.verify_mode = ssl.CERT_REQUIRED
    return context

"""Sign what others must check without us 电子签名: JSON Web Signature, RFC 7515 and RFC 8037.

A signature is a compact JWS with Ed25519 (`EdDSA`). Its header has the public key and its name
(`kid`, the thumbprint of RFC 7638), so that any JWS library checks it. That the key is ours is
known by its name, which `keys list` prints.
"""

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

#: What is behind the name of a file whose signature it is.
SIGNATURE_SUFFIX = ".jws"
_ALGORITHM = "EdDSA"


class BadSignature(ValueError):
    """A text is no signature, or the signature is not that of its content."""


class Signer:
    """A key that signs."""

    def __init__(self, private: bytes) -> None:
        """Take the 32 bytes of a private key."""
        self._key = Ed25519PrivateKey.from_private_bytes(private)
        public = self._key.public_key().public_bytes_raw()
        self._jwk = {"crv": "Ed25519", "kty": "OKP", "x": _base64(public)}
        #: The name of the key.
        self.name = _thumbprint(self._jwk)

    @classmethod
    def new(cls) -> tuple["Signer", bytes]:
        """Return a new key, and the 32 bytes of its private part."""
        private = Ed25519PrivateKey.generate().private_bytes_raw()
        return cls(private), private

    def sign(self, content: Any) -> str:
        """Return the signature of a value, which stands in it as canonical JSON."""
        payload = orjson.dumps(content, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z)
        headers = {"kid": self.name, "jwk": self._jwk, "typ": "JOSE"}
        return jwt.PyJWS().encode(payload, self._key, _ALGORITHM, headers)


def signed(signature: str) -> tuple[Any, str]:
    """Return what was signed, and the name of the key.

    Raises:
        BadSignature: it is none, or was changed.
    """
    try:
        jwk = jwt.PyJWS().get_unverified_header(signature)["jwk"]
        public = Ed25519PublicKey.from_public_bytes(_bytes(jwk["x"]))
        payload = jwt.PyJWS().decode(signature, public, [_ALGORITHM])
        return orjson.loads(payload), _thumbprint({"crv": "Ed25519", "kty": "OKP", "x": jwk["x"]})
    except (jwt.InvalidTokenError, KeyError, TypeError, ValueError) as error:
        raise BadSignature(str(error)) from error


def write_signed(out: Path, content: bytes, signer: Signer, about: Mapping[str, Any]) -> Path:
    """Write a file, and beside it the signature of its SHA-256 and what it is; return that."""
    sha256 = hashlib.sha256(content).hexdigest()
    return write_beside(out, content, signer.sign({**about, "sha256": sha256}))


def write_beside(out: Path, content: bytes, signature: str) -> Path:
    """Write a file and its signature beside it; return that."""
    beside = out.with_name(out.name + SIGNATURE_SUFFIX)
    out.write_bytes(content)
    beside.write_text(signature + "\n")
    return beside


def _thumbprint(jwk: dict[str, str]) -> str:
    return _base64(hashlib.sha256(orjson.dumps(jwk, option=orjson.OPT_SORT_KEYS)).digest())


def _base64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

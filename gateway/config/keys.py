"""The keys of an installation, and what they protect.

The encryption key encrypts identity numbers and quarantine bytes (AES-256-GCM; the key version is
stored). The person key hashes identity numbers to match natural persons; it never changes and never
leaves the gateway.
"""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr

from gateway.config.secrets import SecretMissing, secret_of
from schemas.masking import keyed_hash, pseudonym

KEY_VERSION = 1
_NONCE_BYTES = 12
_PERSON = "person:"


class Keys:
    """The keys of an installation, derived from one master key of 32 bytes or more."""

    def __init__(self, master: bytes) -> None:
        self._cipher = AESGCM(_derive(master, b"encryption"))
        self._person = _derive(master, b"person")
        self._content = _derive(master, b"content")
        self._pseudonym = _derive(master, b"pseudonym")
        #: Tells whether two masters are the same; it says nothing of the master.
        self.fingerprint = _derive(master, b"fingerprint").hex()[:16]

    def encrypt(self, plain: bytes) -> bytes:
        """Return nonce and ciphertext."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, None)

    def decrypt(self, sealed: bytes) -> bytes:
        """Return the bytes that were given to `encrypt`."""
        return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None)

    def person(self, identity: str) -> str:
        """Return the subject code of a natural person in the store."""
        return _PERSON + keyed_hash(self._person, identity)

    def content(self, content: bytes) -> bytes:
        """Return the hash that finds repeats; keyed, because content may hold identity numbers.

        Keyed BLAKE2b (RFC 7693, 2.5) takes a third of the time of HMAC.
        """
        return hashlib.blake2b(content, key=self._content, digest_size=16).digest()

    def former_content(self, content: bytes) -> bytes:
        """Return the content hash stored by databases older than revision 0006."""
        return hmac.digest(self._content, content, hashlib.sha256)[:16]

    def published(self, subject_code: str) -> str:
        """Return the public pseudonym of a person; it changes with the key version."""
        return pseudonym(self._pseudonym, KEY_VERSION, subject_code)


def is_person(subject_code: str) -> bool:
    """Whether a subject code of the store is that of a natural person."""
    return subject_code.startswith(_PERSON)


def _derive(master: bytes, purpose: bytes) -> bytes:
    return hmac.digest(master, b"credit-gateway/" + purpose, hashlib.sha256)


def load_keys(given: SecretStr | None, state: Path, *, may_create: bool = True) -> Keys:
    """Derive the keys from the given master secret, or from a file in the state folder.

    Without a given secret the file is created at first use, if it `may_create` one: not where data
    is protected by a key already.

    Raises:
        SecretMissing: the secret is empty, or the file is missing or cannot be created or read.
    """
    if given is not None:
        return _keys(given.get_secret_value(), "master_key")
    path = state / "master.key"
    try:
        if not path.exists():
            if not may_create:
                raise SecretMissing(
                    f"state：没有 {path}，而数据库里的数据是用一个主密钥保护的；"
                    "把原来的 master.key 放回，或用 CREDIT_GATEWAY_MASTER_KEY 给出原来的主密钥"
                )
            state.mkdir(parents=True, exist_ok=True)
            draft = path.with_suffix(f".{os.getpid()}")
            draft.touch(mode=0o600)
            draft.write_text(secrets.token_hex(32))
            _keep_first(draft, path)
    except OSError as error:
        raise SecretMissing(f"state：不能建立 {path}：{error.strerror}") from error
    return _keys(secret_of(path), str(path))


def _keys(master: str, place: str) -> Keys:
    if not master.strip():
        raise SecretMissing(f"{place}：主密钥是空的；放回原来的主密钥")
    return Keys(master.encode())


def _keep_first(draft: Path, path: Path) -> None:
    """Move the key into place unless another process has created one first."""
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        draft.unlink()

"""Keys: where secrets come from, and what is done with them.

The encryption key wraps identity numbers and quarantine bytes (AES-256-GCM, key version stored);
the person key makes the hash by which persons are matched: it never rotates and never leaves us.
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
    """The installation's keys, all derived from one master key of 32 bytes or more."""

    def __init__(self, master: bytes) -> None:
        self._cipher = AESGCM(_derive(master, b"encryption"))
        self._person = _derive(master, b"person")
        self._content = _derive(master, b"content")
        self._pseudonym = _derive(master, b"pseudonym")

    def encrypt(self, plain: bytes) -> bytes:
        """Nonce and ciphertext."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, None)

    def decrypt(self, sealed: bytes) -> bytes:
        """What `encrypt` was given."""
        return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None)

    def person(self, identity: str) -> str:
        """The subject code of a natural person inside the store."""
        return _PERSON + keyed_hash(self._person, identity)

    def content(self, content: bytes) -> bytes:
        """The hash by which repeats are known; keyed, since content may hold identity numbers.

        BLAKE2b takes a key by itself (RFC 7693, 2.5), in a third of the time of HMAC.
        """
        return hashlib.blake2b(content, key=self._content, digest_size=16).digest()

    def former_content(self, content: bytes) -> bytes:
        """The hash that stands with decisions of databases older than revision 0006."""
        return hmac.digest(self._content, content, hashlib.sha256)[:16]

    def published(self, subject_code: str) -> str:
        """A person's name outside: a pseudonym that rotates with the key version."""
        return pseudonym(self._pseudonym, KEY_VERSION, subject_code)


def is_person(subject_code: str) -> bool:
    """Whether a subject code of the store is a natural person's."""
    return subject_code.startswith(_PERSON)


def _derive(master: bytes, purpose: bytes) -> bytes:
    return hmac.digest(master, b"credit-gateway/" + purpose, hashlib.sha256)


def load_keys(given: SecretStr | None, state: Path) -> Keys:
    """Keys from the given master secret, else from the state folder, made there at first use.

    Raises:
        SecretMissing: the folder or the file cannot be made or read.
    """
    if given is not None:
        return Keys(given.get_secret_value().encode())
    path = state / "master.key"
    try:
        if not path.exists():
            state.mkdir(parents=True, exist_ok=True)
            draft = path.with_suffix(f".{os.getpid()}")
            draft.touch(mode=0o600)
            draft.write_text(secrets.token_hex(32))
            _keep_first(draft, path)
    except OSError as error:
        raise SecretMissing(f"state：不能建立 {path}：{error.strerror}") from error
    return Keys(secret_of(path).encode())


def _keep_first(draft: Path, path: Path) -> None:
    """Two processes may start at once; the key that was there first stays."""
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        draft.unlink()

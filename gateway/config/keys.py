"""The master key 主密钥 of an installation, and the key ring that it protects.

The ring has four kinds of key. The encryption keys encrypt identity numbers and quarantine bytes
(AES-256-GCM); each row has the version of its key, so that a new version can come while the gateway
runs. The pseudonym keys have versions too. The person key hashes identity numbers to match natural
persons, and the content key finds repeats: these two never change and never leave the gateway.

The first version of each key is derived from the master key; later ones are random and stored
sealed (AES-256-GCM) by it. A change of the master key seals all keys anew and changes none.
"""

import hashlib
import hmac
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr

from gateway.config.errors import BadConfiguration
from gateway.config.secrets import SecretMissing, secret_of
from schemas.faults import of_system
from schemas.masking import keyed_hash, pseudonym

#: The version of a key that is derived from the master key.
FIRST_VERSION = 1
_NONCE_BYTES = 12
_KEY_BYTES = 32
_PERSON = "person:"


class KeyPurpose(StrEnum):
    """What a key of the ring is for."""

    ENCRYPTION = "encryption"
    PSEUDONYM = "pseudonym"
    PERSON = "person"
    CONTENT = "content"


#: The keys of which a new version may be made.
ROTATED = frozenset({KeyPurpose.ENCRYPTION, KeyPurpose.PSEUDONYM})


@dataclass(frozen=True, slots=True)
class RingKey:
    """A key as it is stored: sealed by the master with this fingerprint, or derived from it."""

    purpose: KeyPurpose
    version: int
    master: str
    sealed: bytes | None  #: None: derived


class Master:
    """A master key of 32 bytes or more."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._cipher = AESGCM(self._derive("ring"))
        #: Tells whether two masters are the same; it says nothing of the master.
        self.fingerprint = self._derive("fingerprint").hex()[:16]

    def first_ring(self) -> list[RingKey]:
        """Return the ring of a new installation: every key is derived."""
        return [RingKey(one, FIRST_VERSION, self.fingerprint, None) for one in KeyPurpose]

    def open(self, key: RingKey) -> bytes:
        """Return the key itself; raises InvalidTag if another master sealed it."""
        if key.sealed is None:
            return self._derive(key.purpose)
        return _decrypt(self._cipher, key.sealed, _label(key.purpose, key.version))

    def seal(self, purpose: KeyPurpose, version: int, key: bytes) -> RingKey:
        """Return a key as it is stored under this master."""
        sealed = _encrypt(self._cipher, key, _label(purpose, version))
        return RingKey(purpose, version, self.fingerprint, sealed)

    def sealed_anew(self, old: "Master", ring: Iterable[RingKey]) -> list[RingKey]:
        """Return the keys that the `old` master protects as this one protects them."""
        ours = [one for one in ring if one.master == old.fingerprint]
        return [self.seal(one.purpose, one.version, old.open(one)) for one in ours]

    def new_version(self, purpose: KeyPurpose, version: int) -> RingKey:
        """Return a new random key for this version."""
        return self.seal(purpose, version, secrets.token_bytes(_KEY_BYTES))

    def _derive(self, purpose: str) -> bytes:
        return hmac.digest(self._secret, f"credit-gateway/{purpose}".encode(), hashlib.sha256)


class OtherMaster(BadConfiguration):
    """The keys of the database are protected by another master key than ours."""

    def __init__(self) -> None:
        super().__init__(
            "master_key：与数据库的主密钥不是同一个，用它会把同一个人认作两个人，也解不开已有的证件"
            "号码；放回原来的主密钥（CREDIT_GATEWAY_MASTER_KEY 或 state 目录下的 master.key），"
            "各主机须用同一个；刚用 keys drop-master 换过主密钥的，各主机换上新的再启动"
        )


class UnknownKeyVersion(KeyError):
    """Another process has made a key of this version: the ring must be read again."""


class Keys:
    """The opened keys of an installation; `renew` brings the versions made since."""

    def __init__(self, master: Master, ring: Iterable[RingKey] | None = None) -> None:
        """Open the keys that this master protects; without a ring, those of a new installation."""
        self.master = master
        self._opened: dict[KeyPurpose, dict[int, bytes]] = {one: {} for one in KeyPurpose}
        self.renew(master.first_ring() if ring is None else ring)
        self._person = self._opened[KeyPurpose.PERSON][FIRST_VERSION]
        self._content = self._opened[KeyPurpose.CONTENT][FIRST_VERSION]

    def renew(self, ring: Iterable[RingKey]) -> None:
        """Learn the keys of the ring, and encrypt with its newest.

        What is known already stays known: an answer of the database may come late.

        Raises:
            OtherMaster: nothing in it is protected by our master; the keys stay as they were.
        """
        ours = [one for one in ring if one.master == self.master.fingerprint]
        newest = versions(ours)
        if newest.keys() != set(KeyPurpose):
            raise OtherMaster
        for one in ours:
            self._opened[one.purpose][one.version] = self.master.open(one)
        encryption = self._opened[KeyPurpose.ENCRYPTION]
        self._ciphers = {version: AESGCM(key) for version, key in encryption.items()}
        #: The versions of the keys that `encrypt` and `published` use.
        self.version, self._pseudonym = newest[KeyPurpose.ENCRYPTION], newest[KeyPurpose.PSEUDONYM]

    @property
    def older_versions(self) -> list[int]:
        """The versions of the encryption key before the one in use."""
        return [one for one in sorted(self._ciphers) if one < self.version]

    def __contains__(self, version: int) -> bool:
        """Whether the encryption key of this version is known."""
        return version in self._ciphers

    def encrypt(self, plain: bytes) -> bytes:
        """Return nonce and ciphertext under the key of `version`."""
        return _encrypt(self._ciphers[self.version], plain)

    def decrypt(self, sealed: bytes, version: int) -> bytes:
        """Return the bytes that were given to `encrypt` when it used this version.

        Raises:
            UnknownKeyVersion: the ring must be renewed first.
            InvalidTag: the bytes were changed.
        """
        if version not in self:
            raise UnknownKeyVersion(version)
        return _decrypt(self._ciphers[version], sealed)

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
        """Return the public pseudonym of a person; it changes with the version of its key."""
        return self._published(subject_code, self._pseudonym)

    def first_published(self, subject_code: str) -> str:
        """Return the first pseudonym of a person, which never changes: that of the ledgers."""
        return self._published(subject_code, FIRST_VERSION)

    def ever_published(self, subject_code: str) -> Iterator[str]:
        """Yield the pseudonyms of a person under all versions: others may still have an older."""
        for version in self._opened[KeyPurpose.PSEUDONYM]:
            yield self._published(subject_code, version)

    def _published(self, subject_code: str, version: int) -> str:
        return pseudonym(self._opened[KeyPurpose.PSEUDONYM][version], version, subject_code)

    def prove(self, sealed: bytes) -> None:
        """Check that the first encryption key opens these bytes; raises OtherMaster otherwise."""
        try:
            self.decrypt(sealed, FIRST_VERSION)
        except InvalidTag:
            raise OtherMaster from None


def is_person(subject_code: str) -> bool:
    """Whether a subject code of the store is that of a natural person."""
    return subject_code.startswith(_PERSON)


def versions(ring: Iterable[RingKey]) -> Mapping[KeyPurpose, int]:
    """Return the newest version of each key."""
    return {one.purpose: one.version for one in sorted(ring, key=lambda one: one.version)}


def _label(purpose: KeyPurpose, version: int) -> bytes:
    """Bind a sealed key to its place, so that two stored keys cannot be exchanged."""
    return f"{purpose}/{version}".encode()


def _encrypt(cipher: AESGCM, plain: bytes, label: bytes | None = None) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, plain, label)


def _decrypt(cipher: AESGCM, sealed: bytes, label: bytes | None = None) -> bytes:
    return cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], label)


def load_master(given: SecretStr | None, state: Path, *, may_create: bool = True) -> Master:
    """Return the given master key, or that of a file in the state folder.

    Without a given secret the file is created at first use, if it `may_create` one: not where data
    is protected by a key already.

    Raises:
        SecretMissing: the secret is empty, or the file is missing or cannot be created or read.
    """
    if given is not None:
        return _master(given.get_secret_value(), "master_key")
    path = state / "master.key"
    if not (may_create or path.exists()):
        raise SecretMissing(
            f"state：没有 {path}，而数据库里的数据是用一个主密钥保护的；"
            "把原来的 master.key 放回，或用 CREDIT_GATEWAY_MASTER_KEY 给出原来的主密钥"
        )
    return make_master(path)


def make_master(path: Path) -> Master:
    """Return the master key of a file, which is created if it is missing.

    Raises:
        SecretMissing: the file is empty, or cannot be created or read.
    """
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_name(f".{path.name}.{os.getpid()}")
            draft.touch(mode=0o600)
            with draft.open("w") as file:
                file.write(secrets.token_hex(_KEY_BYTES))
                file.flush()
                os.fsync(file.fileno())
            _keep_first(draft, path)
    except OSError as error:
        raise SecretMissing(f"不能建立 {path}：{of_system(error)}") from error
    return _master(secret_of(path), str(path))


def _master(master: str, place: str) -> Master:
    if not master.strip():
        raise SecretMissing(f"{place}：主密钥是空的；放回原来的主密钥")
    return Master(master.encode())


def _keep_first(draft: Path, path: Path) -> None:
    """Move the key into place unless another process has created one first."""
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # the database may be encrypted with it from now on
    finally:
        os.close(folder)

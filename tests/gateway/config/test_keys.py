"""Encryption, hashes, and the resolution of secrets."""

import stat
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from gateway.config.keys import Keys, Master, load_master
from gateway.config.secrets import SecretMissing, resolve
from tests.factories import IDENTITY

KEYS = Keys(Master(b"a master key for tests only"))


@given(st.binary())
def test_decrypting_returns_the_encrypted_bytes(plain: bytes) -> None:
    assert KEYS.decrypt(KEYS.encrypt(plain), KEYS.version) == plain


def test_encrypting_the_same_text_twice_gives_different_bytes() -> None:
    assert KEYS.encrypt(b"text") != KEYS.encrypt(b"text")


def test_a_changed_byte_makes_decryption_fail() -> None:
    sealed = KEYS.encrypt(b"text")

    with pytest.raises(InvalidTag):
        KEYS.decrypt(sealed[:-1] + bytes([sealed[-1] ^ 1]), KEYS.version)


def test_another_key_cannot_decrypt() -> None:
    with pytest.raises(InvalidTag):
        Keys(Master(b"another master key")).decrypt(KEYS.encrypt(b"text"), 1)


def test_the_hash_of_a_person_is_stable_and_hides_the_number() -> None:
    assert KEYS.person(IDENTITY) == Keys(Master(b"a master key for tests only")).person(IDENTITY)
    assert IDENTITY not in KEYS.person(IDENTITY)


def test_the_pseudonym_does_not_contain_the_stored_hash() -> None:
    inside = KEYS.person(IDENTITY)

    assert inside.removeprefix("person:") not in KEYS.published(inside)


def test_the_former_content_hash_equals_that_of_older_databases() -> None:
    kept = bytes.fromhex("5da10e6b4e120e1b557b48f8175a9989")

    assert KEYS.former_content("处罚款".encode()) == kept
    assert KEYS.content("处罚款".encode()) != kept


def test_a_key_file_is_created_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    first = load_master(None, tmp_path / "state")

    again = load_master(None, tmp_path / "state")

    mode = stat.S_IMODE((tmp_path / "state" / "master.key").stat().st_mode)
    assert mode == 0o600
    assert again.fingerprint == first.fingerprint
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["master.key"]


def test_a_given_key_needs_no_file(tmp_path: Path) -> None:
    load_master(SecretStr("a master key"), tmp_path / "state")

    assert not (tmp_path / "state").exists()


def test_secret_references_are_resolved_at_every_level(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("from file\n")
    settings = {
        "url": "http://x",
        "api_key": {"env": "KEY"},
        "secrets": [{"file": str(file)}, "plain"],
        "deep": {"er": {"env": "KEY"}},
    }

    assert resolve(settings, {"KEY": "from environment"}) == {
        "url": "http://x",
        "api_key": "from environment",
        "secrets": ["from file", "plain"],
        "deep": {"er": "from environment"},
    }


def test_a_missing_variable_is_named_without_any_value() -> None:
    with pytest.raises(SecretMissing) as caught:
        resolve({"a": {"env": "PRESENT"}, "b": {"env": "ABSENT"}}, {"PRESENT": "very secret"})

    assert "ABSENT" in str(caught.value)
    assert "very secret" not in str(caught.value)


def test_a_missing_file_is_named() -> None:
    with pytest.raises(SecretMissing, match="/no/such/file"):
        resolve({"a": {"file": "/no/such/file"}}, {})


def test_a_mapping_with_other_keys_is_not_a_reference() -> None:
    assert resolve({"env": "A", "other": 1}, {"A": "value"}) == {"env": "A", "other": 1}


def test_no_key_is_made_where_data_has_one_already(tmp_path: Path) -> None:
    with pytest.raises(SecretMissing, match="放回，或用"):
        load_master(None, tmp_path / "state", may_create=False)

    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("content", ["", " \n"])
def test_an_empty_key_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "master.key").write_text(content)

    with pytest.raises(SecretMissing, match="主密钥是空的"):
        load_master(None, tmp_path)
    with pytest.raises(SecretMissing, match="主密钥是空的"):
        load_master(SecretStr(content), tmp_path)

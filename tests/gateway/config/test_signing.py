"""Signatures that others check without us."""

import base64
from pathlib import Path

import jwt
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.signing import BadSignature, Signer, signed, write_signed

CONTENT = {"ledger": "2026-10", "version": 1}


def test_what_was_signed_comes_back_with_the_name_of_the_key() -> None:
    signer, private = Signer.new()

    assert signed(signer.sign(CONTENT)) == (CONTENT, signer.name)
    assert Signer(private).name == signer.name


def test_another_library_checks_it_by_the_key_in_its_header() -> None:
    signature = Signer.new()[0].sign(CONTENT)
    key = jwt.PyJWK(jwt.get_unverified_header(signature)["jwk"], "EdDSA")

    assert orjson.loads(jwt.PyJWS().decode(signature, key, ["EdDSA"])) == CONTENT


@given(place=st.integers(0, 400), letter=st.sampled_from("AQgw_-"))
def test_a_signature_that_was_changed_is_none(place: int, letter: str) -> None:
    signature = Signer(b"1" * 32).sign(CONTENT)
    place %= len(signature)
    changed = signature[:place] + letter + signature[place + 1 :]

    if changed == signature or place == len(signature) - 1:  # its last letter has unused bits
        return
    with pytest.raises(BadSignature):
        signed(changed)


@pytest.mark.parametrize("text", ["", "a.b.c", "...", "签名"])
def test_what_is_no_signature_is_told(text: str) -> None:
    with pytest.raises(BadSignature):
        signed(text)


def test_a_key_that_stands_in_the_header_under_another_name_gets_its_own_name() -> None:
    mine, other = Signer(b"1" * 32), Signer(b"2" * 32)
    head, payload, value = mine.sign(CONTENT).split(".")
    header = orjson.loads(base64.urlsafe_b64decode(head + "=="))
    assert header["kid"] == mine.name
    forged = orjson.dumps({**header, "kid": other.name})

    with pytest.raises(BadSignature):
        signed(".".join([base64.urlsafe_b64encode(forged).rstrip(b"=").decode(), payload, value]))


def test_a_file_is_signed_by_its_hash(tmp_path: Path) -> None:
    signer, _ = Signer.new()

    beside = write_signed(tmp_path / "a.csv", b"1,2", signer, CONTENT)

    assert beside == tmp_path / "a.csv.jws"
    content, _ = signed(beside.read_text().strip())
    assert content.keys() == {"ledger", "version", "sha256"}

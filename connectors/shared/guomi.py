"""National cryptography 国密 over HTTP requests: SM3 digest, SM2 signature, SM4 bodies [B].

What is signed, in which headers, and how bodies are encrypted differs between platforms, so that
all of it is configured. TLS by 国密 (TLCP) is left to a proxy. SM3 (GB/T 32905) and SM4 (GB/T
32907) are those of `cryptography`, SM2 (GB/T 32918) is that of GmSSL (`gmssl-pyx`).
"""

import os
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.hashes import SM3, Hash
from cryptography.hazmat.primitives.padding import PKCS7

from connectors.errors import OutcomeUnknown
from connectors.shared import Clock
from connectors.shared.guomi_settings import SM2_NUMBER, GuomiSettings
from connectors.shared.http_read import Answer

_BLOCK, _NONCE, _TAG = 16, 12, 16


class Guomi:
    """The signing and encryption of one destination."""

    def __init__(self, settings: GuomiSettings, now: Clock) -> None:
        self._settings = settings
        self._now = now

    def seal(
        self, method: str, url: str, content: bytes | None
    ) -> tuple[bytes | None, Mapping[str, str]]:
        """Return the body as it is sent, and the headers that go with it."""
        how = self._settings
        body = self._encrypted(content) if content and how.body_key else content
        stamp = str(int(self._now().timestamp() * 1000))
        digest = self._text(sm3(body or b""))
        headers = {}
        if how.timestamp_header:
            headers[how.timestamp_header] = stamp
        if how.digest_header:
            headers[how.digest_header] = digest
        if how.signature_header and how.private_key and how.public_key:
            where = urlsplit(url)
            parts = {
                "method": method.encode(),
                "path": (where.path + (f"?{where.query}" if where.query else "")).encode(),
                "timestamp": stamp.encode(),
                "digest": digest.encode(),
                "body": body or b"",
            }
            message = how.separator.encode().join(parts[name] for name in how.signed)
            headers[how.signature_header] = self._text(self._signature(message))
        return body, headers

    def opened(self, answer: Answer) -> Answer:
        """Return an answer with its body in the clear, once its signature is checked.

        What is no success may come from what stands between, which signs nothing: it is left as it
        is, and its status says what it means.

        Raises:
            OutcomeUnknown: it is not signed by them, or cannot be decrypted. Something may have
                been handed over all the same.
        """
        how = self._settings
        if not 200 <= answer.status < 300:
            return answer
        if how.answer_signature_header and how.their_public_key:
            given = answer.headers.get(how.answer_signature_header.lower(), "")
            if not self._is_theirs(answer.body, given, bytes.fromhex(how.their_public_key)):
                raise OutcomeUnknown(f"应答的签名（{how.answer_signature_header}）不符，不能采信")
        if how.answers_encrypted and answer.body:
            return replace(answer, body=self._decrypted(answer.body))
        return answer

    def _signature(self, message: bytes) -> bytes:
        how = self._settings
        if how.private_key is None or how.public_key is None:
            raise ValueError("private_key")
        made: bytes = _sm2().sm2_sign(
            bytes.fromhex(how.private_key.get_secret_value()),
            bytes.fromhex(how.public_key),
            message,
            signer_id=how.signer_id.encode(),
        )
        if how.signature_form == "der":
            return made
        return b"".join(one.to_bytes(SM2_NUMBER, "big") for one in decode_dss_signature(made))

    def _is_theirs(self, body: bytes, given: str, key: bytes) -> bool:
        try:
            signature = self._bytes(given)
            if self._settings.signature_form == "raw":
                r, s = signature[:SM2_NUMBER], signature[SM2_NUMBER:]
                signature = encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))
            signer = self._settings.signer_id.encode()
            return bool(_sm2().sm2_verify(key, body, signature, signer_id=signer))
        except Exception:  # noqa: BLE001  whatever it is, it is no signature
            return False

    def _encrypted(self, plain: bytes) -> bytes:
        if self._settings.body_mode == "gcm":
            nonce = os.urandom(_NONCE)
            gcm = Cipher(self._sm4(), modes.GCM(nonce)).encryptor()
            sealed = nonce + gcm.update(plain) + gcm.finalize() + gcm.tag
        else:
            iv, padding = os.urandom(_BLOCK), PKCS7(8 * _BLOCK).padder()
            cbc = Cipher(self._sm4(), modes.CBC(iv)).encryptor()
            padded = padding.update(plain) + padding.finalize()
            sealed = iv + cbc.update(padded) + cbc.finalize()
        return self._text(sealed).encode()

    def _decrypted(self, body: bytes) -> bytes:
        try:
            sealed = self._bytes(body.decode("ascii").strip())
            if self._settings.body_mode == "gcm":
                nonce, text, tag = sealed[:_NONCE], sealed[_NONCE:-_TAG], sealed[-_TAG:]
                gcm = Cipher(self._sm4(), modes.GCM(nonce, tag)).decryptor()
                return gcm.update(text) + gcm.finalize()
            cbc = Cipher(self._sm4(), modes.CBC(sealed[:_BLOCK])).decryptor()
            padding = PKCS7(8 * _BLOCK).unpadder()
            padded = cbc.update(sealed[_BLOCK:]) + cbc.finalize()
            return padding.update(padded) + padding.finalize()
        except (ValueError, InvalidTag) as error:
            raise OutcomeUnknown("应答不能用 SM4 解密：核对密钥和模式") from error

    def _sm4(self) -> SM4:
        key = self._settings.body_key
        if key is None:
            raise ValueError("body_key")
        return SM4(bytes.fromhex(key.get_secret_value()))

    def _text(self, value: bytes) -> str:
        return value.hex() if self._settings.encoding == "hex" else b64encode(value).decode()

    def _bytes(self, text: str) -> bytes:
        if self._settings.encoding == "hex":
            return bytes.fromhex(text)
        return b64decode(text, validate=True)


def sm3(content: bytes) -> bytes:
    """Return the SM3 digest (GB/T 32905-2016)."""
    digest = Hash(SM3())
    digest.update(content)
    return digest.finalize()


def _sm2() -> Any:
    """Return the package that signs, which the settings have looked for."""
    return import_module("gmssl_pyx")

"""The webhook receiver of a sandbox bank: verifies the signature, stores each webhook-id once.

The verification does not use the connector's signing code on purpose, so each tests the other.
"""

import base64
import hashlib
import hmac

import orjson
from pydantic import SecretStr

from connectors.sandbox.book import Book, Entry
from connectors.sandbox.places import Asked, BankPlace, Reply

#: A timestamp that differs from now by more seconds than this is refused.
TOLERANCE = 300


def webhook(book: Book, asked: Asked, place: BankPlace) -> Reply:
    """Take one event: 401 if the signature is invalid, 204 for a new or a repeated event."""
    event_id = asked.headers.get("webhook-id", "")
    if not _verified(book, asked, place, event_id):
        book.bad_signatures += 1
        return Reply(401)
    event = orjson.loads(asked.body)
    book.received[event_id] += 1
    if event_id not in book.entries:
        data = event["data"]
        columns = {"subject_code": data["subject_code"], **data.get("columns", {})}
        verb, version = data["verb"], data["version"]
        entry = Entry(event_id, event["type"], verb, version, columns, "accepted", book.now())
        book.store(entry, book.acting)
    return Reply(204, handed_over=True)


def _verified(book: Book, asked: Asked, place: BankPlace, event_id: str) -> bool:
    stamp = asked.headers.get("webhook-timestamp", "")
    if not event_id or not stamp.isdigit():
        return False
    if abs(book.now().timestamp() - int(stamp)) > TOLERANCE:
        return False
    signed = b".".join([event_id.encode(), stamp.encode(), asked.body])
    given = asked.headers.get("webhook-signature", "").split(" ")
    return any(
        hmac.compare_digest(f"v1,{_digest(secret, signed)}".encode(), one.encode())
        for secret in place.secrets
        for one in given
    )


def _digest(secret: SecretStr, signed: bytes) -> str:
    key = base64.b64decode(secret.get_secret_value().removeprefix("whsec_") + "==")
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()

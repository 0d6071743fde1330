"""An attestation of a delivery 送达证明: what was sent, when, what was answered, signed.

Where a destination says nothing, it justifies another way in (compare the attestation of impossible
delivery of the Italian SdI).
"""

from datetime import datetime
from typing import Any

from gateway.config.keys import Keys
from gateway.config.signing import Signer
from gateway.store.account import evidence, outages, signing_keys
from gateway.store.account.evidence import About
from gateway.store.base.engine import Database
from gateway.store.deliver import views
from schemas.delivery import OutcomeKind
from schemas.identifiers import masked

#: Outcomes of a call in which the platform itself said what it makes of the item.
_ANSWERS = {OutcomeKind.ACCEPTED: "接受", OutcomeKind.REJECTED: "退回"}


async def attest(
    database: Database, keys: Keys, id_: int, now: datetime
) -> tuple[dict[str, Any], Signer] | None:
    """Return what is known of a delivery, and the key that signs it; None if there is none.

    Natural persons have no name and no number in it.
    """
    async with database.transaction() as connection:
        found = await views.shown(connection, id_)
        if found is None:
            return None
        sent = await views.content_hash(connection, id_)
        said = await evidence.of(connection, About.DELIVERY, [id_])
        down = await outages.listed(connection, found.delivery["destination"])
        signer = await signing_keys.signer(connection, keys, now)
    row = found.delivery
    first = row["submitted_at"] or (found.attempts[0]["started_at"] if found.attempts else now)
    content = {
        "delivery": id_,
        "destination": row["destination"],
        "document_number": masked(row["document_number"]),
        "subject_code": row["subject_code"],
        "verb": row["verb"],
        "content_sha256": sent,
        "due_at": row["due_at"],
        "state": row["state"],
        "handed_over_at": row["submitted_at"],
        "attempts": found.attempts,
        "receipts": found.receipts,
        "outages": [
            {"since": one.since, "until": one.until, "reason": one.reason}
            for one in down
            if one.void_by is None and (one.until is None or one.until >= first)
        ],
        "notes": [{"at": one.at, "by": one.actor, "words": one.words} for one in said.get(id_, [])],
        "statement": _statement(found, now),
    }
    return content, signer


def _statement(found: views.DeliveryHistory, now: datetime) -> str:
    """Return what became of it; what is signed must not deny an answer that stands beside it."""
    told = [f"共报送 {len(found.attempts)} 次"]
    answered = [one for one in found.attempts if one["outcome"] in _ANSWERS]
    if answered:
        last = answered[-1]
        reasons = masked("；".join(last["reasons"] or ()))
        why = f"（{reasons}）" if reasons else ""
        told.append(f"平台当场答复：{_ANSWERS[last['outcome']]}{why}")
    if found.receipts:
        told.append(f"收到回执 {len(found.receipts)} 份，内容如上")
    if len(told) == 1 and found.delivery["submitted_at"] is None:
        told.append("截至出具之时没有送达")
    elif len(told) == 1:
        days = (now - found.delivery["submitted_at"]).days
        told = [f"已送达 {days} 天", *told, "截至出具之时没有收到任何回执"]
    return "，".join(told)

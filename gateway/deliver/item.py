"""Turn a claimed delivery into the item for its connector (pure)."""

from collections.abc import Callable
from typing import Any, Protocol

import orjson

from schemas.codes import FOLLOW_UPS, Verb
from schemas.delivery import Claimed, Item, ItemKind
from schemas.destination import Destination
from schemas.kinds import as_natural_person
from schemas.messages import GradeChanged

#: Our ids are below this, and the database cannot hold a larger one.
ID_END = 2**63
MOST_DIGITS = len(str(ID_END))


def key_of(installation: str, delivery_id: int) -> str:
    """Return the key of a delivery at its destination; every resend has the same key."""
    return f"{installation}-{delivery_id}"


def delivery_of(installation: str, key: str) -> int | None:
    """Return the delivery id of a key, or None if the key is not from this installation."""
    ours, _, number = key.rpartition("-")
    if ours != installation or not number.isdecimal() or len(number) > MOST_DIGITS:
        return None
    return id_ if (id_ := int(number)) < ID_END else None


class ItemKeys(Protocol):
    """What an item needs of `gateway.config.keys.Keys`."""

    def decrypt(self, sealed: bytes, version: int) -> bytes: ...  # noqa: D102  as in Keys
    def published(self, subject_code: str) -> str: ...  # noqa: D102  as in Keys


def item(claimed: Claimed, destination: Destination, installation: str, keys: ItemKeys) -> Item:
    """Return the item for the connector of a destination.

    The identity number of a person is in its column of a record and nowhere else: as a subject a
    person goes by the public pseudonym, since our own code would identify the person for ever.
    """
    code, columns = claimed.subject_code, _columns(claimed, keys.decrypt)
    is_record = claimed.item_kind == ItemKind.RECORD_VERSION
    as_person = is_record and destination.has_among_persons(code)
    if as_person:
        columns = dict(as_natural_person(claimed.kind, columns))
    return Item(
        delivery_id=claimed.id,
        key=key_of(installation, claimed.id),
        item_kind=ItemKind(claimed.item_kind),
        record_kind=claimed.kind,
        verb=verb(claimed),
        version=claimed.version,
        resend=claimed.maybe_arrived,
        earlier=tuple(key_of(installation, id_) for id_ in claimed.earlier),
        subject_code=keys.published(code) if claimed.person else code,
        person=claimed.person or as_person,
        document_number=claimed.document_number,
        decision_date=claimed.decision_date,
        occurred_at=claimed.recorded_at,
        columns=columns,
    )


def verb(claimed: Claimed) -> Verb:
    """Return the verb of a follow-up; else `correct` if the destination has a version, or `new`."""
    given = Verb(claimed.verb)
    if given in FOLLOW_UPS:
        return given
    return Verb.CORRECT if claimed.holds else Verb.NEW


def is_needless(claimed: Claimed) -> bool:
    """Whether it is a withdrawal or repair of a record that the destination never got."""
    return Verb(claimed.verb) in FOLLOW_UPS and not claimed.holds


def is_barred(claimed: Claimed) -> bool:
    """Whether its content must not leave any more: the decision has become one of 不予报送."""
    return claimed.barred and Verb(claimed.verb) is not Verb.WITHDRAW


def _columns(claimed: Claimed, decrypt: Callable[[bytes, int], bytes]) -> dict[str, Any]:
    if claimed.item_kind == ItemKind.GRADE_CHANGE:
        # A later release, whose processes run beside ours for a roll, may have written more.
        known = {k: v for k, v in claimed.body.items() if k in GradeChanged.model_fields}
        changed = GradeChanged.model_validate(
            {
                **known,
                "number": claimed.number,
                "subject_code": claimed.subject_code,
                "subject_name": claimed.subject_name,
                "recorded_at": claimed.recorded_at,
            }
        )
        return changed.model_dump(mode="json")
    if claimed.secret is None or claimed.key_version is None:
        if claimed.person:  # the platform would not find whom it is about
            raise ValueError("the identity number was erased")
        return claimed.body
    return {**claimed.body, **orjson.loads(decrypt(claimed.secret, claimed.key_version))}

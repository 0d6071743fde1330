"""Whether an item says what is known already (pure)."""

from collections.abc import Callable
from typing import NamedTuple

from gateway.check.checked import Checked
from gateway.record.content import Content
from schemas.known import KnownDecision
from schemas.verdict import Verdict


class Hashes(NamedTuple):
    """The content hash used now, and the one in databases of older releases."""

    present: Callable[[bytes], bytes]
    former: Callable[[bytes], bytes]


def is_repeat(decision: KnownDecision, hash_: bytes, new: Content, hashes: Hashes) -> bool:
    """Whether the content is unchanged; older hashes count, so that upgrades resend nothing."""
    kept = decision.content_hash
    if kept == hash_ or kept == hashes.former(new.as_given):
        return True
    return new.as_given != new.hashed and kept == hashes.present(new.as_given)


def is_healed(checked: Checked, decision: KnownDecision) -> bool:
    """Whether a content that had problems has none now: its date was in the future then."""
    return decision.verdict == Verdict.INCOMPLETE and checked.verdict is Verdict.OK

"""Ask a destination that stays silent after the hand-over 送达后无回执 what it has.

The delivery stays as it is meanwhile, so that nothing waits behind it: only a definite answer moves
it, as a receipt does.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from connectors.protocol import OnUnknown
from gateway.deliver.breaker import Act, BreakerState
from gateway.deliver.deliverer import Deliverer
from gateway.deliver.item import item
from gateway.deliver.outages import SELF
from gateway.deliver.outcome import unusable_words
from gateway.store.account import evidence
from gateway.store.account.evidence import About
from gateway.store.base.installation import know
from gateway.store.deliver import destinations, receipts, silent
from gateway.store.deliver.receipts import MatchedReceipt
from gateway.telemetry.log import LogEvent, item_failed, logger
from schemas.delivery import Claimed, Item, Outcome, OutcomeKind

_ANSWERS = {
    OutcomeKind.ACCEPTED: "送达后无回执，查询：已有效入库",
    OutcomeKind.REJECTED: "送达后无回执，查询：被退回",
    OutcomeKind.SUBMITTED: "送达后无回执，查询：对方仍在处理",
    OutcomeKind.ACCEPTED_BLIND: "送达后无回执，查询：对方有，不知是否入库",
}
_ABSENT = "送达后无回执，查询：对方没有这一条；核对后先 deliveries park，再 retry 重报"
_NOTHING = "送达后无回执，查询：对方答不出"
_UNUSABLE = "送达后无回执，不能查询"

#: A delivery, when, by whom, and what is said of it.
Said = tuple[int, datetime, str, str]


async def ask(deliverer: Deliverer) -> int:
    """Look up what was handed over `silent_after` ago, once; return how many were asked for.

    Each pass goes on behind the one before, and asks for half as many where nothing was answered:
    what gets no answer keeps no other from its turn, nor from its answer.
    Only the owner of the destination asks, and only where a look-up finds out. Elsewhere, and
    where the look-up finds nothing new, a person has to act: the work list says so.
    """
    finds = deliverer.connector.limits.on_unknown in {OnUnknown.LOOK_UP, OnUnknown.LISTING}
    if not finds or not deliverer.is_owner or deliverer.is_quiet:
        return 0
    if await deliverer.caller.state(Act.SILENCE) is BreakerState.OPEN:
        return 0
    now = deliverer.clock()
    async with deliverer.database.transaction() as connection:
        before = now - deliverer.destination.silent_after
        found = await silent.silent(
            connection,
            deliverer.name,
            before=before,
            by=SELF,
            after=deliverer.asked_last,
            limit=deliverer.asked_together,
        )
        versions = [one.key_version for one in found if one.key_version is not None]
        await know(connection, deliverer.keys, versions)
    if not found:
        return 0
    deliverer.asked_last = found[-1].id
    extra = {"destination": deliverer.name, "count": len(found)}
    logger.warning(LogEvent.SILENT_ASKED, extra=extra)
    items, said = _made(deliverer, found)
    asked_at = deliverer.clock()
    if items and not await deliverer.caller.pace.turn(lambda: not deliverer.is_owner, asking=True):
        return 0
    if items:
        asked, act = list(items.values()), Act.SILENCE
        outcomes = await deliverer.caller.outcomes(asked, look=True, act=act)
        _together(deliverer, answered=any(one.answered for one in outcomes))
    else:
        outcomes = []
    await _keep(deliverer, dict(zip(items, outcomes, strict=True)), said, asked_at)
    return len(found)


def _together(deliverer: Deliverer, *, answered: bool) -> None:
    together = deliverer.asked_together * 2 if answered else deliverer.asked_together // 2
    deliverer.asked_together = max(1, min(together, deliverer.connector.limits.batch_size))


def _made(deliverer: Deliverer, found: Sequence[Claimed]) -> tuple[dict[int, Item], list[Said]]:
    """Make the items, by their deliveries; of one that cannot be made that is what is said."""
    items: dict[int, Item] = {}
    said: list[Said] = []
    for one in found:
        try:
            items[one.id] = item(one, deliverer.destination, deliverer.installation, deliverer.keys)
        except Exception as error:  # noqa: BLE001  it is that item's outcome
            reference = item_failed(error, destination=one.destination, delivery=one.id)
            words = f"{_UNUSABLE}：{unusable_words(reference)}"
            said.append((one.id, deliverer.clock(), SELF, words))
    return items, said


async def _keep(
    deliverer: Deliverer, outcomes: Mapping[int, Outcome], said: list[Said], asked_at: datetime
) -> None:
    """Keep what was said; of a call without an answer nothing, so that it is asked again.

    An answer counts as of the time of asking: what came meanwhile is later. Nothing is kept where
    another process owns the destination by now.
    """
    now, ours = deliverer.clock(), deliverer.caller.ownership
    answers = []
    for id_, outcome in outcomes.items():
        if not outcome.answered:
            continue
        absent = outcome.absent and outcome.kind is OutcomeKind.DEFERRED
        words = _ABSENT if absent else _ANSWERS.get(outcome.kind, _NOTHING)
        said.append((id_, now, SELF, words))
        if not absent and outcome.kind in {OutcomeKind.ACCEPTED, OutcomeKind.REJECTED}:
            accepted = outcome.kind is OutcomeKind.ACCEPTED
            at, reference = outcome.platform_at or asked_at, outcome.reference
            answers.append(MatchedReceipt(id_, accepted, outcome.reasons, at, reference))
    async with deliverer.database.transaction() as connection:
        if answers:
            await receipts.apply_receipts(connection, deliverer.name, answers, now)
        if not await destinations.set_receipts_place(connection, ours, None):
            await connection.rollback()
            return
        await evidence.say(connection, About.DELIVERY, said)

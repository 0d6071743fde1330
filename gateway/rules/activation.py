"""Which texts of rule sets are in force, and how a new one is activated.

A new text scores from its day on, after a fresh diff against the store, a proposal, and the
approval of a second person. It needs a further confirmation if more subjects change grade than the
set share. The first text of a bound rule set is adopted without them.
"""

import asyncio
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction

from gateway.config.errors import BadConfiguration
from gateway.rules.files import LoadedRuleSet, parse_rule_set
from gateway.rules.rulebook import InForce, Rulebook
from gateway.store.audit import events
from gateway.store.base.engine import Connection
from gateway.store.score import activations, rule_sets
from gateway.store.score.activations import Activation
from gateway.telemetry.audit_events import AuditEvent
from gateway.telemetry.log import LogEvent, logger
from schemas.base import today
from scoring.cases.rule_set_cases import run_case
from scoring.regulation.ruleset import RuleSet, RuleSetStatus

#: A diff older than this no longer shows today's population.
FRESH = timedelta(hours=24)
ADOPTER = "credit-gateway"


class NotActivated(Exception):
    """The step is refused; the message says in Chinese what is missing and what to do."""


async def adopt(connection: Connection, rulebook: Rulebook, now: datetime) -> None:
    """Store the texts of bound rule sets, adopt those without any, and warn where a file differs.

    It locks activations; the caller owns the transaction.

    Raises:
        BadConfiguration: a new binding covers subjects that another rule set has scored.
    """
    await activations.lock(connection)
    new = await _new_bindings(connection, rulebook)
    for loaded in rulebook.bound():
        rule_set = loaded.rule_set
        await keep(connection, loaded, now)
        if rule_set.name in new:
            rulebook.covered(rule_set.name)
            await activations.adopt(connection, rule_set.name, rule_set.version, ADOPTER, now)
    await refresh(connection, rulebook)
    for name in changed_texts(rulebook, today(now)):
        logger.warning(LogEvent.RULE_TEXT_CHANGED, extra={"rule_set": name})


async def recall(connection: Connection, rulebook: Rulebook) -> None:
    """Load what is in force into the rulebook, for a command that only reads.

    Raises:
        BadConfiguration: a new binding covers subjects that another rule set has scored.
    """
    await _new_bindings(connection, rulebook)
    await refresh(connection, rulebook)


async def _new_bindings(connection: Connection, rulebook: Rulebook) -> set[str]:
    """Return the bound rule sets that were never adopted; refuse those of scored subjects."""
    known = await activations.adopted(connection)
    new = {loaded.rule_set.name for loaded in rulebook.bound()} - set(known)
    for binding in rulebook.settings.bindings:
        name = binding.rule_set
        if name in new and await activations.scored_already(
            connection, sorted(binding.kinds), binding.regions
        ):
            raise BadConfiguration(
                f"scoring.bindings：{name} 所绑定的单位已按别的评价办法评价；请保留原来的绑定，"
                f"用 rules activate {name} --replaces 原名 启用"
            )
    return new


def changed_texts(rulebook: Rulebook, day: date) -> list[str]:
    """Return the rule sets in force whose files differ: their new texts need an activation."""
    standing = [rulebook.in_force(name, day) for name in rulebook.bound_names]
    return [
        one.name
        for one in standing
        if one.name in rulebook.names and rulebook.load(one.name).rule_set.version != one.version
    ]


async def keep(connection: Connection, loaded: LoadedRuleSet, now: datetime) -> None:
    """Store the text of a rule set, so that its results can be computed again."""
    rule_set = loaded.rule_set
    await rule_sets.keep_rule_set(connection, rule_set.version, rule_set.name, loaded.content, now)


async def refresh(connection: Connection, rulebook: Rulebook) -> None:
    """Load what is in force into the rulebook; call it first in a transaction that scores."""
    released = await activations.in_force(connection)
    if [(one.bound, one.from_day, one.rule_set.version) for one in rulebook.activated] == released:
        return
    known = {one.rule_set.version: one.rule_set for one in rulebook.activated}
    known |= {one.rule_set.version: one.rule_set for one in rulebook.bound()}
    missing = {hash_ for _, _, hash_ in released} - known.keys()
    texts = await rule_sets.rule_set_texts(connection) if missing else {}
    for hash_ in missing:
        known[hash_] = await asyncio.to_thread(parse_rule_set, texts[hash_])
    rulebook.put_in_force(InForce(bound, day, known[hash_]) for bound, day, hash_ in released)


@dataclass(frozen=True, slots=True)
class Proposal:
    """The text that is to score the subjects bound to `bound`, from when, and who proposes it."""

    bound: str
    loaded: LoadedRuleSet
    from_day: date
    share: Fraction  #: of the subjects that may change grade without a further confirmation
    actor: str


async def propose(
    connection: Connection, rulebook: Rulebook, proposal: Proposal, now: datetime
) -> Activation:
    """Propose an activation; locks activations until the caller's transaction ends.

    Raises:
        NotActivated: no fresh diff, a failing case, an impossible day, or another open proposal.
    """
    await activations.lock(connection)
    await refresh(connection, rulebook)
    rule_set = proposal.loaded.rule_set
    standing = rulebook.in_force(proposal.bound, proposal.from_day)
    _refuse_unfit(proposal, standing, today(now))
    for one in await activations.open_activations(connection):
        if one.bound == proposal.bound:
            raise NotActivated(f"{one.bound} 已有未完成的启用（{one.name}），先完成或撤回")
    diff = await _fresh_diff(connection, proposal, standing, now)
    await keep(connection, proposal.loaded, now)
    values = {
        "bound": proposal.bound,
        "name": rule_set.name,
        "hash": rule_set.version,
        "from_day": proposal.from_day,
        "diff_id": diff.id,
        "population": diff.population,
        "flip_limit": int(proposal.share * diff.population),
        "flips": diff.flips,
        "actor": proposal.actor,
        "now": now,
    }
    id_ = await activations.propose(connection, values)
    await _tell(connection, AuditEvent.RULE_SET_PROPOSED, id_, values, now)
    return next(one for one in await activations.open_activations(connection) if one.id == id_)


async def _fresh_diff(
    connection: Connection, proposal: Proposal, standing: RuleSet, now: datetime
) -> activations.Diff:
    """Return the diff of today's population that the proposal is based on."""
    rule_set = proposal.loaded.rule_set
    diff = await activations.latest_diff(connection, standing.version, rule_set.version)
    if diff is None or now - diff.made_at > FRESH:
        raise NotActivated(
            f"没有24小时内的比较；先运行 credit-gateway rules diff "
            f"{proposal.bound} {rule_set.name} --store"
        )
    if not today(diff.made_at) <= diff.as_of <= proposal.from_day:
        raise NotActivated(
            f"最近的比较算的是 {diff.as_of}；应在比较当天与启用日期 {proposal.from_day} 之间"
        )
    return diff


def _refuse_unfit(proposal: Proposal, standing: RuleSet, day_now: date) -> None:
    rule_set, day = proposal.loaded.rule_set, proposal.from_day
    if standing.version == rule_set.version:
        raise NotActivated(f"{rule_set.name} 的这个文本已经在用")
    if day < day_now:
        raise NotActivated(f"启用日期 {day} 早于今天 {day_now}")
    if not rule_set.is_effective(day):
        begin, end = rule_set.effective_from, rule_set.effective_to
        raise NotActivated(f"{rule_set.name} 的有效期为 {begin} 至 {end or '长期'}，不含 {day}")
    if rule_set.status is RuleSetStatus.DRAFT and rule_set.name != proposal.bound:
        raise NotActivated(f"{rule_set.name} 是征求意见稿；只有配置直接写明才能试算")
    failing = [line for case in proposal.loaded.cases for line in run_case(rule_set, case)]
    if failing:
        raise NotActivated(f"{rule_set.name} 有 {len(failing)} 处用例不符：{failing[0]}")


async def approve(
    connection: Connection, name: str, hash_: str, actor: str, now: datetime
) -> Activation:
    """Approve a proposal as a second person; locks activations.

    Raises:
        NotActivated: no proposal, approved already, the same person, too old, or another text.
    """
    await activations.lock(connection)
    found = await _open(connection, name)
    if found.approved_at is not None:
        raise NotActivated(f"{name} 已由 {found.approved_by} 批准")
    if found.proposed_by == actor:
        raise NotActivated(f"{actor} 是提出人；须由另一人批准")
    if found.hash != hash_:
        raise NotActivated(f"{name} 的文本在提出之后又变了；撤回后重新比较和提出")
    if now - found.proposed_at > FRESH:
        raise NotActivated("提出已超过24小时，比较不再新；撤回后重新比较和提出")
    await activations.mark(connection, found.id, "approved", actor, now)
    await _tell(connection, AuditEvent.RULE_SET_APPROVED, found.id, {"actor": actor}, now)
    return await _open(connection, name)


async def confirm(connection: Connection, name: str, actor: str, now: datetime) -> Activation:
    """Confirm that more subjects than the set share may change grade; locks activations.

    Raises:
        NotActivated: no proposal, not approved yet, nothing to confirm, or the proposer.
    """
    await activations.lock(connection)
    found = await _open(connection, name)
    if found.approved_at is None:
        raise NotActivated(f"{name} 尚未经第二人批准")
    if found.flips <= found.flip_limit and found.paused_at is None:
        raise NotActivated(f"{name} 的变动没有超过比例，不需再次确认")
    if found.proposed_by == actor:
        raise NotActivated(f"{actor} 是提出人；须由另一人确认")
    await activations.mark(connection, found.id, "confirmed", actor, now)
    await _tell(connection, AuditEvent.RULE_SET_CONFIRMED, found.id, {"actor": actor}, now)
    return await _open(connection, name)


async def withdraw(connection: Connection, name: str, actor: str, now: datetime) -> None:
    """Withdraw an unfinished activation; locks activations.

    If subjects were scored by its text, the text before is activated again.

    Raises:
        NotActivated: there is no unfinished activation of this name.
    """
    await activations.lock(connection)
    found = await _open(connection, name)
    # Then no slice and no batch is being scored by this text any more.
    await activations.mark(connection, found.id, "withdrawn", actor, now)
    await activations.outlast_scoring(connection)
    await _tell(connection, AuditEvent.RULE_SET_WITHDRAWN, found.id, {"actor": actor}, now)
    if found.started_at is not None:
        day = today(now)
        before = next(
            hash_
            for bound, from_day, hash_ in await activations.in_force(connection)
            if bound == found.bound and from_day <= day
        )
        values = {"bound": found.bound, "hash": before, "from_day": day, "actor": actor}
        await activations.roll_back(
            connection, values | {"population": found.population, "now": now}
        )


async def _open(connection: Connection, name: str) -> Activation:
    for one in await activations.open_activations(connection):
        if one.name == name:
            return one
    raise NotActivated(f"没有提出过启用 {name}，或已经完成")


async def _tell(
    connection: Connection, event: AuditEvent, id_: int, detail: dict[str, object], now: datetime
) -> None:
    actor = str(detail["actor"])
    kept = {key: str(value) for key, value in detail.items() if key not in {"actor", "now"}}
    entry = events.AuditEntry(event, {"activation": id_, **kept}, actor)
    await events.add(connection, [entry], now)

"""The promises: each is a name, a sentence, and a check that raises if it is not kept."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from connectors.conformance.trial import TAKEN, Broken, DoesNotApply, Trial, Untried, told
from connectors.errors import ConnectorError
from connectors.protocol import OnUnknown
from schemas.codes import Verb
from schemas.columns import columns_of
from schemas.delivery import Health, Item, Listed, ListingMark, OutcomeKind, Receipt
from schemas.kinds import KINDS

#: A longer call keeps a stop waiting until the service manager ends it (deploy/README.md).
LONGEST_CALL = timedelta(seconds=160)
#: What stands in real decisions, or is left out of them, and breaks careless formats.
_ODD_CONTENT = {
    "引号": "\"双\" '单' “中”\\",
    "尖括号和＆": "<b>限值 < 3 & 实测 > 5</b> ]]> <!-- -->",
    "换行和制表符": "第一行\n第二行\t列",
    "扩展区汉字和表情": "𠮷㐂😀",
    "长文字": "超标排放大气污染物，" * 390,
    "空文字": "",
    "没有值": None,
}
_SLACK = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Promise:
    """One thing that every connector promises; `calls` says whether trying it needs an answer."""

    name: str
    title: str
    check: Callable[[Trial], Awaitable[None]]
    calls: bool = True


async def _limits(trial: Trial) -> None:
    limits = trial.connector.limits
    if limits.batch_size < 1 or limits.concurrency < 1:
        raise Broken("batch_size 和 concurrency 应不小于 1")
    if not timedelta(0) < limits.call_timeout <= LONGEST_CALL:
        most = f"{LONGEST_CALL.total_seconds():g}"
        raise Broken(f"call_timeout 应大于 0 秒、不超过 {most} 秒；更长的调用会使停机被强行中止")
    if limits.on_unknown is OnUnknown.LISTING and not limits.has_listing:
        raise Broken("on_unknown 是 listing，has_listing 却是 False；查不到清单就查不明结果")


async def _health(trial: Trial) -> None:
    health = await trial.connector.health()
    if not isinstance(health, Health):
        raise Broken(f"health 应返回 Health，返回的是 {type(health).__name__}")
    if not health.ok:
        raise ConnectorError(health.detail or "对方不应答")


async def _nothing(trial: Trial) -> None:
    for method in (trial.connector.send, trial.connector.look_up):
        if await method([]) != []:
            raise Broken(f"{method.__name__} 没有给任何条目，应返回空列表")


async def _one_outcome_each(trial: Trial) -> None:
    items = trial.items_of_each_kind(3)
    outcomes = await trial.send(*items)
    if any(outcome.absent for outcome in outcomes):
        raise Broken("send 的结果写了 absent；那只是查询的答案")
    if all(outcome.kind is OutcomeKind.UNKNOWN for outcome in outcomes):
        said = "；".join(outcomes[0].reasons) or "没有说明"
        raise Untried(f"每一条都结果不明：{said}")


async def _again(trial: Trial) -> None:
    item = await trial.taken()
    [again] = await trial.send(_resent(item))
    if again.kind not in TAKEN:
        said = "；".join(again.reasons) or "没有说明"
        raise Broken(f"同一条（键 {item.key}）重报，结果是 {again.kind.value}：{said}；应仍算收下")


async def _unsent(trial: Trial) -> None:
    [found] = await trial.look_up(trial.item())
    can_ask = trial.connector.limits.on_unknown is OnUnknown.LOOK_UP
    unknown = found.kind is OutcomeKind.UNKNOWN
    if not found.absent and (can_ask or not unknown):
        wanted = "absent" if can_ask else "absent 或 unknown"
        raise Broken(f"没有报过的一条，查询说 {found.kind.value}；应为 {wanted}")


async def _looked_up_in_order(trial: Trial) -> None:
    if trial.connector.limits.on_unknown is not OnUnknown.LOOK_UP:
        raise DoesNotApply("不能逐条查询")
    sent, unsent = await trial.taken(), trial.item()

    async def is_found() -> bool:
        [found] = await trial.look_up(sent)
        return not found.absent

    if not await trial.settled(is_found):
        raise Broken(f"刚收下的一条（键 {sent.key}），查询说没有")
    for asked in ((sent, unsent), (unsent, sent)):
        found = await trial.look_up(*asked)
        if [one.absent for one in found] != [item is unsent for item in asked]:
            raise Broken("查询的结果与所查的次序不一致：应与条目一一对应")


async def _found_out(trial: Trial) -> None:
    """The answer is as good as lost: only the declared method may say what became of the item."""
    way = trial.connector.limits.on_unknown
    if way is OnUnknown.PERSON:
        raise DoesNotApply("结果不明时由人查明")
    since = trial.now() - _SLACK
    item = await trial.taken()

    async def is_known() -> bool:
        if way is OnUnknown.LISTING:
            rows = await trial.listed(since)
            return any(isinstance(row, Listed) and _is_of(row, item) for row in rows)
        ask = trial.look_up if way is OnUnknown.LOOK_UP else trial.send
        [found] = await ask(_resent(item))
        return found.kind in TAKEN or found.kind is OutcomeKind.REJECTED

    if not await trial.settled(is_known):
        if way is OnUnknown.LISTING:
            raise Untried("公示清单里还没有刚收下的一条；对方公示以后再试")
        raise Broken(f"当作没有收到应答，按声明的办法（{way.value}）查不明刚收下的一条")


async def _odd_content(trial: Trial) -> None:
    for what, text in _ODD_CONTENT.items():
        plain = trial.item()
        column = _free_text(plain)
        odd = plain.model_copy(update={"columns": {**plain.columns, column: text}})
        await _answered(trial, odd, f"{column} 是{what}的一条")


async def _follow_ups(trial: Trial) -> None:
    first = await trial.taken()
    keys: tuple[str, ...] = (first.key,)
    for version, verb in enumerate((Verb.CORRECT, Verb.REPAIR, Verb.REVIVE, Verb.WITHDRAW), 2):
        later = trial.item(
            verb=verb,
            version=version,
            earlier=keys,
            document_number=first.document_number,
            columns=first.columns,
        )
        await _answered(trial, later, f"动作“{verb.value}”")
        keys = (later.key, *keys)


async def _answered(trial: Trial, item: Item, what: str) -> None:
    """Send an item; if the whole call fails, once more after another one was taken.

    A refusal of a lone item may be one of everything, so that a connector may wait for that.
    """
    try:
        await trial.send(item)
    except ConnectorError:
        await trial.taken()
        try:
            await trial.send(_resent(item))
        except ConnectorError as error:
            raise Broken(f"{what}使整次调用失败，别的条目却没有（{told(error)}）") from None
    except (Broken, Untried):
        raise
    except Exception as error:
        raise Broken(f"{what}使 send 抛出 {type(error).__name__}：{error}") from error


async def _receipts(trial: Trial) -> None:
    found, cursor = await trial.connector.receipts("")
    if not trial.connector.limits.has_receipts:
        if found or cursor:
            raise Broken("has_receipts 是 False，receipts 应返回空列表和原来的游标")
        raise DoesNotApply("没有回执")
    if not isinstance(cursor, str) or not all(isinstance(one, Receipt) for one in found):
        raise Broken("receipts 应返回 Receipt 的列表和文字的游标")
    await trial.connector.receipts(cursor)


async def _listing(trial: Trial) -> None:
    rows = await trial.listed(trial.now() - _SLACK)
    if not all(isinstance(row, Listed | ListingMark) for row in rows):
        raise Broken("listing 只能给出 Listed 和 ListingMark")
    if not trial.connector.limits.has_listing:
        if rows:
            raise Broken("has_listing 是 False，listing 却有内容；声明与实际应一致")
        raise DoesNotApply("没有公示清单")


async def _closed_twice(trial: Trial) -> None:
    await trial.connector.close()
    await trial.connector.close()


def _resent(item: Item) -> Item:
    """Return an item as the gateway sends it after an unknown outcome."""
    return item.model_copy(update={"resend": True})


def _free_text(item: Item) -> str:
    """Return the column of an item that may hold the longest text."""
    kinds = {str(name): columns_of(kind.model) for name, kind in KINDS.items()}
    texts = {
        column.wire: column.plain
        for column in kinds.get(item.record_kind, ())
        if column.wire in item.columns
    }
    return max(texts, key=lambda wire: texts[wire], default="subject_name")


def _is_of(row: Listed, item: Item) -> bool:
    return row.document_number == item.document_number and row.subject_code == item.subject_code


#: In the order in which they are tried.
PROMISES = (
    Promise("limits", "声明的限度和能力前后一致", _limits, calls=False),
    Promise("health", "能说明对方是否应答", _health),
    Promise("nothing", "什么都不给，什么都不返回", _nothing),
    Promise("unsent", "没有报过的，查询说没有或不知道", _unsent),
    Promise("one-outcome-each", "每条一个结果，次序不变", _one_outcome_each),
    Promise("again", "同一条重报，仍算收下", _again),
    Promise("looked-up-in-order", "查询的结果与条目一一对应", _looked_up_in_order),
    Promise("found-out", "没有收到应答的，按声明的办法查明", _found_out),
    Promise("odd-content", "特殊内容的一条不使整次调用失败", _odd_content),
    Promise("follow-ups", "更正、修复、恢复、撤回各有结果", _follow_ups),
    Promise("receipts", "回执与声明一致，游标可再用", _receipts),
    Promise("listing", "公示清单与声明一致", _listing),
    Promise("closed-twice", "关闭两次也没有错", _closed_twice, calls=False),
)

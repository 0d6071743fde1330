"""Judge our decisions against the rows that a platform shows (pure)."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from datetime import date, datetime, timedelta

import orjson

from gateway.reconcile.difference import Difference, DifferenceKind, Flag, difference
from gateway.reconcile.lasting import ALL_KINDS, OWN_KINDS, Examined
from gateway.reconcile.pairing import Pairing
from gateway.reconcile.pairs import Ours, Pair, Shown
from gateway.titles import EXCLUSIONS, STATES
from schemas.base import start_of, today
from schemas.delivery import TAKEN, UNDELIVERED, DeliveryState
from schemas.verdict import Exclusion

#: The wire column of the end of publication 公示截止期.
_PUBLISHED_UNTIL = "CF_GSJZQ"
_ASK_PLATFORM = "到平台核对，请平台补显示或说明"
_TAKE_DOWN = "请平台撤下这一条"
#: What mends a decision that was not handed over, by the state of its delivery.
_HAND_OVER = {
    DeliveryState.HELD: "补正所缺的项后重新接收",
    DeliveryState.REJECTED: "按退回原因更正后重新接收",
    DeliveryState.PARKED: "deliveries retry 恢复报送",
    None: "没有报送任务：检查配置里的 takes、since 和 regions",
}
_WAIT = "等待报送；用 worklist 看为什么还没有送出"
#: What a listing proves to be accepted: that of which nobody answered anything, and where nothing
#: else counts that of which an answer is outstanding.
_BLIND = frozenset({DeliveryState.ACCEPTED_BLIND})
_BY_LISTING = _BLIND | {DeliveryState.SUBMITTED, DeliveryState.UNKNOWN}


class Platform:
    """The judgement of one platform as of a time.

    `complete_until`: up to when its listing is complete; None: it has none. `by_listing`: nothing
    but the listing says what is accepted. That something is not there is believed only if it was
    handed over so long before.
    """

    def __init__(
        self,
        now: datetime,
        complete_until: datetime | None,
        shown_within: timedelta = timedelta(0),
        *,
        by_listing: bool = False,
    ) -> None:
        self.now = now
        self._provable = _BY_LISTING if by_listing else _BLIND
        self.settled = None if complete_until is None else complete_until - shown_within
        self._unsettled: set[int] = set()
        self._lagging: set[int] = set()

    def differences(self, pairing: Pairing) -> list[Difference]:
        """Return all differences of what was paired."""
        return [*of_pairs(pairing, self._flags), *_over_reported(pairing)]

    def examined(self, pairing: Pairing, first: date, end: date) -> Examined:
        """Return what could be seen in this run, after `differences`."""
        has_listing = self.settled is not None
        return Examined(
            decisions=pairing.ids,
            kinds=ALL_KINDS if has_listing else OWN_KINDS,
            unsettled=self._unsettled,
            absence=DifferenceKind.NOT_VISIBLE,
            first=first,
            end=end,
            since=start_of(first) if has_listing else None,
            lagging=self._lagging,
        )

    def proven(self, pair: Pair) -> bool:
        """Whether the listing proves that the platform has what nobody answered for.

        A correction is proven only by a row that was shown since it was sent: the one before it
        may look the same. A listing proves no withdrawal.
        """
        ours, shown_at = pair.ours, pair.shown_at
        if ours.report_state not in self._provable or shown_at is None or pair.wrong:
            return False
        if ours.withdrawn_at is not None or ours.repaired:
            return False
        if ours.correction_due is None:
            return True
        return ours.corrected_at is not None and shown_at >= ours.corrected_at

    def _flags(self, pair: Pair) -> Iterator[Flag]:
        ours, shown_at = pair.ours, pair.shown_at
        gone = ours.excluded is not None or ours.withdrawn_at is not None
        if gone or ours.repaired:
            if shown_at is not None and self._should_be_gone(ours):
                yield _should_not_be_there(ours, shown_at)
            if gone:
                return
        elif shown_at is not None:
            yield from self._of_content(pair, shown_at)
        if ours.owed:
            yield from self._of_delivery(pair)

    def _of_content(self, pair: Pair, shown_at: datetime) -> Iterator[Flag]:
        """Yield what is wrong with the rows; after a correction the one before may still stand."""
        corrected_at = pair.ours.corrected_at
        is_lag = corrected_at is not None and (self.settled is None or corrected_at > self.settled)
        if is_lag:
            self._lagging.add(pair.ours.decision_id)
        for flag in wrong_flags(pair, shown_at, "平台", "报送"):
            is_new_row = corrected_at is None or shown_at >= corrected_at
            if not is_lag or (is_new_row and flag.kind is DifferenceKind.WRONG_VALUE):
                yield flag

    def _should_be_gone(self, ours: Ours) -> bool:
        """Whether a listing must not show it any more; what was just told may still be there."""
        if ours.repaired and ours.state not in TAKEN:
            return False
        return ours.told_at is None or (self.settled is not None and ours.told_at <= self.settled)

    def _of_delivery(self, pair: Pair) -> Iterator[Flag]:
        ours, shown = pair.ours, pair.shown_at is not None
        past_due = ours.due is not None and ours.due <= self.now
        state = _title(ours.state)
        if ours.handed_over_at is None:
            if past_due and ours.due is not None:
                there = "；平台已有该决定，可能由其他途径录入" if shown else ""
                cause = f"期限已过，尚未送达（{state}）{there}"
                action = _HAND_OVER.get(ours.state, _WAIT)
                yield Flag(DifferenceKind.MISSING, cause, action, ours.due)
            return
        accepted_at = ours.accepted_at or (pair.shown_at if self.proven(pair) else None)
        in_time = accepted_at is not None and ours.due and accepted_at < ours.due
        if past_due and ours.due is not None and not in_time:
            cause = f"期限内没有有效入库（{state}）"
            action = "写明迟报原因（deliveries note）"
            yield Flag(DifferenceKind.LATE, cause, action, ours.due)
        if self._is_late_correction(ours) and ours.correction_due is not None:
            cause = f"更正没有送达（{_title(ours.report_state)}），平台上还是以前的内容"
            action = _HAND_OVER.get(ours.report_state, _WAIT)
            yield Flag(DifferenceKind.MISSING, cause, action, ours.correction_due)
        since = ours.accepted_at or ours.handed_over_at
        if not shown and self._should_be_visible(ours, since):
            if ours.accepted_at is not None:
                cause = "平台已接收，公示清单中没有"
            else:
                cause = f"已送达，平台未公示（{state}）"
            yield Flag(DifferenceKind.NOT_VISIBLE, cause, _ASK_PLATFORM, since)

    def _is_late_correction(self, ours: Ours) -> bool:
        """Whether the last version of it is not handed over, and should be by now."""
        due, state = ours.correction_due, ours.report_state
        return due is not None and due <= self.now and state in UNDELIVERED and not ours.repaired

    def _should_be_visible(self, ours: Ours, since: datetime) -> bool:
        """Whether it must be shown: not rejected, not repaired, and before its 公示截止期."""
        rejected = ours.state is DeliveryState.REJECTED and ours.accepted_at is None
        if self.settled is None or ours.repaired or rejected:
            return False
        if since > self.settled:
            self._unsettled.add(ours.decision_id)
            return False
        until = orjson.loads(ours.columns).get(_PUBLISHED_UNTIL)
        return until is None or date.fromisoformat(until) >= today(self.now)


def of_pairs(pairing: Pairing, flags_of: Callable[[Pair], Iterable[Flag]]) -> Iterator[Difference]:
    """Yield the differences of our decisions, when every row of the other side has been seen."""
    pairing.pair_strangers()
    for pair in pairing:
        if flags := list(flags_of(pair)):
            ours = pair.ours
            yield from difference(ours.key, ours.decision_id, ours.day, flags)


def wrong_flags(pair: Pair, shown_at: datetime, where: str, what: str) -> Iterator[Flag]:
    """Yield what is wrong with the rows that another side has of one decision."""
    if pair.wrong:
        titles = "、".join(mismatch.title for mismatch in pair.wrong)
        cause = f"{where}里的与{what}的不一致：{titles}"
        action = "按决定书核对：我方错的，更正后重新接收；对方错的，请对方改正"
        columns = [asdict(mismatch) for mismatch in pair.wrong]
        yield Flag(DifferenceKind.WRONG_VALUE, cause, action, shown_at, {"columns": columns})
    if pair.times > 1:
        cause = f"{where}里同时有{pair.times}条：重复登记，或更正后旧的没有撤下"
        action = f"请{where}只留一条"
        yield Flag(DifferenceKind.DUPLICATE, cause, action, shown_at, {"times": pair.times})


def compare(ours: Iterable[Ours], shown: Iterable[Shown], now: datetime) -> list[Difference]:
    """Return the differences between our decisions and all rows of a platform."""
    pairing = Pairing(ours)
    for row in shown:
        pairing.see(row)
    return Platform(now, now).differences(pairing)


def _should_not_be_there(ours: Ours, shown_at: datetime) -> Flag:
    if ours.withdrawn_at is not None:
        cause = f"决定已撤回，平台仍在公示（最近一次报送：{_title(ours.state)}）"
        since = max(ours.withdrawn_at, shown_at)
    elif ours.repaired:
        cause, since = "已终止公示（信用修复），平台仍在公示", ours.told_at or shown_at
    else:
        reason = EXCLUSIONS[Exclusion(str(ours.excluded))]
        cause, since = f"不予报送的决定（{reason}），平台却在公示", shown_at
    return Flag(DifferenceKind.OVER_REPORTED, cause, _TAKE_DOWN, since)


def _over_reported(pairing: Pairing) -> Iterator[Difference]:
    """Yield one difference for each shown decision that is not ours."""
    cause = "平台公示的决定不在本单位登记之列：手工补录、文号写错，或有决定没有进入本系统"
    action = "查明来源：确有此决定的，补录进来；没有的，请平台撤下"
    for key, rows in pairing.strange_rows().items():
        since = min(row.shown_at for row in rows)
        times = {"times": len(rows)}
        flag = Flag(DifferenceKind.OVER_REPORTED, cause, action, since, times)
        yield from difference(key, None, rows[0].day, [flag])


def _title(state: DeliveryState | None) -> str:
    return STATES[state] if state else "没有报送任务"

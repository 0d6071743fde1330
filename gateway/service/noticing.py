"""What needs a person 需要人处理的: needs of the work list, of the machine, of the morning."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from gateway.notify.needs import Line, Need
from gateway.notify.notifier import Notifier
from gateway.service.app import Gateway
from gateway.service.examined import machine_parts, stored_parts
from gateway.service.finding import judged
from gateway.store.deliver.worklist import Wanted
from gateway.worklist.look import look
from gateway.worklist.rows import Actor, Grouping, Late, WorkRow
from schemas.base import SHANGHAI, end_of, last_moment, today
from schemas.contact import ContactRole

#: Open deliveries that are looked at, those due first.
MOST_ROWS = 500
#: What stands so long before its due time is told.
SOON = timedelta(hours=24)
#: The list of the morning is told until then.
MORNING_ENDS = time(18)
CLERK, OPERATOR, LEADER = ContactRole.CLERK, ContactRole.OPERATOR, ContactRole.LEADER
_ALL = "全部见 credit-gateway worklist"
#: What late means → key, title and who is told.
_LATE = {
    Late.OVERDUE: ("overdue", "有报送已超期", frozenset({CLERK, OPERATOR, LEADER})),
    Late.STANDS: ("stands", "有报送不处理会超期", frozenset({CLERK})),
    Late.SLOW: ("predicted", "有报送预计超期：队列来不及", frozenset({OPERATOR, LEADER})),
    Late.DOWN: ("down", "有报送预计超期：接收方中断", frozenset({OPERATOR, LEADER})),
    Late.UNANSWERED: ("unanswered", "有报送无回执会超期", frozenset({OPERATOR})),
}
#: Parts of the examination that are others' matter, too.
_OF_OTHERS = {"月度台账": frozenset({CLERK, OPERATOR, LEADER})}


def build_notifier(gateway: Gateway) -> Notifier:
    """Build what tells the contacts; raises BadConfiguration for an address that is none."""
    looking = Needs(gateway)
    settings = gateway.settings.notify
    return Notifier(gateway.database, settings, looking.look, gateway.clock, gateway.metrics)


class Needs:
    """What looks for the needs of an installation."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    async def look(self, now: datetime) -> Sequence[Need]:
        """Return the needs that are present.

        Raises:
            DatabaseAway: it cannot be told now.
        """
        rows = await self._rows(now)
        found = [_late(late, [row for row in rows if row.late is late], now) for late in _LATE]
        found += [await self._machine(), self._morning(rows, now)]
        return [one for some in found for one in some]

    async def _rows(self, now: datetime) -> Sequence[WorkRow]:
        built = self.gateway
        async with built.database.transaction() as connection:
            known = built.settings.destinations, built.settings.all_clocks
            by = Grouping.ACTOR
            return (await look(connection, *known, Wanted(), now, by, MOST_ROWS)).rows

    async def _machine(self) -> list[Need]:
        """Return a need for each part of the machine that is not well."""
        parts = {**machine_parts(self.gateway.settings), **stored_parts(self.gateway)}
        findings = [await judged(name, part) for name, part in parts.items()]
        return [
            Need(
                key=f"examined {one.name}",
                title=f"{one.name}：需要处理",
                roles=_OF_OTHERS.get(one.name, frozenset({OPERATOR})),
                lines=(Line(one.detail),),
                advice="检查见 credit-gateway doctor",
            )
            for one in findings
            if not one.ok
        ]

    def _morning(self, rows: Sequence[WorkRow], now: datetime) -> list[Need]:
        """Return the list of the day, from the configured time on: what is due, held by whom."""
        begin, day = self.gateway.settings.notify.morning, today(now)
        at = now.astimezone(SHANGHAI).time()
        if begin is None or not begin <= at < max(begin, MORNING_ENDS):
            return []
        due = [row for row in rows if _is_due(row, day)]
        waits = [row for row in rows if row.actor is Actor.CLERK and not _is_due(row, day)]
        lines = [_line(row, now, "今天到期") for row in due]
        lines += [_line(row, now, "待经办人员") for row in waits]
        if not lines:
            return []
        return [
            Need(
                key=f"morning {day}",
                title=f"{day:%m月%d日}：今天到期 {len(due)} 件，另待经办人员处理 {len(waits)} 件",
                roles=frozenset({CLERK, LEADER, OPERATOR}),
                lines=tuple(lines),
                advice=_ALL,
                ends_silently=True,
            )
        ]


def _is_due(row: WorkRow, day: date) -> bool:
    return row.due_at <= end_of(day) and row.late not in {Late.OVERDUE, Late.UNSETTLED}


def _late(late: Late, rows: Sequence[WorkRow], now: datetime) -> list[Need]:
    if late in {Late.STANDS, Late.UNANSWERED}:
        rows = [row for row in rows if row.due_at - now <= SOON]
    if not rows:
        return []
    key, title, roles = _LATE[late]
    lines = tuple(_line(row, now) for row in rows)
    return [Need(key, title, roles, lines, _ALL, urgent=True)]


def _line(row: WorkRow, now: datetime, lead: str = "") -> Line:
    due = f"期限 {last_moment(row.due_at):%m-%d %H:%M}"
    left = row.due_at - now
    hours = f"剩 {left / timedelta(hours=1):.0f} 小时" if left > timedelta() else "已过"
    words = f"{row.what} {row.authority} → {row.destination} {due}（{hours}）：{row.why}"
    return Line(f"{lead} {words}".strip(), row.authority or None)

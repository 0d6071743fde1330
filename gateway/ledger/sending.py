"""Send each frozen ledger to its recipients 台账报送, until it is there or was fetched."""

import asyncio
import random
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from datetime import datetime, time, timedelta
from pathlib import Path

from gateway.config.account_settings import LedgerSettings
from gateway.config.clock import Clock
from gateway.config.errors import Away
from gateway.config.keys import Keys
from gateway.deliver.retry import next_attempt
from gateway.ledger.channels import NotDelivered, Parcel, by_mail, to_folder
from gateway.ledger.export import LedgerFormat, Tampered, content_of, signed_about
from gateway.ledger.month import days_of
from gateway.store.account import ledger_sendings as store
from gateway.store.account import ledgers, signing_keys
from gateway.store.account.ledger_sendings import Sending, SendingState
from gateway.store.account.ledgers import Frozen
from gateway.store.audit import events
from gateway.store.base.engine import Connection, Database
from gateway.telemetry.audit_events import AuditEvent
from gateway.telemetry.log import LogEvent, logger
from schemas.base import SHANGHAI, storable
from schemas.recipient import Recipient

#: What was frozen longer ago is not sent to a recipient that is configured now.
RECENT = timedelta(days=45)
#: After so long a sending that was cut off is done again; none takes longer than SENDING.
LEASE, SENDING = timedelta(minutes=10), timedelta(minutes=5)
_FLOOR, _CAP = timedelta(minutes=1), timedelta(hours=1)

STATE_TITLES = {
    SendingState.READY: "待送",
    SendingState.OFFERED: "待下载",
    SendingState.SENT: "已送出",
    SendingState.RECEIVED: "已确认收到",
    SendingState.SUPERSEDED: "已有新版",
}


class LedgerSender:
    """What sends the ledgers of an installation."""

    def __init__(
        self,
        database: Database,
        settings: LedgerSettings,
        keys: Keys,
        installation: str,
        clock: Clock,
    ) -> None:
        self.database = database
        self.recipients = {one.name: one for one in settings.recipients}
        self.due_day = settings.due_day
        self.keys = keys
        self.installation = installation
        self.clock = clock

    async def send(self) -> int:
        """Plan what is to be sent, and send what is due; return how many were sent."""
        if not self.recipients:
            return 0
        planned = [(name, _first(one)) for name, one in self.recipients.items()]
        async with self.database.transaction() as connection:
            await store.plan(connection, planned, self.clock(), RECENT)
        # Each for itself: one that is slow keeps nobody waiting.
        counts = await asyncio.gather(*map(self._send_to, self.recipients), return_exceptions=True)
        for error in counts:
            if isinstance(error, BaseException):
                raise error
        return sum(count for count in counts if isinstance(count, int))

    async def _send_to(self, name: str) -> int:
        """Send what is due to one recipient; return how many were sent."""
        sent = 0
        while True:
            now = self.clock()
            async with self.database.transaction() as connection:
                one = await store.claim(connection, name, now, now + LEASE)
            if one is None:
                return sent
            sent += await self._send(one)

    async def _send(self, one: Sending) -> bool:
        """Send one version; a failure is noted with the time of the next try."""
        try:
            async with asyncio.timeout(SENDING.total_seconds()):
                await _in_thread(self.recipients[one.recipient], await self._parcel(one))
        except Away:  # our own database
            raise
        except Exception as error:  # noqa: BLE001  whatever it is, it is told and tried again
            await self._failed(one, _words(error))
            return False
        await ended(self.database, one, SendingState.SENT, None, self.clock())
        return True

    async def _failed(self, one: Sending, words: str) -> None:
        now = self.clock()
        again = next_attempt(
            now=now,
            due_at=self._due(one.month),
            attempts=one.attempts,
            floor=_FLOOR,
            cap=_CAP,
            jitter=random.random(),  # noqa: S311  spreads the tries
        )
        extra = {"month": one.month, "recipient": one.recipient, "error": words}
        logger.warning(LogEvent.LEDGER_NOT_SENT, extra=extra)
        async with self.database.transaction() as connection:
            await store.fail(connection, one, words, again.at)

    def _due(self, month: str) -> datetime:
        end = days_of(month)[1]
        return datetime.combine(end.replace(day=self.due_day), time.max, SHANGHAI)

    async def _parcel(self, one: Sending) -> Parcel:
        now = self.clock()
        async with self.database.transaction() as connection:
            frozen = await version_of(connection, one.month, one.version)
            signer = await signing_keys.signer(connection, self.keys, now)
        if frozen is None:
            raise NotDelivered("这一版台账不在了")
        workbook = await content_of(self.database, frozen, LedgerFormat.XLSX)
        title = f"{one.month} 双公示台账第 {one.version} 版"
        told = f"{title}，{frozen.reason}，校验值 {frozen.hash}。"
        return Parcel(
            name=file_name(frozen),
            workbook=workbook,
            signature=signer.sign(signed_about(frozen, workbook, now)),
            subject=title,
            text=f"{told}\n附件：工作簿和签名（.jws）。\n",
            message_id=f"<ledger.{one.month}.{one.version}.{one.recipient}@{self.installation}>",
        )


def _first(one: Recipient) -> SendingState:
    return SendingState.READY if one.is_sent else SendingState.OFFERED


async def _in_thread(recipient: Recipient, parcel: Parcel) -> None:
    """Hand over in a thread that nobody waits for: a disk of others may hang for ever."""
    done: Future[None] = Future()
    done.set_running_or_notify_cancel()

    def work() -> None:
        try:
            _hand_over(recipient, parcel)
        except Exception as error:  # noqa: BLE001  raised where it is waited for
            done.set_exception(error)
        else:
            done.set_result(None)

    threading.Thread(target=work, name="ledger", daemon=True).start()
    await asyncio.wrap_future(done)


def _words(error: Exception) -> str:
    match error:
        case NotDelivered():
            return storable(str(error))
        case Tampered():
            return "存下的台账与冻结时的签名不符，不送；查审计和备份"
        case TimeoutError():
            minutes = SENDING // timedelta(minutes=1)
            return f"{minutes} 分钟没有送完：检查网络、邮件服务器或文件夹所在的盘"
        case _:
            logger.exception(LogEvent.LEDGER_NOT_SENT, exc_info=error)
            return f"程序出错（{type(error).__name__}），详见日志 ledger_not_sent；会再试"


def _hand_over(recipient: Recipient, parcel: Parcel) -> None:
    if recipient.folder is not None:
        to_folder(Path(recipient.folder), parcel)
    elif recipient.mail is not None:
        by_mail(recipient.mail, parcel)
    else:
        raise NotDelivered("配置里没有 folder 或 mail 了：改回去，或由对方下载后确认")


def file_name(frozen: Frozen) -> str:
    """Return the name of the workbook of a version."""
    return f"双公示台账-{frozen.month}-第{frozen.version}版{LedgerFormat.XLSX.value}"


async def version_of(connection: Connection, month: str, version: int | None) -> Frozen | None:
    """Return a frozen version of a month, the newest if none is named."""
    found = await ledgers.versions(connection, month)
    return next((one for one in found if version in (None, one.version)), None)


async def ended(
    database: Database, one: Sending, state: SendingState, by: str | None, now: datetime
) -> bool:
    """Note on the record that a version was sent or received; return whether it was not known."""
    async with database.transaction() as connection:
        done = await store.end(connection, one, state, by, now)
        if done or state is SendingState.SENT:  # that it went out is on the record in any case
            event = AuditEvent.LEDGER_SENT if by is None else AuditEvent.LEDGER_RECEIVED
            detail = {"month": one.month, "version": one.version, "recipient": one.recipient}
            entry = events.AuditEntry(event, detail, by) if by else events.AuditEntry(event, detail)
            await events.add(connection, [entry], now)
    return done


def sending_words(sendings: Sequence[Sending], recipients: Sequence[Recipient]) -> list[str]:
    """Return in Chinese how the sendings stand, one line each."""
    titles = {one.name: one.title for one in recipients}
    lines = []
    for one in sendings:
        at = f" {one.ended_at.astimezone(SHANGHAI):%m-%d %H:%M}" if one.ended_at else ""
        by = f"（{one.ended_by}）" if one.ended_by else ""
        why = f"，试过 {one.attempts} 次：{one.error}" if one.error else ""
        who = titles.get(one.recipient, one.recipient)
        state = STATE_TITLES[one.state]
        lines.append(f"{one.month} 台账第 {one.version} 版 → {who}：{state}{at}{by}{why}")
    return lines

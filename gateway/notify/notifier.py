"""Tell people 通知 what began to need them and what has ended; one process at a time does it."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from gateway.config.clock import Clock
from gateway.config.telling_settings import NotifySettings
from gateway.notify import channels
from gateway.notify.needs import (
    KnownNeed,
    Message,
    Need,
    begun,
    concerned_no_more,
    ended,
)
from gateway.store.account import notices
from gateway.store.base import leases
from gateway.store.base.engine import Connection, Database, DatabaseAway
from gateway.telemetry.log import LogEvent, logger
from gateway.telemetry.metrics import Metrics

#: How long nobody tells anything after a process that told has died, and seconds between two
#: renewals while it lives.
LEASE, RENEWED = timedelta(minutes=2), 30.0
#: Messages to a contact in one look, for each of which a channel has a minute.
MOST = 10

Look = Callable[[datetime], Awaitable[Sequence[Need]]]


class Notifier:
    """What tells the contacts of an installation."""

    def __init__(
        self,
        database: Database,
        settings: NotifySettings,
        look: Look,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        """Check the addresses of the contacts; raises BadConfiguration."""
        channels.check(settings.contacts)
        self.database = database
        self.settings = settings
        self.needs = look
        self.clock = clock
        self.metrics = metrics
        self._owner = uuid.uuid4().hex

    async def look(self) -> int:
        """Tell what is to be told now; return how many messages were sent.

        A message that could not be sent is tried again by the next look.

        Raises:
            DatabaseAway: the next look does it.
        """
        claimed = partial(leases.claim, name="notices", owner=self._owner, time=LEASE)
        if not self.settings.contacts or not await self.database.run(claimed):
            return 0
        keeping = asyncio.create_task(self._keep_lease())
        try:
            return await self._tell()
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            await self.database.run(partial(leases.release, name="notices", owner=self._owner))

    async def _keep_lease(self) -> None:
        while True:
            await asyncio.sleep(RENEWED)
            with suppress(DatabaseAway):  # the next renewal may come in time
                await self._is_ours()

    async def _is_ours(self) -> bool:
        """Keep the lease; return whether no other process has taken over to tell meanwhile."""
        renewed = partial(leases.renew, name="notices", owner=self._owner, time=LEASE)
        return await self.database.run(renewed)

    async def _tell(self) -> int:
        now = self.clock()
        present = await self.needs(now)
        known = await self.database.run(partial(_begin, present=present, now=now))
        contacts, settings = self.settings.contacts, self.settings
        for key, name in concerned_no_more(present, known, contacts):
            await self.database.run(partial(notices.tell, key=key, name=name, over=True))
        messages = [
            *begun(present, known, contacts, now, settings.escalate_after),
            *ended(present, known, contacts, now),
        ]
        # Each contact for itself: one that cannot be reached keeps nobody else waiting.
        each = [[m for m in messages if m.contact.name == one.name] for one in contacts]
        sent = sum(await asyncio.gather(*map(self._send_all, each)))
        here = {one.key for one in present}
        over = [key for key in known if key not in here]
        names = [one.name for one in contacts]
        await self.database.run(partial(notices.end, keys=over, contacts=names))
        return sent

    async def _send_all(self, messages: Sequence[Message]) -> int:
        """Send the first messages of a contact until one fails; return how many were sent.

        It ends, too, once another process tells, as after a database that was away for longer than
        the lease: that process would tell the same messages.
        """
        for sent, one in enumerate(messages[:MOST]):
            if not await self._is_ours() or not await self._send(one):
                return sent
        return min(len(messages), MOST)

    async def _send(self, one: Message) -> bool:
        """Send a message; who was reached by one channel was told."""
        failed = await channels.send(one.contact, one.title, one.text)
        for words in failed:
            extra = {"notice": one.key, "contact": one.contact.name, "error": words}
            logger.warning(LogEvent.NOTICE_NOT_SENT, extra=extra)
        if len(failed) == channels.channels_of(one.contact):
            self.metrics.notices_failed.inc()
            return False
        name = one.contact.name
        await self.database.run(partial(notices.tell, key=one.key, name=name, over=one.over))
        return True


async def known_notices(connection: Connection) -> dict[str, KnownNeed]:
    """Return the notices by their keys."""
    rows = await notices.notices(connection)
    return {
        row.key: KnownNeed(row.key, row.title, row.since, row.silent, frozenset(row.told))
        for row in rows
    }


async def _begin(
    connection: Connection, present: Sequence[Need], now: datetime
) -> dict[str, KnownNeed]:
    known = await known_notices(connection)
    for one in present:
        if one.key not in known:
            await notices.begin(connection, one.key, one.title, now, silent=one.ends_silently)
            known[one.key] = KnownNeed(one.key, one.title, now, one.ends_silently, frozenset())
    return known

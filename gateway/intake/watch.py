"""Whether intake goes on, and what it waits for: liveness, readiness, and the lag."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiokafka.errors import (
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    NodeNotReadyError,
)

from gateway.intake.consumer import Consumer
from gateway.store.base.engine import DatabaseAway
from gateway.telemetry.log import LogEvent, logger
from gateway.telemetry.metrics import Metrics

#: Seconds without a step, though there is work, after which intake counts as stuck; seconds that
#: the database or the broker may be away before intake says that it is not ready.
STUCK_AFTER, AWAY_AFTER = 45.0, 10.0
#: Seconds for which no offsets may be committed before intake says that it is not ready.
UNCOMMITTED_AFTER = 60.0
#: A member whose id changed so often in so many seconds shares its `kafka.instance` with another:
#: each takes the place of the other, as a restart does once.
REPLACED_TIMES, REPLACED_SECONDS = 3, 300.0
#: Seconds between two tries while the database is away: the first and the longest pause.
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0

Made = TypeVar("Made")


class Watch:
    """What one member of the group is doing; `failed`: a batch failed by a bug of ours."""

    def __init__(self, metrics: Metrics) -> None:
        self.metrics = metrics
        self.failed = False
        self._moved = time.monotonic()  #: the last step, or the last time without work
        self._heard = time.monotonic()  #: when the broker last answered
        self._away: tuple[float, str] | None = None  #: since when the database is away, and why
        self._member = ""  #: the last id of a member with a name of its own
        self._replaced: deque[float] = deque(maxlen=REPLACED_TIMES)  #: when it changed
        self._uncommitted: float | None = None  #: since when no offsets could be committed
        self._told: str | None = None  #: the trouble that was logged last

    def moved(self) -> None:
        """Note a step."""
        self._moved = time.monotonic()

    def unreadable(self, words: str) -> None:
        """Note that a partition cannot be read on, where and why."""
        self.metrics.unreadable.inc()
        logger.error(LogEvent.RECORDS_UNREADABLE, extra={"error": words})

    def uncommitted(self, error: KafkaError) -> None:
        """Note that offsets could not be committed; what was taken is a repeat after a restart."""
        if self._uncommitted is None:
            self._uncommitted = time.monotonic()
            extra = {"error": f"{type(error).__name__}: {error}"[:300]}
            logger.warning(LogEvent.OFFSETS_UNCOMMITTED, extra=extra)

    async def until_back(self, work: Callable[[], Awaitable[Made]]) -> Made:
        """Repeat the work while the database is away; an outage never quarantines items."""
        pause = FIRST_PAUSE
        while True:
            try:
                done = await work()
            except DatabaseAway as error:
                words = str(error)[:200]
                self._away = (self._away[0] if self._away else time.monotonic()), words
                logger.warning(LogEvent.DATABASE_AWAY, extra={"error": words})
                await asyncio.sleep(pause)
                pause = min(LONGEST_PAUSE, pause * 2)
            else:
                if self._away is not None:
                    self._away = None
                    logger.info(LogEvent.DATABASE_BACK)
                return done

    async def look(self, consumer: Consumer, *, busy: bool) -> None:
        """Measure the lag; log a trouble once when it begins. `busy`: a batch is in flight."""
        self._look_at_member(consumer.named_member)
        if self._uncommitted is not None and consumer.committed_at > self._uncommitted:
            self._uncommitted = None
        left, answers = await _lag(consumer)
        if left is not None:
            self._heard = time.monotonic()
            self.metrics.intake_lag.set(left)
        # A broker that does not answer is an outage, which a restart does not mend.
        if not answers or (not busy and not left) or self._away is not None:
            self.moved()
        found = self.stuck(consumer) or self.waits(consumer)
        if found is not None and found != self._told:
            logger.error(LogEvent.INTAKE_TROUBLE, extra={"trouble": found})
        self._told = found

    def _look_at_member(self, member: str) -> None:
        if member and member != self._member:
            if self._member:
                self._replaced.append(time.monotonic())
            self._member = member

    def _is_shared(self) -> bool:
        """Whether another process goes by the same `kafka.instance`."""
        often = len(self._replaced) == REPLACED_TIMES
        return often and time.monotonic() - self._replaced[0] < REPLACED_SECONDS

    def stuck(self, consumer: Consumer | None) -> str | None:
        """Return in Chinese why a restart is needed (liveness); None if all is well."""
        if self.failed:
            return "一批来件处理失败，已停止读取，详见日志 work_failed"
        if consumer is None:
            return None
        if consumer.fault is not None:
            return f"有读不出来的来件：{consumer.fault}"
        if consumer.ended:
            return "读取来件的任务已结束"
        still = time.monotonic() - self._moved
        return f"有来件未处理，{STUCK_AFTER:g} 秒没有进展" if still > STUCK_AFTER else None

    def waits(self, consumer: Consumer | None) -> str | None:
        """Return in Chinese what intake waits for (readiness); None if it works."""
        if self._is_shared() or (consumer is not None and consumer.is_kept_out):
            return "一再被同名成员顶替：两台主机的 kafka.instance 相同，各改成不同的名字"
        if consumer is None or not consumer.assignment():
            return "没有分配到 Kafka 分区"
        if self._away is not None and time.monotonic() - self._away[0] > AWAY_AFTER:
            return f"来件写不进数据库：{self._away[1]}"
        if self._uncommitted is not None and _seconds(self._uncommitted) > UNCOMMITTED_AFTER:
            return "来件已收下，但 Kafka 不让提交位点：重启后会再读一遍（不重复入账），查消费组权限"
        if consumer.halted:
            places = "、".join(sorted(f"{topic}/{number}" for topic, number in consumer.halted))
            return f"{places} 有未读而已被 Kafka 删除的来件，按 on_missing: stop 已停止读取"
        return "Kafka 没有应答" if time.monotonic() - self._heard > AWAY_AFTER else None


def _seconds(since: float) -> float:
    return time.monotonic() - since


async def _lag(consumer: Consumer) -> tuple[int | None, bool]:
    """Return the lag, None if the broker does not say it, and whether the broker answers at all."""
    try:
        async with asyncio.timeout(AWAY_AFTER / 2):
            return await consumer.measured_lag(), True
    except (KafkaConnectionError, KafkaTimeoutError, NodeNotReadyError, TimeoutError):
        return None, False
    except KafkaError:
        return None, True

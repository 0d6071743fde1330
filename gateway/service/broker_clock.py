"""Whether the clock of this host agrees with that of Kafka, as far as Kafka tells its time."""

from gateway.config.clock import Clock, system_clock
from gateway.config.settings import Settings
from gateway.intake.broker_clock import broker_time, of_the_future
from gateway.service.clock_check import LARGEST
from gateway.service.finding import Unwell
from gateway.service.servers import kafka_bootstrap


async def kafka_clock_agrees(settings: Settings, clock: Clock = system_clock) -> str:
    """Return that the clocks agree, or that Kafka does not tell its time."""
    async with kafka_bootstrap(settings) as bootstrap:
        found = await broker_time(settings.kafka, bootstrap, clock)
        if found is None:
            return await _hint(settings, bootstrap, clock)
    if abs(found.ahead) > LARGEST:
        seconds = round(found.ahead.total_seconds())
        raise Unwell(
            f"本机时钟与 Kafka（控制节点 {found.controller}）相差 {seconds} 秒；校正不准的那一个"
        )
    return f"与 Kafka 一致（控制节点 {found.controller}）"


async def _hint(settings: Settings, bootstrap: str, clock: Clock) -> str:
    """A message of the future tells that some clock is wrong, and not whose."""
    told = "Kafka 没有告诉它的时间（低于 3.3、不是 KRaft，或没有集群的 Describe 权限），没有比较"
    future = await of_the_future(settings.kafka, bootstrap, clock() + LARGEST)
    if future is None:
        return told
    place, at = future
    return (
        f"{told}；{place.topic}/{place.partition} 有来件的时间在未来（{at:%Y-%m-%d %H:%M}）："
        "本机时钟慢了，或发送方、Kafka 的时钟快了，请核对"
    )

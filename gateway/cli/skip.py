"""`skip`: go on behind messages of Kafka that nobody can read."""

from typing import Annotated

import typer
from aiokafka import TopicPartition

from gateway.cli.options import ByOption, ReasonOption, actor
from gateway.cli.output import Exit, fail, print_line, run, settings_of
from gateway.config.settings import Settings
from gateway.intake.access import bounds_of
from gateway.intake.gaps import skip_messages, unskip_messages
from gateway.service.app import gateway
from gateway.service.servers import kafka_bootstrap
from gateway.store.account.evidence import Statement

#: Topic, partition, first offset, and the one behind the last.
Place = tuple[str, int, int, int]


def skip(  # noqa: PLR0913, PLR0917  one for each part of the place
    context: typer.Context,
    topic: Annotated[str, typer.Argument(help="主题")],
    partition: Annotated[int, typer.Argument(min=0, help="分区")],
    first: Annotated[int, typer.Argument(min=0, help="第一个跳过的位点")],
    last: Annotated[int, typer.Argument(min=0, help="最后一个跳过的位点")],
    reason: ReasonOption,
    back: Annotated[bool, typer.Option("--back", help="收回记错的跳过")] = False,
    by: ByOption = None,
) -> None:
    """Note messages as missing, which intake then goes behind, also while it runs."""
    settings = settings_of(context)
    if topic not in settings.kafka.topics:
        known = "、".join(settings.kafka.topics) or "无"
        fail(f"没有读取主题 {topic}；读取的：{known}")
    if last < first:
        fail("最后一个位点小于第一个：先写小的")
    place, said = (topic, partition, first, last + 1), Statement(actor(by), reason)
    if back:
        _take_back(settings, place, said)
    else:
        _skip(settings, place, said)


def _skip(settings: Settings, place: Place, said: Statement) -> None:
    topic, partition, first, end = place

    async def work() -> bool:
        async with gateway(settings) as built:
            return await skip_messages(built.database, settings.kafka, place, said, built.clock())

    _, there = _bounds(settings, place)
    if end > there:
        fail(
            f"{topic}/{partition} 还没有 {max(first, there)} 至 {end - 1} 号，"
            "跳过会漏掉以后的来件；读不出的一批到哪一号为止，见 doctor"
        )
    if not run(work):
        fail(f"{topic}/{partition} 的 {first} 至 {end - 1} 号已记为缺失", Exit.PROBLEMS)
    print_line(f"已跳过 {topic}/{partition} 的 {first} 至 {end - 1} 号，记为缺失；请来源补发")


def _take_back(settings: Settings, place: Place, said: Statement) -> None:
    topic, partition, first, end = place
    named = f"{topic}/{partition} 的 {first} 至 {end - 1} 号"

    async def work() -> bool:
        async with gateway(settings) as built:
            return await unskip_messages(built.database, settings.kafka, place, said, built.clock())

    begin, _ = _bounds(settings, place)
    if first < begin:
        fail(f"{named} 已被 Kafka 删除（最早的是 {begin} 号），收不回；请来源补发", Exit.PROBLEMS)
    if not run(work):
        fail(f"没有人跳过 {named}，或已收回；起止须与跳过时相同", Exit.PROBLEMS)
    print_line(
        f"已收回：{named}；已越过它的进程重启后从 {first} 号读起，其后已收的只算重复。"
        "读到之前仍列为缺失"
    )


def _bounds(settings: Settings, place: Place) -> tuple[int, int]:
    """Return the first offset and the end of the partition; exits if there is none."""
    partition = TopicPartition(*place[:2])

    async def work() -> tuple[int, int] | None:
        async with kafka_bootstrap(settings) as bootstrap:
            return await bounds_of(settings.kafka, bootstrap, partition)

    found = run(work)
    if found is None:
        fail(f"主题 {partition.topic} 没有分区 {partition.partition}")
    return found

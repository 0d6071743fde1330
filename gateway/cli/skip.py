"""`skip`: go on behind messages of Kafka that nobody can read."""

from typing import Annotated

import typer

from gateway.cli.options import ByOption, ReasonOption, actor
from gateway.cli.output import Exit, fail, print_line, run, settings_of
from gateway.intake.gaps import skip_messages
from gateway.service.app import gateway
from gateway.store.account.evidence import Statement


def skip(  # noqa: PLR0913, PLR0917  one for each part of the place
    context: typer.Context,
    topic: Annotated[str, typer.Argument(help="主题")],
    partition: Annotated[int, typer.Argument(min=0, help="分区")],
    first: Annotated[int, typer.Argument(min=0, help="第一个跳过的位点")],
    last: Annotated[int, typer.Argument(min=0, help="最后一个跳过的位点")],
    reason: ReasonOption,
    by: ByOption = None,
) -> None:
    """Note messages as missing, which intake then goes behind, also while it runs."""
    settings = settings_of(context)
    if topic not in settings.kafka.topics:
        known = "、".join(settings.kafka.topics) or "无"
        fail(f"没有读取主题 {topic}；读取的：{known}")
    if last < first:
        fail("最后一个位点小于第一个：先写小的")

    async def work() -> bool:
        async with gateway(settings) as built:
            said = Statement(actor(by), reason)
            place = (topic, partition, first, last + 1)
            return await skip_messages(built.database, settings.kafka, place, said, built.clock())

    if not run(work):
        fail(f"{topic}/{partition} 的 {first} 至 {last} 号已记为缺失", Exit.PROBLEMS)
    print_line(f"已跳过 {topic}/{partition} 的 {first} 至 {last} 号，记为缺失；请来源补发")

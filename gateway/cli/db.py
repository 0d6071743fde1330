"""`db upgrade|restored`: migrate the database; say that it was restored from a back-up."""

import typer

from gateway.cli.options import ByOption, ReasonOption, actor
from gateway.cli.output import (
    print_line,
    run,
    settings_of,
)
from gateway.service.app import gateway
from gateway.service.restored import begin_epoch


def db_upgrade(context: typer.Context) -> None:
    """Migrate the database."""

    async def work() -> None:
        async with gateway(settings_of(context)):  # opening the gateway migrates
            pass

    run(work)
    print_line("数据库已是最新结构")


def db_restored(context: typer.Context, reason: ReasonOption, by: ByOption = None) -> None:
    """Begin a new epoch: what is open is found out before it is sent."""

    async def work() -> int | None:
        async with gateway(settings_of(context)) as built:
            return await begin_epoch(built, actor(by), reason)

    count = run(work)
    print_line(
        f"已记下恢复：{count} 条未了结的报送先向对方查询，再决定是否报；"
        "此后的编号不与恢复前的重复。"
        "备份以后的来件：Kafka 的会自动重读，文件和 HTTP 的请来源再送；最后用 reconcile 对账"
    )

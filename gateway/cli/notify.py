"""`notify list|test`: what people are told, and whether it reaches them."""

from typing import Annotated

import typer

from gateway.cli.output import (
    Exit,
    Format,
    FormatOption,
    fail,
    print_json,
    print_line,
    run,
    settings_of,
)
from gateway.notify import channels
from gateway.notify.needs import KnownNeed
from gateway.notify.notifier import known_notices
from gateway.service.app import reading
from gateway.titles import ROLE_TITLES
from schemas.base import SHANGHAI
from schemas.contact import Contact


def notify_list(context: typer.Context, format_: FormatOption = Format.TEXT) -> None:
    """Print the contacts, what needs a person now, since when, and who was told."""
    settings = settings_of(context)

    async def work() -> dict[str, KnownNeed]:
        async with reading(settings) as built, built.database.transaction() as connection:
            return await known_notices(connection)

    found = run(work)
    for one in settings.notify.contacts:
        _contact(one, format_)
    for notice in found.values():
        told = sorted(notice.told)
        if format_ is Format.JSON:
            print_json({"notice": notice.key, "title": notice.title, "since": notice.since,
                        "told": told})  # fmt: skip
        else:
            since = f"{notice.since.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
            print_line(f"{notice.title}，始于 {since}，已通知：{'、'.join(told) or '无'}")
    if format_ is Format.JSON:
        return
    if not settings.notify.contacts:
        print_line(_NOBODY)
    elif not found:
        print_line("没有需要人处理的")


#: Without contacts nothing is looked for, so that an empty list says nothing.
_NOBODY = (
    "没有配置联系人（notify.contacts），没有人会收到通知；"
    "需要处理的见 credit-gateway worklist 和 credit-gateway doctor"
)


def _contact(one: Contact, format_: Format) -> None:
    roles = [role for role in ROLE_TITLES if role in one.roles]
    count = channels.channels_of(one)
    if format_ is Format.JSON:
        print_json({"contact": one.name, "roles": roles, "step": one.step, "channels": count})
        return
    titles = "、".join(ROLE_TITLES[role] for role in roles)
    quiet = f"，{one.quiet.begin:%H:%M}–{one.quiet.end:%H:%M} 免打扰" if one.quiet else ""
    mine = f"，只看 {'、'.join(one.authorities)}" if one.authorities else ""
    print_line(f"联系人 {one.name}：{titles}，第 {one.step} 步，{count} 个渠道{quiet}{mine}")


def notify_test(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="只给这个联系人，默认全部")] = None,
) -> None:
    """Send a test message to the contacts, and say which channels failed."""
    contacts = settings_of(context).notify.contacts
    wanted = [one for one in contacts if name in {None, one.name}]
    if not wanted:
        known = "、".join(one.name for one in contacts) or "无"
        fail(f"没有这个联系人；配置里 notify contacts 有：{known}")
    channels.check(wanted)
    text = "这是 credit-gateway 的测试通知。收到说明通知能送达，不需要处理。"

    async def work() -> list[list[str]]:
        return [await channels.send(one, "测试通知", text) for one in wanted]

    results = run(work)
    for contact, failed in zip(wanted, results, strict=True):
        sent = channels.channels_of(contact) - len(failed)
        print_line(f"{contact.name}：{sent} 个渠道已发出，{len(failed)} 个失败")
        for words in failed:
            print_line(f"  {words}")
    if any(results):
        raise typer.Exit(Exit.PROBLEMS)

"""How a message reaches a contact: mail, or an address of the library apprise."""

import asyncio
import logging
import uuid
from collections.abc import Sequence
from email.message import EmailMessage

import apprise

from connectors.shared.mail import MailRefused, send_mail
from gateway.config.errors import BadConfiguration
from schemas.contact import Contact
from schemas.recipient import MailBox

#: What it says of an address has the tokens in it.
logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
#: Seconds for a message by one channel.
PATIENCE = 60.0
_REFUSED = "没有发出：查地址里的令牌、网络和代理"
_ASSET = apprise.AppriseAsset(app_id="credit-gateway", app_desc="双公示网关", plugin_paths=[])


def check(contacts: Sequence[Contact]) -> None:
    """Check the addresses of contacts; raises BadConfiguration for the first that is none."""
    for contact in contacts:
        for number, url in enumerate(contact.urls, 1):
            if _address(url.get_secret_value()) is None:
                raise BadConfiguration(
                    f"notify contacts {contact.name} urls：第 {number} 个不是 apprise 的地址，"
                    "如 wecombot://密钥、dingtalk://令牌、feishu://令牌、jsons://主机/路径"
                )


async def send(contact: Contact, title: str, text: str) -> list[str]:
    """Send a message by all channels of a contact; return what failed, in Chinese.

    None of its channels waits for another.
    """
    works = [_by_url(number, url.get_secret_value(), title, text)
             for number, url in enumerate(contact.urls, 1)]  # fmt: skip
    if contact.mail is not None:
        works.append(_by_mail(contact.mail, title, text))
    return [words for words in await asyncio.gather(*works) if words]


def channels_of(contact: Contact) -> int:
    """Return how many ways lead to a contact."""
    return len(contact.urls) + (contact.mail is not None)


def _address(url: str) -> apprise.NotifyBase | None:
    found: apprise.NotifyBase | None = apprise.Apprise.instantiate(url, asset=_ASSET)
    return found


async def _by_url(number: int, url: str, title: str, text: str) -> str:
    address = _address(url)
    if address is None:
        return f"第 {number} 个地址不能用"
    sender = apprise.Apprise(asset=_ASSET)
    sender.add(address)
    try:
        async with asyncio.timeout(PATIENCE):
            done = await sender.async_notify(title=title, body=text)
    except TimeoutError:
        return f"{address.service_name} {PATIENCE:.0f} 秒没有答复"
    return "" if done else f"{address.service_name} {_REFUSED}"


async def _by_mail(box: MailBox, title: str, text: str) -> str:
    mail = EmailMessage()
    mail["Subject"], mail["Message-ID"] = title, f"<{uuid.uuid4().hex}@credit-gateway>"
    mail.set_content(text + "\n")
    try:
        async with asyncio.timeout(PATIENCE):  # the thread ends by itself, later
            await asyncio.to_thread(send_mail, box, mail)
    except MailRefused as error:
        return str(error)
    except TimeoutError:
        return f"邮件服务器 {box.host} {PATIENCE:.0f} 秒没有答复"
    return ""

"""How a message reaches a contact: mail, or an address of the library apprise."""

import asyncio
import logging
import uuid
from collections.abc import Sequence
from email.message import EmailMessage
from functools import partial

import apprise

from connectors.shared.mail import MailRefused, send_mail
from gateway.config.errors import BadConfiguration
from gateway.notify.threads import StillBusy, call
from schemas.contact import Contact
from schemas.recipient import MailBox

#: What it says of an address has the tokens in it.
logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
#: Seconds for a message by one channel; a mail ends before, so that none is taken that counts as
#: not sent.
PATIENCE = 60.0
MAIL_PATIENCE = 55.0
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
    works = [
        _by_url(f"{contact.name} {number}", url.get_secret_value(), title, text)
        for number, url in enumerate(contact.urls, 1)
    ]
    if contact.mail is not None:
        works.append(_by_mail(contact.name, contact.mail, title, text))
    return [words for words in await asyncio.gather(*works) if words]


def channels_of(contact: Contact) -> int:
    """Return how many ways lead to a contact."""
    return len(contact.urls) + (contact.mail is not None)


def _address(url: str) -> apprise.NotifyBase | None:
    found: apprise.NotifyBase | None = apprise.Apprise.instantiate(url, asset=_ASSET)
    return found


async def _by_url(name: str, url: str, title: str, text: str) -> str:
    address = _address(url)
    if address is None:
        return f"{name} 这个地址不能用"
    sender = apprise.Apprise(asset=_ASSET)
    sender.add(address)
    service = str(address.service_name)
    try:
        done = await call(name, partial(sender.notify, title=title, body=text), PATIENCE)
    except TimeoutError as error:
        return _late(service, error)
    return "" if done else f"{service} {_REFUSED}"


async def _by_mail(name: str, box: MailBox, title: str, text: str) -> str:
    mail = EmailMessage()
    mail["Subject"], mail["Message-ID"] = title, f"<{uuid.uuid4().hex}@credit-gateway>"
    mail.set_content(text + "\n")
    try:
        await call(f"{name} mail", partial(send_mail, box, mail, whole=MAIL_PATIENCE), PATIENCE)
    except MailRefused as error:
        return str(error)
    except TimeoutError as error:
        return _late(f"邮件服务器 {box.host}", error)
    return ""


def _late(who: str, error: TimeoutError) -> str:
    if isinstance(error, StillBusy):
        return f"{who} 上一条还没有答复，这一条没有发"
    return f"{who} {PATIENCE:.0f} 秒没有答复"

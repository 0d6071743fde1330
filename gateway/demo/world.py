"""The surroundings of the demo: settings, three sandbox platforms, a bank, and their faults.

The platforms are reached in three ways: JSON, SOAP, and files by SFTP.
"""

import base64
import secrets
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from ruamel.yaml import YAML

from connectors.sandbox import BankPlace, FilesPlace, Place, PlatformPlace, Sandbox, SftpAddress
from gateway.config.settings import KafkaSettings, Settings, load_settings
from gateway.demo import coercions, story
from schemas.base import SHANGHAI

#: The file of the configuration, in the folder of the state.
CONFIGURATION = "gateway.yaml"
CITY, NATION, BANK = "credit-zhengzhou", "credit-china", "sample-bank"
#: It collects XML files 报文.
PROVINCE = "province-files"
TITLES = {
    CITY: "信用郑州（沙箱）",
    NATION: "信用中国（沙箱）",
    PROVINCE: "省平台（报文，沙箱）",
    BANK: "样例银行（沙箱）",
}
#: Columns that 信用中国 does not require here, since the published decisions do not have them.
NOT_REQUIRED = (
    "CF_CFJGDM", "CF_SJLYDM", "CF_YXQ", "XK_XKJGDM", "XK_LYDWDM",
)  # fmt: skip

#: Two rows are accepted, and rejected two days later with this reason of a live platform.
REASON = "验证规则代码:1001;错误描述:未查询到主体或查询到的主体信息不匹配"
REJECTED_AFTER = timedelta(days=2)
REJECTED_ON = story.REJECTED_DECIDED + REJECTED_AFTER
DROPPED_ON, DOWN_FROM, DOWN_UNTIL = date(2026, 10, 12), date(2026, 10, 14), date(2026, 10, 16)
#: A file is taken, and the connection ends before the answer.
CUT_ON = date(2026, 10, 20)
#: 报文号 of its files, by record kind.
FILE_CODES = {"penalty": "001501", coercions.NAME: "001503"}


class Secrets:
    """The keys of the sandbox, new in each run."""

    def __init__(self) -> None:
        self.platform = secrets.token_urlsafe(24)
        self.files = secrets.token_urlsafe(24)
        self.bank = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()


def places(state: Path, keys: Secrets) -> Mapping[str, Place]:
    """Return three platforms and a bank."""
    key = SecretStr(keys.platform)
    tables = {code: kind for kind, code in FILE_CODES.items()}
    return {
        CITY: PlatformPlace(api_key=key),
        NATION: PlatformPlace(api_key=key),
        PROVINCE: FilesPlace(
            folder=state / PROVINCE, password=SecretStr(keys.files), tables=tables
        ),
        BANK: BankPlace(secrets=(SecretStr(keys.bank),)),
    }


def settings(state: Path, url: str, files: SftpAddress, keys: Secrets) -> Settings:
    """Write the configuration of the demo, as a bureau would, and return it.

    Its file is for the commands that look at what the demo leaves running.
    """
    platform, bank = (
        _secret(state / f"{name}.key", value)
        for name, value in (("platform", keys.platform), ("bank", keys.bank))
    )
    topics = {topic: str(kind) for topic, kind in KafkaSettings().topics.items()}
    content = {
        "state": str(state),
        "kinds": [coercions.CONFIGURED],
        "kafka": {"topics": {**topics, coercions.TOPIC: coercions.NAME}},
        "scoring": {
            "bindings": [
                {
                    "rule_set": "nm-2023-draft",
                    "kinds": ["enterprise"],
                    "regions": [story.REGION],
                    "measures": ["nm-2023-draft"],
                }
            ],
            "not_scored": [""],
        },
        "destinations": [
            *_destinations(url, platform, bank),
            _collector(files, _secret(state / "files.key", keys.files)),
        ],
    }
    with (state / CONFIGURATION).open("w", encoding="utf-8") as stream:
        YAML().dump(content, stream)
    return load_settings(state / CONFIGURATION)


def _secret(path: Path, value: str) -> dict[str, str]:
    """Write a secret to a file of ours alone; return what refers to it in a configuration."""
    path.touch(mode=0o600)
    path.write_text(value, encoding="utf-8")
    return {"file": str(path)}


def _destinations(url: str, platform: dict[str, str], bank: dict[str, str]) -> list[dict[str, Any]]:
    quick = {"settle": "PT0S", "retry_cap": "PT4H"}
    return [
        {
            "name": CITY,
            "title": TITLES[CITY],
            "connector": "platform-json",
            "takes": ["penalty", "licence", coercions.NAME],
            "clocks": ["calendar-7"],
            "headline": True,
            "settings": _http(f"{url}/{CITY}") | {"api_key": platform},
            **quick,
        },
        {
            "name": NATION,
            "title": TITLES[NATION],
            "connector": "platform-soap",
            "takes": ["penalty", "licence"],
            "clocks": ["working-7"],
            "not_required": list(NOT_REQUIRED),
            "settings": _http(f"{url}/{NATION}")
            | {
                "department_code": "159900",
                "api_key": dict(platform),  # of the same object YAML would write an alias
                "receipts_url": f"{url}/{NATION}/receipts",
                "key_column": "CG_KEY",
                "batch_size": 100,
            },
            **quick,
        },
        {
            "name": BANK,
            "title": TITLES[BANK],
            "connector": "bank-webhook",
            "takes": ["grade_change"],
            "settings": _http(f"{url}/{BANK}/webhook") | {"secrets": [bank]},
            **quick,
        },
    ]


def _collector(files: SftpAddress, password: dict[str, str]) -> dict[str, Any]:
    return {
        "name": PROVINCE,
        "title": TITLES[PROVINCE],
        "connector": "file-drop",
        "takes": list(FILE_CODES),
        "clocks": ["working-7"],
        "since": story.FIRST_DAY.isoformat(),
        "settle": "PT0S",
        "retry_cap": "PT4H",
        "settings": {
            "protocol": "sftp",
            "host": files.host,
            "port": files.port,
            "host_key": files.host_key,
            "username": PROVINCE,
            "password": password,
            "upload_folder": "in",
            "tables": {
                kind: {"code": code, "key_column": "CG_KEY"} for kind, code in FILE_CODES.items()
            },
            "answers": {"folder": "out", "done_folder": "out/read", "key_field": "KEY"},
        },
    }


def _http(url: str) -> dict[str, Any]:
    return {"url": url, "allow_private": True, "call_timeout": 10}


def begin(sandbox: Sandbox) -> None:
    """Order what the platforms do all month: verdicts hours later, two of them rejections."""
    for name in (CITY, NATION, PROVINCE):
        sandbox.order(name, mode="submit", receipt_after=timedelta(hours=5))
    sandbox.order(
        CITY,
        reject_later={number: [REASON] for number in story.REJECTED},
        reject_after=REJECTED_AFTER,
    )


def misbehave(sandbox: Sandbox, day: date) -> list[str]:
    """Order the faults of a day; return them in Chinese."""
    if day == DROPPED_ON:
        sandbox.order(CITY, drop_answers=1)
        return [f"{day} {TITLES[CITY]} 存入后丢失一次应答"]
    if day == CUT_ON:
        sandbox.rehearse(PROVINCE, "drop_after_store", 1)
        return [f"{day} {TITLES[PROVINCE]} 收下报文后断开连接，没有应答"]
    if day == DOWN_FROM:
        until = datetime.combine(DOWN_UNTIL, time(6), SHANGHAI)
        sandbox.order(CITY, down="503", down_until=until)
        return [f"{day} {TITLES[CITY]} 停机至 {until:%m-%d %H:%M}"]
    if day == REJECTED_ON:
        numbers = "、".join(story.REJECTED)
        return [f"{day} {TITLES[CITY]} 事后退回两条：{numbers}；原因：{REASON}"]
    if day == story.MENDED_ON:
        sandbox.order(CITY, reject_later={})
        return [f"{day} 本局更正 {story.REJECTED[0]}，重新报送；另一条仍待人工更正"]
    return []

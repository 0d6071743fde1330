"""Made-up records for the benchmarks: 5,000 subjects per 50,000 records."""

from typing import Any

import orjson

from gateway.demo.story import credit_code

RECORDS, SUBJECTS = 50_000, 5_000
DAY = "2026-10-12"


def subject_of(number: int) -> int:
    """Which company a record is about: every 50,000 records have 5,000 of their own."""
    return number // RECORDS * SUBJECTS + number % SUBJECTS


def penalty(number: int) -> dict[str, Any]:
    """One penalty, complete."""
    subject = subject_of(number)
    authority = credit_code("11159900000000001")
    return {
        "CF_XDR_MC": f"样例{subject}号公司（样例）",
        "CF_XDR_LB": "法人及非法人组织",
        "CF_XDR_SHXYM": credit_code(f"91159900MA{subject:07d}"),
        "CF_WSH": f"样环罚字〔2026〕{number}号",
        "CF_WFXW": "超标排放大气污染物",
        "CF_SY": "现场检查发现超标排放大气污染物（样例）",
        "CF_YJ": "《样例条例》第一条（样例）",
        "CF_CFLB": "罚款",
        "CF_NR": "处罚款人民币贰万元整（样例）",
        "CF_NR_FK": 2.0,
        "CF_JDRQ": DAY,
        "CF_YXQ": "2027-10-12",
        "CF_CFJG": "样例市生态环境局（样例）",
        "CF_CFJGDM": authority,
        "CF_SJLY": "样例市生态环境局（样例）",
        "CF_SJLYDM": authority,
    }


def body(number: int) -> bytes:
    """The same as bytes of a message."""
    return orjson.dumps(penalty(number))


def item(sender: str, number: int) -> dict[str, Any]:
    """One row as it is POSTed; senders that take turns do not repeat each other's keys."""
    return {
        "key": f"{sender}-{number}",
        "kind": "penalty",
        "verb": "new",
        "version": 1,
        "columns": penalty(number),
    }

"""Invented records for the benchmarks: 5,000 subjects for each 50,000 records."""

from typing import Any

import orjson

from schemas.identifiers import credit_code

RECORDS, SUBJECTS = 50_000, 5_000
DAY = "2026-10-12"


def subject_of(number: int) -> int:
    """Return the company of a record: each 50,000 records have 5,000 companies of their own."""
    return number // RECORDS * SUBJECTS + number % SUBJECTS


def penalty(number: int) -> dict[str, Any]:
    """Return one complete penalty."""
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
    """Return it as the bytes of a message."""
    return orjson.dumps(penalty(number))


def item(sender: str, number: int) -> dict[str, Any]:
    """Return one row as it is POSTed; `sender` keeps the keys of different senders apart."""
    return {
        "key": f"{sender}-{number}",
        "kind": "penalty",
        "verb": "new",
        "version": 1,
        "columns": penalty(number),
    }

"""Certificates: which are trusted, which are shown, and what is said of others."""

import asyncio
import hashlib
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors import BadSettings
from connectors.errors import ConnectorError, NotSent, OutcomeUnknown
from schemas.delivery import Outcome, OutcomeKind
from tests.certificates import Authority, server_context
from tests.connectors.conftest import ItemFactory
from tests.connectors.raw_server import answer, raw_server
from tests.connectors.test_odd_http import Trouble, answering, bank


def _expired(ca: Authority) -> tuple[tuple[Path, Path], dict[str, Any]]:
    return ca.issue("old", until=datetime(2025, 1, 1, tzinfo=UTC)), {"ca_file": str(ca.file)}


def _other_name(ca: Authority) -> tuple[tuple[Path, Path], dict[str, Any]]:
    return ca.issue("other", address="10.9.9.9"), {"ca_file": str(ca.file)}


def _unknown(ca: Authority) -> tuple[tuple[Path, Path], dict[str, Any]]:
    return ca.issue("platform"), {}


def _self_signed(ca: Authority) -> tuple[tuple[Path, Path], dict[str, Any]]:
    return ca.issue("alone", signed=False), {}


@pytest.mark.parametrize(
    ("trouble", "why"),
    [
        (_expired, "已经过期"),
        (_other_name, "不是发给这个地址的"),
        (_unknown, "由本方不信任的 CA 签发"),
        (_self_signed, "是自签名的"),
    ],
)
async def test_why_a_certificate_is_not_trusted_is_told_with_whose_it_is(
    trouble: Trouble, why: str, tmp_path: Path, clock: Any, item: ItemFactory
) -> None:
    files, settings = trouble(Authority(tmp_path))
    async with answering(answer(), server_context(files)) as (url, requests):
        connector = bank(url, clock, **settings)
        with pytest.raises(NotSent) as caught:
            await connector.send([item(1)])
        await connector.close()

    said = str(caught.value)
    assert why in said
    assert f"签发给 CN={files[0].stem},O=样例数据局" in said
    assert requests == []


async def sent(url: str, clock: Any, item: ItemFactory, **settings: Any) -> Outcome:
    connector = bank(url, clock, **settings)
    try:
        [outcome] = await connector.send([item(1)])
    finally:
        await connector.close()
    return outcome


async def test_a_private_ca_is_trusted_where_it_is_named(
    tmp_path: Path, clock: Any, item: ItemFactory
) -> None:
    ca = Authority(tmp_path)
    async with answering(answer(), server_context(ca.issue("platform"))) as (url, _):
        outcome = await sent(url, clock, item, ca_file=str(ca.file))

    assert outcome.kind is OutcomeKind.ACCEPTED


async def test_a_certificate_of_ours_is_shown_to_who_asks_for_one(
    tmp_path: Path, clock: Any, item: ItemFactory
) -> None:
    ca = Authority(tmp_path)
    mine, key = map(str, ca.issue("gateway"))
    context = server_context(ca.issue("platform"), clients=ca.file)
    async with answering(answer(), context) as (url, _):
        files = {"ca_file": str(ca.file), "certificate_file": mine, "private_key_file": key}
        outcome = await sent(url, clock, item, **files)
        with pytest.raises(ConnectorError):
            await sent(url, clock, item, ca_file=str(ca.file))

    assert outcome.kind is OutcomeKind.ACCEPTED


async def test_one_certificate_can_be_trusted_by_its_fingerprint_alone(
    tmp_path: Path, clock: Any, item: ItemFactory
) -> None:
    files = Authority(tmp_path).issue("alone", address="10.9.9.9", signed=False)
    der = ssl.PEM_cert_to_DER_cert(files[0].read_text())
    pin = hashlib.sha256(der).hexdigest()
    async with answering(answer(), server_context(files)) as (url, _):
        outcome = await sent(url, clock, item, certificate_sha256=pin)
        with pytest.raises(NotSent, match="不是约定的那一张"):
            await sent(url, clock, item, certificate_sha256="00" * 32)

    assert outcome.kind is OutcomeKind.ACCEPTED


async def test_a_server_of_an_old_intranet_is_reached_where_that_is_allowed(
    tmp_path: Path, clock: Any, item: ItemFactory
) -> None:
    """It knows TLS 1.1 only (python-zeep#1387 and many like it)."""
    ca = Authority(tmp_path)
    context = server_context(ca.issue("old"))
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    async with answering(answer(), context) as (url, _):
        with pytest.raises(NotSent, match="旧版 TLS"):
            await sent(url, clock, item, ca_file=str(ca.file))
        outcome = await sent(url, clock, item, ca_file=str(ca.file), allow_old_tls=True)

    assert outcome.kind is OutcomeKind.ACCEPTED


async def test_a_port_that_is_not_of_https_is_told(clock: Any, item: ItemFactory) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(answer(b"", b"400 Bad Request"))
        await writer.drain()

    async with raw_server(handler) as url:
        with pytest.raises(NotSent, match="不是 HTTPS"):
            await sent(url.replace("http:", "https:"), clock, item)


@pytest.mark.parametrize(
    ("body", "taken"),
    [(b'{"code":"0"}', True), (b'{"code":500,"message":"busy"}', False), (b"ok", False)],
)
async def test_a_bank_that_answers_200_to_everything_says_in_the_body_whether_it_took_it(
    body: bytes, taken: bool, clock: Any, item: ItemFactory
) -> None:
    async with answering(answer(body)) as (url, _):
        if taken:
            outcome = await sent(url, clock, item, wrapper={"code_field": "code"})
            assert outcome.kind is OutcomeKind.ACCEPTED
        else:
            with pytest.raises(OutcomeUnknown):
                await sent(url, clock, item, wrapper={"code_field": "code"})


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"ca_file": "/nowhere/ca.pem"}, "ca_file：/nowhere/ca.pem 不能用"),
        ({"certificate_file": "/nowhere/c.pem"}, "certificate_file：/nowhere/c.pem 不能用"),
        ({"private_key_file": "/k"}, "certificate_file"),
        ({"ca_file": "/c", "certificate_sha256": "00" * 32}, "certificate_sha256"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(
    settings: dict[str, str], named: str, clock: Any
) -> None:
    with pytest.raises(BadSettings) as caught:
        bank("https://bank.example", clock, **settings)

    assert named in str(caught.value)

"""The life of a decision in files 报文: answered with an error, mended, taken, withdrawn."""

from pathlib import Path

import pytest

from gateway.config.clock import SteppedClock
from gateway.store.base.engine import Database
from tests.conftest import BuildGateway
from tests.connectors.file_servers import Troubles, sftp_server
from tests.factories import penalty
from tests.integration.world import World

pytestmark = pytest.mark.integration
DESTINATION = {
    "name": "platform",
    "title": "省信用平台（文件）",
    "connector": "file-drop",
    "takes": ["penalty"],
    "clocks": ["calendar-7"],
}
SETTINGS = {
    "tables": {"penalty": {"code": "001501", "status_column": "CF_ZT"}},
    "answers": {"folder": "out", "done_folder": "out/read"},
    "call_timeout": 9,
}


async def test_a_decision_goes_through_files_to_its_withdrawal(
    database: Database, build_gateway: BuildGateway, clock: SteppedClock, tmp_path: Path
) -> None:
    root = tmp_path / "files"
    (root / "out").mkdir(parents=True)

    def answer(number: int, code: str, message: str = "") -> None:
        name = f"001501_20261012_{number:05d}.xml"
        row = f"<CF_WSH>样环罚字（2026）1号</CF_WSH><code>{code}</code><message>{message}</message>"
        (root / name).unlink()  # collected
        (root / "out" / name).write_text(f"<DATAS><DATA>{row}</DATA></DATAS>", encoding="utf-8")

    async with sftp_server(root, Troubles()) as place:
        settings = {**DESTINATION, "settings": {**place, **SETTINGS}}
        world = World(await build_gateway(database, destinations=[settings]), clock)
        await world.take(penalty(1))
        await world.turn()
        assert await world.states() == ["submitted"]
        answer(1, "1001", "未查询到主体或查询到的主体信息不匹配")
        await world.pass_time(1)
        assert await world.states() == ["rejected"]
        assert "未查询到主体" in await world.value("select reasons ->> 0 from delivery")

        await world.take(penalty(1, CF_XDR_MC="样例一号公司"))
        await world.turn()
        assert "样例一号公司" in (root / "001501_20261012_00002.xml").read_text("utf-8")
        answer(2, "0")
        await world.pass_time(1)
        assert await world.states() == ["superseded", "accepted"]

        await world.take(penalty(1, verb="withdraw"))
        await world.turn()
        assert "<CF_ZT>1</CF_ZT>" in (root / "001501_20261012_00003.xml").read_text("utf-8")
        answer(3, "0")
        await world.pass_time(1)
        assert (await world.states())[-1] == "accepted"
        await world.deliverer().close()

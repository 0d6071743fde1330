"""The audit trail by commands: who did what, what was refused, and a file that proves itself."""

import json
from pathlib import Path

from tests.acceptance.command import PAST, Command, write
from tests.factories import penalty


def test_what_a_person_did_and_what_was_refused_is_on_record(
    command: Command, tmp_path: Path
) -> None:
    command("ingest", write(tmp_path / "rows.ndjson", penalty(1, **PAST)))
    command("ledger", "2025-06")
    done = command("hold", "2025-07", "--reason", "等法制科核对", "--by", "张三")
    refused = command("hints", "close", "999999", "--reason", "试一试", "--by", "李四")

    told = command("audit", "list")
    one = command.json("audit", "list", "--event", "action_refused")
    nobody = command("audit", "list", "--by", "王五")

    again = command("hold", "2025-06", "--reason", "再核对", "--by", "张三")
    assert "它已冻结到第 1 版，暂缓不撤销这一版" in again.out
    assert [done.code, refused.code, told.code, nobody.code] == [0, 1, 0, 0]
    assert "张三" in told.out
    assert "暂缓台账" in told.out
    assert "冻结台账" in told.out
    [entry] = one.objects
    assert entry["actor"] == "李四"
    assert entry["from"].endswith("命令行")
    assert entry["detail"]["command"] == "hints close"
    assert entry["detail"]["asked"]["reason"] == "试一试"
    assert entry["detail"]["why"]
    assert nobody.out == ""


def test_an_export_is_verified_offline_and_a_changed_one_is_not(
    command: Command, tmp_path: Path
) -> None:
    command("ingest", write(tmp_path / "rows.ndjson", penalty(1, **PAST)))
    command("ledger", "2025-06")
    command("hold", "2025-07", "--reason", "等法制科核对", "--by", "张三")
    file = tmp_path / "audit.ndjson"

    exported = command("audit", "export", str(file))
    good = command("verify", "--audit", str(file))
    changed = file.read_text().replace("张三", "李四")
    file.write_text(changed)
    bad = command("verify", "--audit", str(file))
    before = command("audit", "export", str(tmp_path / "none.ndjson"), "--to", "2001-01-01")

    assert [exported.code, good.code, bad.code, before.code] == [0, 0, 1, 1]
    assert "前后相接，没有改动" in good.out
    assert "的内容被改动过" in bad.out
    assert not (tmp_path / "none.ndjson").exists()
    names = [json.loads(line).get("event", {}) for line in changed.splitlines()]
    assert {"ledger_frozen", "ledger_held"} <= {one["event"] for one in names if one}

"""A wrong command line is told in Chinese, with where its help is."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli import app


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("--nope", "没有选项 --nope；用法见 credit-gateway --help"),
        ("nope", "没有这个命令：nope"),
        ("deliveries zap", "没有这个命令：zap；用法见 credit-gateway deliveries --help"),
        ("deliveries list --limt 5", "没有选项 --limt；是否指 --limit"),
        ("ledgr 2026-10", "没有这个命令：ledgr；是否指 ledger"),
        ("deliveries list --limit 0", "--limit：应不小于 1"),
        ("worklist --within inf", "--within：应不大于 100000"),
        ("sandbox --port 99999", "--port：应不大于 65535"),
        ("check x.ndjson --out rows.csv", "rows.csv：写成的是工作簿，文件名应以 .xlsx 结尾"),
        ("check /", "/ 是目录，不是文件"),
        ("deliveries list --state foo", "--state：应为 held（待补正）、waiting（排队）"),
        ("deliveries show", "缺少 编号；用法见 credit-gateway deliveries show --help"),
        ("deliveries show x", "编号：应为整数"),
        ("due --clock", "选项 --clock 后面要写值"),
        ("doctor extra", "多出的参数：extra"),
        ("check no-such-file", "没有文件 no-such-file"),
        ("ledger 2026-10 --reason=", "请写明原因；用法见 credit-gateway ledger --help"),
        ("--config / doctor", "--config：应为文件，不是目录"),
    ],
)
def test_a_wrong_command_line_is_told_in_chinese(line: str, words: str) -> None:
    ran = CliRunner().invoke(app, line.split())

    assert ran.exit_code == 2
    assert words in ran.stderr
    assert "Error" not in ran.stderr


@pytest.mark.parametrize("line", ["", "deliveries"])
def test_a_group_without_a_command_shows_its_help(line: str) -> None:
    assert "--help" in CliRunner().invoke(app, line.split()).output


@pytest.mark.parametrize("option", ["ingest {} --edition", "ledger 2026-10 --reason"])
@pytest.mark.parametrize(
    ("given", "words"),
    [("", "写"), ("  ", "写"), ("\u200b\u3000", "写"), ("2026\udce5", "不成文字的字节")],
)
def test_a_name_that_is_none_is_refused(
    tmp_path: Path, option: str, given: str, words: str
) -> None:
    file = tmp_path / "list.csv"
    file.write_text("a,b\n", encoding="utf-8")

    ran = CliRunner().invoke(app, [*option.format(file).split(), given])

    assert ran.exit_code == 2
    assert words in ran.stderr
    assert not ran.stdout

"""Commands about grades and rules on stored data, as a user runs them."""

from pathlib import Path

import pytest

from gateway.store.base.engine import Database
from tests.acceptance.command import PAST, Command, commanding, write
from tests.conftest import SETTINGS
from tests.factories import (
    AUTHORITY_CODE,
    IDENTITY,
    REGION,
    about,
    credit_code,
    event,
    penalty,
    publicity_repair,
    with_check_character,
)
from tests.town_rules import NAME as TOWN
from tests.town_rules import write_town_rules


@pytest.fixture
def command(database: Database, tmp_path: Path) -> Command:
    """The command with the database of the test and a configuration file."""
    return commanding(database, tmp_path, SETTINGS)


def test_explain_shows_deductions_repairs_measures_and_publicity(
    database: Database, tmp_path: Path
) -> None:
    bound = {"rule_set": "nm-2023-draft", "regions": [REGION], "measures": ["nm-2023-draft"]}
    command = commanding(database, tmp_path, SETTINGS | {"scoring": {"bindings": [bound]}})
    rows = [
        penalty(1, CF_CFLB="罚款;责令停产停业", CF_NR_FK="12.5", **PAST),
        penalty(2, CF_CFLB="警告", CF_NR="警告", CF_NR_FK=None, **PAST),
    ]
    command("ingest", write(tmp_path / "rows.ndjson", *rows))

    said = command("explain", credit_code(1), "--as-of", "2026-01-10")
    [found] = command.json("explain", credit_code(1), "--as-of", "2026-01-10").objects

    assert said.code == 0
    assert "得分 94，等级 B（环保良好单位）" in said.out
    assert "−5分 E09 停产整治（附件1）" in said.out
    assert "未对应 警告：计0分，请人查看，样环罚字〔2026〕2号" in said.out
    assert "假定 2026-01-10 整改，最早 2026-03-10 确认修复，得分 100，等级 A" in said.out
    assert "开始 双随机抽查比例为原比例的30%" in said.out
    assert (found["assessment"]["score"], found["assessment"]["grade"]) == ("94", "B")
    [repair] = found["repairs"]
    assert (repair["confirmed_on"], repair["grade"], repair["grade_without"]) == (
        "2026-03-10",
        "A",
        "B",
    )
    assert [one["id"] for one in repair["measures_begin"]] == ["inspection-a"]
    assert {one["published"] for one in found["publicity"].values()} == {"yes", "no"}


def test_explain_names_the_grade_by_its_kind_and_tells_what_a_letter_has_ended(
    database: Database, tmp_path: Path
) -> None:
    bound = {"rule_set": "nm-2023-draft", "regions": [REGION]}
    command = commanding(database, tmp_path, SETTINGS | {"scoring": {"bindings": [bound]}})
    rows = [
        penalty(1, **PAST),
        event(1, kind="event", type="dishonesty.permit_fraud", occurred_on="2025-07-01"),
        publicity_repair(2, 1, kind="event", decision=about(1), occurred_on="2026-01-10"),
    ]
    command("ingest", write(tmp_path / "rows.ndjson", *rows))

    said = command("explain", credit_code(1), "--as-of", "2026-02-10")

    assert "等级 D（环保不良单位）" in said.out
    assert "环保失信个人" not in said.out
    assert "样环罚字〔2026〕1号：已凭信用修复决定终止公示" in said.out


def test_explain_exits_with_1_for_an_unknown_time_or_an_invalid_code(
    command: Command, tmp_path: Path
) -> None:
    command("ingest", write(tmp_path / "rows.ndjson", penalty(1, **PAST)))

    [found] = command.json("explain", f" {credit_code(1).lower()}").objects
    then = command("explain", credit_code(1), "--known-at", "2025-07-01")
    nobody = command("explain", "xyz")

    assert found["id"] == credit_code(1)
    assert (then.code, then.out) == (1, "")
    assert (nobody.code, "18" in nobody.err) == (1, True)


def test_doctor_lists_authorities_with_conflicting_names_and_codes(
    command: Command, tmp_path: Path
) -> None:
    other = with_check_character(f"11{REGION}000000002")
    rows = [penalty(1, **PAST), penalty(2, CF_CFJGDM=other, **PAST)]
    command("ingest", write(tmp_path / "rows.ndjson", *rows))

    said = command("doctor")

    assert said.code == 1
    assert "1 处名称与代码不一一对应" in said.out
    assert AUTHORITY_CODE in said.out
    assert "评价办法文本" in said.out


def test_a_new_text_is_compared_proposed_approved_and_listed(
    database: Database, tmp_path: Path
) -> None:
    rules = tmp_path / "rules"
    write_town_rules(rules, points=5)
    scoring = {
        "bindings": [{"rule_set": TOWN, "regions": [REGION]}],
        "rule_set_folders": [str(rules)],
        "activation_share": "1",
    }
    command = commanding(database, tmp_path, SETTINGS | {"scoring": scoring})
    rows = [penalty(number, number, **PAST) for number in (1, 2, 3)]
    command("ingest", write(tmp_path / "rows.ndjson", *rows))
    write_town_rules(rules, points=30)

    too_early = command("rules", "activate", TOWN, "--from", "2030-01-01", "--by", "张三")
    compared = command("rules", "diff", TOWN, TOWN, "--store")
    proposed = command("rules", "activate", TOWN, "--from", "2030-01-01", "--by", "张三")
    same = command("rules", "approve", TOWN, "--by", "张三")
    approved = command("rules", "approve", TOWN, "--by", "李四")
    [adopted, listed] = command.json("rules", "activations").objects
    before = f"{TOWN}@{adopted['hash'][:8]}"
    kept = [command("rules", "diff", before, TOWN, *more) for more in ([], ["--store"])]

    assert (too_early.code, "没有24小时内的比较" in too_early.err) == (1, True)
    assert f"{credit_code(1)} 好 → 差（降，95 → 70 分）" in compared.out
    assert "3 个对象，等级改变 3 个" in compared.out
    assert "待第二人批准；比较 3 家，3 家等级变动" in proposed.out
    assert (same.code, "须由另一人批准" in same.err) == (1, True)
    assert "已批准，到日启用" in approved.out
    assert [one.code for one in kept] == [0, 0]
    assert "条文不同 3 处" in kept[0].out
    assert "等级改变 3 个" in kept[1].out
    assert (listed["state"], listed["approved_by"], listed["flips"]) == ("approved", "李四", 3)


def test_explain_reads_an_identity_number_from_standard_input_and_does_not_show_it(
    database: Database, tmp_path: Path
) -> None:
    bound = {"rule_set": "nm-2023-draft", "kinds": ["individual"]}
    command = commanding(database, tmp_path, SETTINGS | {"scoring": {"bindings": [bound]}})
    conduct = event(1, subject_code=None, identity_number=IDENTITY, type="individual.bad_service",
                    kind="event", details={"department": "甲局"})  # fmt: skip
    command("ingest", write(tmp_path / "rows.ndjson", conduct))

    said = command("explain", "-", given=IDENTITY)

    assert "从业人员" in said.out
    assert "P04" in said.out
    assert IDENTITY not in said.out
    assert "person:" not in said.out

"""A small rule set of an invented town, written to a folder: one item, two grades."""

from pathlib import Path

NAME = "town-2026"

RULES = """\
name: town-2026
title: 样例市环保信用评价办法
jurisdiction: 样例市
document_number: 样环发〔2026〕1号
status: in_force
effective_from: 2026-01-01
effective_to: 2030-12-31
source:
  title: 样例市环保信用评价办法
  sha256: "{zeros}"
  published_on: 2026-01-01
criminal_suspects: {{article: 第三条, text: 涉嫌犯罪的不参评}}
tables:
  enterprise:
    title: 企业评价标准
    kinds: [enterprise]
    article: 第四条
    text: 满分100分
    direction: deduct
    start: "100"
    bands:
      - {{grade: 好, title: 好, at_least: "{edge}", article: 第五条}}
      - {{grade: 差, title: 差, below: "{edge}", article: 第五条}}
    repair:
      article: 第六条
      waits:
        - {{months: 1, text: 整改完成一个月后可修复}}
    items:
      - id: F1
        group: 处罚
        title: 罚款
        match: {{penalties: [罚款]}}
        points: "{points}"
        article: 附件
        text: 受到罚款的，每次扣分
"""

CASES = """\
rule_set: town-2026
cases:
  - name: as many fines as keep the grade
    kind: enterprise
    as_of: 2026-11-01
    facts: [{kept}]
    expect: {{score: "{kept_score}", grade: 好, deductions: [{kept_rows}]}}
  - name: one more
    kind: enterprise
    as_of: 2026-11-01
    facts: [{lost}]
    expect: {{score: "{lost_score}", grade: 差, deductions: [{lost_rows}]}}
"""


def write_town_rules(folder: Path, points: int) -> None:
    """Write the rule set and its cases: fines of up to 10 points in total keep the good grade."""
    kept = 10 // points
    folder.mkdir(exist_ok=True)
    text = RULES.format(zeros="0" * 64, points=-points, edge=100 - kept * points)
    (folder / f"{NAME}.yaml").write_text(text, encoding="utf-8")
    cases = CASES.format(
        kept=_facts(kept),
        kept_score=100 - kept * points,
        kept_rows=_rows(kept, points),
        lost=_facts(kept + 1),
        lost_score=100 - (kept + 1) * points,
        lost_rows=_rows(kept + 1, points),
    )
    (folder / f"{NAME}.cases.yaml").write_text(cases, encoding="utf-8")


def _facts(count: int) -> str:
    return ", ".join(f"{{id: f{n}, item: F1, decided_on: 2026-03-01}}" for n in range(count))


def _rows(count: int, points: int) -> str:
    return ", ".join(f'"f{n} F1 -{points}"' for n in range(count))

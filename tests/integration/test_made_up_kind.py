"""Another kind of record needs only its definition: model, name and entry in the catalogue."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gateway.store.base.engine import Database

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
MODEL = '''"""AdministrativeInspection 行政检查: a kind of record that only this test has."""

from datetime import date
from typing import ClassVar

from schemas.base import Schema
from schemas.codes import RecordKind, SubjectCategory
from schemas.columns import ColumnType, Required, column


class AdministrativeInspection(Schema):
    KIND: ClassVar[RecordKind] = RecordKind.INSPECTION

    subject_name: str | None = column("JC_XDR_MC", "行政相对人名称", required=Required.ALWAYS)
    subject_category: str | None = column(
        "JC_XDR_LB", "行政相对人类别", type_=ColumnType.CODE, codes=frozenset(SubjectCategory)
    )
    credit_code: str | None = column(
        "JC_XDR_SHXYM", "统一社会信用代码", type_=ColumnType.CREDIT_CODE, max_length=18
    )
    identity_number: str | None = column("JC_ZJHM", "证件号码", type_=ColumnType.IDENTITY)
    document_number: str | None = column("JC_WSH", "检查文书号", max_length=64)
    content: str | None = column("JC_NR", "检查内容", max_length=4000, required=Required.ALWAYS)
    decision_date: date | None = column("JC_JCRQ", "检查日期", type_=ColumnType.DATE)
    authority: str | None = column("JC_JCJG", "检查机关", max_length=200)
'''
NAME = '    INSPECTION = "inspection"  #: 行政检查\n'
DEFINITION = """
        Kind(
            name=RecordKind.INSPECTION,
            title="行政检查",
            model=AdministrativeInspection,
            number="document_number",
            date="decision_date",
            authority="authority",
            reported=True,
            prefix="JC_",
        ),
"""


def schemas_with_inspections(folder: Path) -> None:
    """Copy the package `schemas` and add the kind: one new file, two changed places."""
    shutil.copytree(ROOT / "schemas", folder / "schemas")
    (folder / "schemas" / "inspection.py").write_text(MODEL)
    add(folder / "schemas" / "codes.py", '    EVENT = "event"', NAME)
    kinds = folder / "schemas" / "kinds.py"
    add(kinds, "from schemas.licence", "from schemas.inspection import AdministrativeInspection\n")
    add(kinds, "        Kind(\n            name=RecordKind.EVENT", DEFINITION.lstrip("\n"))


def add(file: Path, before: str, lines: str) -> None:
    text = file.read_text()
    assert text.count(before) == 1, before
    file.write_text(text.replace(before, lines + before))


def told(database: Database, schemas: Path) -> dict[str, Any]:
    url = database.engine.url.render_as_string(hide_password=False)
    done = subprocess.run(
        [sys.executable, "-m", "tests.integration.inspection_story", url],
        env=os.environ | {"PYTHONPATH": f"{schemas}{os.pathsep}{ROOT}"},
        cwd=schemas,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)  # type: ignore[no-any-return]


async def test_a_new_kind_passes_every_step_with_only_its_definition(
    database: Database, tmp_path: Path
) -> None:
    schemas_with_inspections(tmp_path)

    assert told(database, tmp_path) == {
        "taken": "ok",
        "incomplete": ["JC_NR"],
        "sent": [["inspection", "样环检〔2026〕1号"]],
        "missing on the platform": [[1, 1, ""], [1, 1, "wrong_value"]],
        "ledger": ["inspection", "样环检〔2026〕1号", True],
        "unit": [[1, 1], [0, 0], [0, 0]],
        "figures": [["", 1, 1], ["penalty", 0, 0], ["licence", 0, 0], ["inspection", 1, 1]],
        "workbook": True,
    }

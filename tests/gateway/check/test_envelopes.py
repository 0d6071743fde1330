"""Envelopes of change capture: the row within is read; a deleted row means what is configured."""

from typing import Any

import orjson
import pytest

from gateway.check.checked import Checked
from gateway.check.checker import Checker
from gateway.config.keys import Keys
from schemas.codes import Verb
from schemas.input_rules import Deletes, InputRules
from schemas.verdict import Verdict
from tests.factories import penalty, raw
from tests.gateway.conftest import TODAY

ROW = penalty()
LOWER = {name.lower(): value for name, value in ROW.items()}
DEBEZIUM = {"before": None, "after": ROW, "op": "c", "source": {"db": "x"}, "ts_ms": 1}
OPENED: dict[str, Any] = {
    "connect": {"schema": {"type": "struct"}, "payload": ROW},
    "debezium": DEBEZIUM,
    "debezium in connect": {"schema": {}, "payload": DEBEZIUM},
    "debezium snapshot": DEBEZIUM | {"op": "r"},
    "debezium flattened": ROW | {"__op": "u", "__deleted": "false"},
    "lower case": LOWER,
    "canal": {"database": "d", "table": "t", "type": "INSERT", "isDdl": False, "data": [ROW]},
    "maxwell": {"database": "d", "table": "t", "type": "update", "data": ROW, "old": {}},
    "goldengate": {"table": "T", "op_type": "I", "after": ROW},
    "avro union": {name: {"string": value} for name, value in ROW.items()},
    "encoded twice": orjson.dumps(ROW).decode(),
}
#: Rows with columns of a standard are the record, whatever else they have.
RECORDS: dict[str, Any] = {
    "an operator": ROW | {"op": "zhangsan"},
    "a database": ROW | {"database": "d", "data": "x"},
    "a payload": ROW | {"payload": "x"},
    "attachments": ROW | {"attachments": [{"name": "决定书.pdf"}]},
    "a title beside its code": ROW | {"BZ": "甲", "备注": "乙"},
    "a spoofed cell": ROW | {"BZ": {"$cell": []}},
}
DELETED: dict[str, Any] = {
    "debezium": {"before": ROW, "after": None, "op": "d"},
    "debezium flattened": ROW | {"__op": "d", "__deleted": "true"},
    "debezium flattened by op": ROW | {"__op": "d"},
    "debezium flattened without a prefix": ROW | {"op": "d"},
    "debezium flattened by avro": ROW | {"__deleted": {"string": "true"}},
    "debezium by avro": {"before": ROW, "after": None, "op": {"string": "d"}},
    "goldengate by row": ROW | {"op_type": "D", "table": "T"},
    "canal": {"database": "d", "table": "t", "type": "DELETE", "data": [ROW]},
    "goldengate": {"table": "T", "op_type": "D", "before": ROW},
}
REFUSED: dict[str, tuple[Any, str]] = {
    "no row": ({"before": None, "after": None, "op": "u"}, "不是一条记录"),
    "truncate": ({"op": "t", "after": None}, "操作“t”"),
    "two rows": (
        {"database": "d", "table": "t", "type": "INSERT", "data": [ROW, ROW]},
        "有2条记录",
    ),
    "tombstone of connect": ({"schema": None, "payload": None}, "不是一条记录"),
    "binary": ({"specversion": "1.0", "data_base64": "e30=", "type": "penalty"}, "data_base64"),
}


def checked(keys: Keys, row: Any, deletes: Deletes = Deletes.REFUSE) -> Checked:
    checker = Checker(keys, rules=InputRules(deletes=deletes))
    return checker.check(raw(orjson.dumps(row)), TODAY)


@pytest.mark.parametrize("name", OPENED)
def test_the_row_within_an_envelope_is_the_decision(keys: Keys, name: str) -> None:
    found, plain = checked(keys, OPENED[name]), checked(keys, ROW)

    assert (found.verdict, found.problems, found.key) == (Verdict.OK, (), plain.key)
    assert found.record == plain.record


@pytest.mark.parametrize("name", DELETED)
def test_a_deleted_row_withdraws_only_where_it_is_configured(keys: Keys, name: str) -> None:
    refused = checked(keys, DELETED[name])
    withdrawn = checked(keys, DELETED[name], Deletes.WITHDRAW)

    assert refused.verdict is Verdict.REFUSED
    assert "记录被删不等于决定被撤销" in refused.problems[0].message
    assert (withdrawn.verdict, withdrawn.verb) == (Verdict.OK, Verb.WITHDRAW)


@pytest.mark.parametrize("name", REFUSED)
def test_what_holds_no_single_row_is_told_in_one_sentence(keys: Keys, name: str) -> None:
    row, words = REFUSED[name]

    found = checked(keys, row)

    assert found.verdict is Verdict.REFUSED
    assert len(found.problems) == 1
    assert words in found.problems[0].message


@pytest.mark.parametrize("name", RECORDS)
def test_a_row_with_columns_of_the_standard_is_no_envelope(keys: Keys, name: str) -> None:
    found = checked(keys, RECORDS[name])

    assert found.key == checked(keys, ROW).key
    assert all(problem.field == "BZ" for problem in found.problems)


@pytest.mark.parametrize("name", ["濮洪海", "濮翠芳", "璐宝珺波", "鑫鼎铭琪瑞璐琳玮晟有限公司"])
def test_a_real_name_is_not_taken_for_mojibake(keys: Keys, name: str) -> None:
    assert checked(keys, ROW | {"CF_XDR_MC": name}).verdict is Verdict.OK

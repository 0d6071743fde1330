"""The stored form of an assessment: short, with the digest of its trace."""

import hashlib
from datetime import date

from gateway.score.stored_result import digest
from schemas.credit import Assessment, Deduction, GradeOrigin, RuleSetRef, Unmapped, Veto

#: The trace as first released; the digests in existing stores were made from this form.
TRACE = (
    '{"id":"91159900MA00000000","as_of":"2026-11-01","rule_set":{"name":"nm-2023-draft",'
    '"version":"21d9","status":"draft"},"score":"97.5","grade":"A","veto":true,"vetoes":'
    '[{"item":"E39","fact":"7","article":"附件1"}],"deductions":[{"item":"E01","points":"-0.5",'
    '"fact":"8","article":"附件1","text":"罚款金额≤10万","values":{"decided_on":"2026-10-12",'
    '"penalty":"罚款"}}],"unmapped":[{"fact":"8","type":"其他-某"}],"notes":["c06","r05"],'
    '"not_evaluated":null,"changes_on":"2027-01-01","promotions":[],"received":{"fact":"9",'
    '"issued_by":"某厅","effective_on":"2026-10-01"}}'
)


def test_the_digest_of_a_trace_is_the_same_in_every_release() -> None:
    assessment = Assessment(
        id="91159900MA00000000",
        as_of=date(2026, 11, 1),
        rule_set=RuleSetRef("nm-2023-draft", "21d9", "draft"),
        score="97.5",
        grade="A",
        veto=True,
        vetoes=(Veto("E39", "7", "附件1"),),
        deductions=(
            Deduction(
                "E01",
                "-0.5",
                "8",
                "附件1",
                "罚款金额≤10万",
                {"decided_on": "2026-10-12", "penalty": "罚款"},
            ),
        ),
        unmapped=(Unmapped("8", "其他-某"),),
        notes=("c06", "r05"),
        not_evaluated=None,
        changes_on=date(2027, 1, 1),
        received=GradeOrigin("9", "某厅", date(2026, 10, 1)),
    )

    assert digest(assessment) == hashlib.sha256(TRACE.encode()).hexdigest()

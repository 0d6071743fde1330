"""The letters 信用修复决定书 stand beside the process events, so that one can be withdrawn."""

import json

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from schemas.identifiers import authority_key, document_number_key

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

#: Each letter, and the repaired decisions of its subject. Until now a letter never changed, and was
#: taken only where its decision was known.
_LETTERS = sa.text(
    """
    select v.id, v.recorded_at, v.body ->> 'severity' as severity,
        v.body -> 'decision' ->> 'document_number' as named,
        v.body -> 'decision' ->> 'authority' as authority,
        d.subject_id, d.kind, d.number_key, d.authority_id, d.document_number,
        array(select alias from authority_alias l where l.authority_id = d.authority_id) as aliases
    from decision e join record_version v on v.id = e.version_id
    join decision d on d.subject_id = e.subject_id
        and d.kind = v.body -> 'decision' ->> 'kind'
    where e.kind = 'event' and v.body ->> 'type' = 'publicity_repair' and e.verb <> 'withdraw'
      and exists (select from record_version r where r.decision_id = d.id and r.verb = 'repair')
    order by v.id, d.id
    """
)
_ADD = sa.text(
    """
    insert into process_event
        (id, subject_id, kind, number_key, authority_id, type, dates, letter, recorded_at)
    values (:id, :subject_id, :kind, :number_key, :authority_id, 'publicity_repair', '{}',
        cast(:letter as jsonb), :recorded_at)
    """
)


def upgrade() -> None:
    """Add the column, and a row for each letter that was taken."""
    op.add_column("process_event", sa.Column("letter", JSONB))
    connection = op.get_bind()
    found: dict[int, sa.RowMapping] = {}
    for row in connection.execute(_LETTERS).mappings():
        if document_number_key(row["named"]) != document_number_key(row["document_number"]):
            continue
        if row["id"] not in found or authority_key(row["authority"]) in row["aliases"]:
            found[row["id"]] = row
    taken = ("id", "subject_id", "kind", "number_key", "authority_id", "recorded_at")
    rows = [
        {name: row[name] for name in taken}
        | {"letter": json.dumps({"severity": row["severity"], "found": None}, ensure_ascii=False)}
        for row in found.values()
    ]
    if rows:
        connection.execute(_ADD, rows)

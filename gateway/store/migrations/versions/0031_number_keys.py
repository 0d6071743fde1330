"""Document numbers with 《2026》, <2026>, a long dash or a full stop get the key of now."""

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_SIGNS, _PLAIN = "<《〈「>》〉」‐‑‒–—―−\ue5e5", "〔〔〔〔〕〕〕〕-------"
_KEY = f"rtrim(translate(number_key, '{_SIGNS}', '{_PLAIN}'), '。')"
_CHANGED = f"kind in ('penalty', 'licence') and number_key <> {_KEY}"


def upgrade() -> None:
    """Change the keys; of two spellings that were two decisions, one keeps its old key."""
    op.execute(
        f"""
        with changed as (
            select distinct on (subject_id, authority_id, kind, {_KEY}) id, {_KEY} as key
            from decision where {_CHANGED}
            order by subject_id, authority_id, kind, {_KEY}, id)
        update decision d set number_key = c.key from changed c
        where d.id = c.id and not exists (select from decision o
            where o.subject_id = d.subject_id and o.number_key = c.key
              and o.authority_id = d.authority_id and o.kind = d.kind)
        """
    )
    op.execute(f"update process_event set number_key = {_KEY} where {_CHANGED}")
    op.execute(
        """
        insert into authority_alias (alias, authority_id)
        select replace(alias, '\ue5e5', ''), authority_id from authority_alias
        where alias like '%\ue5e5%' on conflict do nothing
        """
    )

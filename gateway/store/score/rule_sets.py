"""The texts of rule sets 评价办法文本, stored by hash so that a grade can be computed again."""

from datetime import datetime

from sqlalchemy import text

from gateway.store.base.engine import Connection

_RULE_SET = text(
    """
    insert into rule_set_version (hash, name, text, recorded_at) values (:hash, :name, :text, :now)
    on conflict (hash) do nothing
    """
)


async def keep_rule_set(
    connection: Connection, hash_: str, name: str, content: str, now: datetime
) -> None:
    """Store the text of a rule set under its hash, if it is not stored yet."""
    values = {"hash": hash_, "name": name, "text": content, "now": now}
    await connection.execute(_RULE_SET, values)


async def rule_set_texts(connection: Connection) -> dict[str, str]:
    """Return the stored texts by their hash."""
    rows = await connection.execute(text("select hash, text from rule_set_version"))
    return {row[0]: row[1] for row in rows}

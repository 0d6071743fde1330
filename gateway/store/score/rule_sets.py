"""The texts of rule sets 评价办法文本, kept by their hash so that a grade can be recomputed."""

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
    """Keep the text of a rule set, so that what it gave can be computed again."""
    values = {"hash": hash_, "name": name, "text": content, "now": now}
    await connection.execute(_RULE_SET, values)


async def rule_set_texts(connection: Connection) -> dict[str, str]:
    """The kept texts by their hash."""
    rows = await connection.execute(text("select hash, text from rule_set_version"))
    return {row[0]: row[1] for row in rows}

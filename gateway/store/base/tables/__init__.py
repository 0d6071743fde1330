"""The tables, named by the words of GLOSSARY.md. Migrations must give the same database.

Every id comes from one sequence, `gateway_id`, handed out in blocks under the subject lock, so
that within a subject a later row has the higher id.

What is read as a whole is `json`, kept as it was written: making `jsonb` of it cost the database a
tenth of intake. `jsonb` is for what queries look into.
"""

from gateway.store.base.tables import account, deliver, record, score
from gateway.store.base.tables.shared import metadata

__all__ = ["account", "deliver", "metadata", "record", "score"]

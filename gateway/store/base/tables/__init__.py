"""The tables, named by the words of GLOSSARY.md. The migrations must give the same database.

Every id comes from one sequence, `gateway_id`, in blocks reserved under the subject lock: within a
subject a later row has a higher id. A column is `jsonb` if queries look into it, otherwise `json`,
which is stored as written; converting to `jsonb` cost a tenth of intake.
"""

from gateway.store.base.tables import account, deliver, record, score
from gateway.store.base.tables.shared import metadata

__all__ = ["account", "deliver", "metadata", "record", "score"]

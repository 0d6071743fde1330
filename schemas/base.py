"""The base of every message shape, and the types that all of them share."""

from datetime import timedelta, timezone
from decimal import Decimal
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

__all__ = ["SHANGHAI", "AwareDatetime", "Schema", "Wanyuan"]

#: China has had one zone and no summer time since 1991; every legal day ends at this midnight.
SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")

#: An amount in 万元 (ten thousand yuan), exact to 0.01 yuan: Decimal(18,6) in the data standard.
Wanyuan = Annotated[Decimal, Field(max_digits=18, decimal_places=6, ge=0)]


class Schema(BaseModel):
    """A frozen value that refuses unknown names; fields are read by name or by wire column."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

"""Orders of rehearsals over HTTP: `control/rehearsal` of a place."""

from collections.abc import Collection
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from connectors.sandbox.book import Book
from connectors.sandbox.places import Asked, Reply, json_reply
from connectors.sandbox.rehearsals import REHEARSALS, SIGN, Interface


class RehearsalOrder(BaseModel):
    """One rehearsal by its name, for so many calls; without a number, until it is ended."""

    model_config = ConfigDict(extra="forbid")

    name: str
    calls: int | None = Field(default=None, ge=1)


def rehearsal(book: Book, asked: Asked, interfaces: Collection[Interface]) -> Reply:
    """Show, order or end the rehearsal of a place that has these interfaces."""
    known = [name for name, one in REHEARSALS.items() if one.at.intersection(interfaces)]
    if asked.method == "PUT":
        try:
            order = RehearsalOrder.model_validate_json(asked.body)
        except ValidationError as error:
            words = "、".join(".".join(map(str, one["loc"])) or "整体" for one in error.errors())
            form = '写成 {"name": "reject", "calls": 1}，calls 可不写，至少1'
            return json_reply({"problems": f"{words}：不是约定的格式；{form}"}, 422)
        if order.name not in known:
            words = f"name：没有演练 {order.name}；可用：{'、'.join(known)}"
            return json_reply({"problems": words}, 422)
        book.rehearsing.order(order.name, order.calls)
    elif asked.method == "DELETE":
        book.rehearsing.end()
    elif asked.method != "GET":
        return Reply(405)
    return json_reply(
        {"now": book.rehearsing.shown(), "rehearsals": {name: _shown(name) for name in known}}
    )


def _shown(name: str) -> dict[str, Any]:
    one = REHEARSALS[name]
    return {"mark": f"-{SIGN}-{one.word}", "does": one.does}

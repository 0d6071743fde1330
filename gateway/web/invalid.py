"""What is wrong with the path, the options or the headers of a request, in Chinese."""

from collections.abc import Mapping
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from schemas.kinds import KINDS

_KINDS = "、".join(f"{name}（{kind.title}）" for name, kind in KINDS.items())
#: What is said of an error of a type; of others, that the value does not fit.
_SAID = {
    "enum": f"应为 {_KINDS} 之一",
    "bool_parsing": "应为 true 或 false",
    "string_too_long": "太长",
}


async def told_in_chinese(request: Request, error: Exception) -> Response:
    """Answer 422 with one sentence for each value that does not fit."""
    del request
    errors = error.errors() if isinstance(error, RequestValidationError) else []
    return JSONResponse({"detail": "；".join(map(_sentence, errors))}, 422)


async def only_known_names(request: Request) -> None:
    """Refuse a query name that the route does not have: a mistyped filter would filter nothing."""
    known = [field.alias for field in request.scope["route"].dependant.query_params]
    if unknown := [name for name in request.query_params if name not in known]:
        raise HTTPException(422, f"没有参数 {'、'.join(unknown)}；现有：{'、'.join(known)}")


def _sentence(error: Mapping[str, Any]) -> str:
    said = _SAID.get(error["type"], "格式不对")
    return f"{error['loc'][-1]}：“{str(error.get('input', ''))[:64]}”{said}"

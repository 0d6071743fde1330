"""What is wrong with the path, the options or the headers of a request, in Chinese."""

import re
from collections.abc import Mapping
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from gateway.titles import STATES
from schemas.base import storable
from schemas.kinds import KINDS

#: What is said of an error of a type, with its own context; of others, that the value does not fit.
_SAID = {
    "bool_parsing": "应为 true 或 false",
    "string_unicode": "含有半个字符（不成对的代理字符），去掉再发",
    "int_parsing": "应为整数",
    "float_parsing": "应为数字",
    "date_from_datetime_parsing": "不是日期，写成 2026-10-01",
    "greater_than_equal": "应不小于 {ge}",
    "less_than_equal": "应不大于 {le}",
    "string_too_long": "太长，最多 {max_length} 个字",
}
_STATES = {str(one): title for one, title in STATES.items()}
_QUOTED = re.compile("'([^']*)'")


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
    name, context = error["loc"][-1], error.get("ctx", {})
    if error["type"] == "missing":
        return f"{name}：没有写"
    if error["type"] == "enum":
        said = f"应为 {'、'.join(map(_titled, _QUOTED.findall(context['expected'])))} 之一"
    else:
        said = _SAID.get(error["type"], "格式不对").format_map(context)
    return f"{name}：“{storable(str(error.get('input', '')))[:64]}”{said}"


def _titled(value: str) -> str:
    titles = _STATES | {name: kind.title for name, kind in KINDS.items()}
    return f"{value}（{titles[value]}）" if value in titles else value

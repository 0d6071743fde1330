"""The wrapper that a platform puts around its JSON: `{"code": 0, "data": {…}}` and the like."""

from typing import Any

from pydantic import Field

from connectors.errors import OutcomeUnknown
from connectors.shared.http_read import Answer
from connectors.shared.words import reason
from schemas.base import Schema


class JsonWrapper(Schema):
    """Where the content is, and which codes say that all went well. By default there is none."""

    path: str = Field(default="", title="内容的位置，如 data 或 data.result")
    code_field: str | None = Field(default=None, title="代码的字段")
    done: frozenset[str] = Field(default=frozenset({"0", "200", "0000"}), title="表示成功的代码")
    #: Codes that say that the login has ended; it is made again.
    expired: frozenset[str] = Field(default=frozenset({"401"}), title="表示登录失效的代码")
    message_field: str = Field(default="message", title="说明的字段")

    def says_expired(self, answer: Answer) -> bool:
        """Whether the code of an answer says that the login has ended."""
        if self.code_field is None or not 200 <= answer.status < 300:
            return False
        try:
            body = answer.json()
        except OutcomeUnknown:
            return False
        return isinstance(body, dict) and str(body.get(self.code_field)) in self.expired

    def opened(self, body: Any) -> Any:
        """Return the content.

        Raises:
            OutcomeUnknown: the code is none of those of success, or nothing is there.
        """
        if self.code_field is not None:
            code = str(body.get(self.code_field)) if isinstance(body, dict) else "（无）"
            if code not in self.done:
                said = body.get(self.message_field) if isinstance(body, dict) else ""
                raise OutcomeUnknown(reason(f"对方返回代码 {code}：{said or '没有说明'}"))
        for name in filter(None, self.path.split(".")):
            if not isinstance(body, dict) or name not in body:
                raise OutcomeUnknown(f"应答里没有 {self.path}")
            body = body[name]
        return body

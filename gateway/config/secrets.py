"""Secrets named in the configuration: by environment variable or file, never in the text."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gateway.config.errors import BadConfiguration


class SecretMissing(BadConfiguration):
    """A secret is named in the configuration and is not there."""


def secret_of(path: Path) -> str:
    """The secret in a file; raises SecretMissing with the path, never a value."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        fix = "改正路径，或放入可读的文件"
        raise SecretMissing(f"密钥文件 {path} 读不出来：{error.strerror}；{fix}") from error
    except UnicodeDecodeError:
        raise SecretMissing(f"密钥文件 {path} 应为 UTF-8 编码的文字") from None


def resolve(value: Any, environment: Mapping[str, str]) -> Any:
    """Configuration with `{env: NAME}` and `{file: PATH}` replaced by the secret meant.

    Raises:
        SecretMissing: the variable or file is not there; its name is said, never a value.
    """
    match value:
        case {"env": str(name), **rest} if not rest:
            if name not in environment:
                raise SecretMissing(f"没有环境变量 {name}；设置后再启动")
            return environment[name]
        case {"file": str(name), **rest} if not rest:
            return secret_of(Path(name))
        case dict():
            return {key: resolve(item, environment) for key, item in value.items()}
        case list():
            return [resolve(item, environment) for item in value]
        case _:
            return value

"""Secrets that the configuration names by environment variable or file, never by value."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gateway.config.errors import BadConfiguration
from schemas.faults import Place, of_system


class SecretMissing(BadConfiguration):
    """A secret that the configuration names is missing; `place` is where it names it."""

    place: Place = ()


def secret_of(path: Path) -> str:
    """Return the secret in a file; raises SecretMissing with the path, never a value."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        fix = "改正路径，或放入可读的文件"
        raise SecretMissing(f"密钥文件 {path} 读不出来：{of_system(error)}；{fix}") from error
    except UnicodeDecodeError:
        raise SecretMissing(f"密钥文件 {path} 应为 UTF-8 编码的文字") from None


def resolve(value: Any, environment: Mapping[str, str]) -> Any:
    """Replace `{env: NAME}` and `{file: PATH}` in a configuration by the secrets.

    Raises:
        SecretMissing: a variable or file is missing; the message has its name, never a value.
    """
    match value:
        case {"env": str(name), **rest} if not rest:
            if name not in environment:
                raise SecretMissing(f"没有环境变量 {name}；设置后再启动")
            return environment[name].strip()
        case {"file": str(name), **rest} if not rest:
            return secret_of(Path(name))
        case dict():
            return {key: _entry(key, item, environment) for key, item in value.items()}
        case list():
            return [_entry(number, item, environment) for number, item in enumerate(value)]
        case _:
            return value


def _entry(step: int | str, value: Any, environment: Mapping[str, str]) -> Any:
    try:
        return resolve(value, environment)
    except SecretMissing as missing:
        missing.place = (step, *missing.place)
        raise

"""The help of commands in Chinese; typer speaks English."""

from typing import Any

from typer.core import TyperCommand, TyperGroup

#: The words of typer's help, by the names that they have there.
_WORDS = {
    "ARGUMENTS_PANEL_TITLE": "参数",
    "OPTIONS_PANEL_TITLE": "选项",
    "COMMANDS_PANEL_TITLE": "命令",
    "DEFAULT_STRING": "[默认 {}]",
    "ENVVAR_STRING": "[环境变量 {}]",
    "REQUIRED_LONG_STRING": "[必填]",
}


class _ChineseHelp:
    def get_usage(self, ctx: Any) -> str:
        """Return the line of usage."""
        words: str = super().get_usage(ctx)  # type: ignore[misc]
        return words.replace("Usage:", "用法：", 1)

    def get_help_option(self, ctx: Any) -> Any:
        """Return the option `--help`."""
        option = super().get_help_option(ctx)  # type: ignore[misc]
        if option is not None:
            option.help = "显示这段说明"
        return option

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help."""
        from typer import rich_utils

        for name, words in _WORDS.items():
            setattr(rich_utils, name, words)
        super().format_help(ctx, formatter)  # type: ignore[misc]


class ChineseCommand(_ChineseHelp, TyperCommand):
    """A command with its help in Chinese."""


class ChineseGroup(_ChineseHelp, TyperGroup):
    """A group of commands with its help in Chinese."""

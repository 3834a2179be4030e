"""The reference of the command line, written at build time from the commands themselves.

Writes ``docs/reference/command-line.md`` (not committed): each command of ``vitrina`` with what it says of itself, its arguments and
its options.
"""

from collections.abc import Iterator
from enum import Enum
from typing import Any

import typer
from generated import page, table

from vitrina.entrypoints.cli import app as vitrina


def reference() -> str:
    """Return the whole page."""
    group = typer.main.get_command(vitrina)
    if not isinstance(group, typer.core.TyperGroup):
        raise TypeError("vitrina has one command only")
    lines = ["# Command line", "", (group.help or "").strip(), ""]
    for name, command in group.commands.items():
        arguments = [_name(each) for each in command.params if _is_argument(each)]
        usage = " ".join(["vitrina", name, *arguments, "[OPTIONS]"])
        lines += [f"## `vitrina {name}`", "", "```text", usage, "```", ""]
        lines += [(command.help or "").strip().replace("\b", ""), ""]
        rows = list(_rows(command))
        if rows:
            lines += table(("argument or option", "meaning", "default"), rows)
    return "\n".join(lines)


def _is_argument(param: Any) -> bool:
    return bool(param.param_type_name == "argument")


def _name(param: Any) -> str:
    return str(param.metavar or param.name).upper()


def _rows(command: Any) -> Iterator[tuple[str, str, str]]:
    for param in command.params:
        names = [_name(param)] if _is_argument(param) else [*param.opts, *param.secondary_opts]
        meaning = param.help or ""
        kind = param.type_descriptor.annotation
        if isinstance(kind, type) and issubclass(kind, Enum):
            meaning += " One of " + ", ".join(f"`{_text(each)}`" for each in kind) + "."
        if param.envvar:
            variables = [param.envvar] if isinstance(param.envvar, str) else param.envvar
            meaning += " Also " + ", ".join(f"`{each}`" for each in variables) + "."
        silent = param.default in {None, False} or callable(param.default)
        default = "" if silent else f"`{_text(param.default)}`"
        shown = ", ".join(f"`{each}`" for each in names)
        yield shown, meaning, "required" if param.required else default


def _text(value: object) -> str:
    return str(value.value) if isinstance(value, Enum) else str(value)


setup = page("command-line", reference)

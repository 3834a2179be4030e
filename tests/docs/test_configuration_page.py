"""The page about the settings says what the program does."""

from pathlib import Path

import pytest
from annotated_types import Ge, Le

from vitrina.settings import Settings

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "configuration.md").read_text("utf-8")


def row(name: str) -> str:
    """Return the line of the table that a setting must have."""
    field = Settings.model_fields[name]
    limits = {type(each): each for each in field.metadata if isinstance(each, Ge | Le)}
    low, high = limits.get(Ge), limits.get(Le)
    between = f"{low.ge} to {high.le}" if isinstance(low, Ge) and isinstance(high, Le) else ""
    default = field.default
    shown = str(default).lower() if isinstance(default, bool) else str(default)
    default_cell = "none" if default == () else f"`{shown}`"
    return f"| `{name}` | {field.description} | {default_cell} | {between} |"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_has_its_line(name: str) -> None:
    assert row(name) in PAGE.splitlines()


def test_no_line_is_about_something_else() -> None:
    lines = [line for line in PAGE.splitlines() if line.startswith("| `")]

    assert len(lines) == len(Settings.model_fields)

"""Opening a catalog: what may stand in the way, and what was understood of its files."""

from dataclasses import dataclass


class CannotOpen(Exception):
    """A catalog cannot be opened as it is; the message says why, where, and what to do."""


class InUse(CannotOpen):
    """Another process has the catalog open."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing in a file that somebody should look at.

    Attributes:
        file: The name of the file.
        line: Where it stands; 1-based. 0 when it is about the file as a whole.
        column: In CSV the number of the cell, in JSON the character in the line; 1-based, or 0.
        header: The column's header or the member's name; "" when no single one is meant.
        value: What stands there, shortened.
        code: The broken rule, stable and in snake_case.
        detail: What is wrong and what to do.
        error: What stands there is not served; otherwise it is, and this is a warning.
    """

    file: str
    line: int
    column: int
    header: str
    value: str
    code: str
    detail: str
    error: bool = True

    def __str__(self) -> str:
        place = f"{self.file}, line {self.line}" if self.line else self.file
        cell = f", column {self.column}" if self.column else ""
        name = f" ({self.header})" if self.header else ""
        value = f" {self.value!r}:" if self.value else ""
        return f"{place}{cell}{name}:{value} {self.detail} [{self.code}]"


@dataclass(frozen=True, slots=True)
class Understood:
    """What was understood of a product file.

    Attributes:
        path: The file.
        format: ``csv``, ``json`` or ``jsonl``.
        columns: Of a CSV: each header, and the field it gives; None when it is not read.
        rows: How many rows were read, refused ones included.
        refused: How many of them are not served.
        currency: Of prices that named none; None when every price named its own.
        problems: What is wrong, by line.
    """

    path: str
    format: str
    columns: tuple[tuple[str, str | None], ...]
    rows: int
    refused: int
    currency: str | None
    problems: tuple[Problem, ...]

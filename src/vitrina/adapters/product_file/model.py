"""A product file as it was found: its rows with their exact bytes, and what each row says.

The file belongs to a person. So everything is kept that is needed to write it back without
touching what did not change: the bytes of each row, what stands between rows, the encoding, and
the style of delimiters, quotes and line ends. A row that cannot be read keeps its bytes too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Final

from vitrina.service_layer.documents import Document

VALUE_SHOWN_MAX: Final = 80
"""How many characters of a wrong value a problem repeats."""


class Format(StrEnum):
    """How a product file is laid out; tab- and semicolon-separated files are CSV too."""

    CSV = "csv"
    JSON = "json"
    JSONL = "jsonl"


class Severity(StrEnum):
    """An error refuses a row (or a column); a warning only tells."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class FileProblem:
    """One thing in the file that is not as it should be.

    Attributes:
        line: Where the row starts; 1-based.
        column: In CSV the number of the cell, in JSON the character in the line; 1-based.
        header: The column's header or the member's name; "" when no single one is meant.
        value: What stands there, shortened to 80 characters.
        code: The broken rule, stable and in snake_case.
        detail: What is wrong and what to do.
    """

    line: int
    column: int
    header: str
    value: str
    code: str
    detail: str
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        at = f"line {self.line}, column {self.column}"
        name = f" ({self.header})" if self.header else ""
        return f"{at}{name}: {self.detail} [{self.code}]"


class UnreadableFile(Exception):
    """The file as a whole cannot be used; nothing of it was read.

    Attributes:
        line, column: Where; 1-based. The column counts characters (in a header: cells).
        code: The broken rule, stable and in snake_case.
        detail: What is wrong and what to do.
    """

    def __init__(self, line: int, column: int, code: str, detail: str) -> None:
        super().__init__(f"line {line}, column {column}: {detail}")
        self.line = line
        self.column = column
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Dialect:
    """The file's own way of writing.

    Attributes:
        encoding: A Python codec that writes no byte order mark.
        bom: The file's byte order mark, or b"".
        line_end: As the first line ends.
        delimiter: Between the cells of a CSV; "" in JSON.
    """

    encoding: str = "utf-8"
    bom: bytes = b""
    line_end: str = "\n"
    delimiter: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a CSV.

    Attributes:
        header: As written.
        field: What it gives: the name of a product's field, ``attributes.NAME``, ``category``
            (a path of names), ``currency``, ``rating`` (the average), ``rating_count``; None for
            a column that is not read.
        currency: Of bare prices in this column, when the header says it: ``Price (EUR)``.
    """

    header: str
    field: str | None
    currency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One product of the file.

    Attributes:
        line: Where it starts; 1-based.
        column: The character where it starts; 1-based.
        raw: Its exact bytes; in CSV and JSON Lines with the line end.
        before: The bytes between the row before and this one that belong to neither.
        after: The bytes between this row and the comma after it (JSON arrays only).
        id: The product's id, stated or derived; "" when the row is too broken to have one.
        states_id: The row itself says its id, so that no edit of other cells can change it.
        document: The fields that the row really gives, in wire form, ``id`` included.
        category_path: Names from the root down, where the row gives names instead of an id.
        refused: A problem of severity error stands against it.
        whole: ``document`` has all that the row gives, except for what problems name; False for
            a row of the wrong length, for example.
        version: What its ``_version`` says, if anything.
    """

    line: int
    column: int = 1
    raw: bytes
    before: bytes = b""
    after: bytes = b""
    id: str = ""
    states_id: bool = False
    document: Document = field(default_factory=dict)
    category_path: tuple[str, ...] | None = None
    refused: bool = False
    whole: bool = True
    version: int | None = None


@dataclass(frozen=True)
class ProductFile:
    """A product file, read.

    Attributes:
        currency: Of prices that name none, ISO 4217.
        assumed_currency: Some price named none, so that ``currency`` was needed.
        columns: In CSV, in order; empty in JSON.
        head: The bytes before the first row's ``before`` (byte order mark, header, bracket).
        tail: The bytes after the last row.
        rows: All rows, refused ones included.
        problems: By line; a file may be served with them, without the refused rows.
    """

    format: Format
    currency: str
    dialect: Dialect
    columns: tuple[Column, ...]
    head: bytes
    rows: tuple[Row, ...]
    tail: bytes = b""
    problems: tuple[FileProblem, ...] = ()
    assumed_currency: bool = False

    @cached_property
    def accepted(self) -> Mapping[str, Row]:
        """The rows that were not refused, by product id, in the file's order."""
        return {row.id: row for row in self.rows if not row.refused}

    @cached_property
    def refused_ids(self) -> frozenset[str]:
        """The ids of the refused rows, ``""`` among them when one has no id."""
        return frozenset(row.id for row in self.rows if row.refused)

    @property
    def refused_count(self) -> int:
        return sum(row.refused for row in self.rows)


def shorten(value: str) -> str:
    """Return *value* on one line of at most 80 characters, as problems show it."""
    line = value.replace("\r", "␍").replace("\n", "␊")
    return line if len(line) <= VALUE_SHOWN_MAX else f"{line[: VALUE_SHOWN_MAX - 1]}…"

"""Where in a file a field of a product stands, so that a problem can name the place."""

from collections.abc import Mapping
from typing import NamedTuple

from vitrina.adapters.product_file.cells import UnreadableCell
from vitrina.adapters.product_file.csv_text import read_cell, records
from vitrina.adapters.product_file.encoding import Lines
from vitrina.adapters.product_file.json_reader import offset_of
from vitrina.adapters.product_file.json_text import JsonStyle, dump, read_value
from vitrina.adapters.product_file.model import ProductFile, Row
from vitrina.adapters.product_file.objects import read_object
from vitrina.service_layer.documents import Json


class Place(NamedTuple):
    """A place, and what stands there; column and header as in :class:`FileProblem`."""

    line: int
    column: int
    header: str
    value: str


def place_in_csv(file: ProductFile, row: Row, field: str) -> Place:
    """Return the cell that gives *field*, or the start of the row when no column does."""
    names = {"category_id": ("category_id", "category")}.get(field, (field,))
    for at, column in enumerate(file.columns):
        if column.field in names:
            record = next(records(row.raw.decode(file.dialect.encoding), file.dialect.delimiter))
            try:
                value = read_cell(record.cells[at])
            except (IndexError, UnreadableCell):
                value = ""
            return Place(row.line, at + 1, column.header, value)
    return Place(row.line, 1, field, "")


def place_in_json(file: ProductFile, row: Row, field: str) -> Place:
    """Return the member that gives *field*, or the start of the object when none does."""
    text = row.raw.decode(file.dialect.encoding)
    source, _ = read_value(text, 0)
    slots = read_object(source, file.currency).slots if isinstance(source, Mapping) else {}
    path = slots.get(field) or (slots.get("category") if field == "category_id" else None)
    if path is None:
        return Place(row.line, row.column, field, "")
    line, column = Lines(text).of(offset_of(text, path))
    value: Json = source
    for name in path:
        value = value[name] if isinstance(value, Mapping) else None
    shown = value if isinstance(value, str) else dump(value, JsonStyle())
    column += row.column - 1 if line == 1 else 0
    return Place(row.line + line - 1, column, ".".join(path), shown)

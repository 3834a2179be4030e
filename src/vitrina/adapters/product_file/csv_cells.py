"""Decides what the cells of one row say: the old text where it still holds, else a new one."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from vitrina.adapters.product_file import attribute_cells, cells, list_cells, money_cells
from vitrina.adapters.product_file.category_paths import CategoryPaths
from vitrina.adapters.product_file.cells import DoubtfulCell, UnreadableCell
from vitrina.adapters.product_file.csv_reader import RowReader, cell_texts
from vitrina.adapters.product_file.csv_text import is_quoted, write_cell
from vitrina.adapters.product_file.flat import DEFAULTS, MONEY_FIELDS, Fields, same, stated
from vitrina.adapters.product_file.headers import ATTRIBUTE_PREFIX
from vitrina.adapters.product_file.model import Column
from vitrina.service_layer.documents import Document, Json

_EMPTIABLE: Final = frozenset({"images", "tags", "category"})
"""Fields whose empty list is the same as nothing; an attribute's is not."""


class RowWriter:
    """Writes rows for the columns of one file, in the file's own style.

    Args:
        columns: Of the file, new ones last.
        delimiter: Between cells.
        currency: Of amounts that name none.
        models: A cell with something in it of each column, or "", as a model for new ones; may be
            shorter than *columns*.
        quote_all: New cells of columns without a model stand in quotes.
        categories: The paths that categories have.
    """

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        delimiter: str,
        currency: str,
        models: Sequence[str],
        quote_all: bool,
        categories: CategoryPaths,
    ) -> None:
        self._columns = columns
        self._delimiter = delimiter
        self._currency = currency
        models = [*models, *[""] * (len(columns) - len(models))]
        self._samples = cell_texts(models)
        self._quotes = [
            is_quoted(write_cell(text, delimiter, quote=False)) < is_quoted(model)
            if model
            else quote_all
            for model, text in zip(models, self._samples, strict=True)
        ]
        self._categories = categories
        self._reader = RowReader(columns, currency)
        self._fields = {column.field for column in columns}

    def fill(self, fields: Fields, old: Sequence[str] | None) -> list[str]:
        """Return a row's cells for the flat *fields* of a product.

        Args:
            fields: As :func:`flat.flatten` yields them.
            old: The row's cells as they are; None for a new row.
        """
        raw = [*(old or ())] + [""] * (len(self._columns) - len(old or ()))
        texts = cell_texts(raw)
        held = {
            column.field: text for column, text in zip(self._columns, texts, strict=False) if text
        }
        wanted = self._wanted(fields, held, is_new=old is None)
        for place, column in enumerate(self._columns):
            if column.field is not None and not self._says(column, texts[place], wanted):
                raw[place] = self.cell(place, raw[place], self._write(place, texts[place], wanted))
            elif old is None:
                raw[place] = self.cell(place, "", "")
        return raw

    def cell(self, place: int, old: str, text: str) -> str:
        """Return a cell with *text*, quoted as the old one is, or as others in its column are."""
        quote = is_quoted(old) if old else self._quotes[place]
        return write_cell(text, self._delimiter, quote=quote)

    def read(self, raw_cells: Sequence[str]) -> Fields:
        """Return the flat fields that a row's cells give."""
        return self._reader.read(cell_texts(raw_cells), 0)[0]

    def _wanted(self, fields: Fields, held: Mapping[str | None, str], *, is_new: bool) -> Fields:
        """Return what each column is to say; absent means an empty cell."""
        said = stated(fields)
        wanted = {name: value for name, value in fields.items() if name in said or name in held}
        if not is_new and "id" not in held:
            wanted.pop("id", None)
        path = self._categories.path_of(str(fields.get("category_id")))
        if path is not None:
            wanted["category"] = path
            if "category" in self._fields and "category_id" not in held:
                wanted.pop("category_id")
        amounts = [money for name in MONEY_FIELDS if isinstance(money := fields.get(name), Mapping)]
        currency = amounts[0].get("currency") if amounts else None
        if currency is None and "currency" in held:
            wanted["currency"] = held["currency"].upper()
        elif is_new or "currency" in held or currency != self._currency:
            wanted["currency"] = currency
        return wanted

    def _says(self, column: Column, text: str, wanted: Fields) -> bool:
        """Say whether a cell's present text already gives what is wanted."""
        field = column.field or ""
        value = wanted.get(field)
        if field == "category" and self._says_category(text, wanted):
            return True
        if not text:
            return value is None
        present = self._read(column, text, wanted)
        if value is None and field in DEFAULTS:
            return same(present, DEFAULTS[field])
        if value is None and field in _EMPTIABLE:
            return not present
        return same(present, value)

    def _says_category(self, text: str, wanted: Fields) -> bool:
        """Say whether a path leads to the wanted category, or could not say it anyway."""
        target = wanted.get("category")
        if not isinstance(target, tuple):
            return "category_id" in wanted
        return self._categories.id_of(list_cells.read_path(text)) == self._categories.id_of(target)

    def _read(self, column: Column, text: str, wanted: Fields) -> Json:
        currency = wanted.get("currency") if "currency" in self._fields else None
        try:
            if column.field == "currency":
                return money_cells.read_currency(text)
            return self._reader.value(column, text, str(currency) if currency else None)
        except DoubtfulCell as doubt:
            return doubt.value
        except UnreadableCell:
            return None

    def _write(self, place: int, text: str, wanted: Fields) -> str:
        column = self._columns[place]
        field = column.field or ""
        value = wanted.get(field)
        if value is None:
            return ""
        if field.startswith(ATTRIBUTE_PREFIX):
            return attribute_cells.write_attribute(value)
        if field in MONEY_FIELDS:
            bare_in = self._bare_in(column, text or self._samples[place], wanted)
            return money_cells.write_money(value, bare_in=bare_in)
        written = _WRITERS.get(field, str)(value)
        if isinstance(value, str) and not (
            written and same(self._read(column, written, {}), value)
        ):
            return f"'{written}"
        return written

    def _bare_in(self, column: Column, sample: str, wanted: Document) -> str | None:
        """Return the currency in which an amount alone may stand in this cell."""
        if column.currency is not None:
            return column.currency
        if "currency" in self._fields and (currency := wanted.get("currency")):
            return str(currency)
        return None if not sample or money_cells.names_currency(sample) else self._currency


def _sequence[T](write: Callable[[Sequence[T]], str]) -> Callable[[Json], str]:
    def write_json(value: Json) -> str:
        return write(value) if isinstance(value, (list, tuple)) else ""

    return write_json


def _number(value: Json) -> str:
    return cells.write_number(value) if isinstance(value, int | float) else ""


_WRITERS: Final[Mapping[str, Callable[[Json], str]]] = {
    "images": _sequence(list_cells.write_images),
    "tags": _sequence(list_cells.write_tags),
    "category": _sequence(list_cells.write_path),
    "rating": _number,
}

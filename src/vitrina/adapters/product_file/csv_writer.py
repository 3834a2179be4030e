"""Writes changes into a CSV: only the cells whose value changed get new text.

A row that no change concerns keeps its bytes. A column is added only when a product that changed
has a value that no column can hold; then every other row gets one more empty cell. What follows
from other cells anyway never adds a column: the catalog's own fields, the usual status and
condition, an availability that the quantity says, a slug of a product that is already in the file.

A row's id must not change by writing it. Where a row states none and what it is derived from
changed (or the rows before it did), the id is written down, if need be into a new column.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Final

from vitrina.adapters.product_file.category_paths import CategoryPaths
from vitrina.adapters.product_file.csv_cells import RowWriter
from vitrina.adapters.product_file.csv_reader import COLUMNS_MAX
from vitrina.adapters.product_file.csv_text import is_quoted, records, split_line_end, write_cell
from vitrina.adapters.product_file.flat import assemble, field_order, is_derived_slug, stated
from vitrina.adapters.product_file.headers import VERSION, header_for
from vitrina.adapters.product_file.model import Column, ProductFile, Row, UnreadableFile
from vitrina.adapters.product_file.outgoing import Line, outgoing, shifted
from vitrina.service_layer.documents import Document

_BY_OWN_RULE: Final = frozenset({"id", "slug", "category_id", VERSION})
"""Fields that do not get a column just for having a value."""

type CsvLine = Line[list[str]]
"""A row on its way out, as its cells."""

_TEMPLATE_ROWS_MAX: Final = 50
"""How many rows are looked through for a model of each column's cells."""


def write_csv(
    file: ProductFile, changes: Mapping[str, Document | None], categories: CategoryPaths
) -> bytes:
    """Return the bytes of *file* with *changes* applied.

    Raises:
        UnreadableFile: ``too_many_columns``: the products have more different attributes than a
            CSV can have columns.
    """
    return _CsvWriter(file, categories).write(changes)


class _CsvWriter:
    def __init__(self, file: ProductFile, categories: CategoryPaths) -> None:
        self._file = file
        self._categories = categories
        self._encoding = file.dialect.encoding
        self._delimiter = file.dialect.delimiter
        self._columns = list(file.columns)
        head = self._text(file.head[len(file.dialect.bom) :])
        start = [record.start for record in records(head, self._delimiter)][-1]
        self._lead, self._header = head[:start], head[start:]
        self._quote_all = all(map(is_quoted, self._split(self._header)))

    def write(self, changes: Mapping[str, Document | None]) -> bytes:
        lines: list[CsvLine] = outgoing(self._file, changes)
        self._columns += [self._column(field) for field in self._missing_fields(lines)]
        writer = self._row_writer()
        for line in lines:
            if line.fields is not None:
                line.content = writer.fill(line.fields, self._cells(line.row) if line.row else None)
        if pinned := shifted(lines, lambda cells: assemble(writer.read(cells))):
            self._pin(pinned)
        if len(self._columns) > COLUMNS_MAX:
            detail = f"The products have more different attributes than {COLUMNS_MAX:,} columns."
            raise UnreadableFile(1, COLUMNS_MAX, "too_many_columns", detail)
        return self._join(lines)

    # --- columns

    def _missing_fields(self, lines: Iterable[CsvLine]) -> list[str]:
        """Return the fields that need a column of their own, in the order of documents."""
        have = {column.field for column in self._columns}
        missing: set[str] = set()
        for line in lines:
            if line.fields is not None:
                missing |= {name for name in self._needed(line, have) if name not in have}
        return sorted(missing, key=field_order)

    def _needed(self, line: CsvLine, have: set[str | None]) -> Iterator[str]:
        fields = line.fields or {}
        yield from (name for name in stated(fields) if name not in _BY_OWN_RULE)
        if line.row is None and "slug" in fields and not is_derived_slug(fields):
            yield "slug"
        if "category_id" in fields:
            path = self._categories.path_of(str(fields["category_id"]))
            yield "category_id" if path is None or "category" not in have else "category"

    def _column(self, field: str) -> Column:
        return Column(header_for(field, [column.header for column in self._columns]), field)

    def _row_writer(self) -> RowWriter:
        good = (row for row in reversed(self._file.rows) if not row.refused)
        models = [""] * len(self._file.columns)
        for row in islice(good, _TEMPLATE_ROWS_MAX):
            for place, cell in enumerate(self._cells(row)[: len(models)]):
                if not models[place] and cell.strip(' \t"'):
                    models[place] = cell
        return RowWriter(
            self._columns,
            delimiter=self._delimiter,
            currency=self._file.currency,
            models=models,
            quote_all=self._quote_all,
            categories=self._categories,
        )

    def _pin(self, lines: Iterable[CsvLine]) -> None:
        """Write down the ids of rows, in a column that is added if there is none."""
        if all(column.field != "id" for column in self._columns):
            self._columns.append(self._column("id"))
        place = next(at for at, column in enumerate(self._columns) if column.field == "id")
        writer = self._row_writer()
        for line in lines:
            cells = line.content if line.content is not None else self._cells(line.row)
            cells += [""] * (len(self._columns) - len(cells))
            cells[place] = writer.cell(place, cells[place], line.product_id)
            line.content = cells

    # --- bytes

    def _join(self, lines: Iterable[CsvLine]) -> bytes:
        file, bom = self._file, self._file.dialect.bom
        added = self._columns[len(file.columns) :]
        body, end = split_line_end(self._header)
        names = [self._quoted(column.header) for column in added]
        pieces: list[tuple[bytes, str | bytes, str]] = [
            (bom + self._encode(self._lead), self._delimiter.join([body, *names]), end)
        ]
        last_is_new = False
        as_it_is = not added and self._encoding == "utf-8"
        for line in lines:
            row = line.row
            if as_it_is and row and line.content is None and row.raw[-1:] in {b"\n", b"\r"}:
                pieces.append((row.before, row.raw, ""))
            else:
                pieces.append(self._piece(line, len(added)))
            last_is_new = row is None
        before_end = file.tail or (file.rows[-1].raw if file.rows else self._encode(self._header))
        if last_is_new and self._text(before_end)[-1:] not in {"\n", "\r"}:
            pieces[-1] = (*pieces[-1][:2], "")
        out: list[bytes] = []
        for place, (before, text, end) in enumerate(pieces, start=1):
            if isinstance(text, bytes):
                out += (before, text)
                continue
            ended = end or (file.dialect.line_end if place < len(pieces) else "")
            out += (before, self._encode(text + ended))
        return b"".join([*out, file.tail])

    def _piece(self, line: CsvLine, added: int) -> tuple[bytes, str, str]:
        """Return what stands before a row, its text, and its line end."""
        if line.row is None:
            text = self._delimiter.join(line.content or [])
            return b"", text, self._file.dialect.line_end
        text, end = split_line_end(self._text(line.row.raw))
        if line.content is not None:
            missing = len(self._columns) - len(line.content)
            text = self._delimiter.join(line.content) + self._empty_cells(missing)
        elif added:
            surplus = 0 if line.row.refused else len(self._split(text)) - len(self._file.columns)
            text += self._empty_cells(added - surplus)
        return line.row.before, text, end

    def _empty_cells(self, count: int) -> str:
        return (self._delimiter + self._quoted("")) * count

    def _quoted(self, text: str) -> str:
        return write_cell(text, self._delimiter, quote=self._quote_all)

    def _cells(self, row: Row | None) -> list[str]:
        return self._split(self._text(row.raw)) if row else []

    def _split(self, text: str) -> list[str]:
        return next(records(text, self._delimiter)).cells

    def _text(self, raw: bytes) -> str:
        return raw.decode(self._encoding)

    def _encode(self, text: str) -> bytes:
        return text.encode(self._encoding)

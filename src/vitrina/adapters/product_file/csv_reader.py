"""Reads a CSV: header to columns, records to rows, cells to values."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final
from unicodedata import normalize

from vitrina.adapters.product_file import attribute_cells, cells, list_cells, money_cells
from vitrina.adapters.product_file.cells import UnreadableCell
from vitrina.adapters.product_file.csv_text import Record, read_cell, records, sniff
from vitrina.adapters.product_file.encoding import decode
from vitrina.adapters.product_file.flat import MONEY_FIELDS, Fields, assemble
from vitrina.adapters.product_file.gtin import read_gtin
from vitrina.adapters.product_file.headers import (
    ATTRIBUTE_PREFIX,
    LOOSE_GTIN_NAMES,
    SYNONYMS,
    VERSION,
    fold_name,
    is_reserved,
    resolve,
)
from vitrina.adapters.product_file.identity import identify
from vitrina.adapters.product_file.images import split_images
from vitrina.adapters.product_file.misread import MISREAD, is_misread, mend
from vitrina.adapters.product_file.model import (
    Column,
    Dialect,
    FileProblem,
    Format,
    ProductFile,
    Row,
    Severity,
    UnreadableFile,
    shorten,
)
from vitrina.service_layer.documents import Json

COLUMNS_MAX: Final = 16_384
"""The most columns of a CSV, which is what spreadsheets can hold."""

_READERS: Final[Mapping[str, Callable[[str], Json]]] = {
    "id": cells.read_identifier,
    "sku": cells.read_identifier,
    "slug": cells.read_text,
    "title": cells.read_text,
    "description": cells.read_long_text,
    "brand": cells.read_text,
    "category": list_cells.read_path,
    "category_id": cells.read_text,
    "currency": money_cells.read_currency,
    "mpn": cells.read_identifier,
    "quantity": cells.read_integer,
    "tags": list_cells.read_tags,
    "rating": cells.read_number,
    "rating_count": cells.read_integer,
    "url": cells.read_text,
    VERSION: cells.read_version,
    **{name: cells.choice_reader(name) for name in ("status", "condition", "availability")},
}


class RowReader:
    """Reads the cells of one row, for the columns of one file.

    Attributes:
        columns: What the header named.
        assumed_currency: Some money said no currency, and was read as in the usual one.
    """

    def __init__(self, columns: Sequence[Column], currency: str) -> None:
        self.columns: Final = columns
        self._currency = currency
        self._currency_at = next((i for i, c in enumerate(columns) if c.field == "currency"), None)
        self._plan = [
            (place, column.field, column)
            for place, column in enumerate(columns)
            if column.field is not None and column.field != "currency"
        ]
        self.assumed_currency = False

    def read(self, texts: Sequence[str], line: int) -> tuple[Fields, list[FileProblem]]:
        """Return the flat fields that a row's cells give, and what is wrong with them."""
        fields: Fields = {}
        problems: list[FileProblem] = []
        currency = self._row_currency(texts, line, problems)
        for place, field, column in self._plan:
            if text := texts[place]:
                if not text.isascii() and is_misread(text):
                    problems.append(_problem(line, place, column, text, MISREAD))
                try:
                    fields[field] = self.value(column, text, currency)
                except UnreadableCell as error:
                    problems.append(_problem(line, place, column, text, error))
                    if isinstance(error, cells.DoubtfulCell) and error.value is not None:
                        fields[field] = error.value
        return fields, problems

    def value(self, column: Column, text: str, currency: str | None) -> Json:
        """Return what the *text* of a cell is in *column*.

        Args:
            column: Must be one that is read.
            text: Not empty.
            currency: What the row's cell in a ``currency`` column says, if anything.

        Raises:
            UnreadableCell: It is not what the column says.
        """
        field = column.field or ""
        text = text if text.isascii() else mend(text)
        if field.startswith(ATTRIBUTE_PREFIX):
            return attribute_cells.read_attribute(text)
        if field in MONEY_FIELDS:
            bare_in = column.currency or currency
            if bare_in is None:
                self.assumed_currency |= not money_cells.names_currency(text)
            return money_cells.read_money(text, bare_in or self._currency)
        if field == "gtin":
            return read_gtin(text, loose=fold_name(column.header) in LOOSE_GTIN_NAMES)
        if field == "images":
            return split_images(list_cells.read_images(text))
        return _READERS[field](text)

    def _row_currency(
        self, texts: Sequence[str], line: int, problems: list[FileProblem]
    ) -> str | None:
        if self._currency_at is None or not (text := texts[self._currency_at]):
            return None
        try:
            return money_cells.read_currency(text)
        except UnreadableCell as error:
            column = self.columns[self._currency_at]
            problems.append(_problem(line, self._currency_at, column, text, error))
            return None


def read_csv(data: bytes, *, currency: str) -> ProductFile:
    """Read a CSV.

    Raises:
        UnreadableFile: ``empty_file``, ``no_header``, ``no_title_column``, ``too_many_columns``,
            ``unclosed_quote``, ``invalid_encoding`` or ``nul_character``.
    """
    text, written = decode(data)
    delimiter, start = sniff(text)
    dialect = Dialect(written.encoding, written.bom, written.line_end, delimiter)
    stream = records(text, delimiter, start)
    header = next((each for each in stream if not each.is_blank), None)
    if header is None:
        detail = "The file is empty. Its first line must name the columns, such as: id,title,price"
        raise UnreadableFile(1, 1, "empty_file", detail)
    columns, problems = _read_header(header)
    reader = RowReader(columns, currency)
    rows, wrong, done = _read_rows(text, header.end, stream, reader, dialect.encoding)
    identified, bad_ids = identify(rows)
    problems.extend((*wrong, *bad_ids))
    return ProductFile(
        format=Format.CSV,
        currency=currency,
        dialect=dialect,
        columns=columns,
        head=dialect.bom + text[: header.end].encode(dialect.encoding),
        rows=tuple(identified),
        tail=text[done:].encode(dialect.encoding),
        problems=tuple(sorted(problems, key=lambda each: (each.line, each.column))),
        assumed_currency=reader.assumed_currency,
    )


def cell_texts(raw_cells: Sequence[str], *, is_ascii: bool = False) -> list[str]:
    """Return what the cells of a record hold, in Unicode Normalization Form C.

    Raises:
        UnreadableCell: ``stray_quote`` or ``cell_too_long``.
    """
    texts = [read_cell(cell) for cell in raw_cells]
    return texts if is_ascii else [_nfc(text) for text in texts]


def _nfc(text: str) -> str:
    return text if text.isascii() else normalize("NFC", text)


def _read_header(header: Record) -> tuple[tuple[Column, ...], list[FileProblem]]:
    if len(header.cells) > COLUMNS_MAX:
        detail = f"A file has at most {COLUMNS_MAX:,} columns; this header has {len(header.cells)}."
        raise UnreadableFile(header.line, 1, "too_many_columns", detail)
    try:
        names = cell_texts(header.cells)
    except UnreadableCell as error:
        raise UnreadableFile(header.line, 1, error.code, error.detail) from None
    columns = resolve(names)
    if not any(column.field in SYNONYMS for column in columns):
        raise UnreadableFile(
            header.line,
            1,
            "no_header",
            f"The first line ({shorten(', '.join(names))}) names no column that is known. "
            "Put a line with the columns' names on top, such as: id,title,price",
        )
    if not any(column.field == "title" for column in columns):
        raise UnreadableFile(
            header.line,
            1,
            "no_title_column",
            "No column gives the title. Name the one that does 'title' or 'name'.",
        )
    return columns, [
        problem
        for place, column in enumerate(columns)
        if column.field is None and (problem := _unread(header.line, place, column))
    ]


def _unread(line: int, place: int, column: Column) -> FileProblem | None:
    """Return why a column is not read, except for one without a name."""
    if not column.header:
        return None
    if is_reserved(column.header):
        code, severity = "column_not_read", Severity.WARNING
        detail = "Only the catalog sets this, so the column is left as it is and not read."
    else:
        code, severity = "duplicate_column", Severity.ERROR
        detail = "Another column gives the same. This one is not read: rename or remove it."
    header = shorten(column.header)
    return FileProblem(line, place + 1, header, header, code, detail, severity)


def _read_rows(
    text: str, done: int, stream: Iterator[Record], reader: RowReader, encoding: str
) -> tuple[list[Row], list[FileProblem], int]:
    """Return the rows behind the place *done*, what is wrong with them, and the place behind the last one."""
    is_ascii = text.isascii()
    rows: list[Row] = []
    problems: list[FileProblem] = []
    for record in stream:
        if record.is_blank:
            continue
        row, found, whole = _read_row(record, reader, is_ascii=is_ascii)
        problems.extend(found)
        path = row.pop("category", None)
        version = row.pop(VERSION, None)
        rows.append(
            Row(
                line=record.line,
                raw=text[record.start : record.end].encode(encoding),
                before=text[done : record.start].encode(encoding),
                document=assemble(row),
                category_path=path if isinstance(path, tuple) else None,
                refused=any(each.severity is Severity.ERROR for each in found),
                whole=whole,
                version=version if isinstance(version, int) else None,
            )
        )
        done = record.end
    return rows, problems, done


def _read_row(
    record: Record, reader: RowReader, *, is_ascii: bool
) -> tuple[Fields, list[FileProblem], bool]:
    """Return what a row gives, what is wrong, and whether all its cells were read."""
    columns = reader.columns
    surplus = record.cells[len(columns) :]
    if len(record.cells) < len(columns) or any(cell.strip(' \t"') for cell in surplus):
        return *_read_ragged(record, columns), False
    try:
        texts = cell_texts(record.cells, is_ascii=is_ascii)
    except UnreadableCell:
        return *_read_malformed(record, columns), False
    return *reader.read(texts, record.line), True


def _read_ragged(record: Record, columns: Sequence[Column]) -> tuple[Fields, list[FileProblem]]:
    count, expected = len(record.cells), len(columns)
    missing = count < expected
    place = count if missing else expected
    problem = FileProblem(
        record.line,
        place + 1,
        columns[place].header if missing else "",
        "" if missing else shorten(record.cells[expected]),
        "too_few_cells" if missing else "too_many_cells",
        f"The row has {count} cells, but the header has {expected}. "
        + (
            "Add the missing delimiters; was the file cut off here?"
            if missing
            else "Put text that contains the delimiter in double quotes."
        ),
    )
    return _identity_of(record, columns), [problem]


def _read_malformed(record: Record, columns: Sequence[Column]) -> tuple[Fields, list[FileProblem]]:
    problems: list[FileProblem] = []
    for place, (cell, column) in enumerate(zip(record.cells, columns, strict=False)):
        try:
            read_cell(cell)
        except UnreadableCell as error:
            problems.append(_problem(record.line, place, column, cell, error))
    return _identity_of(record, columns), problems


def _identity_of(record: Record, columns: Sequence[Column]) -> Fields:
    """Return the stated id of a row that cannot be read, so that its product is known."""
    for cell, column in zip(record.cells, columns, strict=False):
        if column.field == "id" and cell.strip():
            try:
                return {"id": cells.read_identifier(_nfc(read_cell(cell)))}
            except UnreadableCell:
                break
    return {}


def _problem(
    line: int, place: int, column: Column, text: str, error: UnreadableCell
) -> FileProblem:
    severity = Severity.WARNING if isinstance(error, cells.DoubtfulCell) else Severity.ERROR
    return FileProblem(
        line, place + 1, column.header, shorten(text), error.code, error.detail, severity
    )

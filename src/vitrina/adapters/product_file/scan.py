"""Finds the rows of a file that was read before, and their ids, without reading what they say.

That takes a tenth of the time of reading. Only plain cases are found: CSV with a column for the id,
JSON Lines, and a JSON array, whose objects have a member ``id``. A file of another kind has to be
read for its layout.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple
from unicodedata import normalize

from vitrina.adapters.product_file.cells import UnreadableCell, read_identifier
from vitrina.adapters.product_file.csv_text import read_cell, records, sniff
from vitrina.adapters.product_file.encoding import LINE_END, decode
from vitrina.adapters.product_file.json_text import skip_space
from vitrina.adapters.product_file.layout import Layout, layout_of
from vitrina.adapters.product_file.model import Column, Format, UnreadableFile

_ID: Final = re.compile(r"[A-Za-z0-9._~:-]{1,128}")
_OTHER_ID: Final = re.compile(r'"(?!id")[^"\w]*[iI][^"\w]*[dD][^"\w]*"\s*:')
"""A member that would be read as the id, too."""


class _Span(NamedTuple):
    """A row, from what stands before it on; ``end`` is where it ends, with what stands behind."""

    id: str
    start: int
    end: int


class _Unclear(Exception):
    """Only reading can tell."""


def scan(data: bytes, file_format: Format, columns: Sequence[Column]) -> Layout | None:
    """Return where the rows of a file are, or None when it has to be read for that.

    Args:
        data: The file. It was read once, and no row of it was without an id.
        file_format: Of it.
        columns: Of a CSV.
    """
    try:
        text, dialect = decode(data)
        if dialect.encoding != "utf-8":
            return None
        if file_format is Format.CSV:
            head, spans = _csv(text, columns)
        else:
            head, spans = _lines(text) if file_format is Format.JSONL else _array(text)
        found = list(spans)
    except (_Unclear, UnreadableFile, UnreadableCell, ValueError, RecursionError):
        return None
    if text.isascii():
        sizes = [each.end - each.start for each in found]
    else:
        sizes = [len(text[each.start : each.end].encode()) for each in found]
    start = len(dialect.bom) + len(text[:head].encode())
    return layout_of(file_format, start, [each.id for each in found], sizes)


def _csv(text: str, columns: Sequence[Column]) -> tuple[int, Iterator[_Span]]:
    place = next((at for at, column in enumerate(columns) if column.field == "id"), None)
    delimiter, start = sniff(text)
    stream = records(text, delimiter, start)
    header = next((each for each in stream if not each.is_blank), None)
    if place is None or header is None:
        raise _Unclear

    def rows() -> Iterator[_Span]:
        done = header.end
        for record in stream:
            if record.is_blank:
                continue
            if len(record.cells) <= place:
                raise _Unclear
            cell = read_cell(record.cells[place])
            if not cell:
                raise _Unclear
            product_id = read_identifier(cell if cell.isascii() else normalize("NFC", cell))
            yield _Span(product_id, done, record.end)
            done = record.end

    return header.end, rows()


def _lines(text: str) -> tuple[int, Iterator[_Span]]:
    def rows() -> Iterator[_Span]:
        done = start = 0
        while start < len(text):
            match = LINE_END.search(text, start)
            content_end, end = match.span() if match else (len(text), len(text))
            if skip_space(text, start) < content_end:
                yield _Span(_id_of(json.loads(text[start:content_end])), done, end)
                done = end
            start = end

    return 0, _checked(text, rows())


def _array(text: str) -> tuple[int, Iterator[_Span]]:
    opening = skip_space(text, 0)
    if text[opening : opening + 1] != "[":
        raise _Unclear

    def rows() -> Iterator[_Span]:
        decoder = json.JSONDecoder()
        done = opening + 1
        offset = skip_space(text, done)
        while text[offset : offset + 1] != "]":
            value, end = decoder.raw_decode(text, offset)
            after = skip_space(text, end)
            if text[after : after + 1] != ",":
                yield _Span(_id_of(value), done, end)
                return
            yield _Span(_id_of(value), done, after)
            done = after + 1
            offset = skip_space(text, done)

    return opening + 1, _checked(text, rows())


def _checked(text: str, rows: Iterator[_Span]) -> Iterator[_Span]:
    if _OTHER_ID.search(text):
        raise _Unclear
    return rows


def _id_of(value: object) -> str:
    found = value.get("id") if isinstance(value, dict) else None
    if not isinstance(found, str) or not _ID.fullmatch(found):
        raise _Unclear
    return found

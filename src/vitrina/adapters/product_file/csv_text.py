r"""CSV as text: records and cells with their exact spans (RFC 4180 and what is found in practice).

A record ends with CRLF, LF or CR, or the end of the text. A cell that starts with ``"``, spaces
before it not counted, runs to the closing quote, over line ends too; ``""`` in it is one quote. In any
other cell a quote is a character like others. White space around an unquoted cell is not part of
it; a quoted cell is exact.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from vitrina.adapters.product_file.cells import UnreadableCell
from vitrina.adapters.product_file.encoding import LINE_END, place
from vitrina.adapters.product_file.model import UnreadableFile

DELIMITERS: Final = ",;\t|"
CELL_LENGTH_MAX: Final = 1_048_576
"""The most characters of one cell."""

_BLANKS: Final = " \t"
_LINE: Final = re.compile(r"[^\r\n]*+(?:\r\n|\r|\n|\Z)")
_QUOTED: Final = re.compile(r'"([^"]*+(?:""[^"]*+)*+)"')
_DECLARED: Final = re.compile(r"sep=([,;\t|])(?:\r\n|\r|\n)", re.IGNORECASE)
_OUTSIDE_QUOTES: Final = re.compile(r'"[^"]*+(?:"|\Z)')


class Record(NamedTuple):
    """One record: where it stands, and the text of its cells as written, quotes included."""

    line: int
    start: int
    end: int
    cells: list[str]

    @property
    def is_blank(self) -> bool:
        """No cell holds anything: an empty line, or delimiters alone."""
        return not any(cell and cell.strip(_BLANKS) for cell in self.cells)


def sniff(text: str) -> tuple[str, int]:
    """Return the delimiter, and where the header starts.

    The first line that holds anything decides: the candidate that it holds most often outside
    quotes. A first line ``sep=;``, as spreadsheets write it, decides too, and is skipped.
    """
    if declared := _DECLARED.match(text):
        return declared[1], declared.end()
    line = next((each[0] for each in _LINE.finditer(text) if each[0].strip()), "")
    bare = _OUTSIDE_QUOTES.sub("", line)
    return max(DELIMITERS, key=bare.count), 0


def records(text: str, delimiter: str, start: int = 0) -> Iterator[Record]:
    """Yield every record from *start* on.

    Raises:
        UnreadableFile: ``unclosed_quote``.
    """
    line, position, end = 1 + len(LINE_END.findall(text, 0, start)), start, len(text)
    cell_pattern = _cell_pattern(delimiter)
    quotes = '"' in text
    while position < end:
        match = _LINE.match(text, position)
        whole = match[0] if match else ""
        if quotes and '"' in whole:
            cells, stop = _quoted_record(text, position, cell_pattern)
            yield Record(line, position, stop, cells)
            line += len(LINE_END.findall(text, position, stop))
            position = stop
        else:
            stop = position + len(whole)
            yield Record(line, position, stop, whole.rstrip("\r\n").split(delimiter))
            line += 1
            position = stop


def split_line_end(record: str) -> tuple[str, str]:
    """Return a record's text without its line end, and the line end."""
    body = record.removesuffix("\n").removesuffix("\r") if record[-1:] in "\r\n" else record
    return body, record[len(body) :]


def is_quoted(cell: str) -> bool:
    return cell.lstrip(_BLANKS)[:1] == '"'


def read_cell(cell: str) -> str:
    """Return what a cell holds.

    Raises:
        UnreadableCell: ``stray_quote`` or ``cell_too_long``.
    """
    if len(cell) > CELL_LENGTH_MAX:
        detail = f"A cell has at most {CELL_LENGTH_MAX:,} characters; this one has {len(cell):,}."
        raise UnreadableCell("cell_too_long", detail)
    bare = cell.strip(_BLANKS)
    if bare[:1] != '"':
        return bare
    match = _QUOTED.fullmatch(bare)
    if match is None:
        raise UnreadableCell(
            "stray_quote",
            'Text follows the closing quote. Write a quote inside a quoted cell twice: "".',
        )
    return match[1].replace('""', '"')


def write_cell(text: str, delimiter: str, *, quote: bool) -> str:
    """Return a cell that holds *text*, in quotes when *quote* asks for them or it needs them."""
    needs = any(char in text for char in (delimiter, '"', "\r", "\n"))
    if quote or needs or text[:1] in {*_BLANKS} or text[-1:] in {*_BLANKS}:
        return '"' + text.replace('"', '""') + '"'
    return text


def _cell_pattern(delimiter: str) -> re.Pattern[str]:
    d = re.escape(delimiter)
    blanks = "[ ]*+" if delimiter == "\t" else r"[ \t]*+"
    return re.compile(
        rf'({blanks}"[^"]*+(?:""[^"]*+)*+(?:"{blanks}(?={d}|[\r\n]|\Z)|(\Z))|[^{d}\r\n]*+)'
        rf"({d}|\r\n|\r|\n|\Z)"
    )


def _quoted_record(
    text: str, position: int, cell_pattern: re.Pattern[str]
) -> tuple[list[str], int]:
    cells: list[str] = []
    while match := cell_pattern.match(text, position):
        cell, unclosed, stop = match.groups()
        if unclosed is not None:
            opened, column = place(text[:position], -1)
            raise UnreadableFile(
                opened,
                column,
                "unclosed_quote",
                f"The quote that opens cell {len(cells) + 1} is never closed, so the rest of the "
                "file belongs to no row. Close it, or save the file again if it was cut off.",
            )
        cells.append(cell)
        position = match.end()
        if stop[:1] in "\r\n":  # A line end, or the end of the text.
            break
    return cells, position

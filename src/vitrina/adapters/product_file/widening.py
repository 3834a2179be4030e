"""Gives every row of a CSV one more cell, as a column that is added asks for, without reading it."""

from array import array
from dataclasses import replace

from vitrina.adapters.product_file.csv_text import records, split_line_end
from vitrina.adapters.product_file.layout import Layout
from vitrina.adapters.product_file.model import Format, ProductFile


def widen(
    data: bytes, layout: Layout, before: ProductFile, after: ProductFile
) -> tuple[bytes, Layout] | None:
    """Return a file with the header that an excerpt of it has got, and empty cells in all rows.

    Args:
        data: The file.
        layout: Of it.
        before: An excerpt of it.
        after: The same excerpt with columns added behind the others.

    Returns:
        None when it is not certain what the rows would be.
    """
    count = len(before.columns)
    cells = _empty_cells(before, after)
    if before.format is not Format.CSV or after.columns[:count] != before.columns or cells is None:
        return None
    start = layout.starts[0]
    text = data[start : layout.starts[-1]].decode()
    pieces = [after.head]
    sizes = array("I")
    done = 0
    for record in records(text, before.dialect.delimiter):
        if record.is_blank:
            continue
        if len(record.cells) != count:
            return None
        body, end = split_line_end(text[record.start : record.end])
        piece = (text[done : record.start] + body + cells + end).encode()
        pieces.append(piece)
        sizes.append(len(piece))
        done = record.end
    if len(sizes) != len(layout.ids):
        return None
    out = b"".join([*pieces, data[layout.starts[-1] :]])
    return out, replace(layout, head=len(after.head), sizes=sizes)


def _empty_cells(before: ProductFile, after: ProductFile) -> str | None:
    """Return what stands behind the cells of a row that was not changed."""
    rows = {row.id: row for row in after.rows}
    for row in before.rows:
        now = rows.get(row.id)
        body, end = split_line_end(row.raw.decode())
        if now is not None and not end.strip("\r\n"):
            text = now.raw.decode().removesuffix(end)
            added = text.removeprefix(body)
            if end and text.startswith(body) and not added.strip(f'{before.dialect.delimiter}"'):
                return added
    return None

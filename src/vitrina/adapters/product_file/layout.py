"""Where the rows of a product file are, and whose: enough to work on a few rows of a big file.

The rows of a file stand one after another between its head and its tail, in a JSON array with a
comma between each two. So a few of them make a smaller file, an *excerpt*, that says of them what
the file says; and what is changed in an excerpt can be put back into the file. It costs a copy of
the other rows' bytes, and they are never read.

A file has no layout where its rows cannot be told apart in that way: it is in UTF-16, two rows have
one id, or a row gets its id by counting rows like it. Such a file is always read as a whole.
"""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, chain, repeat
from typing import Final

from vitrina.adapters.product_file.model import Format, ProductFile, Row

_IDENTIFYING: Final = ("slug", "sku", "gtin")


@dataclass(frozen=True)
class Layout:
    """The places of all rows.

    Attributes:
        format: Of the file.
        head: How many bytes stand before the first row and what is before that.
        ids: The id of each row.
        sizes: How many bytes each row has, with what stands between it and its neighbours.
    """

    format: Format
    head: int
    ids: Sequence[str]
    sizes: "array[int]"

    @classmethod
    def of(cls, file: ProductFile) -> "Layout | None":
        """Return the layout of a file that was read; None when it has none."""
        rows = file.rows
        if file.dialect.encoding != "utf-8" or not all(map(_stands_alone, rows)):
            return None
        return layout_of(file.format, len(file.head), [row.id for row in rows], map(size_of, rows))

    @cached_property
    def at(self) -> dict[str, int]:
        """Product id → the number of its row, from 0."""
        return {product_id: number for number, product_id in enumerate(self.ids)}

    @cached_property
    def starts(self) -> Sequence[int]:
        """The offset of each row and of what stands before it; the last is where the tail starts."""
        if self.format is not Format.JSON:
            return list(accumulate(self.sizes, initial=self.head))
        starts = list(accumulate((size + 1 for size in self.sizes), initial=self.head))
        return [*starts[:-1], starts[-1] - 1] if self.ids else starts

    @property
    def joint(self) -> bytes:
        """What stands between two rows, and belongs to neither."""
        return b"," if self.format is Format.JSON else b""

    def end(self, number: int) -> int:
        """Return the offset behind a row, and behind what stands between it and its comma."""
        return self.starts[number] + self.sizes[number]

    def replaced(self, first: int, last: int, rows: Sequence[Row]) -> "Layout | None":
        """Return the layout with *rows* in the place of those from *first* to before *last*."""
        if not all(map(_stands_alone, rows)):
            return None
        ids = [*self.ids[:first], *(row.id for row in rows), *self.ids[last:]]
        sizes = self.sizes[:first] + array("I", map(size_of, rows)) + self.sizes[last:]
        return layout_of(self.format, self.head, ids, sizes)

    def resized(self, rows: Mapping[int, Row]) -> "Layout":
        """Return the layout with other rows of the same ids in some places."""
        sizes = self.sizes[:]
        for number, row in rows.items():
            sizes[number] = size_of(row)
        return Layout(self.format, self.head, self.ids, sizes)


def layout_of(
    file_format: Format, head: int, ids: Sequence[str], sizes: Iterable[int]
) -> Layout | None:
    """Return a layout; None when two rows have one id."""
    if len(set(ids)) < len(ids):
        return None
    return Layout(file_format, head, ids, array("I", sizes))


def excerpt(data: bytes, layout: Layout, rows: Sequence[int]) -> bytes:
    """Return a file of just these rows, which are numbered from 0 and ascend."""
    starts = layout.starts
    pieces = (data[starts[each] : layout.end(each)] for each in rows)
    return data[: layout.head] + layout.joint.join(pieces) + data[starts[-1] :]


def put_back(
    data: bytes, layout: Layout, rows: Sequence[int], changed: Sequence[Row | None]
) -> tuple[bytes, Layout | None]:
    """Return the file with other rows in some places, and its layout.

    Args:
        data: The file.
        layout: Of it.
        rows: The numbers of the rows to change, ascending.
        changed: What becomes of each of them, None when it goes; and then new rows, which follow
            the last of the file.
    """
    starts, count = layout.starts, len(layout.ids)
    pieces: list[bytes] = []
    ids: list[str] = []
    sizes = array("I")

    def keep(first: int, last: int) -> None:
        if first < last:
            pieces.append(data[starts[first] : layout.end(last - 1)])
            ids.extend(layout.ids[first:last])
            sizes.extend(layout.sizes[first:last])

    done = 0
    for number, row in zip(chain(rows, repeat(count)), changed, strict=False):
        keep(done, number)
        done = min(number + 1, count)
        if row is not None:
            pieces.append(row.before + row.raw + row.after)
            ids.append(row.id)
            sizes.append(size_of(row))
    keep(done, count)
    out = data[: layout.head] + layout.joint.join(pieces) + data[starts[-1] :]
    if not all(row is None or _stands_alone(row) for row in changed):
        return out, None
    return out, layout_of(layout.format, layout.head, ids, sizes)


def size_of(row: Row) -> int:
    """Return how many bytes a row has, with what belongs to it before and behind."""
    return len(row.before) + len(row.raw) + len(row.after)


def _stands_alone(row: Row) -> bool:
    """Say whether the row has the same id wherever it stands."""
    return bool(row.id) and (row.states_id or any(map(row.document.get, _IDENTIFYING)))

"""What a save of the product file would take away, and when that has to be confirmed.

A save that was cut off, a spreadsheet that was sorted and saved in part, or a column that was
deleted by a slip look just like what somebody wanted. So a save that takes away much waits until
somebody says that it is meant.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Final

from vitrina.adapters.product_file import Format, ProductFile, Row, UnreadableFile
from vitrina.adapters.product_file.flat import flatten
from vitrina.adapters.product_file.merge import columns_of

ROWS_MIN: Final = 5
"""Fewer rows than this may always go, unless they are all there are."""

WRONG_SHARE_MAX: Final = 0.5
"""A file of which more than this share of rows became wrong is broken as a whole."""


@dataclass(frozen=True, slots=True)
class Loss:
    """What would go.

    Attributes:
        rows: How many products had a row.
        gone: How many of them would be deleted.
        columns: Fields that held values and have no column (in JSON: no member) any more.
    """

    rows: int
    gone: int
    columns: tuple[str, ...]

    def is_grave(self, percent_max: float) -> bool:
        """Say whether somebody has to confirm it."""
        few = self.gone < min(ROWS_MIN, self.rows)
        return bool(self.columns) or (
            self.gone > 0 and not few and self.gone * 100 > percent_max * self.rows
        )


def loss_of(
    base: ProductFile, theirs: ProductFile, exists: Callable[[str], bool], *, rows: int
) -> Loss:
    """Return what goes when *theirs* takes the place of *base*.

    Args:
        base: The file as it was when last in step, at least the rows that differ.
        theirs: As it is now.
        exists: Says whether the catalog has a product.
        rows: How many products had a row in it.
    """
    present = theirs.accepted.keys() | theirs.refused_ids
    gone = [each for each in base.accepted if each not in present and exists(each)]
    if "" in theirs.refused_ids:
        gone = []  # One of the unreadable rows may be theirs; nothing is deleted then.
    return Loss(rows, len(gone), tuple(sorted(_lost_columns(base, theirs))))


def check_whole(base: ProductFile, base_data: bytes, theirs: ProductFile, data: bytes) -> None:
    """Refuse a file that was spoiled as a whole, though each row for itself may look well.

    Raises:
        UnreadableFile: ``cut_off``: it ends in the middle of a row of *base*, and is all that is
            before; ``too_many_wrong_rows``: most rows were good and are wrong now.
    """
    if len(data) < len(base_data) and base_data.startswith(data):
        _check_end(base, data)
    bad = theirs.refused_count - base.refused_count
    if bad >= ROWS_MIN and bad > WRONG_SHARE_MAX * len(theirs.rows):
        first = next((each for each in theirs.problems if each.severity == "error"), None)
        line, column, detail = (first.line, first.column, first.detail) if first else (1, 1, "")
        raise UnreadableFile(
            line,
            column,
            "too_many_wrong_rows",
            f"{bad} of {len(theirs.rows)} rows have become wrong, so the whole file is left alone. "
            f"The first: {detail}",
        )


def _check_end(base: ProductFile, data: bytes) -> None:
    end = len(base.head)
    for row in base.rows:
        start = end + len(row.before)
        if len(data) <= start:
            return
        end = start + len(row.raw)
        if len(data) < end and data[start:] != row.raw.rstrip(b"\r\n"):
            raise UnreadableFile(
                row.line,
                row.column,
                "cut_off",
                "The file ends in the middle of this row, as if saving it had been interrupted. "
                "Save it again.",
            )
        end += len(row.after) + (base.format is Format.JSON)


def loses_fields(base: ProductFile, theirs: ProductFile) -> bool:
    """Say whether fields that rows of *base* had are not to be found in *theirs*."""
    return any(_lost_columns(base, theirs))


def _lost_columns(base: ProductFile, theirs: ProductFile) -> Iterator[str]:
    if base.format is Format.CSV:
        lost = columns_of(base) - columns_of(theirs)
        lost -= {"id"}  # Rows have ids without it; if they are others, that shows in the rows.
    else:
        lost = _lost_members(base.accepted.values(), theirs)
    if lost:
        held = {name for row in base.accepted.values() for name in flatten(row.document)}
        yield from lost & (held | {"currency"})


def _lost_members(rows: Collection[Row], theirs: ProductFile) -> set[str]:
    """Return the fields that many rows had and none has any more."""
    count: dict[str, int] = {}
    for row in rows:
        now = theirs.accepted.get(row.id)
        if now is not None and now.raw != row.raw:
            for name in flatten(row.document).keys() - flatten(now.document).keys():
                count[name] = count.get(name, 0) + 1
    lost = {name for name, times in count.items() if times >= ROWS_MIN}
    if lost:
        for row in theirs.accepted.values():
            lost -= flatten(row.document).keys()
    return lost

"""How products are sorted, and the positions between them.

An order is total: a row's key, then its id. Keys are tuples of numbers and texts that JSON can carry, so that
the place where a page ends can be sent to a client and found again after any write: a page begins
with the first row that comes after the position, whether or not the row that made it still exists.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from vitrina.adapters.index.rows import Measured, Row, Value
from vitrina.domain.errors import BadCursor
from vitrina.domain.text import fold
from vitrina.service_layer.queries import SORT_FIELDS, Position, Sort

type Key = tuple[str | int | float, ...]

_NUMBER, _BOOLEAN, _TEXT = range(3)
"""The kinds of an attribute's values, in the order they are sorted."""


def key_of(row: Row, field: str) -> Key | None:
    """Return what *row* is sorted by; None sorts last."""
    if field == "id":
        return ()
    if field == "title":
        return (row.title,)
    values = row.values.get(field)
    if values is None:
        return None
    if field in _PLAIN:
        (value,) = values
        return (value,) if isinstance(value, int | float) else None
    return min(map(attribute_key, values))


_PLAIN: Final = frozenset({"price", "created_at", "updated_at", "rating"})


def attribute_key(value: Value) -> Key:
    match value:
        case str():
            return (_TEXT, "", fold(value))
        case bool():
            return (_BOOLEAN, "", int(value))
        case Measured():
            return (_NUMBER, value.dimension, value.size)
        case _:
            raise TypeError(f"{value!r} is no attribute's value")


def arrange(rows: Iterable[Row], key: Callable[[Row], Key | None], sort: Sort) -> list[Row]:
    """Return *rows* in order: by key, missing keys last, ties by id ascending."""
    by_id = sorted(rows, key=lambda row: row.id, reverse=sort.field == "id" and sort.descending)
    keyed = [(value, row) for row in by_id if (value := key(row)) is not None]
    # Python's sort is stable, also in reverse: rows of one key stay in the order of their ids.
    keyed.sort(key=lambda each: each[0], reverse=sort.descending)
    if len(keyed) == len(by_id):
        return [row for _, row in keyed]
    return [row for _, row in keyed] + [row for row in by_id if key(row) is None]


def position(key: Key | None, row_id: str) -> Position:
    """Return the place just after the row of this key and id."""
    return (row_id, *((None,) if key is None else key))


def start(
    rows: Sequence[Row], key: Callable[[Row], Key | None], sort: Sort, after: Position | None
) -> int:
    """Return the index of the first of the arranged *rows* that comes after a position.

    Raises:
        BadCursor: The position is not one of this order.
    """
    if after is None:
        return 0
    last_id, last_key = read_position(after, sort)
    low, high = 0, len(rows)
    try:
        while low < high:
            middle = (low + high) // 2
            row = rows[middle]
            if _precedes(last_key, last_id, key(row), row.id, sort):
                high = middle
            else:
                low = middle + 1
    except TypeError:
        raise BadCursor from None  # A text where a number should be: another order's position.
    return low


def read_position(after: Position, sort: Sort) -> tuple[str, Key | None]:
    """Return the id and the key of the row that a page ended with.

    Raises:
        BadCursor: The position is not one of this order.
    """
    match after:
        case (str(last_id), None):
            return last_id, None
        case (str(last_id), *parts) if None not in parts and len(parts) == _width(sort):
            return last_id, tuple(each for each in parts if each is not None)
        case _:
            raise BadCursor


def _width(sort: Sort) -> int:
    """Return the number of parts that a key of this order has."""
    match sort.field:
        case "id":
            return 0
        case "relevance":
            return 2
        case field if field in SORT_FIELDS:
            return 1
        case _:
            return 3


def _precedes(left: Key | None, left_id: str, right: Key | None, right_id: str, sort: Sort) -> bool:
    """Say whether the row of the left key and id comes before that of the right ones."""
    if left is None or right is None:
        return left_id < right_id if left is right else right is None
    if left == right:
        descending_ids = sort.field == "id" and sort.descending
        return left_id > right_id if descending_ids else left_id < right_id
    return left > right if sort.descending else left < right

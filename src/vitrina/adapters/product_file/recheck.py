"""Reads a big file again of which little has changed: only the rows in between are read.

What stands at the beginning and at the end of both versions is the same rows. Where it is not
certain that reading everything would give the same (ids that depend on other rows, problems that
are told once for a whole file, two rows with one SKU, …), nothing is returned, and the caller reads
everything. A property test holds the two ways to the same result.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate, chain
from typing import Final, NamedTuple

from vitrina.adapters.product_file.encoding import LINE_END
from vitrina.adapters.product_file.model import (
    FileProblem,
    Format,
    ProductFile,
    Row,
    Severity,
    UnreadableFile,
)
from vitrina.adapters.product_file.validation import Validated, resolve_categories, validate
from vitrina.domain.category import CategoryTree
from vitrina.domain.product import Product

_IDENTIFYING: Final = ("slug", "sku", "gtin")

type Parse = Callable[[bytes], ProductFile]


class Middle(NamedTuple):
    """The rows from ``start`` to ``stop`` of the old file, and the bytes in their place now."""

    start: int
    stop: int
    data: bytes


def recheck(
    known: Validated, before: bytes, data: bytes, tree: CategoryTree, parse: Parse
) -> Validated | None:
    """Return what the file says now, or None when everything has to be read.

    Args:
        known: What it said.
        before: The bytes that it had then.
        data: Those that it has now.
        tree: The categories; the same as then.
        parse: Reads a file of this format.
    """
    file = known.file
    plain = file.dialect.encoding == "utf-8" and not file.refused_count
    if not (plain and file.rows and data.startswith(file.head)):
        return None
    middle = middle_of(_starts(file), before, data)
    if middle is None:
        return None
    old = file.rows[middle.start : middle.stop]
    try:
        read = parse(_as_file(file, middle))
    except UnreadableFile:
        return None
    resolved, made = resolve_categories(read, tree)
    fresh = validate(resolved)
    if made or not _stands_alone(file, middle, fresh.file) or _clashes(known, old, fresh):
        return None
    problems = _problems(file, middle, fresh.file)
    if problems is None:
        return None
    return _joined(known, middle, fresh, problems)


def _starts(file: ProductFile) -> list[int]:
    comma = int(file.format is Format.JSON)
    sizes = (len(row.before) + len(row.raw) + len(row.after) + comma for row in file.rows)
    return list(accumulate(sizes, initial=len(file.head)))[:-1]


def middle_of(starts: Sequence[int], before: bytes, data: bytes) -> Middle | None:
    """Return the rows in between that may not be as they were; None when the head is not.

    Args:
        starts: The offset in *before* of each row, and of what stands before it.
        before: The file as it was.
        data: The file as it is now.
    """
    alike = _common(before, data, lambda size: before[:size] == data[:size])
    start = bisect_right(starts, alike - 2) - 1
    if start < 0:
        return None
    room = min(len(before), len(data)) - starts[start]
    tail = min(room, _common(before, data, lambda size: before[-size:] == data[-size:]))
    stop = max(start, bisect_left(starts, len(before) - tail + 1))
    end = len(data) - (len(before) - starts[stop]) if stop < len(starts) else len(data)
    return Middle(start, stop, data[starts[start] : end])


def _common(one: bytes, other: bytes, same: Callable[[int], bool]) -> int:
    """Return the greatest size for which both are the same."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        size = (low + high + 1) // 2
        if same(size):
            low = size
        else:
            high = size - 1
    return low


def _as_file(file: ProductFile, middle: Middle) -> bytes:
    """Return a file of just these rows."""
    if middle.stop == len(file.rows):
        return file.head + middle.data
    if file.format is Format.JSON:
        return file.head + middle.data.removesuffix(b",") + file.tail
    return file.head + middle.data


def _stands_alone(file: ProductFile, middle: Middle, fresh: ProductFile) -> bool:
    """Say whether the rows mean the same among all others."""
    is_last = middle.stop == len(file.rows)
    if fresh.head != file.head or fresh.columns != file.columns or fresh.refused_count:
        return False
    if not is_last and fresh.tail != (file.tail if file.format is Format.JSON else b""):
        return False
    if file.format is Format.JSON:
        if (not fresh.rows and middle.data) or (is_last and not fresh.rows):
            return False
        if not is_last and middle.data and not middle.data.endswith(b","):
            return False
        if any(b"\n" not in row.before for row in fresh.rows):
            return False  # Its column depends on what stands before it in the line.
    rows = chain(file.rows[middle.start : middle.stop], fresh.rows)
    return all(row.states_id or any(map(row.document.get, _IDENTIFYING)) for row in rows)


def _clashes(known: Validated, old: Sequence[Row], fresh: Validated) -> bool:
    """Say whether the rows have an id, SKU or slug that another row has, too."""
    replaced = {row.id for row in old}
    if any(key in known.file.accepted and key not in replaced for key in fresh.file.accepted):
        return True
    for field in ("sku", "slug"):
        new = {
            value
            for key, product in fresh.products.items()
            if (value := getattr(product, field)) is not None
            and (key not in known.products or getattr(known.products[key], field) != value)
        }
        if new and _owned(known.products, field, new, replaced):
            return True
    return False


def _owned(
    products: Mapping[str, Product], field: str, values: Collection[str], beside: Collection[str]
) -> bool:
    return any(
        getattr(product, field) in values and key not in beside for key, product in products.items()
    )


def _problems(
    file: ProductFile, middle: Middle, fresh: ProductFile
) -> tuple[FileProblem, ...] | None:
    """Return the problems of the whole file; None when they cannot be told from those known."""
    first = file.rows[middle.start].line if middle.start < len(file.rows) else 0
    after = file.rows[middle.stop].line if middle.stop < len(file.rows) else None
    header = 1 + len(LINE_END.findall(file.head.decode()))
    ahead = [each for each in file.problems if each.line < first]
    below = [each for each in file.problems if after is not None and each.line >= after]
    within = [each for each in fresh.problems if each.line >= header]
    if file.format is not Format.CSV:
        told = {(each.header, each.code) for each in ahead}
        if len(ahead) < len(file.problems) or any(
            each.severity is Severity.ERROR or (each.header, each.code) not in told
            for each in within
        ):
            return None
        return tuple(ahead)
    by, shift = _shifts(file, middle)
    return (
        *ahead,
        *(replace(each, line=each.line + by) for each in within),
        *(replace(each, line=each.line + shift) for each in below),
    )


def _shifts(file: ProductFile, middle: Middle) -> tuple[int, int]:
    """Return how many lines further down the rows in between are than alone, and those below."""
    row = file.rows[middle.start]
    at = row.line - _line_ends(row.before)
    alone = 1 + _line_ends(file.head)
    old = b"".join(
        each.before + each.raw + each.after for each in file.rows[middle.start : middle.stop]
    )
    return at - alone, _line_ends(middle.data) - _line_ends(old)


def _line_ends(data: bytes) -> int:
    return len(LINE_END.findall(data.decode()))


def _joined(
    known: Validated, middle: Middle, fresh: Validated, problems: tuple[FileProblem, ...]
) -> Validated:
    file = known.file
    by, shift = _shifts(file, middle)
    below = file.rows[middle.stop :]
    if shift:
        below = tuple(_moved(row, shift) for row in below)
    within = (_moved(row, by) for row in fresh.file.rows)
    replaced = {row.id for row in file.rows[middle.start : middle.stop]}
    products = {key: each for key, each in known.products.items() if key not in replaced}
    return Validated(
        replace(
            file,
            rows=(*file.rows[: middle.start], *within, *below),
            tail=file.tail if below else fresh.file.tail,
            problems=problems,
            assumed_currency=file.assumed_currency or fresh.file.assumed_currency,
        ),
        {**products, **fresh.products},
    )


def _moved(row: Row, lines: int) -> Row:
    """Return the row so many lines further down; :func:`replace` takes twice as long."""
    return Row(
        line=row.line + lines,
        column=row.column,
        raw=row.raw,
        before=row.before,
        after=row.after,
        id=row.id,
        states_id=row.states_id,
        document=row.document,
        category_path=row.category_path,
        refused=row.refused,
        whole=row.whole,
        version=row.version,
    )

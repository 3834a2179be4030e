"""Reads and changes a few rows of a big file, without reading the others.

Both work on an excerpt (:mod:`.layout`), which holds the rows in question and those that they
depend on. Where it is not certain that the whole file would give the same, nothing is returned, and
the caller reads the whole file. Property tests hold both ways to the same result.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import batched, chain, islice
from typing import Final, NamedTuple

from vitrina.adapters.product_file.category_paths import CategoryPaths
from vitrina.adapters.product_file.csv_writer import write_csv
from vitrina.adapters.product_file.json_writer import write_json
from vitrina.adapters.product_file.layout import Layout, excerpt, put_back, size_of
from vitrina.adapters.product_file.model import (
    FileProblem,
    Format,
    ProductFile,
    Row,
    UnreadableFile,
)
from vitrina.adapters.product_file.recheck import Middle, Parse, middle_of, recheck
from vitrina.adapters.product_file.validation import Validated, resolve_categories, validate
from vitrina.adapters.product_file.widening import widen
from vitrina.domain.category import CategoryTree
from vitrina.service_layer.documents import Document

MODELS: Final = 50
"""How many rows at the end show how the file writes its cells."""

_VERSION: Final = b'"_version"'
_BLANK: Final = re.compile(rb"[ \t\r\n,]*+")


@dataclass(frozen=True, slots=True)
class Changed:
    """A file of which some rows were changed.

    Attributes:
        data: Its bytes.
        layout: Where its rows are now; None when only reading can tell.
        before, after: Those rows, and others, as they were and as they are.
        lines: For each of them: its first line, the line of the row below, and how many lines more
            it has now.
    """

    data: bytes
    layout: Layout | None
    before: ProductFile
    after: ProductFile
    lines: tuple[tuple[int, int, int], ...]


def change_rows(
    data: bytes,
    layout: Layout,
    changes: Mapping[str, Document | None],
    *,
    categories: CategoryTree,
    refused: Collection[str],
    read: Callable[[bytes], Validated],
) -> Changed | None:
    """Return a file with some products changed, added or deleted; as :func:`.render` does it.

    Args:
        data: The file.
        layout: Of it.
        changes: Product id → its document as the catalog writes it; None deletes the product.
        categories: For files that name categories by their path.
        refused: The ids of its refused rows.
        read: Reads a file of this format.
    """
    concerned = (layout.at[each] for each in changes if each in layout.at)
    rows = sorted({*concerned, *_models(data, layout, refused)})
    if not rows or not changes.keys().isdisjoint(refused):
        return None
    try:
        file = read(excerpt(data, layout, rows)).file
        write = write_csv if file.format is Format.CSV else write_json
        after = read(write(file, changes, CategoryPaths(categories))).file
    except UnreadableFile:
        return None
    gone = {key for key, document in changes.items() if document is None}
    stay = [layout.ids[each] for each in rows if layout.ids[each] not in gone]
    new = [key for key in changes if key not in gone and key not in layout.at]
    is_as_expected = (
        stay
        and [row.id for row in file.rows] == [layout.ids[each] for each in rows]
        and [row.id for row in after.rows] == [*stay, *new]
        and after.tail == file.tail
        and file.refused_ids == after.refused_ids <= frozenset(refused)
    )
    wide = (data, layout) if after.head == file.head else widen(data, layout, file, after)
    if not is_as_expected or wide is None:
        return None
    found = {row.id: row for row in after.rows}
    changed = [found.get(row.id) for row in file.rows] + [found[each] for each in new]
    lines = _changed_lines(data, layout, rows, changed, concerned=changes)
    return Changed(*put_back(*wide, rows, changed), file, after, tuple(lines))


def _changed_lines(
    data: bytes,
    layout: Layout,
    rows: Sequence[int],
    changed: Sequence[Row | None],
    *,
    concerned: Collection[str],
) -> Iterator[tuple[int, int, int]]:
    ends = [
        (_content(data, layout.starts[each]), _content(data, layout.end(each))) for each in rows
    ]
    lines = iter(_lines_at(data, chain.from_iterable(ends)))
    for each, row, (first, last) in zip(
        rows, changed, batched(lines, 2, strict=True), strict=False
    ):
        was = data[layout.starts[each] : layout.end(each)]
        now = row.before + row.raw + row.after if row else b""
        if was != now and layout.ids[each] in concerned:
            yield first, last, count_lines(now) - count_lines(was)


def _models(data: bytes, layout: Layout, refused: Collection[str]) -> Iterator[int]:
    """Yield the rows on which it depends how others are written."""
    last = len(layout.ids) - 1
    if last < 0:
        return
    good = (each for each in range(last, -1, -1) if layout.ids[each] not in refused)
    yield last
    yield from islice(good, MODELS)
    yield from islice((each for each in range(last) if layout.ids[each] not in refused), 1)
    if layout.format is not Format.CSV and (at := data.find(_VERSION)) >= 0:
        yield _row_at(layout, at)


def _row_at(layout: Layout, offset: int) -> int:
    low, high = 0, len(layout.ids) - 1
    while low < high:
        middle = (low + high + 1) // 2
        if layout.starts[middle] <= offset:
            low = middle
        else:
            high = middle - 1
    return low


@dataclass(frozen=True, slots=True)
class Reread:
    """A file that was edited, as far as it is not what it was.

    Attributes:
        base: Some of its rows as they were.
        theirs: The same rows as they are, and new ones.
        layout: Where the rows are now; None when only reading can tell.
        lines: From which line to before which its old text is replaced, and how many lines more
            there are now. Problems of ``theirs`` are all in between, but for those of the head.
    """

    base: ProductFile
    theirs: Validated
    layout: Layout | None
    lines: tuple[int, int, int]


def reread(
    layout: Layout,
    before: bytes,
    data: bytes,
    *,
    beside: Iterable[str],
    refused: Collection[str],
    tree: CategoryTree,
    parse: Parse,
) -> Reread | None:
    """Return what differs between two states of a file, and some rows more.

    Args:
        layout: Of the file as it was.
        before: The file as it was.
        data: The file as it is now.
        beside: The ids of rows that are wanted though they do not differ.
        refused: The ids of refused rows as it was.
        tree: The categories.
        parse: Reads a file of this format.
    """
    middle = middle_of(layout.starts[:-1], before, data)
    if middle is None or not data.startswith(before[: layout.head]):
        return None
    rows = _Rows.around(layout, middle, beside, refused)
    if any(layout.ids[each] in refused for each in rows.within):
        return None  # It may be wrong only because of another row.
    both = _both(layout, before, middle, rows, tree, parse)
    if both is None:
        return None
    known, theirs = both
    found = theirs.file.rows
    fresh = found[len(rows.ahead) : len(found) - len(rows.below)]
    inside = {layout.ids[each] for each in rows.all}
    if any(row.id in layout.at and row.id not in inside for row in fresh):
        return None
    grown = len(data) - len(before)
    lines = _lines_at(data, _offsets(layout, middle, rows, theirs.file, grown))
    ends = {layout.starts[middle.start], *(layout.end(each) for each in rows.within[-1:])}
    at = _lines_at(before, (_content(before, each) for each in sorted(ends)))
    return Reread(
        known.file,
        _placed(theirs, rows, fresh, lines),
        _layout_now(layout, rows, found, fresh),
        (at[0], at[-1], count_lines(data) - count_lines(before)),
    )


def _both(
    layout: Layout, before: bytes, middle: Middle, rows: "_Rows", tree: CategoryTree, parse: Parse
) -> tuple[Validated, Validated] | None:
    """Return what the rows said and say, if that is certain."""
    was, now = excerpt(before, layout, rows.all), rows.now(layout, before, middle)
    try:
        resolved, made = resolve_categories(parse(was), tree)
        known = validate(resolved)
        ids = [layout.ids[each] for each in rows.all]
        if made or known.file.refused_count or [row.id for row in known.file.rows] != ids:
            return None
        theirs = known if was == now else recheck(known, was, now, tree, parse)
    except UnreadableFile:
        return None
    if theirs is None:
        return None
    is_whole = middle.stop == len(layout.ids) or theirs.file.tail == known.file.tail
    return (known, theirs) if is_whole else None


def _layout_now(
    layout: Layout, rows: "_Rows", found: Sequence[Row], fresh: Sequence[Row]
) -> Layout | None:
    others = (*found[: len(rows.ahead)], *found[len(found) - len(rows.below) :])
    beside = dict(zip([*rows.ahead, *rows.below], others, strict=True))
    return layout.resized(beside).replaced(rows.within.start, rows.within.stop, fresh)


class _Rows(NamedTuple):
    """The numbers of the rows that are looked at: those in between, and some ahead and below."""

    ahead: list[int]
    within: range
    below: list[int]

    @classmethod
    def around(
        cls, layout: Layout, middle: Middle, beside: Iterable[str], refused: Collection[str]
    ) -> "_Rows":
        neighbours = {middle.start - 1, middle.stop} & set(range(len(layout.ids)))
        wanted = {layout.at[each] for each in beside if each in layout.at and each not in refused}
        wanted |= {each for each in neighbours if layout.ids[each] not in refused}
        return cls(
            sorted(each for each in wanted if each < middle.start),
            range(middle.start, middle.stop),
            sorted(each for each in wanted if each >= middle.stop),
        )

    @property
    def all(self) -> list[int]:
        return [*self.ahead, *self.within, *self.below]

    def now(self, layout: Layout, before: bytes, middle: Middle) -> bytes:
        """Return the excerpt of the file as it is now."""
        starts, joint = layout.starts, layout.joint
        parts = [before[: layout.head]]
        for each in self.ahead:
            parts += (before[starts[each] : layout.end(each)], joint)
        parts.append(middle.data)
        if middle.stop == len(layout.ids):
            return b"".join(parts)  # Its tail is part of what is in between.
        if not self.below and joint:
            parts[-1] = middle.data.removesuffix(joint)
        below = (before[starts[each] : layout.end(each)] for each in self.below)
        return b"".join([*parts, joint.join(below), before[starts[-1] :]])


def _offsets(
    layout: Layout, middle: Middle, rows: _Rows, theirs: ProductFile, grown: int
) -> list[int]:
    """Return where each row of the excerpt starts in the file as it is now."""
    first, last = len(rows.ahead), len(theirs.rows) - len(rows.below)
    found = [
        layout.starts[number] + len(row.before)
        for number, row in zip(rows.ahead, theirs.rows[:first], strict=True)
    ]
    at = layout.starts[middle.start]
    for row in theirs.rows[first:last]:
        found.append(at + len(row.before))
        at += size_of(row) + len(layout.joint)
    found += [
        layout.end(number) + grown - len(row.after) - len(row.raw)
        for number, row in zip(rows.below, theirs.rows[last:], strict=True)
    ]
    return found


def _placed(
    theirs: Validated, rows: _Rows, fresh: Sequence[Row], lines: Sequence[int]
) -> Validated:
    """Return what was read of an excerpt with the lines of the file, and the problems in between."""
    file = theirs.file
    within = range(len(rows.ahead), len(rows.ahead) + len(fresh))
    was = [row.line for row in file.rows]
    problems: list[FileProblem] = []
    for each in file.problems:
        number = bisect_right(was, each.line) - 1
        if number in within:
            problems.append(replace(each, line=each.line - was[number] + lines[number]))
    found = tuple(replace(row, line=line) for row, line in zip(file.rows, lines, strict=True))
    return replace(theirs, file=replace(file, rows=found, problems=tuple(problems)))


def _content(data: bytes, offset: int) -> int:
    """Return where the next row starts that stands at or behind *offset*."""
    match = _BLANK.match(data, offset)
    return match.end() if match else offset


def count_lines(data: bytes) -> int:
    """Return how many line ends there are."""
    return data.count(b"\n") + data.count(b"\r") - data.count(b"\r\n")


def _lines_at(data: bytes, offsets: Iterable[int]) -> list[int]:
    """Return the numbers of the lines, from 1, in which ascending offsets lie."""
    found: list[int] = []
    line, done = 1, 0
    for offset in offsets:
        line += count_lines(data[done:offset])
        done = offset
        found.append(line)
    return found

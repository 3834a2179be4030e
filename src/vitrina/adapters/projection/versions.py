"""What a product file says, and what differs between two states of it, read as little as need be.

Of the file as it was last in step, only the bytes, where its rows are, and what was found besides
its products are kept in memory. The rows that an edit or a write concerns are read when they are
needed. A file without a layout, or an edit that cannot be understood by itself, is read whole.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from vitrina.adapters.product_file import (
    Layout,
    ProductFile,
    Reread,
    UnreadableFile,
    Validated,
    change_rows,
    detect_format,
    parse,
    render,
    reread,
    scan,
)
from vitrina.adapters.projection.facts import Facts, FactsKeeper
from vitrina.adapters.projection.loss import loses_fields
from vitrina.adapters.projection.reading import FileReader
from vitrina.domain.category import Category, CategoryTree
from vitrina.service_layer.documents import Document

KEPT_ROWS_MAX: Final = 5_000
"""What was read of a file with more rows is not kept in memory: a row takes several kilobytes."""


@dataclass(frozen=True, slots=True)
class Compared:
    """Two states of a file.

    Attributes:
        base: As it was last in step; None when that is not known.
        theirs: As it is now.
        made: The categories to make so that every new path in it leads somewhere.
        rows: How many rows the base had.
        facts: What is found in the file as it is now.
        layout: Where its rows are; None when only reading can tell.
        part: How only a part was read, of which the rest is alike in both; None when all was.
    """

    base: ProductFile | None
    theirs: Validated
    made: tuple[Category, ...]
    rows: int
    facts: Facts
    layout: Layout | None
    part: tuple[Facts, Reread] | None = None

    def facts_of(self, file: ProductFile) -> Facts:
        """Return what is found, given that ``theirs`` says what *file* says."""
        if self.part is None:
            return Facts.of(file)
        before, found = self.part
        return before.edited(self.facts.rows, file, found.lines)


@dataclass(frozen=True, slots=True)
class Written:
    """A file with changed rows.

    Attributes:
        data: Its bytes.
        before, after: What it said and says, at least of these rows.
        facts: What is found in it.
        layout: Where its rows are; None when only reading can tell.
    """

    data: bytes
    before: ProductFile
    after: ProductFile
    facts: Facts
    layout: Layout | None


class Versions:
    """The states of one product file."""

    def __init__(
        self,
        name: str,
        currency: str,
        tree: Callable[[], CategoryTree],
        kept: FactsKeeper,
        *,
        owner_of_sku: Callable[[str], str | None],
        owner_of_slug: Callable[[str], str | None],
    ) -> None:
        self._name = name
        self._currency = currency
        self._tree = tree
        self._kept = kept
        self._owner_of = {"sku": owner_of_sku, "slug": owner_of_slug}
        self._reader = FileReader(name, currency, tree)
        self._known: tuple[bytes, Facts, Layout | None] | None = None

    def recall(self, data: bytes) -> Facts | None:
        """Return what was found in this state of the file before; None when it has to be read.

        Raises:
            OSError: The system refuses.
        """
        if self._known is None or self._known[0] != data:
            facts = self._kept.load(data)
            if facts is None:
                return None
            self._known = data, facts, None
        return self._known[1]

    def adopt(self, data: bytes, facts: Facts, layout: Layout | None) -> None:
        """Keep what is known of the file as it is in step now."""
        if self._known is None or self._known[:2] != (data, facts):
            self._kept.keep(data, facts)
        self._known = data, facts, layout
        if layout is not None and facts.rows > KEPT_ROWS_MAX:
            self._reader.forget()

    def ids(self, data: bytes) -> list[str]:
        """Return the ids of all rows that are not refused."""
        layout = self._layout_of(data)
        if layout is None or self._known is None:
            return list(self._reader.read(data).file.accepted)
        return [each for each in layout.ids if each not in self._known[1].refused]

    def with_paths(self, data: bytes) -> list[str]:
        """Return the ids of the rows that name their category by its path."""
        rows = self._reader.read(data).file.accepted.values()
        return [row.id for row in rows if row.category_path]

    def compare(
        self, base: bytes | None, data: bytes, beside: Iterable[str], *, refused: Collection[str]
    ) -> Compared:
        """Return two states of the file, at least what differs between them.

        Args:
            base: As it was last in step.
            data: As it is now.
            beside: The ids of rows that are wanted though they do not differ.
            refused: The ids of rows that the catalog refused, which are left out of the base.

        Raises:
            UnreadableFile: It cannot be used as a whole as it is now.
        """
        found = None if base is None else self._in_part(base, data, [*beside, *refused])
        if found is None:
            was = self._whole(base)
            now = self._reader.read(data)
            facts, layout = Facts.of(now.file), Layout.of(now.file)
            was = without_rows(was, refused)
            made = now.new_categories(was)
            rows = len(was.accepted) if was else 0
            return Compared(was, now.checked, made, rows, facts, layout)
        return replace(found, base=without_rows(found.base, refused))

    def change(
        self, data: bytes, changes: Mapping[str, Document | None], names: Mapping[str, str]
    ) -> Written:
        """Return the file with some products changed, added or deleted.

        Args:
            data: As it was last in step.
            changes: Product id → its document as the catalog writes it; None deletes the product.
            names: Id that a row has as it is read → id of its product, where these differ.

        Raises:
            UnreadableFile: The products do not fit into the file's format.
        """
        layout = self._layout_of(data)
        if layout is not None and self._known is not None and not names:
            facts = self._known[1]
            found = change_rows(
                data,
                layout,
                changes,
                categories=self._tree(),
                refused=facts.refused,
                read=lambda part: self._reader.read_once(part, facts.format).checked,
            )
            if found is not None:
                rows = facts.rows + len(found.after.rows) - len(found.before.rows)
                facts = facts.written(rows, found.after.columns, found.lines)
                return Written(found.data, found.before, found.after, facts, found.layout)
        file = before = self._reader.read(data).file
        if names:
            rows_named = (
                replace(each, id=names[each.id], refused=False) if each.id in names else each
                for each in file.rows
            )
            file = replace(file, rows=tuple(rows_named))
        out = render(file, changes, self._tree())
        after = self._reader.read(out).file
        return Written(out, before, after, Facts.of(after), Layout.of(after))

    def _whole(self, base: bytes | None) -> ProductFile | None:
        if base is None:
            return None
        try:
            return self._reader.read(base).file  # First, because little lies between the two.
        except UnreadableFile:
            return None  # An older version of the program could read it.

    def _in_part(self, base: bytes, data: bytes, beside: Iterable[str]) -> Compared | None:
        layout = self._layout_of(base)
        if layout is None or self._known is None:
            return None
        known = self._known[1]
        if "" in known.refused or (len(data) < len(base) and base.startswith(data)):
            return None
        if known.format is not detect_format(self._name, data):
            return None
        found = reread(
            layout,
            base,
            data,
            beside=beside,
            refused=known.refused,
            tree=self._tree(),
            parse=partial(parse, file_format=known.format, currency=self._currency),
        )
        if found is None or self._clashes(layout, found):
            return None
        if loses_fields(found.base, found.theirs.file):
            return None  # Other rows may have them still.
        theirs = found.theirs
        rows = len(layout.ids) + len(theirs.file.rows) - len(found.base.rows)
        facts = known.edited(rows, theirs.file, found.lines)
        count = len(layout.ids) - known.refused_count
        return Compared(
            found.base, theirs, (), count, facts, found.layout, (known, found)
        )  # fmt: skip

    def _clashes(self, layout: Layout, found: Reread) -> bool:
        """Say whether a row wants what the product of a row has that was not looked at."""
        seen = {row.id for row in found.base.rows}
        for field, owner_of in self._owner_of.items():
            had = {row.document.get(field) for row in found.base.rows}
            for row in found.theirs.file.rows:
                value = row.document.get(field)
                if isinstance(value, str) and value not in had:
                    owner = owner_of(value)
                    if owner in layout.at and owner not in seen:
                        return True
        return False

    def _layout_of(self, data: bytes) -> Layout | None:
        """Return where the rows are in the file as it was last in step."""
        if self.recall(data) is None or self._known is None:
            return None
        _, facts, layout = self._known
        if layout is None and "" not in facts.refused:
            layout = scan(data, facts.format, facts.columns)
            self._known = data, facts, layout
        return layout


def without_rows[File: ProductFile | None](file: File, ids: Collection[str]) -> File:
    """Return a file without the rows of these ids."""
    if file is None or not ids:
        return file
    return replace(file, rows=tuple(row for row in file.rows if row.id not in ids))

"""What a person changed in the product file, against what the catalog has by now.

Three states are compared: the file as it was last written (*base*), the file as it is now
(*theirs*), and the catalog's documents (*ours*). What differs between base and theirs was done by
the person; it becomes an edit. Where ours differs from base in the same field, too, both sides
changed it: then ours is kept, and the two values are reported as a conflict. So it is with a
product that both sides have added. Rows whose bytes did not change are not looked at.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from vitrina.adapters.product_file.flat import Fields, flatten, same, stated
from vitrina.adapters.product_file.headers import ATTRIBUTE_PREFIX
from vitrina.adapters.product_file.model import ProductFile, Row
from vitrina.service_layer.documents import Document, Json
from vitrina.service_layer.person_file import ConflictReason

_DERIVABLE: Final = frozenset({"id", "slug"})
"""Fields whose empty cell does not mean that there is nothing: the catalog makes them."""


class EditKind(StrEnum):
    """What an edit of the file does to a product."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Edit:
    """What the file does to one product.

    Attributes:
        document: Of a new product, the fields that its row gives; of a changed one an RFC 7396
            merge patch (None takes a field away); empty for a deletion.
        line: Of the row; 0 for a deletion.
    """

    id: str
    kind: EditKind
    document: Document
    line: int = 0


@dataclass(frozen=True, slots=True)
class Conflict:
    """A field that the file and the catalog changed differently; the catalog's value is kept.

    Attributes:
        field: As in :mod:`.flat`: ``price``, ``attributes.color``; "" is the whole product, which
            one side deleted (its value is None) and the other changed.
        line: Of the row; 0 when the file has none any more.
        reason: Why the file's value was not taken.
    """

    id: str
    field: str
    base: Json
    theirs: Json
    ours: Json
    line: int = 0
    reason: ConflictReason = ConflictReason.BOTH_CHANGED


@dataclass(frozen=True, slots=True)
class Merge:
    """The outcome of a comparison.

    Attributes:
        edits: New and changed products in the order of the file, then deletions.
        conflicts: What was not taken from the file.
        withheld: Products whose row is gone, but which are not deleted, because the file has
            refused rows without a readable id: one of those may be theirs.
    """

    edits: tuple[Edit, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    withheld: tuple[str, ...] = ()


def compare(
    base: ProductFile | None,
    theirs: ProductFile,
    current: Callable[[str], Document | None],
    *,
    unclear: Collection[str] = (),
) -> Merge:
    """Return what to do so that the catalog has what the person wrote into the file.

    Both files must have been through :func:`resolve_categories` with the same tree, so that a
    category is compared by its id.

    Args:
        base: The file as last written; None when that is not known. Then every row that differs
            from the product in the catalog overrides it, and nothing is deleted.
        theirs: The file as it is now; refused rows change nothing.
        current: Returns the document of a product in the catalog, or None.
        unclear: Products whose rows in *base* are not known; such a row overrides the product.
    """
    return _Comparison(base, theirs, current, unclear).run()


class _Comparison:
    def __init__(
        self,
        base: ProductFile | None,
        theirs: ProductFile,
        current: Callable[[str], Document | None],
        unclear: Collection[str],
    ) -> None:
        self._base: Mapping[str, Row] = base.accepted if base else {}
        self._has_base = base is not None and "" not in base.refused_ids
        self._unclear = frozenset(unclear) | (base.refused_ids if base else frozenset())
        self._theirs = theirs
        self._current = current
        self._same_layout = base is not None and _layout(base) == _layout(theirs)
        self._columns = columns_of(theirs)
        self._conflicts: list[Conflict] = []

    def run(self) -> Merge:
        theirs = self._theirs
        edits = [edit for row in theirs.accepted.values() for edit in self._row(row)]
        present = theirs.accepted.keys() | theirs.refused_ids
        gone = [product_id for product_id in self._base if product_id not in present]
        if "" in theirs.refused_ids:
            return Merge(tuple(edits), tuple(self._conflicts), tuple(gone))
        edits += [edit for product_id in gone for edit in self._deletion(product_id)]
        return Merge(tuple(edits), tuple(self._conflicts))

    def _row(self, row: Row) -> Iterator[Edit]:
        before = self._base.get(row.id)
        if before is not None and self._same_layout and before.raw == row.raw:
            return
        document = self._current(row.id)
        if document is None and before is None:
            yield Edit(row.id, EditKind.CREATE, dict(row.document), row.line)
        elif document is None and before is not None:
            if _changed(flatten(before.document), flatten(row.document)):
                reason = ConflictReason.DELETED_IN_CATALOG
                found = Conflict(row.id, "", before.document, row.document, None, row.line, reason)
                self._conflicts.append(found)
        elif document is not None:
            ours = flatten(document)
            if row.version is not None:
                changes = self._for_version(before, row, ours, document.get("version"))
            elif before or self._is_new(row):
                changes = self._merged(before, row, ours)
            else:
                changes = self._overriding(row, ours)
            if changes:
                yield Edit(row.id, EditKind.UPDATE, _patch(changes, ours), row.line)

    def _for_version(self, before: Row | None, row: Row, ours: Fields, version: Json) -> Fields:
        """Return what was changed, if the row holds for the product's version; else note it."""
        said_ours, said_theirs = stated(ours), stated(flatten(row.document))
        said_base = stated(flatten(before.document)) if before else said_ours
        if before:
            names = _changed(flatten(before.document), flatten(row.document))
        else:
            names = list(self._overriding(row, ours))
        changes: Fields = {}
        for name in names:
            was, value, now = said_base.get(name), said_theirs.get(name), said_ours.get(name)
            if same(value, now):
                continue
            if row.version == version:
                changes[name] = value
            else:
                reason = ConflictReason.STALE_VERSION
                found = Conflict(row.id, name, was, value, now, row.line, reason)
                self._conflicts.append(found)
        return changes

    def _is_new(self, row: Row) -> bool:
        """Say whether somebody has just added the row."""
        return self._has_base and row.id not in self._base and row.id not in self._unclear

    def _merged(self, before: Row | None, row: Row, ours: Fields) -> Fields:
        """Return the fields that only the file changed; note those that both did."""
        base = flatten(before.document) if before else {}
        theirs = flatten(row.document)
        said_base, said_theirs, said_ours = stated(base), stated(theirs), stated(ours)
        changes: Fields = {}
        for name in _changed(base, theirs):
            was, value, now = said_base.get(name), said_theirs.get(name), said_ours.get(name)
            if same(value, now):
                continue
            if same(was, now):
                changes[name] = value
            else:
                self._conflicts.append(Conflict(row.id, name, was, value, now, row.line))
        return changes

    def _overriding(self, row: Row, ours: Fields) -> Fields:
        """Return what the file says differently; an empty cell says that there is nothing."""
        theirs, said_ours = stated(flatten(row.document)), stated(ours)
        changes: Fields = {
            name: None
            for name in said_ours
            if name in self._columns and name not in theirs and name not in _DERIVABLE
        }
        changes |= {
            name: value for name, value in theirs.items() if not same(value, said_ours.get(name))
        }
        return changes

    def _deletion(self, product_id: str) -> Iterator[Edit]:
        document = self._current(product_id)
        if document is None:
            return
        before = self._base[product_id].document
        base, ours = stated(flatten(before)), stated(flatten(document))
        if all(name == "slug" and name not in base for name in _changed(base, ours)):
            yield Edit(product_id, EditKind.DELETE, {})
        else:
            reason = ConflictReason.DELETED_IN_FILE
            found = Conflict(product_id, "", before, None, document, 0, reason)
            self._conflicts.append(found)


def _layout(file: ProductFile) -> tuple[object, ...]:
    """Return what decides, beside a row's bytes, what the row says."""
    return file.format, file.columns, file.dialect.delimiter, file.dialect.encoding, file.currency


def columns_of(file: ProductFile) -> set[str]:
    """Return the fields that the file has a column for."""
    fields = {column.field for column in file.columns if column.field}
    return fields | {"category_id"} if "category" in fields else fields


def _changed(before: Mapping[str, Json], after: Mapping[str, Json]) -> list[str]:
    """Return the fields that differ, by name."""
    return sorted(
        name for name in before.keys() | after.keys() if not same(before.get(name), after.get(name))
    )


def _patch(changes: Fields, ours: Fields) -> Document:
    """Return *changes* as a merge patch of a product's document."""
    patch: Document = {}
    attributes: Document = {}
    for name, value in changes.items():
        if name.startswith(ATTRIBUTE_PREFIX):
            attributes[name.removeprefix(ATTRIBUTE_PREFIX)] = value
        elif name not in {"rating", "rating_count"}:
            patch[name] = value
    if "rating" in changes or "rating_count" in changes:
        rating = ours | changes
        count = rating.get("rating_count") or 0
        average = rating.get("rating")
        patch["rating"] = None if average is None else {"average": average, "count": count}
    if attributes:
        patch["attributes"] = attributes
    return patch

"""Undoes what a spreadsheet did to the cells of an edited file, where that is certain.

Only what differs from the file as it was is looked at. A value that is proved by what was known
before is put right, with a warning; one that is doubtful is held back: the catalog's value stays,
and the conflict is reported. Both are written into the file again. A row whose cells cannot be read
for that reason alone is not refused; what it says otherwise counts.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from vitrina.adapters.product_file import (
    Conflict,
    FileProblem,
    Format,
    ProductFile,
    Row,
    Severity,
    Validated,
)
from vitrina.adapters.product_file.damage import (
    WHAT_HAPPENED,
    Damage,
    find_damage,
    shortened_by_zeros,
)
from vitrina.adapters.product_file.flat import Fields, assemble, flatten, same, stated
from vitrina.adapters.product_file.model import shorten
from vitrina.adapters.product_file.places import Place, place_in_csv, place_in_json
from vitrina.domain.errors import InvalidDocument
from vitrina.domain.product import Product
from vitrina.service_layer.document_reading import read_product
from vitrina.service_layer.documents import Document, Json
from vitrina.service_layer.person_file import ConflictReason

_UNREADABLE: Final = frozenset(
    {"scientific_notation", "ambiguous_amount", "not_an_integer", "not_a_number"}
)
"""The codes of cells that a spreadsheet may have made unreadable."""

type Current = Callable[[str], Document | None]


@dataclass(slots=True)
class Mended:
    """A file without the damage.

    Attributes:
        checked: What it says, mended.
        problems: One warning for each cell that was mended or held back.
        conflicts: Those that were held back.
        ids: Of the rows that have to be written again.
        names: Id that a row has as it is read → id of its product, of rows that are refused as they
            are or have lost their ids.
    """

    checked: Validated
    problems: list[FileProblem] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    names: dict[str, str] = field(default_factory=dict)


def mend(theirs: Validated, base: ProductFile, current: Current) -> Mended:
    """Return *theirs* without what a spreadsheet did to it since *base*."""
    return _Mending(theirs, base, current).run()


class _Mending:
    def __init__(self, theirs: Validated, base: ProductFile, current: Current) -> None:
        self._file = theirs.file
        self._base = base
        self._known = {row.id: row for row in base.rows}
        self._current = current
        self._found = Mended(theirs)
        self._products = dict(theirs.products)
        self._errors: dict[int, list[FileProblem]] = {}
        for each in theirs.file.problems:
            if each.severity is Severity.ERROR:
                self._errors.setdefault(each.line, []).append(each)

    def run(self) -> Mended:
        names = self._lost_names()
        rows: list[Row] = []
        for row in self._file.rows:
            before = self._known.get(names.get(row.id, row.id))
            if before is None or before.raw == row.raw:
                rows.append(row)
            else:
                rows.append(self._row(row, before))
        found = self._found
        if found.ids:
            dropped = {line for line in self._errors if line not in self._left}
            problems = [each for each in self._file.problems if each.line not in dropped]
            file = replace(self._file, rows=tuple(rows), problems=tuple(problems))
            found.checked = Validated(file, self._products)
        return found

    @property
    def _left(self) -> set[int]:
        """The lines of rows that stay refused."""
        mended = {row.line for row in self._file.rows if row.id in self._found.names}
        return self._errors.keys() - mended

    def _lost_names(self) -> Mapping[str, str]:
        """Return the ids of rows that lost their zeros in front → what they were."""
        present = {row.id for row in self._file.rows}
        gone = [key for key in self._known if key not in present and key[:1] == "0"]
        new = {key for key in present if key not in self._known}
        found: dict[str, list[str]] = {}
        for key in gone:
            if (short := key.lstrip("0") or "0") in new and shortened_by_zeros(short, key):
                found.setdefault(short, []).append(key)
        return {short: keys[0] for short, keys in found.items() if len(keys) == 1}

    def _row(self, row: Row, before: Row) -> Row:
        renamed = row.id != before.id
        document = self._current(before.id)
        if document is None or (row.refused and not self._may_be_mended(row)):
            return row
        fields = flatten(row.document)
        now, was = stated(flatten(document)), stated(flatten(before.document))
        values: Fields = {}
        told: list[tuple[str, Json, Damage]] = []
        for name, value, is_unreadable in self._suspects(row, before, fields):
            damage = find_damage(value, (now.get(name), was.get(name)))
            if damage is not None:
                kept = now.get(name) if before.refused else flatten(before.document).get(name)
                values[name] = damage.value if damage.is_proved else kept
                told.append((name, value, damage))
            elif is_unreadable:
                return row  # It is wrong for another reason.
        for name, value, damage in told:
            self._tell(row, before, name, value, damage, now.get(name))
        if renamed and row.states_id:
            self._problem(row, "id", row.id, Damage("leading_zeros_lost", before.id))
        if not values and not renamed:
            return row
        mended = self._put(row, before.id, {**fields, **values})
        self._found.ids.add(before.id)
        return mended

    def _may_be_mended(self, row: Row) -> bool:
        errors = self._errors.get(row.line, [])
        return row.whole and bool(errors) and all(each.code in _UNREADABLE for each in errors)

    def _suspects(self, row: Row, before: Row, fields: Fields) -> Iterator[tuple[str, Json, bool]]:
        """Yield the values that differ, and the texts of cells that cannot be read."""
        was = flatten(before.document)
        for name, value in fields.items():
            if name != "id" and not same(value, was.get(name)):
                yield name, value, False
        for error in self._errors.get(row.line, []) if row.refused else []:
            yield self._field_of(error), error.value, True

    def _field_of(self, error: FileProblem) -> str:
        if self._file.format is Format.CSV:
            return self._file.columns[error.column - 1].field or ""
        return error.header

    def _put(self, row: Row, product_id: str, fields: Fields) -> Row:
        """Return the row with these fields, if they are a product."""
        document = assemble({name: each for name, each in fields.items() if each is not None})
        document["id"] = product_id
        try:
            product: Product = read_product({**document, "id": None}, product_id=product_id)
        except InvalidDocument:
            return row  # What is wrong was told already, by its line.
        if row.refused or row.id != product_id:
            self._found.names[row.id] = product_id
        self._products.pop(row.id, None)
        self._products[product_id] = product
        return replace(row, id=product_id, raw=b"", document=document, refused=False)

    def _tell(
        self, row: Row, before: Row, name: str, value: Json, damage: Damage, kept: Json
    ) -> None:
        self._problem(row, name, value, damage)
        if not damage.is_proved:
            was = flatten(before.document).get(name)
            reason = ConflictReason.DAMAGED
            found = Conflict(before.id, name, was, value, kept, row.line, reason)
            self._found.conflicts.append(found)

    def _problem(self, row: Row, name: str, value: Json, damage: Damage) -> None:
        at = self._place(row, name, value)
        happened = WHAT_HAPPENED[damage.code]
        if damage.is_proved:
            detail = f"Read as {damage.value!r}, which it was before: {happened}."
        else:
            detail = (
                f"Not taken: it looks as if {happened}. Format the column as text and enter the "
                "value again."
            )
        self._found.problems.append(
            FileProblem(
                row.line,
                at.column,
                at.header,
                shorten(at.value),
                damage.code,
                detail,
                Severity.WARNING,
            )
        )

    def _place(self, row: Row, name: str, value: Json) -> Place:
        find = place_in_csv if self._file.format is Format.CSV else place_in_json
        found = find(self._file, row, name)
        return found if found.value else found._replace(value=str(value))

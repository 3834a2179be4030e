"""What rows said before this service wrote over them, to know a save of an older copy.

A person opens the file in a spreadsheet; the API changes a product, and the row in the file with
it; the person edits another row and saves. The spreadsheet has the old values still and writes them
back. Compared with the file as it was last written, that looks as if the person had undone what the
API did. So each write is remembered: a value that the file had before one of the last writes, and
has again, was not typed by the person, if the file shows nothing of that write or a later one.

Whoever really wants such an old value again, while it is the only thing that the service has
written meanwhile, cannot be told from a save of an older copy. The catalog's value is kept then,
too, and the conflict is reported.

This is remembered for as long as the service runs. A ``_version`` column says the same for certain.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from vitrina.adapters.product_file import Conflict, ProductFile, Row
from vitrina.adapters.product_file.flat import Fields, assemble, flatten, same
from vitrina.service_layer.documents import Json
from vitrina.service_layer.person_file import ConflictReason

CHANGES_MAX: Final = 10_000
"""How many values and rows that were written over are remembered, the latest ones."""

_ROW: Final = ""
"""Instead of a field: the whole row, which was added (it had nothing before) or taken away."""

type _Place = tuple[str, str]


@dataclass(slots=True)
class _Written:
    """What was written into one place, the last time.

    Attributes:
        number: Of the write.
        old: Number of a write → what stood there before it.
        new: What was written.
    """

    number: int
    old: dict[int, Json]
    new: Json


@dataclass(slots=True)
class Older:
    """What was found of an older copy in a save.

    Attributes:
        file: The save, without the old values.
        places: How many of them there were, beside those in ``conflicts``.
        ids: Of the rows that have to be written again.
        conflicts: Those of which it is not certain that nobody wanted them.
    """

    file: ProductFile
    places: int = 0
    ids: set[str] = field(default_factory=set)
    conflicts: list[Conflict] = field(default_factory=list)


class Earlier:
    """Remembers the last writes into one product file."""

    def __init__(self) -> None:
        self._number = 0
        self._places: dict[_Place, _Written] = {}

    def note(self, before: ProductFile, after: ProductFile, ids: Iterable[str]) -> None:
        """Remember a write that concerned the rows of these products."""
        self._number += 1
        for product_id in ids:
            old, new = before.accepted.get(product_id), after.accepted.get(product_id)
            for name, was, now in _differences(old, new):
                place = product_id, name
                known = self._places.pop(place, None)
                earlier = known.old if known and same(known.new, was) else {}
                self._places[place] = _Written(self._number, {**earlier, self._number: was}, now)
        while len(self._places) > CHANGES_MAX:
            del self._places[next(iter(self._places))]

    def sort_out(self, base: ProductFile, theirs: ProductFile) -> Older:
        """Take from a save the values that are of an older copy.

        Args:
            base: The file as it was last written.
            theirs: As somebody has saved it.
        """
        found = Older(theirs)
        for place in [each for each in self._places if not _stands(base, each, self._places[each])]:
            del self._places[place]  # A person has edited it since, and knows what was written.
        seen = max(
            (each.number for place, each in self._places.items() if _stands(theirs, place, each)),
            default=0,
        )
        old = {
            place: written
            for place, written in self._places.items()
            if written.number > seen and self._is_old(theirs, place, written, seen)
        }
        if old:
            both = {
                place: written
                for place, written in self._places.items()
                if written.number > seen and place not in old and _is_edited(theirs, place)
            }
            found.ids = {product_id for product_id, _ in (*old, *both)}
            found.file = _without(base, theirs, old | both)
            told = {place: each for place, each in old.items() if _is_told(theirs, place, each)}
            told |= both | (old if len(old) == 1 else {})
            found.places = len(old.keys() - told.keys())
            found.conflicts = [_conflict(theirs, place, each) for place, each in told.items()]
        return found

    def _is_old(self, theirs: ProductFile, place: _Place, written: _Written, seen: int) -> bool:
        product_id, name = place
        was = next(value for number, value in written.old.items() if number > seen)
        row = theirs.accepted.get(product_id)
        if row is not None and row.version is not None:
            return False  # It says itself what it knows.
        if name == _ROW:
            return (row is not None) == (was is not None) and product_id not in theirs.refused_ids
        return row is not None and same(flatten(row.document).get(name), was)


def _differences(old: Row | None, new: Row | None) -> Iterator[tuple[str, Json, Json]]:
    if old is not None and new is not None:
        if old.raw != new.raw:
            was, now = flatten(old.document), flatten(new.document)
            for name in was.keys() | now.keys():
                if not same(was.get(name), now.get(name)):
                    yield name, was.get(name), now.get(name)
    elif old is not None:
        yield _ROW, flatten(old.document), None
    elif new is not None:
        yield _ROW, None, flatten(new.document)


def _stands(file: ProductFile, place: _Place, written: _Written) -> bool:
    """Say whether the file has what was written there."""
    product_id, name = place
    row = file.accepted.get(product_id)
    if name == _ROW:
        return (row is None) == (written.new is None)
    return row is not None and same(flatten(row.document).get(name), written.new)


def _is_edited(theirs: ProductFile, place: _Place) -> bool:
    """Say whether a person has typed there or deleted the row, while the catalog wrote there."""
    product_id, name = place
    row = theirs.accepted.get(product_id)
    if row is None:
        return name != _ROW and product_id not in theirs.refused_ids
    return name != _ROW and row.version is None


def _is_told(theirs: ProductFile, place: _Place, written: _Written) -> bool:
    """Say whether it is a row that was edited after its product was deleted."""
    row = theirs.accepted.get(place[0])
    was = next(iter(written.old.values()))
    return (
        place[1] == _ROW
        and row is not None
        and not (isinstance(was, Mapping) and _same_row(was, row))
    )


def _same_row(was: Mapping[str, Json], row: Row) -> bool:
    now = flatten(row.document)
    return all(same(was.get(name), now.get(name)) for name in was.keys() | now.keys())


def _without(base: ProductFile, theirs: ProductFile, old: Mapping[_Place, _Written]) -> ProductFile:
    """Return *theirs* with what was written instead of the old values."""
    values: dict[str, Fields] = {}
    for (product_id, name), written in old.items():
        values.setdefault(product_id, {})[name] = written.new
    rows: list[Row] = []
    for row in theirs.rows:
        new = values.pop(row.id, None) if not row.refused else None
        if new is None:
            rows.append(row)
        elif _ROW not in new:
            rows.append(_filled(row, new))
    rows += [base.accepted[product_id] for product_id in values if product_id in base.accepted]
    return replace(theirs, rows=tuple(rows))


def _filled(row: Row, values: Fields) -> Row:
    fields = {**flatten(row.document), **values}
    document = assemble({name: each for name, each in fields.items() if each is not None})
    path = None if "category_id" in values else row.category_path
    return replace(row, raw=b"", document=document, category_path=path)


def _conflict(theirs: ProductFile, place: _Place, written: _Written) -> Conflict:
    product_id, name = place
    row = theirs.accepted.get(product_id)
    value = flatten(row.document).get(name) if row and name else (row.document if row else None)
    line = row.line if row else 0
    reason = ConflictReason.STALE_COPY
    if name == _ROW and written.new is None:
        reason = ConflictReason.DELETED_IN_CATALOG
    elif row is None:
        name, reason = _ROW, ConflictReason.DELETED_IN_FILE
    return Conflict(product_id, name, value, value, written.new, line, reason)

"""What rows said before this service wrote over them, to know a save of an older copy.

A person opens the file in a spreadsheet; the API changes a product, and the row in the file with
it; the person edits another row and saves. The spreadsheet has the old values still and writes them
back. Compared with the file as it was last written, that looks as if the person had undone what the
API did. So each write is remembered, and a save is asked which of the writes its copy had: the
number of writes is taken with which the person has done least, for what shows a write (a value that
the API wrote) and what shows the lack of it (the value before it) may each be a coincidence. A value
from before a later write was not typed, then, and is not taken.

Where several numbers explain a save equally well, what any of them takes for old is not taken, and
what not all of them do is reported as a conflict. So it is when somebody really wants such an old value again, while that is
the only thing that the service has written meanwhile.

This is remembered for as long as the service runs. A ``_version`` column says the same for certain.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import Final

from vitrina.adapters.product_file import Conflict, ProductFile, Row
from vitrina.adapters.product_file.flat import Fields, assemble, flatten, same
from vitrina.service_layer.documents import Json
from vitrina.service_layer.person_file import ConflictReason

CHANGES_MAX: Final = 10_000
"""How many values and rows that were written over are remembered, the latest ones."""

TIMES_MAX: Final = 1_000
"""How many of them at most in one place, so that a busy one does not drive out all others."""

_EDIT: Final = 1
_COINCIDENCE: Final = 2
"""What it takes to believe that a person has typed something, or just what the catalog wrote."""

_ROW: Final = ""
"""Instead of a field: the whole row, which was added (it had nothing before) or taken away."""

type _Place = tuple[str, str]


@dataclass(slots=True)
class _Written:
    """What was written into one place, the last time.

    Attributes:
        number: Of the write.
        old: Number of a write → what stood there before it, oldest first.
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
        added: Of rows that somebody has added, and the catalog meanwhile, too.
        conflicts: Those of which it is not certain that nobody wanted them.
    """

    file: ProductFile
    places: int = 0
    ids: set[str] = field(default_factory=set)
    added: set[str] = field(default_factory=set)
    conflicts: list[Conflict] = field(default_factory=list)


class Earlier:
    """Remembers the last writes into one product file."""

    def __init__(self) -> None:
        self._number = 0
        self._count = 0
        self._places: dict[_Place, _Written] = {}

    def note(self, before: ProductFile, after: ProductFile, ids: Iterable[str]) -> None:
        """Remember a write that concerned the rows of these products."""
        self._number += 1
        for product_id in ids:
            old, new = before.accepted.get(product_id), after.accepted.get(product_id)
            for name, was, now in _differences(old, new):
                self._note((product_id, name), was, now)
        while self._count > CHANGES_MAX:
            self._forget(next(iter(self._places)))

    def ids(self) -> set[str]:
        """Return whose rows were written over."""
        return {product_id for product_id, _ in self._places}

    def sort_out(self, base: ProductFile, theirs: ProductFile) -> Older:
        """Take from a save the values that are of an older copy.

        Args:
            base: The file as it was last written.
            theirs: As somebody has saved it.
        """
        found = Older(theirs)
        for place in [each for each in self._places if not _stands(base, each, self._places[each])]:
            self._forget(place)  # A person has edited it since, and knows what was written.
        save = _Save(theirs)
        telling = {place: each for place, each in self._places.items() if save.tells(place)}
        copies = _copies(telling, save)
        alike = {
            place: count
            for place, each in telling.items()
            if (count := save.count_old(place, each, copies))
        }
        old = {place: self._places[place] for place in alike}
        found.added = {
            place[0]
            for place, each in telling.items()
            if each.number > copies[0] and place not in old and save.adds(place, each)
        }
        if old:
            both = {
                place: each
                for place, each in self._places.items()
                if each.number > copies[0] and place not in old and save.is_edited(place, each.new)
            }
            found.ids = {product_id for product_id, _ in (*old, *both)}
            found.file = _without(base, theirs, old | both)
            told = {
                place: each
                for place, each in old.items()
                if len(old) == 1 or alike[place] < len(copies) or _is_told(theirs, place, each)
            }
            found.places = len(old.keys() - told.keys())
            found.conflicts = [_conflict(theirs, p, each) for p, each in (told | both).items()]
        return found

    def _note(self, place: _Place, was: Json, now: Json) -> None:
        known = self._places.pop(place, None)
        old = known.old if known and same(known.new, was) else {}
        self._count += 1 + len(old) - (len(known.old) if known else 0)
        old[self._number] = was
        if len(old) > TIMES_MAX:
            del old[next(iter(old))]
            self._count -= 1
        self._places[place] = _Written(self._number, old, now)

    def _forget(self, place: _Place) -> None:
        self._count -= len(self._places.pop(place).old)


class _Save:
    """What somebody has saved, place by place."""

    def __init__(self, file: ProductFile) -> None:
        self._file = file
        self._fields: dict[str, Fields] = {}

    def tells(self, place: _Place) -> bool:
        """Say whether this place may tell one copy from another."""
        row = self._file.accepted.get(place[0])
        if row is None:
            return place[1] == _ROW and place[0] not in self._file.refused_ids
        return row.version is None  # Else it says itself what it knows.

    def has(self, place: _Place, value: Json) -> bool:
        """Say whether it has this value; for a row only: whether it has one, as *value* has."""
        product_id, name = place
        if name == _ROW:
            return (product_id in self._file.accepted) == (value is not None)
        return same(self._of(product_id).get(name), value)

    def shows(self, place: _Place, value: Json) -> bool:
        """Say whether it has just this value, for a row in all its fields."""
        if place[1] != _ROW or not isinstance(value, Mapping) or not self.has(place, value):
            return self.has(place, value)
        now = self._of(place[0])
        return all(same(value.get(name), now.get(name)) for name in value.keys() | now.keys())

    def count_old(self, place: _Place, written: _Written, copies: Sequence[int]) -> int:
        """Return in how many of the copies there stood just this, and was written over since."""
        count = start = 0
        for number, value in written.old.items():
            end = bisect_left(copies, number)
            if end > start and self.has(place, value):
                count += end - start
            start = end
        return count

    def adds(self, place: _Place, written: _Written) -> bool:
        """Say whether it has a row that is another than the one that was written there."""
        is_row = place[1] == _ROW and written.new is not None
        return is_row and self.has(place, written.new) and not self.shows(place, written.new)

    def is_edited(self, place: _Place, new: Json) -> bool:
        """Say whether a person has typed there, or deleted the row, while the catalog wrote."""
        product_id, name = place
        if name == _ROW or product_id in self._file.refused_ids:
            return False
        row = self._file.accepted.get(product_id)
        return row is None or (row.version is None and not self.has(place, new))

    def _of(self, product_id: str) -> Fields:
        found = self._fields.get(product_id)
        if found is None:
            found = self._fields[product_id] = flatten(self._file.accepted[product_id].document)
        return found


def _copies(places: Mapping[_Place, _Written], save: _Save) -> list[int]:
    """Return which copy was saved: the numbers of the last write in it that fit best, ascending.

    A number fits the better, the less a person must have done to a copy that had the writes up to
    it. To type just what the catalog has written, unseen, is the least likely; but a row that is gone
    on both sides says nothing.
    """
    steps: dict[int, int] = {0: 0}  # Number → how much more was done to a copy from there on.
    for place, written in places.items():
        contents = [*written.old.values(), written.new]
        before = 0
        for number, effort in zip([0, *written.old], _efforts(place, contents, save), strict=True):
            steps[number] = steps.get(number, 0) + effort - before
            before = effort
    numbers = sorted(steps)
    efforts = list(accumulate(steps[number] for number in numbers))
    least = min(efforts)
    return [number for number, effort in zip(numbers, efforts, strict=True) if effort == least]


def _efforts(place: _Place, contents: Sequence[Json], save: _Save) -> list[int]:
    """Return for each of the contents, oldest first, what it takes to make the saved one of it."""
    efforts: list[int] = []
    otherwise = _EDIT
    for each in reversed(contents):
        is_there = save.has(place, each)
        is_shown = is_there and save.shows(place, each)
        efforts.append(0 if is_shown else _EDIT if is_there else otherwise)
        if is_there and each is not None:
            otherwise = _COINCIDENCE
        elif is_there and place[1] == _ROW:
            otherwise = 0
    return efforts[::-1]


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
        elif new[_ROW] is not None and row.id in base.accepted:
            rows.append(base.accepted[row.id])  # It was deleted, and another one was written.
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

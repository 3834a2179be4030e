"""Columns: what each document has in a field, in an array.

The engine counts a facet anew for each question, in 0.1 to 0.4 ms however little matches. Where it is
known by number which documents match, a column tells the same by looking at these alone. A column is made once for each state of the index
when so much was asked for its field that this is paid (see :mod:`~vitrina.adapters.index.keeping`), and a
part of it at a time, so that no question waits for all of it. Until then the engine counts.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Final

import numpy as np
import tantivy
from numpy.typing import NDArray
from tantivy import Query

from vitrina.adapters.index import counts
from vitrina.adapters.index.documents import Documents, Numbers, Places
from vitrina.adapters.index.encoding import escape, value_term
from vitrina.adapters.index.lineages import Counts, Lineages, most
from vitrina.adapters.index.narrowing import Narrowing
from vitrina.adapters.index.rows import Value
from vitrina.adapters.index.tallies import VALUES_MAX, Tally, TooManyValues
from vitrina.service_layer.documents import Document, Json
from vitrina.service_layer.queries import ATTRIBUTE_PREFIX, Facet, FieldKind, kind_of

PAID: Final = 250
"""How many documents of a column each question for its field pays for: to look at one takes 0.2 µs, so this is
less than a question for the field takes the engine."""

PART: Final = 10_000
"""About how many documents are looked at for one question: about 2 ms."""

TERM: Final = 30
"""As many documents more are counted for each value: to ask for one takes 6 µs."""

COMMONEST: Final = 200_000
"""A field one of whose values more products have gets no column: the engine gives them all at once."""

FIELDS_MAX: Final = 1_024
"""How many fields are counted how often they were asked for."""

BYTES_MAX: Final = 64 * 2**20
"""How much the columns of a state take of the memory; for further fields the engine counts."""

type Told = tuple[Json, Document | None]
"""A facet, and the extremes of its numbers where it has them beside its values."""


@dataclass(frozen=True, slots=True)
class Codes:
    """Which of some values documents have.

    Attributes:
        codes: For each document the number of a value, from 1 on; 0 for none.
        further: Documents that have several values.
        further_codes: For each of these a value beside the one in *codes*.
        values: How many there are.
    """

    codes: NDArray[np.int32]
    further: Numbers
    further_codes: NDArray[np.int32]
    values: int

    @property
    def nbytes(self) -> int:
        """How many bytes the arrays take."""
        return self.codes.nbytes + self.further.nbytes + self.further_codes.nbytes

    def count(self, documents: Places) -> Counts:
        """Return for each value how many of the documents have it."""
        counted = np.bincount(self.codes[documents], minlength=self.values + 1)
        if self.further.size:
            asked = np.zeros(len(self.codes), np.bool_)
            asked[documents] = True
            codes = self.further_codes[asked[self.further]]
            counted += np.bincount(codes, minlength=self.values + 1)
        return counted[1:]


@dataclass(frozen=True, slots=True)
class Keywords:
    """A column of a keyword; its values ascend."""

    codes: Codes
    values: Sequence[str]

    @property
    def nbytes(self) -> int:
        return self.codes.nbytes

    def tell(self, documents: Places, facet: Facet) -> Told:
        counted = self.codes.count(documents)
        if facet.matching is None:
            return [{"value": self.values[n], "count": count} for n, count in most(counted)], None
        held = np.flatnonzero(counted)
        named = {self.values[n]: int(counted[n]) for n in held.tolist()}
        return counts.terms(named, facet), None


@dataclass(frozen=True, slots=True)
class Filed:
    """The column of the categories, by their numbers."""

    codes: Codes
    lineages: Lineages

    @property
    def nbytes(self) -> int:
        return self.codes.nbytes

    def tell(self, documents: Places, facet: Facet) -> Told:
        return self.lineages.facet(self.codes.count(documents), facet), None


@dataclass(frozen=True, slots=True)
class Attributes:
    """A column of an attribute."""

    codes: Codes
    values: Sequence[Value]

    @property
    def nbytes(self) -> int:
        return self.codes.nbytes

    def tell(self, documents: Places, facet: Facet) -> Told:
        counted = self.codes.count(documents)
        held = {self.values[n]: int(counted[n]) for n in np.flatnonzero(counted).tolist()}
        return counts.attribute(held, facet), counts.attribute_stats(held)


@dataclass(frozen=True, slots=True)
class Numeric:
    """A column of a number.

    Attributes:
        field: ``price``, ``quantity`` or ``rating``.
        numbers: As rows have them; 0 where there is none.
        steps: In which bucket each is, from 1 on; 0 where there is none.
    """

    field: str
    numbers: NDArray[np.int64 | np.float64]
    steps: NDArray[np.int8]

    @property
    def nbytes(self) -> int:
        return self.numbers.nbytes + self.steps.nbytes

    def tell(self, documents: Places, facet: Facet) -> Told:
        steps = self.steps[documents]
        held = np.bincount(steps)
        numbers = self.numbers[documents]
        if held[:1].any():
            numbers = numbers[steps > 0]
        if not numbers.size:
            return counts.numbers(facet.field, {}), None
        by_step = {n - 1: int(held[n]) for n in np.flatnonzero(held).tolist() if n}
        lowest, highest = numbers.min().item(), numbers.max().item()
        return counts.number_facet(facet.field, lowest, highest, by_step), None


type Column = Keywords | Filed | Attributes | Numeric

type _Making[Made] = Generator[int, None, Made]
"""Makes something, and yields how many documents it has looked at since it did so last."""


@dataclass(slots=True)
class _Wanted:
    """A column that is not made yet."""

    asked: int = 0
    making: _Making[Column | None] | None = None


class Columns:
    """The columns of one state of the index. Safe to use from several threads."""

    def __init__(
        self,
        searcher: tantivy.Searcher,
        narrowing: Narrowing,
        documents: Documents,
        lineages: Lineages,
    ) -> None:
        self._searcher = searcher
        self._narrowing = narrowing
        self._documents = documents
        self._lineages = lineages
        self._made: dict[str, Column | None] = {}
        self._wanted: dict[str, _Wanted] = {}
        self._room = BYTES_MAX
        self._lock = Lock()

    def tell(self, documents: Places, facets: Sequence[Facet]) -> dict[str, Told]:
        """Return the facets of some documents, by field, but for those that the engine is to count."""
        known = [(each, self._find(each.field)) for each in facets]
        return {
            each.field: column.tell(documents, each) for each, column in known if column is not None
        }

    def _find(self, field: str) -> Column | None:
        """Return the column of a field; None as long as the engine is to count it."""
        if field in self._made:
            return self._made[field]
        # Nobody waits for somebody else who makes columns.
        if not self._lock.acquire(blocking=False):
            return None
        try:
            self._make(field)
        finally:
            self._lock.release()
        return self._made.get(field)

    def _make(self, field: str) -> None:
        """Make a part of a column, if it is paid for."""
        if len(self._wanted) + len(self._made) >= FIELDS_MAX and field not in self._wanted:
            return
        wanted = self._wanted.setdefault(field, _Wanted())
        wanted.asked += 1
        if wanted.asked * PAID < self._documents.size:
            return
        if wanted.making is None:
            wanted.making = self._column(field)
        done = 0
        while done < PART:
            try:
                done += next(wanted.making)
            except StopIteration as made:
                del self._wanted[field]
                self._keep(field, made.value)
                return

    def _keep(self, field: str, column: Column | None) -> None:
        if column is not None and column.nbytes > self._room:
            column = None
        if column is not None:
            self._room -= column.nbytes
        self._made[field] = column

    def _column(self, field: str) -> _Making[Column | None]:
        match kind_of(field):
            case FieldKind.NUMBER:
                return (yield from self._numeric(field))
            case FieldKind.CATEGORY:
                codes = yield from self._codes(field, list(self._lineages.numbers))
                return None if codes is None else Filed(codes, self._lineages)
            case FieldKind.ATTRIBUTE:
                return (yield from self._attributes(field))
            case _:
                found = self._searcher.terms_with_prefix(field, "", limit=VALUES_MAX + 1)
                values = sorted(value for value, _ in found)
                codes = yield from self._codes(field, values)
                return None if codes is None else Keywords(codes, values)

    def _attributes(self, field: str) -> _Making[Column | None]:
        name = escape(field.removeprefix(ATTRIBUTE_PREFIX))
        try:
            found = Tally(self._searcher, self._lineages).attribute_values(Query.all_query(), name)
        except TooManyValues:
            return None
        terms = list(map(value_term, found))
        codes = yield from self._codes(f"a.{name}", terms)
        return None if codes is None else Attributes(codes, list(found))

    def _codes(self, field: str, terms: Sequence[str]) -> _Making[Codes | None]:
        """Make codes of the terms of a field of the engine; None where that takes too long."""
        codes = np.zeros(self._documents.size, np.int32)
        further: list[tuple[Numbers, int]] = []
        if not 0 < len(terms) <= VALUES_MAX:
            return None
        for code, term in enumerate(terms, 1):
            having = self._searcher.doc_freq(field, term)
            if having > COMMONEST:
                return None
            if not having:
                continue
            query = Query.term_query(self._narrowing.schema, field, term, index_option="basic")
            documents, _ = self._documents.search(Query.const_score_query(query, 1.0), having)
            again = codes[documents] != 0
            if again.any():
                further.append((documents[again], code))
                documents = documents[~again]
            codes[documents] = code
            yield having + TERM
        several = [each for each, _ in further]
        repeated = [np.full(len(each), code, np.int32) for each, code in further]
        nothing = np.zeros(0, np.int32)
        return Codes(
            codes,
            np.concatenate([nothing, *several]),
            np.concatenate([nothing, *repeated]),
            len(terms),
        )

    def _numeric(self, field: str) -> _Making[Column]:
        size = self._documents.size
        exact = np.float64 if field == "rating" else np.int64
        numbers: NDArray[np.int64 | np.float64] = np.zeros(size, exact)
        steps = np.zeros(size, np.int8)
        bounds = np.array(counts.steps_of(field), exact)
        for first in range(0, size, PART):
            part = range(first, min(first + PART, size))
            found = self._searcher.fast_field_values(field, self._documents.addresses(part))
            known = np.array([each is not None for each in found])
            numbers[part] = [each or 0 for each in found]
            steps[part] = np.where(known, bounds.searchsorted(numbers[part], side="right"), 0)
            yield len(part)
        return Numeric(field, numbers, steps)

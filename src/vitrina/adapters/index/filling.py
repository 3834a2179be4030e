"""Columns are made when enough was asked of the engine for their fields, and part by part.

A column is made once for each state of the index, when so much was asked for its field that this is paid (see
:mod:`~vitrina.adapters.index.keeping`), and a part of it at a time, so that no question waits for all of it. Until then
the engine is asked.
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
from vitrina.adapters.index.columns import (
    Attributes,
    Codes,
    Column,
    Filed,
    Keywords,
    Met,
    Numeric,
    Told,
)
from vitrina.adapters.index.documents import Documents, Numbers, Places
from vitrina.adapters.index.encoding import escape, value_term
from vitrina.adapters.index.lineages import Lineages
from vitrina.adapters.index.narrowing import Narrowing
from vitrina.adapters.index.schema import IDENTIFIERS
from vitrina.adapters.index.tallies import VALUES_MAX, Tally, TooManyValues
from vitrina.service_layer.queries import ATTRIBUTE_PREFIX, Facet, FieldKind, Filter, kind_of

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

_UNTOLD: Final = frozenset({FieldKind.TIME, FieldKind.ATTRIBUTE})
"""Fields of these kinds are filtered by the engine alone."""

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

    def meet(self, documents: Places, asked: Filter) -> Met | None:
        """Say which of some documents meet a filter; None where that is told by no column."""
        if kind_of(asked.field) in _UNTOLD or asked.field in IDENTIFIERS:
            return None
        column = self._find(asked.field)
        return None if column is None else column.meet(documents, asked)

    def _find(self, field: str) -> Column | None:
        """Return the column of a field; None as long as the engine is to be asked."""
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

"""Filters as queries of the search engine."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import tantivy
from tantivy import FieldType, Occur, Query

from vitrina.adapters.index import encoding
from vitrina.adapters.index.conditions import Operand, bound, subtrees
from vitrina.adapters.index.schema import USUAL
from vitrina.domain.category import CategoryTree
from vitrina.service_layer.queries import (
    ATTRIBUTE_PREFIX,
    FieldKind,
    Filter,
    Operator,
    kind_of,
)

type Bonus = tuple[Occur, Query]
"""A clause that adds to the worth of what meets it."""

_INTEGER_MAX: Final = 2**63 - 1
_LOWEST, _HIGHEST = "0" * 16, "f" * 16


def all_of(queries: Sequence[Query]) -> Query:
    """Return what meets every query; everything when there is none."""
    match queries:
        case []:
            return Query.all_query()
        case [only]:
            return only
        case _:
            return Query.boolean_query([(Occur.Must, each) for each in queries])


def any_of(queries: Sequence[Query]) -> Query:
    """Return what meets at least one of the queries; nothing when there is none."""
    match queries:
        case []:
            return Query.empty_query()
        case [only]:
            return only
        case _:
            return Query.boolean_query([(Occur.Should, each) for each in queries])


def without(query: Query) -> Query:
    """Return everything that does not meet *query*."""
    return Query.boolean_query([(Occur.Must, Query.all_query()), (Occur.MustNot, query)])


def scored(required: Query, constant: float, bonuses: Iterable[Bonus]) -> Query:
    """Return what meets a query, each match with the sum of what it is worth.

    Args:
        required: The query.
        constant: What each match is worth.
        bonuses: What some are worth beside that.
    """
    base = Query.const_score_query(required, constant)
    return Query.boolean_query([(Occur.Must, base), *bonuses])


def bonuses(optional: Iterable[tuple[Query, float]], *, wide: bool = False) -> list[Bonus]:
    """Return clauses that add to the worth of a match, and leave no match out.

    Args:
        optional: Queries, with what it is worth to meet each.
        wide: They meet little else than the matches: then they are read as one union. Otherwise each is
            only asked about the matches, as a union costs what its longest list is long, however few match.
    """
    others = [(Occur.Should, Query.const_score_query(held, worth)) for held, worth in optional]
    if wide:
        return others
    everything = (Occur.Must, Query.const_score_query(Query.all_query(), 0.0))
    return [(Occur.Must, Query.boolean_query([everything, each])) for each in others]


def count(searcher: tantivy.Searcher, query: Query) -> int:
    """Return how many products meet a query."""
    found = searcher.search(query, 1).count  # type: ignore[attr-defined] # its stub leaves it out
    return int(found)


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Makes queries of filters, for one schema and the categories of one moment."""

    schema: tantivy.Schema
    tree: CategoryTree

    def query(self, filters: Iterable[Filter]) -> Query:
        """Return what meets all filters."""
        return all_of([self._one(each) for each in filters])

    def has(self, field: str) -> Query:
        """Return what has a value of a field."""
        return without(self.lacks(field)) if field in USUAL else self.term("has", field)

    def lacks(self, field: str) -> Query:
        """Return what has no value of a field."""
        return self.term("lacks", field) if field in USUAL else without(self.has(field))

    def term(self, field: str, value: str) -> Query:
        """Return what holds exactly this term."""
        return Query.term_query(self.schema, field, value, index_option="basic")

    def value(self, name: str, term: str, *, field: str = "a") -> Query:
        """Return what holds this value of an attribute, both as the index writes them."""
        return Query.term_query(self.schema, f"{field}.{name}", term, index_option="basic")

    def _one(self, asked: Filter) -> Query:
        match asked.operator:
            case Operator.EXISTS:
                return self.has(asked.field) if asked.values[0] else self.lacks(asked.field)
            case Operator.NE:
                return without(self._any(asked, Operator.EQ))
            case operator:
                return self._any(asked, operator)

    def _any(self, asked: Filter, operator: Operator) -> Query:
        field = asked.field
        match kind_of(field):
            case FieldKind.KEYWORD:
                return self._terms(field, list(map(str, asked.values)))
            case FieldKind.CATEGORY:
                return self._terms(field, sorted(subtrees(asked.values, self.tree)))
            case FieldKind.ATTRIBUTE:
                name = encoding.escape(field.removeprefix(ATTRIBUTE_PREFIX))
                operands = [Operand.of(str(each)) for each in asked.values]
                return any_of(
                    [each for one in operands for each in self._attribute(name, operator, one)]
                )
            case _:
                bounds = [bound(field, each) for each in asked.values]
                return any_of([self.number(field, operator, each) for each in bounds])

    def _terms(self, field: str, values: list[str]) -> Query:
        # A union of terms is found far sooner than the engine's own set of terms.
        return any_of([self.term(field, each) for each in values])

    def number(self, field: str, operator: Operator, value: float) -> Query:
        """Return what has a number on this side of *value* in a field."""
        if field == "rating":
            return self._range(field, FieldType.Float, *_sides(operator, value))
        low, high = whole_sides(operator, value)
        if low is not None and high is not None and low > high:
            return Query.empty_query()
        if low is not None and abs(low) > _INTEGER_MAX:
            return Query.empty_query() if low > 0 else self.has(field)
        if high is not None and abs(high) > _INTEGER_MAX:
            return Query.empty_query() if high < 0 else self.has(field)
        return self._range(field, FieldType.Integer, low, high)

    def _range(
        self,
        field: str,
        kind: FieldType,
        low: float | None,
        high: float | None,
        include_low: bool = True,  # noqa: FBT001, FBT002 - as the engine has it
        include_high: bool = True,  # noqa: FBT001, FBT002
    ) -> Query:
        return Query.range_query(
            self.schema,
            field,
            kind,
            lower_bound=low,
            upper_bound=high,
            include_lower=include_low,
            include_upper=include_high,
        )

    def _attribute(self, name: str, operator: Operator, operand: Operand) -> Iterable[Query]:
        """Yield queries for the ways in which the operand can be read."""
        if operator is Operator.EQ:
            yield self.value(name, encoding.value_term(operand.text))
            if operand.boolean is not None:
                yield self.value(name, encoding.value_term(operand.boolean))
        if operand.number is not None:
            digits = encoding.hexadecimal(operand.number)
            yield self._numbers(encoding.own_term(name, ""), operator, digits)
        if operand.measure is not None:
            dimension, size = operand.measure
            digits = encoding.hexadecimal(size)
            yield self._numbers(encoding.size_term(name, dimension, ""), operator, digits)

    def _numbers(self, start: str, operator: Operator, digits: str) -> Query:
        """Return what has a number on this side of *digits*, behind *start*."""
        if operator is Operator.EQ:
            return self.term("numbers", start + digits)
        value = int(digits, 16)
        low, high = _LOWEST, _HIGHEST
        match operator:
            case Operator.GT:
                low = f"{value + 1:016x}"
            case Operator.GTE:
                low = digits
            case Operator.LT:
                high = f"{value - 1:016x}"
            case _:
                high = digits
        return Query.regex_query(self.schema, "numbers", f"{start}({encoding.between(low, high)})")


def whole_sides(operator: Operator, value: float) -> tuple[int | None, int | None]:
    """Return the least and the greatest whole number on this side of *value*; None is no bound."""
    match operator:
        case Operator.EQ:
            return math.ceil(value), math.floor(value)
        case Operator.GT:
            return math.floor(value) + 1, None
        case Operator.GTE:
            return math.ceil(value), None
        case Operator.LT:
            return None, math.ceil(value) - 1
        case _:
            return None, math.floor(value)


def _sides(operator: Operator, value: float) -> tuple[float | None, float | None, bool, bool]:
    """Return the bounds that an operator sets, and whether they belong to what is asked for."""
    match operator:
        case Operator.EQ:
            return value, value, True, True
        case Operator.GT:
            return value, None, False, True
        case Operator.GTE:
            return value, None, True, True
        case Operator.LT:
            return None, value, True, False
        case _:
            return None, value, True, True

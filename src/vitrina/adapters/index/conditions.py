"""When a product meets a filter."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from vitrina.adapters.index.rows import Measured, Row, Value, microseconds, scaled
from vitrina.domain.attributes import Measure
from vitrina.domain.category import CategoryTree
from vitrina.domain.units import comparable, parse_quantity
from vitrina.service_layer.queries import FieldKind, Filter, FilterValue, Operator, kind_of

type Condition = Callable[[Row], bool]
type _Test = Callable[[Value], bool]

_COMPARE: Final[Mapping[Operator, Callable[[float, float], bool]]] = {
    Operator.GT: operator.gt,
    Operator.GTE: operator.ge,
    Operator.LT: operator.lt,
    Operator.LTE: operator.le,
    Operator.EQ: operator.eq,
    Operator.NE: operator.eq,  # The negation is the filter's, not the value's.
}


def condition(asked: Filter, tree: CategoryTree) -> Condition:
    """Return the test of a row that *asked* describes; categories are those of *tree*."""
    field = asked.field
    if asked.operator is Operator.EXISTS:
        wanted = asked.values[0]
        return lambda row: (field in row.values) is wanted
    test = _test(asked, tree)
    if asked.operator is Operator.NE:
        return lambda row: not any(map(test, row.values.get(field, ())))
    return lambda row: any(map(test, row.values.get(field, ())))


def _test(asked: Filter, tree: CategoryTree) -> _Test:
    """Return the test of one value of the field."""
    kind = kind_of(asked.field)
    if kind is FieldKind.KEYWORD:
        return frozenset(map(str, asked.values)).__contains__
    if kind is FieldKind.CATEGORY:
        return subtrees(asked.values, tree).__contains__
    if kind is FieldKind.ATTRIBUTE:
        tests = [_attribute_test(asked.operator, Operand.of(str(each))) for each in asked.values]
        return lambda value: any(test(value) for test in tests)
    compare = _COMPARE[asked.operator]
    bounds = [bound(asked.field, each) for each in asked.values]
    return lambda value: (
        isinstance(value, int | float) and any(compare(value, each) for each in bounds)
    )


def subtrees(ids: tuple[FilterValue, ...], tree: CategoryTree) -> frozenset[str]:
    """Return the ids of the categories and of everything below them."""
    return frozenset[str]().union(*(tree.subtree(str(each)) | {str(each)} for each in ids))


def bound(field: str, value: FilterValue) -> float:
    """Return a filter's number or time as the rows of *field* have it.

    What is between two prices or quantities that can be stands as a double between them, too.
    """
    match value:
        case datetime():
            return microseconds(value)
        case Decimal():
            exact = scaled(value) if field == "price" else value
            whole = int(exact)
            if exact == whole:
                return whole
            if field == "rating":
                return float(value)
            return whole + (0.5 if exact > 0 else -0.5)
        case _:
            raise TypeError(f"{value!r} is no bound")


@dataclass(frozen=True, slots=True)
class Operand:
    """The text of an attribute filter, read in every way that an attribute's value may need.

    Attributes:
        text: As it is.
        boolean: For ``true`` and ``false``.
        number: The nearest double of a bare number.
        measure: Dimension and size of a number with a unit.
    """

    text: str
    boolean: bool | None
    number: float | None
    measure: tuple[str, float] | None

    @classmethod
    def of(cls, text: str) -> "Operand":
        """Read the text of a filter."""
        boolean = {"true": True, "false": False}.get(text)
        quantity = parse_quantity(text)
        if quantity is None:
            return cls(text, boolean, None, None)
        number, unit = quantity
        if not unit:
            return cls(text, boolean, number, None)
        return cls(text, boolean, None, comparable(Measure(number, unit)))


def _attribute_test(asked: Operator, operand: Operand) -> _Test:
    compare = _COMPARE[asked]
    equality = asked in {Operator.EQ, Operator.NE}
    measure, number = operand.measure, operand.number

    def test(value: Value) -> bool:
        match value:
            case str():
                return equality and value == operand.text
            case bool():
                return equality and operand.boolean is value
            case Measured() if measure is not None:
                return value.dimension == measure[0] and compare(value.size, measure[1])
            case Measured() if number is not None:
                return compare(value.own, number)
            case _:
                return False

    return test

"""Catalogs to search, and a second opinion on what a search must find.

The second opinion evaluates a query on the documents as clients see them, by the words of ``queries.py``
and in the plainest way: no row, key or table of an index is used.
"""

import itertools
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cmp_to_key
from typing import Final

from hypothesis import strategies as st

from tests.builders import eur
from vitrina.adapters.memory import MemoryCatalog
from vitrina.domain.attributes import AttributeValue, Measure
from vitrina.domain.category import Category
from vitrina.domain.product import Availability, Condition, Product, Rating, Status
from vitrina.domain.text import fold
from vitrina.service_layer.ports import ProductIndex
from vitrina.service_layer.queries import (
    SORT_FIELDS,
    Filter,
    FilterValue,
    Operator,
    ProductQuery,
    Sort,
)

TREE: Final = (
    Category(id="home", name="Home"),
    Category(id="lamps", name="Lamps", parent_id="home"),
    Category(id="desk-lamps", name="Desk lamps", parent_id="lamps"),
    Category(id="toys", name="Toys"),
)

_CONVERSIONS: Final = {
    "cm": ("length", Fraction(1)),
    "m": ("length", Fraction(100)),
    "in": ("length", Fraction(254, 100)),
    "kg": ("mass", Fraction(1)),
    "lb": ("mass", Fraction(45359237, 10**8)),
}


START: Final = datetime(2026, 1, 1, tzinfo=UTC)
STEP: Final = timedelta(minutes=1)


type _Held = AttributeValue | Decimal | datetime


class Clock:
    """A clock that moves on by a minute whenever it is looked at."""

    def __init__(self, start: datetime = START) -> None:
        self.now = start

    def __call__(self) -> datetime:
        self.now += STEP
        return self.now


def new_catalog() -> MemoryCatalog:
    """Return a catalog with the categories of :data:`TREE`."""
    catalog = MemoryCatalog(clock=Clock())
    with catalog.unit_of_work() as uow:
        for category in TREE:
            uow.categories.save(category)
        uow.commit()
    return catalog


def things(count: int) -> MemoryCatalog:
    """Return a catalog with ``product-0``, a "Thing 0", and so on."""
    catalog = new_catalog()
    put(catalog, *(Product(id=f"product-{n}", title=f"Thing {n}") for n in range(count)))
    return catalog


def put(catalog: MemoryCatalog, *products: Product) -> None:
    """Create or replace products, in one commit."""
    with catalog.unit_of_work() as uow:
        for product in products:
            if uow.products.stored(product.id) is None:
                uow.products.save(product.created())
            else:
                uow.products.save(uow.products.get(product.id).become(product))
        uow.commit()


def remove(catalog: MemoryCatalog, product_id: str) -> None:
    """Delete a product if it exists."""
    with catalog.unit_of_work() as uow:
        if uow.products.stored(product_id) is not None:
            uow.products.remove(uow.products.get(product_id).removed())
            uow.commit()


def all_products(catalog: MemoryCatalog) -> list[Product]:
    """Return every product of the catalog."""
    with catalog.unit_of_work() as uow:
        return [uow.products.get(each.id) for each in catalog.view.snapshot()[1]]


def may_become(catalog: MemoryCatalog, target: Product) -> bool:
    """Say whether the life cycle allows a write."""
    present = {each.id: each.status for each in all_products(catalog)}
    return (present.get(target.id), target.status) != (Status.ARCHIVED, Status.DRAFT)


def follow(index: ProductIndex, query: ProductQuery) -> list[str]:
    """Return the ids on all pages of a query."""
    found: list[str] = []
    while True:
        hits = index.search(query)
        found.extend(hits.ids)
        if hits.next is None:
            return found
        assert len(hits.ids) == query.limit
        query = replace(query, after=hits.next)


# Values are few, so that they meet; some differ only in what must not matter, or must.
_TITLES = ("Éclair lamp", "eclair lamp", "ECLAIR LAMP", "Zebra", "äpfel", "Apfel", "100 lamps", "ß")
_NUMBERS = st.sampled_from([0, 1, -1, 2, 2.0, 0.1, 40, 1e300, -0.5])
_MEASURES = st.builds(
    Measure, st.sampled_from([1, 100, 2.54, 0.01, 40, 254]), st.sampled_from(["m", "cm", "in"])
) | st.builds(Measure, st.sampled_from([1, 2.5]), st.sampled_from(["kg", "lb", "dots", "Dots"]))
_TEXTS = st.sampled_from(["red", "Red", "true", "1", "1 m", "a b", "é", ""])
_LISTS = st.lists(_TEXTS, max_size=3).map(tuple)
_ATTRIBUTES: st.SearchStrategy[AttributeValue] = (
    _NUMBERS | _MEASURES | _TEXTS | _LISTS | st.booleans()
)

IDS: Final = (*"abcdefgh", "A", "B", "~", "-", "10", "9")


def maybe[T](values: st.SearchStrategy[T]) -> st.SearchStrategy[T | None]:
    """Return a strategy that also yields None."""
    return st.none() | values


PRODUCTS: Final = st.builds(
    Product,
    id=st.sampled_from(IDS),
    title=st.sampled_from(_TITLES),
    status=st.sampled_from(Status),
    brand=maybe(st.sampled_from(["Acme", "acme", "Zoë", "Æ"])),
    category_id=maybe(st.sampled_from([each.id for each in TREE])),
    condition=st.sampled_from(Condition),
    price=maybe(st.sampled_from(["0", "1.99", "2", "2.00", "10", "999999999999.99"]).map(eur)),
    quantity=maybe(st.sampled_from([0, 1, 7, 2**53 - 1])),
    availability=maybe(st.sampled_from(Availability)),
    tags=st.lists(st.sampled_from(["new", "sale", "é"]), max_size=3).map(tuple),
    rating=maybe(st.builds(Rating, st.sampled_from([0, 5, 4.5, 0.1]), st.just(3))),
    attributes=st.dictionaries(st.sampled_from(["size", "color", "x.y [z]"]), _ATTRIBUTES),
)

_TEXT_FILTERS: Final[dict[str, Sequence[str]]] = {
    "brand": ["Acme", "acme", "Zoë", "none"],
    "category": [*(each.id for each in TREE), "none"],
    "status": list(Status),
    "condition": list(Condition),
    "availability": list(Availability),
    "tag": ["new", "sale", "é"],
    "sku": ["none"],
}
_NUMBER_FILTERS: Final = {
    "price": ["0", "1.99", "2.00001", "2", "10", "-1", "999999999999.99"],
    "quantity": ["0", "1", "6.5", "7", "-0.5", "9007199254740991"],
    "rating": ["0", "0.1", "4.5", "4.50001", "5"],
}
_OPERANDS = ["red", "Red", "true", "false", "1", "2", "2.0", "0.1", "40", "1 m", "100 cm", "1m"]
_OPERANDS += ["2.54 cm", "1 in", "2.5 kg", "1 dots", "1 DOTS", "a b", "-0.5", "é"]
_RANGES = [Operator.GT, Operator.GTE, Operator.LT, Operator.LTE]
_EQUALITIES = [Operator.EQ, Operator.NE]


def _filters(
    fields: Iterable[str], operators: Sequence[Operator], values: st.SearchStrategy[FilterValue]
) -> st.SearchStrategy[Filter]:
    return st.builds(
        Filter,
        st.sampled_from(sorted(fields)),
        st.sampled_from(operators),
        st.lists(values, min_size=1, max_size=3 if operators == _EQUALITIES else 1).map(tuple),
    )


def _each_filter() -> st.SearchStrategy[Filter]:
    attributes = ["attributes.size", "attributes.color", "attributes.x.y [z]", "attributes.none"]
    every = [*_TEXT_FILTERS, *_NUMBER_FILTERS, *attributes, "created_at", "gtin"]
    strategies = [_filters(every, [Operator.EXISTS], st.booleans())]
    for name, texts in _TEXT_FILTERS.items():
        strategies.append(
            _filters([name], _EQUALITIES, st.sampled_from([str(each) for each in texts]))
        )
    for name, numbers in _NUMBER_FILTERS.items():
        for operators in (_RANGES, _EQUALITIES):
            values = st.sampled_from(numbers).map(Decimal)
            strategies.append(_filters([name], operators, values))
    times = st.integers(0, 20).map(lambda n: START + n * STEP)
    for operators in (_RANGES, _EQUALITIES):
        strategies.append(_filters(["created_at", "updated_at"], operators, times))
        strategies.append(_filters(attributes, operators, st.sampled_from(_OPERANDS)))
    return st.one_of(strategies)


FILTERS: Final = _each_filter()
SORTS: Final = st.builds(
    Sort,
    st.sampled_from([*SORT_FIELDS, "id", "attributes.size", "attributes.color", "attributes.none"]),
    st.booleans(),
)


def expected_ids(products: Iterable[Product], query: ProductQuery) -> list[str]:
    """Return the ids that all pages of a query without a text must have, in order."""
    found = [each for each in products if all(meets(each, asked) for asked in query.filters)]
    sort = query.order

    def compare(left: Product, right: Product) -> int:
        mine, other = _sorted_by(left, sort.field), _sorted_by(right, sort.field)
        tie = (left.id > right.id) - (left.id < right.id)
        if sort.field == "id":
            return -tie if sort.descending else tie
        if mine is None or other is None:
            return tie if mine is other else (1 if mine is None else -1)
        if mine == other:
            return tie
        before = mine > other if sort.descending else mine < other
        return -1 if before else 1

    return [each.id for each in sorted(found, key=cmp_to_key(compare))]


def expected_counts(products: Iterable[Product], query: ProductQuery, field: str) -> Counter[_Held]:
    """Return the values of a field among what matches but for the filters on that field."""
    counts: Counter[_Held] = Counter()
    for product in products:
        if all(meets(product, each) for each in query.filters if each.field != field):
            counts.update(set(_held(product, field)))
    return counts


def meets(product: Product, asked: Filter) -> bool:
    """Say whether a product meets a filter."""
    held = _held(product, asked.field)
    match asked.operator:
        case Operator.EXISTS:
            return bool(held) is asked.values[0]
        case Operator.NE:
            return not any(
                _compares(asked, Operator.EQ, value, operand)
                for value, operand in itertools.product(held, asked.values)
            )
        case operator:
            return any(
                _compares(asked, operator, value, operand)
                for value, operand in itertools.product(held, asked.values)
            )


def _held(product: Product, field: str) -> list[_Held]:
    """Return the values of a field; none when it is not set."""
    value: AttributeValue | Decimal | datetime | None
    if field.startswith("attributes."):
        value = product.attributes.get(field.removeprefix("attributes."))
    elif field == "category":
        value = product.category_id
    elif field == "tag":
        value = product.tags
    elif field == "price":
        value = product.price.amount if product.price else None
    elif field == "rating":
        value = product.rating.average if product.rating else None
    elif field == "availability":
        value = product.effective_availability.value
    else:
        value = getattr(product, field)
    if value is None:
        return []
    return list(value) if isinstance(value, tuple) else [value]


def _compares(  # noqa: PLR0911 - one return for each kind of value
    asked: Filter, operator: Operator, value: _Held, operand: FilterValue
) -> bool:
    if asked.field == "category":
        return operand in _lineage(str(value))
    if isinstance(operand, datetime) and isinstance(value, datetime):
        return _holds(operator, (value - START) // STEP, (operand - START) // STEP)
    if isinstance(operand, Decimal) and isinstance(value, int | float | Decimal):
        return _holds(operator, Fraction(str(value)), Fraction(operand))
    if isinstance(value, str):
        return operator is Operator.EQ and value == operand
    if isinstance(value, bool):
        return operator is Operator.EQ and operand == str(value).lower()
    digits = str(operand).rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ")
    try:
        number = Fraction(digits)
    except ValueError:
        return False
    unit = str(operand).removeprefix(digits).strip()
    if isinstance(value, Measure):
        if not unit:
            return _holds(operator, Fraction(str(value.value)), number)
        mine, factor = _CONVERSIONS.get(value.unit, (value.unit.lower(), Fraction(1)))
        other, other_factor = _CONVERSIONS.get(unit, (unit.lower(), Fraction(1)))
        size = Fraction(str(value.value)) * factor
        return mine == other and _holds(operator, size, number * other_factor)
    if isinstance(value, int | float):
        return not unit and _holds(operator, Fraction(str(value)), number)
    return False


def _holds(operator: Operator, left: Fraction | int, right: Fraction | int) -> bool:
    match operator:
        case Operator.EQ:
            return left == right
        case Operator.GT:
            return left > right
        case Operator.GTE:
            return left >= right
        case Operator.LT:
            return left < right
        case _:
            return left <= right


def _lineage(category_id: str) -> list[str]:
    parents = {each.id: each.parent_id for each in TREE}
    line = [category_id]
    while (above := parents.get(line[-1])) is not None:
        line.append(above)
    return line


def _sorted_by(product: Product, field: str) -> tuple[object, ...] | None:
    """Return something that compares as the field sorts; None when it is not set."""
    if field == "id":
        return ()
    if field == "title":
        return (fold(product.title),)
    held = _held(product, field)
    if not held:
        return None
    if not field.startswith("attributes."):
        return (held[0],)
    return min(map(_kind, held))


def _kind(value: _Held) -> tuple[int, str, object]:
    """Return an attribute's value behind the rank of its kind."""
    match value:
        case bool():
            return (2, "", value)
        case str():
            return (3, "", fold(value))
        case Measure():
            dimension, factor = _CONVERSIONS.get(value.unit, (value.unit.lower(), Fraction(1)))
            return (1, dimension, Fraction(str(value.value)) * factor)
        case int() | float():
            return (0, "", Fraction(str(value)))
        case _:
            raise TypeError(value)

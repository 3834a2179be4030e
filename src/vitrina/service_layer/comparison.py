"""Products side by side: what is the same, what differs, and which is best where that is known.

Measures of one dimension are brought to one unit, that of the first product that has one, so that
55 in and 140 cm can be told apart. A missing value is None. Only documents are looked at.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from vitrina.domain.attributes import Measure
from vitrina.domain.units import comparable, find_unit
from vitrina.service_layer.documents import Document, Json

PRODUCTS_MIN: Final = 2
PRODUCTS_MAX: Final = 10

SUMMARY_FIELDS: Final = ("id", "sku", "title", "slug", "brand", "price", "url")
"""What is shown of each product above the rows, beside its first image."""

_FIELDS: Final = (
    ("price", "Price"),
    ("list_price", "List price"),
    ("rating", "Rating"),
    ("availability", "Availability"),
    ("quantity", "Quantity"),
    ("condition", "Condition"),
    ("brand", "Brand"),
    ("category_id", "Category"),
    ("tags", "Tags"),
    ("sku", "SKU"),
    ("gtin", "GTIN"),
    ("mpn", "MPN"),
)

_LEAST_IS_BEST: Final = frozenset({"price"})
_MOST_IS_BEST: Final = frozenset({"rating"})


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    """One property of all products.

    Attributes:
        attribute: A field's name, or ``attributes.NAME``.
        label: As people read it.
        unit: Of the numbers in ``values``: a currency or a unit of measure; None without one.
        values: One for each product, None where it is missing.
        differs: Not all values are equal.
        order: Where all values that are there are numbers, the places of the products that have
            one, the least first; else empty.
        best: The places of the best, where it is known which end is best; else empty.
    """

    attribute: str
    label: str
    unit: str | None
    values: tuple[Json, ...]
    differs: bool
    order: tuple[int, ...] = ()
    best: tuple[int, ...] = ()

    def document(self) -> Document:
        """Return the row as a document."""
        return {
            "attribute": self.attribute,
            "label": self.label,
            "unit": self.unit,
            "values": list(self.values),
            "differs": self.differs,
            "order": list(self.order),
            "best": list(self.best),
        }


def compare(products: Sequence[Document], *, only_differences: bool = False) -> list[ComparisonRow]:
    """Return the rows of a comparison, those that differ first.

    Rows that no product has a value for are left out.
    """
    rows = [*_field_rows(products), *_attribute_rows(products)]
    rows = [row for row in rows if any(value is not None for value in row.values)]
    differing = [row for row in rows if row.differs]
    return differing if only_differences else differing + [row for row in rows if not row.differs]


def summary(product: Document) -> Document:
    """Return what is shown of a product above the rows of a comparison."""
    images = product["images"]
    first = images[0] if isinstance(images, Sequence) and images else None
    return {**{name: product[name] for name in SUMMARY_FIELDS}, "image": first}


def _field_rows(products: Sequence[Document]) -> Iterator[ComparisonRow]:
    for name, label in _FIELDS:
        held = [product[name] for product in products]
        if name in {"price", "list_price"}:
            yield _money_row(name, label, held)
        elif name == "rating":
            averages = [each["average"] if isinstance(each, Mapping) else None for each in held]
            yield _row(name, label, None, averages)
        else:
            yield _row(name, label, None, [each if each != [] else None for each in held])


def _money_row(name: str, label: str, held: Sequence[Json]) -> ComparisonRow:
    amounts = [each if isinstance(each, Mapping) else None for each in held]
    currencies = {each["currency"] for each in amounts if each is not None}
    if len(currencies) != 1:
        # Amounts of different currencies are not compared: each is shown with its own.
        texts = [each and f"{each['amount']} {each['currency']}" for each in amounts]
        return _row(name, label, None, texts)
    return _row(name, label, str(currencies.pop()), [each and each["amount"] for each in amounts])


def _attribute_rows(products: Sequence[Document]) -> Iterator[ComparisonRow]:
    held = [
        each if isinstance(each, Mapping) else {} for each in (p["attributes"] for p in products)
    ]
    for name in dict.fromkeys(name for each in held for name in each):
        values = [each.get(name) for each in held]
        unit, plain = _measured(values)
        yield _row(f"attributes.{name}", _label(name), unit, plain)


def _measured(values: Sequence[Json]) -> tuple[str | None, list[Json]]:
    """Return measures as numbers of one unit; whatever cannot be stays as it is, as text."""
    measures = [_read_measure(each) for each in values]
    known = [each for each in measures if each is not None]
    present = [each for each in values if each is not None]
    if not known:
        return None, list(values)
    unit = find_unit(known[0].unit)
    if len(known) < len(present) or any(comparable(each)[0] != unit.dimension for each in known):
        return None, [
            f"{measure.value} {measure.unit}" if measure else value
            for measure, value in zip(measures, values, strict=True)
        ]
    numbers: list[Json] = []
    for each in measures:
        if each is None:
            numbers.append(None)
        elif each.unit == known[0].unit:
            numbers.append(each.value)
        else:
            number = round(unit.value(comparable(each)[1]), 6)
            numbers.append(int(number) if number.is_integer() else number)
    return known[0].unit, numbers


def _read_measure(value: Json) -> Measure | None:
    match value:
        case {"value": int() | float() as number, "unit": str(unit)}:
            return Measure(number, unit)
        case _:
            return None


def _row(attribute: str, label: str, unit: str | None, values: Sequence[Json]) -> ComparisonRow:
    sizes = [
        _number(each) if attribute in _AMOUNTS or not isinstance(each, str) else None
        for each in values
    ]
    present = [place for place, value in enumerate(values) if value is not None]
    order: list[int] = []
    if present and all(sizes[place] is not None for place in present):
        order = sorted(present, key=lambda place: (sizes[place], place))
    differs = (
        len({str(_comparable(value, size)) for value, size in zip(values, sizes, strict=True)}) > 1
    )
    best: list[int] = []
    if len(order) > 1 and differs and attribute in _LEAST_IS_BEST | _MOST_IS_BEST:
        end = sizes[order[0] if attribute in _LEAST_IS_BEST else order[-1]]
        best = [place for place in present if sizes[place] == end]
    return ComparisonRow(attribute, label, unit, tuple(values), differs, tuple(order), tuple(best))


_AMOUNTS: Final = frozenset({"price", "list_price"})


def _number(value: Json) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    text = str(value)
    return (
        Decimal(text)
        if text.replace(".", "", 1).lstrip("-").isdigit() or not isinstance(value, str)
        else None
    )


def _comparable(value: Json, size: Decimal | None) -> object:
    return size.normalize() if size is not None else value


def _label(name: str) -> str:
    words = name.replace("_", " ").strip() or name
    return words[:1].upper() + words[1:]

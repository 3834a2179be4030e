"""How facets are presented: from counted values to the documents of an answer.

Terms come with the most frequent first, ties by value. Numbers come as their extremes and counts in
buckets whose bounds are 0, 1, 2, 5, 10, 20, 50, …: the same for every query, so that a bucket does not
move under the finger when another filter changes.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Final

from vitrina.adapters.index.rows import PRICE_SCALE, Measured, Value, plain, words
from vitrina.domain.category import CategoryTree
from vitrina.domain.money import AMOUNT_DIGITS_MAX
from vitrina.domain.text import fold
from vitrina.domain.units import Unit, find_unit
from vitrina.service_layer.documents import Document, Json
from vitrina.service_layer.queries import FACET_VALUES_MAX, Facet

STEPS: Final = (0, *(step * 10**power for power in range(16) for step in (1, 2, 5)))
"""The bounds of buckets of prices and quantities."""

RATING_STEPS: Final = (0, 1, 2, 3, 4, 5)

_PRICE_STEPS: Final = tuple(
    step * 10**PRICE_SCALE for step in STEPS if step <= 10**AMOUNT_DIGITS_MAX
)


def terms(counts: Mapping[str, int], facet: Facet) -> list[Json]:
    """Return the values of a facet with their counts."""
    if facet.matching is not None:
        counts = {each: n for each, n in counts.items() if matches(each, facet.matching)}
    top = sorted(counts.items(), key=lambda each: (-each[1], each[0]))[:FACET_VALUES_MAX]
    return [{"value": value, "count": count} for value, count in top]


def matches(value: str, asked: str) -> bool:
    """Say whether each word of *asked* begins a word of *value*, without case and accents."""
    held = words(fold(value))
    return all(any(each.startswith(word) for each in held) for word in words(fold(asked)))


def categories(direct: Mapping[str, int], tree: CategoryTree, facet: Facet) -> list[Json]:
    """Return the categories with the counts of their subtrees, parents before children.

    Args:
        direct: Category → how many products are filed directly under it.
        tree: The categories.
        facet: What is asked for.
    """
    counts: dict[str, int] = {}
    depths: dict[str, int] = {}
    for category_id, count in direct.items():
        line = tree.lineage(category_id) if category_id in tree.by_id else ()
        for depth, above in enumerate(line):
            counts[above.id] = counts.get(above.id, 0) + count
            depths[above.id] = depth
    found = [
        (count, tree.by_id[each])
        for each, count in counts.items()
        if facet.matching is None or matches(tree.by_id[each].name, facet.matching)
    ]
    if len(found) > FACET_VALUES_MAX:
        least = sorted((count for count, _ in found), reverse=True)[FACET_VALUES_MAX - 1]
        found = [each for each in found if each[0] >= least]
    # A child has at most its parent's count; where they are equal, depth decides.
    found.sort(key=lambda each: (-each[0], depths[each[1].id], each[1].id))
    return [
        {"value": each.id, "name": each.name, "parent_id": each.parent_id, "count": count}
        for count, each in found[:FACET_VALUES_MAX]
    ]


def numbers(field: str, counts: Mapping[float, int]) -> Document:
    """Return the extremes and the buckets of a number field's values.

    Args:
        field: ``price``, ``quantity`` or ``rating``.
        counts: Value as rows have it → number of products.
    """
    if not counts:
        return {"min": None, "max": None, "buckets": []}
    held: Counter[int] = Counter()
    for value, count in counts.items():
        held[step_of(field, value)] += count
    lowest, highest = min(counts), max(counts)
    return number_facet(field, lowest, highest, held)


def steps_of(field: str) -> tuple[int, ...]:
    """Return the bounds of a field's buckets, as its rows have them, ascending from 0."""
    if field == "rating":
        return RATING_STEPS
    return _PRICE_STEPS if field == "price" else STEPS


def step_of(field: str, value: float) -> int:
    """Return the number of the bucket that a row's number is in."""
    return bisect_right(steps_of(field), value) - 1


def number_facet(field: str, lowest: float, highest: float, held: Mapping[int, int]) -> Document:
    """Return a number facet; *held* is bucket number → count."""
    steps = steps_of(field)
    first, last = min(held), max(held)
    buckets: list[Json] = [
        {
            "from": present(field, steps[place]),
            "to": present(field, steps[place + 1]) if place + 1 < len(steps) else None,
            "count": held.get(place, 0),
        }
        for place in range(first, last + 1)
    ]
    return {"min": present(field, lowest), "max": present(field, highest), "buckets": buckets}


@lru_cache(4_096)
def present(field: str, value: float) -> Json:
    """Return a row's number as an answer has it: prices as decimal strings."""
    if field != "price":
        return plain(float(value))
    exact = Decimal(int(value)).scaleb(-PRICE_SCALE)
    text = format(exact, "f").rstrip("0")
    whole, _, fraction = text.partition(".")
    return f"{whole}.{fraction.ljust(2, '0')}" if fraction else whole


def attribute(counts: Mapping[Value, int], facet: Facet) -> list[Json]:
    """Return the values of an attribute; equal measures count together, as most write them."""
    if not any(isinstance(each, Measured) for each in counts):
        # Texts and booleans are alike only when they are equal.
        texts = [(value, _text(value), count) for value, count in counts.items()]
        if facet.matching is not None:
            texts = [each for each in texts if matches(each[1], facet.matching)]
        texts.sort(key=lambda each: (-each[2], each[1], isinstance(each[0], str)))
        return [
            {"value": _present_attribute(value), "count": count}
            for value, _, count in texts[:FACET_VALUES_MAX]
        ]
    groups: dict[object, Counter[Value]] = {}
    for value, count in counts.items():
        alike = (value.dimension, value.size) if isinstance(value, Measured) else value
        groups.setdefault(alike, Counter())[value] += count
    found: list[tuple[int, str, bool, Json]] = []
    for group in groups.values():
        best = min(group.items(), key=lambda each: (-each[1], _text(each[0])))[0]
        text = _text(best)
        if facet.matching is None or matches(text, facet.matching):
            presented = _present_attribute(best)
            found.append((-group.total(), text, isinstance(presented, str), presented))
    found.sort(key=lambda each: each[:3])
    return [{"value": value, "count": -count} for count, _, _, value in found[:FACET_VALUES_MAX]]


def attribute_stats(counts: Mapping[Value, int]) -> Document | None:
    """Return the extremes of an attribute's numbers, in the unit that most of them have."""
    units: Counter[str] = Counter()
    for value, count in counts.items():
        if isinstance(value, Measured):
            units[value.unit] += count
    if not units:
        return None
    unit = min(units.items(), key=lambda each: (-each[1], each[0]))[0]
    known = find_unit(unit) if unit else Unit("")
    sizes = [
        each.size
        for each in counts
        if isinstance(each, Measured) and each.dimension == known.dimension
    ]
    lowest, highest = known.value(min(sizes)), known.value(max(sizes))
    return {"min": plain(lowest), "max": plain(highest), "unit": unit or None}


def count_values(rows: Iterable[tuple[Value, ...]]) -> Counter[Value]:
    """Return each value with the number of products that have it."""
    counts: Counter[Value] = Counter()
    for values in rows:
        counts.update(values)
    return counts


def _text(value: Value) -> str:
    match value:
        case Measured():
            return value.text
        case bool():
            return "true" if value else "false"
        case _:
            return str(value)


def _present_attribute(value: Value) -> Json:
    if isinstance(value, Measured):
        return value.text if value.unit else plain(value.own)
    return value

"""The parameters of a listing → a typed query.

The grammar, over decoded pairs of name and value:

- ``FIELD=value`` or ``FIELD[OPERATOR]=value`` filters, where FIELD is one of
  :data:`~vitrina.service_layer.queries.FILTER_FIELDS` or ``attributes.NAME``. Repeating a filter
  means "or", different filters mean "and". Without a filter on ``status`` only active products are
  listed. An attribute whose name itself ends in brackets is asked for with an operator:
  ``attributes.Size [cm][eq]=4``.
- ``q``, ``sort``, ``limit``, ``cursor``, ``fields``, ``ids``, ``facets``, ``facet_query``.

Nothing is ignored: whatever is not understood is a fault with the parameter's name, and all faults
are found at once. Limits: 50 filter values of 1,000 characters, 10,000 characters of ``q``, 200 ids,
20 facets.
"""

import dataclasses
import difflib
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from vitrina.domain.errors import Fault, InvalidQuery, InvalidValue
from vitrina.domain.product import Availability, Condition, Status
from vitrina.domain.text import clean_text
from vitrina.service_layer.documents import PRODUCT_FIELDS, parse_time
from vitrina.service_layer.queries import (
    ATTRIBUTE_PREFIX,
    FACET_FIELDS,
    FACETS_MAX,
    FILTER_FIELDS,
    FILTER_TEXT_MAX,
    FILTER_VALUES_MAX,
    IDS_MAX,
    LIMIT_DEFAULT,
    LIMIT_MAX,
    RANGES,
    SORT_FIELDS,
    TEXT_MAX,
    Facet,
    FieldKind,
    Filter,
    FilterValue,
    Operator,
    ProductQuery,
    Sort,
    kind_of,
)

type Pairs = Iterable[tuple[str, str]]

PARAMETERS: Final = (
    "q",
    "ids",
    "sort",
    "limit",
    "cursor",
    "fields",
    "facets",
    "facet_query",
    "highlight",
    "explain",
    "why_not",
)
"""The parameters of a listing beside its filters."""

FAULTS_MAX: Final = 50

NUMBER_PATTERN: Final = r"-?[0-9]{1,15}(?:\.[0-9]{1,10})?"
"""The numbers that a fixed field can be compared with."""

CHOICES: Final[Mapping[str, Sequence[str]]] = {
    "status": tuple(each.value for each in Status),
    "condition": tuple(each.value for each in Condition),
    "availability": tuple(each.value for each in Availability),
}
"""The fields that have one of a few values."""

_NUMBER: Final = re.compile(NUMBER_PATTERN)
_OPERATOR: Final = re.compile(r"(?P<field>.+)\[(?P<operator>[^\[\]]*)\]", re.DOTALL)
# The index compares, it does not collate: a range over names would mean little.
_RANGED: Final = frozenset({FieldKind.NUMBER, FieldKind.TIME, FieldKind.ATTRIBUTE})
_OPERATORS: Final = tuple(Operator)
_UNRANGED: Final = tuple(each for each in Operator if each not in RANGES)
_NOT_SPACE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\s]+")


@dataclass(frozen=True, slots=True)
class Listing:
    """What a client asks of the list of products.

    Attributes:
        query: What to find; ``after`` is None: the cursor is the entrypoint's own.
        fields: The top-level fields to show, in the document's order; None shows all.
        ids: Products asked for by id, in this order, instead of a query; None when not asked for.
        cursor: As it was sent, or None.
    """

    query: ProductQuery
    fields: tuple[str, ...] | None = None
    ids: tuple[str, ...] | None = None
    cursor: str | None = None


def parse_listing(pairs: Pairs) -> Listing:
    """Return what the decoded pairs of a query string ask of the list of products.

    Raises:
        InvalidQuery: With every fault; a fault's pointer is the parameter's name.
    """
    reader = _Reader(pairs, known=PARAMETERS)
    text = reader.words("q")
    query = ProductQuery(
        text=text,
        filters=reader.filters(),
        sort=reader.sort("sort"),
        limit=reader.integer("limit", LIMIT_DEFAULT, lowest=1, highest=LIMIT_MAX),
        facets=reader.facets(),
        highlight=reader.boolean("highlight"),
        explain=reader.boolean("explain"),
        why_not=reader.single("why_not"),
    )
    listing = Listing(
        query,
        fields=reader.fields("fields"),
        ids=reader.ids("ids"),
        cursor=reader.single("cursor"),
    )
    if listing.ids is not None:
        reader.refuse_beside("ids", allowed=("ids", "fields"))
    reader.finish()
    return listing


def parse_filters(pairs: Pairs) -> tuple[Filter, ...]:
    """Return the filters of a query string that holds nothing else.

    Raises:
        InvalidQuery: With every fault; a fault's pointer is the parameter's name.
    """
    reader = _Reader(pairs, known=())
    filters = reader.filters()
    reader.finish()
    return filters


def parse_fields(text: str) -> tuple[str, ...]:
    """Return the top-level fields of a product that ``fields`` asks for, in the document's order.

    Raises:
        InvalidQuery: With every fault.
    """
    reader = _Reader([("fields", text)], known=("fields",))
    fields = reader.fields("fields")
    reader.finish()
    return fields or ()


def operators_of(kind: FieldKind) -> tuple[Operator, ...]:
    """Return how a filter on a field of this kind may compare."""
    return _OPERATORS if kind in _RANGED else _UNRANGED


def parse_integer(name: str, text: str, *, lowest: int, highest: int) -> int:
    """Read the integer that the parameter *name* has as its value.

    Raises:
        InvalidQuery: ``invalid_number`` or ``out_of_range``.
    """
    if not re.fullmatch(r"-?[0-9]{1,18}", text, re.ASCII):
        detail = f"{text[:40]!r} is not an integer."
        raise InvalidQuery((Fault(name, "invalid_number", detail),))
    value = int(text)
    if not lowest <= value <= highest:
        detail = f"{value} is not from {lowest} to {highest}."
        raise InvalidQuery((Fault(name, "out_of_range", detail),))
    return value


@dataclass(slots=True)
class _Condition:
    """A filter under construction, and how its parameter was written."""

    parameter: str
    field: str
    operator: Operator
    values: list[FilterValue] = dataclasses.field(default_factory=list)


class _Reader:
    """Takes typed values out of the pairs and collects what is wrong with them."""

    def __init__(self, pairs: Pairs, *, known: Sequence[str]) -> None:
        self._known = known
        self._given: dict[str, list[str]] = {}
        for name, value in pairs:
            self._given.setdefault(name, []).append(value)
        self._faults: list[Fault] = []

    def fault(self, parameter: str, code: str, detail: str) -> None:
        if len(self._faults) < FAULTS_MAX:
            self._faults.append(Fault(_shown(parameter), code, detail))

    def finish(self) -> None:
        if self._faults:
            raise InvalidQuery(tuple(self._faults))

    def refuse_beside(self, parameter: str, *, allowed: Sequence[str]) -> None:
        for name in self._given:
            if name not in allowed:
                listed = " and ".join(allowed)
                self.fault(name, "not_combinable", f"{parameter!r} stands alone: only {listed}.")

    def single(self, name: str) -> str | None:
        """Return the one value of a parameter; empty is a fault."""
        values = self._given.get(name)
        if values is None:
            return None
        if len(values) > 1:
            self.fault(name, "duplicate_parameter", "This parameter is given once at most.")
        if not values[0]:
            self.fault(name, "empty_value", "This parameter has no value; leave it out instead.")
            return None
        return values[0]

    def words(self, name: str) -> str | None:
        """Return a text to search for; nothing but white space is as good as none."""
        values = self._given.get(name)
        if values is None:
            return None
        if len(values) > 1:
            self.fault(name, "duplicate_parameter", "This parameter is given once at most.")
        if len(values[0]) > TEXT_MAX:
            detail = f"{len(values[0])} characters; at most {TEXT_MAX} are allowed."
            self.fault(name, "too_long", detail)
            return None
        return _NOT_SPACE.sub(" ", values[0]).strip() or None

    def integer(self, name: str, default: int, *, lowest: int, highest: int) -> int:
        text = self.single(name)
        if text is None:
            return default
        try:
            return parse_integer(name, text, lowest=lowest, highest=highest)
        except InvalidQuery as error:
            self._faults.extend(error.faults)
            return default

    def boolean(self, name: str) -> bool:
        """Return a parameter that is ``true`` or ``false``; false without it."""
        text = self.single(name)
        try:
            return text is not None and _boolean(text)
        except InvalidValue as error:
            self.fault(name, error.rule, error.detail)
            return False

    def listed(self, name: str, *, most: int) -> tuple[str, ...] | None:
        """Return the values of a comma-separated parameter, each once, in order."""
        values = self._given.get(name)
        if values is None:
            return None
        parts = [part for value in values for part in value.split(",")]
        if "" in parts:
            detail = "Values are separated by single commas; one of them is empty."
            self.fault(name, "empty_value", detail)
        if len(parts) > most:
            self.fault(name, "too_many", f"{len(parts)} values; at most {most} are allowed.")
            return ()
        return tuple(dict.fromkeys(part for part in parts if part))

    def ids(self, name: str) -> tuple[str, ...] | None:
        return self.listed(name, most=IDS_MAX)

    def fields(self, name: str) -> tuple[str, ...] | None:
        asked = self.listed(name, most=len(PRODUCT_FIELDS) * 2)
        if asked is None:
            return None
        for each in asked:
            if each not in PRODUCT_FIELDS:
                self.fault(name, "unknown_field", _unknown("field", each, PRODUCT_FIELDS))
        return tuple(each for each in PRODUCT_FIELDS if each in asked)

    def sort(self, name: str) -> Sort | None:
        text = self.single(name)
        if text is None:
            return None
        key = text.removeprefix("-")
        descending = key != text
        known = [*SORT_FIELDS, "id"]
        if key in known or _is_attribute(key):
            return Sort(key, descending=descending)
        if text == "relevance":
            return Sort(text)
        choices = ["relevance", *(f"{sign}{each}" for each in known for sign in ("", "-"))]
        detail = _unknown("sort key", text, [*choices, "attributes.NAME", "-attributes.NAME"])
        self.fault(name, "unknown_sort", detail)
        return None

    def facets(self) -> tuple[Facet, ...]:
        asked = self.listed("facets", most=FACETS_MAX) or ()
        matching: dict[str, str] = {}
        for value in self._given.get("facet_query", ()):
            name, _, words = value.partition(":")
            if name not in asked:
                detail = "Written FIELD:words, where FIELD is one of the facets asked for."
                self.fault("facet_query", "unknown_field", detail)
            elif not words.strip() or len(words) > FILTER_TEXT_MAX:
                detail = f"After the colon stand 1 to {FILTER_TEXT_MAX} characters."
                self.fault("facet_query", "invalid_facet_query", detail)
            elif kind_of(name) is FieldKind.NUMBER:
                detail = f"{name!r} is counted by ranges; only values of text can be looked for."
                self.fault("facet_query", "invalid_facet_query", detail)
            else:
                matching[name] = words
        facets: list[Facet] = []
        for each in asked:
            if each in FACET_FIELDS or _is_attribute(each):
                facets.append(Facet(each, matching.get(each)))
            else:
                known = [*FACET_FIELDS, "attributes.NAME"]
                self.fault("facets", "unknown_field", _unknown("facet", each, known))
        return tuple(facets)

    def filters(self) -> tuple[Filter, ...]:
        """Return the filters; every parameter that is none and not known is a fault."""
        conditions: dict[tuple[str, Operator], _Condition] = {}
        count = 0
        for parameter, texts in self._given.items():
            if parameter in self._known:
                continue
            found = self._condition(parameter)
            if found is None:
                continue
            count += len(texts)
            if count > FILTER_VALUES_MAX:
                detail = f"More than {FILTER_VALUES_MAX} filter values are not allowed."
                self.fault(parameter, "too_many", detail)
                break
            condition = conditions.setdefault((found.field, found.operator), found)
            for text in texts:
                value = self._value(condition, text)
                if value is not None:
                    condition.values.append(value)
            if condition.operator not in {Operator.EQ, Operator.NE} and len(texts) > 1:
                detail = "A bound is given once at most."
                self.fault(parameter, "duplicate_parameter", detail)
        filters = [
            Filter(each.field, each.operator, tuple(dict.fromkeys(each.values)))
            for each in conditions.values()
            if each.values
        ]
        if not any(each.field == "status" for each in conditions.values()):
            filters.append(Filter("status", Operator.EQ, (Status.ACTIVE.value,)))
        return tuple(filters)

    def _condition(self, parameter: str) -> _Condition | None:
        """Return the empty filter that a parameter's name asks for, or None with a fault."""
        if fixed := _FIXED.get(parameter):
            return _Condition(parameter, *fixed)
        name, operator = unicodedata.normalize("NFC", parameter), "eq"
        if match := _OPERATOR.fullmatch(name):
            name, operator = match["field"], match["operator"]
        if name not in FILTER_FIELDS and not _is_attribute(name):
            known = [*self._known, *FILTER_FIELDS, "attributes.NAME"]
            self.fault(parameter, "unknown_parameter", _unknown("parameter", name, known))
            return None
        allowed = [each.value for each in operators_of(kind_of(name))]
        if operator not in allowed:
            detail = _unknown(f"operator of {name!r}", operator, allowed)
            self.fault(parameter, "unknown_operator", detail)
            return None
        return _Condition(parameter, name, Operator(operator))

    def _value(self, condition: _Condition, text: str) -> FilterValue | None:
        """Return a filter's value, or None with a fault."""
        parameter = condition.parameter
        if not text:
            detail = "A filter needs a value; products without one are found by [exists]=false."
            self.fault(parameter, "empty_value", detail)
            return None
        try:
            text = clean_text(text, longest=FILTER_TEXT_MAX)
            if condition.operator is Operator.EXISTS:
                return _boolean(text)
            return _PARSERS[kind_of(condition.field)](condition, text)
        except InvalidValue as error:
            self.fault(parameter, error.rule, error.detail)
            return None


def _fixed() -> Iterator[tuple[str, tuple[str, Operator]]]:
    for field, kind in FILTER_FIELDS.items():
        yield field, (field, Operator.EQ)
        for operator in operators_of(kind):
            yield f"{field}[{operator}]", (field, operator)


_FIXED: Final = dict(_fixed())
"""Every way to write a filter on a fixed field → the field and the operator."""


def _is_attribute(name: str) -> bool:
    return name.startswith(ATTRIBUTE_PREFIX) and len(name) > len(ATTRIBUTE_PREFIX)


def _boolean(text: str) -> bool:
    if text not in {"true", "false"}:
        raise InvalidValue("invalid_boolean", f"{text[:40]!r} is neither 'true' nor 'false'.")
    return text == "true"


def _keyword(condition: _Condition, text: str) -> str:
    choices = CHOICES.get(condition.field)
    if choices is not None and text not in choices:
        raise InvalidValue("unknown_value", _unknown("value", text, choices))
    return text


def _number(_: _Condition, text: str) -> Decimal:
    if not _NUMBER.fullmatch(text):
        raise InvalidValue(
            "invalid_number",
            f"{text[:40]!r} is not a plain decimal number of at most 15 digits before "
            "and 10 after the point, such as '12.90'.",
        )
    return Decimal(text)


def _attribute(condition: _Condition, text: str) -> str:
    # A range over an attribute compares numbers and measures: "40", "40 in".
    if condition.operator in RANGES and not re.match(r"-?[0-9]", text):
        raise InvalidValue(
            "invalid_number",
            f"{text[:40]!r} is neither a number nor a number with a unit, such as '40 in'.",
        )
    return text


_PARSERS: Final[Mapping[FieldKind, Callable[[_Condition, str], FilterValue]]] = {
    FieldKind.KEYWORD: _keyword,
    FieldKind.CATEGORY: _keyword,
    FieldKind.NUMBER: _number,
    FieldKind.TIME: lambda _, text: parse_time(text),
    FieldKind.ATTRIBUTE: _attribute,
}


def _shown(name: str) -> str:
    return name if len(name) <= 100 else f"{name[:100]}…"  # noqa: PLR2004 - one line of an answer


def _unknown(what: str, name: str, known: Sequence[str]) -> str:
    """Return a sentence that names what is unknown, the nearest known, and all known."""
    near = difflib.get_close_matches(name[:100].lower(), known, n=1)
    meant = f" Did you mean {near[0]!r}?" if near else ""
    return f"There is no {what} {_shown(name)!r}.{meant} Known: {', '.join(known)}."

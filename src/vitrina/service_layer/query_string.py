"""The parameters of a listing → a typed query.

The grammar, over decoded pairs of name and value:

- ``FIELD=value`` or ``FIELD[OPERATOR]=value`` filters, where FIELD is one of
  :data:`~vitrina.service_layer.queries.FILTER_FIELDS` or ``attributes.NAME``. Repeating a filter
  means "or", different filters mean "and". Without a filter on ``status`` only active products are
  listed. An attribute whose name itself ends in brackets is asked for with an operator:
  ``attributes.Size [cm][eq]=4``.
- The others are :data:`PARAMETERS`.

Nothing is ignored: whatever is not understood is a fault with the parameter's name, and all faults
are found at once. Limits: 50 filter values of 1,000 characters, 10,000 characters of ``q``, 200 ids,
20 facets.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from vitrina.domain.errors import Fault, InvalidQuery, InvalidValue
from vitrina.domain.product import Status
from vitrina.service_layer.documents import PRODUCT_FIELDS
from vitrina.service_layer.filter_parameters import (
    comparison_of,
    is_attribute,
    read_boolean,
    shown,
    unknown,
)
from vitrina.service_layer.queries import (
    FACET_FIELDS,
    FACETS_MAX,
    FILTER_TEXT_MAX,
    FILTER_VALUES_MAX,
    IDS_MAX,
    LIMIT_DEFAULT,
    LIMIT_MAX,
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

_REPEATED: Final = (Operator.EQ, Operator.NE)
"""What several values may be given for."""

_ACTIVE: Final = Filter("status", Operator.EQ, (Status.ACTIVE.value,))
_NOT_SPACE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\s]+")


class Listing(NamedTuple):
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
            self._faults.append(Fault(shown(parameter), code, detail))

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
            return text is not None and read_boolean(text)
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
                self.fault(name, "unknown_field", unknown("field", each, PRODUCT_FIELDS))
        return tuple(each for each in PRODUCT_FIELDS if each in asked)

    def sort(self, name: str) -> Sort | None:
        text = self.single(name)
        if text is None:
            return None
        key = text.removeprefix("-")
        descending = key != text
        known = [*SORT_FIELDS, "id"]
        if key in known or is_attribute(key):
            return Sort(key, descending=descending)
        if text == "relevance":
            return Sort(text)
        choices = ["relevance", *(f"{sign}{each}" for each in known for sign in ("", "-"))]
        detail = unknown("sort key", text, [*choices, "attributes.NAME", "-attributes.NAME"])
        self.fault(name, "unknown_sort", detail)
        return None

    def facets(self) -> tuple[Facet, ...]:
        asked = self.listed("facets", most=FACETS_MAX) or ()
        matching: dict[str, str] = {}
        for value in self._given.get("facet_query", ()):
            # The name of an attribute may hold a colon itself.
            held = [each for each in asked if value.startswith(f"{each}:")]
            name = max(held, key=len, default=None)
            words = value.removeprefix(f"{name}:")
            if name is None:
                detail = "Written FIELD:words, where FIELD is one of the facets asked for."
                self.fault("facet_query", "unknown_field", detail)
            elif not words.strip() or len(words) > FILTER_TEXT_MAX:
                detail = f"After the colon stand 1 to {FILTER_TEXT_MAX} characters."
                self.fault("facet_query", "invalid_facet_query", detail)
            elif kind_of(name) is FieldKind.NUMBER:
                detail = f"{name!r} is counted by ranges; only values of text can be looked for."
                self.fault("facet_query", "invalid_facet_query", detail)
            elif name in matching:
                detail = f"The values of {name!r} are looked through once; write all words in one."
                self.fault("facet_query", "duplicate_parameter", detail)
            else:
                matching[name] = words
        facets: list[Facet] = []
        for each in asked:
            if each in FACET_FIELDS or is_attribute(each):
                facets.append(Facet(each, matching.get(each)))
            else:
                known = [*FACET_FIELDS, "attributes.NAME"]
                self.fault("facets", "unknown_field", unknown("facet", each, known))
        return tuple(facets)

    def filters(self) -> tuple[Filter, ...]:
        """Return the filters; every parameter that is none and not known is a fault."""
        asked: dict[tuple[str, Operator], list[FilterValue]] = {}
        count = 0
        for parameter, texts in self._given.items():
            if parameter in self._known:
                continue
            try:
                comparison = comparison_of(parameter, self._known)
            except InvalidValue as error:
                self.fault(parameter, error.rule, error.detail)
                continue
            count += len(texts)
            if count > FILTER_VALUES_MAX:
                detail = f"More than {FILTER_VALUES_MAX} filter values are not allowed."
                self.fault(parameter, "too_many", detail)
                break
            values = asked.setdefault((comparison.field, comparison.operator), [])
            for text in texts:
                try:
                    values.append(comparison.read(text))
                except InvalidValue as error:
                    self.fault(parameter, error.rule, error.detail)
            if len(texts) > 1 and comparison.operator not in _REPEATED:
                self.fault(parameter, "duplicate_parameter", "A bound is given once at most.")
        filters = [
            Filter(field, operator, tuple(dict.fromkeys(values)))
            for (field, operator), values in asked.items()
            if values
        ]
        if "status" not in [field for field, _ in asked]:
            filters.append(_ACTIVE)
        return tuple(filters)

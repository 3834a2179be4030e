"""The query parameters of ``GET /v1/products`` for the OpenAPI document.

Every operator of every field is a parameter of its own, such as ``price[gte]``; filters by attribute are
an object whose members are parameters, because their names are the catalog's.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from vitrina.entrypoints.http.openapi import FIELDS, Node, query
from vitrina.service_layer.filter_parameters import CHOICES, NUMBER_PATTERN, operators_of
from vitrina.service_layer.queries import (
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
    FieldKind,
    Operator,
)
from vitrina.service_layer.query_string import PARAMETERS

_TEXT: Final[Node] = {
    "type": "string",
    "minLength": 1,
    "maxLength": FILTER_TEXT_MAX,
    "pattern": r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]+$",
}
_NUMBER: Final[Node] = {"type": "string", "pattern": f"^{NUMBER_PATTERN}$"}
_TIME: Final[Node] = {"type": "string", "format": "date-time"}
_SCHEMAS: Final[Mapping[FieldKind, Node]] = {
    FieldKind.KEYWORD: _TEXT,
    FieldKind.CATEGORY: _TEXT,
    FieldKind.NUMBER: _NUMBER,
    FieldKind.TIME: _TIME,
}
_MEANINGS: Final[Mapping[Operator, str]] = {
    Operator.EQ: "is this, or one of these when repeated",
    Operator.NE: "is not this, nor any of these when repeated; products without it pass",
    Operator.GT: "is greater",
    Operator.GTE: "is greater or equal",
    Operator.LT: "is less",
    Operator.LTE: "is less or equal",
    Operator.EXISTS: "is set (`true`) or not (`false`)",
}
_EXAMPLES: Final[Mapping[str, str]] = {
    "brand": "Sony",
    "category": "accessories",
    "status": "active",
    "condition": "new",
    "availability": "in_stock",
    "tag": "backpack",
    "sku": "PACK-EXP-40",
    "gtin": "4006381333931",
    "price": "100",
    "quantity": "1",
    "rating": "4",
    "created_at": "2026-01-31T12:00:00Z",
    "updated_at": "2026-01-31T12:00:00Z",
}


def _filters() -> Iterator[Node]:
    for field, kind in FILTER_FIELDS.items():
        for operator in operators_of(kind):
            name = field if operator is Operator.EQ else f"{field}[{operator}]"
            yield _filter(name, field, operator)


def _filter(name: str, field: str, operator: Operator) -> Node:
    one: Node = dict(_SCHEMAS[FILTER_FIELDS[field]])
    if field in CHOICES:
        one = {"type": "string", "enum": list(CHOICES[field])}
    text = f"`{field}` {_MEANINGS[operator]}."
    if field == "category":
        text += " With its subtree."
    if name == "status":
        text += " Without it only active products are listed."
    if operator is Operator.EXISTS:
        return query(name, {"type": "string", "enum": ["true", "false"]}, text)
    example = _EXAMPLES[field]
    if operator in RANGES:
        return query(name, one, text, example=example)
    several = {"type": "array", "items": one, "minItems": 1, "maxItems": FILTER_VALUES_MAX}
    return query(name, several, text, example=[example], style="form", explode=True)


_FACET: Final = rf"(?:{'|'.join(FACET_FIELDS)}|attributes\.[^,]+)"
_ID: Final = r"[^,]+"
_SORTS: Final = "|".join(("id", *SORT_FIELDS))

_NAMED: Final = (
    query(
        "q",
        {"type": "string", "maxLength": TEXT_MAX},
        "Words to find in title, brand, category names, tags, attributes, description and identifiers.",
        example="backpack",
    ),
    query(
        "ids",
        {"type": "string", "pattern": rf"^{_ID}(?:,{_ID}){{0,{IDS_MAX - 1}}}$"},
        f"Many products at once, by id, in this order; at most {IDS_MAX}, separated by commas. "
        "Stands alone but for `fields`.",
        example="6579c22f-be2b-444c-a52b-0116dd82df6c,2e852905-c6f4-47db-802c-654013571922",
    ),
    query(
        "sort",
        {"type": "string", "pattern": rf"^(?:relevance|-?(?:{_SORTS})|-?attributes\..+)$"},
        "Ties are broken by id; products without the value come last. `relevance` with `q`, else `id`.",
        example="-price",
    ),
    query(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT_DEFAULT},
        "The most products on a page.",
    ),
    query(
        "cursor",
        {"type": "string", "minLength": 1},
        "`next` of the page before; with the same query otherwise.",
    ),
    FIELDS,
    query(
        "facets",
        {"type": "string", "pattern": rf"^{_FACET}(?:,{_FACET}){{0,{FACETS_MAX - 1}}}$"},
        f"Fields to count the values of, at most {FACETS_MAX}, separated by commas: "
        f"{', '.join(FACET_FIELDS)}, attributes.NAME. A facet's own filter does not narrow it.",
        example="brand,price",
    ),
    query(
        "facet_query",
        {"type": "string", "minLength": 1},
        "Only a facet's values that hold words which begin so: `brand:son`. Once for each facet.",
    ),
    query(
        "highlight",
        {"type": "string", "enum": ["true", "false"]},
        "`true`: mark the words of `q` in `highlights`.",
    ),
    query(
        "explain",
        {"type": "string", "enum": ["true", "false"]},
        "`true`: say in `explanations` where and in which form each word of `q` was found.",
    ),
    query(
        "why_not",
        {"type": "string", "minLength": 1},
        "The id of a product, to be told in `why_not` what keeps it out of the answer.",
    ),
)

_BY_NAME: Final = {str(each["name"]): each for each in _NAMED}

LIST_PARAMETERS: Final = (
    *(_BY_NAME[name] for name in PARAMETERS),
    *_filters(),
    query(
        "attributes",
        {
            "type": "object",
            "propertyNames": {"pattern": r"^attributes\.[^\[\]]+(?:\[[a-z]+\])?$"},
            "additionalProperties": _TEXT,
        },
        "Filters by attribute: `attributes.color=red`, `attributes.screen_size[gte]=40 in`, with the "
        "operators of the fixed fields. The object's members are the parameters.",
        example={"attributes.color": "beige"},
        style="form",
        explode=True,
    ),
)
"""In the order in which they are documented."""

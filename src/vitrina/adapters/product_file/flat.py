"""A product's document as the flat fields of a file, and when two values of a field are the same.

Flat fields are what columns give: the fields of a product's document, except that each attribute
is a field of its own (``attributes.color``) and a rating is two (``rating``, the average, and
``rating_count``). What a document leaves unset has no flat field.
"""

from collections.abc import Mapping
from typing import Final

from vitrina.adapters.product_file.headers import ATTRIBUTE_PREFIX, attribute_field
from vitrina.adapters.product_file.money_cells import same_amount
from vitrina.domain.identifiers import distinct_slug, slugify
from vitrina.domain.product import Availability, Condition, Status
from vitrina.service_layer.documents import PRODUCT_FIELDS, READ_ONLY_FIELDS, Document, Json

type Fields = dict[str, Json]

MONEY_FIELDS: Final = ("price", "list_price")
DEFAULTS: Final[Mapping[str, Json]] = {
    "status": Status.ACTIVE.value,
    "condition": Condition.NEW.value,
    "rating_count": 0,
}
"""What an absent field means, where it means something."""


_EMPTY_IS_UNSET: Final = frozenset({"images", "tags"})
_PLACES: Final = {"rating_count": "rating", "category": "category_id", "currency": "price"}


def flatten(document: Mapping[str, Json]) -> Fields:
    """Return the flat fields that *document* sets, without those only the catalog sets."""
    fields: Fields = {}
    for name, value in document.items():
        if value is None or name in READ_ONLY_FIELDS:
            continue
        if isinstance(value, str):
            fields[name] = value
        elif name == "attributes" and isinstance(value, Mapping):
            for key, each in value.items():
                if each is not None:
                    fields[attribute_field(key)] = each
        elif name == "rating" and isinstance(value, Mapping):
            fields["rating"] = value.get("average")
            fields["rating_count"] = value.get("count")
        elif value or name not in _EMPTY_IS_UNSET:
            fields[name] = value
    return fields


def assemble(fields: Mapping[str, Json]) -> Document:
    """Return the document of flat fields; a rating without a count has the count 0."""
    document: Document = {}
    attributes: Document = {}
    for name, value in fields.items():
        if name.startswith(ATTRIBUTE_PREFIX):
            attributes[name.removeprefix(ATTRIBUTE_PREFIX)] = value
        elif name == "rating":
            document["rating"] = {"average": value, "count": fields.get("rating_count", 0)}
        elif name != "rating_count":
            document[name] = value
    if attributes:
        document["attributes"] = attributes
    return document


def field_order(field: str) -> tuple[int, str]:
    """Return a key that sorts flat fields as documents have them, attributes last."""
    if field.startswith(ATTRIBUTE_PREFIX):
        return len(PRODUCT_FIELDS), field
    return PRODUCT_FIELDS.index(_PLACES.get(field, field)), field


def stated(fields: Mapping[str, Json]) -> Fields:
    """Return *fields* without the values that hold anyway when nothing is said."""
    quantity = fields.get("quantity")
    derived = Availability.of(quantity if isinstance(quantity, int) else None).value
    return {
        name: value
        for name, value in fields.items()
        if not (name in DEFAULTS and DEFAULTS[name] == value)
        and not (name == "availability" and value == derived)
        and not (name == "slug" and is_derived_slug(fields))
    }


def is_derived_slug(fields: Mapping[str, Json]) -> bool:
    """Say whether the slug is one that the catalog makes from the title by itself."""
    made = slugify(str(fields.get("title") or ""))
    slug = fields.get("slug")
    return slug == made or slug == distinct_slug(made, str(fields.get("id") or ""))


def same(left: Json, right: Json) -> bool:
    """Say whether two values of a field are equal to the catalog: 12.5 and 12.50 EUR are."""
    match left, right:
        case bool(), _:
            return left is right
        case _, bool():
            return False
        case Mapping(), Mapping() if "amount" in left and "amount" in right:
            return left.get("currency") == right.get("currency") and same_amount(
                str(left["amount"]), str(right["amount"])
            )
        case ((list() | tuple()), (list() | tuple())):
            return list(left) == list(right)
        case _:
            return left == right

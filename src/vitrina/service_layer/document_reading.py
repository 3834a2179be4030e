"""Documents read as products and categories.

Reading is strict: an unknown field is refused, and all faults are found at once. Absent and ``null`` mean
the same (which RFC 7396 needs).
"""

from collections.abc import Mapping, Sequence
from typing import NoReturn

from vitrina.domain.category import Category
from vitrina.domain.errors import Fault, InvalidDocument
from vitrina.domain.product import Availability, Condition, Product, Status
from vitrina.service_layer.document_fields import FieldReader, kind_of
from vitrina.service_layer.documents import CATEGORY_FIELDS, PRODUCT_FIELDS, Json


def read_product(document: Json, *, product_id: str | None = None) -> Product:
    """Return the product that *document* describes.

    The read-only fields are taken as they stand, if they are well formed: comparing them with
    the present ones is the caller's part.

    Args:
        document: As a JSON parser yields it.
        product_id: The id from elsewhere (the URL, or a new one); the document may repeat it.

    Raises:
        InvalidDocument: With every fault found.
    """
    if not isinstance(document, Mapping):
        _refuse("", "wrong_type", f"A product is a JSON object, not {kind_of(document)}.")
    reader = FieldReader(document)
    reader.refuse_unknown(PRODUCT_FIELDS)
    if product_id is not None:
        stated = reader.text("id")
        if stated not in {None, product_id}:
            reader.fault("id", "id_mismatch", f"The id is {product_id!r} here; it never changes.")
    else:
        product_id = reader.required("id", reader.text)
    # Values of the wrong type were replaced by harmless ones, so that the product's own rules
    # can be checked in the same go and the caller sees every fault at once.
    try:
        product = Product(
            id=product_id,
            title=reader.required("title", reader.text),
            sku=reader.text("sku"),
            slug=reader.text("slug"),
            description=reader.text("description"),
            status=reader.choice("status", Status) or Status.ACTIVE,
            brand=reader.text("brand"),
            category_id=reader.text("category_id"),
            condition=reader.choice("condition", Condition) or Condition.NEW,
            price=reader.money("price"),
            list_price=reader.money("list_price"),
            quantity=reader.integer("quantity"),
            availability=reader.choice("availability", Availability),
            gtin=reader.text("gtin"),
            mpn=reader.text("mpn"),
            images=reader.images("images"),
            attributes=reader.attributes("attributes"),
            tags=reader.texts("tags"),
            rating=reader.rating("rating"),
            url=reader.text("url"),
            created_at=reader.time("created_at"),
            updated_at=reader.time("updated_at"),
            version=reader.integer("version") or 0,
        )
    except InvalidDocument as error:
        reader.faults.extend(each for each in error.faults if not reader.knows(each.pointer))
        raise InvalidDocument(tuple(reader.faults)) from None
    if reader.faults:
        raise InvalidDocument(tuple(reader.faults))
    return product


def check_merge_patch(patch: Mapping[str, Json], known: Sequence[str]) -> None:
    """Refuse an RFC 7396 merge patch that names a field or a member that does not exist.

    Whoever reads the patched document would find the others, but not those that are ``null`` in the
    patch: merging takes them away, and nobody would be told.

    Raises:
        InvalidDocument: With every such name.
    """
    reader = FieldReader(patch)
    reader.refuse_unknown(known)
    reader.refuse_unknown_members()
    if reader.faults:
        raise InvalidDocument(tuple(reader.faults))


def read_category(document: Json, *, category_id: str) -> Category:
    """Return the category that *document* describes.

    ``path``, ``product_count`` and ``version`` are derived: they may be sent back, and are not
    looked at.

    Raises:
        InvalidDocument: With every fault found.
    """
    if not isinstance(document, Mapping):
        _refuse("", "wrong_type", f"A category is a JSON object, not {kind_of(document)}.")
    reader = FieldReader(document)
    reader.refuse_unknown(CATEGORY_FIELDS)
    if reader.text("id") not in {None, category_id}:
        reader.fault("id", "id_mismatch", f"The id is {category_id!r} here; it never changes.")
    name = reader.required("name", reader.text)
    parent_id = reader.text("parent_id")
    try:
        category = Category(id=category_id, name=name, parent_id=parent_id)
    except InvalidDocument as error:
        reader.faults.extend(each for each in error.faults if not reader.knows(each.pointer))
        raise InvalidDocument(tuple(reader.faults)) from None
    if reader.faults:
        raise InvalidDocument(tuple(reader.faults))
    return category


def _refuse(pointer: str, code: str, detail: str) -> NoReturn:
    raise InvalidDocument((Fault(pointer, code, detail),))

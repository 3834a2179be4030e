"""Use cases about single products: add, replace, revise, remove.

Each takes a fresh unit of work, enters it, and commits before it returns: when the caller has the
answer, the change is durable. A change that changes nothing keeps the version and is no event.
"""

from dataclasses import dataclass, replace

from vitrina.domain.errors import (
    Fault,
    IdempotencyKeyReused,
    InvalidDocument,
    ProductNotFound,
)
from vitrina.domain.identifiers import distinct_slug, slugify
from vitrina.domain.product import Product
from vitrina.service_layer.document_reading import read_product
from vitrina.service_layer.documents import READ_ONLY_FIELDS, Document, Json, write_product
from vitrina.service_layer.ports import (
    Answered,
    Patch,
    ProductRepository,
    Stored,
    UnitOfWork,
)
from vitrina.service_layer.preconditions import UNCONDITIONAL, Precondition


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of a product.

    Attributes:
        product: As it is stored now, or as the first answer showed it when *replayed*.
        created: The product did not exist before.
        replayed: Nothing was done: this repeats the answer to an earlier request.
    """

    product: Stored
    created: bool = False
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """The caller's name for one request, and a fingerprint that tells requests apart."""

    key: str
    fingerprint: str


def add_product(
    uow: UnitOfWork, document: Json, *, idempotency: IdempotencyKey | None = None
) -> Saved:
    """Add the product that *document* describes; an absent id is made.

    Args:
        uow: A fresh unit of work; entered and committed here.
        document: The product, as a JSON parser yields it.
        idempotency: A repeated request with this key gets the first answer again.

    Raises:
        InvalidDocument, IdTaken, SkuTaken, SlugTaken, IdempotencyKeyReused, StoreReadOnly,
        StoreBusy.
    """
    with uow:
        if idempotency and (answer := uow.answered(idempotency.key)):
            if answer.fingerprint != idempotency.fingerprint:
                raise IdempotencyKeyReused(idempotency.key)
            uow.commit()  # The first answer may still be on its way to the disk.
            return Saved(answer.product, replayed=True)
        needs_id = isinstance(document, dict) and document.get("id") is None
        product = read_product(document, product_id=uow.products.next_id() if needs_id else None)
        _check_read_only(document, None)
        stored = uow.products.save(complete(uow, product).created())
        if idempotency:
            uow.remember(idempotency.key, Answered(idempotency.fingerprint, stored))
        uow.commit()
    return Saved(stored, created=True)


def put_product(
    uow: UnitOfWork,
    product_id: str,
    document: Json,
    *,
    precondition: Precondition = UNCONDITIONAL,
) -> Saved:
    """Create the product with this id, or replace it by what *document* describes.

    A product that exists keeps its slug when the document names none.

    Raises:
        PreconditionFailed, InvalidDocument, TransitionRefused, SkuTaken, SlugTaken,
        StoreReadOnly, StoreBusy.
    """
    with uow:
        current = uow.products.stored(product_id)
        precondition.check(current.tag if current else None)
        target = read_product(document, product_id=product_id)
        if current is None:
            _check_read_only(document, None)
            stored = uow.products.save(complete(uow, target).created())
        else:
            product = uow.products.get(product_id)
            _check_read_only(document, write_product(product))
            if target.slug is None:
                target = replace(target, slug=product.slug)
            stored = _become(uow, product, target)
        uow.commit()
    return Saved(stored, created=current is None)


def revise_product(
    uow: UnitOfWork,
    product_id: str,
    patch: Patch,
    *,
    precondition: Precondition = UNCONDITIONAL,
) -> Saved:
    """Apply *patch* to one product.

    Raises:
        ProductNotFound, PreconditionFailed, PatchConflict, InvalidDocument, TransitionRefused,
        SkuTaken, SlugTaken, StoreReadOnly, StoreBusy.
    """
    with uow:
        product = uow.products.get(product_id)
        current = uow.products.stored(product_id)
        precondition.check(current.tag if current else None)
        document = write_product(product)
        patched = patch.apply(document)
        target = read_product(_without_derived(product, patched, patch), product_id=product_id)
        _check_read_only(patched, document)
        stored = _become(uow, product, target)
        uow.commit()
    return Saved(stored)


def remove_product(
    uow: UnitOfWork, product_id: str, *, precondition: Precondition = UNCONDITIONAL
) -> None:
    """Take one product out of the catalog.

    Raises:
        ProductNotFound, PreconditionFailed, StoreReadOnly, StoreBusy.
    """
    with uow:
        current = uow.products.stored(product_id)
        if current is None:
            raise ProductNotFound(product_id)
        precondition.check(current.tag)
        uow.products.remove(uow.products.get(product_id).removed())
        uow.commit()


def choose_slug(products: ProductRepository, product: Product) -> Product:
    """Return *product* with a slug: its own, or a free one made from its title."""
    if product.slug is not None:
        return product
    slug = slugify(product.title)
    if not slug or products.owner_of_slug(slug) not in {None, product.id}:
        slug = distinct_slug(slug, product.id)
    return product.named(slug)


def _become(uow: UnitOfWork, product: Product, target: Product) -> Stored:
    """Save *product* with the values of *target*."""
    return uow.products.save(product.become(complete(uow, target)))


def complete(uow: UnitOfWork, product: Product) -> Product:
    """Return *product* with a slug, once what it refers to is known to exist.

    Raises:
        InvalidDocument: Its category does not exist.
    """
    category_id = product.category_id
    if category_id is not None and category_id not in uow.categories.tree().by_id:
        detail = f"There is no category {category_id!r}; create it first."
        raise InvalidDocument((Fault("/category_id", "unknown_category", detail),))
    return choose_slug(uow.products, product)


def _check_read_only(document: Json, current: Document | None) -> None:
    """Refuse a document that sets what only the catalog sets.

    Repeating the present value is fine, so what was read can be changed and sent back.
    """
    if not isinstance(document, dict):
        return
    present = current or {}
    faults = tuple(
        Fault(
            f"/{name}",
            "read_only",
            f"This field is set by the catalog; it is {'not set' if now is None else now} now.",
        )
        for name in document
        if name in READ_ONLY_FIELDS
        and document[name] is not None
        and document[name] != (now := present.get(name))
    )
    if faults:
        raise InvalidDocument(faults)


def _without_derived(product: Product, patched: Json, patch: Patch) -> Json:
    """Drop an availability that only follows from the quantity, unless the patch speaks of it.

    Otherwise a patch of the quantity alone would turn the old, derived value into a stated one.
    """
    if (
        not isinstance(patched, dict)
        or product.availability is not None
        or patch.touches("availability")
    ):
        return patched
    return {name: value for name, value in patched.items() if name != "availability"}

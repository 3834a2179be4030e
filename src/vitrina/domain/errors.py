"""One class per rule a caller can break.

The class says which rule, its attributes are the facts, its message is one sentence for people,
and ``code`` is the stable name that clients may test for. Nothing here knows HTTP: each
entrypoint translates the whole family in one table.
"""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a document that was sent or read.

    Attributes:
        pointer: Where, as an RFC 6901 JSON Pointer into the document; "" is the whole of it.
        code: The broken rule, stable and in snake_case.
        detail: What is wrong and what to do, one sentence.
    """

    pointer: str
    code: str
    detail: str

    def under(self, prefix: str) -> "Fault":
        """Return the same fault seen from a document that holds this one at *prefix*."""
        return Fault(prefix + self.pointer, self.code, self.detail)


class CatalogError(Exception):
    """Something the catalog refuses."""

    code: ClassVar[str]


class InvalidValue(CatalogError):
    """A single value breaks a rule of its type."""

    code = "invalid_value"

    def __init__(self, rule: str, detail: str) -> None:
        super().__init__(detail)
        self.rule = rule
        self.detail = detail

    def at(self, pointer: str) -> Fault:
        """Return this as the fault of the value that stands at *pointer*."""
        return Fault(pointer, self.rule, self.detail)


class InvalidDocument(CatalogError):
    """A product or category breaks one or more rules; every broken rule is listed."""

    code = "validation_failed"

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        first = faults[0]
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        super().__init__(f"{first.pointer or 'The document'}: {first.detail}{more}")
        self.faults = faults


class ProductNotFound(CatalogError):
    """No product has this id or slug."""

    code = "product_not_found"

    def __init__(self, key: str) -> None:
        super().__init__(f"There is no product {key!r}.")
        self.key = key


class VersionNotFound(CatalogError):
    """The product never had this version, or the past is not kept that far back."""

    code = "version_not_found"

    def __init__(self, key: str, version: int) -> None:
        super().__init__(f"There is no version {version} of the product {key!r} any more, or yet.")
        self.key = key
        self.version = version


class CategoryNotFound(CatalogError):
    """No category has this id."""

    code = "category_not_found"

    def __init__(self, key: str) -> None:
        super().__init__(f"There is no category {key!r}.")
        self.key = key


class IdTaken(CatalogError):
    """Another product has this id."""

    code = "id_taken"

    def __init__(self, key: str) -> None:
        super().__init__(f"A product with the id {key!r} exists; PUT replaces it.")
        self.key = key


class SkuTaken(CatalogError):
    """Another product has this SKU."""

    code = "sku_taken"

    def __init__(self, sku: str, *, owner: str) -> None:
        super().__init__(f"The SKU {sku!r} belongs to product {owner!r}.")
        self.sku = sku
        self.owner = owner


class SlugTaken(CatalogError):
    """Another product has this slug."""

    code = "slug_taken"

    def __init__(self, slug: str, *, owner: str) -> None:
        super().__init__(f"The slug {slug!r} belongs to product {owner!r}.")
        self.slug = slug
        self.owner = owner


class TransitionRefused(CatalogError):
    """A product cannot go from this status to that one."""

    code = "status_transition"

    def __init__(self, before: str, after: str) -> None:
        super().__init__(f"A product that is {before} cannot become {after}; make it active first.")
        self.before = before
        self.after = after


class CategoryInUse(CatalogError):
    """A category that has products or subcategories cannot be deleted."""

    code = "category_in_use"

    def __init__(self, key: str, *, products: int, children: int) -> None:
        super().__init__(
            f"The category {key!r} has {products} product(s) and {children} subcategory(ies); "
            "move them first."
        )
        self.key = key
        self.products = products
        self.children = children


class CategoryCycle(CatalogError):
    """A category cannot lie below itself."""

    code = "category_cycle"

    def __init__(self, key: str, *, parent: str) -> None:
        super().__init__(f"The category {key!r} cannot lie below {parent!r}, which lies below it.")
        self.key = key
        self.parent = parent


class PreconditionFailed(CatalogError):
    """Someone else changed the resource first, or it is not in the state the caller expects."""

    code = "precondition_failed"

    def __init__(self, current: str | None) -> None:
        now = f"its entity tag is now {current!r}" if current else "it does not exist"
        super().__init__(f"The resource is not as the caller expects: {now}.")
        self.current = current


class MalformedPatch(CatalogError):
    """The patch is not of its media type's form."""

    code = "malformed_patch"

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(f"{pointer or 'The patch'}: {detail}")
        self.pointer = pointer
        self.detail = detail


class PatchConflict(CatalogError):
    """The patch does not fit the resource: a path is missing, or a ``test`` fails."""

    code = "patch_conflict"

    def __init__(self, operation: int, path: str, detail: str) -> None:
        super().__init__(f"Operation {operation} at {path!r}: {detail}")
        self.operation = operation
        self.path = path
        self.detail = detail


class InvalidQuery(CatalogError):
    """A query asks for something that the catalog does not know; every fault is listed.

    Here a fault's ``pointer`` is the name of the query parameter.
    """

    code = "invalid_query"

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__(f"{faults[0].pointer}: {faults[0].detail}")
        self.faults = faults


class BadCursor(CatalogError):
    """The cursor is damaged, or belongs to another query."""

    code = "bad_cursor"

    def __init__(self) -> None:
        super().__init__(
            "The cursor is damaged or belongs to another query; start again without one."
        )


class IdempotencyKeyReused(CatalogError):
    """The idempotency key was used before with another request."""

    code = "idempotency_key_reused"

    def __init__(self, key: str) -> None:
        super().__init__(
            f"The idempotency key {key!r} belongs to another request; use a new key for a new one."
        )
        self.key = key


class StoreReadOnly(CatalogError):
    """The catalog cannot be written to at the moment; reads go on."""

    code = "store_read_only"

    def __init__(self, reason: str) -> None:
        super().__init__(f"The catalog is read-only: {reason}")
        self.reason = reason


class StoreUnreadable(CatalogError):
    """The disk does not give back what the catalog has written, or the system refuses to read it."""

    code = "store_unreadable"

    def __init__(self, reason: str) -> None:
        super().__init__(f"The catalog cannot be read at the moment: {reason}")
        self.reason = reason


class StoreBusy(CatalogError):
    """Other writers kept the catalog busy for longer than a request may wait, or too many wait.

    Attributes:
        waited_s: How long the request has waited; 0 when it did not begin to.
    """

    code = "store_busy"

    def __init__(self, waited_s: float) -> None:
        super().__init__(
            f"Other writers kept the catalog busy for {waited_s:g} s; try again."
            if waited_s
            else "Too many other writes are waiting; try again."
        )
        self.waited_s = waited_s


class IndexBuilding(CatalogError):
    """The product index is being built; products can be read by id, but not yet searched for."""

    code = "index_building"

    def __init__(self, done: int, total: int) -> None:
        super().__init__(f"The index is being built: {done} of {total} products are in it.")
        self.done = done
        self.total = total


class ChangesGone(CatalogError):
    """The change feed no longer reaches back that far."""

    code = "changes_gone"

    def __init__(self, after: int, *, oldest: int) -> None:
        super().__init__(
            f"Changes after {after} are no longer kept; the oldest is {oldest}. Read the catalog anew."
        )
        self.after = after
        self.oldest = oldest


class NothingToAccept(CatalogError):
    """No edit of the product file waits to be accepted."""

    code = "nothing_to_accept"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)

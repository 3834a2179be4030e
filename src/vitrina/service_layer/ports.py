"""What the service layer needs from outside: the unit of work, the view, and the product index.

Every adapter is held to these words by one contract suite (``tests/contract``).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from types import TracebackType
from typing import NamedTuple, Protocol, Self

from vitrina.domain.category import Category, CategoryTree
from vitrina.domain.product import Product
from vitrina.service_layer.changes import Change
from vitrina.service_layer.documents import Json
from vitrina.service_layer.queries import Hits, ProductQuery, Related, Suggestion


class Stored(NamedTuple):
    """A resource as the catalog keeps it and answers it.

    Twenty are made for a page: a frozen dataclass would take three times as long.

    Attributes:
        id: Its identity.
        version: 1, 2, 3, …
        tag: Its opaque entity tag, without quotes: other bytes, other tag (RFC 9110, 8.8.3).
        body: Its canonical JSON, UTF-8.
    """

    id: str
    version: int
    tag: str
    body: bytes

    @classmethod
    def of(cls, key: str, version: int, body: bytes) -> Self:
        """Return a resource with its entity tag: the version and 8 digits of the body's digest.

        So another product with the same id and version (deleted and made anew) has another tag.
        """
        return cls(key, version, f"{version}-{blake2b(body, digest_size=4).hexdigest()}", body)


@dataclass(frozen=True, slots=True)
class Answered:
    """What was answered to a request that carried an idempotency key.

    Attributes:
        fingerprint: Of the request; another request must not use the same key.
        product: The product as the first answer showed it.
    """

    fingerprint: str
    product: Stored


class ProductRepository(Protocol):
    """All products, as one collection keyed by id; what is saved here is seen here at once."""

    def next_id(self) -> str:
        """Return a fresh id (UUIDv7, RFC 9562)."""
        ...

    def get(self, product_id: str) -> Product:
        """Return the product as last saved.

        Raises:
            ProductNotFound: No product has this id.
        """
        ...

    def stored(self, product_id: str) -> Stored | None:
        """Return the product as last saved in its stored form, or None."""
        ...

    def owner_of_sku(self, sku: str) -> str | None:
        """Return the id of the product that has *sku*, or None."""
        ...

    def owner_of_slug(self, slug: str) -> str | None:
        """Return the id of the product that has *slug*, or None."""
        ...

    def count_in_category(self, category_id: str) -> int:
        """Return how many products of any status are filed directly under the category."""
        ...

    def save(self, product: Product) -> Stored:
        """Store *product* as its next version, stamped with the time, and return that.

        Saving a product without events changes nothing: what is stored is returned.

        Raises:
            IdTaken: ``product.version`` is 0 and the id has a product.
            SkuTaken, SlugTaken: Another product has them.
        """
        ...

    def remove(self, product: Product) -> None:
        """Take *product* out of the catalog.

        Raises:
            ProductNotFound: No product has this id.
        """
        ...


class CategoryRepository(Protocol):
    """All categories, as one tree."""

    def tree(self) -> CategoryTree:
        """Return the tree as last saved."""
        ...

    def stored(self, category_id: str) -> Stored | None:
        """Return the category as last saved in its stored form, or None."""
        ...

    def save(self, category: Category) -> Stored:
        """Store *category* as its next version, and return that.

        Saving what is already stored changes nothing.

        Raises:
            CategoryCycle, InvalidDocument: As :meth:`CategoryTree.place`.
        """
        ...

    def remove(self, category_id: str) -> None:
        """Take the category out of the tree.

        Raises:
            CategoryNotFound, CategoryInUse: As :meth:`CategoryTree.without`.
        """
        ...


class UnitOfWork(AbstractContextManager["UnitOfWork"], Protocol):
    """One transaction: all of it happens, or none.

    Enter it once. Units of work are serialized: inside one, nobody else writes. Leaving it without
    :meth:`commit` changes nothing.
    """

    @property
    def products(self) -> ProductRepository: ...

    @property
    def categories(self) -> CategoryRepository: ...

    def answered(self, key: str) -> Answered | None:
        """Return what was answered under the idempotency *key*, if it is still kept, or None."""
        ...

    def remember(self, key: str, answer: Answered) -> None:
        """Store *answer* under *key* together with this unit's changes.

        It is kept for 24 hours; of very many, the oldest are forgotten earlier.
        """
        ...

    def commit(self) -> int:
        """Make the changes durable and visible, and return the catalog's sequence number.

        Returns only when every later read, anywhere, sees the changes and no crash undoes them.
        Afterwards the unit of work is over. With nothing changed it costs nothing.

        Raises:
            StoreReadOnly: The store cannot be written to; nothing of this unit happened.
        """
        ...

    def __enter__(self) -> Self:
        """Begin; waits until no other unit of work is under way.

        Raises:
            StoreBusy: The others took too long.
            StoreReadOnly: The store cannot be written to.
        """
        ...

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...


class CatalogView(Protocol):
    """The committed catalog, for reading. No method waits for a writer.

    What was not used lately is read from the disk: each method may raise ``StoreUnreadable`` when
    that fails.
    """

    @property
    def seq(self) -> int:
        """The number of the last change that reads see."""
        ...

    def product(self, product_id: str) -> Stored:
        """Return one product.

        Raises:
            ProductNotFound: No product has this id.
        """
        ...

    def products(self, product_ids: Sequence[str]) -> list[Stored | None]:
        """Return many products of one moment in the order asked for; None where there is none."""
        ...

    def product_by_slug(self, slug: str) -> Stored:
        """Return the product that has this slug.

        Raises:
            ProductNotFound: No product has it.
        """
        ...

    def category(self, category_id: str) -> Stored:
        """Return one category in its stored form.

        Raises:
            CategoryNotFound: No category has this id.
        """
        ...

    def categories(self) -> CategoryTree:
        """Return the tree of categories."""
        ...

    def snapshot(self) -> tuple[int, Collection[Stored]]:
        """Return every product of one moment, and the number of the last change they hold.

        They are read as they are gone through, which may be done several times.
        """
        ...

    def category_counts(self) -> Mapping[str, int]:
        """Return category id → number of active products in its subtree."""
        ...


class ChangeLog(Protocol):
    """Everything that was committed, in order, as far back as it is kept."""

    @property
    def seq(self) -> int:
        """The number of the last durable change."""
        ...

    @property
    def oldest(self) -> int:
        """The number of the oldest change that is kept; one more than ``seq`` when none is."""
        ...

    def changes(self, after: int, *, limit: int) -> Sequence[Change]:
        """Return the changes that follow number *after*, oldest first, at most *limit*.

        Raises:
            ChangesGone: The change after *after* is no longer kept.
            StoreUnreadable: The system refuses to read them now.
        """
        ...

    def history(self, product_id: str, *, before: int | None = None) -> Iterator[Change]:
        """Yield the kept changes of one product, newest first.

        Reads as it goes, so that whoever needs only a few stops early. A read of the whole past
        may take seconds where much is kept.

        Args:
            product_id: The product, which may have been deleted since.
            before: Only changes with a lower number; None is all of them.

        Raises:
            StoreUnreadable: The system refuses to read them now.
        """
        ...

    def wait(self, after: int, *, timeout_s: float) -> bool:
        """Wait until there is a change after number *after*; False when the time is over.

        While the log cannot be read there is none: who waits in a loop goes on when it can.
        """
        ...


class CheckStatus(StrEnum):
    """How a part of the service is."""

    PASS = "pass"  # noqa: S105 - a status, not a password
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """The health of one part of the service, for people and probes.

    Attributes:
        name: The part, such as ``store`` or ``product_file``.
        status: ``warn``: it works, but somebody should look; ``fail``: it cannot serve.
        detail: One sentence: what is wrong, where, and what to do; empty when it passes.
    """

    name: str
    status: CheckStatus
    detail: str = ""


class ProductIndex(Protocol):
    """Finds products. It follows the catalog: a search sees every write answered before it."""

    @property
    def behind(self) -> bool:
        """Whether a question must wait now: for changes to be taken in, or for a build.

        Asking this takes no time. When it is False, a question only waits if changes come at
        this very moment.
        """
        ...

    def search(self, query: ProductQuery) -> Hits:
        """Return one page of the products that match.

        Raises:
            InvalidQuery: The query asks for what this index does not do.
            BadCursor: ``query.after`` is not a position of this query.
            IndexBuilding: It cannot answer yet.
        """
        ...

    def suggest(self, text: str, limit: int) -> Sequence[Suggestion]:
        """Return how what was typed so far may go on; at most *limit* of each kind.

        Raises:
            IndexBuilding: It cannot answer yet.
        """
        ...

    def related(self, product_id: str, limit: int) -> Sequence[Related]:
        """Return the active products that are most like one, the best first.

        Raises:
            ProductNotFound: No product has this id.
            IndexBuilding: It cannot answer yet.
        """
        ...


class Patch(Protocol):
    """A change to a document, such as an RFC 6902 JSON Patch or an RFC 7396 merge patch."""

    def apply(self, document: Json) -> Json:
        """Return the changed document; the given one stays as it is.

        Raises:
            PatchConflict: It does not fit this document.
        """
        ...

    def touches(self, field: str) -> bool:
        """Say whether the patch speaks of the top-level *field* itself or of anything below it."""
        ...

"""The catalog in memory: its tables, and layers of changes over them.

:class:`Tables` is a catalog of one moment. A :class:`Layer` is a set of changes over tables or over
another layer; a unit of work is a layer. What is asked of a layer is answered by it where it has
changed something, and by what lies below where it has not. So a unit of work sees its own writes,
leaving one without a commit is dropping a layer, and writers may build on changes that are not yet
durable and that readers do not see.
"""

import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from vitrina.adapters import codec
from vitrina.domain.category import Category, CategoryTree
from vitrina.domain.errors import IdTaken, ProductNotFound, SkuTaken, SlugTaken
from vitrina.domain.product import Product
from vitrina.service_layer.changes import Change, ChangeType, Source
from vitrina.service_layer.documents import Document, Json, format_time, write_product
from vitrina.service_layer.ports import Answered, Stored

ANSWERS_KEPT: Final = timedelta(hours=24)
"""How long an idempotency key replays its first answer."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """An answer under its idempotency key, and when it was given."""

    key: str
    at: datetime
    answer: Answered


@dataclass(frozen=True, slots=True)
class Image:
    """A catalog of one moment, as it is kept in a snapshot.

    Attributes:
        seq: The number of the last change that it holds.
        at: When that was committed.
        categories: Canonical JSON, parents before children.
        products: Canonical JSON.
        answers: The remembered answers, oldest first.
    """

    seq: int
    at: datetime
    categories: list[bytes]
    products: list[bytes]
    answers: list[Remembered]


class Readable(Protocol):
    """What tables and layers can be asked."""

    def product(self, product_id: str) -> Stored | None: ...
    def owner_of_sku(self, sku: str) -> str | None: ...
    def owner_of_slug(self, slug: str) -> str | None: ...
    def count_in_category(self, category_id: str) -> int: ...
    def category(self, category_id: str) -> Stored | None: ...
    def tree(self) -> CategoryTree: ...
    def answered(self, key: str, now: datetime) -> Answered | None: ...


@dataclass(frozen=True, slots=True)
class _Keys:
    """What the tables index a product by."""

    sku: str | None
    slug: str | None
    category_id: str | None
    active: bool

    @classmethod
    def of(cls, document: Document) -> "_Keys":
        return cls(
            _text(document["sku"]),
            _text(document["slug"]),
            _text(document["category_id"]),
            document["status"] == "active",
        )


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None


class Tables:
    """A catalog of one moment, and its indexes.

    One thread at a time applies changes. Threads that read a single resource see it as it was
    before or after a change and never wait; those that read several of one moment hold ``moment``.

    Attributes:
        seq: The number of the last change taken in.
        at: When that was committed.
        moment: Held while changes are taken in.
    """

    def __init__(self) -> None:
        self.seq = 0
        self.at = datetime.min.replace(tzinfo=UTC)
        self.moment = threading.Lock()
        self.products: dict[str, Stored] = {}
        self._skus: dict[str, str] = {}
        self._slugs: dict[str, str] = {}
        self._filed: Counter[str] = Counter()
        self._active: Counter[str] = Counter()
        self._categories: dict[str, Stored] = {}
        self._tree = CategoryTree()
        self._answers: dict[str, Remembered] = {}

    def product(self, product_id: str) -> Stored | None:
        return self.products.get(product_id)

    def owner_of_sku(self, sku: str) -> str | None:
        return self._skus.get(sku)

    def owner_of_slug(self, slug: str) -> str | None:
        return self._slugs.get(slug)

    def count_in_category(self, category_id: str) -> int:
        return self._filed[category_id]

    def category(self, category_id: str) -> Stored | None:
        return self._categories.get(category_id)

    def tree(self) -> CategoryTree:
        return self._tree

    def answered(self, key: str, now: datetime) -> Answered | None:
        remembered = self._answers.get(key)
        if remembered is None or now - remembered.at > ANSWERS_KEPT:
            return None
        return remembered.answer

    def image(self) -> Image:
        """Return the whole catalog of one moment; costs a list, and no copy of a product."""
        with self.moment:
            return Image(
                self.seq,
                self.at,
                [self._categories[each.id].body for each in self._tree],
                [each.body for each in self.products.values()],
                list(self._answers.values()),
            )

    def load(self, image: Image) -> None:
        """Take in a whole catalog; these tables must be fresh.

        Raises:
            KeyError, TypeError, ValueError: A body is not what the catalog writes.
        """
        for body in image.products:
            self._add(codec.load(body), body)
        categories: dict[str, Category] = {}
        for body in image.categories:
            category = codec.load_category(body)
            categories[category.id] = category
            self._categories[category.id] = Stored.of(category.id, category.version, body)
        self._tree = CategoryTree(categories)
        self._answers = {each.key: each for each in image.answers}
        self.seq, self.at = image.seq, image.at

    def category_counts(self) -> Mapping[str, int]:
        """Return category id → number of active products in its subtree."""
        counts: Counter[str] = Counter()
        tree = self._tree
        for category_id, count in list(self._active.items()):
            if count and category_id in tree.by_id:
                for above in tree.lineage(category_id):
                    counts[above.id] += count
        return counts

    def apply(self, changes: Iterable[Change]) -> None:
        """Take in committed changes in their order, all at one moment; ``seq`` follows.

        Raises:
            ValueError: A change does not follow the one before.
        """
        with self.moment:
            categories: dict[str, Category] | None = None
            for change in changes:
                if change.seq != self.seq + 1:
                    raise ValueError(f"change {change.seq} follows {self.seq}")
                if change.type.startswith("product."):
                    self._put_product(change)
                else:
                    categories = dict(self._tree.by_id) if categories is None else categories
                    self._put_category(change, categories)
                self.seq, self.at = change.seq, change.at
            if categories is not None:
                self._tree = CategoryTree(categories)

    def remember(self, remembered: Iterable[Remembered], now: datetime) -> None:
        """Keep answers, and forget those given more than 24 hours ago."""
        for each in remembered:
            self._answers.pop(each.key, None)  # a key used again after its time moves to the end
            self._answers[each.key] = each
        while self._answers:
            oldest = next(iter(self._answers.values()))
            if now - oldest.at <= ANSWERS_KEPT:
                break
            del self._answers[oldest.key]

    def _put_product(self, change: Change) -> None:
        before = self.products.get(change.id)
        if before is not None:
            self._unindex(_Keys.of(codec.load(before.body)), change.id)
        if change.body is None:
            self.products.pop(change.id, None)
        else:
            self._add(codec.load(change.body), change.body)

    def _add(self, document: Document, body: bytes) -> None:
        product_id, version = document["id"], document["version"]
        if not isinstance(product_id, str) or not isinstance(version, int):
            raise TypeError(f"{product_id!r}, {version!r}: no identity and version of a product")
        keys = _Keys.of(document)
        if keys.sku is not None:
            self._skus[keys.sku] = product_id
        if keys.slug is not None:
            self._slugs[keys.slug] = product_id
        if keys.category_id is not None:
            self._filed[keys.category_id] += 1
            self._active[keys.category_id] += keys.active
        self.products[product_id] = Stored.of(product_id, version, body)

    def _unindex(self, keys: _Keys, product_id: str) -> None:
        # Within one commit a key may already have moved on to another product.
        if keys.sku is not None and self._skus.get(keys.sku) == product_id:
            del self._skus[keys.sku]
        if keys.slug is not None and self._slugs.get(keys.slug) == product_id:
            del self._slugs[keys.slug]
        if keys.category_id is not None:
            self._filed[keys.category_id] -= 1
            self._active[keys.category_id] -= keys.active

    def _put_category(self, change: Change, categories: dict[str, Category]) -> None:
        if change.body is None:
            self._categories.pop(change.id, None)
            categories.pop(change.id, None)
            return
        self._categories[change.id] = Stored.of(change.id, change.version, change.body)
        categories[change.id] = codec.load_category(change.body)


@dataclass(frozen=True, slots=True)
class _Draft:
    """A change that has no number yet."""

    type: ChangeType
    id: str
    version: int
    body: bytes | None
    events: tuple[Document, ...]


class Layer:
    """Changes over tables, or over another layer; holds what one unit of work has done so far.

    What a layer knows about a thing stands in the place of what lies below, and is never added to
    it. So the layers of units of work that are on their way to the disk may be read through while
    the tables below take those same changes in.
    """

    def __init__(self, below: Readable) -> None:
        self._below = below
        self._products: dict[str, Stored | None] = {}
        self._skus: dict[str, str | None] = {}
        self._slugs: dict[str, str | None] = {}
        self._filed: dict[str, int] = {}
        self._categories: dict[str, Stored | None] = {}
        self._tree: CategoryTree | None = None
        self.drafts: list[_Draft] = []
        self.answers: dict[str, Answered] = {}

    def product(self, product_id: str) -> Stored | None:
        if product_id in self._products:
            return self._products[product_id]
        return self._below.product(product_id)

    def owner_of_sku(self, sku: str) -> str | None:
        return self._skus[sku] if sku in self._skus else self._below.owner_of_sku(sku)

    def owner_of_slug(self, slug: str) -> str | None:
        return self._slugs[slug] if slug in self._slugs else self._below.owner_of_slug(slug)

    def count_in_category(self, category_id: str) -> int:
        if category_id in self._filed:
            return self._filed[category_id]
        return self._below.count_in_category(category_id)

    def category(self, category_id: str) -> Stored | None:
        if category_id in self._categories:
            return self._categories[category_id]
        return self._below.category(category_id)

    def tree(self) -> CategoryTree:
        return self._below.tree() if self._tree is None else self._tree

    def answered(self, key: str, now: datetime) -> Answered | None:
        return self.answers.get(key) or self._below.answered(key, now)

    @property
    def touched(self) -> bool:
        """Whether anything is to be committed."""
        return bool(self.drafts or self.answers)

    def rest_on(self, below: Readable) -> None:
        """Look through to *below* from now on, which holds the same as what lay below before."""
        self._below = below

    def save_product(self, product: Product, now: datetime) -> Stored:
        """Stage the next version of *product*; see :meth:`ProductRepository.save`."""
        before = self.product(product.id)
        if product.version == 0 and before is not None:
            raise IdTaken(product.id)
        if product.version and (before is None or before.version != product.version):
            raise ValueError(f"{product!r} was not loaded in this unit of work")
        if before is not None and not product.events:
            return before
        if product.sku is not None and self.owner_of_sku(product.sku) not in {None, product.id}:
            raise SkuTaken(product.sku, owner=str(self.owner_of_sku(product.sku)))
        if product.slug is not None and self.owner_of_slug(product.slug) not in {None, product.id}:
            raise SlugTaken(product.slug, owner=str(self.owner_of_slug(product.slug)))
        document = write_product(product)
        document["version"] = version = product.version + 1
        document["created_at"] = format_time(product.created_at or now)
        document["updated_at"] = format_time(now)
        after = Stored.of(product.id, version, codec.dump(document))
        self._index(product.id, before, after, _Keys.of(document))
        kind = ChangeType.PRODUCT_UPDATED if before else ChangeType.PRODUCT_CREATED
        events = tuple(codec.write_event(each) for each in product.events)
        self.drafts.append(_Draft(kind, product.id, version, after.body, events))
        return after

    def remove_product(self, product: Product) -> None:
        """Stage the removal of *product*; see :meth:`ProductRepository.remove`."""
        before = self.product(product.id)
        if before is None:
            raise ProductNotFound(product.id)
        self._index(product.id, before, None, None)
        events = tuple(codec.write_event(each) for each in product.events)
        draft = _Draft(ChangeType.PRODUCT_DELETED, product.id, before.version, None, events)
        self.drafts.append(draft)

    def save_category(self, category: Category) -> Stored:
        """Stage the next version of *category*; see :meth:`CategoryRepository.save`."""
        before = self.category(category.id)
        known = self.tree().by_id.get(category.id)
        if (
            known
            and before
            and (known.name, known.parent_id) == (category.name, category.parent_id)
        ):
            return before
        saved = replace(category, version=(known.version if known else 0) + 1)
        self._tree = self.tree().place(saved)
        after = codec.store_category(saved)
        self._categories[category.id] = after
        kind = ChangeType.CATEGORY_UPDATED if before else ChangeType.CATEGORY_CREATED
        self.drafts.append(_Draft(kind, category.id, saved.version, after.body, ()))
        return after

    def remove_category(self, category_id: str) -> None:
        """Stage the removal of a category; see :meth:`CategoryRepository.remove`."""
        category = self.tree().get(category_id)
        tree = self.tree().without(category_id, products=self.count_in_category(category_id))
        self._tree = tree
        self._categories[category_id] = None
        draft = _Draft(ChangeType.CATEGORY_DELETED, category_id, category.version, None, ())
        self.drafts.append(draft)

    def take_in(self, changes: Iterable[Change], answers: Iterable[Remembered]) -> None:
        """Hold what was committed elsewhere, on top of what lies below."""
        for change in changes:
            body = change.body
            if change.type.startswith("product."):
                after = None if body is None else Stored.of(change.id, change.version, body)
                keys = None if body is None else _Keys.of(codec.load(body))
                self._index(change.id, self.product(change.id), after, keys)
                continue
            categories = dict(self.tree().by_id)
            if body is None:
                categories.pop(change.id, None)
                self._categories[change.id] = None
            else:
                categories[change.id] = codec.load_category(body)
                self._categories[change.id] = Stored.of(change.id, change.version, body)
            self._tree = CategoryTree(categories)
        self.answers.update({each.key: each.answer for each in answers})

    def numbered(self, after: int, at: datetime, source: Source) -> list[Change]:
        """Return the staged changes as they follow change number *after*."""
        return [
            Change(seq, at, source, each.type, each.id, each.version, each.body, each.events)
            for seq, each in enumerate(self.drafts, after + 1)
        ]

    def _index(
        self, product_id: str, before: Stored | None, after: Stored | None, new: _Keys | None
    ) -> None:
        if before:
            old = _Keys.of(codec.load(before.body))
            if old.sku is not None:
                self._skus[old.sku] = None
            if old.slug is not None:
                self._slugs[old.slug] = None
            if old.category_id is not None:
                self._file(old.category_id, -1)
        if new:
            if new.sku is not None:
                self._skus[new.sku] = product_id
            if new.slug is not None:
                self._slugs[new.slug] = product_id
            if new.category_id is not None:
                self._file(new.category_id, +1)
        self._products[product_id] = after

    def _file(self, category_id: str, step: int) -> None:
        self._filed[category_id] = self.count_in_category(category_id) + step

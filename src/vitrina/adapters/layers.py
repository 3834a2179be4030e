"""Layers: changes over tables, or over one another; a unit of work is a layer.

What is asked of a layer is answered by it where it has changed something, and by what lies below
where it has not. So a unit of work sees its own writes, leaving one without a commit is dropping a
layer, and writers may build on changes that are not yet durable and that readers do not see.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from vitrina.adapters import codec
from vitrina.adapters.levels import Keys
from vitrina.adapters.remembered import Remembered
from vitrina.adapters.tables import Readable
from vitrina.domain.category import Category, CategoryTree
from vitrina.domain.errors import IdTaken, ProductNotFound, SkuTaken, SlugTaken
from vitrina.domain.product import Product
from vitrina.service_layer.changes import Change, ChangeType, Source
from vitrina.service_layer.documents import Document, write_product
from vitrina.service_layer.ports import Answered, Stored
from vitrina.service_layer.times import format_time


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
        self._index(product.id, before, after, Keys.of(document))
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
                keys = None if body is None else Keys.of(codec.load(body))
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
        self, product_id: str, before: Stored | None, after: Stored | None, new: Keys | None
    ) -> None:
        if before:
            old = Keys.of(codec.load(before.body))
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

"""A unit of work over a layer: its repositories, and the transaction, for every store that keeps tables in memory."""

from datetime import datetime
from types import TracebackType
from typing import Protocol, Self

from uuid_utils import uuid7

from vitrina.adapters import codec
from vitrina.adapters.layers import Layer
from vitrina.domain.category import Category, CategoryTree
from vitrina.domain.errors import ProductNotFound
from vitrina.domain.product import Product
from vitrina.service_layer.changes import Source
from vitrina.service_layer.ports import Answered, Stored


class LayeredProducts:
    """The products of a unit of work: meets the port ``ProductRepository`` over a layer."""

    def __init__(self, layer: Layer, now: datetime) -> None:
        self._layer = layer
        self._now = now

    def next_id(self) -> str:
        return str(uuid7())

    def get(self, product_id: str) -> Product:
        stored = self._layer.product(product_id)
        if stored is None:
            raise ProductNotFound(product_id)
        return codec.load_product(stored.body)

    def stored(self, product_id: str) -> Stored | None:
        return self._layer.product(product_id)

    def owner_of_sku(self, sku: str) -> str | None:
        return self._layer.owner_of_sku(sku)

    def owner_of_slug(self, slug: str) -> str | None:
        return self._layer.owner_of_slug(slug)

    def count_in_category(self, category_id: str) -> int:
        return self._layer.count_in_category(category_id)

    def save(self, product: Product) -> Stored:
        return self._layer.save_product(product, self._now)

    def remove(self, product: Product) -> None:
        self._layer.remove_product(product)


class LayeredCategories:
    """The categories of a unit of work: meets the port ``CategoryRepository`` over a layer."""

    def __init__(self, layer: Layer) -> None:
        self._layer = layer

    def tree(self) -> CategoryTree:
        return self._layer.tree()

    def stored(self, category_id: str) -> Stored | None:
        return self._layer.category(category_id)

    def save(self, category: Category) -> Stored:
        return self._layer.save_category(category)

    def remove(self, category_id: str) -> None:
        self._layer.remove_category(category_id)


class Committing(Protocol):
    """What a store does for its units of work."""

    def begin(self) -> tuple[Layer, datetime]:
        """Let one unit of work in: return its layer and its time."""
        ...

    def commit(self, layer: Layer, now: datetime, source: Source) -> int:
        """Make what the unit did visible, and let the next one in; return the last change's number."""
        ...

    def end(self) -> object:
        """Let the next unit in; this one did nothing."""
        ...


class LayeredUnitOfWork:
    """A transaction on a store: meets the port ``UnitOfWork`` over a layer."""

    products: LayeredProducts
    categories: LayeredCategories

    def __init__(self, store: Committing, source: Source) -> None:
        self._store = store
        self._source = source
        self._inside = False
        self._layer: Layer
        self._now: datetime

    def __enter__(self) -> Self:
        self._layer, self._now = self._store.begin()
        self._inside = True
        self.products = LayeredProducts(self._layer, self._now)
        self.categories = LayeredCategories(self._layer)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None:
        if self._inside:
            self._inside = False
            self._store.end()

    def answered(self, key: str) -> Answered | None:
        return self._layer.answered(key, self._now)

    def remember(self, key: str, answer: Answered) -> None:
        self._layer.answers[key] = answer

    def commit(self) -> int:
        self._inside = False
        return self._store.commit(self._layer, self._now, self._source)

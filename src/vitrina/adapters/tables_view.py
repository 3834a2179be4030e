"""Tables in memory as readers see them."""

from collections.abc import Callable, Collection, Mapping, Sequence

from vitrina.adapters.tables import Tables
from vitrina.domain.category import CategoryTree
from vitrina.domain.errors import CategoryNotFound, ProductNotFound
from vitrina.service_layer.ports import Stored


class TablesView:
    """Reads tables: meets the port ``CatalogView``."""

    def __init__(self, tables: Tables, catch_up: Callable[[], None]) -> None:
        """Read *tables*, each time after *catch_up* has brought them up to date."""
        self._tables = tables
        self._catch_up = catch_up

    @property
    def seq(self) -> int:
        self._catch_up()
        return self._tables.seq

    def product(self, product_id: str) -> Stored:
        self._catch_up()
        stored = self._tables.product(product_id)
        if stored is None:
            raise ProductNotFound(product_id)
        return stored

    def products(self, product_ids: Sequence[str]) -> list[Stored | None]:
        self._catch_up()
        return self._tables.products(product_ids)

    def product_by_slug(self, slug: str) -> Stored:
        self._catch_up()
        owner = self._tables.owner_of_slug(slug)
        if owner is None:
            raise ProductNotFound(slug)
        return self.product(owner)

    def snapshot(self) -> tuple[int, Collection[Stored]]:
        self._catch_up()
        return self._tables.everything()

    def categories(self) -> CategoryTree:
        self._catch_up()
        return self._tables.tree()

    def category(self, category_id: str) -> Stored:
        self._catch_up()
        stored = self._tables.category(category_id)
        if stored is None:
            raise CategoryNotFound(category_id)
        return stored

    def category_counts(self) -> Mapping[str, int]:
        self._catch_up()
        return self._tables.category_counts()

"""A product file and a catalog in memory, kept in step whenever a test says so."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from vitrina.adapters import codec
from vitrina.adapters.journal.disk import Disk
from vitrina.adapters.memory import MemoryCatalog
from vitrina.adapters.meters import private_meters
from vitrina.adapters.product_file.row_edits import document_of
from vitrina.adapters.projection.base import BaseKeeper
from vitrina.adapters.projection.categories import CategoriesSync
from vitrina.adapters.projection.conflicts import ConflictBook
from vitrina.adapters.projection.desk import Desk
from vitrina.adapters.projection.products import FileRules, ProductsSync
from vitrina.adapters.projection.projector import Projector, Timing
from vitrina.adapters.projection.taking import TakingIn
from vitrina.adapters.projection.watcher import Watch
from vitrina.domain.category import Category
from vitrina.service_layer import products
from vitrina.service_layer.changes import Source
from vitrina.service_layer.documents import Document, Json
from vitrina.service_layer.person_file import FileStatus


class Pair:
    """The two sides.

    Attributes:
        path: The product file; it must be there.
        catalog: What the API works on.
        desk: What is told about the file.
        projector: Keeps both in step; its threads are not started.
    """

    def __init__(
        self, path: Path, *, currency: str = "EUR", catalog: MemoryCatalog | None = None
    ) -> None:
        self.path: Final = path
        self.catalog: Final = catalog or MemoryCatalog()
        self.desk: Final = Desk(Disk(), path.parent / "desk")
        self.projector: Final = self._projector(currency)
        self.projector.open()

    def reopened(self) -> "Pair":
        """Return the two sides after the service has died and come back."""
        return Pair(self.path, catalog=self.catalog)

    def sync(self) -> FileStatus:
        """Take edits in and write changes out, once, and return how the file is then."""
        self.projector.sync(write=True)
        return self.projector.status()

    def put(self, product_id: str, **fields: Json) -> None:
        """Change fields of a product as a client of the API does, or add it."""
        found = self.catalog.view.products([product_id])[0]
        document: Document = codec.load(found.body) if found else {}
        products.put_product(self.catalog.unit_of_work(), product_id, {**document, **fields})

    def remove(self, product_id: str) -> None:
        products.remove_product(self.catalog.unit_of_work(), product_id)

    def get(self, product_id: str) -> Document:
        return codec.load(self.catalog.view.product(product_id).body)

    def has(self, product_id: str) -> bool:
        return self.catalog.view.products([product_id])[0] is not None

    @property
    def text(self) -> str:
        return self.path.read_text()

    def save(self, text: str) -> None:
        """Save the file as a person's program does."""
        self.path.write_text(text)

    def edit(self, old: str, new: str) -> None:
        assert old in self.text
        self.save(self.text.replace(old, new))

    def conflicts(self) -> list[tuple[str, str, str]]:
        """Return product, field and reason of the open conflicts, newest first."""
        return [(each.product_id, each.field, each.reason.value) for each in self.desk.conflicts()]

    def _projector(self, currency: str) -> Projector:
        disk, base, view = Disk(), self.path.parent / "base", self.catalog.view
        base.mkdir(exist_ok=True)

        def keeper(name: str) -> BaseKeeper:
            return BaseKeeper(disk, base, name)

        def from_file() -> Any:
            return self.catalog.unit_of_work(Source.FILE)

        def category(key: str) -> Category | None:
            return view.categories().by_id.get(key)

        book = ConflictBook(
            disk,
            self.desk,
            self.path,
            current=lambda key: document_of(view.products([key])[0]),
            category=category,
            now=lambda: datetime.now(UTC),
        )
        return Projector(
            ProductsSync(
                disk,
                self.path,
                keeper(self.path.name),
                TakingIn(disk, base, self.path.name, self.catalog),
                view=view,
                unit_of_work=from_file,
                conflicts=book,
                rules=FileRules(currency=currency),
            ),
            CategoriesSync(
                disk,
                self.path.parent,
                keeper("categories.json"),
                TakingIn(disk, base, "categories.json", self.catalog, kind="category"),
                view=view,
                unit_of_work=from_file,
                conflicts=book,
            ),
            view=view,
            log=self.catalog,
            desk=self.desk,
            conflicts=book,
            meters=private_meters(),
            timing=Timing(delay_s=3600, rest_s=0, watch=Watch.OFF),
        )

"""Catalog folders with a past, for tests that damage, copy and mend them."""

from dataclasses import dataclass, field
from pathlib import Path

from tests.integration.stores import lamp
from vitrina.adapters import codec
from vitrina.adapters.catalog_folder import Location
from vitrina.adapters.journal.folder import OpenStore, open_store
from vitrina.adapters.journal.store import JournalStore, StoreLimits
from vitrina.bootstrap import open_catalog
from vitrina.domain.errors import ProductNotFound
from vitrina.service_layer.documents import Document
from vitrina.settings import Settings

HEADER = "id,sku,title,price,quantity\n"
CURRENCY = "USD"
NEVER = Settings.load(file_delay_s=3600)


def new_catalog(folder: Path) -> Location:
    """Make a catalog without products."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "products.csv").write_text(HEADER)
    return Location(folder, folder / "products.csv")


def fields(document: Document) -> Document:
    """Return a product without what a repair may have to count or stamp anew."""
    return {
        name: each
        for name, each in document.items()
        if name not in {"version", "created_at", "updated_at", "slug"}
    }


def served(location: Location) -> dict[str, Document]:
    """Open the catalog as the service does, and return its products."""
    with open_catalog(location.folder, NEVER) as catalog:
        return {each.id: codec.load(each.body) for each in catalog.view.snapshot()[1]}


@dataclass(slots=True)
class Past:
    """A catalog and all that happened in it.

    Attributes:
        location: Where it is.
        states: The products after each change, by its number.
        touched: The product that each change touched, by its number.
    """

    location: Location
    states: dict[int, dict[str, Document]] = field(default_factory=lambda: {0: {}})
    touched: dict[int, str] = field(default_factory=dict)

    @property
    def last(self) -> int:
        return max(self.states)

    def of(self, key: str, upto: int) -> int:
        """Return the number of a product's last change up to some number; 0 when there is none."""
        return max(
            (seq for seq, each in self.touched.items() if each == key and seq <= upto), default=0
        )

    def do(self, store: JournalStore, number: int, title: str | None) -> None:
        """Create a product, or revise it, or remove it when *title* is None."""
        with store.unit_of_work() as uow:
            try:
                known = uow.products.get(f"lamp-{number}")
            except ProductNotFound:
                known = None
            if title is None:
                if known is None:
                    return
                uow.products.remove(known.removed())
            else:
                product = lamp(number, title=title)
                uow.products.save(known.become(product) if known else product.created())
            uow.commit()
        if store.seq > self.last:
            self.touched[store.seq] = f"lamp-{number}"
            self.states[store.seq] = {
                each.id: codec.load(each.body) for each in store.view.snapshot()[1]
            }

    def with_files(self, steps: list[tuple[int, str | None]]) -> None:
        """Do this, and let the product file follow."""
        with open_catalog(self.location.folder, NEVER) as catalog:
            assert isinstance(catalog.log, JournalStore)
            for number, title in steps:
                self.do(catalog.log, number, title)

    def without_files(
        self, steps: list[tuple[int, str | None]], *, segment_bytes: int = 2**20, fold: bool = False
    ) -> None:
        """Do this, and leave the product file and the snapshots behind, as a crash does."""
        limits = StoreLimits(segment_bytes=segment_bytes)
        before = set(self.location.state.glob("snapshot-*"))
        with open_store(self.location.state, limits=limits) as opened:
            self._all(opened, steps)
        if not fold:
            for path in set(self.location.state.glob("snapshot-*")) - before:
                path.unlink()

    def _all(self, opened: OpenStore, steps: list[tuple[int, str | None]]) -> None:
        for number, title in steps:
            self.do(opened.store, number, title)


def journal(location: Location) -> list[Path]:
    return sorted((location.state / "journal").iterdir())

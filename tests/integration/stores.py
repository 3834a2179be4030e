"""Short ways to write to a store and to look at its files."""

from dataclasses import replace
from pathlib import Path

from tests.builders import LAMP
from vitrina.adapters import codec
from vitrina.adapters.journal.store import JournalStore
from vitrina.domain.errors import ProductNotFound
from vitrina.domain.product import Product


def lamp(number: int, **values: object) -> Product:
    """Return a product of its own for each number."""
    return replace(LAMP, id=f"lamp-{number}", sku=f"L-{number}", slug=None, **values)  # type: ignore[arg-type]


def save(store: JournalStore, product: Product) -> None:
    """Create the product, or make it the next version of itself."""
    with store.unit_of_work() as uow:
        try:
            known = uow.products.get(product.id)
        except ProductNotFound:
            uow.products.save(product.created())
        else:
            uow.products.save(known.become(product))
        uow.commit()


def contents(store: JournalStore) -> dict[str, Product]:
    """Return all products as readers see them."""
    return {each.id: codec.load_product(each.body) for each in store.view.snapshot()[1]}


def segments(state: Path) -> list[Path]:
    return sorted((state / "journal").iterdir())


def drop_snapshots(state: Path) -> None:
    for path in state.glob("snapshot-*"):
        path.unlink()

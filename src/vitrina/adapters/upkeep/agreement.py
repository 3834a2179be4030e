"""Whether the product file and the catalog say the same.

What is compared is the *base*: the file as it was when it was last in step, at a known change.
Products that were changed since are left out, for the file does not have them yet. So are rows that
the catalog refused. What a person did to the file since is told, and is no disagreement.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from vitrina.adapters import codec
from vitrina.adapters.catalog_folder import Location
from vitrina.adapters.journal.disk import Disk
from vitrina.adapters.product_file import (
    Merge,
    ProductFile,
    compare,
    detect_format,
    parse,
    resolve_categories,
    validate,
)
from vitrina.adapters.product_file.categories_file import FILE_NAME as CATEGORIES
from vitrina.adapters.projection.base import Base, BaseKeeper, Found
from vitrina.adapters.tables import Tables
from vitrina.domain.category import CategoryTree
from vitrina.domain.product import Product
from vitrina.service_layer.changes import Change
from vitrina.service_layer.documents import Document


@dataclass(frozen=True, slots=True)
class Files:
    """A catalog's files, and what they were when last in step; read at one moment.

    Attributes:
        products, categories: The bases; None when they are not kept.
        file: The product file as it is; None when there is none.
    """

    products: Base | None
    categories: Base | None
    file: bytes | None

    @classmethod
    def of(cls, disk: Disk, location: Location) -> "Files":
        """Read them.

        Raises:
            OSError: One of them cannot be read.
        """
        keeper = BaseKeeper(disk, location.base, location.file.name)
        tree = BaseKeeper(disk, location.base, CATEGORIES)
        file = Found.at(location.file).data
        return cls(keeper.peek(file), tree.peek(Found.at(location.folder / CATEGORIES).data), file)


@dataclass(slots=True)
class Since:
    """Which resources were changed after a change.

    Attributes:
        after: The number of that change.
        products: Their ids.
        tree: Whether a category was.
    """

    after: int
    products: set[str] = field(default_factory=set)
    tree: bool = False

    def note(self, change: Change) -> None:
        """Take in a change, whenever it was."""
        if change.seq > self.after:
            if change.type.startswith("product."):
                self.products.add(change.id)
            else:
                self.tree = True


@dataclass(frozen=True, slots=True)
class Differences:
    """How a base differs from a catalog.

    Attributes:
        file: The base, read.
        merge: What would make the catalog like the base.
        products: Of the rows, by id.
        absent: Products of the catalog that the base has no row for.
    """

    file: ProductFile
    merge: Merge
    products: Mapping[str, Product]
    absent: tuple[str, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """The products that differ, by id."""
        return tuple(sorted({*(each.id for each in self.merge.edits), *self.absent}))


def differences(
    base: Base,
    path: Path,
    tables: Tables,
    *,
    since: Since,
    currency: str,
    tree: CategoryTree | None = None,
) -> Differences:
    """Return how *base* differs from *tables*, in what was not changed *since* it was in step.

    Args:
        base: The file as it was then.
        path: Its name decides its format.
        tables: The catalog.
        since: What was changed since.
        currency: Of prices that name none.
        tree: The categories as they were then. When it is not known, rows that name a category by
            its path are left out once a category was changed.

    Raises:
        UnreadableFile: The base as a whole cannot be read.
    """
    checked = validate(_read(base.data, path, tree or tables.tree(), currency))
    file = checked.file
    skipped = since.products | base.refused | base.stale
    unclear = since.tree and tree is None
    rows = tuple(
        row for row in file.rows if row.id not in skipped and not (unclear and row.category_path)
    )
    compared = replace(file, rows=rows)
    merge = compare(None, compared, lambda key: document_of(tables, key))
    absent: tuple[str, ...] = ()
    if "" not in file.refused_ids:
        present = {row.id for row in file.rows} | skipped
        absent = tuple(each.id for each in tables.everything()[1] if each.id not in present)
    return Differences(file, merge, checked.products, absent)


def _read(data: bytes, path: Path, tree: CategoryTree, currency: str) -> ProductFile:
    file = parse(data, detect_format(path.name, data), currency=currency)
    return resolve_categories(file, tree)[0]


def document_of(tables: Tables, key: str) -> Document | None:
    """Return a product as the catalog has it."""
    stored = tables.product(key)
    return None if stored is None else codec.load(stored.body)

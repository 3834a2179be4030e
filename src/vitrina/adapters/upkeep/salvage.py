"""Makes a consistent catalog of what is left of a damaged one.

Every record holds whole resources as they were saved. So of each resource the newest whole record
is the newest truth that is left, also when records before it are missing. What does not fit
together without the missing ones is adjusted, newest first, and told: a SKU or slug that two
products would share stays with the one that was saved last, and a category that a product or
another category names is made when it is not there.

Where the product file was in step at a change behind the missing ones, it is the newest truth for
every product that no later record tells of.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from vitrina.adapters import codec
from vitrina.adapters.journal.record import Record
from vitrina.adapters.journal.snapshot import Snapshot
from vitrina.adapters.memory import MemoryCatalog
from vitrina.adapters.product_file import EditKind, UnreadableFile
from vitrina.adapters.product_file.categories_file import read_categories
from vitrina.adapters.projection.base import Base
from vitrina.adapters.remembered import Remembered
from vitrina.adapters.tables import Tables
from vitrina.adapters.upkeep.agreement import Differences, Files, Since, differences
from vitrina.domain.category import Category, CategoryTree
from vitrina.domain.errors import CatalogError
from vitrina.domain.identifiers import distinct_slug
from vitrina.service_layer.changes import Source
from vitrina.service_layer.documents import Document
from vitrina.service_layer.file_edits import RowEdit, apply_category_edits, apply_row_edits

_NEVER: Final = datetime.min.replace(tzinfo=UTC)
_UNIQUE: Final = ("sku", "slug")


@dataclass(frozen=True, slots=True)
class _Known:
    """A resource as last known; the body is None when it was deleted."""

    seq: int
    body: bytes | None


@dataclass(slots=True)
class Salvage:
    """Collects the newest truth that is left.

    Attributes:
        adjusted: What was altered for the rest to fit together, one sentence each.
        from_file: Products that were brought to what the product file says.
    """

    adjusted: list[str] = field(default_factory=list)
    from_file: list[str] = field(default_factory=list)
    _at: datetime = _NEVER
    _begins: int = 0
    _products: dict[str, _Known] = field(default_factory=dict)
    _categories: dict[str, _Known] = field(default_factory=dict)
    _answers: dict[str, Remembered] = field(default_factory=dict)

    def start(self, snapshot: Snapshot) -> None:
        """Begin with the newest snapshot that is whole."""
        self._at, self._begins = snapshot.header.at, snapshot.header.seq
        for body in snapshot.products():
            self._products[str(codec.load(body)["id"])] = _Known(self._begins, body)
        for body in snapshot.categories():
            self._categories[str(codec.load(body)["id"])] = _Known(self._begins, body)
        self._answers = {each.key: each for each in snapshot.answers()}

    def follow(self, record: Record) -> None:
        """Take in a whole record; the order of the records does not matter."""
        if record.span.seq <= self._begins:
            return
        self._at = max(self._at, record.at)
        for change in record.changes:
            product = change.type.startswith("product.")
            known = self._products if product else self._categories
            before = known.get(change.id)
            if before is None or before.seq < change.seq:
                known[change.id] = _Known(change.seq, change.body)
        for each in record.answers:
            self._answers[each.key] = each

    def tables(self, seq: int, files: Files) -> Tables:
        """Return the catalog that this gives, as of change *seq*."""
        products = self._distinct()
        tree = self._tree(products.values(), _names(files))
        tables = Tables()
        tables.load(
            seq=seq,
            at=self._at,
            categories=[codec.store_category(each).body for each in tree],
            products=[codec.dump(each) for each in products.values()],
            answers=sorted(self._answers.values(), key=lambda each: each.at),
        )
        return tables

    def take_from_file(
        self, tables: Tables, files: Files, path: Path, *, lost: int, currency: str
    ) -> None:
        """Bring *tables* to what the product file said, where no later record is left.

        Args:
            tables: As returned by :meth:`tables`; changed.
            files: The bases, of a change behind some that are lost.
            path: The product file's name decides its format.
            lost: How many changes are lost that the file held. More deletions cannot be.
            currency: Of prices that name none.
        """
        base = files.products
        if base is None:
            return
        catalog = MemoryCatalog(tables)
        tree = None
        if files.categories is not None:
            tree = self._take_categories(catalog, files.categories, base.seq)
        later = {key for key, each in self._products.items() if each.seq > base.seq}
        since = Since(base.seq, later, any(k.seq > base.seq for k in self._categories.values()))
        try:
            found = differences(base, path, tables, since=since, currency=currency, tree=tree)
        except UnreadableFile as error:
            self.adjusted.append(f"The product file could not be used: {error}")
            return
        edits = _edits(found, tables)
        if len(found.absent) <= lost:
            edits += [RowEdit(key, _tag(tables, key)) for key in found.absent]
        outcome = apply_row_edits(lambda: catalog.unit_of_work(Source.FILE), edits)
        self.from_file += [each.id for each in edits if each.id not in outcome.refused]

    def _take_categories(self, catalog: MemoryCatalog, base: Base, seq: int) -> CategoryTree | None:
        """Bring the tree to what ``categories.json`` said, where no later record is left.

        Returns:
            The tree that it described; None when it cannot be read.
        """
        try:
            tree = read_categories(base.data)
        except UnreadableFile as error:
            self.adjusted.append(f"categories.json could not be used: {error}")
            return None
        theirs = tree.by_id
        later = {key for key, each in self._categories.items() if each.seq > max(base.seq, seq)}
        ours = catalog.view.categories().by_id
        wanted = [
            each
            for key, each in theirs.items()
            if key not in later and (key not in ours or not _alike(each, ours[key]))
        ]
        gone = [key for key in ours if key not in theirs and key not in later]
        apply_category_edits(catalog.unit_of_work(Source.FILE), wanted, gone)
        if wanted:
            names = ", ".join(each.id for each in wanted)
            self.adjusted.append(f"Categories as categories.json has them: {names}.")
        return tree

    def _distinct(self) -> dict[str, Document]:
        """Return the products, none of which shares a SKU or a slug with another."""
        taken: dict[tuple[str, str], str] = {}
        altered: dict[str, Document] = {}
        newest_first = sorted(self._products.items(), key=lambda item: -item[1].seq)
        for key, known in newest_first:
            if known.body is None:
                continue
            document = dict(codec.load(known.body))
            for name in _UNIQUE:
                value = document[name]
                if not isinstance(value, str):
                    continue
                owner = taken.setdefault((name, value), key)
                if owner != key:
                    document[name] = None if name == "sku" else distinct_slug(value, key)
                    document["version"] = _version(document) + 1
                    self.adjusted.append(
                        f"Product {key} lost its {name} {value!r}, which {owner} had later."
                    )
            altered[key] = document
        return {key: altered[key] for key in self._products if key in altered}

    def _tree(self, products: Iterable[Document], names: Mapping[str, Category]) -> CategoryTree:
        """Return the tree, with every category that a product or another category names."""
        known = {
            key: codec.load_category(each.body)
            for key, each in self._categories.items()
            if each.body is not None
        }
        waiting = [str(each["category_id"]) for each in products if each["category_id"]]
        waiting += [each.parent_id for each in known.values() if each.parent_id]
        while waiting:
            key = waiting.pop()
            if key not in known:
                made = replace(names.get(key) or Category(id=key, name=key), version=1)
                known[key] = made
                self.adjusted.append(f"Category {key} was made anew, as {made.name!r}.")
                waiting += [made.parent_id] if made.parent_id else []
        return self._grown(known)

    def _grown(self, known: Mapping[str, Category]) -> CategoryTree:
        """Return a tree of these categories; one that would lie below itself becomes a root."""
        tree = CategoryTree()
        waiting = list(known.values())
        while waiting:
            ready = [
                each for each in waiting if each.parent_id is None or each.parent_id in tree.by_id
            ]
            for each in ready or waiting[:1]:
                placed = each
                try:
                    tree = tree.place(each)
                except CatalogError as error:
                    placed = replace(each, parent_id=None, version=each.version + 1)
                    tree = tree.place(placed)
                    self.adjusted.append(f"Category {each.id} is a root now: {error}")
            done = {each.id for each in ready or waiting[:1]}
            waiting = [each for each in waiting if each.id not in done]
        return tree


def _names(files: Files) -> Mapping[str, Category]:
    """Return the categories as ``categories.json`` had them when last in step."""
    if files.categories is None:
        return {}
    try:
        return read_categories(files.categories.data).by_id
    except UnreadableFile:
        return {}  # It is told when its contents would be used.


def _edits(found: Differences, tables: Tables) -> list[RowEdit]:
    edits: list[RowEdit] = []
    for each in found.merge.edits:
        if each.kind is EditKind.CREATE:
            edits.append(RowEdit(each.id, None, product=found.products[each.id]))
        else:
            edits.append(RowEdit(each.id, _tag(tables, each.id), patch=each.document))
    return edits


def _tag(tables: Tables, key: str) -> str | None:
    stored = tables.product(key)
    return stored.tag if stored else None


def _version(document: Document) -> int:
    version = document["version"]
    if not isinstance(version, int):
        raise TypeError(f"{version!r} is no version of a product")
    return version


def _alike(one: Category, other: Category) -> bool:
    return (one.name, one.parent_id) == (other.name, other.parent_id)

"""The product file and the catalog's products, in step."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import structlog

from vitrina.adapters import codec
from vitrina.adapters.journal.disk import Disk, replace_file
from vitrina.adapters.product_file import (
    Conflict,
    Edit,
    EditKind,
    Format,
    ProductFile,
    UnreadableFile,
    Validated,
    compare,
    detect_format,
    new_file,
    parse,
    render,
    resolve_categories,
    validate,
)
from vitrina.adapters.projection.base import Base, BaseKeeper, Found
from vitrina.adapters.projection.understanding import problem_of, understood_of, unreadable
from vitrina.domain.category import CategoryTree
from vitrina.domain.errors import Fault
from vitrina.domain.product import Product
from vitrina.service_layer.documents import Document
from vitrina.service_layer.file_edits import RowEdit, apply_category_edits, apply_row_edits
from vitrina.service_layer.opening import Problem, Understood
from vitrina.service_layer.ports import CatalogView, Stored, UnitOfWork

ROUNDS_MAX: Final = 20
"""How often edits are compared anew because the API changed the same products meanwhile."""

_log = structlog.get_logger(__name__)


class ProductsSync:
    """Reads and writes the product file of one catalog.

    Attributes:
        broken: Why the file cannot be read; None while it can.
        understood: What was understood of it when it was last taken in.
    """

    def __init__(
        self,
        disk: Disk,
        path: Path,
        keeper: BaseKeeper,
        *,
        view: CatalogView,
        unit_of_work: Callable[[], UnitOfWork],
        currency: str,
    ) -> None:
        self.path = path
        self.broken: Problem | None = None
        self.understood: Understood | None = None
        self._disk = disk
        self._keeper = keeper
        self._view = view
        self._unit_of_work = unit_of_work
        self._currency = currency
        self._base = keeper.load(Found.at(self.path).data)
        self._cache: tuple[bytes, CategoryTree, ProductFile] | None = None

    @property
    def seq(self) -> int | None:
        """The number of the last change that the file holds; None before it was ever in step."""
        return self._base.seq if self._base else None

    def ids(self) -> list[str]:
        """Return the ids of all rows that the file had when it was last in step."""
        return list(self._parsed(self._source()).accepted)

    def take_in(self, seq: int) -> None:
        """Carry out what people did to the file.

        Args:
            seq: The number of the last change before this.

        Raises:
            OSError: The file or its base cannot be read or written.
            StoreReadOnly, StoreBusy.
        """
        if self._base and self._base.seq > seq:
            # The journal lost its end, and the file is newer than the catalog: it is the copy.
            _log.warning("the file is newer than the journal", file=self._base.seq, journal=seq)
            self._base = None
        found = Found.at(self.path)
        if found.data is None:
            self._start(seq)
            return
        base = self._base
        edited = base is None or found.data != base.data or bool(base.refused)
        if self.understood and not edited:
            self.broken = None
            return
        try:
            checked = self._check(found.data) if edited else self._read(found.data)
        except UnreadableFile as error:
            self.broken = unreadable(self.path.name, error)
            return
        self.broken = None
        refused: Mapping[str, tuple[Fault, ...]] = {}
        problems = [problem_of(self.path.name, each) for each in checked.file.problems]
        if edited:
            refused, told = self._apply(checked)
            problems += told
        self.understood = self._understood(checked.file, problems, refused)
        self._keep(Base(base.seq if base else seq, found.data, frozenset(refused)))

    def write_out(self, changed: Collection[str], seq: int, *, new_paths: bool) -> bool:
        """Write products into the file.

        Args:
            changed: The ids of all that was changed since :attr:`seq`, by others than the file.
            seq: A number of a change; what is known of the products now holds all up to it.
            new_paths: Categories were renamed or moved.

        Returns:
            Whether that is done; if not, the file has just been edited, and is to be taken in.

        Raises:
            OSError: The system refused; the file stands as it was.
            UnreadableFile: The products do not fit into the file's format.
        """
        if self._base is None:
            return True
        found = Found.at(self.path)
        if found.data is not None and found.data != self._base.data:
            return False
        ids = set(changed)
        if found.data is None:
            _log.warning("the product file is missing and is written", file=str(self.path))
            ids.update(each.id for each in self._view.snapshot()[1])
        data = self._base.data
        if new_paths:
            rows = self._parsed(data).accepted.values()
            ids.update(row.id for row in rows if row.category_path)
        if ids:
            data = self._rendered(data, sorted(ids))
        if data != found.data:
            self._keeper.announce(Base(seq, data))
            if not found.is_current(self.path):
                return False
            replace_file(self._disk, self.path, [data], like=found.status)
        self._keep(Base(seq, data, self._base.refused))
        return True

    def _start(self, seq: int) -> None:
        """Begin with a file without products where there is none."""
        if self._base is None:
            self._keep(Base(seq, new_file(detect_format(self.path.name))))

    def _rendered(self, data: bytes, ids: list[str]) -> bytes:
        products = zip(ids, self._view.products(ids), strict=True)
        documents = {key: _document(each) for key, each in products}
        return render(self._parsed(data), documents, self._view.categories())

    def _source(self) -> bytes:
        return self._base.data if self._base else new_file(detect_format(self.path.name))

    def _check(self, data: bytes) -> Validated:
        """Read a file that was edited, and make the categories that it names by new paths.

        A path that the file had before leads to a category that was renamed since: it makes none.
        """
        file = parse(data, self._format(data), currency=self._currency)
        base = self._base_file()
        known = {row.category_path for row in base.rows} if base else set()
        fresh = tuple(row for row in file.rows if row.category_path not in known)
        _, made = resolve_categories(replace(file, rows=fresh), self._view.categories())
        if made:
            apply_category_edits(self._unit_of_work(), made, ())
        return self._read(data)

    def _read(self, data: bytes) -> Validated:
        file = parse(data, self._format(data), currency=self._currency)
        tree = self._view.categories()
        resolved, _ = resolve_categories(file, tree)
        checked = validate(resolved)
        self._cache = (data, tree, checked.file)
        return checked

    def _parsed(self, data: bytes) -> ProductFile:
        """Return the file as read; the last one is kept until it or the categories change."""
        cache = self._cache
        if cache is not None and cache[0] == data and cache[1] is self._view.categories():
            return cache[2]
        return self._read(data).file

    def _format(self, data: bytes) -> Format:
        return detect_format(self.path.name, data)

    def _base_file(self) -> ProductFile | None:
        """Return the file as it was when in step, without the rows that the catalog refused."""
        if self._base is None:
            return None
        try:
            file = parse(self._base.data, self._format(self._base.data), currency=self._currency)
        except UnreadableFile:
            return None  # An older version of the program could read it.
        resolved, _ = resolve_categories(file, self._view.categories())
        refused = self._base.refused
        return replace(resolved, rows=tuple(row for row in resolved.rows if row.id not in refused))

    def _apply(self, theirs: Validated) -> tuple[dict[str, tuple[Fault, ...]], list[Problem]]:
        """Carry out the edits; return what the catalog refused, and what is to be told."""
        base = self._base_file()
        refused: dict[str, tuple[Fault, ...]] = {}
        only: frozenset[str] | None = None
        told: list[Problem] = []
        for _ in range(ROUNDS_MAX):
            tags: dict[str, str | None] = {}

            def current(product_id: str, tags: dict[str, str | None] = tags) -> Document | None:
                stored = self._view.products([product_id])[0]
                tags[product_id] = stored.tag if stored else None
                return _document(stored)

            merge = compare(base, theirs.file, current)
            lost = frozenset(merge.lost_columns)
            edits = [
                _row_edit(each, tags[each.id], theirs.products, lost)
                for each in merge.edits
                if only is None or each.id in only
            ]
            outcome = apply_row_edits(self._unit_of_work, edits)
            refused |= outcome.refused
            told += [
                _told(self.path.name, each)
                for each in merge.conflicts
                if only is None or each.id in only
            ]
            if only is None:
                told += self._withheld(merge.withheld) + self._lost_columns(lost)
            only = frozenset(outcome.stale)
            if not only:
                break
        return refused, told

    def _withheld(self, ids: tuple[str, ...]) -> list[Problem]:
        if not ids:
            return []
        detail = (
            f"The rows of {len(ids)} products are gone, but some rows have no readable id; mend "
            f"those first. Until then the products stay: {', '.join(ids[:5])}."
        )
        return [Problem(self.path.name, 0, 0, "", "", "deletion_withheld", detail, error=False)]

    def _lost_columns(self, lost: frozenset[str]) -> list[Problem]:
        detail = "The column is gone from the file; its values stay in the catalog."
        return [
            Problem(self.path.name, 1, 0, name, "", "lost_column", detail, error=False)
            for name in sorted(lost)
        ]

    def _understood(
        self,
        file: ProductFile,
        problems: list[Problem],
        refused: Mapping[str, tuple[Fault, ...]],
    ) -> Understood:
        for product_id, faults in refused.items():
            row = file.accepted.get(product_id)
            problems += [
                Problem(
                    self.path.name,
                    row.line if row else 0,
                    0,
                    fault.pointer.removeprefix("/"),
                    product_id,
                    fault.code,
                    fault.detail,
                )
                for fault in faults
            ]
        return understood_of(self.path, file, problems, refused=len(refused))

    def _keep(self, base: Base) -> None:
        if base != self._base:
            self._keeper.store(base, before=self._base)
            self._base = base


def _document(stored: Stored | None) -> Document | None:
    return None if stored is None else codec.load(stored.body)


def _row_edit(
    edit: Edit, tag: str | None, products: Mapping[str, Product], lost: frozenset[str]
) -> RowEdit:
    match edit.kind:
        case EditKind.CREATE:
            return RowEdit(edit.id, tag, product=products[edit.id])
        case EditKind.UPDATE:
            return RowEdit(edit.id, tag, patch=_without(edit.document, lost))
        case EditKind.DELETE:
            return RowEdit(edit.id, tag)


def _without(patch: Document, lost: frozenset[str]) -> Document:
    """Return a merge patch that takes no field away whose whole column is gone."""
    kept = {name: value for name, value in patch.items() if value is not None or name not in lost}
    attributes = kept.get("attributes")
    if isinstance(attributes, Mapping):
        kept["attributes"] = {
            name: value
            for name, value in attributes.items()
            if value is not None or f"attributes.{name}" not in lost
        }
    return kept


def _told(name: str, conflict: Conflict) -> Problem:
    detail = (
        f"{conflict.id}: the file says {conflict.theirs!r}, the API {conflict.ours!r}; "
        "the API's value stays."
    )
    return Problem(name, conflict.line, 0, conflict.field, "", "conflict", detail, error=False)

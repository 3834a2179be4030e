"""``categories.json`` and the catalog's tree, in step."""

from collections.abc import Callable, Mapping
from pathlib import Path

from vitrina.adapters.journal.disk import Disk, replace_file
from vitrina.adapters.product_file import UnreadableFile
from vitrina.adapters.product_file.categories_file import (
    FILE_NAME,
    read_categories,
    write_categories,
)
from vitrina.adapters.projection.base import Base, BaseKeeper, Found
from vitrina.adapters.projection.understanding import unreadable
from vitrina.domain.category import Category
from vitrina.domain.errors import Fault
from vitrina.service_layer.file_edits import apply_category_edits
from vitrina.service_layer.opening import Problem
from vitrina.service_layer.ports import CatalogView, UnitOfWork


class CategoriesSync:
    """Reads and writes ``categories.json`` of one catalog folder.

    Attributes:
        broken: Why the file cannot be read; None while it can.
        problems: What the catalog holds against the file.
    """

    def __init__(
        self,
        disk: Disk,
        folder: Path,
        keeper: BaseKeeper,
        *,
        view: CatalogView,
        unit_of_work: Callable[[], UnitOfWork],
    ) -> None:
        self.path = folder / FILE_NAME
        self.broken: Problem | None = None
        self.problems: tuple[Problem, ...] = ()
        self._disk = disk
        self._keeper = keeper
        self._view = view
        self._unit_of_work = unit_of_work
        self._base = keeper.load(Found.at(self.path).data)

    def take_in(self, seq: int) -> None:
        """Carry out what people did to the file.

        Args:
            seq: The number of the last change before this.

        Raises:
            OSError: The file or its base cannot be read or written.
            StoreReadOnly, StoreBusy.
        """
        if self._base and self._base.seq > seq:
            self._base = None  # The journal lost its end, and the file is newer than the catalog.
        found = Found.at(self.path)
        self._base = self._keeper.own_write(found.data) or self._base
        if found.data is None or (self._base and found.data == self._base.data):
            self.broken = None
            return
        try:
            theirs = read_categories(found.data)
        except UnreadableFile as error:
            self.broken = unreadable(self.path.name, error)
            return
        self.broken = None
        faults = self._apply(theirs.by_id, self._known())
        self.problems = tuple(_problem(self.path.name, fault) for fault in faults)
        self._keep(Base(self._base.seq if self._base else seq, found.data))

    def write_out(self, seq: int, *, needed: bool) -> bool:
        """Write the tree into the file, where the file does not have it.

        Args:
            seq: The number of a change that the tree holds.
            needed: The API has changed categories.

        Returns:
            Whether that is done; if not, the file has just been edited, and is to be taken in.

        Raises:
            OSError: The system refused; the file stands as it was.
        """
        found = Found.at(self.path)
        if found.data is None:
            needed = needed or self._base is not None  # It was deleted, but not the categories.
        elif self._base is None or found.data != self._base.data:
            return False
        if not needed:
            return True
        tree = self._view.categories()
        if found.data is not None and _agree(read_categories(found.data).by_id, tree.by_id):
            return True
        data = write_categories(tree)
        self._keeper.announce(Base(seq, data))
        if not replace_file(
            self._disk,
            self.path.resolve(),
            [data],
            like=found.status,
            unless=lambda: not found.is_current(self.path),
        ):
            return False
        self._keep(Base(seq, data))
        return True

    def _known(self) -> Mapping[str, Category]:
        return read_categories(self._base.data).by_id if self._base else {}

    def _apply(self, theirs: Mapping[str, Category], base: Mapping[str, Category]) -> list[Fault]:
        """Carry out the difference between *base* and *theirs*, where the API did nothing."""
        tree = self._view.categories()
        wanted: list[Category] = []
        faults: list[Fault] = []
        for key, category in theirs.items():
            if _same(category, base.get(key)) or _same(category, tree.by_id.get(key)):
                continue
            if key in base and not _same(base[key], tree.by_id.get(key)):
                faults.append(_conflict(key))
            else:
                wanted.append(category)
        gone: list[str] = []
        for key in base.keys() - theirs.keys():
            if key in tree.by_id and not _same(base[key], tree.by_id[key]):
                faults.append(_conflict(key))
            else:
                gone.append(key)
        if wanted or gone:
            faults += apply_category_edits(self._unit_of_work(), wanted, gone)
        return faults

    def _keep(self, base: Base) -> None:
        self._keeper.store(base, before=self._base)
        self._base = base


def _same(one: Category, other: Category | None) -> bool:
    return other is not None and (one.name, one.parent_id) == (other.name, other.parent_id)


def _agree(one: Mapping[str, Category], other: Mapping[str, Category]) -> bool:
    return one.keys() == other.keys() and all(_same(each, other[key]) for key, each in one.items())


def _conflict(key: str) -> Fault:
    detail = "The category was changed in the file and over the API; the API's values stay."
    return Fault(f"/{key}", "conflict", detail)


def _problem(name: str, fault: Fault) -> Problem:
    return Problem(name, 0, 0, fault.pointer.removeprefix("/"), "", fault.code, fault.detail)

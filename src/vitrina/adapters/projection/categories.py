"""``categories.json`` and the catalog's tree, in step.

As with the product file, three states are compared: the file as it was last in step, as it is now,
and the catalog. Name and parent of a category are fields; what both sides changed differently keeps
the catalog's value and is a conflict. All edits become one unit of work.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from vitrina.adapters.journal.disk import Disk
from vitrina.adapters.product_file import Conflict, UnreadableFile
from vitrina.adapters.product_file.categories_file import (
    FILE_NAME,
    CategoriesFile,
    parse_categories,
    rewrite_categories,
    write_categories,
)
from vitrina.adapters.projection.base import Base, BaseKeeper, Found
from vitrina.adapters.projection.conflicts import ConflictBook
from vitrina.adapters.projection.desk import fingerprint
from vitrina.adapters.projection.held import HeldFile
from vitrina.adapters.projection.loss import Loss
from vitrina.adapters.projection.taking import TakingIn
from vitrina.domain.category import Category
from vitrina.domain.errors import Fault
from vitrina.service_layer.documents import Json
from vitrina.service_layer.file_edits import apply_category_edits
from vitrina.service_layer.opening import Problem
from vitrina.service_layer.person_file import ConflictReason, Pending
from vitrina.service_layer.ports import CatalogView, UnitOfWork


class CategoriesSync(HeldFile):
    """Reads and writes ``categories.json`` of one catalog folder.

    Attributes:
        problems: What the catalog holds against the file.
    """

    def __init__(  # noqa: PLR0913 - only the composition root puts it together
        self,
        disk: Disk,
        folder: Path,
        keeper: BaseKeeper,
        taking: TakingIn,
        *,
        view: CatalogView,
        unit_of_work: Callable[[], UnitOfWork],
        conflicts: ConflictBook,
        loss_percent_max: float = 20.0,
    ) -> None:
        super().__init__(disk, folder / FILE_NAME, keeper, loss_percent_max=loss_percent_max)
        self.problems: tuple[Problem, ...] = ()
        self._taking = taking
        self._view = view
        self._unit_of_work = unit_of_work
        self._conflicts = conflicts

    @property
    def needs_writing(self) -> bool:
        """It does not say what the catalog says, because of conflicts."""
        return self._base is not None and bool(self._base.stale)

    def take_in(self, seq: int, *, accepted: str | None = None) -> None:
        """Carry out what people did to the file.

        Args:
            seq: The number of the last change before this.
            accepted: The fingerprint of the bytes that may take away as much as they do.

        Raises:
            OSError: The file or its base cannot be read or written.
            StoreReadOnly, StoreBusy.
        """
        found = self._look(seq)
        if own := self._keeper.own_write(found.data):
            self._base = own
        if found.data is None or (self._base and found.data == self._base.data):
            self._is_as_meant()
            self._taking.end()
            return
        try:
            theirs = parse_categories(found.data)
        except UnreadableFile as error:
            self._cannot_be_read(error)
            return
        self.broken = None
        base = self._known()
        tree = self._view.categories().by_id
        gone = [key for key in base if key not in theirs.lines and key in tree]
        asked = Pending(
            fingerprint=fingerprint(found.data), products=0, deleted=0, categories=len(gone)
        )
        if not self._may_go(Loss(len(base), len(gone), ()), asked, accepted):
            return
        is_done = self._taking.begin(found.data, is_new=True)
        merge = _Merge(base, theirs, self._view.categories().by_id)
        self._conflicts.forget_categories(merge.edited)
        conflicts = [each for each in merge.conflicts if not is_done(each.id)]
        self._conflicts.add(conflicts, of_categories=True)
        self._apply(merge, theirs, is_done)
        self._conflicts.settle()  # What was not taken is told before it is forgotten.
        stale = frozenset(each.id for each in conflicts)
        self._keep(Base(self._base.seq if self._base else seq, found.data, stale=stale))
        self._taking.end()

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
        if not needed and not self.needs_writing:
            return True
        tree = self._view.categories()
        if found.data is None:
            data = write_categories(tree)
        else:
            file = parse_categories(found.data)
            if self._base and _agree(file.tree.by_id, tree.by_id):
                self._keep(replace(self._base, stale=frozenset()))
                return True
            data = rewrite_categories(file, tree)
        base = Base(seq, data)
        if not self._replace(found, base):
            return False
        self._keep(base)
        return True

    def _known(self) -> Mapping[str, Category]:
        if self._base is None:
            return {}
        try:
            return parse_categories(self._base.data).tree.by_id
        except UnreadableFile:
            return {}  # An older version of the program could read it.

    def _apply(
        self, merge: "_Merge", theirs: CategoriesFile, is_done: Callable[[str], bool]
    ) -> None:
        wanted = [each for each in merge.wanted if not is_done(each.id)]
        gone = [key for key in merge.gone if not is_done(key)]
        faults: list[Fault] = []
        if wanted or gone:
            faults = apply_category_edits(self._unit_of_work(), wanted, gone)
        lines = theirs.lines
        self.problems = tuple(_problem(self.path.name, fault, lines) for fault in faults)


class _Merge:
    """What a person changed in the file, against what the catalog has by now.

    Attributes:
        edited: The ids of all categories that were edited, added or taken away.
        wanted: Categories as they are to be.
        gone: The ids of those that are to go.
        conflicts: What both sides changed differently.
    """

    def __init__(
        self, base: Mapping[str, Category], theirs: CategoriesFile, tree: Mapping[str, Category]
    ) -> None:
        self.edited: set[str] = set()
        self.wanted: list[Category] = []
        self.gone: list[str] = []
        self.conflicts: list[Conflict] = []
        self._lines = theirs.lines
        self._has_base = bool(base)
        for key, category in theirs.tree.by_id.items():
            if not _same(category, base.get(key)):
                self.edited.add(key)
                self._merge(base.get(key), category, tree.get(key))
        for key in base.keys() - theirs.tree.by_id.keys():
            self.edited.add(key)
            if key in tree and not _same(base[key], tree[key]):
                reason = ConflictReason.DELETED_IN_FILE
                self._conflict(key, "", _fields(base[key]), None, _fields(tree[key]), reason)
            elif key in tree:
                self.gone.append(key)

    def _merge(self, was: Category | None, category: Category, now: Category | None) -> None:
        if now is None:
            if was is None:
                self.wanted.append(category)
            else:
                reason = ConflictReason.DELETED_IN_CATALOG
                self._conflict(category.id, "", _fields(was), _fields(category), None, reason)
            return
        if was is None and not self._has_base:
            if not _same(category, now):
                self.wanted.append(category)  # Nothing is known of before; then the file counts.
            return
        before = {} if was is None else _fields(was)
        kept = _fields(now)
        taken: dict[str, str | None] = {}
        for name, value in _fields(category).items():
            old = before.get(name)
            if value in {old, kept[name]}:
                continue
            if old == kept[name]:
                taken[name] = value
            else:
                reason = ConflictReason.BOTH_CHANGED
                self._conflict(category.id, name, old, value, kept[name], reason)
        if taken:
            fields = kept | taken
            name = fields["name"] or now.name
            self.wanted.append(replace(now, name=name, parent_id=fields["parent_id"]))

    def _conflict(
        self, key: str, field: str, base: Json, theirs: Json, ours: Json, reason: ConflictReason
    ) -> None:
        line = self._lines.get(key, 0)
        self.conflicts.append(Conflict(key, field, base, theirs, ours, line, reason))


def _fields(category: Category) -> dict[str, str | None]:
    return {"name": category.name, "parent_id": category.parent_id}


def _same(one: Category, other: Category | None) -> bool:
    return other is not None and _fields(one) == _fields(other)


def _agree(one: Mapping[str, Category], other: Mapping[str, Category]) -> bool:
    return one.keys() == other.keys() and all(_same(each, other[key]) for key, each in one.items())


def _problem(name: str, fault: Fault, lines: Mapping[str, int]) -> Problem:
    key = fault.pointer.removeprefix("/")
    return Problem(name, lines.get(key, 0), 0, key, "", fault.code, fault.detail)

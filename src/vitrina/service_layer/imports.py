"""The use case of an import: a file of products becomes ordinary changes, told as ``import``.

A file that is imported has no past in the catalog, unlike the catalog's own: what it says holds. What it
does not speak of stays as it is. A row is about the product that has its id; one that states no id, about
the product that has its SKU. It is carried out in units of work of bounded size, so others may write
in between, and whatever ends it leaves whole units.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

from vitrina.domain.category import Category
from vitrina.domain.errors import Fault, StoreBusy, StoreReadOnly, StoreUnreadable
from vitrina.service_layer.file_edits import (
    Outcome,
    RowEdit,
    apply_category_edits,
    apply_row_edits,
    try_row_edits,
)
from vitrina.service_layer.opening import Problem, Understood
from vitrina.service_layer.ports import CatalogView, Stored, UnitOfWork

ROUNDS_MAX: Final = 20
"""How often rows are compared anew because others changed the same products meanwhile."""


class CannotImport(Exception):
    """Nothing of a file can be imported; the message says why, where, and what to do."""


class ImportMode(StrEnum):
    """What an import does to the catalog.

    ``upsert``: rows make products, or change those that have their ids. ``create``: rows only make
    products; one whose id is taken is rejected. ``replace_all``: as ``upsert``, and products that the
    file does not have are deleted.
    """

    UPSERT = "upsert"
    CREATE = "create"
    REPLACE_ALL = "replace_all"


class OnError(StrEnum):
    """What happens to the good rows when there are wrong ones.

    ``skip``: they are imported. ``stop``: when a row is wrong in itself, none is; when the catalog
    refuses one, such as for a category that does not exist, the import ends before the unit of work
    that it is in.
    """

    SKIP = "skip"
    STOP = "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRules:
    """How a file is imported.

    Attributes:
        dry_run: Only say what would be done.
    """

    mode: ImportMode = ImportMode.UPSERT
    on_error: OnError = OnError.SKIP
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Compared:
    """What a file does to the catalog as it is.

    Attributes:
        edits: To be carried out; none for rows that change nothing.
        rejected: Product id → why its row does not hold now.
    """

    edits: Sequence[RowEdit]
    rejected: Sequence[tuple[str, Fault]] = ()


class Incoming(Protocol):
    """A file of products that was read, whatever its format."""

    @property
    def understood(self) -> Understood:
        """What was understood of it."""
        ...

    @property
    def ids(self) -> Collection[str]:
        """The ids of the rows that are products."""
        ...

    @property
    def refused_ids(self) -> Collection[str]:
        """The ids of the others, "" among them when one has none."""
        ...

    @property
    def categories(self) -> Sequence[Category]:
        """The categories to make for the paths that it names, parents first."""
        ...

    def compared(
        self, stored: Callable[[str], Stored | None], only: Collection[str] | None
    ) -> Compared:
        """Return what it does to the catalog.

        Args:
            stored: Returns a product of the catalog, or None.
            only: The ids of the rows to look at; None is all.
        """
        ...

    def problem(self, product_id: str, fault: Fault) -> Problem:
        """Return the problem that a row has this fault, with its place."""
        ...


@dataclass(slots=True)
class Imported:
    """What an import did, or would do.

    Attributes:
        understood: What was understood of the file.
        rules: How it was imported.
        created, updated, deleted: Products.
        unchanged: Rows that say what the catalog says.
        rejected: Rows that are not in the catalog as they stand.
        categories: How many were made.
        problems: Why rows were rejected, and what else somebody should look at, by line.
        stopped: Why it ended early; None when it did not.
    """

    understood: Understood
    rules: ImportRules
    created: int = 0
    updated: int = 0
    deleted: int = 0
    unchanged: int = 0
    rejected: int = 0
    categories: int = 0
    problems: list[Problem] = field(default_factory=list)
    stopped: str | None = None


type Progress = Callable[[int, int], None]
"""Told how many products are done, and how many there are to change."""


def import_products(
    incoming: Incoming,
    rules: ImportRules,
    *,
    view: CatalogView,
    new_unit_of_work: Callable[[], UnitOfWork],
    progress: Progress = lambda _done, _all: None,
) -> Imported:
    """Carry out what a file says.

    Raises:
        CannotImport: It has no product, and all others were to be deleted.
    """
    done = Imported(incoming.understood, rules, problems=list(incoming.understood.problems))
    done.rejected = incoming.understood.refused
    if rules.mode is ImportMode.REPLACE_ALL and not incoming.ids:
        raise CannotImport(
            f"{incoming.understood.path} has no product that could be imported, so replace_all "
            "would delete every product. Nothing was changed."
        )
    if rules.on_error is OnError.STOP and done.rejected:
        wrong = "1 row is" if done.rejected == 1 else f"{done.rejected:,} rows are"
        done.stopped = f"{wrong} wrong, so nothing was imported"
        return done
    work = _Work(incoming, rules, done, view, new_unit_of_work, progress)
    try:
        work.run()
    except (StoreReadOnly, StoreBusy, StoreUnreadable) as error:
        done.stopped = str(error)
    work.settle()
    return done


def owners_of_skus(uow: UnitOfWork, skus: Iterable[str]) -> Mapping[str, str]:
    """Return SKU → the id of the product that has it, for those that have one.

    Args:
        uow: A fresh unit of work; entered here, and not committed.
        skus: Any.
    """
    with uow:
        found = {sku: uow.products.owner_of_sku(sku) for sku in skus}
    return {sku: owner for sku, owner in found.items() if owner is not None}


@dataclass(slots=True)
class _Work:
    incoming: Incoming
    rules: ImportRules
    done: Imported
    view: CatalogView
    new_unit_of_work: Callable[[], UnitOfWork]
    progress: Progress
    rejected: set[str] = field(default_factory=set)
    made: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)

    def run(self) -> None:
        categories = self.incoming.categories
        if not self.rules.dry_run and categories:
            apply_category_edits(self.new_unit_of_work(), categories, ())
        self.done.categories = len(categories)
        gone = self._gone()
        only: Collection[str] | None = None
        for _ in range(ROUNDS_MAX):
            edits = [*self._edits(only), *gone]
            outcome = Outcome()
            try:
                self._carry_out(edits, outcome)
            finally:
                self._count(edits, outcome)
            only = frozenset(outcome.stale)
            if not only or self.done.stopped:
                return
            gone = [each for each in self._gone() if each.id in only]
        for product_id in only or ():
            detail = "Others changed this product all the time; import the file again."
            self._reject(product_id, Fault("", "changed_meanwhile", detail))

    def settle(self) -> None:
        """Say what became of the rows that nothing was said of yet."""
        done = self.done
        done.rejected += len(self.rejected & set(self.incoming.ids))
        done.created, done.updated = len(self.made), len(self.changed)
        touched = self.rejected | self.made | self.changed
        done.unchanged = 0 if done.stopped else len(set(self.incoming.ids) - touched)
        done.problems.sort(key=lambda each: (each.line, each.column))

    def _edits(self, only: Collection[str] | None) -> list[RowEdit]:
        compared = self.incoming.compared(self._stored, only)
        for product_id, fault in compared.rejected:
            self._reject(product_id, fault)
        if self.rules.mode is not ImportMode.CREATE:
            return list(compared.edits)
        for product_id in self.incoming.ids:
            if (only is None or product_id in only) and self._stored(product_id) is not None:
                detail = "There is a product with this id, and the mode only creates products."
                self._reject(product_id, Fault("/id", "id_taken", detail))
        return [each for each in compared.edits if each.product is not None]

    def _gone(self) -> list[RowEdit]:
        """Return the edits that delete what the file does not have."""
        if self.rules.mode is not ImportMode.REPLACE_ALL:
            return []
        kept = {*self.incoming.ids, *self.incoming.refused_ids}
        gone = [each for each in self.view.snapshot()[1] if each.id not in kept]
        if gone and "" in kept:
            name = self.incoming.understood.path
            detail = (
                f"{len(gone)} products are not in the file, but some of its rows have no readable "
                "id, and may be theirs. Nothing was deleted."
            )
            told = Problem(name, 0, 0, "", "", "deletion_withheld", detail, error=False)
            if told not in self.done.problems:
                self.done.problems.append(told)
            return []
        return [RowEdit(each.id, each.tag) for each in gone]

    def _carry_out(self, edits: Sequence[RowEdit], outcome: Outcome) -> None:
        if self.rules.dry_run:
            outcome.take(try_row_edits(self.new_unit_of_work, edits, self.incoming.categories))
            return
        total, carried_out = len(edits), 0

        def told(count: int) -> None:
            nonlocal carried_out
            carried_out += count
            self.progress(carried_out, total)

        stop = self.rules.on_error is OnError.STOP
        self.progress(0, total)
        apply_row_edits(self.new_unit_of_work, edits, outcome, stop=stop, told=told)
        if stop and outcome.refused:
            self.done.stopped = "the catalog refused a row; what was committed before it stays"

    def _count(self, edits: Sequence[RowEdit], outcome: Outcome) -> None:
        for edit in edits:
            if edit.id not in outcome.applied:
                continue
            if edit.product is not None:
                self.made.add(edit.id)
            elif edit.patch is not None:
                self.changed.add(edit.id)
            else:
                self.done.deleted += 1
        for product_id, faults in outcome.refused.items():
            for fault in faults:
                self._reject(product_id, fault)

    def _reject(self, product_id: str, fault: Fault) -> None:
        self.rejected.add(product_id)
        self.done.problems.append(self.incoming.problem(product_id, fault))

    def _stored(self, product_id: str) -> Stored | None:
        return self.view.products([product_id])[0]

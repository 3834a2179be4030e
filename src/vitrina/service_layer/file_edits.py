"""Use cases about what people did to their files: every edit becomes ordinary changes.

An edit was made by comparing the file with the product as it was at one moment. So it holds only
for that version: where the product has changed since, the edit comes back as *stale* and the
comparison is made anew. An edit that the catalog refuses is reported, and the others are carried
out all the same.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import batched
from typing import Final

from vitrina.domain.category import Category
from vitrina.domain.errors import (
    CatalogError,
    CategoryInUse,
    Fault,
    InvalidDocument,
    SkuTaken,
    SlugTaken,
)
from vitrina.domain.identifiers import distinct_slug
from vitrina.domain.product import Product
from vitrina.service_layer.document_reading import read_product
from vitrina.service_layer.documents import READ_ONLY_FIELDS, Document, Json, write_product
from vitrina.service_layer.patches import MergePatch
from vitrina.service_layer.ports import UnitOfWork
from vitrina.service_layer.products import complete

EDITS_PER_UNIT: Final = 500
"""How many rows become one unit of work: enough to share a sync, few enough not to hold others up."""


@dataclass(frozen=True, slots=True)
class RowEdit:
    """What the file does to one product.

    Attributes:
        id: Of the product.
        expected: The entity tag of the product that the file was compared with; None when there
            was none.
        product: The new product; None when there is one already.
        patch: The fields that the file changed, as an RFC 7396 merge patch; None takes the
            product away.
    """

    id: str
    expected: str | None
    product: Product | None = None
    patch: Document | None = None


@dataclass(slots=True)
class Outcome:
    """What became of some edits.

    Attributes:
        applied: The ids of those that were carried out, or had nothing to change.
        refused: Product id → what the catalog holds against the edit.
        stale: The edits whose product has changed since they were made.
    """

    applied: set[str] = field(default_factory=set)
    refused: dict[str, tuple[Fault, ...]] = field(default_factory=dict)
    stale: list[str] = field(default_factory=list)

    def take(self, part: "Outcome") -> None:
        """Add what became of further edits."""
        self.applied |= part.applied
        self.refused |= part.refused
        self.stale += part.stale


def apply_row_edits(
    new_unit_of_work: Callable[[], UnitOfWork],
    edits: Iterable[RowEdit],
    outcome: Outcome | None = None,
    *,
    stop: bool = False,
    told: Callable[[int], None] = lambda _: None,
) -> Outcome:
    """Carry out *edits*, in units of work of at most 500.

    Rows that are gone come first, so that others may have their SKUs. Edits that want a SKU or a
    slug that another product has are tried again when that one has been edited, and those that
    wait for one another exchange them, in one unit of work.

    Args:
        new_unit_of_work: Makes a fresh unit of work.
        edits: At most one for each product.
        outcome: Filled in as it goes, so that it holds what was committed whatever happens.
        stop: End with the first unit of work in which an edit is refused; it is not committed.
        told: Called with how many edits each unit of work was about.

    Raises:
        StoreReadOnly, StoreBusy: Some edits may have been committed; the others were not.
    """
    outcome = outcome or Outcome()
    waiting: Sequence[RowEdit] = sorted(edits, key=lambda edit: not _removes(edit))
    progress = True
    while waiting and progress:
        still: list[RowEdit] = []
        for chunk in batched(waiting, EDITS_PER_UNIT, strict=False):
            part = Outcome()
            with new_unit_of_work() as uow:
                left = _carry_out(uow, chunk, part)
                if stop and part.refused:
                    outcome.refused |= part.refused
                    return outcome
                uow.commit()
            outcome.take(part)
            still += left
            told(len(chunk) - len(left))
        progress = len(still) < len(waiting)
        waiting = still
    if waiting:
        _exchange(new_unit_of_work(), waiting, outcome)
        told(len(waiting))
    return outcome


def try_row_edits(
    new_unit_of_work: Callable[[], UnitOfWork],
    edits: Sequence[RowEdit],
    categories: Sequence[Category] = (),
) -> Outcome:
    """Return what would become of *edits*; nothing is changed.

    Args:
        new_unit_of_work: Makes a fresh unit of work; none is committed.
        edits: At most one for each product.
        categories: Those that would be made before, parents first.

    Raises:
        StoreReadOnly, StoreBusy.
    """
    outcome = Outcome()
    ids = {each.id for each in edits}
    for chunk in batched(edits, EDITS_PER_UNIT, strict=False):
        with new_unit_of_work() as uow:
            for category in categories:
                uow.categories.save(category)
            for edit in _carry_out(uow, chunk, outcome):
                # What it wants may be free when all the others are carried out.
                if fault := _outside(uow, edit, ids):
                    outcome.refused[edit.id] = (fault,)
                else:
                    outcome.applied.add(edit.id)
    return outcome


def _removes(edit: RowEdit) -> bool:
    return edit.product is None and edit.patch is None


def _carry_out(uow: UnitOfWork, edits: Iterable[RowEdit], outcome: Outcome) -> list[RowEdit]:
    """Carry out edits; return those that want a SKU or slug that is taken."""
    waiting: list[RowEdit] = []
    for edit in edits:
        stored = uow.products.stored(edit.id)
        if (stored.tag if stored else None) != edit.expected:
            outcome.stale.append(edit.id)
            continue
        try:
            _apply(uow, edit)
        except (SkuTaken, SlugTaken):
            waiting.append(edit)
        except CatalogError as error:
            outcome.refused[edit.id] = _faults(error)
        else:
            outcome.applied.add(edit.id)
    return waiting


def _exchange(uow: UnitOfWork, waiting: Sequence[RowEdit], outcome: Outcome) -> None:
    """Carry out edits that wait for one another, all or none of them.

    First, each product lets go of what it has; so one more version of it is saved.
    """
    with uow:
        edits = _among_themselves(uow, waiting, outcome)
        try:
            for edit in edits:
                if edit.patch is not None:
                    product = uow.products.get(edit.id)
                    slug = distinct_slug("", edit.id) if "slug" in edit.patch else product.slug
                    sku = None if "sku" in edit.patch else product.sku
                    uow.products.save(product.become(replace(product, sku=sku, slug=slug)))
            for edit in edits:
                _apply(uow, edit)
        except CatalogError as error:
            outcome.refused.update((each.id, _faults(error)) for each in edits)
            return
        uow.commit()
    outcome.applied |= {each.id for each in edits}


def _among_themselves(
    uow: UnitOfWork, waiting: Sequence[RowEdit], outcome: Outcome
) -> list[RowEdit]:
    """Return the edits that want what others of them have; refuse those that want from outside."""
    edits = list(waiting)
    while True:
        ids = {each.id for each in edits}
        refused = {each.id: fault for each in edits if (fault := _outside(uow, each, ids))}
        if not refused:
            return edits
        outcome.refused.update((key, (fault,)) for key, fault in refused.items())
        edits = [each for each in edits if each.id not in refused]


def _outside(uow: UnitOfWork, edit: RowEdit, ids: set[str]) -> Fault | None:
    """Return what is wrong when a product outside of *ids* has the SKU or slug that is wanted."""
    sku, slug = _wanted(edit, "sku"), _wanted(edit, "slug")
    if sku and (owner := uow.products.owner_of_sku(sku)) not in {None, *ids}:
        return _faults(SkuTaken(sku, owner=str(owner)))[0]
    if slug and (owner := uow.products.owner_of_slug(slug)) not in {None, *ids}:
        return _faults(SlugTaken(slug, owner=str(owner)))[0]
    return None


def _wanted(edit: RowEdit, name: str) -> str | None:
    value = getattr(edit.product, name) if edit.product else (edit.patch or {}).get(name)
    return value if isinstance(value, str) else None


def _apply(uow: UnitOfWork, edit: RowEdit) -> None:
    if edit.product is not None:
        fresh = edit.product
        if fresh.version:
            fresh = replace(fresh, version=0)  # Versions are counted by this catalog.
        uow.products.save(complete(uow, fresh).created())
        return
    product = uow.products.get(edit.id)
    if edit.patch is None:
        uow.products.remove(product.removed())
        return
    target = read_product(_patched(product, edit.patch), product_id=edit.id)
    if target.slug is None and product.slug is not None:
        target = target.named(product.slug)
    uow.products.save(product.become(complete(uow, target)))


def _patched(product: Product, patch: Document) -> Json:
    document: Document = {
        name: value
        for name, value in write_product(product).items()
        # A derived availability follows from the quantity, which may be new.
        if name not in READ_ONLY_FIELDS
        and (name != "availability" or product.availability is not None)
    }
    settable = {name: value for name, value in patch.items() if name not in READ_ONLY_FIELDS}
    return MergePatch(settable).apply(document)


def _faults(error: CatalogError) -> tuple[Fault, ...]:
    if isinstance(error, InvalidDocument):
        return error.faults
    return (Fault(_POINTERS.get(type(error), ""), error.code, str(error)),)


_POINTERS: Final[Mapping[type[CatalogError], str]] = {SkuTaken: "/sku", SlugTaken: "/slug"}


def apply_category_edits(
    uow: UnitOfWork, wanted: Sequence[Category], gone: Iterable[str]
) -> list[Fault]:
    """Make, rename, move and remove categories, in one unit of work.

    Args:
        uow: A fresh unit of work; entered and committed here.
        wanted: New and edited categories, in any order.
        gone: Ids to take away; those in use stay.

    Returns:
        What the catalog refused; a fault's pointer is ``/`` and the category's id.

    Raises:
        StoreReadOnly, StoreBusy.
    """
    faults: list[Fault] = []
    with uow:
        waiting = list(wanted)
        while waiting:
            known = uow.categories.tree().by_id
            ready = [each for each in waiting if each.parent_id is None or each.parent_id in known]
            for each in ready or waiting:
                try:
                    uow.categories.save(each)
                except CatalogError as error:
                    faults.append(Fault(f"/{each.id}", error.code, str(error)))
            waiting = [each for each in waiting if each not in ready] if ready else []
        _remove_categories(uow, frozenset(gone), faults)
        uow.commit()
    return faults


def _remove_categories(uow: UnitOfWork, gone: frozenset[str], faults: list[Fault]) -> None:
    """Remove children before their parents."""
    for category_id in reversed([each.id for each in uow.categories.tree() if each.id in gone]):
        try:
            uow.categories.remove(category_id)
        except CategoryInUse as error:
            faults.append(Fault(f"/{category_id}", error.code, str(error)))

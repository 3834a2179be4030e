"""Carries out what people did to the rows of a product file, as ordinary changes of the catalog."""

from collections.abc import Callable, Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final

from vitrina.adapters.product_file import Conflict, ProductFile, Row, Validated, compare
from vitrina.adapters.product_file.flat import Fields, flatten
from vitrina.adapters.product_file.row_edits import document_of, row_edit
from vitrina.adapters.projection.conflicts import ConflictBook
from vitrina.adapters.projection.understanding import warning
from vitrina.adapters.projection.versions import without_rows
from vitrina.domain.errors import Fault
from vitrina.service_layer.documents import Document
from vitrina.service_layer.file_edits import apply_row_edits
from vitrina.service_layer.opening import Problem
from vitrina.service_layer.ports import CatalogView, UnitOfWork

ROUNDS_MAX: Final = 20
"""How often edits are compared anew because the API changed the same products meanwhile."""


@dataclass(slots=True)
class Applied:
    """What became of an edit of the file.

    Attributes:
        refused: Product id → what the catalog holds against its row.
        stale: The ids of rows that do not say what the catalog says now.
        names: See :class:`Mended`.
        added: See :class:`Older`.
        conflicts: What was not taken, found before the comparison.
        told: What is to be told beside what is wrong in the file itself.
    """

    refused: dict[str, tuple[Fault, ...]] = field(default_factory=dict)
    stale: set[str] = field(default_factory=set)
    names: dict[str, str] = field(default_factory=dict)
    added: set[str] = field(default_factory=set)
    conflicts: list[Conflict] = field(default_factory=list)
    told: list[Problem] = field(default_factory=list)


class Applier:
    """Applies the edits of one product file."""

    def __init__(
        self,
        file_name: str,
        view: CatalogView,
        unit_of_work: Callable[[], UnitOfWork],
        conflicts: ConflictBook,
    ) -> None:
        self._file_name = file_name
        self._view = view
        self._unit_of_work = unit_of_work
        self._conflicts = conflicts

    def apply(
        self,
        base: ProductFile | None,
        theirs: Validated,
        result: Applied,
        *,
        unclear: AbstractSet[str],
        is_done: Callable[[str], bool],
    ) -> None:
        """Carry out the edits, as often anew as the API changes the same products meanwhile.

        Args:
            base: The file before; None when that is not known.
            theirs: The file as it was edited.
            result: What is known of the edit; told what becomes of it.
            unclear: The ids of rows that were refused before.
            is_done: Says whether the edit of a product was carried out before a crash.
        """
        base = without_rows(base, result.added)
        self._conflicts.forget_edited(*_edited_rows(base, theirs.file))
        only: frozenset[str] | None = None
        for _ in range(ROUNDS_MAX):
            tags: dict[str, str | None] = {}

            def current(product_id: str, tags: dict[str, str | None] = tags) -> Document | None:
                stored = self._view.products([product_id])[0]
                tags[product_id] = stored.tag if stored else None
                return document_of(stored)

            merge = compare(base, theirs.file, current, unclear=unclear)
            edits = [
                row_edit(each, tags[each.id], theirs.products)
                for each in merge.edits
                if (only is None or each.id in only) and not is_done(each.id)
            ]
            outcome = apply_row_edits(self._unit_of_work, edits)
            result.refused |= outcome.refused
            conflicts = [each for each in merge.conflicts if only is None or each.id in only]
            self._conflicts.add(conflicts)
            result.stale.update(each.id for each in conflicts)
            if only is None:
                result.told += self._withheld(merge.withheld)
            only = frozenset(outcome.stale)
            if not only:
                break

    def _withheld(self, ids: tuple[str, ...]) -> list[Problem]:
        if not ids:
            return []
        detail = (
            f"The rows of {len(ids)} products are gone, but some rows have no readable id; mend "
            f"those first. Until then the products stay: {', '.join(ids[:5])}."
        )
        return [warning(self._file_name, "deletion_withheld", detail)]


def _edited_rows(
    base: ProductFile | None, theirs: ProductFile
) -> tuple[dict[str, Fields], dict[str, Fields]]:
    """Return the flat fields of the rows that were edited or are gone: before, and after."""
    if base is None:
        return {}, {}
    edited: list[tuple[Row, Row | None]] = [
        (row, now)
        for row in base.accepted.values()
        if (now := theirs.accepted.get(row.id)) is None or now.raw != row.raw
    ]
    return (
        {row.id: flatten(row.document) for row, _ in edited},
        {row.id: flatten(now.document) for row, now in edited if now is not None},
    )

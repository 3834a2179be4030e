"""A product file that is imported: read by the readers of the catalog's own file."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from vitrina.adapters.product_file import (
    Format,
    ProductFile,
    compare,
    detect_format,
    parse,
    resolve_categories,
    validate,
)
from vitrina.adapters.product_file.row_edits import document_of, row_edit
from vitrina.adapters.product_file.validation import problem_at
from vitrina.adapters.projection.facts import Facts
from vitrina.adapters.projection.understanding import problem_of, understood_of
from vitrina.domain.category import Category, CategoryTree
from vitrina.domain.errors import Fault
from vitrina.service_layer.documents import Document
from vitrina.service_layer.imports import Compared
from vitrina.service_layer.opening import Problem, Understood
from vitrina.service_layer.ports import Stored


class IncomingFile:
    """A file in one of the catalog's own formats; meets the port ``Incoming``."""

    def __init__(
        self,
        path: Path,
        data: bytes,
        tree: CategoryTree,
        *,
        currency: str,
        owners_of_skus: Callable[[Sequence[str]], Mapping[str, str]],
        file_format: Format | None = None,
    ) -> None:
        """Read a file.

        Args:
            path: Its name, for what is told of it and for its format.
            data: What it holds.
            tree: The categories that there are.
            currency: Of prices that name none, ISO 4217.
            owners_of_skus: Returns SKU → the id of the product that has it.
            file_format: None: by its name, or else by how it begins.

        Raises:
            UnreadableFile: It cannot be used as a whole.
        """
        self._name = path.name
        kind = file_format or detect_format(path.name, data)
        file = _known_by_sku(parse(data, kind, currency=currency), owners_of_skus)
        resolved, made = resolve_categories(file, tree)
        self._checked = validate(resolved)
        self._file = self._checked.file
        self.categories: Sequence[Category] = made
        problems = [problem_of(path.name, each) for each in self._file.problems]
        self.understood: Understood = understood_of(path, Facts.of(self._file), problems, refused=0)

    @property
    def ids(self) -> Collection[str]:
        return self._file.accepted.keys()

    @property
    def refused_ids(self) -> Collection[str]:
        return self._file.refused_ids

    def compared(
        self, stored: Callable[[str], Stored | None], only: Collection[str] | None
    ) -> Compared:
        file = self._file
        if only is not None:
            file = replace(file, rows=tuple(row for row in file.rows if row.id in only))
        tags: dict[str, str | None] = {}

        def current(product_id: str) -> Document | None:
            found = stored(product_id)
            tags[product_id] = found.tag if found else None
            return document_of(found)

        merge = compare(None, file, current)
        edits = [row_edit(each, tags[each.id], self._checked.products) for each in merge.edits]
        rejected = [
            (each.id, Fault(f"/{each.field}", each.reason.value, _STALE))
            for each in merge.conflicts
        ]
        return Compared(edits, rejected)

    def problem(self, product_id: str, fault: Fault) -> Problem:
        row = self._file.accepted.get(product_id)
        if row is None:
            return Problem(self._name, 0, 0, "", product_id, fault.code, fault.detail)
        return problem_of(self._name, problem_at(self._file, row, fault))


def _known_by_sku(
    file: ProductFile, owners_of_skus: Callable[[Sequence[str]], Mapping[str, str]]
) -> ProductFile:
    """Return *file* with the ids of the catalog in rows that state none."""
    nameless = {
        row.line: sku
        for row in file.rows
        if not row.states_id and not row.refused and isinstance(sku := row.document.get("sku"), str)
    }
    owners = owners_of_skus(list(nameless.values())) if nameless else {}
    taken = {row.id for row in file.rows if row.states_id}
    renamed = {
        line: owner
        for line, sku in nameless.items()
        if (owner := owners.get(sku)) is not None and owner not in taken
    }
    if not renamed:
        return file
    rows = (
        replace(row, id=renamed[row.line], document={**row.document, "id": renamed[row.line]})
        if row.line in renamed
        else row
        for row in file.rows
    )
    return replace(file, rows=tuple(rows))


_STALE = "The row's _version is not the product's: it was changed since. Export it anew."

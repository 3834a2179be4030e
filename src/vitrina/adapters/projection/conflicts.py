"""The conflicts that are open: kept over a restart, and shown in a file beside the person's.

A conflict is over when the two sides agree: the catalog has the file's value, or the product went
the way that the file wanted. It is over, too, when somebody edits that cell of the file again, for
then that edit counts; and all are over when somebody deletes ``products.conflicts.csv``, which is
how a person says "I have read it".
"""

import csv
import io
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import Final

import structlog

from vitrina.adapters.journal.disk import Disk, replace_file
from vitrina.adapters.product_file import Conflict
from vitrina.adapters.product_file.flat import Fields, flatten, same, stated
from vitrina.adapters.product_file.json_text import JsonStyle, dump
from vitrina.adapters.projection.base import signature_of
from vitrina.adapters.projection.desk import Desk
from vitrina.domain.category import Category
from vitrina.service_layer.documents import Document, Json
from vitrina.service_layer.person_file import CONFLICTS_MAX, ConflictReason, FileConflict
from vitrina.service_layer.times import format_time

COLUMNS: Final = (
    "product_id,field,reason,line,file_value,kept_value,base_value,at,category_id".split(",")
)  # fmt: skip
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")

_log = structlog.get_logger(__name__)

type Current = Callable[[str], Document | None]


class ConflictBook:
    """The conflicts of one product file, and of the ``categories.json`` beside it."""

    def __init__(
        self,
        disk: Disk,
        desk: Desk,
        file: Path,
        *,
        current: Current,
        category: Callable[[str], Category | None],
        now: Callable[[], datetime],
    ) -> None:
        """Take up the conflicts that were open when the catalog was last served.

        Args:
            disk: Where.
            desk: Where they are kept.
            file: The product file.
            current: Returns the document of a product in the catalog, or None.
            category: Returns a category of the catalog, or None.
            now: The clock.
        """
        self.path: Final = file.with_name(f"{file.stem}.conflicts.csv")
        self._disk = disk
        self._desk = desk
        self._current = current
        self._category = category
        self._now = now
        self._open: dict[str, FileConflict] = {each.id: each for each in reversed(desk.conflicts())}
        self._shown: frozenset[str] = frozenset()
        self._table: tuple[FileConflict, ...] = ()

    def __len__(self) -> int:
        return len(self._open)

    def add(self, conflicts: Iterable[Conflict], *, of_categories: bool = False) -> None:
        """Note and log what was not taken from the file.

        Args:
            conflicts: What.
            of_categories: Their ids are those of categories.
        """
        at = self._now()
        for each in conflicts:
            key = _key("category\x00" * of_categories + each.id, each.field)
            found = FileConflict(
                id=key,
                product_id="" if of_categories else each.id,
                category_id=each.id if of_categories else "",
                field=each.field,
                reason=each.reason,
                base_value=each.base,
                file_value=each.theirs,
                kept_value=each.ours,
                line=each.line,
                at=at,
            )
            self._open.pop(key, None)  # So that the newest is the last.
            self._open[key] = found
            self._shown -= {key}  # Who has read the list has not read this one.
            _log.warning(
                "conflict",
                **{"category" if of_categories else "product": each.id},
                field=each.field,
                line=each.line,
                file_value=each.theirs,
                kept_value=each.ours,
                reason=each.reason.value,
            )
        while len(self._open) > CONFLICTS_MAX:
            del self._open[next(iter(self._open))]

    def forget_categories(self, edited: Collection[str]) -> None:
        """Close the conflicts about categories that were edited anew in their file."""
        self._open = {
            key: each for key, each in self._open.items() if each.category_id not in edited
        }

    def forget_edited(self, before: Mapping[str, Fields], after: Mapping[str, Fields]) -> None:
        """Close the conflicts about cells that were edited anew.

        Args:
            before: Product id → the flat fields of its row as it was, of rows that were edited.
            after: The same as they are now; a row that is gone is missing.
        """
        for key, each in list(self._open.items()):
            if each.category_id:
                continue
            old, new = before.get(each.product_id), after.get(each.product_id)
            if old is not None and (
                new is None or not same(old.get(each.field), new.get(each.field))
            ):
                del self._open[key]

    def settle(self) -> None:
        """Close what is over, and bring both lists on the disk up to date.

        Raises:
            OSError: The system refused.
        """
        if self._shown and self._open and signature_of(self.path) is None:
            _log.info("conflicts dismissed", count=len(self._shown))
            self._open = {key: each for key, each in self._open.items() if key not in self._shown}
            self._shown = frozenset()
        self._open = {key: each for key, each in self._open.items() if not self._is_over(each)}
        newest_first = tuple(reversed(self._open.values()))
        if newest_first != tuple(self._desk.conflicts()):
            self._desk.keep(newest_first)
        self._show(newest_first)

    def _is_over(self, conflict: FileConflict) -> bool:
        document = self._document(conflict)
        if conflict.reason is ConflictReason.DELETED_IN_CATALOG:
            return document is not None
        if document is None:
            return True
        if not conflict.field:
            return False
        fields = document if conflict.category_id else stated(flatten(document))
        return same(conflict.file_value, fields.get(conflict.field))

    def _document(self, conflict: FileConflict) -> Document | None:
        if not conflict.category_id:
            return self._current(conflict.product_id)
        found = self._category(conflict.category_id)
        return None if found is None else {"name": found.name, "parent_id": found.parent_id}

    def _show(self, conflicts: tuple[FileConflict, ...]) -> None:
        if not conflicts:
            if signature_of(self.path) is not None:
                self._disk.unlink(self.path)
            self._shown, self._table = frozenset(), ()
        elif conflicts != self._table:
            replace_file(self._disk, self.path, [_as_csv(conflicts)])
            self._shown, self._table = frozenset(self._open), conflicts


def _key(product_id: str, field: str) -> str:
    return blake2b(f"{product_id}\x00{field}".encode(), digest_size=8).hexdigest()


def _as_csv(conflicts: Iterable[FileConflict]) -> bytes:
    """Return the table for spreadsheets: CSV with a byte order mark, no cell of it a formula."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for each in conflicts:
        cells = [
            each.product_id,
            each.field,
            each.reason.value,
            str(each.line or ""),
            *map(_text, (each.file_value, each.kept_value, each.base_value)),
            format_time(each.at),
            each.category_id,
        ]
        writer.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells])
    return out.getvalue().encode("utf-8-sig")


def _text(value: Json) -> str:
    match value:
        case None:
            return ""
        case str():
            return value
        case {"amount": amount, "currency": currency, **rest} if not rest:
            return f"{amount} {currency}"
        case _:
            return dump(value, JsonStyle())

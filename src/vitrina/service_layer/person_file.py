"""How the person's file and the catalog get along: what waits, what is wrong, what was not taken.

The words of this module are shared by all processes that serve a catalog; only one of them reads
and writes the file.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

from vitrina.domain.errors import NothingToAccept
from vitrina.service_layer.documents import Json
from vitrina.service_layer.opening import Problem

CONFLICTS_MAX: Final = 1_000
"""How many conflicts are kept; the oldest give way."""

PROBLEMS_SHOWN_MAX: Final = 100


class FileState(StrEnum):
    """How the file is.

    ``none``: the catalog has no file. ``in_sync``: what it says is in the catalog, and what the
    catalog says is in it, or will be in a moment. ``held``: so it is, but for some rows or values
    that are wrong. ``pending``: it was edited so that much would be lost, and waits to be accepted.
    ``broken``: it cannot be read. ``blocked``: the system refuses to read or to write it.
    """

    NONE = "none"
    IN_SYNC = "in_sync"
    HELD = "held"
    PENDING = "pending"
    BROKEN = "broken"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """An edit of the file that waits to be accepted.

    Attributes:
        fingerprint: Of the file's bytes: what is accepted is just this, not what is saved later.
        products: How many products the catalog has of which the file had a row.
        deleted: How many of them would go.
        columns: The columns whose values would go.
        categories: How many categories would go from ``categories.json``, if that is the file.
    """

    fingerprint: str
    products: int
    deleted: int
    columns: tuple[str, ...] = ()
    categories: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FileStatus:
    """How the person's file is now.

    Attributes:
        file: Its name.
        state: See :class:`FileState`.
        detail: One sentence: what is wrong and what to do; "" when nothing is.
        line, column, code: Where and which rule, when one place is to blame; else 0 and "".
        rows, refused: How many rows were read last, and how many of them are not served.
        seq: The file holds every change up to this number.
        waiting: How many products were changed by others and are not written into the file yet.
        waiting_since: When the first of these changes was made.
        pending: What waits to be accepted.
        problems: What is wrong with rows and cells, at most 100.
        problems_total: How many there are.
        conflicts: How many conflicts are open.
    """

    file: str = ""
    state: FileState = FileState.NONE
    detail: str = ""
    line: int = 0
    column: int = 0
    code: str = ""
    rows: int = 0
    refused: int = 0
    seq: int = 0
    waiting: int = 0
    waiting_since: datetime | None = None
    pending: Pending | None = None
    problems: tuple[Problem, ...] = ()
    problems_total: int = 0
    conflicts: int = 0


class ConflictReason(StrEnum):
    """Why a value of the file was not taken.

    ``both_changed``: the catalog changed it, too. ``deleted_in_catalog``, ``deleted_in_file``: one
    side deleted the product, and the other changed it. ``stale_copy``: the file was saved from a
    copy that was opened before the catalog's last changes came into it. ``stale_version``: the
    row's ``_version`` is not the product's. ``damaged``: a spreadsheet seems to have spoiled it.
    """

    BOTH_CHANGED = "both_changed"
    DELETED_IN_CATALOG = "deleted_in_catalog"
    DELETED_IN_FILE = "deleted_in_file"
    STALE_COPY = "stale_copy"
    STALE_VERSION = "stale_version"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileConflict:
    """A value of the file that was not taken; the catalog's was kept.

    Attributes:
        id: The same for the same field of the same product or category.
        product_id: Whose; "" when it is a category's.
        category_id: Whose; "" when it is a product's.
        field: As a column names it: ``price``, ``attributes.color``; "" is the whole of it.
        base_value: What both sides had before.
        file_value: What the file said.
        kept_value: What the catalog had and has.
        line: Of the row, when it was read; 0 when there was none.
        at: When.
    """

    id: str
    product_id: str
    field: str
    reason: ConflictReason
    base_value: Json
    file_value: Json
    kept_value: Json
    line: int
    at: datetime
    category_id: str = ""


class FileDesk(Protocol):
    """What may be asked about the person's file, and the one order that may be given."""

    def status(self) -> FileStatus:
        """Return how the file is now."""
        ...

    def conflicts(self) -> Sequence[FileConflict]:
        """Return the open conflicts, newest first, at most :data:`CONFLICTS_MAX`."""
        ...

    def accept(self) -> FileStatus:
        """Let the pending edit be carried out, and return how the file is then.

        Raises:
            NothingToAccept: No edit waits.
            OSError: The system refuses.
        """
        ...


class NoFile:
    """A catalog without a file."""

    def status(self) -> FileStatus:
        return FileStatus()

    def conflicts(self) -> Sequence[FileConflict]:
        return ()

    def accept(self) -> FileStatus:
        raise NothingToAccept("This catalog has no file.")

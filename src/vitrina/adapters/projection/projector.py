"""Runs both files of a catalog in step with it: takes edits in, and writes changes out.

One thread waits for changes, of the catalog and of the files. An edit of a file is taken in as soon
as the file has come to rest; changes of the catalog are written after a while, so that many become
one write. Before a file is written it is looked at for edits, and again just before it is replaced.
While a person has to do something first (the file cannot be read, or what it takes away has to be
accepted) nothing is written into it; what is to be written waits in the journal.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import structlog

from vitrina.adapters.product_file import UnreadableFile
from vitrina.adapters.projection.base import Rest
from vitrina.adapters.projection.categories import CategoriesSync
from vitrina.adapters.projection.conflicts import ConflictBook
from vitrina.adapters.projection.desk import Desk
from vitrina.adapters.projection.products import ProductsSync
from vitrina.adapters.projection.watcher import FolderWatcher, Watch
from vitrina.domain.errors import CatalogError, ChangesGone
from vitrina.service_layer import metrics
from vitrina.service_layer.changes import Source
from vitrina.service_layer.metrics import Meters
from vitrina.service_layer.opening import CannotOpen, Problem, Understood
from vitrina.service_layer.person_file import (
    PROBLEMS_SHOWN_MAX,
    FileState,
    FileStatus,
    Pending,
)
from vitrina.service_layer.ports import CatalogView, ChangeLog, Check, CheckStatus

LOOK_EVERY_S: Final = 0.1
REST_WAIT_S: Final = 10.0
"""How long a file that is being written all the time is waited for before another try."""

RETRY_AFTER_S: Final = 10.0
ROUNDS_MAX: Final = 5
"""How often a write gives way to somebody who edits the file at the same time."""

BATCH_CHANGES: Final = 1_000

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """When the files are looked at and written.

    Attributes:
        delay_s: How long after a change of the catalog.
        rest_s: How long a file has to look the same to be at rest.
        watch: How edits are noticed.
    """

    delay_s: float = 1.0
    rest_s: float = 0.3
    watch: Watch = Watch.AUTO


class Projector:
    """Keeps a product file and ``categories.json`` in step with the catalog."""

    def __init__(  # noqa: PLR0913 - only the composition root puts it together
        self,
        products: ProductsSync,
        categories: CategoriesSync,
        *,
        view: CatalogView,
        log: ChangeLog,
        desk: Desk,
        conflicts: ConflictBook,
        timing: Timing,
        meters: Meters,
    ) -> None:
        self._products = products
        self._categories = categories
        self._desk = desk
        self._conflicts = conflicts
        files = (products.path, categories.path)
        self._rest = Rest(files, timing.rest_s)
        self._watcher = FolderWatcher((*files, conflicts.path), timing.watch)
        self._delay_s = timing.delay_s
        self._view = view
        self._log = log
        self._one = threading.Lock()
        self._stopping = threading.Event()
        self._failure: str | None = None
        self._followed: int | None = None
        self._pending: set[str] = set()
        self._tree_pending = False
        self._waiting_since: datetime | None = None
        self._failures = meters.counter(metrics.FILE_FAILURES)
        self._thread = threading.Thread(target=self._run, name="vitrina-projector", daemon=True)

    def open(self) -> Understood:
        """Take in the files as they are found, and return what was understood.

        Raises:
            CannotOpen: There is nothing to serve: the file cannot be read and never could.
            OSError: The system refuses to read or to write.
        """
        with self._one:
            self._rest.wait(longest_s=REST_WAIT_S)
            self._take_in()
            for broken in (self._categories.broken, self._products.broken):
                if broken and self._view.seq == 0:
                    raise CannotOpen(_explain(self._products.path.parent, broken))
            self._tell()
        return self.understood

    @property
    def understood(self) -> Understood:
        """What was understood of the product file when it was last read."""
        found = self._products.understood
        broken = self._products.broken
        if found is not None:
            return found
        name = str(self._products.path)
        problems = (broken,) if broken else ()
        return Understood(name, "", (), 0, 0, None, problems)

    def start(self) -> None:
        """Begin to follow the files and the catalog."""
        self._watcher.start()
        self._thread.start()

    def stop(self) -> None:
        """End the thread, and write out what is left."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        self._watcher.stop()
        self._try(write=True)

    def sync(self, *, write: bool) -> None:
        """Take edits in, and write changes out.

        Args:
            write: Write now what waits to be written.

        Raises:
            OSError: The system refuses to read or to write; the files stand as they were.
            UnreadableFile: The products do not fit into the file's format.
            CatalogError: The catalog cannot be written to.
        """
        stopping = None if self._stopping.is_set() else self._stopping
        with self._one:
            for _ in range(ROUNDS_MAX):
                if not self._rest.wait(stopping, longest_s=REST_WAIT_S):
                    break
                self._take_in()
                self._follow()
                if not write or self._write_out():
                    self._conflicts.settle()
                    self._rest.note()
                    return
            _log.info("the files are being edited; written later", file=str(self._products.path))

    def status(self) -> FileStatus:
        """Return how the files are."""
        found = self.understood
        problems = (*found.problems, *self._categories.problems)
        state, detail, place = self._state(problems)
        return FileStatus(
            file=self._products.path.name,
            state=state,
            detail=detail,
            line=place.line if place else 0,
            column=place.column if place else 0,
            code=place.code if place else "",
            rows=found.rows,
            refused=found.refused,
            seq=self._products.seq or 0,
            waiting=len(self._pending),
            waiting_since=self._waiting_since,
            pending=self._categories.pending or self._products.pending,
            problems=problems[:PROBLEMS_SHOWN_MAX],
            problems_total=len(problems),
            conflicts=len(self._conflicts),
        )

    def _state(self, problems: Sequence[Problem]) -> tuple[FileState, str, Problem | None]:
        """Return the state, a sentence about it, and the one thing to look at, if it is one."""
        if self._failure:
            return FileState.BLOCKED, self._failure, None
        folder = self._products.path.parent
        for broken in (self._products.broken, self._categories.broken):
            if broken:
                detail = (
                    f"{_explain(folder, broken)} The last good state is served, and nothing is "
                    "written into the file until it can be read again."
                )
                return FileState.BROKEN, detail, broken
        for sync in (self._categories, self._products):
            if sync.pending:
                return FileState.PENDING, _ask(sync.path, sync.pending), None
        if problems:
            more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
            return FileState.HELD, f"{problems[0]}{more}", problems[0]
        if len(self._conflicts):
            detail = (
                f"{len(self._conflicts)} values of the file were not taken, because the catalog's "
                f"had changed, too: see /v1/conflicts or {self._conflicts.path.name}."
            )
            return FileState.HELD, detail, None
        return FileState.IN_SYNC, "", None

    def _tell(self) -> None:
        self._desk.tell(self.status())

    def _take_in(self) -> None:
        # Categories first: the rows of the product file refer to them.
        accepted = self._desk.ordered()
        self._categories.take_in(self._view.seq, accepted=accepted)
        if not self._categories.waits:
            self._products.take_in(self._view.seq, accepted=accepted)
        if accepted is not None and self._categories.broken is None:
            self._desk.clear_order()
        if self._followed is None:
            self._followed = self._products.seq

    def _write_out(self) -> bool:
        """Write what is pending; False when somebody has edited a file meanwhile."""
        if self._categories.waits or self._products.waits:
            return True  # A person is in the middle of something; what is pending stays so.
        seq = self._followed or 0
        # Categories first here, too: if it ends between the two, the products are still pending.
        if not self._categories.write_out(seq, needed=self._tree_pending):
            return False
        if not self._products.write_out(self._pending, seq, new_paths=self._tree_pending):
            return False
        self._pending.clear()
        self._tree_pending = False
        self._waiting_since = None
        return True

    def _follow(self) -> None:
        """Note what was changed since the files were last in step, by others than the files."""
        while (after := self._followed or 0) < self._log.seq:
            try:
                changes = self._log.changes(after, limit=BATCH_CHANGES)
            except ChangesGone:
                self._followed, products = self._view.snapshot()
                self._pending.update(each.id for each in products)
                self._pending.update(self._products.ids())
                self._tree_pending = True
                continue
            for change in changes:
                if change.source is Source.FILE:
                    continue
                self._waiting_since = self._waiting_since or change.at
                if change.type.startswith("product."):
                    self._pending.add(change.id)
                else:
                    self._tree_pending = True
            self._followed = changes[-1].seq

    def _run(self) -> None:
        due: float | None = None
        while not self._stopping.is_set():
            grown = self._log.wait(self._followed or 0, timeout_s=LOOK_EVERY_S)
            now = time.monotonic()
            if due is None and (grown or self._is_behind()):
                due = now + (RETRY_AFTER_S if self._failure else self._delay_s)
            write = due is not None and now >= due
            if write or self._is_stirred():
                self._try(write=write)
                if write:
                    due = None
            elif grown:
                self._stopping.wait(LOOK_EVERY_S)  # Until the write is due.

    def _is_stirred(self) -> bool:
        """Say whether it is worth looking at the files."""
        try:
            return self._watcher.stirred() or self._desk.has_order()
        except OSError:
            return self._failure is None  # To look at them says why; later, as long as it fails.

    def _is_behind(self) -> bool:
        """Say whether something waits to be written that may be written."""
        if self._failure:
            return True
        if self._categories.waits or self._products.waits:
            return False
        needs = self._products.needs_writing or self._categories.needs_writing
        return bool(self._pending or self._tree_pending or needs)

    def _try(self, *, write: bool) -> None:
        try:
            self.sync(write=write)
        except (OSError, UnreadableFile, CatalogError) as error:
            self._failure = (
                f"{self._products.path} could not be brought up to date: {error}. Nothing is lost: "
                "the changes are in the journal, and writing them is tried again."
            )
            _log.warning("the files are not up to date", reason=str(error))
        except Exception as error:  # noqa: BLE001 - the thread must outlive a bug; it is logged
            self._failure = f"{self._products.path} is not up to date: {error!r}"
            _log.exception("bringing the files up to date failed")
        else:
            self._failure = None
        if self._failure is not None:
            self._failures.add()
        self._tell()


def check_of(status: FileStatus) -> Check:
    """Return what probes are told of the files."""
    if status.state in {FileState.IN_SYNC, FileState.NONE}:
        return Check("product_file", CheckStatus.PASS)
    return Check("product_file", CheckStatus.WARN, status.detail)


def _ask(file: Path, pending: Pending) -> str:
    """Return what would be lost, and how to say that it is meant."""
    lost = []
    if pending.deleted:
        lost.append(f"delete {pending.deleted} of {pending.products} products")
    if pending.categories:
        lost.append(f"delete {pending.categories} categories")
    if pending.columns:
        lost.append(f"take away all values of {', '.join(pending.columns)}")
    return (
        f"{file} was saved so that it would {' and '.join(lost)}. Nothing of it is applied. If that "
        f"is meant, run: vitrina accept {file}  (or POST /v1/file/accept); else mend the file."
    )


def _explain(folder: Path, broken: Problem) -> str:
    """Return what is wrong with a file as a whole, and where."""
    return (
        f"{folder / broken.file} cannot be read: line {broken.line}, column {broken.column}: "
        f"{broken.detail}"
    )

"""Runs both files of a catalog in step with it: takes edits in, and writes changes out.

One thread waits for changes, lets a while pass so that many become one write, and brings the files
up to date. It looks for edits before it writes, and again just before a file is replaced.
"""

import threading
from pathlib import Path
from typing import Final

import structlog

from vitrina.adapters.product_file import UnreadableFile
from vitrina.adapters.projection.categories import CategoriesSync
from vitrina.adapters.projection.products import ProductsSync
from vitrina.domain.errors import CatalogError, ChangesGone
from vitrina.service_layer.changes import Source
from vitrina.service_layer.opening import CannotOpen, Problem, Understood
from vitrina.service_layer.ports import CatalogView, ChangeLog, Check, CheckStatus

LOOK_EVERY_S: Final = 0.1
RETRY_AFTER_S: Final = 10.0
ROUNDS_MAX: Final = 5
"""How often a write gives way to somebody who edits the file at the same time."""

BATCH_CHANGES: Final = 1_000

_log = structlog.get_logger(__name__)


class Projector:
    """Keeps a product file and ``categories.json`` in step with the catalog."""

    def __init__(
        self,
        products: ProductsSync,
        categories: CategoriesSync,
        *,
        view: CatalogView,
        log: ChangeLog,
        delay_s: float,
    ) -> None:
        self._products = products
        self._categories = categories
        self._view = view
        self._log = log
        self._delay_s = delay_s
        self._one = threading.Lock()
        self._stopping = threading.Event()
        self._failure: str | None = None
        self._followed: int | None = None
        self._pending: set[str] = set()
        self._tree_pending = False
        self._thread = threading.Thread(target=self._run, name="vitrina-projector", daemon=True)

    def open(self) -> Understood:
        """Take in the files as they are found, and return what was understood.

        Raises:
            CannotOpen: There is nothing to serve: the file cannot be read and never could.
            OSError: The system refuses to read or to write.
        """
        with self._one:
            self._take_in()
            for broken in (self._categories.broken, self._products.broken):
                if broken and self._view.seq == 0:
                    raise CannotOpen(_explain(self._products.path.parent, broken))
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
        """Begin to write changes out as they come."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread, and write out what is left."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        self._try()

    def sync(self) -> None:
        """Take edits in, and write changes out.

        Raises:
            OSError: The system refuses to read or to write; the files stand as they were.
            UnreadableFile: The products do not fit into the file's format.
            CatalogError: The catalog cannot be written to.
        """
        with self._one:
            for _ in range(ROUNDS_MAX):
                self._take_in()
                self._follow()
                if self._write_out():
                    return
            _log.warning("the files are being edited; written later", file=str(self._products.path))

    def checks(self) -> list[Check]:
        """Tell whether the files can be read and written."""
        if self._failure:
            return [Check("product_file", CheckStatus.WARN, self._failure)]
        folder = self._products.path.parent
        for broken in (self._products.broken, self._categories.broken):
            if broken:
                detail = f"{_explain(folder, broken)} The last good state is served."
                return [Check("product_file", CheckStatus.WARN, detail)]
        problems = [*self.understood.problems, *self._categories.problems]
        if problems:
            more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
            return [Check("product_file", CheckStatus.WARN, f"{problems[0]}{more}")]
        return [Check("product_file", CheckStatus.PASS)]

    def _take_in(self) -> None:
        # Categories first: the rows of the product file refer to them.
        self._categories.take_in(self._view.seq)
        if self._categories.broken is None:
            self._products.take_in(self._view.seq)
        if self._followed is None:
            self._followed = self._products.seq

    def _write_out(self) -> bool:
        """Write what is pending; False when somebody has edited a file meanwhile."""
        if self._categories.broken or self._products.broken:
            return True  # A person is in the middle of something; what is pending stays so.
        seq = self._followed or 0
        # Categories first here, too: if it ends between the two, the products are still pending.
        if not self._categories.write_out(seq, needed=self._tree_pending):
            return False
        if not self._products.write_out(self._pending, seq, new_paths=self._tree_pending):
            return False
        self._pending.clear()
        self._tree_pending = False
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
                if change.type.startswith("product."):
                    self._pending.add(change.id)
                else:
                    self._tree_pending = True
            self._followed = changes[-1].seq

    def _run(self) -> None:
        while not self._stopping.is_set():
            behind = bool(self._pending or self._tree_pending or self._failure)
            if not behind and not self._log.wait(self._followed or 0, timeout_s=LOOK_EVERY_S):
                continue
            if self._stopping.wait(RETRY_AFTER_S if self._failure else self._delay_s):
                return
            self._try()

    def _try(self) -> None:
        try:
            self.sync()
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


def _explain(folder: Path, broken: Problem) -> str:
    """Return what is wrong with a file as a whole, and where."""
    return (
        f"{folder / broken.file} cannot be read: line {broken.line}, column {broken.column}: "
        f"{broken.detail}"
    )

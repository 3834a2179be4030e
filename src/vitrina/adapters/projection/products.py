"""The product file and the catalog's products, in step."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from vitrina.adapters.journal.disk import Disk
from vitrina.adapters.product_file import (
    Conflict,
    ProductFile,
    UnreadableFile,
    Validated,
    detect_format,
    new_file,
)
from vitrina.adapters.product_file.headers import VERSION
from vitrina.adapters.product_file.row_edits import document_of
from vitrina.adapters.projection.applying import Applied, Applier
from vitrina.adapters.projection.base import Base, BaseKeeper, Found
from vitrina.adapters.projection.conflicts import ConflictBook
from vitrina.adapters.projection.desk import fingerprint
from vitrina.adapters.projection.earlier import Earlier
from vitrina.adapters.projection.facts import Facts, FactsKeeper
from vitrina.adapters.projection.held import HeldFile
from vitrina.adapters.projection.loss import check_whole, loss_of
from vitrina.adapters.projection.mending import mend
from vitrina.adapters.projection.taking import TakingIn
from vitrina.adapters.projection.understanding import problem_of, understood_of, warning
from vitrina.adapters.projection.versions import Compared, Versions, Written
from vitrina.service_layer.documents import Document
from vitrina.service_layer.file_edits import apply_category_edits
from vitrina.service_layer.opening import Problem, Understood
from vitrina.service_layer.person_file import ConflictReason, Pending
from vitrina.service_layer.ports import CatalogView, UnitOfWork

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRules:
    """How a product file is read.

    Attributes:
        currency: Of prices that name none, ISO 4217.
        loss_percent_max: An edit that deletes more than this share of the products has to be
            accepted.
    """

    currency: str
    loss_percent_max: float = 20.0


class ProductsSync(HeldFile):
    """Reads and writes the product file of one catalog.

    Attributes:
        understood: What was understood of it when it was last taken in.
    """

    def __init__(  # noqa: PLR0913 - only the composition root puts it together
        self,
        disk: Disk,
        path: Path,
        keeper: BaseKeeper,
        taking: TakingIn,
        *,
        view: CatalogView,
        unit_of_work: Callable[[], UnitOfWork],
        conflicts: ConflictBook,
        rules: FileRules,
    ) -> None:
        super().__init__(disk, path, keeper, loss_percent_max=rules.loss_percent_max)
        self.understood: Understood | None = None
        self._missing = False
        self._taking = taking
        self._view = view
        self._unit_of_work = unit_of_work
        self._conflicts = conflicts
        self._applier = Applier(path.name, view, unit_of_work, conflicts)
        self._versions = Versions(
            path.name,
            rules.currency,
            view.categories,
            FactsKeeper(disk, keeper.folder, path.name, currency=rules.currency),
            owner_of_sku=self._owner_of_sku,
            owner_of_slug=self._owner_of_slug,
        )
        self._earlier = Earlier()
        self._mended: dict[str, str] = {}

    @property
    def seq(self) -> int | None:
        """The number of the last change that the file holds; None before it was ever in step."""
        return self._base.seq if self._base else None

    @property
    def needs_writing(self) -> bool:
        """It is missing, or rows do not say what the catalog says, whoever changed that."""
        return self._missing or (self._base is not None and bool(self._base.stale))

    def ids(self) -> list[str]:
        """Return the ids of all rows that the file had when it was last in step."""
        return self._versions.ids(self._source())

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
        if self._base and (own := self._keeper.own_write(found.data)):
            self._base = replace(self._base, seq=own.seq, data=own.data)
        base = self._base
        self._missing = found.data is None
        if found.data is None:
            self._is_as_meant()
            self._start(seq)
            return
        edited = base is None or found.data != base.data or bool(base.refused)
        if not edited and base is not None and self._is_understood(base.data):
            self._is_as_meant()
            self._taking.end()
            return
        result = Applied()
        try:
            checked = self._check(found.data, accepted, result)
        except UnreadableFile as error:
            self._cannot_be_read(error)
            return
        self.broken = None
        if checked is None:
            return
        compared, theirs = checked
        if edited:
            self._carry_out(found.data, compared, theirs, result)
        self.understood = self._understood(compared.facts_of(theirs.file), theirs.file, result)
        self._conflicts.settle()  # What was not taken is told before it is forgotten.
        stale = (base.stale if base else frozenset()) | result.stale | self._misversioned(theirs)
        refused = frozenset(result.refused)
        # Without a base nothing is known to be in the file: all that was ever changed is pending.
        self._keep(Base(base.seq if base else 0, found.data, refused, stale))
        self._versions.adopt(found.data, compared.facts, compared.layout)
        self._taking.end()

    def write_out(self, changed: Collection[str], seq: int, *, new_paths: bool) -> bool:
        """Write products into the file.

        Args:
            changed: The ids of all that was changed since :attr:`seq`, by others than the file.
            seq: A number of a change; what is known of the products now holds all up to it.
            new_paths: Categories were renamed or moved.

        Returns:
            Whether that is done; if not, the file has just been edited, and is to be taken in.

        Raises:
            OSError: The system refused; the file stands as it was.
            UnreadableFile: The products do not fit into the file's format.
        """
        if self._base is None:
            return True
        found = Found.at(self.path)
        if found.data is not None and found.data != self._base.data:
            return False
        ids = {*changed, *self._base.stale}
        if found.data is None:
            _log.warning("the product file is missing and is written", file=str(self.path))
            ids.update(each.id for each in self._view.snapshot()[1])
        data = self._base.data
        if new_paths:
            ids.update(self._versions.with_paths(data))
        written = self._written(data, sorted(ids)) if ids else None
        if written is not None:
            data = written.data
        if data != found.data:
            if not self._replace(found, Base(seq, data)):
                return False
            if written is not None:
                self._earlier.note(written.before, written.after, ids)
        self._missing = False
        self._mended.clear()
        self._keep(Base(seq, data, self._base.refused))
        if written is not None:
            self._versions.adopt(data, written.facts, written.layout)
        return True

    def _start(self, seq: int) -> None:
        """Begin with a file without products where there is none."""
        if self._base is None:
            self._keep(Base(seq, new_file(detect_format(self.path.name))))

    def _written(self, data: bytes, ids: list[str]) -> Written:
        products = zip(ids, self._view.products(ids), strict=True)
        documents = {key: document_of(each) for key, each in products}
        return self._versions.change(data, documents, self._mended)

    def _source(self) -> bytes:
        return self._base.data if self._base else new_file(detect_format(self.path.name))

    def _is_understood(self, data: bytes) -> bool:
        """Say whether it is known what these bytes say, from this run or one before."""
        if self.understood is None and (facts := self._versions.recall(data)) is not None:
            problems = (problem_of(self.path.name, each) for each in facts.problems)
            self.understood = understood_of(self.path, facts, problems, refused=0)
        return self.understood is not None

    def _compare(self, data: bytes) -> Compared:
        base = self._base
        if base is None:
            return self._versions.compare(None, data, (), refused=())
        return self._versions.compare(
            base.data, data, self._earlier.ids(), refused=base.refused
        )  # fmt: skip

    def _check(
        self, data: bytes, accepted: str | None, result: Applied
    ) -> tuple[Compared, Validated] | None:
        """Read a file that was edited, and make the categories that it names by new paths.

        Returns:
            None when so much would be lost that somebody has to accept it first.
        """
        compared = self._compare(data)
        checked = self._as_meant(compared, result)
        base = compared.base
        if base is not None and self._base is not None and compared.rows:
            if compared.part is None:
                check_whole(base, self._base.data, checked.file, data)
            loss = loss_of(base, checked.file, self._exists, rows=compared.rows)
            asked = Pending(
                fingerprint=fingerprint(data),
                products=loss.rows,
                deleted=loss.gone,
                columns=loss.columns,
            )
            if not self._may_go(loss, asked, accepted):
                return None
        self.pending = None
        if compared.made:
            apply_category_edits(self._unit_of_work(), compared.made, ())
            compared = self._compare(data)
            checked = self._as_meant(compared, Applied())
        return compared, checked

    def _carry_out(
        self, data: bytes, compared: Compared, theirs: Validated, result: Applied
    ) -> None:
        """Carry out what differs between the base and an edited file."""
        base = self._base
        self._conflicts.add(result.conflicts)
        self._mended |= result.names
        # What was refused before is tried again, and has not been taken in.
        is_done = self._taking.begin(data, is_new=base is None or data != base.data)
        unclear = base.refused if base else frozenset[str]()
        self._applier.apply(compared.base, theirs, result, unclear=unclear, is_done=is_done)

    def _as_meant(self, compared: Compared, result: Applied) -> Validated:
        """Take out what a spreadsheet spoiled or had from an older copy, and note it."""
        base, checked = compared.base, compared.theirs
        if base is None:
            return checked
        mended = mend(checked, base, self._document)
        older = self._earlier.sort_out(base, mended.checked.file)
        result.stale |= mended.ids | older.ids
        result.added |= older.added
        result.names |= mended.names
        result.conflicts += [*mended.conflicts, *map(self._as_found, older.conflicts)]
        result.told += [problem_of(self.path.name, each) for each in mended.problems]
        if older.places:
            detail = (
                f"The file was saved from a copy that was older than the last {older.places} "
                "changes of the API in it; those were kept. Open the file anew before you go on."
            )
            result.told.append(warning(self.path.name, "stale_copy", detail))
            _log.warning("an older copy of the file was saved", kept=older.places)
        if older.file.dialect.encoding != base.dialect.encoding == "utf-8":
            detail = "The file was saved as UTF-16, and was read all the same. Save it as UTF-8."
            result.told.append(warning(self.path.name, "saved_as_utf_16", detail))
        return replace(mended.checked, file=older.file)

    def _as_found(self, conflict: Conflict) -> Conflict:
        """Return a conflict about a product that was deleted; it may be there again by now."""
        document = self._document(conflict.id)
        if conflict.reason is not ConflictReason.DELETED_IN_CATALOG or document is None:
            return conflict
        return replace(conflict, ours=document, reason=ConflictReason.STALE_COPY)

    def _misversioned(self, checked: Validated) -> set[str]:
        """Return the ids of rows whose ``_version`` is not that of their product."""
        file = checked.file
        in_all = any(column.field == VERSION for column in file.columns)
        rows = [each for each in file.accepted.values() if in_all or each.version is not None]
        found = self._view.products([row.id for row in rows])
        return {
            row.id
            for row, stored in zip(rows, found, strict=True)
            if stored is not None and stored.version != row.version
        }

    def _owner_of_sku(self, sku: str) -> str | None:
        with self._unit_of_work() as uow:
            return uow.products.owner_of_sku(sku)

    def _owner_of_slug(self, slug: str) -> str | None:
        with self._unit_of_work() as uow:
            return uow.products.owner_of_slug(slug)

    def _exists(self, product_id: str) -> bool:
        return self._view.products([product_id])[0] is not None

    def _document(self, product_id: str) -> Document | None:
        return document_of(self._view.products([product_id])[0])

    def _understood(self, facts: Facts, file: ProductFile, result: Applied) -> Understood:
        problems = [problem_of(self.path.name, each) for each in facts.problems] + result.told
        for product_id, faults in result.refused.items():
            row = file.accepted.get(product_id)
            problems += [
                Problem(
                    self.path.name,
                    row.line if row else 0,
                    0,
                    fault.pointer.removeprefix("/"),
                    product_id,
                    fault.code,
                    fault.detail,
                )
                for fault in faults
            ]
        return understood_of(self.path, facts, problems, refused=len(result.refused))

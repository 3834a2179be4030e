"""The composition root: settings in, an open catalog out."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from vitrina.adapters.catalog_folder import Location, create, locate, locate_served
from vitrina.adapters.incoming import IncomingFile
from vitrina.adapters.index.engine import TantivyIndex
from vitrina.adapters.index.reading import Reading
from vitrina.adapters.index.synonyms import FILE_NAME as SYNONYMS, read_synonyms
from vitrina.adapters.journal.disk import Disk
from vitrina.adapters.journal.folder import OpenStore, locked, open_store
from vitrina.adapters.journal.store import JournalStore, StoreLimits
from vitrina.adapters.memory import utc_now
from vitrina.adapters.meters import Board as Board, private_meters
from vitrina.adapters.product_file import Format, UnreadableFile
from vitrina.adapters.product_file.categories_file import FILE_NAME as CATEGORIES
from vitrina.adapters.product_file.row_edits import document_of
from vitrina.adapters.projection.base import BaseKeeper
from vitrina.adapters.projection.caretaker import Caretaker
from vitrina.adapters.projection.categories import CategoriesSync
from vitrina.adapters.projection.check import check_files
from vitrina.adapters.projection.conflicts import ConflictBook
from vitrina.adapters.projection.desk import Desk
from vitrina.adapters.projection.products import FileRules, ProductsSync
from vitrina.adapters.projection.projector import Projector, Timing
from vitrina.adapters.projection.taking import TakingIn
from vitrina.adapters.projection.watcher import Watch
from vitrina.adapters.upkeep.backup import back_up
from vitrina.adapters.upkeep.repair import repair
from vitrina.adapters.upkeep.restore import restore
from vitrina.adapters.upkeep.verify import verify
from vitrina.domain.category import Category
from vitrina.domain.errors import StoreBusy, StoreReadOnly, StoreUnreadable
from vitrina.service_layer import metrics
from vitrina.service_layer.changes import Source
from vitrina.service_layer.imports import (
    CannotImport,
    Imported,
    ImportRules,
    Progress,
    import_products,
    owners_of_skus,
)
from vitrina.service_layer.metrics import Figure, Meters
from vitrina.service_layer.opening import CannotOpen, InUse, Understood
from vitrina.service_layer.person_file import FileDesk, FileStatus, NoFile
from vitrina.service_layer.ports import CatalogView, ChangeLog, Check, ProductIndex, UnitOfWork
from vitrina.service_layer.together import Together, one_by_one
from vitrina.service_layer.upkeep import Copied, Repaired, Verified
from vitrina.settings import Settings

INDEX = "index"
"""The folder of the index among the service's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """An open catalog: what the entrypoints work with.

    Attributes:
        view: Reads.
        index: Finds products.
        log: Everything that was committed, in order.
        unit_of_work: Makes a fresh unit of work for a change that a client asks for.
        together: Runs several short writes with one wait for the disk.
        checks: Tells how each part of the service is, now.
        meters: Counts what is done.
        figures: Tells the numbers that need no counting.
        tell: Puts what only this process knows among its meters; to be called now and then.
        understood: What was understood of the product file at the start; None when another process
            keeps it.
        file: How the person's file is, and what was not taken from it.
    """

    view: CatalogView
    index: ProductIndex
    log: ChangeLog
    unit_of_work: Callable[[], UnitOfWork]
    checks: Callable[[], Sequence[Check]]
    together: Together = one_by_one
    meters: Meters = field(default_factory=private_meters)
    figures: Callable[[], Sequence[Figure]] = tuple
    tell: Callable[[], None] = lambda: None
    understood: Understood | None = None
    file: FileDesk = field(default_factory=NoFile)


def folder_of(path: Path) -> Path:
    """Return the folder of the catalog that *path* names, whether or not there is one."""
    return path if path.is_dir() else path.parent


@contextmanager
def hold_catalog(path: Path) -> Iterator[Callable[[], None]]:
    """Be the one service of the catalog at *path*, whose processes then join.

    Yields:
        Lets go; for the processes that inherit the hold, and must not outlast it.

    Raises:
        CannotOpen: There is no catalog, it is in use, or the system refuses.
    """
    with locked(locate(path).state, Disk()) as lock:
        yield lock.close


@contextmanager
def open_catalog(
    path: Path,
    settings: Settings,
    *,
    disk: Disk | None = None,
    join: bool = False,
    meters: Meters | None = None,
) -> Iterator[Catalog]:
    """Open the catalog at *path*: a catalog folder, or a product file.

    On the way out the product file is brought up to date, and the store closed.

    Args:
        path: Where it is.
        settings: How it is run.
        disk: The file system, if not the real one.
        join: Work beside the service that may have it open: as one of its processes, or as a
            command. One of all these processes keeps the files in step.
        meters: Counts what is done, for all processes of the service; None: for this one alone.

    Raises:
        CannotOpen: There is no catalog, it is damaged or in use, or the system refuses.
    """
    location = locate(path)
    disk = disk or Disk()
    meters = meters or private_meters()
    with _in_step(
        location, settings, disk, meters, join=join, last_wait_s=settings.shutdown_s
    ) as kept:
        store = kept.opened.store
        reading = Reading(settings.language, read_synonyms(location.folder / SYNONYMS))
        with TantivyIndex(store.view, store, location.state / INDEX, reading) as index:
            yield Catalog(
                view=store.view,
                index=index,
                log=store,
                unit_of_work=store.unit_of_work,
                together=store.run_together,
                checks=lambda: [
                    *kept.opened.checks(),
                    *kept.caretaker.checks(),
                    *index.checks(),
                ],
                meters=meters,
                figures=lambda: [*kept.opened.figures(), *kept.desk.figures(utc_now())],
                tell=partial(_tell, index, meters),
                understood=kept.understood,
                file=kept.desk,
            )


@dataclass(frozen=True, slots=True)
class _Kept:
    """A store that is open, and its files, which some process keeps in step with it."""

    opened: OpenStore
    desk: Desk
    caretaker: Caretaker
    understood: Understood | None


@contextmanager
def _in_step(
    location: Location,
    settings: Settings,
    disk: Disk,
    meters: Meters,
    *,
    join: bool,
    last_wait_s: float,
) -> Iterator[_Kept]:
    """Open the store; see to it that somebody keeps the files in step.

    At the end, other processes that have it open are waited for up to *last_wait_s*, so that what
    they wrote is in the files, too; 0 is for a command, whose end they do not share.
    """
    limits = _limits(settings)
    with open_store(location.state, limits=limits, disk=disk, join=join, meters=meters) as opened:
        store = opened.store
        desk = Desk(disk, location.desk, opened.presence.marks)
        caretaker = Caretaker(
            opened.presence,
            partial(_projector, location, store, settings, desk, disk, meters),
            desk,
            last_wait_s=last_wait_s,
        )
        try:
            understood = caretaker.open()
        except OSError as error:
            reason = f"{error.filename or location.folder}: {error.strerror or error}"
            raise CannotOpen(f"The catalog cannot be opened: {reason}.") from error
        except (StoreReadOnly, StoreBusy) as error:
            raise CannotOpen(f"{location.file} cannot be taken in: {error}") from error
        caretaker.start()
        try:
            yield _Kept(opened, desk, caretaker, understood)
        finally:
            caretaker.stop()


def import_file(
    source: Path,
    path: Path,
    settings: Settings,
    rules: ImportRules,
    *,
    file_format: str | None = None,
    currency: str | None = None,
    progress: Progress,
) -> Imported:
    """Import a file of products into a catalog, beside the service that may run on it.

    Args:
        source: The file.
        path: The catalog.
        settings: How the catalog is run.
        rules: How the file is imported.
        file_format: ``csv``, ``json`` or ``jsonl``; None finds out.
        currency: Of prices in it that name none, ISO 4217; None: as in the catalog's own file.
        progress: Told how far it is.

    Raises:
        CannotOpen: There is no catalog, it is damaged, or the system refuses.
        CannotImport: The file cannot be read, or is the catalog's own.
    """
    location = locate(path)
    try:
        if location.file.exists() and source.samefile(location.file):
            raise CannotImport(
                f"{source} is the catalog's own product file: what is saved there is taken in by "
                "itself, by a service that runs on it or at its next start."
            )
        data = source.read_bytes()
    except OSError as error:
        raise CannotImport(f"{source} cannot be read: {error.strerror or error}.") from error
    with _in_step(location, settings, Disk(), private_meters(), join=True, last_wait_s=0) as kept:
        view = kept.opened.store.view
        new_unit_of_work = partial(kept.opened.store.unit_of_work, Source.IMPORT)
        try:
            incoming = IncomingFile(
                source,
                data,
                view.categories(),
                currency=currency or settings.currency,
                owners_of_skus=lambda skus: owners_of_skus(new_unit_of_work(), skus),
                file_format=Format(file_format) if file_format else None,
            )
        except UnreadableFile as error:
            raise CannotImport(f"{source} cannot be read: {error}") from error
        except (StoreReadOnly, StoreBusy) as error:
            raise CannotImport(f"Nothing can be written to the catalog: {error}") from error
        except StoreUnreadable as error:
            raise CannotImport(str(error)) from error
        return import_products(
            incoming,
            rules,
            view=view,
            new_unit_of_work=new_unit_of_work,
            progress=progress,
        )


def init_catalog(folder: Path, file_format: str) -> Path:
    """Make a new, empty catalog and return its product file.

    Raises:
        CannotOpen: There is a catalog already, or the system refuses.
    """
    try:
        return create(folder, file_format)
    except OSError as error:
        reason = f"{error.filename or folder}: {error.strerror or error}"
        raise CannotOpen(f"The catalog cannot be made: {reason}.") from error


def check_catalog(path: Path, settings: Settings) -> Understood:
    """Return what the files of a catalog say and what is wrong with them; nothing is written.

    Raises:
        CannotOpen: There is no catalog, or the system refuses to read it.
    """
    location = locate(path)
    try:
        return check_files(location.file, location.folder / CATEGORIES, currency=settings.currency)
    except OSError as error:
        raise CannotOpen(
            f"{error.filename or location.file}: {error.strerror or error}."
        ) from error


def accept_edit(path: Path, settings: Settings) -> FileStatus:
    """Let an edit of the product file be carried out that takes away much.

    Where a server runs on the catalog, it does that; else it is done here.

    Returns:
        How the file is afterwards.

    Raises:
        CannotOpen: There is no catalog, or the system refuses.
        NothingToAccept: No edit waits.
    """
    location = locate(path)
    try:
        with open_catalog(path, settings) as catalog:
            return catalog.file.accept()
    except InUse:
        return Desk(Disk(), location.desk).accept()
    except OSError as error:
        raise CannotOpen(
            f"{error.filename or location.file}: {error.strerror or error}."
        ) from error


def verify_catalog(path: Path, settings: Settings) -> Verified:
    """Return what a catalog's files hold, and every damage; nothing is written, no lock taken.

    Raises:
        CannotOpen: It cannot be checked.
    """
    return verify(locate_served(path), currency=settings.currency)


def repair_catalog(path: Path, settings: Settings, *, only_show: bool) -> Repaired:
    """Make a damaged catalog one that opens, and return what was found, kept and lost.

    Raises:
        CannotOpen: There is no catalog, it is in use, or the system refuses.
    """
    return repair(locate_served(path), currency=settings.currency, only_show=only_show)


def back_up_catalog(path: Path, target: Path) -> Copied:
    """Copy a catalog as of this moment, also while a service runs on it.

    Raises:
        CannotOpen: There is no catalog, it is damaged, *target* exists, or the system refuses.
    """
    return back_up(locate_served(path), target)


def restore_catalog(source: Path, folder: Path, *, replace: bool) -> Copied:
    """Make a catalog of a backup.

    Raises:
        CannotOpen: The backup is damaged, the folder is not empty or in use, or the system refuses.
    """
    return restore(source, folder, replace=replace)


def _limits(settings: Settings) -> StoreLimits:
    return StoreLimits(
        lock_wait_s=settings.lock_wait_s,
        pending_bytes=settings.pending_bytes,
        segment_bytes=settings.segment_bytes,
        checkpoint_bytes=settings.checkpoint_bytes,
        retain_bytes=settings.retain_bytes,
        retain_changes=settings.retain_changes,
    )


def _tell(index: TantivyIndex, meters: Meters) -> None:
    """Tell how the index of this process is; what cannot be told now stays as it was told last."""
    try:
        lag = index.lag()
    except StoreUnreadable:
        return  # The probes tell it; and whoever serves calls this between two requests.
    meters.gauge(metrics.INDEX_BUILDING).set(lag is None)
    meters.gauge(metrics.INDEX_LAG).set(lag or 0)


def _projector(
    location: Location,
    store: JournalStore,
    settings: Settings,
    desk: Desk,
    disk: Disk,
    meters: Meters,
) -> Projector:
    from_file = partial(store.unit_of_work, Source.FILE)

    def category(key: str) -> Category | None:
        return store.view.categories().by_id.get(key)

    conflicts = ConflictBook(
        disk,
        desk,
        location.file,
        current=lambda key: document_of(store.view.products([key])[0]),
        category=category,
        now=utc_now,
    )
    products = ProductsSync(
        disk,
        location.file,
        BaseKeeper(disk, location.base, location.file.name),
        TakingIn(disk, location.base, location.file.name, store),
        view=store.view,
        unit_of_work=from_file,
        conflicts=conflicts,
        rules=FileRules(currency=settings.currency, loss_percent_max=settings.file_loss_percent),
    )
    categories = CategoriesSync(
        disk,
        location.folder,
        BaseKeeper(disk, location.base, CATEGORIES),
        TakingIn(disk, location.base, CATEGORIES, store, kind="category"),
        view=store.view,
        unit_of_work=from_file,
        conflicts=conflicts,
        loss_percent_max=settings.file_loss_percent,
    )
    timing = Timing(
        delay_s=settings.file_delay_s,
        rest_s=settings.file_rest_s,
        watch=Watch(settings.watch.value),
    )
    return Projector(
        products,
        categories,
        view=store.view,
        log=store,
        desk=desk,
        conflicts=conflicts,
        timing=timing,
        meters=meters,
    )

"""A store that is open, with its files, which some process keeps in step with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from vitrina.adapters.catalog_folder import Location
from vitrina.adapters.journal.disk import Disk
from vitrina.adapters.journal.folder import OpenStore, open_store
from vitrina.adapters.journal.store import JournalStore, StoreLimits
from vitrina.adapters.memory import utc_now
from vitrina.adapters.product_file.categories_file import FILE_NAME as CATEGORIES
from vitrina.adapters.product_file.row_edits import document_of
from vitrina.adapters.projection.base import BaseKeeper
from vitrina.adapters.projection.caretaker import Caretaker
from vitrina.adapters.projection.categories import CategoriesSync
from vitrina.adapters.projection.conflicts import ConflictBook
from vitrina.adapters.projection.desk import Desk
from vitrina.adapters.projection.products import FileRules, ProductsSync
from vitrina.adapters.projection.projector import Projector, Timing
from vitrina.adapters.projection.taking import TakingIn
from vitrina.adapters.projection.watcher import Watch
from vitrina.domain.category import Category
from vitrina.domain.errors import StoreBusy, StoreReadOnly
from vitrina.service_layer.changes import Source
from vitrina.service_layer.metrics import Meters
from vitrina.service_layer.opening import CannotOpen, Understood
from vitrina.settings import Settings


@dataclass(frozen=True, slots=True)
class Kept:
    """A store that is open, and its files, which some process keeps in step with it."""

    opened: OpenStore
    desk: Desk
    caretaker: Caretaker
    understood: Understood | None


@contextmanager
def in_step(
    location: Location,
    settings: Settings,
    disk: Disk,
    meters: Meters,
    *,
    join: bool,
    last_wait_s: float,
) -> Iterator[Kept]:
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
            yield Kept(opened, desk, caretaker, understood)
        finally:
            caretaker.stop()


def _limits(settings: Settings) -> StoreLimits:
    return StoreLimits(
        lock_wait_s=settings.lock_wait_s,
        pending_bytes=settings.pending_bytes,
        segment_bytes=settings.segment_bytes,
        checkpoint_bytes=settings.checkpoint_bytes,
        retain_bytes=settings.retain_bytes,
        retain_changes=settings.retain_changes,
    )


def _projector(
    location: Location,
    store: JournalStore,
    settings: Settings,
    desk: Desk,
    disk: Disk,
    meters: Meters,
) -> Projector:
    from_file = partial(store.unit_of_work, Source.FILE)
    conflicts = _conflicts(location, store, desk, disk)
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
    return Projector(
        products,
        categories,
        view=store.view,
        log=store,
        desk=desk,
        conflicts=conflicts,
        timing=_timing(settings),
        meters=meters,
    )


def _conflicts(location: Location, store: JournalStore, desk: Desk, disk: Disk) -> ConflictBook:
    def category(key: str) -> Category | None:
        return store.view.categories().by_id.get(key)

    return ConflictBook(
        disk,
        desk,
        location.file,
        current=lambda key: document_of(store.view.products([key])[0]),
        category=category,
        now=utc_now,
    )


def _timing(settings: Settings) -> Timing:
    return Timing(
        delay_s=settings.file_delay_s,
        rest_s=settings.file_rest_s,
        watch=Watch(settings.watch.value),
    )

"""Opening a catalog to serve it, or to work beside its service."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from vitrina.adapters.catalog_folder import locate
from vitrina.adapters.index.engine import TantivyIndex
from vitrina.adapters.index.reading import Reading
from vitrina.adapters.index.synonyms import FILE_NAME as SYNONYMS, read_synonyms
from vitrina.adapters.journal.disk import Disk
from vitrina.adapters.journal.folder import locked
from vitrina.adapters.memory import utc_now
from vitrina.adapters.meters import private_meters
from vitrina.bootstrap.catalog import Catalog
from vitrina.bootstrap.in_step import in_step
from vitrina.domain.errors import StoreUnreadable
from vitrina.service_layer import metrics
from vitrina.service_layer.metrics import Meters
from vitrina.settings import Settings

INDEX: Final = "index"
"""The folder of the index among the service's own."""


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
    with in_step(
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


def _tell(index: TantivyIndex, meters: Meters) -> None:
    """Tell how the index of this process is; what cannot be told now stays as it was told last."""
    try:
        lag = index.lag()
    except StoreUnreadable:
        return  # The probes tell it; and whoever serves calls this between two requests.
    meters.gauge(metrics.INDEX_BUILDING).set(lag is None)
    meters.gauge(metrics.INDEX_LAG).set(lag or 0)

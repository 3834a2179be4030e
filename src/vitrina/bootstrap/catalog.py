"""An open catalog, as the entrypoints work with it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from vitrina.adapters.meters import private_meters
from vitrina.service_layer.metrics import Figure, Meters
from vitrina.service_layer.opening import Understood
from vitrina.service_layer.person_file import FileDesk, NoFile
from vitrina.service_layer.ports import CatalogView, ChangeLog, Check, ProductIndex, UnitOfWork
from vitrina.service_layer.together import Together, one_by_one


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

"""The composition root: settings in, an open catalog out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vitrina.service_layer.ports import CatalogView, ChangeLog, Check, ProductIndex, UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """An open catalog: what the entrypoints work with.

    Attributes:
        view: Reads.
        index: Finds products.
        log: Everything that was committed, in order.
        unit_of_work: Makes a fresh unit of work for a change that a client asks for.
        checks: Tells how each part of the service is, now.
    """

    view: CatalogView
    index: ProductIndex
    log: ChangeLog
    unit_of_work: Callable[[], UnitOfWork]
    checks: Callable[[], Sequence[Check]]

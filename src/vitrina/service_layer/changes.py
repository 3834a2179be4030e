"""What the change log tells: one entry for each resource that a commit changed, in order.

Everything that reads follows this log: the caches, the product index, the change feed, history,
and the person's file. An entry holds the whole resource as saved, so following is idempotent.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from vitrina.service_layer.documents import Document


class Source(StrEnum):
    """Who asked for a change."""

    API = "api"
    FILE = "file"
    IMPORT = "import"


class ChangeType(StrEnum):
    """What happened to which kind of resource."""

    PRODUCT_CREATED = "product.created"
    PRODUCT_UPDATED = "product.updated"
    PRODUCT_DELETED = "product.deleted"
    CATEGORY_CREATED = "category.created"
    CATEGORY_UPDATED = "category.updated"
    CATEGORY_DELETED = "category.deleted"


@dataclass(frozen=True, slots=True)
class Change:
    """One resource changed.

    Attributes:
        seq: 1, 2, 3, … over the whole catalog, without gaps.
        at: When it was committed, UTC.
        source: Who asked for it.
        type: What happened.
        id: Of the product or category.
        version: The one that was saved, or the last one of what was deleted.
        body: The resource's canonical JSON after the change; None when it was deleted.
        events: The facts that the aggregate recorded, as documents.
    """

    seq: int
    at: datetime
    source: Source
    type: ChangeType
    id: str
    version: int
    body: bytes | None
    events: tuple[Document, ...] = ()

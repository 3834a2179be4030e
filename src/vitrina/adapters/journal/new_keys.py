"""Makes the keys of a snapshot while it is written or read, row by row."""

from array import array

from vitrina.adapters.journal.keys import (
    BLOCK_ROWS,
    NO_KEYS,
    Extent,
    SnapshotKeys,
    digest_of,
    hash_of,
    new_salt,
)
from vitrina.adapters.journal.pace import Pace
from vitrina.adapters.journal.slots import SlotsInTheMaking
from vitrina.adapters.levels import Tally
from vitrina.service_layer.ports import Stored


class NewKeys:
    """The keys of another snapshot, and what is different in this one.

    First come the rows of the other one, each kept, replaced or removed, and then new ones.
    """

    def __init__(
        self,
        old: SnapshotKeys = NO_KEYS,
        *,
        adding: int,
        adding_skus: int,
        adding_slugs: int,
        pace: Pace,
    ) -> None:
        """Begin with room for so many new rows, SKUs and slugs."""
        self._old = old
        self._pace = pace
        self._salt = old.salt or new_salt()
        self._lengths = array("I")
        self._versions = array("I")
        self._digests = array("I")
        self._ids = SlotsInTheMaking(old.ids, adding=adding, pace=pace)
        self._skus = SlotsInTheMaking(old.skus, adding=adding_skus, pace=pace)
        self._slugs = SlotsInTheMaking(old.slugs, adding=adding_slugs, pace=pace)

    def keep(self, first: int, last: int) -> None:
        """Keep the rows from *first* to before *last* as they are."""
        for mine, theirs in (
            (self._lengths, self._old.lengths),
            (self._versions, self._old.versions),
            (self._digests, self._old.digests),
        ):
            mine.frombytes(theirs[first:last].cast("B"))

    def replace(self, stored: Stored) -> None:
        """Let the next row hold another version of its product."""
        self._lengths.append(len(stored.body) + 1)
        self._versions.append(stored.version)
        self._digests.append(digest_of(stored.tag))

    def remove(self, product_id: str) -> None:
        """Let the next row be that of a product that is gone."""
        self._ids.take(hash_of(product_id, self._salt), len(self._lengths))
        for each in (self._lengths, self._versions, self._digests):
            each.append(0)

    def add(self, stored: Stored) -> int:
        """Add a row for a new product, and return its number."""
        row = len(self._lengths)
        self._ids.put(hash_of(stored.id, self._salt), row)
        self.replace(stored)
        return row

    def put_sku(self, sku: str, row: int) -> None:
        self._skus.put(hash_of(sku, self._salt), row)

    def take_sku(self, sku: str, row: int) -> None:
        self._skus.take(hash_of(sku, self._salt), row)

    def put_slug(self, slug: str, row: int) -> None:
        self._slugs.put(hash_of(slug, self._salt), row)

    def take_slug(self, slug: str, row: int) -> None:
        self._slugs.take(hash_of(slug, self._salt), row)

    def done(self, extent: Extent, tally: Tally) -> SnapshotKeys:
        """Return the keys of the snapshot that has just these rows."""
        return SnapshotKeys(
            extent,
            tally,
            self._salt,
            memoryview(self._blocks(extent.start)),
            memoryview(self._lengths),
            memoryview(self._versions),
            memoryview(self._digests),
            self._ids.done(),
            self._skus.done(),
            self._slugs.done(),
        )

    def _blocks(self, place: int) -> "array[int]":
        """Return where each block of rows begins, the first one at *place*."""
        blocks = array("Q")
        for first in range(0, len(self._lengths), BLOCK_ROWS):
            blocks.append(place)
            place += sum(self._lengths[first : first + BLOCK_ROWS])
            self._pace()
        return blocks

"""A snapshot that is looked up in place: the base of the tables.

Its keys (:mod:`.keys`) are mapped into memory; its products are read from the file when they are asked
for, and a bounded number of those that were asked for lately is kept. A product is read with
``pread``, not mapped: a disk that fails, or a file that somebody cut, is an error to be told then,
and not the end of the process. Each body is held against its digest, so what the disk has changed
is told, and never served.

What is here never changes, so any number of threads may read it. The file is open for as long as
somebody uses it, also when its name is gone.
"""

import os
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from vitrina.adapters import codec
from vitrina.adapters.journal.disk import Disk
from vitrina.adapters.journal.keys import SnapshotKeys, digest_of
from vitrina.adapters.journal.pace import Pace
from vitrina.adapters.journal.slots import Slots
from vitrina.adapters.levels import Keys, Level, Tally
from vitrina.domain.errors import StoreUnreadable
from vitrina.domain.identifiers import ID_LENGTH_MAX
from vitrina.service_layer.ports import Stored

KEPT_BYTES_MAX: Final = 64 * 2**20
"""How much of the products that were read lately is kept, at least; at most twice as much: 50,000 to
100,000. To read one costs 8 µs, and the twenty of a page more than all else of it."""

ENTRY_BYTES: Final = 400
"""What a product that is kept takes beside its body."""

CHUNK_BYTES: Final = 2**18

_ID: Final = b'{"id":"'


class OpenFile:
    """A file that is open for reading until nobody refers to it any more."""

    def __init__(self, disk: Disk, path: Path) -> None:
        """Open it.

        Raises:
            OSError: The system refuses.
        """
        self.path = path
        self._disk = disk
        self._fd = disk.open_to_read(path)
        weakref.finalize(self, os.close, self._fd)

    @property
    def size(self) -> int:
        return os.fstat(self._fd).st_size

    def read(self, size: int, offset: int) -> bytes:
        """Return *size* bytes from *offset*, fewer at the end of the file.

        Raises:
            OSError: The system refuses.
        """
        return self._disk.read_at(self._fd, size, offset)

    def chunks(self, start: int, end: int) -> Iterator[bytes]:
        """Yield the bytes from *start* to before *end*, some at a time.

        Raises:
            OSError: The system refuses.
        """
        while start < end:
            chunk = self.read(min(CHUNK_BYTES, end - start), start)
            if not chunk:
                return
            yield chunk
            start += len(chunk)


class Mapped:
    """The products of a snapshot: meets ``Base``.

    Attributes:
        keys: Where everything is.
    """

    def __init__(self, file: OpenFile, keys: SnapshotKeys) -> None:
        self._file = file
        self.keys = keys
        # What was read lately. When the younger ones are much, they take the place of the older.
        self._young: dict[str, Stored] = {}
        self._old: dict[str, Stored] = {}
        self._young_bytes = 0

    def product(self, product_id: str) -> Stored | None:
        """Return a product, or None.

        Raises:
            StoreUnreadable: The disk refuses, or is damaged.
        """
        stored = self._young.get(product_id)
        if stored is None:
            stored = self._old.get(product_id) or self._find(product_id)
            if stored is not None:
                self._keep(stored)
        return stored

    def products(self, product_ids: Sequence[str]) -> list[Stored | None]:
        """Return many products, None where there is none; raises as :meth:`product`."""
        found = list(map(self._young.get, product_ids))
        if all(found):
            return found
        return [each or self.product(key) for key, each in zip(product_ids, found, strict=True)]

    def owner_of_sku(self, sku: str) -> str | None:
        """Return the id of the product that has the SKU; raises as :meth:`product`."""
        found = self._owner(self.keys.skus, "sku", sku)
        return None if found is None else found[1]

    def owner_of_slug(self, slug: str) -> str | None:
        """Return the id of the product that has the slug; raises as :meth:`product`."""
        found = self._owner(self.keys.slugs, "slug", slug)
        return None if found is None else found[1]

    def row_of_sku(self, sku: str) -> int | None:
        """Return the row of the product that has the SKU; raises as :meth:`product`."""
        found = self._owner(self.keys.skus, "sku", sku)
        return None if found is None else found[0]

    def row_of_slug(self, slug: str) -> int | None:
        """Return the row of the product that has the slug; raises as :meth:`product`."""
        found = self._owner(self.keys.slugs, "slug", slug)
        return None if found is None else found[0]

    def __iter__(self) -> Iterator[Stored]:
        """Yield all products in the order of the file; raises as :meth:`product`."""
        lengths = self.keys.lengths
        row = 0
        rest = b""
        for chunk in self.chunks(self.keys.extent.start, self.keys.extent.end):
            data = rest + chunk
            place = 0
            while row < len(lengths) and place + lengths[row] <= len(data):
                if length := lengths[row]:
                    body = data[place : place + length - 1]
                    yield self._stored(row, _id_in(body), body)
                    place += length
                row += 1
            rest = data[place:]
        if rest or any(lengths[row:]):
            raise self.damaged("it ends early")

    def row(self, product_id: str) -> int | None:
        """Return the row of a product, or None; raises as :meth:`product`."""
        start = _start(product_id)
        for row in self.keys.ids.rows(self.keys.hash(product_id)):
            if self._read(len(start), self.keys.place(row)) == start:
                return row
        return None

    def chunks(self, start: int, end: int) -> Iterator[bytes]:
        """Yield bytes of the file, some at a time; raises as :meth:`product`."""
        try:
            yield from self._file.chunks(start, end)
        except OSError as error:
            raise self._refused(error) from error

    def has(self, product_id: str, stored: Stored | None) -> bool:
        """Say whether just this is what is here under an id; raises as :meth:`product`."""
        row = self.row(product_id)
        if row is None or stored is None:
            return row is None and stored is None
        version, digest = self.keys.versions[row], self.keys.digests[row]
        return (version, digest) == (stored.version, digest_of(stored.tag))

    def flaw(self) -> str | None:
        """Say what is wrong with the keys; None when they lead to every product, and nowhere else.

        Raises:
            StoreUnreadable: As :meth:`product`; also when a row is not that of its product.
        """
        keys = self.keys
        tally, skus, slugs, count = Tally(), 0, 0, 0
        rows = (row for row, length in enumerate(keys.lengths) if length)
        for row, stored in zip(rows, self, strict=True):
            document = codec.load(stored.body)
            mine = Keys.of(document)
            if document["version"] != stored.version:
                return f"{stored.id} has another version"
            for slots, key in (
                (keys.ids, stored.id),
                (keys.skus, mine.sku),
                (keys.slugs, mine.slug),
            ):
                if key is not None and row not in slots.rows(keys.hash(key)):
                    return f"{key!r} does not lead to {stored.id}"
            tally.add(mine)
            count += 1
            skus += mine.sku is not None
            slugs += mine.slug is not None
        if (keys.ids.live, keys.skus.live, keys.slugs.live) != (count, skus, slugs):
            return "there are keys of products that are not there"
        if count != keys.extent.products or tally != keys.tally:
            return "the numbers of products are not right"
        return None

    def left_of(self, level: Level, pace: Pace) -> Level:
        """Return what of a level is not just what is here; raises as :meth:`product`."""
        left = Level()
        for key, stored in level.products.items():
            if not self.has(key, stored):
                left.products[key] = stored
            pace()
        for key, owner in level.skus.items():
            if self.owner_of_sku(key) != owner:
                left.skus[key] = owner
            pace()
        for key, owner in level.slugs.items():
            if self.owner_of_slug(key) != owner:
                left.slugs[key] = owner
            pace()
        return left

    def _keep(self, stored: Stored) -> None:
        self._young[stored.id] = stored
        self._young_bytes += len(stored.body) + ENTRY_BYTES
        if self._young_bytes > KEPT_BYTES_MAX:
            self._old, self._young, self._young_bytes = self._young, {}, 0

    def _find(self, product_id: str) -> Stored | None:
        start = _start(product_id)
        for row in self.keys.ids.rows(self.keys.hash(product_id)):
            body = self._body(row)
            mine = body.startswith(start)
            # Another one is held against its digest, too: it may be this one, damaged.
            stored = self._stored(row, product_id if mine else _id_in(body), body)
            if mine:
                return stored
        return None

    def _owner(self, slots: Slots, field: str, key: str) -> tuple[int, str] | None:
        """Return row and id of the product that has *key* in a field."""
        for row in slots.rows(self.keys.hash(key)):
            body = self._body(row)
            stored = self._stored(row, _id_in(body), body)
            if codec.load(body)[field] == key:
                return row, stored.id
        return None

    def _stored(self, row: int, product_id: str, body: bytes) -> Stored:
        stored = Stored.of(product_id, self.keys.versions[row], body)
        if digest_of(stored.tag) != self.keys.digests[row]:
            raise self.damaged(f"byte {self.keys.place(row)} is not where its product begins")
        return stored

    def _body(self, row: int) -> bytes:
        """Return the body in a row."""
        length = self.keys.lengths[row] - 1
        body = self._read(length, self.keys.place(row))
        if len(body) < length:
            raise self.damaged("it ends early")
        return body

    def _read(self, size: int, offset: int) -> bytes:
        try:
            return self._file.read(size, offset)
        except OSError as error:
            raise self._refused(error) from error

    def _refused(self, error: OSError) -> StoreUnreadable:
        return StoreUnreadable(f"{self._file.path}: {error.strerror or error}")

    def damaged(self, reason: str) -> StoreUnreadable:
        """Return the error that tells of damage."""
        return StoreUnreadable(
            f"{self._file.path} is not what was written: {reason}. See: vitrina verify "
            f"{self._file.path.parent.parent}"
        )


def _start(product_id: str) -> bytes:
    """Return what the body of a product begins with."""
    return b'%s%s"' % (_ID, product_id.encode(errors="replace"))


def _id_in(body: bytes) -> str:
    """Return the id of a body, which begins with it; an id needs no escaping in JSON."""
    rest = body[len(_ID) : len(_ID) + ID_LENGTH_MAX + 1]
    return rest.split(b'"', 1)[0].decode(errors="replace")

"""The catalog of one moment, and its indexes: what is in memory lies over what is on the disk.

:class:`Tables` has three floors. At the bottom is a *base*, which never changes: the newest snapshot,
looked up in place (:mod:`vitrina.adapters.journal.mapped`). Over it lie two *levels*, dictionaries of
what was changed since: one that is just being folded into the next snapshot, and on top the one
that takes changes in. So what a catalog takes in memory is what was changed since its last
snapshot, whatever its size; and a snapshot is made while others write, without a copy of anything.
"""

import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Final, Literal, Protocol

from vitrina.adapters import codec
from vitrina.adapters.levels import NO_KEYS, Keys, Level, Tally
from vitrina.adapters.remembered import Remembered, RememberedAnswers
from vitrina.domain.category import Category, CategoryTree
from vitrina.service_layer.changes import Change
from vitrina.service_layer.ports import Answered, Stored


class _Unknown(Enum):
    UNKNOWN = "a level does not speak of it"


_UNKNOWN: Final = _Unknown.UNKNOWN


class Readable(Protocol):
    """What tables and layers can be asked."""

    def product(self, product_id: str) -> Stored | None: ...
    def owner_of_sku(self, sku: str) -> str | None: ...
    def owner_of_slug(self, slug: str) -> str | None: ...
    def count_in_category(self, category_id: str) -> int: ...
    def category(self, category_id: str) -> Stored | None: ...
    def tree(self) -> CategoryTree: ...
    def answered(self, key: str, now: datetime) -> Answered | None: ...


class Base(Protocol):
    """Products that never change, with their keys. Reading may fail with ``StoreUnreadable``."""

    def product(self, product_id: str) -> Stored | None: ...
    def products(self, product_ids: Sequence[str]) -> list[Stored | None]: ...
    def owner_of_sku(self, sku: str) -> str | None: ...
    def owner_of_slug(self, slug: str) -> str | None: ...
    def __iter__(self) -> Iterator[Stored]: ...


class Nothing:
    """The base of a catalog that has no snapshot yet."""

    def product(self, product_id: str) -> Stored | None:  # noqa: ARG002 - whatever is asked
        return None

    def products(self, product_ids: Sequence[str]) -> list[Stored | None]:
        return [None] * len(product_ids)

    def owner_of_sku(self, sku: str) -> str | None:  # noqa: ARG002 - as above
        return None

    def owner_of_slug(self, slug: str) -> str | None:  # noqa: ARG002 - as above
        return None

    def __iter__(self) -> Iterator[Stored]:
        return iter(())


@dataclass(frozen=True, slots=True)
class Image:
    """A catalog of one moment, as it is kept in a snapshot.

    Attributes:
        seq: The number of the last change that it holds.
        at: When that was committed.
        categories: Canonical JSON, parents before children.
        count: How many products there are.
        base, level: The products: what was changed, over what was there.
        tally: How many are filed where.
        answers: The remembered answers, oldest first.
    """

    seq: int
    at: datetime
    categories: list[bytes]
    count: int
    base: Base
    level: Level
    tally: Tally
    answers: list[Remembered]


class Everything(Collection[Stored]):
    """All products of one moment, read as they are asked for; may be gone through several times."""

    def __init__(self, base: Base, over: Mapping[str, Stored | None], count: int) -> None:
        self._base = base
        self._over = over
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __contains__(self, item: object) -> bool:
        return isinstance(item, Stored) and item == self.get(item.id)

    def __iter__(self) -> Iterator[Stored]:
        """Yield those of the base in its order, and then the newer ones.

        Raises:
            StoreUnreadable: The disk refuses, or is damaged.
        """
        seen: set[str] = set()
        for each in self._base:
            if each.id not in self._over:
                yield each
                continue
            seen.add(each.id)
            if (changed := self._over[each.id]) is not None:
                yield changed
        for key, added in self._over.items():
            if added is not None and key not in seen:
                yield added

    def get(self, product_id: str) -> Stored | None:
        if product_id in self._over:
            return self._over[product_id]
        return self._base.product(product_id)


class Tables:
    """A catalog of one moment, and its indexes.

    One thread at a time applies changes. Threads that read a single resource see it as it was
    before or after a change and never wait; those that read several of one moment hold ``moment``.

    Whoever reads looks at the levels from the top down and at the base last; whoever moves
    something down puts it in its new place first. So a reader finds it wherever it looks first.

    Attributes:
        seq: The number of the last change taken in.
        at: When that was committed.
        moment: Held while changes are taken in.
        count: How many products there are.
    """

    def __init__(self) -> None:
        self.seq = 0
        self.at = datetime.min.replace(tzinfo=UTC)
        self.moment = threading.Lock()
        self.count = 0
        self._top = Level()
        self._folding = Level()
        self._base: Base = Nothing()
        self._tally = Tally()
        self._moves = 0  # How often a product was counted elsewhere.
        self._counts: tuple[CategoryTree, int, Mapping[str, int]] | None = None
        self._categories: dict[str, Stored] = {}
        self._tree = CategoryTree()
        self._answers = RememberedAnswers()

    def product(self, product_id: str) -> Stored | None:
        found = self._above(product_id)
        return self._base.product(product_id) if found is _UNKNOWN else found

    def products(self, product_ids: Sequence[str]) -> list[Stored | None]:
        """Return many products of one moment; None where there is none."""
        with self.moment:
            base, top, folding = self._base, self._top.products, self._folding.products
            found = [
                top[each] if each in top else folding.get(each, _UNKNOWN)
                for each in (product_ids if top or folding else ())
            ]
        if not found:
            return base.products(product_ids)
        return [
            base.product(key) if each is _UNKNOWN else each
            for key, each in zip(product_ids, found, strict=True)
        ]

    def owner_of_sku(self, sku: str) -> str | None:
        for level in (self._top, self._folding):
            if (owner := level.skus.get(sku, _UNKNOWN)) is not _UNKNOWN:
                return owner
        return self._base.owner_of_sku(sku)

    def owner_of_slug(self, slug: str) -> str | None:
        for level in (self._top, self._folding):
            if (owner := level.slugs.get(slug, _UNKNOWN)) is not _UNKNOWN:
                return owner
        return self._base.owner_of_slug(slug)

    def count_in_category(self, category_id: str) -> int:
        return self._tally.filed[category_id]

    def category(self, category_id: str) -> Stored | None:
        return self._categories.get(category_id)

    def tree(self) -> CategoryTree:
        return self._tree

    def answered(self, key: str, now: datetime) -> Answered | None:
        return self._answers.get(key, now)

    def everything(self) -> tuple[int, Everything]:
        """Return every product of one moment, and the number of its last change."""
        with self.moment:
            over = self._folding.products | self._top.products
            return self.seq, Everything(self._base, over, self.count)

    def category_counts(self) -> Mapping[str, int]:
        """Return category id → number of active products in its subtree.

        It is the same mapping until one of them has changed.
        """
        # What they are counted of is looked at first: a change meanwhile makes them be counted anew.
        tree, moves = self._tree, self._moves
        known = self._counts
        if known is None or known[0] is not tree or known[1] != moves:
            known = self._counts = (tree, moves, self._tally.by_subtree(tree))
        return known[2]

    def freeze(self) -> Image:
        """Return the whole catalog of one moment; nothing is copied that grows with the products.

        What is changed from now on goes to a level of its own. When the image has become a
        snapshot, :meth:`rest_on` lets go of what is in it; if it never does, the next image holds
        it, too.
        """
        with self.moment:
            self._folding = self._folding.before(self._top)
            self._top = Level()
            return Image(
                self.seq,
                self.at,
                [self._categories[each.id].body for each in self._tree],
                self.count,
                self._base,
                self._folding,
                self._tally.copy(),
                self._answers.all(),
            )

    def rest_on(self, base: Base, left: Level | None = None) -> None:
        """Look things up in *base*, which has taken in what the last image froze, but for *left*."""
        with self.moment:
            self._base = base
            self._folding = Level() if left is None else left

    def load(
        self,
        *,
        seq: int,
        at: datetime,
        categories: Iterable[bytes],
        products: Iterable[bytes] = (),
        answers: Iterable[Remembered],
        base: tuple[Base, int, Tally] | None = None,
    ) -> None:
        """Take in a whole catalog; these tables must be fresh.

        Args:
            seq: The number of the last change in it.
            at: When that was committed.
            categories: Canonical JSON, parents before children.
            products: Canonical JSON.
            answers: Oldest first.
            base: Further products, their number, and how they are filed.

        Raises:
            KeyError, TypeError, ValueError: A body is not what the catalog writes.
        """
        if base is not None:
            self._base, self.count, self._tally = base
        for body in products:
            document = codec.load(body)
            product_id, version = document["id"], document["version"]
            if not isinstance(product_id, str) or not isinstance(version, int):
                raise TypeError(
                    f"{product_id!r}, {version!r}: no identity and version of a product"
                )
            after = Stored.of(product_id, version, body)
            self._put_product(product_id, after, NO_KEYS, Keys.of(document))
            self.count += 1
        known: dict[str, Category] = {}
        for body in categories:
            category = codec.load_category(body)
            known[category.id] = category
            self._categories[category.id] = Stored.of(category.id, category.version, body)
        self._tree = CategoryTree(known)
        self.remember(answers, at)
        self.seq, self.at = seq, at

    def apply(self, changes: Sequence[Change]) -> None:
        """Take in committed changes in their order, all at one moment; ``seq`` follows.

        Raises:
            ValueError: A change does not follow the one before.
            StoreUnreadable: The base cannot be read; nothing was taken in.
        """
        for seq, change in enumerate(changes, self.seq + 1):
            if change.seq != seq:
                raise ValueError(f"change {change.seq} follows {seq - 1}")
        # All that may fail comes first: what is half taken in could never be mended.
        before = {each.id: self._keys(each.id) for each in changes if _is_of_product(each)}
        with self.moment:
            categories: dict[str, Category] | None = None
            for change in changes:
                if _is_of_product(change):
                    before[change.id] = self._take_product(change, before[change.id])
                else:
                    categories = dict(self._tree.by_id) if categories is None else categories
                    self._put_category(change, categories)
                self.seq, self.at = change.seq, change.at
            if categories is not None:
                self._tree = CategoryTree(categories)

    def remember(self, remembered: Iterable[Remembered], now: datetime) -> None:
        """Keep answers; see :meth:`RememberedAnswers.remember`."""
        self._answers.remember(remembered, now)

    def _above(self, product_id: str) -> Stored | Literal[_Unknown.UNKNOWN] | None:
        """Return a product as the levels have it."""
        found = self._top.products.get(product_id, _UNKNOWN)
        if found is _UNKNOWN:
            found = self._folding.products.get(product_id, _UNKNOWN)
        return found

    def _keys(self, product_id: str) -> Keys | None:
        """Return the keys that a product has; None when there is no such product."""
        stored = self.product(product_id)
        return None if stored is None else Keys.of(codec.load(stored.body))

    def _take_product(self, change: Change, before: Keys | None) -> Keys | None:
        """Take in a change of a product that had the keys *before*; return those it has now."""
        after = new = None
        if change.body is not None:
            after = Stored.of(change.id, change.version, change.body)
            new = Keys.of(codec.load(change.body))
        self._put_product(change.id, after, before or NO_KEYS, new or NO_KEYS)
        self.count += (new is not None) - (before is not None)
        return new

    def _put_product(self, product_id: str, after: Stored | None, old: Keys, new: Keys) -> None:
        top, folding = self._top, self._folding
        _move(product_id, old.sku, new.sku, top.skus, folding.skus)
        _move(product_id, old.slug, new.slug, top.slugs, folding.slugs)
        self._moves += self._tally.move(old, new)
        top.products[product_id] = after

    def _put_category(self, change: Change, categories: dict[str, Category]) -> None:
        if change.body is None:
            self._categories.pop(change.id, None)
            categories.pop(change.id, None)
            return
        self._categories[change.id] = Stored.of(change.id, change.version, change.body)
        categories[change.id] = codec.load_category(change.body)


def _is_of_product(change: Change) -> bool:
    return change.type.startswith("product.")


def _move(
    product_id: str,
    old: str | None,
    new: str | None,
    top: dict[str, str | None],
    below: Mapping[str, str | None],
) -> None:
    """Let a product have the key *new* in place of *old*."""
    if old == new:
        return
    # Within one commit a key may already have moved on to another product.
    if old is not None and top.get(old, below.get(old, product_id)) == product_id:
        top[old] = None
    if new is not None:
        top[new] = product_id

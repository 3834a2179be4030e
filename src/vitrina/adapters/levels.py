"""What was changed over a base: the products, by what they are indexed, and how many are filed where."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from vitrina.domain.category import CategoryTree
from vitrina.service_layer.documents import Document, Json
from vitrina.service_layer.ports import Stored


@dataclass(frozen=True, slots=True)
class Keys:
    """What the tables index a product by."""

    sku: str | None = None
    slug: str | None = None
    category_id: str | None = None
    active: bool = False

    @classmethod
    def of(cls, document: Document) -> "Keys":
        return cls(
            _text(document["sku"]),
            _text(document["slug"]),
            _text(document["category_id"]),
            document["status"] == "active",
        )


NO_KEYS: Final = Keys()


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None


@dataclass(slots=True)
class Level:
    """What was changed over a base; None is what is no longer there.

    Attributes:
        products: By id.
        skus, slugs: Key → id of its product.
    """

    products: dict[str, Stored | None] = field(default_factory=dict)
    skus: dict[str, str | None] = field(default_factory=dict)
    slugs: dict[str, str | None] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.products) + len(self.skus) + len(self.slugs)

    def before(self, later: "Level") -> "Level":
        """Return both as one, in the place of the larger of them; costs as much as the smaller."""
        if len(self) > len(later):
            self.products.update(later.products)
            self.skus.update(later.skus)
            self.slugs.update(later.slugs)
            return self
        _put_below(later.products, self.products)
        _put_below(later.skus, self.skus)
        _put_below(later.slugs, self.slugs)
        return later


def _put_below[T](later: dict[str, T], earlier: Mapping[str, T]) -> None:
    for key, value in earlier.items():
        later.setdefault(key, value)


@dataclass(slots=True)
class Tally:
    """How many products are filed under each category.

    Attributes:
        filed: Those of any status.
        active: The active ones.
    """

    filed: Counter[str] = field(default_factory=Counter)
    active: Counter[str] = field(default_factory=Counter)

    def add(self, keys: Keys, step: Literal[1, -1] = 1) -> None:
        if keys.category_id is not None:
            self.filed[keys.category_id] += step
            self.active[keys.category_id] += step * keys.active

    def move(self, old: Keys, new: Keys) -> bool:
        """Count a product elsewhere; False when it stays where it is."""
        if (old.category_id, old.active) == (new.category_id, new.active):
            return False
        self.add(old, -1)
        self.add(new)
        return True

    def by_subtree(self, tree: CategoryTree) -> Mapping[str, int]:
        """Return category id → number of active products in its subtree."""
        counts: Counter[str] = Counter()
        for category_id, count in list(self.active.items()):
            if count and category_id in tree.by_id:
                for above in tree.lineage(category_id):
                    counts[above.id] += count
        return counts

    def copy(self) -> "Tally":
        return Tally(+self.filed, +self.active)

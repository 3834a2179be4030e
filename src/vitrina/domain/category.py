"""Categories: a plain tree of named places that products are filed under."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Self

from vitrina.domain.errors import (
    CategoryCycle,
    CategoryInUse,
    CategoryNotFound,
    Fault,
    InvalidDocument,
    InvalidValue,
)
from vitrina.domain.identifiers import parse_id
from vitrina.domain.text import clean_text

NAME_LENGTH_MAX: Final = 200
DEPTH_MAX: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """One place in the tree.

    Attributes:
        id: Identity. Never changes.
        name: As people read it; not necessarily unique.
        parent_id: The category above, or None for a root.
        version: 0 until first saved, then 1, 2, 3, …; only a repository sets it.
    """

    id: str
    name: str
    parent_id: str | None = None
    version: int = 0

    def __post_init__(self) -> None:
        faults: list[Fault] = []
        for pointer, check in (("/id", lambda: parse_id(self.id)), ("/name", self._check_name)):
            try:
                check()
            except InvalidValue as error:
                faults.append(error.at(pointer))
        if faults:
            raise InvalidDocument(tuple(faults))

    def _check_name(self) -> None:
        name = clean_text(self.name, longest=NAME_LENGTH_MAX, shortest=1)
        object.__setattr__(self, "name", name)


@dataclass(frozen=True, slots=True)
class CategoryTree:
    """All categories: every parent exists, and nothing lies below itself.

    Immutable: a change returns the next tree. ``by_id`` is never written to after construction.
    """

    by_id: Mapping[str, Category] = field(default_factory=dict)
    _children: Mapping[str | None, tuple[str, ...]] = field(init=False, repr=False, compare=False)
    _lineages: dict[str, tuple[Category, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """Those that were asked for before: they stay as they are."""

    def __post_init__(self) -> None:
        children: dict[str | None, list[str]] = {}
        for category in sorted(self.by_id.values(), key=lambda each: (each.name, each.id)):
            children.setdefault(category.parent_id, []).append(category.id)
        frozen = {parent: tuple(ids) for parent, ids in children.items()}
        object.__setattr__(self, "_children", frozen)

    def __len__(self) -> int:
        return len(self.by_id)

    def __iter__(self) -> Iterator[Category]:
        """Yield the categories, parents before children, siblings by name."""
        waiting = list(reversed(self.children(None)))
        while waiting:
            category = waiting.pop()
            yield category
            waiting.extend(reversed(self.children(category.id)))

    def get(self, category_id: str) -> Category:
        """Return one category.

        Raises:
            CategoryNotFound: No category has this id.
        """
        try:
            return self.by_id[category_id]
        except KeyError:
            raise CategoryNotFound(category_id) from None

    def children(self, category_id: str | None) -> tuple[Category, ...]:
        """Return the categories directly below, by name; ``None`` asks for the roots."""
        return tuple(self.by_id[child] for child in self._children.get(category_id, ()))

    def lineage(self, category_id: str) -> tuple[Category, ...]:
        """Return the category's ancestors from the root down, and itself last."""
        known = self._lineages.get(category_id)
        if known is None:
            line = [self.get(category_id)]
            while (above := line[-1].parent_id) is not None and len(line) <= len(self.by_id):
                line.append(self.by_id[above])
            known = self._lineages[category_id] = tuple(reversed(line))
        return known

    def path(self, category_id: str) -> tuple[str, ...]:
        """Return the names from the root down to the category."""
        return tuple(each.name for each in self.lineage(category_id))

    def subtree(self, category_id: str) -> frozenset[str]:
        """Return the ids of the category and of everything below it; empty when unknown."""
        if category_id not in self.by_id:
            return frozenset()
        found: list[str] = [category_id]
        for each in found:
            found.extend(self._children.get(each, ()))
        return frozenset(found)

    def place(self, category: Category) -> Self:
        """Return the tree with *category* added, renamed or moved with all below it.

        Raises:
            InvalidDocument: The parent does not exist (``unknown_category``), or the tree would
                be deeper than 32 levels (``too_deep``).
            CategoryCycle: The parent lies below the category.
        """
        parent = category.parent_id
        below = self.subtree(category.id)
        if parent is not None:
            if parent in below or parent == category.id:
                raise CategoryCycle(category.id, parent=parent)
            if parent not in self.by_id:
                raise InvalidDocument(
                    (Fault("/parent_id", "unknown_category", f"There is no category {parent!r}."),)
                )
            height = max((self._depth(each) for each in below), default=1)
            own = self._depth(category.id) if below else 1
            if self._depth(parent) + 1 + height - own > DEPTH_MAX:
                raise InvalidDocument(
                    (Fault("/parent_id", "too_deep", f"A tree has at most {DEPTH_MAX} levels."),)
                )
        return replace(self, by_id={**self.by_id, category.id: category})

    def without(self, category_id: str, *, products: int) -> Self:
        """Return the tree without one category.

        Args:
            category_id: The category to take away.
            products: How many products are filed directly under it.

        Raises:
            CategoryNotFound: No category has this id.
            CategoryInUse: It has products or subcategories.
        """
        self.get(category_id)
        children = len(self._children.get(category_id, ()))
        if products or children:
            raise CategoryInUse(category_id, products=products, children=children)
        rest = {key: each for key, each in self.by_id.items() if key != category_id}
        return replace(self, by_id=rest)

    def _depth(self, category_id: str) -> int:
        return len(self.lineage(category_id))

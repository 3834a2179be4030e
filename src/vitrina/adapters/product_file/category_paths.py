"""Categories that a file names by their path: ``Electronics > Phones``.

A path is matched with the categories that exist, name by name; where no exact match is found, case
and spacing do not count. What does not exist is made: its id is the path in ASCII letters and
digits (``electronics-phones``), or, when that is taken, empty or too long, ``c-`` and a digest
of the path. The same paths give the same ids at every start.
"""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Final

from vitrina.domain.category import DEPTH_MAX, Category, CategoryTree
from vitrina.domain.errors import InvalidValue
from vitrina.domain.identifiers import parse_id, slugify

type Path = tuple[str, ...]

_READABLE_ID_LENGTH_MAX: Final = 100


class CategoryPaths:
    """Finds categories by the path of their names, and makes those that are missing."""

    def __init__(self, tree: CategoryTree) -> None:
        self._ids: dict[Path, str] = {}
        self._folded: dict[Path, str] = {}
        self._paths: dict[str, Path] = {}
        self._taken: set[str] = set(tree.by_id)
        for category in tree:
            self._learn(tree.path(category.id), category.id)

    def id_of(self, path: Path) -> str | None:
        """Return the id of the category that *path* leads to, or None."""
        return self._ids.get(path) or self._folded.get(_fold(path))

    def path_of(self, category_id: str) -> Path | None:
        """Return the path that leads to a category; None when it is unknown or another is meant."""
        path = self._paths.get(category_id)
        return path if path is not None and self._ids[path] == category_id else None

    def missing(self, paths: Iterable[Path]) -> tuple[Category, ...]:
        """Return the categories to make so that every path leads somewhere, parents first.

        From then on :meth:`id_of` knows them. Paths deeper than 32 levels are passed over.
        """
        made: list[Category] = []
        for path in dict.fromkeys(paths):
            parent: str | None = None
            if len(path) > DEPTH_MAX:
                continue
            for depth in range(1, len(path) + 1):
                ahead = path[:depth]
                found = self.id_of(ahead)
                if found is None:
                    found = self._make_id(ahead)
                    self._learn(ahead, found)
                    made.append(Category(id=found, name=ahead[-1], parent_id=parent))
                parent = found
        return tuple(made)

    def _learn(self, path: Path, category_id: str) -> None:
        self._ids.setdefault(path, category_id)
        self._folded.setdefault(_fold(path), category_id)
        self._paths[category_id] = path
        self._taken.add(category_id)

    def _make_id(self, path: Path) -> str:
        readable = slugify(" ".join(path))
        try:
            if len(readable) <= _READABLE_ID_LENGTH_MAX and parse_id(readable) not in self._taken:
                return readable
        except InvalidValue:
            pass  # Another script than Latin, or nothing but punctuation: the digest serves.
        digest = blake2b("\x00".join(path).encode(), digest_size=16).hexdigest()
        return f"c-{digest}"


def _fold(path: Path) -> Path:
    return tuple(" ".join(name.casefold().split()) for name in path)

"""Which categories are called by a word."""

from bisect import bisect_left

from vitrina.adapters.index.analysis import Analyzer
from vitrina.domain.category import CategoryTree


class CategoryWords:
    """Which categories are called by a word: by their own name, or by one they lie under."""

    def __init__(self, tree: CategoryTree, analyzer: Analyzer) -> None:
        holding: dict[str, set[str]] = {}
        for category in tree:
            for stem in analyzer.stems(" ".join(tree.path(category.id))):
                holding.setdefault(stem, set()).add(category.id)
        self._stems = sorted(holding)
        self._ids = [sorted(holding[each]) for each in self._stems]

    def holding(self, stem: str, *, unfinished: bool) -> list[str]:
        """Return the ids of the categories that a word names; or begins to name."""
        found: list[str] = []
        for place in range(bisect_left(self._stems, stem), len(self._stems)):
            held = self._stems[place]
            if held != stem and not (unfinished and held.startswith(stem)):
                break
            found += self._ids[place]
        return sorted(set(found))

"""Which categories are called by a word."""

from bisect import bisect_left

from vitrina.adapters.index.analysis import Analyzer
from vitrina.adapters.index.spelling import alike, distance
from vitrina.domain.category import CategoryTree


class CategoryWords:
    """Which categories are called by a word: by their own name, or by one they lie under."""

    def __init__(self, tree: CategoryTree, analyzer: Analyzer) -> None:
        holding: dict[str, set[str]] = {}
        plain: dict[str, set[str]] = {}
        for category in tree:
            words = analyzer.split(" ".join(tree.path(category.id)))
            for each in " ".join(map(analyzer.terms, words)).split():
                holding.setdefault(each, set()).add(category.id)
            for each in words:
                plain.setdefault(each, set()).add(category.id)
        self._stems = sorted(holding)
        self._ids = [sorted(holding[each]) for each in self._stems]
        self._words = sorted(plain)
        self._called = [sorted(plain[each]) for each in self._words]

    def holding(self, stem: str, *, unfinished: bool) -> list[str]:
        """Return the ids of the categories that a word names; or begins to name."""
        if not stem:
            return []  # Of a word that is too long: all others would begin like it.
        found: list[str] = []
        for place in range(bisect_left(self._stems, stem), len(self._stems)):
            held = self._stems[place]
            if held != stem and not (unfinished and held.startswith(stem)):
                break
            found += self._ids[place]
        return sorted(set(found))

    def alike(self, word: str, typos: int) -> list[str]:
        """Return the ids of the categories that a word with so many typos names; its first letter is right."""
        found: set[str] = set()
        for first, end in alike(self._words, word):
            for place in range(first, end):
                if distance(self._words[place], word, typos) <= typos:
                    found.update(self._called[place])
        return sorted(found)

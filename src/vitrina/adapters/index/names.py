"""Names of brands and categories, to be found by how their words begin.

What names look like folded stays the same in many states of a catalog, while how many products have each is
another number after many a change. So :class:`Names` is made once for the same names, and
:class:`Counted`, which costs little, for each state that is asked.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from heapq import nsmallest
from itertools import accumulate
from typing import Final

from vitrina.adapters.index.rows import words
from vitrina.adapters.index.spelling import alike, beginning, forgiven
from vitrina.domain.text import fold

type Part = tuple[int, int]
"""Where a part of a list begins and ends."""


@dataclass(frozen=True, slots=True)
class Name:
    """A brand or category.

    Attributes:
        key: What tells it from others: a category's id, a brand itself.
        text: As it is written.
        count: How many active products have it.
    """

    key: str
    text: str
    count: int


class Names:
    """Names, by the beginnings of their words. Nothing is prepared before they are asked for."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        """Take names: what tells each from others → its text."""
        self.texts: Final = texts

    def renewed(self, texts: Mapping[str, str]) -> "Names":
        """Return the names of other texts: these ones where the texts are the same."""
        return self if texts == self.texts else Names(texts)

    @cached_property
    def keys(self) -> list[str]:
        """What tells the names from one another, ordered by text; a place in here is a name's number."""
        texts = self.texts
        return sorted(texts, key=lambda key: (texts[key], key))

    @cached_property
    def _words(self) -> "_Words":
        return _Words(self.texts[key] for key in self.keys)

    def find(self, typed: Sequence[str]) -> set[int]:
        """Return the numbers of the names that begin as typed; where there are none, with typos.

        A name begins as typed when each typed word is the beginning of one of its own.
        """
        known = self._words
        # What may have no typos is the soonest known to be nowhere.
        return known.holders([known.beginning(each)] for each in typed) or known.holders(
            known.alike(each) for each in sorted(typed, key=forgiven)
        )


class _Words:
    """The words of texts in order, and the numbers of the texts that hold each."""

    def __init__(self, texts: Iterable[str]) -> None:
        held: dict[str, list[int]] = defaultdict(list)
        for number, text in enumerate(texts):
            for word in dict.fromkeys(words(fold(text))):
                held[word].append(number)
        self._words: Final = sorted(held)
        self._holders: Final = [number for word in self._words for number in held[word]]
        """Of the first word, of the second, and so on."""
        self._starts: Final = list(accumulate((len(held[word]) for word in self._words), initial=0))

    def beginning(self, typed: str) -> Part:
        """Return the part of the words that begin as typed."""
        return beginning(self._words, typed)

    def alike(self, typed: str) -> list[Part]:
        """Return the parts of the words that begin as typed, typos forgiven."""
        return list(alike(self._words, typed))

    def holders(self, asked: Iterable[Sequence[Part]]) -> set[int]:
        """Return the texts that hold, for each that is asked, a word of one of its parts."""
        held: list[list[int]] = []
        for parts in asked:
            numbers: list[int] = []
            for first, end in parts:
                numbers += self._holders[self._starts[first] : self._starts[end]]
            if not numbers:
                return set()
            held.append(numbers)
        held.sort(key=len)
        return set(held[0]).intersection(*held[1:])


class Counted:
    """Names, and how many products have each."""

    def __init__(self, names: Names, counts: Mapping[str, int]) -> None:
        """Take the counts of names by what tells each from others; those of none may be left out."""
        self.names: Final = names
        self.counts: Final = counts
        every = len(names.keys)
        # The most frequent come first, and of those that are equally frequent the first by text.
        self._places: Final = [
            number - counts.get(key, 0) * every for number, key in enumerate(names.keys)
        ]

    def find(self, typed: Sequence[str], limit: int) -> list[Name]:
        """Return the first names that begin as typed, the most frequent first."""
        best = nsmallest(limit, self.names.find(typed), self._places.__getitem__)
        keys = [self.names.keys[number] for number in best]
        return [Name(each, self.names.texts[each], self.counts.get(each, 0)) for each in keys]

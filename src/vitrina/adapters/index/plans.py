"""A plan: the words to look for, how a product may hold them, and what that is worth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Final, NamedTuple

from tantivy import Query

UNIT: Final = 1_000
"""Worth is counted in whole numbers, so that the engine's single-precision sums are exact."""

PRESENCE: Final = 2.0
"""What any word is worth beside its rarity."""

ANYWHERE_WORTH: Final = 0.5
"""How much of a word's rarity a find is worth, wherever it is."""

FIELD_WORTH: Final[Mapping[str, float]] = {
    "title": 0.5,
    "head": 0.2,
    "makers": 0.5,
    "facts": 0.1,
    "category": 0.1,
    "codes": 1.0,
}
"""How much more it is worth in these fields; what is found in several is worth all of it."""

LEAST_RARITY: Final = 500
"""What a word's rarity is worth at least, in thousandths: where all hold it, the title still tells what it is."""

UNKNOWN: Final = -1


class Spelt(NamedTuple):
    """A word as it was typed, among the others.

    Attributes:
        text: Folded.
        joined: The stems of it and a neighbour as one word, where known.
        synonyms: For it, and for sequences that it is part of.
        unfinished: It may be the beginning of a word.
    """

    text: str
    joined: tuple[str, ...]
    synonyms: tuple[tuple[str, ...], ...]
    unfinished: bool


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a query.

    Attributes:
        text: Folded.
        stem: By which it is indexed.
        joined: It and a neighbour as one word.
        halves: It as two words.
        synonyms: Other words, or sequences of words, for it.
        unfinished: It may be the beginning of a word.
        typos: How many typos are forgiven.
        common: Very many products hold it.
        rarity: Natural logarithm of how rare it is, in whole thousandths; below 0 nothing holds it.
    """

    text: str
    stem: str
    joined: tuple[str, ...] = ()
    halves: tuple[tuple[str, str], ...] = ()
    synonyms: tuple[tuple[str, ...], ...] = ()
    unfinished: bool = False
    typos: int = 0
    common: bool = False
    rarity: int = UNKNOWN

    def __hash__(self) -> int:
        # Words are looked up several times in each question, and seldom share these three.
        return hash((self.text, self.unfinished, self.rarity))

    def worth(self, field: str = "", share: float = 1.0) -> float:
        """Return what finding this word is worth; in a field, how much more than that."""
        rarity = max(self.rarity, LEAST_RARITY) / UNIT
        if field:
            return float(round(UNIT * share * rarity * FIELD_WORTH[field]))
        return float(round(UNIT * share * (PRESENCE + rarity * ANYWHERE_WORTH)))


@dataclass(frozen=True, slots=True)
class Way:
    """One of the ways in which a product can hold a word.

    Attributes:
        matched: What holds it so.
        share: Of the word's worth that this is worth.
        fields: In which it is worth more, with what holds it there.
    """

    matched: Query
    share: float
    fields: Sequence[tuple[str, Query]]


@dataclass(frozen=True)
class Plan:
    """What to look for.

    Attributes:
        asked: The words to look for, also those that nothing holds.
        sequence: The stems of all words in the order they were typed.
        needed: How many of the words a product must hold.
        codes: The identifiers that the whole text is.
        title: The digest of a title that is the whole text.
    """

    asked: tuple[Word, ...]
    sequence: tuple[str, ...]
    needed: int
    codes: tuple[str, ...]
    title: str

    @cached_property
    def words(self) -> list[Word]:
        """The words that can be found."""
        return [each for each in self.asked if each.rarity != UNKNOWN]

    @cached_property
    def numbers(self) -> tuple[int, ...]:
        """What makes another plan for the same text rank as this one does."""
        words = ((word.rarity, word.typos, int(word.common)) for word in self.asked)
        return (self.needed, *chain.from_iterable(words))

    @cached_property
    def all_needed(self) -> bool:
        """Whether a product must hold all words."""
        return self.needed == len(self.words)

    @cached_property
    def broad(self) -> bool:
        """Whether all words must be held, and all are common."""
        return bool(self.words) and self.all_needed and all(each.common for each in self.words)

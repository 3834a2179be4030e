"""A text that is being typed, with its last word completed as titles spell it.

What stands between the words stays as it was typed (``at&t``, ``wi-fi``), and so do words that no title holds.
The others are written as most titles write them, accents and all, and typos in them are put right.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple, Self

from vitrina.adapters.index.rows import words
from vitrina.adapters.index.spelling import begins_like, distance, forgiven
from vitrina.domain.text import fold

WORDS_MAX: Final = 8
"""How many words of what was typed are looked at."""

_WORD: Final = re.compile(r"[^\W_]+")
_SPACES: Final = re.compile(r"\s+")


class Typed(NamedTuple):
    """What was typed so far.

    Attributes:
        words: Its words, folded.
        gaps: What stands before each of them.
        given: The words as they were typed, in small letters.
    """

    words: tuple[str, ...]
    gaps: tuple[str, ...]
    given: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> Self:
        """Read a text."""
        parts: list[tuple[str, str, str]] = []
        place = 0
        for each in _WORD.finditer(text):
            gap = _SPACES.sub(" ", text[place : each.start()]) if parts else ""
            place = each.end()
            # A sign such as ½ is two words when it is folded.
            folded = words(fold(each[0]))
            given = [each[0].lower()] if len(folded) == 1 else folded
            for word, shown in zip(folded, given, strict=True):
                parts.append((word, gap, shown))
                gap = " "
            if len(parts) >= WORDS_MAX:
                break
        read = parts[:WORDS_MAX]
        return cls(*(tuple(part[n] for part in read) for n in range(3)))


def completions(typed: Typed, titles: Sequence[str], limit: int) -> list[str]:
    """Return how what was typed may go on: the most frequent way in titles first, then that of the better title.

    Args:
        typed: At least one word.
        titles: Of what was found, the best first.
        limit: At most so many.
    """
    *before, last = typed.words
    held = [set(words(fold(title))) for title in titles]
    ends = _frequent(held, before, lambda word: word.startswith(last))
    best = (ends or _frequent(held, before, lambda word: begins_like(word, last)))[:limit]
    meant = [_meant(each, held) for each in before]
    spelt = _spellings({*best, *meant}, titles, held)
    begun = "".join(
        gap + spelt.get(word, given)
        for gap, word, given in zip(typed.gaps[:-1], meant, typed.given[:-1], strict=True)
    )
    return [f"{begun}{typed.gaps[-1]}{spelt[word]}" for word in best]


def _frequent(
    held: Iterable[set[str]], but: Iterable[str], wanted: Callable[[str], bool]
) -> list[str]:
    """Return the wanted words of titles but for some, the most frequent first."""
    counts: dict[str, int] = {}
    for one in held:
        for word in sorted(filter(wanted, one)):
            counts[word] = counts.get(word, 0) + 1
    for each in but:
        counts.pop(each, None)
    return sorted(counts, key=lambda word: -counts[word])  # stable: the better title first


def _meant(word: str, held: Iterable[set[str]]) -> str:
    """Return a word, or where none is held that begins so, the most frequent one that it is a typo of."""
    most = forgiven(word)
    found = Counter(each for one in held for each in one)
    if not most or any(each.startswith(word) for each in found):
        return word
    near = ((distance(each, word, most), -count, each) for each, count in found.items())
    return min((each for each in near if each[0] <= most), default=(0, 0, word))[2]


def _spellings(asked: set[str], titles: Iterable[str], held: Iterable[set[str]]) -> dict[str, str]:
    """Return how titles spell folded words, in small letters, as far as they hold them."""
    found: dict[str, Counter[str]] = {each: Counter() for each in asked}
    for title, folded in zip(titles, held, strict=True):
        if title.isascii():
            for word in asked & folded:
                found[word][word] += 1
        else:
            for given in _WORD.findall(title):
                if (word := fold(given)) in asked:
                    found[word][given.lower()] += 1
    # A sign such as ½ is another word folded, and spelt so nowhere.
    return {
        word: max(counts, key=lambda each: (counts[each], each)) if counts else word
        for word, counts in found.items()
        if counts or any(word in one for one in held)
    }

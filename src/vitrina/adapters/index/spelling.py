"""How far two words are from each other."""

from collections.abc import Iterable, Sequence

ONE_TYPO_FROM = 4
TWO_TYPOS_FROM = 8


def forgiven(word: str) -> int:
    """Return how many typos a word of this length may have; only words of letters may have any."""
    if not word.isalpha():
        return 0
    return (len(word) >= ONE_TYPO_FROM) + (len(word) >= TWO_TYPOS_FROM)


def distance(one: str, other: str, most: int) -> int:
    """Return the number of typos between two words, at most ``most + 1``.

    A typo is a letter too many, too few or wrong, or two neighbours swapped (optimal string
    alignment).
    """
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    last = list(range(len(other) + 1))
    for place, letter in enumerate(one, 1):
        row = [place]
        for column, opposite in enumerate(other, 1):
            cost = min(last[column] + 1, row[-1] + 1, last[column - 1] + (letter != opposite))
            swapped = place > 1 and column > 1 and letter == other[column - 2]
            if swapped and one[place - 2] == opposite:
                cost = min(cost, before[column - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
        before, last = last, row
    return last[-1]


def begins_like(word: str, typed: str) -> bool:
    """Say whether *word* begins with what was typed, the typos of that length forgiven.

    The first letter is taken as it is: it is seldom wrong, and most words are passed over by it.
    """
    if word[:1] != typed[:1]:
        return False
    most = forgiven(typed)
    ends = range(len(typed) - most, len(typed) + most + 1)
    return any(distance(typed, word[:end], most) <= most for end in ends)


def begin(held: Sequence[str], typed: Iterable[str]) -> bool:
    """Say whether each typed word is the beginning of one that is held."""
    return all(any(word.startswith(each) for word in held) for each in typed)


def begin_like(held: Sequence[str], typed: Iterable[str]) -> bool:
    """Say whether each typed word is, typos forgiven, the beginning of one that is held."""
    return all(any(begins_like(word, each) for word in held) for each in typed)

"""How far two words are from each other."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

ONE_TYPO_FROM: Final = 4
TWO_TYPOS_FROM: Final = 8

_LAST: Final = "\U0010ffff"
"""Comes after everything that words are made of."""


def forgiven(word: str) -> int:
    """Return how many typos a word of this length may have; only words of letters may have any."""
    if not word.isalpha():
        return 0
    return (len(word) >= ONE_TYPO_FROM) + (len(word) >= TWO_TYPOS_FROM)


def mistakable(words: Iterable[str]) -> list[str]:
    """Return those of some words that another one may become by the typos that are forgiven.

    The others are shorter than that, or numbers, of which no word of letters is as near.
    """
    return [each for each in words if len(each) >= ONE_TYPO_FROM - 1 and not each.isdecimal()]


def distance(one: str, other: str, most: int) -> int:
    """Return the number of typos between two words, at most ``most + 1``.

    A typo is a letter too many, too few or wrong, or two neighbours swapped (optimal string
    alignment).
    """
    if abs(len(one) - len(other)) > most:
        return most + 1
    rows = [list(range(len(other) + 1))]
    for place in range(len(one)):
        rows.append(_row(rows, one[: place + 1], other, most))
        if min(rows[-1]) > most:
            return most + 1
    return rows[-1][-1]


def _row(rows: Sequence[Sequence[int]], one: str, other: str, most: int) -> list[int]:
    """Return how many typos *one* is from each beginning of another word, at most ``most + 1``.

    Args:
        rows: The same for each beginning of *one* itself, of none of its letters first.
        one: A word, which is not empty.
        other: The other word.
        most: Beginnings whose lengths differ by more need not be looked at.
    """
    place, last, letter, letter_before = len(one), rows[-1], one[-1], one[-2:-1]
    row = [most + 1] * (len(other) + 1)
    if place <= most:
        row[0] = place
    for column in range(max(place - most, 1), min(place + most, len(other)) + 1):
        opposite = other[column - 1]
        cost = last[column - 1]
        if letter != opposite:
            cost = min(cost, last[column], row[column - 1])
            swapped = letter_before == opposite and letter == other[column - 2 : column - 1]
            if swapped and rows[-2][column - 2] < cost:
                cost = rows[-2][column - 2]
            cost += cost <= most
        row[column] = cost
    return row


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


def beginning(held: Sequence[str], typed: str, first: int = 0) -> tuple[int, int]:
    """Return the part of a sorted list of words, from its *first* on, that begins as typed."""
    start = bisect_left(held, typed, first)
    return start, bisect_left(held, typed + _LAST, start)


def alike(held: Sequence[str], typed: str) -> Iterator[tuple[int, int]]:
    """Yield the parts of a sorted list of words that :func:`begins_like` what was typed.

    The words are gone through as the tree of their letters: what several begin with is compared once,
    and when it has too many typos, or few enough, what follows it is not looked at.
    """
    most = forgiven(typed)
    place, end = beginning(held, typed[:1])
    path, rows = "", [list(range(len(typed) + 1))]
    while place < end:
        word = held[place]
        length = next((n for n, letter in enumerate(path) if word[n : n + 1] != letter), len(path))
        del rows[length + 1 :]
        while length < len(word) and rows[-1][-1] > most >= min(rows[-1]):
            rows.append(_row(rows, word[: length + 1], typed, most))
            length += 1
        path, past = word[:length], place + 1
        if rows[-1][-1] <= most or most < min(rows[-1]):
            _, past = beginning(held, path, place)
        if rows[-1][-1] <= most:
            yield place, past
        place = past

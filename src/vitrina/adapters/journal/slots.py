"""A hash table in one block of memory, which may be a mapped file: hash → numbers of rows.

A slot is one unsigned number of 64 bits in the byte order of the machine: the 32 bits of the hash, and
32 bits that tell the row. Those are the row's number plus 1, and all ones where the row is gone; a
slot that was never used is 0. A hash begins at the slot that its lowest bits name, and goes on to
the next one where that is taken (linear probing). The number of slots is a power of two, and at least
a third of them were never used.

Two keys may have one hash: whoever looks one up compares the key itself.
"""

from array import array
from dataclasses import dataclass
from typing import Final

from vitrina.adapters.journal.pace import Pace

SLOT_BYTES: Final = 8
ROWS_MAX: Final = 2**32 - 2

_SLOTS_MIN: Final = 8
_GONE: Final = 2**32 - 1
_ROW: Final = 2**32 - 1
_COPIED: Final = 2**16
_MOVED: Final = 2**5


@dataclass(frozen=True, slots=True)
class Slots:
    """A table that is looked up.

    Attributes:
        words: Its slots.
        live: How many rows are in it.
        used: How many slots are not free: those and the ones of rows that are gone.
    """

    words: memoryview
    live: int
    used: int

    def rows(self, key_hash: int) -> list[int]:
        """Return the rows that were put under a hash."""
        words = self.words
        mask = len(words) - 1
        place = key_hash & mask
        found = []
        while word := words[place]:
            if word >> 32 == key_hash and (row := word & _ROW) != _GONE:
                found.append(row - 1)
            place = (place + 1) & mask
        return found


NO_SLOTS: Final = Slots(memoryview(bytes(SLOT_BYTES * _SLOTS_MIN)).cast("Q"), 0, 0)


class SlotsInTheMaking:
    """A table that is made of another one and what has changed."""

    def __init__(self, old: Slots, *, adding: int, pace: Pace) -> None:
        """Begin with the rows of *old*, and with room for *adding* more."""
        self._live, self._used = old.live, old.used
        if 3 * (old.used + adding) > 2 * len(old.words):
            self._words = _moved(old.words, old.live + adding, pace)
            self._used = old.live
            return
        self._words = array("Q")
        for start in range(0, len(old.words), _COPIED):
            self._words.frombytes(old.words[start : start + _COPIED].cast("B"))
            pace()

    def put(self, key_hash: int, row: int) -> None:
        """Put a row under a hash; there is room for as many as were announced."""
        words = self._words
        mask = len(words) - 1
        place = key_hash & mask
        while words[place]:
            place = (place + 1) & mask
        words[place] = key_hash << 32 | row + 1
        self._live += 1
        self._used += 1

    def take(self, key_hash: int, row: int) -> None:
        """Take a row away.

        Raises:
            KeyError: It is not there.
        """
        words = self._words
        mask = len(words) - 1
        place = key_hash & mask
        wanted = key_hash << 32 | row + 1
        while (word := words[place]) != wanted:
            if not word:
                raise KeyError(row)
            place = (place + 1) & mask
        words[place] = key_hash << 32 | _GONE
        self._live -= 1

    def done(self) -> Slots:
        """Return the table, which must not be changed any more."""
        return Slots(memoryview(self._words), self._live, self._used)


def _moved(old: memoryview, rows: int, pace: Pace) -> "array[int]":
    """Return slots, at least twice as many as *rows*, with what is in the old ones and not gone."""
    size = _SLOTS_MIN
    while size < 2 * rows:
        size *= 2
    mask = size - 1
    words = array("Q", bytes(SLOT_BYTES * size))
    for start in range(0, len(old), _MOVED):
        for word in old[start : start + _MOVED]:
            if word and word & _ROW != _GONE:
                place = (word >> 32) & mask
                while words[place]:
                    place = (place + 1) & mask
                words[place] = word
        pace()
    return words

"""The few numbers that all processes of a store share: how far the journal reaches, and is durable.

``.vitrina/run/marks`` is mapped into the memory of every process that has the store open. A place
in the journal is one number here, the bytes that were written since the recovery before it, so
that the next segment goes on counting. Each number is an aligned word of eight bytes, which the
processor stores and loads as a whole: no reader sees half of one, and a process that is killed
leaves the old value or the new one.

========  =========================================================================================
word 0    The format of this file.
word 1    *durable*: what lies before this place is on the disk, and visible to every reader. It
          only grows, and is moved by the process that has synced, under the lock ``run/sync``.
word 2    *appended*: where the next record begins; moved by the holder of ``run/write``.
word 3    Which of the two pairs of words behind it tells of the live segment.
4, 5      A live segment: the number of its first change, and the place where it begins.
6, 7      The other one; a pair is filled in before word 3 points at it.
word 8    The number of the oldest change that is kept.
word 9    The place up to which the newest snapshot has folded the journal.
10 to 14  One for each :class:`Notice`: how many bytes its text has, and in bit 32 which of its two
          places holds it. Byte 512 and what follows are these places, 768 bytes each.
word 16   How many records were appended since the recovery.
word 17   How many of them are durable; both only to be told.
========  =========================================================================================

All of it is derived: the process that recovers the journal writes it anew.
"""

import mmap
import os
from enum import IntEnum
from pathlib import Path
from typing import Final

DURABLE: Final = 1
APPENDED: Final = 2
OLDEST: Final = 8
FOLDED: Final = 9
RECORDS: Final = 16
RECORDS_DURABLE: Final = 17
_LIVE: Final = 3
_PAIRS: Final = (4, 6)
_NOTICES: Final = 10
_TEXTS: Final = 512
_TEXT_BYTES_MAX: Final = 768
_SIZE: Final = 8_192
_FORMAT: Final = 2
_PLACE: Final = 32
_LENGTH: Final = 2**_PLACE - 1


class Notice(IntEnum):
    """What one process tells all of them, for their probes; each has one text, or none.

    ``FAILED``: why nothing can be written until the store is recovered. ``REFUSED``: why the last
    write was refused; the next one may go well. ``SNAPSHOT``: why there is no new snapshot.
    ``RECOVERED``: what the recovery found, a line for each check: its name, a tab, the detail.
    ``FILE``: what cannot be told in the usual way about the person's file: its state, a tab, the
    detail.
    """

    FAILED = 0
    REFUSED = 1
    SNAPSHOT = 2
    RECOVERED = 3
    FILE = 4


class Marks:
    """The shared numbers of one store.

    Attributes:
        words: All of them; reading ``words[DURABLE]`` costs some 30 ns.
    """

    def __init__(self, path: Path) -> None:
        """Map the file at *path*, which is made when it is missing.

        Raises:
            OSError: The system refuses.
        """
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            # A page that finds no room later would kill the process. What is there stays: others
            # may use it already.
            os.posix_fallocate(fd, 0, _SIZE)
            self._map = mmap.mmap(fd, _SIZE)
        finally:
            os.close(fd)
        self._mapped: mmap.mmap | bytearray = self._map
        self.words = memoryview(self._map).cast("Q")

    def close(self) -> None:
        """Unmap the file. What is read from now on is how the numbers were."""
        words, self._mapped = self.words, bytearray(self._map)
        self.words = memoryview(self._mapped).cast("Q")
        words.release()
        self._map.close()

    def begin(self, *, first: int, size: int, oldest: int) -> None:
        """Start anew, as nobody else has the store open.

        Args:
            first: The number of the first change of the live segment.
            size: How many bytes it has, all of them durable.
            oldest: The number of the oldest change that is kept.
        """
        self._mapped[:] = bytes(_SIZE)
        words = self.words
        words[0] = _FORMAT
        words[OLDEST] = oldest
        words[_PAIRS[0]] = first
        words[FOLDED] = words[APPENDED] = words[DURABLE] = size

    @property
    def live(self) -> tuple[int, int]:
        """The first change of the live segment, and the place where it begins."""
        pair = _PAIRS[self.words[_LIVE]]
        return self.words[pair], self.words[pair + 1]

    def go_on_in(self, first: int, base: int) -> None:
        """Tell of a new live segment; only the holder of the write lock does."""
        other = 1 - self.words[_LIVE]
        self.words[_PAIRS[other]], self.words[_PAIRS[other] + 1] = first, base
        self.words[_LIVE] = other

    def said(self, notice: Notice) -> str | None:
        """Return the text of a notice, or None; asking for none costs some 100 ns."""
        while word := self.words[_NOTICES + notice]:
            at = _text_at(notice, word >> _PLACE)
            text = bytes(self._mapped[at : at + (word & _LENGTH)])
            if self.words[_NOTICES + notice] == word:  # Else it has just been replaced.
                return text.decode(errors="replace")
        return None

    def say(self, notice: Notice, text: str | None) -> None:
        """Replace the text of a notice; only one process at a time does."""
        number = _NOTICES + notice
        if text is None:
            self.words[number] = 0
            return
        data = text.encode()[:_TEXT_BYTES_MAX]
        place = 1 - (self.words[number] >> _PLACE)
        at = _text_at(notice, place)
        self._mapped[at : at + len(data)] = data
        self.words[number] = place << _PLACE | len(data)

    @property
    def failure(self) -> str | None:
        """Why nothing can be written until the store is recovered, or None."""
        return self.said(Notice.FAILED)

    def fail(self, reason: str) -> None:
        """Let no process write any more. The first reason stays."""
        if not self.words[_NOTICES + Notice.FAILED]:
            self.say(Notice.FAILED, reason)


def _text_at(notice: Notice, place: int) -> int:
    return _TEXTS + (2 * notice + place) * _TEXT_BYTES_MAX

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
word 10   How many bytes of text at byte 256 say why nothing can be written any more; 0: it can.
========  =========================================================================================

All of it is derived: the process that recovers the journal writes it anew.
"""

import mmap
import os
from pathlib import Path
from typing import Final

DURABLE: Final = 1
APPENDED: Final = 2
OLDEST: Final = 8
FOLDED: Final = 9
_LIVE: Final = 3
_PAIRS: Final = (4, 6)
_FAILED: Final = 10
_REASON: Final = 256
_SIZE: Final = 4_096
_FORMAT: Final = 1


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
            if os.fstat(fd).st_size != _SIZE:
                # Written, not stretched: a page that finds no room later would kill the process.
                os.pwrite(fd, bytes(_SIZE), 0)
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

    @property
    def failure(self) -> str | None:
        """Why nothing can be written until the store is recovered, or None."""
        size = self.words[_FAILED]
        return (
            bytes(self._mapped[_REASON : _REASON + size]).decode(errors="replace") if size else None
        )

    def fail(self, reason: str) -> None:
        """Let no process write any more. The first reason stays."""
        if not self.words[_FAILED]:
            text = reason.encode()[: _SIZE - _REASON]
            self._mapped[_REASON : _REASON + len(text)] = text
            self.words[_FAILED] = len(text)

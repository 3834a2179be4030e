"""Whole answers, kept until the catalog changes, as far as there is room.

When there is no more room, an answer takes the place of the one that was not asked for the longest only if
it was asked for more often lately. So questions that come once push out nothing; and of a round of a few more
questions than there is room for, nearly all are found, where the most recent ones alone would be none that
comes again before it was pushed out. How often is about right: all questions share one small table.
"""

from dataclasses import dataclass
from typing import Final
from zlib import crc32

LISTS_BYTES_MAX: Final = 16 * 2**20
SUGGESTIONS_BYTES_MAX: Final = 4 * 2**20
"""How many bytes of answers each process keeps."""

SHARE_MAX: Final = 1 / 16
"""An answer that takes more of the room is not kept: it would push too many others out."""

ENTRY_BYTES: Final = 256
"""What an answer takes beside its texts: answers that found nothing are hardly more than that."""

COUNTERS: Final = 2**14
"""How many counters tell how often questions were asked; those that share one are counted together."""

LATELY: Final = 4_096
"""After so many questions each counter is halved, so that what was asked for long ago is forgotten."""

_COUNT_MAX: Final = 255
_HALVES: Final = bytes(count // 2 for count in range(_COUNT_MAX + 1))


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to a query string.

    Attributes:
        body: JSON.
        tag: Its entity tag; None when it has none, as the catalog changed meanwhile: the body may be
            of either state.
        following: The query string of the next page.
    """

    body: bytes
    tag: str | None = None
    following: str | None = None


class Answers:
    """Whole answers of one resource, of one state of the catalog."""

    def __init__(self, room: int) -> None:
        """Prepare to keep at most so many bytes."""
        self._room = room
        self._seq = -1
        self._bytes = 0
        self._kept: dict[bytes, Answer] = {}
        """Those not asked for the longest come first."""
        self._counts = bytearray(COUNTERS)
        self._counted = 0

    def get(self, seq: int, asked: bytes) -> Answer | None:
        """Return the answer that the catalog in the state *seq* has to a query string, if known."""
        self._count(asked)
        if seq != self._seq:
            return None
        answer = self._kept.pop(asked, None)
        if answer is not None:
            self._kept[asked] = answer
        return answer

    def keep(self, seq: int, asked: bytes, answer: Answer) -> None:
        """Keep the answer to a query string until the catalog is in another state than *seq*."""
        if seq != self._seq:
            self._seq, self._bytes = seq, 0
            self._kept.clear()
        size = _size(asked, answer)
        if size > self._room * SHARE_MAX or asked in self._kept:
            return
        while self._bytes + size > self._room:
            oldest = next(iter(self._kept))
            other = self._kept.pop(oldest)
            if self._counts[_place(oldest)] >= self._counts[_place(asked)]:
                self._kept[oldest] = other  # The next one that needs room looks at another one.
                return
            self._bytes -= _size(oldest, other)
        self._kept[asked] = answer
        self._bytes += size

    def _count(self, asked: bytes) -> None:
        place = _place(asked)
        self._counts[place] = min(self._counts[place] + 1, _COUNT_MAX)
        self._counted += 1
        if self._counted == LATELY:
            self._counts = self._counts.translate(_HALVES)
            self._counted = 0


def _size(asked: bytes, answer: Answer) -> int:
    return ENTRY_BYTES + len(asked) + len(answer.body) + len(answer.following or "")


def _place(asked: bytes) -> int:
    return crc32(asked) % COUNTERS

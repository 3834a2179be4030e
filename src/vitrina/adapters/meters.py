"""Counts of several processes in memory that they share, so that any of them can tell all of it.

Each process has a block of its own, and counts without asking anybody: some 100 ns. Whoever tells
the numbers adds the blocks up. A process that takes the place of one that died goes on with its
counters, so none of them ever goes back; its gauges are gone with it.

Each number has the same place in every block: those without labels in the order in which
:mod:`vitrina.service_layer.metrics` lists them, then those with labels in the order in which they are asked
for, which is to be the same everywhere.

A block is 64 KiB of aligned words of eight bytes:

========  =====================================================================================
word 0    The process id of who has the block; 0: nobody.
word 1    How often one who had it died.
2 to 65   Gauges.
from 66   Counters, one word each, and histograms: a word for each bucket, then the sum of all
          values as a double.
========  =====================================================================================
"""

import mmap
import os
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from vitrina.service_layer.metrics import ALL, WORKER_DEATHS, Figure, Fold, Kind, Metric, Tally

_WORDS: Final = 8_192
_PID: Final = 0
_DEATHS: Final = 1
_GAUGES: Final = 2
_COUNTERS: Final = 66

type _Labels = tuple[str, ...]


class Board:
    """The blocks of all processes of one service; made before they are forked."""

    def __init__(self, processes: int) -> None:
        memory = memoryview(mmap.mmap(-1, 8 * _WORDS * processes))
        self._processes = processes
        self.words: Final = memory.cast("Q")
        self.sums: Final = memory.cast("d")

    def at(self, place: int) -> "SharedMeters":
        """Return the meters of this process, which from now on has the block at *place*."""
        self.words[place * _WORDS + _PID] = os.getpid()
        return SharedMeters(self, place * _WORDS)

    def leave(self, place: int) -> None:
        """Take in that the process at *place* is no more."""
        at = place * _WORDS
        self.words[at + _PID] = 0
        for number in range(_GAUGES, _COUNTERS):
            self.words[at + number] = 0

    def died(self, place: int) -> None:
        """Count that the process at *place* ended while it was wanted."""
        self.words[place * _WORDS + _DEATHS] += 1

    @property
    def blocks(self) -> range:
        """Where the blocks begin."""
        return range(0, self._processes * _WORDS, _WORDS)


class SharedMeters:
    """What this process counts; meets the port ``Meters``."""

    def __init__(self, board: Board, at: int) -> None:
        """Count in the block that begins at word *at*."""
        self._board = board
        self._at = at
        own = (each for each in ALL if each.fold is not None)
        self._gauges = {each: number for number, each in enumerate(own, _GAUGES)}
        self._counters: dict[tuple[Metric, _Labels], int] = {}
        self._histograms: dict[tuple[Metric, _Labels], int] = {}
        self._next = _COUNTERS
        for each in ALL:
            if not each.labels and each.kind is Kind.COUNTER and each is not WORKER_DEATHS:
                self.counter(each)
            elif not each.labels and each.kind is Kind.HISTOGRAM:
                self.histogram(each)

    def counter(self, metric: Metric, *labels: str) -> "_Word":
        key = (metric, labels)
        if key not in self._counters:
            self._counters[key] = self._take(1)
        return _Word(self._board.words, self._at + self._counters[key])

    def gauge(self, metric: Metric) -> "_Word":
        return _Word(self._board.words, self._at + self._gauges[metric])

    def histogram(self, metric: Metric, *labels: str) -> "_Buckets":
        key = (metric, labels)
        if key not in self._histograms:
            self._histograms[key] = self._take(len(metric.bounds) + 2)
        return _Buckets(self._board, self._at + self._histograms[key], metric.bounds)

    def classes(
        self, counter: Metric, histogram: Metric, labels: _Labels, classes: _Labels
    ) -> Callable[[int, float], None]:
        places = [self.counter(counter, *labels, each).place for each in classes]
        self.histogram(histogram, *labels)
        first = self._at + self._histograms[histogram, labels]
        sum_at = first + len(histogram.bounds) + 1
        words, sums, bounds = self._board.words, self._board.sums, histogram.bounds

        def count(which: int, value: float) -> None:
            words[places[which]] += 1
            words[first + bisect_left(bounds, value)] += 1
            sums[sum_at] += value

        return count

    def figures(self) -> Iterator[Figure]:
        yield Figure(WORKER_DEATHS, sum(self._all(_DEATHS)))
        for (metric, labels), number in list(self._counters.items()):
            yield Figure(metric, sum(self._all(number)), labels)
        for metric, number in list(self._gauges.items()):
            fold = max if metric.fold is Fold.MAX else sum
            yield Figure(metric, fold(self._all(number)))

    def tallies(self) -> Iterator[Tally]:
        for (metric, labels), first in list(self._histograms.items()):
            last = first + len(metric.bounds)
            counts = tuple(sum(self._all(number)) for number in range(first, last + 1))
            total = sum(self._board.sums[at + last + 1] for at in self._board.blocks)
            yield Tally(metric, labels, counts, total)

    def processes(self) -> Mapping[int, int]:
        pids = self._all(_PID)
        return {place: pid for place, pid in enumerate(pids) if pid}

    def _take(self, words: int) -> int:
        number = self._next
        self._next += words
        if self._next > _WORDS:
            raise OverflowError("there is no room for a further number")
        return number

    def _all(self, number: int) -> list[int]:
        return [self._board.words[at + number] for at in self._board.blocks]


class _Word:
    """A counter, or a gauge."""

    __slots__ = ("_words", "place")

    def __init__(self, words: "memoryview[int]", place: int) -> None:
        self._words = words
        self.place = place

    def add(self, amount: int = 1) -> None:
        self._words[self.place] += amount

    def set(self, value: int) -> None:
        self._words[self.place] = value


class _Buckets:
    """A histogram."""

    __slots__ = ("_at", "_bounds", "_sum_at", "_sums", "_words")

    def __init__(self, board: Board, at: int, bounds: tuple[float, ...]) -> None:
        self._words = board.words
        self._sums = board.sums
        self._at = at
        self._sum_at = at + len(bounds) + 1
        self._bounds = bounds

    def observe(self, value: float) -> None:
        self._words[self._at + bisect_left(self._bounds, value)] += 1
        self._sums[self._sum_at] += value


def private_meters() -> SharedMeters:
    """Return meters of a process that shares them with nobody."""
    return Board(1).at(0)

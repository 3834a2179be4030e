"""Tells whether a process still goes round, or stands still: stopped, or stuck in its event loop.

Each process counts in memory that is shared when it is forked: the rounds of its event loop while it
serves; before and after that, when it opens or closes a catalog of any size, the rounds of a thread
that does nothing else. The one that watches looks about once a second, and adds up for how long a
count has not moved. It adds what it has itself seen pass, a few seconds a look at most: when the whole
machine was asleep, nobody is to blame for that.
"""

import mmap
import threading
import time
from collections.abc import Iterator
from typing import Final

LOOK_S_MAX: Final = 2.0
"""The most that one look adds to the time for which a process has stood still."""

_BEAT_EVERY_S: Final = 0.2


class Pulses:
    """The rounds of several processes; 0 is for one that is not there."""

    def __init__(self, processes: int) -> None:
        self._words = memoryview(mmap.mmap(-1, 8 * processes)).cast("Q")

    def beat(self, place: int) -> None:
        """Tell that the process at *place* goes round; from the first time on it is watched."""
        self._words[place] += 1

    def leave(self, place: int) -> None:
        """Tell that there is no process at *place* any more."""
        self._words[place] = 0

    def __iter__(self) -> Iterator[int]:
        return iter(self._words)


class Heart:
    """Beats for one process: by itself, but for the time in which the event loop has to."""

    def __init__(self, pulses: Pulses, place: int) -> None:
        self._pulses = pulses
        self._place = place
        self._serving = False

    def start(self) -> None:
        """Begin to beat."""
        threading.Thread(target=self._run, name="pulse", daemon=True).start()

    def beat(self) -> None:
        """Beat once; from now on somebody else does."""
        self._serving = True
        self._pulses.beat(self._place)

    def rest(self) -> None:
        """Beat by itself again."""
        self._serving = False

    def _run(self) -> None:
        while True:
            if not self._serving:
                self._pulses.beat(self._place)
            time.sleep(_BEAT_EVERY_S)


class Watch:
    """Finds the processes that have stood still for too long."""

    def __init__(self, pulses: Pulses, limit_s: float) -> None:
        """Watch *pulses*; whatever stands still for *limit_s* is found."""
        self._pulses = pulses
        self._limit_s = limit_s
        self._last = 0.0
        self._seen = list(pulses)
        self._still_s = [0.0] * len(self._seen)

    def look(self, now: float) -> list[int]:
        """Return the places of those that have stood still for too long, each once.

        Args:
            now: The time, in seconds from anywhere.
        """
        passed = min(now - self._last, LOOK_S_MAX)
        self._last = now
        found = []
        for place, count in enumerate(self._pulses):
            if count == 0 or count != self._seen[place]:
                self._seen[place], self._still_s[place] = count, 0.0
                continue
            self._still_s[place] += passed
            if self._still_s[place] >= self._limit_s:
                self._still_s[place] = 0.0
                found.append(place)
        return found

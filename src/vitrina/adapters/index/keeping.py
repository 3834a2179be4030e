"""What is remembered until the next change, with a bound; and what is worth the work that it takes.

To take something in pays when it is asked for again before the next change, which nobody knows. So it is taken
in when it was asked for so often that as much was spent on asking (:class:`Shelf`), and when the state of the index was
asked so much that it will probably go on to be (:class:`Credit`).
"""

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Final

PAID: Final = 1_000
"""How many products of a word each question for it pays for: to take them in takes about as long as a
question takes the engine."""

OUTSET: Final = 5_000
"""As many products must have been earned before any are taken in: documents must be numbered first."""

EARNED: Final = 2
EARNED_MAX: Final = 1_000
"""How many products may be taken in for each question so far, by each question; and at most by one of them."""

LONGEST: Final = 50_000
"""What more products have is not taken in: that would take longer than 20 ms."""

NAMES_MAX: Final = 16_384
"""How many things that are not kept are counted how often they were asked for."""

ENTRY_BYTES: Final = 400
"""About what is kept takes beside its arrays."""


class Kept[Key, Value](dict[Key, Value]):
    """What was found out once, for the latest keys. Safe to use from several threads."""

    def __init__(self, most: int) -> None:
        """Prepare to keep at most so many values."""
        super().__init__()
        self._most = most
        self._lock = Lock()

    def find(self, key: Key, find_out: Callable[[], Value]) -> Value:
        """Return what is known of a key, or find it out."""
        known = self.get(key)
        if known is None:
            known = find_out()
            with self._lock:
                if len(self) >= self._most:
                    del self[next(iter(self))]
                self[key] = known
        return known


class Shelf[Key: Hashable, Value]:
    """What is kept, with a bound on its memory, and how often the rest was asked for.

    The rest is counted by its hash, as what is asked for only once may be long. Where two share one, something is
    taken in too soon, or at the price of the other: how much it is shows when it is taken in.
    """

    def __init__(self, room: int) -> None:
        """Prepare to keep at most *room* bytes."""
        self._room = room
        self._kept: dict[Key, tuple[Value, int]] = {}
        self._asked: dict[int, int] = {}
        self._sizes: dict[int, int] = {}
        """Of some of those that are in ``_asked``, and of no others."""
        self._lock = Lock()

    def get(self, key: Key) -> Value | None:
        """Return what is kept under a key."""
        with self._lock:
            entry = self._kept.pop(key, None)
            if entry is None:
                return None
            self._kept[key] = entry  # What was asked for last is the last to go.
            return entry[0]

    def put(self, key: Key, value: Value, size: int) -> None:
        """Keep something; *size* are the bytes of its arrays."""
        with self._lock:
            if key in self._kept:
                return
            self._asked.pop(hash(key), None)
            self._sizes.pop(hash(key), None)
            self._room -= size + ENTRY_BYTES
            self._kept[key] = value, size
            while self._room < 0:
                _, gone = self._kept.pop(next(iter(self._kept)))
                self._room += gone + ENTRY_BYTES

    def price(self, key: Key, least: int, most: int, count: Callable[[], int]) -> int | None:
        """Return how many products are to be taken in for something; None as long as that is not paid for.

        Args:
            key: Of it, which is asked for once more.
            least: So many products it has at least, as far as it is known without looking.
            most: So many may be taken in now.
            count: Looks how many they are.
        """
        name = hash(key)
        with self._lock:
            if len(self._asked) >= NAMES_MAX:
                self._asked.clear()
                self._sizes.clear()
            asked = self._asked[name] = self._asked.get(name, 0) + 1
        size, most = self._sizes.get(name), min(asked * PAID, LONGEST, most)
        if max(least, size or 0) > most:
            return None
        if size is None:
            size = count()
            with self._lock:
                if name in self._asked:  # Others may have taken it in, or forgotten everything.
                    self._sizes[name] = size
        return size if size <= most else None


class Credit:
    """How much may be taken in of a state of the index: as much as its past lets expect of its future.

    Each question earns the more the more questions there were before: a state that was asked much will
    be asked as much again. So where every few questions are followed by a write, next to nothing is taken in in vain.
    """

    def __init__(self) -> None:
        self._questions = 0
        self.left = -OUTSET
        """How many products may be taken in now."""

    def earn(self) -> None:
        """Count a question."""
        self._questions += 1
        self.left += min(EARNED * self._questions, EARNED_MAX)

    def spend(self, products: int) -> bool:
        """Say whether so many products may be taken in, and count them as taken in."""
        if products > self.left:
            return False
        self.left -= products
        return True

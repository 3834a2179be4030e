"""What was found out about values, for values that come again."""

from collections.abc import Callable, Hashable


class Memory[K: Hashable, T](dict[K, T]):
    """Finds things out, each when it is first asked for; when full, it begins anew."""

    def __init__(
        self, find: Callable[[K], T], kept: int, is_short: Callable[[K], bool] | None = None
    ) -> None:
        """Remember what *find* returns.

        Args:
            find: Returns what belongs to a value.
            kept: For how many values it is remembered.
            is_short: Says whether a value may be kept; all may be where there is none.
        """
        super().__init__()
        self._find = find
        self._kept = kept
        self._is_short = is_short

    def __missing__(self, value: K) -> T:
        found = self._find(value)
        if self._is_short is None or self._is_short(value):
            if len(self) >= self._kept:
                self.clear()
            self[value] = found
        return found


class Repeated[K: Hashable, T](Memory[K, T]):
    """Remembers only what was asked for twice: most long texts come once, and to keep one takes time, too."""

    def __init__(
        self, find: Callable[[K], T], kept: int, is_short: Callable[[K], bool] | None = None
    ) -> None:
        """Remember as a :class:`Memory` does; it is noticed for twice as many values that they were asked for."""
        super().__init__(find, kept, is_short)
        self._asked: set[int] = set()

    def __missing__(self, value: K) -> T:
        asked, key = self._asked, hash(value)
        if key in asked:
            return super().__missing__(value)
        if len(asked) >= 2 * self._kept:
            asked.clear()
        asked.add(key)
        return self._find(value)

"""The newest changes, kept in memory for those who follow closely."""

from collections.abc import Sequence
from typing import Final

from vitrina.service_layer.changes import Change

RECENT_CHANGES_MAX: Final = 4_096
RECENT_BYTES_MAX: Final = 16 * 2**20


class Recent:
    """A run of changes without gaps; when it is full, the older half goes."""

    def __init__(self) -> None:
        self._changes: list[Change] = []
        self._bytes = 0

    def add(self, changes: Sequence[Change], size: int) -> None:
        """Take in the changes that follow, which took *size* bytes in the journal."""
        self._changes.extend(changes)
        self._bytes += size
        if len(self._changes) > RECENT_CHANGES_MAX or self._bytes > RECENT_BYTES_MAX:
            keep = min(len(self._changes), RECENT_CHANGES_MAX) // 2
            self._bytes = self._bytes * keep // max(len(self._changes), 1)
            del self._changes[: len(self._changes) - keep]

    def after(self, seq: int, limit: int) -> Sequence[Change] | None:
        """Return at most *limit* changes that follow number *seq*; None when that is too long ago."""
        if not self._changes or seq < self._changes[0].seq - 1:
            return None
        start = seq - self._changes[0].seq + 1
        return self._changes[start : start + limit]

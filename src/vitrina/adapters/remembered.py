"""The answers that were given under idempotency keys."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from vitrina.service_layer.ports import Answered

ANSWERS_KEPT: Final = timedelta(hours=24)
"""How long an idempotency key replays its first answer, unless there are very many."""

ANSWERS_MAX: Final = 100_000
ANSWERS_BYTES_MAX: Final = 64 * 2**20
"""How many answers are kept, and how much of them; then the oldest are forgotten earlier."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """An answer under its idempotency key, and when it was given."""

    key: str
    at: datetime
    answer: Answered


class RememberedAnswers:
    """The newest answers, within the bounds. One thread at a time changes them, any may read."""

    def __init__(self) -> None:
        self._kept: dict[str, Remembered] = {}
        """Oldest first."""
        self._bytes = 0

    def get(self, key: str, now: datetime) -> Answered | None:
        """Return the answer under a key, unless it was given too long ago."""
        remembered = self._kept.get(key)
        if remembered is None or now - remembered.at > ANSWERS_KEPT:
            return None
        return remembered.answer

    def all(self) -> list[Remembered]:
        """Return all that are kept, oldest first."""
        return list(self._kept.values())

    def remember(self, remembered: Iterable[Remembered], now: datetime) -> None:
        """Keep answers, and forget the oldest: after 24 hours, or when there are too many."""
        for each in remembered:
            self._forget(each.key)  # a key used again after its time moves to the end
            self._kept[each.key] = each
            self._bytes += len(each.answer.product.body)
        while self._kept:
            oldest = next(iter(self._kept.values()))
            many = len(self._kept) > ANSWERS_MAX or self._bytes > ANSWERS_BYTES_MAX
            if not many and now - oldest.at <= ANSWERS_KEPT:
                break
            self._forget(oldest.key)

    def _forget(self, key: str) -> None:
        if (known := self._kept.pop(key, None)) is not None:
            self._bytes -= len(known.answer.product.body)

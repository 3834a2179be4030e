"""Long work in short slices, so that those who serve requests are not kept waiting.

Python runs one thread at a time, and moves on from a busy one only every 5 ms. A background thread
that computes for seconds would add that to each step of each request. So it calls a pace between
small pieces of its work, and the pace makes it rest.
"""

import time
from typing import Any, Final, Protocol

SLICE_S: Final = 0.001
REST_S: Final = 0.001
LOOK_EVERY: Final = 16
"""How many pieces go between two looks at the clock."""


class Pace(Protocol):
    """Called between two pieces of work that take some microseconds each."""

    def __call__(self) -> None: ...


def at_full_speed() -> None:
    """Never rest: the pace of a process that nobody waits for."""


def release(things: dict[Any, Any], pace: Pace) -> None:
    """Empty a dictionary little by little: to free a million objects takes a good part of a second."""
    while things:
        things.popitem()
        pace()


class Gentle:
    """Rests after each slice of work; for one thread.

    Attributes:
        hurried: Nobody has to be considered any more; set from another thread.
    """

    def __init__(self) -> None:
        self.hurried = False
        self._pieces = 0
        self._began = time.perf_counter()

    def __call__(self) -> None:
        self._pieces += 1
        if self._pieces % LOOK_EVERY or self.hurried:
            return
        now = time.perf_counter()
        if now - self._began >= SLICE_S:
            time.sleep(REST_S)
            self._began = time.perf_counter()

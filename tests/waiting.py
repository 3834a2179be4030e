"""Waiting for what another process does, without asserting how long it takes."""

import time
from collections.abc import Callable
from typing import Final

WAIT_S_MAX: Final = 60
"""Much longer than anything takes on a busy machine."""


def until[T](found: Callable[[], T], *, told: Callable[[], object] = lambda: "") -> T:
    """Return what *found* returns as soon as it is true.

    Args:
        found: Asked again and again.
        told: Returns what to show when it never is.
    """
    give_up = time.monotonic() + WAIT_S_MAX
    while True:
        if result := found():
            return result
        assert time.monotonic() < give_up, f"it never came true: {told()}"
        time.sleep(0.02)

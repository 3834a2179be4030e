"""Keeps the C library's allocator from holding memory back for every thread there ever was.

glibc spreads the threads of a process over *arenas*, up to eight for each core, and of what was freed in
one it gives little back to the system. The engine of the index commits in threads that it makes
anew each time, and each of them takes some 15 MiB for a moment. They come to one arena after
the other, until each has held that much, and keeps it: 200 MiB on two cores that nobody uses,
in proportion more on a bigger machine, and for as long as it takes until then it looks like a leak.

With few arenas the next thread takes what the one before it has freed. Searches take no longer: what they
ask for is small, and each thread keeps some of that at hand.
"""

import ctypes
import os
from typing import Final

ARENAS_MAX: Final = 2
"""The main one, and one for those that find it taken."""

_M_ARENA_MAX: Final = -8  # As malloc.h has it; see mallopt(3).


def keep_arenas_few() -> bool:
    """Limit the arenas of this process, and of those that it forks; False where nothing was done.

    To be called before there are threads. Nothing is done where whoever started the process has
    chosen a number, as mallopt(3) tells how to, or where the C library has no arenas.
    """
    tunables = os.environ.get("GLIBC_TUNABLES", "")
    if "MALLOC_ARENA_MAX" in os.environ or "malloc.arena_max" in tunables:
        return False
    library = ctypes.CDLL(None)
    if not hasattr(library, "mallopt"):
        return False
    return bool(library.mallopt(_M_ARENA_MAX, ARENAS_MAX))

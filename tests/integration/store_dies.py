"""A process that shares a store with others and dies at a chosen moment, as by ``kill -9``.

Usage: ``python -m tests.integration.store_dies STATE_FOLDER MOMENT``. It creates ``lamp-99`` and never
gets so far as to answer.
"""

import os
import sys
import time
from pathlib import Path
from typing import NoReturn

from tests.integration.stores import lamp, save
from vitrina.adapters.journal.disk import Disk
from vitrina.adapters.journal.folder import open_store
from vitrina.adapters.journal.store import StoreLimits

DIED = 9


def die() -> NoReturn:
    os._exit(DIED)


class Deadly(Disk):
    """The real disk, on which a certain step is the last."""

    def __init__(self, moment: str) -> None:
        self.moment = ""
        self.wanted = moment

    def arm(self) -> None:
        self.moment = self.wanted

    def write(self, fd: int, data: bytes | memoryview, offset: int) -> int:
        if self.moment == "torn":
            super().write(fd, data[: len(data) // 2], offset)
            die()
        taken = super().write(fd, data, offset)
        if self.moment == "written":
            die()
        return taken

    def fsync(self, fd: int) -> None:
        if self.moment == "appended":
            die()
        super().fsync(fd)
        if self.moment == "synced":
            die()

    def fsync_folder(self, path: Path) -> None:
        if self.moment == "new segment":
            die()
        super().fsync_folder(path)

    def rename(self, source: Path, target: Path) -> None:
        if self.moment == "checkpoint":
            die()
        super().rename(source, target)


def main(state: Path, moment: str) -> None:
    disk = Deadly(moment)
    limits = StoreLimits(segment_bytes=1 if moment == "new segment" else 2**20)
    with open_store(state, limits=limits, disk=disk, join=True) as opened:
        disk.arm()
        if moment == "checkpoint":
            while not opened.checkpoint():
                time.sleep(0.001)
        elif moment == "unit of work":
            with opened.store.unit_of_work():
                die()
        save(opened.store, lamp(99))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])

"""A program that fills a store on a file system of 2 MB, and makes room again.

Usage: ``python -m tests.integration.full_disk FOLDER``. The file system is mounted over the folder in a
mount namespace of the program's own, so it is gone when the program ends, however it ends. Exit code
77: nothing can be mounted here.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.integration.stores import contents, lamp, save
from vitrina.adapters.journal.folder import open_store
from vitrina.adapters.journal.store import JournalStore
from vitrina.domain.errors import StoreReadOnly

CANNOT_MOUNT: Final = 77


def mount(folder: Path) -> None:
    try:
        os.unshare(os.CLONE_NEWNS)
        for arguments in (
            ("--make-rprivate", "/"),
            ("-t", "tmpfs", "-o", "size=2m", "vitrina-test", str(folder)),
        ):
            subprocess.run(["/bin/mount", *arguments], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        sys.exit(CANNOT_MOUNT)


def fill(store: JournalStore) -> str:
    """Write until the store refuses, and return why it does."""
    try:
        for number in range(10_000):
            save(store, lamp(number, description="x" * 20_000))
    except StoreReadOnly as error:
        return error.reason
    return ""


def main(folder: Path) -> None:
    mount(folder)
    state = folder / ".vitrina"
    with open_store(state) as opened:
        assert "No space left on device" in fill(opened.store)
        saved = len(contents(opened.store))
        assert opened.store.seq == saved > 10
        assert [each.status for each in opened.checks() if each.name == "store"] == ["warn"]

    with open_store(state) as opened:
        assert len(contents(opened.store)) == saved
        for each in state.glob("snapshot-*"):
            each.unlink()  # Somebody makes room.
        with opened.store.unit_of_work() as uow:
            uow.products.remove(uow.products.get("lamp-0").removed())
            uow.commit()
        assert len(contents(opened.store)) == saved - 1
        assert [each.status for each in opened.checks() if each.name == "store"] == ["pass"]


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""A program that writes to a store until it is killed; it tells what was acknowledged.

Usage: ``python -m tests.integration.store_writer STATE_FOLDER WRITERS``. Each acknowledged write is one
line on standard output: the product's number and its version.
"""

import os
import sys
import threading
from pathlib import Path

from tests.integration.stores import lamp, save
from vitrina.adapters import codec
from vitrina.adapters.journal.folder import open_store
from vitrina.adapters.journal.store import JournalStore, StoreLimits

PRODUCTS_EACH = 5


def write(store: JournalStore, writer: int) -> None:
    """Raise the quantity of this writer's products, one after the other, for ever."""
    count = 0
    while True:
        number = writer * PRODUCTS_EACH + count % PRODUCTS_EACH
        known = store.view.products([f"lamp-{number}"])[0]
        version = known.version + 1 if known else 1
        # Version and quantity always agree; a half-written product would show.
        save(store, lamp(number, quantity=version, title=f"Lamp {version} " + "x" * (count % 300)))
        os.write(1, b"%d %d\n" % (number, version))
        count += 1


def main(state: Path, writers: int) -> None:
    """Write until killed, with checkpoints and new segments all the time."""
    limits = StoreLimits(segment_bytes=20_000, checkpoint_bytes=1, retain_bytes=60_000)
    with open_store(state, limits=limits) as opened:
        for number, product in enumerate(opened.store.view.snapshot()[1]):
            assert codec.load(product.body)["quantity"] == product.version, number
        for writer in range(writers):
            threading.Thread(target=write, args=(opened.store, writer), daemon=True).start()
        while True:
            opened.checkpoint()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))

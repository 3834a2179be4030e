"""How long durable writes take while a snapshot of a million products is made, and while none is.

A store of so many products of about 800 bytes is made in a folder (once, under ``--folder``). Threads
then change products of it, as fast as the store lets them, each change durable before the next one.
In turns nothing else goes on for some seconds, and a snapshot is made, which is written, synced and
taken into use meanwhile. The 99th percentile of all changes that ended during a snapshot may be at
most 50 ms above that of all others; the exit status is 1 when it is not.

    uv run python benchmarks/checkpoint.py [--products 1000000] [--writers 8] [--rounds 3]
"""

import argparse
import multiprocessing
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

from catalog_made import make_store

from vitrina.adapters.journal.folder import STATE_FOLDER, open_store
from vitrina.adapters.journal.store import JournalStore, StoreLimits

RAISE_S_MAX = 0.050
QUIET_S = 10.0
MADE_BY_HAND = StoreLimits(checkpoint_bytes=2**30)
"""No snapshot is made but those that are measured."""


@dataclass
class Writers:
    """Threads that change products, and how long each change took.

    Attributes:
        busy: A snapshot is being made.
        times: Seconds, of changes without a snapshot and during one.
    """

    store: JournalStore
    products: int
    busy: bool = False
    stopped: bool = False
    times: dict[bool, list[float]] = field(default_factory=lambda: {False: [], True: []})

    def write(self, seed: int) -> None:
        chosen = Random(seed)  # noqa: S311 - the same products in each run
        while not self.stopped:
            key = f"product-{chosen.randrange(self.products):07}"
            began = time.perf_counter()
            with self.store.unit_of_work() as uow:
                known = uow.products.get(key)
                changed = replace(known, quantity=chosen.randrange(1_000_000))
                uow.products.save(known.become(changed))
                uow.commit()
            self.times[self.busy].append(time.perf_counter() - began)


def measure(folder: Path, products: int, writers: int, rounds: int) -> Writers:
    with open_store(folder / STATE_FOLDER, limits=MADE_BY_HAND) as opened:
        load = Writers(opened.store, products)
        threads = [threading.Thread(target=load.write, args=(seed,)) for seed in range(writers)]
        for each in threads:
            each.start()
        try:
            for number in range(rounds):
                time.sleep(QUIET_S)
                load.busy = True
                began, cpu = time.perf_counter(), time.thread_time()
                opened.checkpoint()
                took, cpu = time.perf_counter() - began, time.thread_time() - cpu
                load.busy = False
                print(f"snapshot {number + 1}: {took:.1f} s, {cpu:.1f} s of processor time")
        finally:
            load.stopped = True
            for each in threads:
                each.join()
    return load


def percentile(times: list[float], part: float) -> float:
    return sorted(times)[min(int(len(times) * part), len(times) - 1)]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--products", type=int, default=1_000_000)
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="keep the store here, for the next run")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = (asked.folder or Path(name)) / f"store-{asked.products}"
        if not folder.exists():
            folder.parent.mkdir(parents=True, exist_ok=True)
            # What it takes in memory to make the store must not be in the process that is measured.
            making = multiprocessing.Process(target=make_store, args=(folder, asked.products))
            making.start()
            making.join()
        load = measure(folder, asked.products, asked.writers, asked.rounds)
    print(f"{asked.products:,} products, {asked.writers} writers, milliseconds a durable change:")
    print(f"{'':>20} {'changes':>9} {'p50':>8} {'p99':>8} {'p99.9':>8} {'max':>8}")
    for busy, label in ((False, "no snapshot"), (True, "during a snapshot")):
        times = load.times[busy]
        shown = [percentile(times, part) * 1e3 for part in (0.5, 0.99, 0.999, 1)]
        print(f"{label:>20} {len(times):>9,} " + " ".join(f"{each:>8.1f}" for each in shown))
    raised = percentile(load.times[True], 0.99) - percentile(load.times[False], 0.99)
    print(f"a snapshot raises the 99th percentile by {raised * 1e3:.1f} ms")
    if raised >= RAISE_S_MAX:
        print(f"FAIL: it may raise it by less than {RAISE_S_MAX * 1e3:g} ms")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

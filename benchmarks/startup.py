"""How long a start takes with a large catalog, by phase, and what its processes take in memory.

A catalog with so many products of about 800 bytes is made in a folder, and ``vitrina serve`` builds its
index and is stopped. That takes minutes, once for each ``--folder``. Then the catalog is opened in a process of its own, three times, and the parts are timed:

store
    reading the snapshot against its checksum, and the journal.
product file
    finding out that nobody has changed it.
index
    opening what is on the disk, until it answers.

At last ``vitrina serve`` itself is started, and the time until ``/readyz`` answers 200 is taken, with what
each of its processes has in memory (RSS), and its share of it (PSS). The exit status is 1 when that took more
than 6 s.

    uv run python benchmarks/startup.py [--products 1000000] [--workers 1] [--folder DIR]
"""

import argparse
import contextlib
import multiprocessing
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Self

from catalog_made import make_catalog
from get_product import free_port

from vitrina.adapters.index.engine import TantivyIndex
from vitrina.adapters.journal.folder import open_store
from vitrina.bootstrap import in_step, opening
from vitrina.settings import Settings

SECONDS_MAX = 6.0
FIRST_START_S_MAX = 7_200.0
ROUNDS = 3

type Phases = dict[str, tuple[float, float]]
"""Phase → seconds, and seconds of processor time."""


def build_index(folder: Path) -> None:
    """Start the service for the first time, and wait until it has made its index."""
    began = time.perf_counter()
    with served(folder, workers=1) as (_, port):
        wait_until_ready(port, FIRST_START_S_MAX)
        print(f"first start, with the index made: {time.perf_counter() - began:.0f} s")


@contextlib.contextmanager
def served(folder: Path, *, workers: int) -> Iterator[tuple[int, int]]:
    """Run the service; yield its process id and its port."""
    port = free_port()
    command = [sys.executable, "-m", "vitrina", "serve", str(folder)]
    command += ["--port", str(port), "--workers", str(workers)]
    log = folder.with_name(f"{folder.name}.log")
    with log.open("wb") as said:
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT)
        try:
            yield process.pid, port
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def wait_until_ready(port: int, seconds_max: float) -> None:
    give_up = time.perf_counter() + seconds_max
    while time.perf_counter() < give_up:
        with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            url = f"http://127.0.0.1:{port}/readyz"
            with urllib.request.urlopen(url, timeout=5) as answer:
                if answer.status == 200:
                    return
        time.sleep(0.02)
    raise SystemExit("the service did not become ready")


def time_phases(folder: Path, told: "Queue[Phases]") -> None:
    """Open the catalog once, and tell how long each part took; for a fresh process."""
    phases: Phases = {}
    clocks = time.perf_counter(), time.process_time()

    def note(phase: str) -> None:
        nonlocal clocks
        now = time.perf_counter(), time.process_time()
        phases[phase] = now[0] - clocks[0], now[1] - clocks[1]
        clocks = now

    class Timed(TantivyIndex):
        def __enter__(self) -> Self:
            self._opening.done.wait()
            note("index")
            return self

    real_reading = opening.read_synonyms

    def after_the_file(path: Path) -> object:
        note("product file")
        return real_reading(path)

    @contextlib.contextmanager
    def timed_store(*args: object, **named: object) -> Iterator[object]:
        with open_store(*args, **named) as opened:  # type: ignore[arg-type]
            note("store")
            yield opened

    # The parts as they are put together in the service, with a clock between them.
    vars(in_step).update(open_store=timed_store)
    vars(opening).update(read_synonyms=after_the_file, TantivyIndex=Timed)
    with opening.open_catalog(folder, Settings()):
        told.put(phases)


def processes_of(pid: int) -> list[int]:
    """Return a process and all that came of it."""
    found = [pid]
    for each in found:
        for task in Path(f"/proc/{each}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    return found


def memory_of(pid: int) -> dict[str, int]:
    """Return the megabytes that a process has in memory."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    fields = {line.split(":")[0]: line.split()[1] for line in lines[1:]}
    return {name: int(fields[name]) // 1024 for name in ("Rss", "Pss", "Anonymous")}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--products", type=int, default=1_000_000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="keep the catalog here, for the next run")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = ((asked.folder or Path(name)) / f"catalog-{asked.products}").absolute()
        if not folder.exists():
            folder.parent.mkdir(parents=True, exist_ok=True)
            # In a process of its own: it takes much memory.
            making = multiprocessing.Process(target=make_catalog, args=(folder, asked.products))
            making.start()
            making.join()
            build_index(folder)
        print(f"{asked.products:,} products; seconds, and seconds of processor time:")
        told: Queue[Phases] = multiprocessing.Queue()
        rounds = []
        for _ in range(ROUNDS):
            opening = multiprocessing.Process(target=time_phases, args=(folder, told))
            opening.start()
            rounds.append(told.get())
            opening.join()
        for phase in rounds[0]:
            took, used = (statistics.median(each[phase][n] for each in rounds) for n in (0, 1))
            print(f"{phase:>16} {took:>7.2f} {used:>7.2f}")
        began = time.perf_counter()
        with served(folder, workers=asked.workers) as (pid, port):
            wait_until_ready(port, 60 + asked.products / 1_000)
            took = time.perf_counter() - began
            time.sleep(2)
            shown = [(each, memory_of(each)) for each in processes_of(pid)]
    print(f"{'vitrina serve':>16} {took:>7.2f} until ready")
    for each, sizes in shown:
        print(f"{'process':>16} {each}: " + ", ".join(f"{k} {v} MB" for k, v in sizes.items()))
    if took > SECONDS_MAX:
        print(f"FAIL: it may take {SECONDS_MAX:g} s")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Two workers against one, and what it costs a read to see whether there is something new.

A catalog in a folder is served by ``vitrina serve`` with one worker and with two, both at once and
loaded in turns: one, two, two, one, and so on. Each turn with two is compared with the turn with one
beside it, and the median of these ratios counts, so that neither a slow drift of the machine nor a
short disturbance falls on one side alone. Load and servers share the cores, so on two cores two workers
cannot reach twice the rate: with one, the load has a core for itself.
Then the look at the shared number that every read begins with is timed by itself, and compared with
the time of a whole read by one worker. The exit status is 1 when two workers answer less than 1.4 times
what one answers, or when the look costs 3 % of a read or more.

    uv run python benchmarks/workers.py [--products 20000] [--rounds 15] [--seconds 2]

It needs wrk.
"""

import argparse
import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import timeit
from collections.abc import Iterator
from pathlib import Path

import orjson
from get_product import CONNECTIONS, LUA, free_port, load_with_wrk, paths, product, wait_for_workers

from vitrina.adapters.journal.folder import open_store

FLOOR = 1.4
LOOK_MAX = 0.03
WORKERS = (1, 2)


@contextlib.contextmanager
def servers(products: int, folder: Path) -> Iterator[dict[int, int]]:
    """Start a service with one worker and one with two; yield their ports."""
    ports: dict[int, int] = {}
    processes: list[subprocess.Popen[bytes]] = []
    lines = b"\n".join(orjson.dumps(product(number)) for number in range(products))
    try:
        for workers in WORKERS:
            shop = folder / str(workers)
            shop.mkdir()
            (shop / "products.jsonl").write_bytes(lines + b"\n")
            ports[workers] = free_port()
            command = [sys.executable, "-m", "vitrina", "serve", str(shop)]
            command += ["--port", str(ports[workers]), "--workers", str(workers)]
            processes.append(
                subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            )
        for workers, port in ports.items():
            wait_for_workers(port, workers)
        yield ports
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()


def measure(products: int, rounds: int, seconds: float) -> list[dict[int, float]]:
    """Return the requests a second for each number of workers, in each round."""
    measured: list[dict[int, float]] = []
    with tempfile.TemporaryDirectory() as name, servers(products, Path(name)) as ports:
        script = Path(name, "paths.lua")
        script.write_text(LUA.format(paths=", ".join(f'"{each}"' for each in paths(products))))
        for number in range(rounds + 1):
            turns = WORKERS if number % 2 else WORKERS[::-1]
            measured.append({each: load_with_wrk(ports[each], script, seconds) for each in turns})
    return measured[1:]  # The first round warms up.


def look_s() -> float:
    """Return the seconds that one look at the shared number takes."""
    with (
        tempfile.TemporaryDirectory() as name,
        open_store(Path(name, ".vitrina"), join=True) as opened,
    ):
        times = 200_000
        return min(timeit.repeat(opened.store.catch_up, number=times, repeat=7)) / times


def main() -> int:
    """Measure, print, and say whether both hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--products", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=2)
    asked = parser.parse_args()
    if shutil.which("wrk") is None:
        print("wrk is not installed; nothing was measured")
        return 1
    measured = measure(asked.products, asked.rounds, asked.seconds)
    medians = {each: statistics.median(rates[each] for rates in measured) for each in WORKERS}
    ratios = sorted(rates[2] / rates[1] for rates in measured)
    look = look_s()
    print(f"GET one of {asked.products} products, {CONNECTIONS} connections, load from wrk,")
    print(
        f"medians of {asked.rounds} interleaved rounds of {asked.seconds:g} s, {os.cpu_count()} cores"
    )
    for workers, rate in medians.items():
        print(f"{workers:>10} worker(s) {rate:>9.0f}/s")
    ratio, share = statistics.median(ratios), look * medians[1]
    verdict = "holds" if ratio >= FLOOR else "FAILS"
    print(
        f"{verdict}: two workers answer {ratio:.2f} times as much (from {ratios[0]:.2f} to "
        f"{ratios[-1]:.2f}); at least {FLOOR} is asked"
    )
    verdict = "holds" if share < LOOK_MAX else "FAILS"
    print(f"{verdict}: a look takes {look * 1e9:.0f} ns, {share:.2%} of a read; below 3 % is asked")
    return 0 if ratio >= FLOOR and share < LOOK_MAX else 1


if __name__ == "__main__":
    sys.exit(main())

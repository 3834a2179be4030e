"""Two workers against one, and what it costs a read to see whether there is something new.

A catalog in a folder is served by ``vitrina serve`` with one worker and with two, both at once and
loaded in turns: one, two, two, one, and so on. Each turn with two is compared with the turn with one
beside it, and the median of these ratios counts, so that neither a slow drift of the machine nor a
short disturbance falls on one side alone. Load and servers share the cores, so on two cores two workers
cannot reach twice the rate: with one, the load has a core for itself. What they can reach at most is told
from the processor time that the load takes: 2 x server / (server + load). Where a read costs the server not
much more than the load, that is less than 1.4. So two kinds of reads are asked for.
Then the look at the shared number that every read begins with is timed by itself, and compared with
the time of a whole read by one worker. The exit status is 1 when two workers answer less than 1.4 times
what one answers (or nine tenths of what is possible, where that is less), or when the look costs 3 % of a read or more.

    uv run python benchmarks/workers.py [--products 20000] [--rounds 9] [--seconds 2]

It needs wrk.
"""

import argparse
import contextlib
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import timeit
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson
from get_product import CONNECTIONS, LUA, free_port, load_with_wrk, paths, product, wait_for_workers

from vitrina.adapters.journal.folder import open_store

FLOOR = 1.4
LOOK_MAX = 0.03
WORKERS = (1, 2)
BY_ID = "a product by its id"
LISTS = "a list of 20 by price"

NEARLY = 0.9
"""How near two workers must come to what the load leaves them, where that is less than 1.4."""


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


def questions(products: int) -> dict[str, list[str]]:
    """Return what is asked for: kind of read → targets, of which none of a list comes again soon."""
    lists = [
        f"/v1/products?limit=20&sort=-price&price[gte]={number % 900}.{number // 900:02}"
        for number in range(20_000)
    ]
    return {BY_ID: paths(products), LISTS: lists}


@dataclass
class Turn:
    """What one number of workers answered in one turn.

    Attributes:
        rate: Requests a second.
        load_s: Seconds of processor time that the load took for a request.
    """

    rate: float
    load_s: float


def take_turn(port: int, script: Path, seconds: float) -> Turn:
    """Load a service for a while."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    rate = load_with_wrk(port, script, seconds)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Turn(rate, spent / (rate * seconds))


def measure(products: int, rounds: int, seconds: float) -> dict[str, list[dict[int, Turn]]]:
    """Return for each kind of read what each number of workers answered, in each round."""
    measured: dict[str, list[dict[int, Turn]]] = {}
    with tempfile.TemporaryDirectory() as name, servers(products, Path(name)) as ports:
        for kind, targets in questions(products).items():
            script = Path(name, "paths.lua")
            script.write_text(LUA.format(paths=", ".join(f'"{each}"' for each in targets)))
            found = measured[kind] = []
            for number in range(rounds + 1):
                turns = WORKERS if number % 2 else WORKERS[::-1]
                found.append({each: take_turn(ports[each], script, seconds) for each in turns})
            del found[0]  # The first round warms up.
    return measured


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
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=2)
    asked = parser.parse_args()
    if shutil.which("wrk") is None:
        print("wrk is not installed; nothing was measured")
        return 1
    measured = measure(asked.products, asked.rounds, asked.seconds)
    print(
        f"{asked.products} products, {CONNECTIONS} connections, load from wrk, medians of "
        f"{asked.rounds} interleaved rounds of {asked.seconds:g} s, {os.cpu_count()} cores"
    )
    holds = True
    for kind, rounds in measured.items():
        ratio = statistics.median(each[2].rate / each[1].rate for each in rounds)
        one, two = (statistics.median(each[n].rate for each in rounds) for n in WORKERS)
        load = statistics.median(each[1].load_s for each in rounds)
        most = 2 / (1 + load * one)
        enough = ratio >= min(FLOOR, most * NEARLY)
        holds &= enough
        print(
            f"{kind:>22}: {one:,.0f}/s with one worker, {two:,.0f}/s with two; the load takes "
            f"{load * 1e6:.0f} us of the processor for each, which allows {most:.2f} times as many"
        )
        reason = f"{FLOOR} is asked" if most * NEARLY >= FLOOR else f"{FLOOR} is out of its reach"
        print(f"{'holds' if enough else 'FAILS'}: {ratio:.2f} times as many; {reason}")
    rate = statistics.median(each[1].rate for each in measured[BY_ID])
    look = look_s()
    share = look * rate
    verdict = "holds" if share < LOOK_MAX else "FAILS"
    print(f"{verdict}: a look takes {look * 1e9:.0f} ns, {share:.2%} of a read; below 3 % is asked")
    return 0 if holds and share < LOOK_MAX else 1


if __name__ == "__main__":
    sys.exit(main())

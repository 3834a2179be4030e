"""Durable creates through HTTP: Vitrina's journal against SQLite behind the same handler.

``POST /v1/products`` of distinct products of about 800 bytes, 16 clients, one uvicorn worker. Each
request is answered only when its product is on the disk.

Vitrina
    is ``vitrina serve`` as people run it: journal, checkpoints, the search index and the rewriting
    of the product file go on meanwhile.
SQLite
    is the same application in the same server, so the same parsing, validation, slugs and answers, the
    same line of writes and the same socket, over a unit of work that keeps products in a table: one ``INSERT`` and one ``COMMIT`` a request, WAL mode,
    ``synchronous=FULL``. It keeps no history, no change feed, no index and no file. Writers take
    turns at one connection by a lock, which is faster here than a connection for each, which would
    wait for one another by sleeping.

They are loaded in turns, so that the noise of the machine falls on both alike, and medians are
compared: Vitrina must reach at least 1.0 times the rate of SQLite. Then an ``fsync`` is made to cost
5 ms more (a library of a few lines, compiled here, is put in front of the C library's): 16 clients must
reach at least 6 times the rate of one, because those who wait share one ``fsync``. What was answered is
counted in the store afterwards. The exit status is 1 when a promise does not hold.

    uv run python benchmarks/durable_writes.py [--rounds 5] [--seconds 4]

It needs wrk and a C compiler.
"""

import argparse
import contextlib
import os
import re
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self

import orjson
from get_product import free_port
from uuid_utils import uuid7

from vitrina.adapters import codec
from vitrina.adapters.index.scan import ScanIndex
from vitrina.adapters.memory import MemoryCatalog, utc_now
from vitrina.bootstrap import Catalog
from vitrina.domain.category import CategoryTree
from vitrina.domain.errors import IdTaken
from vitrina.domain.product import Product
from vitrina.entrypoints.http.app import create_app
from vitrina.entrypoints.server import listen, serve_until_stopped
from vitrina.service_layer.documents import write_product
from vitrina.service_layer.ports import Answered, Stored
from vitrina.service_layer.times import format_time

FLOOR = 1.0
SHARED_FLOOR = 6.0
CLIENTS = 16
SLOW_S = 0.005
STORES = ("vitrina", "sqlite")

SHIM = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>

static int later(const char *name, int fd) {
  struct timespec pause = {0, %(nanoseconds)d};
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
  nanosleep(&pause, 0);
  return real(fd);
}
int fsync(int fd) { return later("fsync", fd); }
int fdatasync(int fd) { return later("fdatasync", fd); }
"""

LUA = """
local form = %(form)s
local number = 0
wrk.headers["Content-Type"] = "application/json"
request = function()
  number = number + 1
  local key = string.format("%(prefix)s-%%07d", number)
  return wrk.format("POST", "/v1/products", nil, (form:gsub("KEY", key)))
end
done = function(summary, latency)
  local errors = summary.errors
  local bad = errors.status + errors.read + errors.write + errors.connect + errors.timeout
  io.write(string.format("answered %%d bad %%d p99 %%d\\n", summary.requests, bad,
    latency:percentile(99)))
end
"""

PRODUCT = {
    "id": "KEY",
    "sku": "SKU-KEY",
    "title": "Adventure-Ready Expedition Backpack, edition KEY",
    "description": "A durable beige backpack with a robust harness system. " * 4,
    "brand": "Brand 12",
    "price": {"amount": "129.90", "currency": "EUR"},
    "quantity": 12,
    "images": [{"url": "https://shop.example/images/KEY.jpg", "alt": "The backpack"}],
    "attributes": {"color": "beige", "volume": {"value": 40, "unit": "l"}, "waterproof": True},
    "tags": ["backpack", "outdoor"],
}


class SqliteStore:
    """Products in a table; meets the port ``UnitOfWork`` as far as ``POST /v1/products`` asks."""

    def __init__(self, path: Path) -> None:
        self.connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self.connection.execute("PRAGMA journal_mode=WAL")
        self.connection.execute("PRAGMA synchronous=FULL")
        self.connection.execute(
            "CREATE TABLE IF NOT EXISTS products (id TEXT PRIMARY KEY, sku TEXT UNIQUE, "
            "slug TEXT UNIQUE, version INTEGER NOT NULL, body BLOB NOT NULL)"
        )
        self.writing = threading.Lock()

    def unit_of_work(self) -> "SqliteUnitOfWork":
        return SqliteUnitOfWork(self)


class SqliteUnitOfWork:
    """One transaction; it is its own repository of products, and of no categories."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self._execute = store.connection.execute
        self.products = self.categories = self

    def __enter__(self) -> Self:
        self._store.writing.acquire()
        self._execute("BEGIN IMMEDIATE")
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None:
        try:
            if self._store.connection.in_transaction:
                self._execute("ROLLBACK")
        finally:
            self._store.writing.release()

    def tree(self) -> CategoryTree:
        return CategoryTree()

    def answered(self, _: str) -> Answered | None:
        return None

    def next_id(self) -> str:
        return str(uuid7())

    def owner_of_slug(self, slug: str) -> str | None:
        row = self._execute("SELECT id FROM products WHERE slug = ?", (slug,)).fetchone()
        return row[0] if row else None

    def save(self, product: Product) -> Stored:
        document = write_product(product)
        document["version"] = 1
        document["created_at"] = document["updated_at"] = format_time(utc_now())
        stored = Stored.of(product.id, 1, codec.dump(document))
        try:
            self._execute(
                "INSERT INTO products VALUES (?, ?, ?, ?, ?)",
                (product.id, product.sku, product.slug, 1, stored.body),
            )
        except sqlite3.IntegrityError:
            raise IdTaken(product.id) from None
        return stored

    def commit(self) -> int:
        self._execute("COMMIT")
        return 0


def serve_sqlite(folder: Path, port: int) -> None:
    """Serve the application over SQLite until the process is stopped."""
    store, others = SqliteStore(folder / "products.sqlite"), MemoryCatalog()
    opened = Catalog(
        view=others.view,
        index=ScanIndex(others.view, others),
        log=others,
        unit_of_work=store.unit_of_work,  # type: ignore[arg-type] - as far as POST asks
        checks=lambda: (),
    )
    app = create_app(lambda: contextlib.nullcontext(opened))
    with listen("127.0.0.1", port) as listener:
        serve_until_stopped(app, listener, grace_s=5)


@dataclass(frozen=True)
class Server:
    """A running server and its folder."""

    store: str
    folder: Path
    port: int

    def count(self) -> int:
        """Return how many products it keeps."""
        if self.store == "sqlite":
            with contextlib.closing(sqlite3.connect(self.folder / "products.sqlite")) as opened:
                return int(opened.execute("SELECT count(*) FROM products").fetchone()[0])
        url = f"http://127.0.0.1:{self.port}/v1/products?limit=1"
        with urllib.request.urlopen(url, timeout=60) as response:
            return int(orjson.loads(response.read())["total"])


@contextlib.contextmanager
def running(store: str, folder: Path, environment: Mapping[str, str]) -> Iterator[Server]:
    """Start a server on a folder of its own; stop it at the end."""
    folder.mkdir()
    port = free_port()
    if store == "vitrina":
        (folder / "products.jsonl").touch()
        command = ["-m", "vitrina", "serve", str(folder), "--port", str(port)]
    else:
        command = [__file__, "--serve", str(folder), "--port", str(port)]
    with subprocess.Popen(
        [sys.executable, *command],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            wait_for(port)
            yield Server(store, folder, port)
        finally:
            process.terminate()


def wait_for(port: int) -> None:
    for _ in range(600):
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5).close()
            return
        time.sleep(0.1)
    raise SystemExit(f"no server on port {port}")


@dataclass(frozen=True)
class Load:
    """What one run of wrk measured."""

    rate: float
    answered: int
    p99_ms: float


_RUNS = count()


def load(server: Server, seconds: float, *, clients: int = CLIENTS) -> Load:
    """Send products of their own with so many clients."""
    script = server.folder / f"run-{next(_RUNS)}.lua"
    form = orjson.dumps(orjson.dumps(PRODUCT).decode()).decode()
    script.write_text(LUA % {"form": form, "prefix": f"{script.stem}-{os.getpid()}"})
    command = ["wrk", "-t1", f"-c{clients}", f"-d{max(1, round(seconds))}s"]
    command += ["-s", str(script), f"http://127.0.0.1:{server.port}"]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rate = re.search(r"Requests/sec:\s+([\d.]+)", output)
    told = re.search(r"answered (\d+) bad (\d+) p99 (\d+)", output)
    assert rate, output
    assert told, output
    assert told[2] == "0", output
    return Load(float(rate[1]), int(told[1]), int(told[3]) / 1_000)


def against_sqlite(folder: Path, rounds: int, seconds: float) -> dict[str, list[Load]]:
    """Load both stores in turns."""
    loads: dict[str, list[Load]] = {store: [] for store in STORES}
    with contextlib.ExitStack() as opened:
        servers = [opened.enter_context(running(each, folder / each, {})) for each in STORES]
        for number in range(rounds + 1):
            for server in servers:
                # The first round warms up.
                loads[server.store].append(load(server, seconds if number else 1))
        for server in servers:
            answered = sum(each.answered for each in loads[server.store])
            assert server.count() >= answered, f"{server.store} lost some of {answered}"
    return {store: each[1:] for store, each in loads.items()}


def shared_sync(folder: Path, rounds: int, seconds: float) -> dict[int, list[Load]]:
    """Load Vitrina with one client and with many, while an fsync costs 5 ms more."""
    source, library = folder / "slow.c", folder / "slow.so"
    source.write_text(SHIM % {"nanoseconds": round(SLOW_S * 1e9)})
    compiler = shutil.which("cc") or "gcc"
    subprocess.run(
        [compiler, "-O1", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"], check=True
    )
    loads: dict[int, list[Load]] = {1: [], CLIENTS: []}
    with running("vitrina", folder / "slow", {"LD_PRELOAD": str(library)}) as server:
        for number in range(rounds + 1):
            for clients, measured in loads.items():
                measured.append(load(server, seconds if number else 1, clients=clients))
        answered = sum(each.answered for measured in loads.values() for each in measured)
        assert server.count() >= answered, f"lost some of {answered}"
    slowest = 1 / SLOW_S
    assert all(each.rate <= slowest for each in loads[1]), "the fsync was not slow"
    return {clients: each[1:] for clients, each in loads.items()}


def medians(loads: list[Load]) -> tuple[float, float]:
    """Return the median rate and the median of the 99th percentiles."""
    return statistics.median(x.rate for x in loads), statistics.median(x.p99_ms for x in loads)


def main() -> int:
    """Measure, print, and say whether both promises hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--serve", type=Path)
    parser.add_argument("--port", type=int)
    asked = parser.parse_args()
    if asked.serve:
        serve_sqlite(asked.serve, asked.port)
        return 0
    missing = [each for each in ("wrk", "cc") if shutil.which(each) is None]
    if missing:
        print(f"{' and '.join(missing)} not installed; nothing was measured")
        return 1
    with tempfile.TemporaryDirectory() as name:
        stores = against_sqlite(Path(name), asked.rounds, asked.seconds)
        shared = shared_sync(Path(name), asked.rounds, asked.seconds)
    print(f"POST /v1/products, durable, one worker, load from wrk, {os.cpu_count()} cores,")
    print(f"medians of {asked.rounds} interleaved rounds of {asked.seconds:g} s")
    rates: dict[str | int, float] = {}
    for store, loads in stores.items():
        rates[store], p99 = medians(loads)
        print(f"{store:>10}, {CLIENTS:>2} clients {rates[store]:>8.0f}/s, p99 {p99:5.1f} ms")
    print(f"and with an fsync that costs {SLOW_S * 1000:g} ms more")
    for clients, loads in shared.items():
        rates[clients], p99 = medians(loads)
        print(f"{'vitrina':>10}, {clients:>2} clients {rates[clients]:>8.0f}/s, p99 {p99:5.1f} ms")
    ratio, gain = rates["vitrina"] / rates["sqlite"], rates[CLIENTS] / rates[1]
    verdict = "holds" if ratio >= FLOOR else "FAILS"
    print(f"{verdict}: {ratio:.2f} times the rate of SQLite; at least {FLOOR} is asked")
    verdict = "holds" if gain >= SHARED_FLOOR else "FAILS"
    print(f"{verdict}: {gain:.1f} times the rate of one client; at least {SHARED_FLOOR} is asked")
    return 0 if ratio >= FLOOR and gain >= SHARED_FLOOR else 1


if __name__ == "__main__":
    sys.exit(main())

"""Vitrina and its peers as running services over the same products, and how each is asked.

A peer is a script with its own requirements (``peers/``), which uv installs apart from the project's.
"""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import orjson
from get_product import free_port
from peers.database import INDEXES_BY_HAND, INDEXES_OF_TUTORIALS, make_database
from products_made import categories, stored_products

from vitrina.service_layer.ports import Stored

START_S_MAX = 1_800
PEERS = Path(__file__).parent / "peers"
JSON_SERVER = "json-server@1.0.0-beta.15"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, whoever answers it."""

    kind: str
    category: str = ""
    low: str = ""
    high: str = ""
    words: str = ""


def _vitrina(asked: Question) -> str:
    match asked.kind:
        case "page":
            query = {"category": asked.category, "price[gte]": asked.low, "price[lte]": asked.high}
            return f"/v1/products?{urlencode({**query, 'sort': 'price'})}"
        case "text":
            return f"/v1/products?{urlencode({'q': asked.words})}"
        case "facets":
            facets = "brand,category,price,attributes.color"
            return f"/v1/products?{urlencode({'q': asked.words})}&facets={facets}"
        case _:
            return f"/v1/suggest?{urlencode({'q': asked.words})}"


def _matching(words: str) -> str:
    """Return an FTS5 query for all words: what it answers fastest."""
    return " ".join(f'"{each}"' for each in re.findall(r"\w+", words))


def _sqlmodel(asked: Question) -> str:
    match asked.kind:
        case "page":
            query = {"category": asked.category, "price_gte": asked.low, "price_lte": asked.high}
            return f"/products?{urlencode(query)}"
        case "text":
            return f"/products?{urlencode({'q': _matching(asked.words)})}"
        case "facets":
            return f"/products?{urlencode({'q': _matching(asked.words), 'facets': 'true'})}"
        case _:
            return f"/suggest?{urlencode({'q': asked.words})}"


def _sqlite(asked: Question) -> str:
    if asked.kind == "facets":
        return f"/search?{urlencode({'q': _matching(asked.words), 'facets': '1'})}"
    if asked.kind == "text":
        return f"/search?{urlencode({'q': _matching(asked.words)})}"
    return _sqlmodel(asked)


def _datasette(asked: Question) -> str:
    common = "_size=20&_shape=objects"
    match asked.kind:
        case "page":
            query = {"category_id": asked.category, "price__gte": asked.low}
            query |= {"status": "active", "price__lte": asked.high, "_sort": "price"}
            return f"/products/product.json?{urlencode(query)}&{common}"
        case "suggest":
            words = urlencode(
                {"_search": f'"{asked.words}"*', "_searchmode": "raw", "_col": "title"}
            )
            return f"/products/product.json?{words}&_size=5&_shape=objects"
        case _:
            facets = "&_facet=brand&_facet=category_id&_facet=color"
            words = urlencode({"_search": _matching(asked.words), "_searchmode": "raw"})
            return f"/products/product.json?{words}&{common}{facets * (asked.kind == 'facets')}"


def _json_server(asked: Question) -> str | None:
    if asked.kind != "page":
        return None
    query = {"category_id": asked.category, "price_gte": asked.low, "price_lte": asked.high}
    return f"/products?{urlencode(query)}&_sort=price&_page=1&_per_page=20"


@dataclass(frozen=True, slots=True)
class Service:
    """A running service.

    Attributes:
        path: Of a question; None when it cannot answer it.
        disk: What its index takes there, beside the products themselves where that can be told.
    """

    name: str
    port: int
    pid: int
    path: Callable[[Question], str | None]
    disk: Callable[[], int]

    def get(self, path: str) -> bytes:
        """Return the body of an answer."""
        url = f"http://127.0.0.1:{self.port}{path}"
        with urllib.request.urlopen(url, timeout=60) as response:
            body: bytes = response.read()
            return body

    def processor_s(self) -> float:
        """Return how much of the processor it has used, with all the processes that it started."""
        ticks = 0
        for each in _family(self.pid):
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def memory_mib(self) -> float:
        """Return its share of the memory (PSS), with all the processes that it started."""
        return sum(_pss_mib(each) for each in _family(self.pid))

    def total(self, question: Question) -> int | None:
        """Return how many products a page is of."""
        path = self.path(question)
        if path is None:
            return None
        answer = orjson.loads(self.get(path))
        for name in ("total", "filtered_table_rows_count", "items"):
            if name in answer:
                return int(answer[name])
        raise AssertionError(answer)


@contextlib.contextmanager
def serving(
    folder: Path,
    count: int,
    *,
    without: Sequence[str],
    json_server: bool = False,
    in_memory: bool = False,
) -> Iterator[Mapping[str, Service]]:
    """Start the services over so many products, each on one worker; yield them by name."""
    services: dict[str, Service] = {}
    processes: list[subprocess.Popen[bytes]] = []
    shop = folder / "shop"
    by_hand, tutorial = folder / "by-hand" / "products.db", folder / "tutorial" / "products.db"
    if not in_memory and not shop.exists():
        _write_shop(shop, stored_products(count))
    _make_databases(by_hand, tutorial, count, without)

    def start(
        name: str,
        command: list[str],
        probe: str,
        path: Callable[[Question], str | None],
        disk: Path,
    ) -> None:
        port = free_port()
        filled = [each.replace("PORT", str(port)) for each in command]
        began = time.perf_counter()
        with (folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                filled,
                stdout=log,
                stderr=log,
                cwd=folder,
                env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
            )
        processes.append(process)
        services[name] = Service(name, port, process.pid, path, lambda: _size(disk))
        _wait_for(process, port, probe, folder / f"{name}.log")
        print(f"{name}: ready after {time.perf_counter() - began:.1f} s", flush=True)

    try:
        index = shop / ".vitrina" / "index"
        command = [sys.executable, "-m", "vitrina", "serve", str(shop), "--port", "PORT"]
        if in_memory:
            index = folder / "index"
            script = str(PEERS / "vitrina_in_memory.py")
            command = [sys.executable, script, str(index), "PORT", str(count)]
        start("vitrina", command, "/readyz", _vitrina, index)
        for name, path in (
            ("sqlite", _sqlite), ("sqlmodel", _sqlmodel), ("datasette", _datasette),
        ):  # fmt: skip
            if name not in without:
                probe = "/-/versions.json" if name == "datasette" else "/docs"
                database = by_hand if name == "sqlite" else tutorial
                start(name, [*_script(name), str(database), "PORT"], probe, path, database)
        if json_server:
            file = folder / "json-server.json"
            _write_json_server(file, stored_products(count))
            command = [*_json_server_command(folder), str(file), "--port", "PORT"]
            start("json-server", command, "/products?_page=1&_per_page=1", _json_server, file)
        yield services
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()


def _make_databases(by_hand: Path, tutorial: Path, count: int, without: Sequence[str]) -> None:
    for database, indexes, users in (
        (by_hand, INDEXES_BY_HAND, {"sqlite"}),
        (tutorial, INDEXES_OF_TUTORIALS, {"sqlmodel", "datasette"}),
    ):
        if not database.exists() and not users <= set(without):
            database.parent.mkdir(exist_ok=True)
            make_database(database, stored_products(count), indexes)


def _script(name: str) -> list[str]:
    """Return the command of a peer; its requirements are installed when they are not yet."""
    script = str(PEERS / f"{name}_service.py")
    uv = shutil.which("uv")
    assert uv, "the peers are installed by uv"
    python = ["--python", sys.executable]
    subprocess.run([uv, "sync", "--quiet", "--script", script, *python], check=True)
    found = subprocess.run(
        [uv, "python", "find", "--script", script], check=True, capture_output=True, text=True
    )
    return [found.stdout.strip(), script]


def _json_server_command(folder: Path) -> list[str]:
    npm = shutil.which("npm")
    assert npm, "json-server is installed by npm"
    subprocess.run([npm, "install", "--silent", "--prefix", str(folder), JSON_SERVER], check=True)
    return [str(folder / "node_modules" / ".bin" / "json-server")]


def _write_shop(shop: Path, products: Iterable[Stored]) -> None:
    fresh = shop.with_suffix(".tmp")
    fresh.mkdir()
    items = [
        {"id": each.id, "name": each.name, "parent_id": each.parent_id} for each in categories()
    ]
    (fresh / "categories.json").write_bytes(orjson.dumps(items))
    with (fresh / "products.jsonl").open("wb") as file:
        for each in products:
            file.write(each.body + b"\n")
    fresh.rename(shop)


def _write_json_server(file: Path, products: Iterable[Stored]) -> None:
    rows = []
    for each in products:
        row = orjson.loads(each.body)
        rows.append({**row, "price": float(row["price"]["amount"])})
    file.write_bytes(orjson.dumps({"products": rows}))


def _wait_for(process: subprocess.Popen[bytes], port: int, probe: str, log: Path) -> None:
    give_up = time.monotonic() + START_S_MAX
    while time.monotonic() < give_up:
        assert process.poll() is None, log.read_text()
        with contextlib.suppress(OSError, urllib.error.URLError):
            url = f"http://127.0.0.1:{port}{probe}"
            with urllib.request.urlopen(url, timeout=60) as response:
                response.read()
                return
        time.sleep(0.05)
    raise AssertionError(f"no service on port {port}: {log.read_text()}")


def _family(pid: int) -> Iterator[int]:
    yield pid
    tasks = Path(f"/proc/{pid}/task")
    for task in tasks.iterdir():
        for child in (task / "children").read_text().split():
            yield from _family(int(child))


def _pss_mib(pid: int) -> float:
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    found = re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)
    assert found, rollup
    return int(found[1]) / 1024


def _size(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(each.stat().st_size for each in path.rglob("*") if each.is_file())


__all__ = ["Question", "Service", "serving"]

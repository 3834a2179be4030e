"""A shop at work for a long time: nothing may grow, nothing may go wrong, nothing may get lost.

``vitrina serve`` with several workers over a product file (CSV), for ten minutes:

- four clients create, replace, patch and delete products, four read, list, search and follow pages;
- two follow the change feed as Server-Sent Events, come and go, and check that no change is left out;
- a person edits cells of the file every few seconds and saves it as an editor does (a temporary file,
  renamed), whether or not the service has just rewritten it;
- snapshots and segments are made as often as the settings allow, and old ones dropped;
- every half a minute a worker is killed (``kill -9``); one of them, the veteran, is spared to the end.

The exit status is 1 unless, at the end,

- every answer was one that the documentation names for it; connections broke only right after a kill;
- the memory of the veteran and of the supervisor was flat: the median of the last fifth of the samples
  (their own pages; mapped files belong to the system) is at most 10 % and 16 MiB above the median of
  the fifth after warm-up. The catalog keeps its size, so whatever grows by more is a leak; the 16 MiB
  are what an allocator in several threads keeps back, which differs from minute to minute;
- so were the file descriptors, but for one for each client, as they all may have come to one worker;
- the journal stayed within what the settings keep, and what a snapshot is still to be made of;
- the last edit of each cell is served, file and API say the same, the service stopped in good order,
  and ``vitrina verify`` finds nothing.

    uv run python benchmarks/soak.py [--minutes 10] [--workers 3] [--products 2000]
"""

import argparse
import contextlib
import csv
import http.client
import io
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlencode

from get_product import free_port, wait_for_workers

KIB, MIB = 2**10, 2**20
VITRINA = (sys.executable, "-m", "vitrina")
WRITERS, READERS, FOLLOWERS = 4, 4, 2
PAUSE_S = 0.004
LEAVING = 0.01  # The share of answers after which a client makes another connection.
EDIT_EVERY_S = 4.0
KILL_EVERY_S = 30.0
SAMPLE_EVERY_S = 2.0
TIMEOUT_S = 60
AFTER_KILL_S = 5.0
SETTLE_S = 30.0
GROWTH, SLACK_BYTES = 1.10, 16 * MIB
CHECKPOINT_BYTES, SEGMENT_BYTES, RETAIN_BYTES = 512 * KIB, 256 * KIB, 4 * MIB
SETTINGS = {
    "VITRINA_CHECKPOINT_BYTES": str(CHECKPOINT_BYTES),
    "VITRINA_SEGMENT_BYTES": str(SEGMENT_BYTES),
    "VITRINA_RETAIN_BYTES": str(RETAIN_BYTES),
    "VITRINA_FILE_DELAY_S": "0.5",
}
COLUMNS = ("id", "title", "brand", "mpn", "quantity", "price")
WORDS = ("oak", "lamp", "chair", "steel", "linen", "round", "tall", "blue", "desk", "rug")
EXPECTED = {
    "create": {201, 409},
    "replace": {200, 201},
    "patch": {200, 404},
    "delete": {204, 404},
    "read": {200, 404},
    "list": {200},
    "history": {200, 404},
    "changes": {200, 410},
}


@dataclass
class Shop:
    """The service, and what became of it so far."""

    folder: Path
    port: int
    products: int
    process: subprocess.Popen[bytes]
    stop: threading.Event = field(default_factory=threading.Event)
    faults: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    broken: int = 0
    killed_at: float = -AFTER_KILL_S
    edited: dict[str, str] = field(default_factory=dict)
    edits: int = 0
    kills: int = 0

    def workers(self) -> list[int]:
        """Return the process ids of the workers, the oldest first."""
        pid = self.process.pid
        with contextlib.suppress(OSError):
            return [int(x) for x in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        return []

    def fault(self, what: str) -> None:
        if not self.faults[what]:
            print(f"{time.strftime('%H:%M:%S')} WRONG: {what}", flush=True)
        self.faults[what] += 1

    def connection_broke(self, doing: str, error: Exception) -> None:
        """Note a broken connection; only a worker that was just killed may break one."""
        if isinstance(error, TimeoutError):
            self.fault(f"{doing}: no answer in {TIMEOUT_S} s")
        elif time.monotonic() - self.killed_at > AFTER_KILL_S:
            self.fault(f"{doing}: {error!r}, although no worker was killed")
        else:
            self.broken += 1


class Client:
    """One connection, made anew when it breaks."""

    def __init__(self, shop: Shop, seed: str) -> None:
        self.shop = shop
        self.random = Random(seed)  # noqa: S311 - a repeatable plan
        self._connection: http.client.HTTPConnection | None = None

    def ask(self, kind: str, method: str, path: str, document: object = None) -> Any:
        """Return the answer's document, or None; its status must be one that may be."""
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection(
                    "127.0.0.1", self.shop.port, timeout=TIMEOUT_S
                )
            body = None if document is None else json.dumps(document)
            headers = {"Content-Type": "application/json"} if body else {}
            self._connection.request(method, path, body, headers)
            response = self._connection.getresponse()
            data = response.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            self.shop.connection_broke(f"{method} {kind}", error)
            return None
        self.shop.answers[f"{kind} {response.status}"] += 1
        if self.random.random() < LEAVING:
            self.close()
        if response.status not in EXPECTED[kind]:
            self.shop.fault(f"{method} {kind} was answered {response.status}: {data[:300]!r}")
        return json.loads(data) if data and response.status < 300 else None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def some_id(self) -> str:
        return f"p-{self.random.randrange(self.shop.products):05}"

    def title(self) -> str:
        return " ".join(self.random.choices(WORDS, k=4))


def write(client: Client) -> None:
    """Change the catalog at random; it keeps its size.

    The manufacturer's part numbers are the editor's: no client touches them. Only products of the last
    quarter are replaced, deleted and made again.
    """
    random, shop = client.random, client.shop
    price = {"amount": f"{random.randrange(1, 900)}.90", "currency": "EUR"}
    if random.random() < 0.7:
        patch = random.choice([{"quantity": random.randrange(99)}, {"price": price}])
        client.ask("patch", "PATCH", f"/v1/products/{client.some_id()}", patch)
        return
    place = shop.products * 3 // 4 + random.randrange(shop.products // 4)
    product = {"id": f"p-{place:05}", "title": client.title(), "price": price}
    path = f"/v1/products/{product['id']}"
    match random.choice(["create", "replace", "delete"]):
        case "create":
            client.ask("create", "POST", "/v1/products", product)
        case "replace":
            client.ask("replace", "PUT", path, product)
        case _:
            client.ask("delete", "DELETE", path)


def read(client: Client) -> None:
    """Read at random."""
    random = client.random
    match random.choice(["one"] * 12 + ["search", "facets", "pages", "history", "changes"]):
        case "one":
            client.ask("read", "GET", f"/v1/products/{client.some_id()}")
        case "search":
            client.ask("list", "GET", f"/v1/products?{urlencode({'q': client.title()})}")
        case "facets":
            client.ask("list", "GET", "/v1/products?facets=brand&limit=5&quantity%5Bgte%5D=50")
        case "pages":
            found = client.ask("list", "GET", "/v1/products?sort=price&limit=50")
            if found and found["next"]:
                query = urlencode({"sort": "price", "limit": 50, "cursor": found["next"]})
                client.ask("list", "GET", f"/v1/products?{query}")
        case "history":
            client.ask("history", "GET", f"/v1/products/{client.some_id()}/history?limit=5")
        case _:
            found = client.ask("changes", "GET", "/v1/changes?limit=1")
            if found:
                client.ask("changes", "GET", f"/v1/changes?after={found['latest_seq'] - 20}")


def keep_on(client: Client, do: Callable[[Client], None]) -> None:
    """Do one thing after another until the end."""
    while not client.shop.stop.wait(PAUSE_S):
        do(client)
    client.close()


def follow(shop: Shop, seed: str) -> None:
    """Follow the change feed for some seconds, again and again, from where it ended."""
    random = Random(seed)  # noqa: S311 - a repeatable plan
    last: int | None = None
    while not shop.stop.is_set():
        until = time.monotonic() + random.uniform(0.2, 8)
        connection = http.client.HTTPConnection("127.0.0.1", shop.port, timeout=TIMEOUT_S)
        headers = {"Accept": "text/event-stream"}
        if last is not None:
            headers["Last-Event-ID"] = str(last)
        try:
            connection.request("GET", "/v1/changes", headers=headers)
            response = connection.getresponse()
            shop.answers[f"stream {response.status}"] += 1
            if response.status == 410:
                last = None
            elif response.status != 200:
                shop.fault(f"GET stream was answered {response.status}")
            while response.status == 200 and time.monotonic() < until and not shop.stop.is_set():
                line = response.readline()
                if not line or line == b"event: resync\n":
                    last = last if not line else None
                    break
                if line.startswith(b"id: "):
                    seq = int(line[4:])
                    if last is not None and seq != last + 1:
                        shop.fault(f"the change feed went from {last} to {seq}")
                    last = seq
        except (OSError, http.client.HTTPException, ValueError) as error:
            shop.connection_broke("GET stream", error)
        finally:
            connection.close()
        shop.stop.wait(random.uniform(0, 1))


def edit(shop: Shop) -> None:
    """Change some cells of the file, as a person does who saves what they read a moment ago."""
    random = Random("editor")  # noqa: S311 - a repeatable plan
    file = shop.folder / "products.csv"
    while not shop.stop.wait(random.uniform(0.5, 1.5) * EDIT_EVERY_S):
        header, *rows = csv.reader(io.StringIO(file.read_text("utf-8")))
        name, number = header.index("id"), header.index("mpn")
        own = [row for row in rows if int(row[name][2:]) < shop.products * 3 // 4]
        chosen = random.sample(own, 5)
        for row in chosen:
            shop.edits += 1
            row[number] = f"M-{shop.edits}"
        written = io.StringIO()
        csv.writer(written, lineterminator="\n").writerows([header, *rows])
        time.sleep(random.uniform(0, 0.5))
        temporary = file.with_name(".products.csv.editing")
        temporary.write_text(written.getvalue(), "utf-8")
        temporary.rename(file)
        shop.edited |= {row[name]: row[number] for row in chosen}


def kill(shop: Shop, veteran: int) -> None:
    """Kill a worker now and then, but never the veteran."""
    random = Random("killer")  # noqa: S311 - a repeatable plan
    while not shop.stop.wait(random.uniform(0.5, 1.5) * KILL_EVERY_S):
        others = [pid for pid in shop.workers() if pid != veteran]
        if others:
            shop.killed_at = time.monotonic()
            os.kill(random.choice(others), signal.SIGKILL)
            shop.kills += 1


@dataclass
class Samples:
    """What was measured of one process over time."""

    name: str
    pid: int
    memory: list[int] = field(default_factory=list)
    descriptors: list[int] = field(default_factory=list)

    def take(self) -> None:
        status = Path(f"/proc/{self.pid}/status").read_text()
        fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
        self.memory.append(int(fields["RssAnon"].split()[0]) * KIB)
        self.descriptors.append(len(os.listdir(f"/proc/{self.pid}/fd")))  # noqa: PTH208 - a count

    def verdict(self, shop: Shop) -> None:
        """Print how it went, and note what grew."""
        fifth = max(1, len(self.memory) // 5)
        early, late = slice(fifth, 2 * fifth), slice(-fifth, None)
        before, after = statistics.median(self.memory[early]), statistics.median(self.memory[late])
        print(f"{self.name:>10}: memory {before / MIB:6.1f} -> {after / MIB:6.1f} MiB", end=", ")
        if after > before * GROWTH + SLACK_BYTES:
            shop.fault(f"the memory of the {self.name} grew by {(after - before) / MIB:.0f} MiB")
        fds = self.descriptors
        opened, kept = statistics.median(fds[early]), statistics.median(fds[late])
        print(f"descriptors {opened:.0f} -> {kept:.0f}, at most {max(fds)}")
        if kept > opened + WRITERS + READERS + FOLLOWERS:
            shop.fault(f"the file descriptors of the {self.name} grew by {kept - opened:.0f}")


def journal_bytes(folder: Path) -> int:
    total = 0
    for each in (folder / ".vitrina" / "journal").iterdir():
        with contextlib.suppress(FileNotFoundError):  # Dropped just now.
            total += each.stat().st_size
    return total


def journal_bytes_max(folder: Path) -> int:
    """Return what the journal may take: what is kept, the open segment, and what is not folded yet.

    A snapshot is made when the journal has grown by ``checkpoint_bytes`` and by the size of the last
    one; meanwhile as much again may be written.
    """
    state = folder / ".vitrina"
    snapshot = max((each.stat().st_size for each in state.glob("snapshot-*")), default=0)
    return RETAIN_BYTES + SEGMENT_BYTES + 2 * max(CHECKPOINT_BYTES, snapshot)


def watch(shop: Shop, minutes: float, veteran: int) -> list[Samples]:
    """Measure until the time is over."""
    watched = [Samples("supervisor", shop.process.pid), Samples("veteran", veteran)]
    until, told = time.monotonic() + minutes * 60, time.monotonic()
    while time.monotonic() < until:
        time.sleep(SAMPLE_EVERY_S)
        if shop.process.poll() is not None:
            shop.fault(f"the service ended with exit code {shop.process.returncode}")
            break
        try:
            for each in watched:
                each.take()
        except (FileNotFoundError, KeyError):
            shop.fault("the veteran died, although nobody killed it")
            break
        size, most = journal_bytes(shop.folder), journal_bytes_max(shop.folder)
        if size > most:
            shop.fault(f"the journal takes {size} bytes; at most {most} are to be kept")
        if time.monotonic() - told > 30:
            told = time.monotonic()
            answered = sum(shop.answers.values())
            print(
                f"{time.strftime('%H:%M:%S')} {answered} answers, {shop.edits} edits, veteran "
                f"{watched[1].memory[-1] / MIB:.0f} MiB and {watched[1].descriptors[-1]} descriptors, "
                f"journal {size / MIB:.1f} MiB",
                flush=True,
            )
    return watched


def in_catalog(client: Client) -> dict[str, dict[str, str]]:
    """Return every product as the file should show it."""
    rows: dict[str, dict[str, str]] = {}
    query: dict[str, object] = {"limit": 200, "sort": "id"}
    while True:
        page = client.ask("list", "GET", f"/v1/products?{urlencode(query)}")
        if page is None:
            return {}
        for each in page["items"]:
            price = each["price"]
            shown = {name: each[name] for name in COLUMNS}
            shown["price"] = price and f"{price['amount']} {price['currency']}"
            rows[each["id"]] = {k: "" if v is None else str(v) for k, v in shown.items()}
        if page["next"] is None:
            return rows
        query["cursor"] = page["next"]


def in_file(folder: Path) -> dict[str, dict[str, str]]:
    text = (folder / "products.csv").read_text("utf-8")
    return {
        row["id"]: {name: row[name] for name in COLUMNS}
        for row in csv.DictReader(io.StringIO(text))
    }


def compare(shop: Shop) -> None:
    """Wait until file and catalog say the same, and all edits are served; note what does not come."""
    client = Client(shop, "last")
    until = time.monotonic() + SETTLE_S
    while True:
        served, written = in_catalog(client), in_file(shop.folder)
        lost = [key for key, each in shop.edited.items() if served.get(key, {}).get("mpn") != each]
        if served == written and not lost:
            print(
                f"file and API agree on {len(served)} products and {len(shop.edited)} edited ones"
            )
            return
        if time.monotonic() > until:
            differing = sorted(
                key for key in served | written if served.get(key) != written.get(key)
            )
            if differing:
                key = differing[0]
                shop.fault(
                    f"{len(differing)} products differ; {key}: API {served.get(key)}, "
                    f"file {written.get(key)}"
                )
            if lost:
                key = lost[0]
                shop.fault(
                    f"{len(lost)} edits are lost; {key}: {shop.edited[key]} was written, "
                    f"{served.get(key, {}).get('mpn')} is served"
                )
            return
        time.sleep(0.5)


def run(shop: Shop, minutes: float) -> None:
    """Let everybody work, then look at everything."""
    veteran = shop.workers()[0]
    threads = [
        *(
            threading.Thread(target=keep_on, args=(Client(shop, f"w{number}"), write))
            for number in range(WRITERS)
        ),
        *(
            threading.Thread(target=keep_on, args=(Client(shop, f"r{number}"), read))
            for number in range(READERS)
        ),
        *(
            threading.Thread(target=follow, args=(shop, f"f{number}"))
            for number in range(FOLLOWERS)
        ),
        threading.Thread(target=edit, args=(shop,)),
        threading.Thread(target=kill, args=(shop, veteran)),
    ]
    for each in threads:
        each.start()
    try:
        watched = watch(shop, minutes, veteran)
    finally:
        shop.stop.set()
        for each in threads:
            each.join()
    print(f"{sum(shop.answers.values())} answers: {dict(sorted(shop.answers.items()))}")
    print(f"{shop.edits} edits; {shop.kills} kills broke {shop.broken} connections")
    for samples in watched:
        samples.verdict(shop)
    if shop.process.poll() is None:
        compare(shop)


def serve(folder: Path, products: int, workers: int) -> Shop:
    """Make a catalog and start the service on it."""
    rows = [
        [f"p-{n:05}", f"{WORDS[n % 10]} {WORDS[n // 10 % 10]} {n}", f"Brand {n % 40}", "", "5", ""]
        for n in range(products)
    ]
    with (folder / "products.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *rows])
    port = free_port()
    process = subprocess.Popen(
        [*VITRINA, "serve", str(folder), "--port", str(port), "--workers", str(workers)],
        env={**os.environ, **SETTINGS},
        stdout=subprocess.DEVNULL,
        stderr=(folder / "output.txt").open("wb"),
    )
    wait_for_workers(port, workers)
    return Shop(folder, port, products, process)


def main() -> int:
    """Soak, print, and say whether all holds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--products", type=int, default=2_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shop = serve(folder, asked.products, asked.workers)
        try:
            run(shop, asked.minutes)
        finally:
            shop.process.terminate()
            code = shop.process.wait(120)
        if code != 0:
            shop.fault(f"the service stopped with exit code {code}")
        told = subprocess.run(
            [*VITRINA, "verify", str(folder)],
            capture_output=True,
            text=True,
            check=False,
        )
        print(told.stdout.strip().splitlines()[-1])
        if told.returncode != 0:
            shop.fault(f"verify says: {told.stderr.strip()}")
        if shop.faults:
            print((folder / "output.txt").read_text("utf-8")[-4_000:])
    for what, times in shop.faults.items():
        print(f"FAILS: {what}" + (f" ({times} times)" if times > 1 else ""))
    print("FAILS" if shop.faults else "holds: nothing grew, nothing went wrong, nothing got lost")
    return 1 if shop.faults else 0


if __name__ == "__main__":
    sys.exit(main())

"""Searches through HTTP, beside services that people would write instead.

One worker each, over the same products (:mod:`products_made`), all running at once and loaded in turns, so
that the noise of the machine falls on all alike; the medians of the rounds are compared:

- ``vitrina``: ``vitrina serve``
- ``sqlite``: FastAPI over SQLite, written by hand to be fast, with the index for the very page
  (``peers/sqlite_service.py``)
- ``sqlmodel``: FastAPI + SQLModel, as tutorials write it: an index for each column that is filtered by;
  beyond them it has FTS5 (``peers/sqlmodel_service.py``)
- ``datasette``: Datasette over the same database
- ``json-server``: with ``--json-server``; only the page

Beside the requests per second stands what a request takes of the processor, which hardly depends on what else
the machine does. Every question is another one: a service that kept whole answers would gain nothing. What Vitrina makes of
questions that are asked again is told apart from that, as "hot". The peers look for products that have all
words, which is what FTS5 is fastest at; Vitrina also ranks those that have some of them, and forgives typos.

    uv run python benchmarks/search_http.py [--products 50000] [--rounds 5] [--seconds 2]

The exit status is 1 when a promise does not hold; the promises are at the end of what is printed. It needs wrk
and uv, and on a machine of which others use a part the absolute numbers say little.
"""

import argparse
import contextlib
import http.client
import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from random import Random
from urllib.parse import quote, urlencode

import orjson
from products_made import stored_products
from search_services import Question, Service, serving
from wrk_load import Load, Paths, stop

from vitrina.adapters import codec
from vitrina.service_layer.ports import Stored

CONNECTIONS = 16
QUESTIONS = 20_000
SLOWEST = 0.1
"""Requests a second that count for less than that, so that nothing is infinitely faster."""

SETTLE_S = 0.3
"""How long a service may work off what many clients have left it before one client is alone."""

KNOWN = 50_000
HOT = 50
KINDS = {
    "page": "page of 20: category + price range, by price",
    "text": "text: two words of a title",
    "facets": "text + 4 facets",
    "suggest": "suggest",
}
TIMES_PEERS = 10
FRESH_MS_MAX = 25
NONSENSE_MS_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Seen:
    """How a service answered one kind of question."""

    per_second: float
    processor_ms: float
    p50_ms: float
    p99_ms: float

    @classmethod
    def median_of(cls, rounds: Sequence[tuple[Load, float, Load]]) -> "Seen":
        """Return the medians of rounds: under load, what a request took of the processor, and alone."""
        return cls(
            # Where an answer to so many at once takes longer than a round, none comes in time.
            statistics.median(
                max(many.per_second, one.per_second, SLOWEST) for many, _, one in rounds
            ),
            statistics.median(processor for _, processor, _ in rounds),
            statistics.median(one.p50_ms for _, _, one in rounds),
            statistics.median(one.p99_ms for _, _, one in rounds),
        )


@dataclass(slots=True)
class Promises:
    """What must hold, and whether it does."""

    told: list[str] = field(default_factory=list)
    broken: bool = False

    def check(self, what: str, value: float, *, least: float = 0, most: float = 0) -> None:
        """Note whether *value* is at least or at most what was promised."""
        holds = value >= least if least else value <= most
        asked = f"at least {least:g}" if least else f"at most {most:g}"
        self.told.append(f"{'holds' if holds else 'FAILS'}: {what}: {value:.2f}, {asked}")
        self.broken |= not holds


def questions(products: Sequence[Stored]) -> dict[str, list[Question]]:
    """Return many different questions of each kind, the same ones in each run."""
    chosen = Random(11)  # noqa: S311 - the same questions in each run
    asked: dict[str, dict[Question, None]] = {kind: {} for kind in KINDS}
    for _ in range(3 * QUESTIONS):
        low = chosen.randrange(40_000)
        high = low + chosen.randrange(5_000, 60_000)
        document = codec.load(chosen.choice(products).body)
        title, category = str(document["title"]), str(document["category_id"])
        # The category of any product: visitors, too, are more often where there is more to see.
        asked["page"][Question("page", category, f"{low / 100}", f"{high / 100}")] = None
        found = re.findall(r"[^\W_]+", title)[:9]
        if len(found) < 2:
            continue
        words = f"{chosen.choice(found[1:])} {found[0]}"
        for kind in ("text", "facets"):
            asked[kind][Question(kind, words=words)] = None
        cut = " ".join(found)[: chosen.randrange(3, 16)].strip()
        asked["suggest"][Question("suggest", words=cut)] = None
    return {kind: list(each)[:QUESTIONS] for kind, each in asked.items()}


def agree(services: Mapping[str, Service], asked: Sequence[Question]) -> None:
    """Make sure that all services speak of the same products."""
    for question in asked[:20]:
        totals = {name: each.total(question) for name, each in services.items()}
        assert len(set(totals.values()) - {None}) == 1, (question, totals)


def compare(
    services: Mapping[str, Service],
    asked: Mapping[str, Sequence[Question]],
    folder: Path,
    *,
    rounds: int,
    seconds: float,
) -> dict[str, dict[str, Seen]]:
    """Return the medians under load and on one connection: kind → service → both."""
    found: dict[str, dict[str, Seen]] = {}
    for kind, what in KINDS.items():
        paths = {
            name: Paths(folder, f"{kind}-{name}", [each for each in known if each is not None])
            for name, service in services.items()
            if (known := [service.path(each) for each in asked[kind]])[0] is not None
        }
        seen: dict[str, list[tuple[Load, float, Load]]] = {name: [] for name in paths}
        for number in range(rounds + 1):
            for name, each in paths.items():
                service = services[name]
                before = service.processor_s()
                many = each.load(service.port, connections=CONNECTIONS, seconds=seconds)
                time.sleep(SETTLE_S)
                one = each.load(service.port, connections=1, seconds=seconds)
                answered = max(many.requests + one.requests, 1)
                spent = (service.processor_s() - before) * 1_000 / answered
                assert many.refused == one.refused == 0, (name, kind, many, one)
                if number:  # The first round warms up.
                    seen[name].append((many, spent, one))
        found[kind] = {name: Seen.median_of(each) for name, each in seen.items()}
        show(what, found[kind])
    return found


def show(what: str, found: Mapping[str, Seen]) -> None:
    """Print one kind of question."""
    print(f"\n{what}\n")
    print("| service | requests/s | Vitrina is | processor ms | Vitrina is | p50 ms | p99 ms |")
    print("|---|---|---|---|---|---|---|")
    ours = found["vitrina"]
    for name, each in found.items():
        faster = cheaper = ""
        if name != "vitrina":
            faster = f"{ours.per_second / each.per_second:.1f} x"
            cheaper = f"{each.processor_ms / ours.processor_ms:.1f} x"
        print(
            f"| {name} | {each.per_second:,.0f} | {faster} | {each.processor_ms:.2f} | {cheaper} "
            f"| {each.p50_ms:.2f} | {each.p99_ms:.2f} |",
            flush=True,
        )


class Caller:
    """One connection that is kept open."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)

    def ask(
        self, path: str, *, method: str = "GET", body: bytes | None = None
    ) -> tuple[int, bytes, float]:
        """Return the status and the body of an answer, and the milliseconds it took."""
        headers = {} if body is None else {"Content-Type": "application/merge-patch+json"}
        began = time.perf_counter()
        self._connection.request(method, path, body, headers)
        response = self._connection.getresponse()
        content = response.read()
        return response.status, content, (time.perf_counter() - began) * 1_000


def fresh(service: Service, products: Sequence[Stored], promises: Promises) -> None:
    """Measure when a change is found that was just answered."""
    caller = Caller(service.port)
    spent = []
    for number in range(40):
        word = f"zzfresh{number}x{os.getpid()}"
        path = f"/v1/products/{products[number * 7 % len(products)].id}"
        status, content, _ = caller.ask(path, method="PATCH", body=orjson.dumps({"brand": word}))
        assert status == 200, content
        status, content, took = caller.ask(f"/v1/products?q={word}")
        answer = orjson.loads(content)
        assert answer["total"] == 1, answer
        spent.append(took)
    middle = statistics.median(spent)
    print(
        f"\na change is found: median {middle:.1f} ms, longest {max(spent):.1f} ms after the write"
    )
    promises.check("a changed product is found after ms", middle, most=FRESH_MS_MAX)


def deep(service: Service, count: int) -> None:
    """Measure pages far behind the first."""
    caller = Caller(service.port)
    print(
        "\n| pages of 20 | first 200, p50 ms | 200 deep ones, p50 ms | how deep |\n|---|---|---|---|"
    )
    for sort in ("id", "price", "-price", "title", "relevance"):
        # Nothing has this brand, so it takes nothing away.
        query = {"sort": sort, "brand[ne]": f"none-{sort}", "limit": "20"}
        if sort == "relevance":
            query["q"] = "for"
        first, cursor, _ = _walk(caller, query, None, 200)
        skip = {**query, "limit": "200"}
        pages = min(5_000, count // 40) // 10 - 20
        _, cursor, passed = _walk(caller, skip, cursor, pages)
        later, _, asked = _walk(caller, query, cursor, 200)
        if asked:
            deepness = f"{200 + passed * 10:,} pages"
            print(
                f"| {sort} | {statistics.median(first):.2f} | {statistics.median(later):.2f} | {deepness} |"
            )


def _walk(
    caller: Caller, query: Mapping[str, str], cursor: str | None, pages: int
) -> tuple[list[float], str | None, int]:
    spent: list[float] = []
    for _ in range(pages):
        asked = dict(query) if cursor is None else {**query, "cursor": cursor}
        status, content, took = caller.ask(f"/v1/products?{urlencode(asked)}")
        assert status == 200, content
        spent.append(took)
        cursor = orjson.loads(content)["next"]
        if cursor is None:
            break
    return spent, cursor, len(spent)


def nonsense() -> Iterator[tuple[str, str]]:
    """Yield what nobody should ask, and what it is."""
    many = "".join(f"{chr(97 + n % 26)}{n} " for n in range(2_500))[:10_000]
    common = ("for with and the a of to in black steel pack set " * 200)[:10_000]
    texts = {
        "10,000 characters, one word": "a" * 10_000,
        "10,000 characters, many words": many,
        "10,000 characters, common words": common,
        "10,000 characters, words with typos": ("bacpkack stpo wihte redd " * 400)[:10_000],
        "10,001 characters": "a" * 10_001,
        "only operators": '" + - * ( ) [ ] AND OR NOT : ^ ~ /' * 20,
        "an open quote": '"' * 999,
        "only stop words": "the a an of and or " * 100,
        "one letter": "a",
        "emoji": "\N{GRINNING FACE}\N{ZERO WIDTH JOINER}" * 200,
        "right to left": "\N{RIGHT-TO-LEFT OVERRIDE}שלום עולם مرحبا " * 50,
        "combining marks": "a" + "\N{COMBINING ACUTE ACCENT}" * 5_000,
        "control characters": "\x00\x01\x1f\x7f" * 100,
    }
    for what, text in texts.items():
        yield what, f"/v1/products?q={quote(text)}"
        yield f"{what}, 4 facets", f"/v1/products?q={quote(text)}&facets=brand,category,price,tag"
    facets = ",".join(f"attributes.a{number}" for number in range(20))
    yield "20 facets over everything", f"/v1/products?facets={facets}"
    twenty = (
        "brand,category,status,condition,availability,tag,price,quantity,rating,attributes.color"
    )
    yield "10 facets over everything", f"/v1/products?facets={twenty}"
    yield "500 facets", "/v1/products?facets=" + ",".join(f"attributes.a{n}" for n in range(500))
    yield "an unknown facet", "/v1/products?facets=colour"
    yield "an unknown parameter", "/v1/products?colour=red"
    yield "an unknown operator", "/v1/products?price[around]=3"
    yield "an unknown sort key", "/v1/products?sort=beauty"
    yield "1,001 parameters", "/v1/products?" + "&".join(["brand=x"] * 1_001)
    yield "50 brands", "/v1/products?" + "&".join(f"brand=Brand+{n}" for n in range(50))
    yield "51 brands", "/v1/products?" + "&".join(f"brand=Brand+{n}" for n in range(51))
    yield "sort by an attribute", "/v1/products?sort=attributes.size"
    yield "sort by an attribute nobody has", "/v1/products?sort=attributes.none"
    yield "a deep attribute name", "/v1/products?attributes." + "a." * 400 + "=1"
    yield "statistics", "/v1/stats"
    for what, text in texts.items():
        yield f"suggest, {what}", f"/v1/suggest?q={quote(text)}"
        yield f"suggest, 200 of {what}", f"/v1/suggest?q={quote(text[:200])}"


def longest(service: Service, promises: Promises) -> None:
    """Measure the longest of the nonsense; it is answered, or refused with what is wrong."""
    caller = Caller(service.port)
    spent: list[tuple[float, int, str]] = []
    for what, path in nonsense():
        status, content, took = caller.ask(path)
        assert status == 200 or (400 <= status < 500 and orjson.loads(content)["detail"]), (
            what, status, content[:500],
        )  # fmt: skip
        spent.append((took, status, what))
    spent.sort(reverse=True)
    print("\n| nonsense, the longest | status | ms |\n|---|---|---|")
    for took, status, what in spent[:8]:
        print(f"| {what} | {status} | {took:.1f} |")
    promises.check("the longest nonsense, ms", spent[0][0], most=NONSENSE_MS_MAX)


def undisturbed(
    service: Service, products: Sequence[Stored], asked: Sequence[str], folder: Path
) -> None:
    """Measure reads by id alone, and while heavy searches run."""
    chosen = Random(5)  # noqa: S311 - the same products in each run
    by_id = [f"/v1/products/{each.id}" for each in chosen.choices(products, k=2_000)]
    reads = Paths(folder, "by-id", by_id)
    facets = "brand,category,price,attributes.color,attributes.size"
    heavy = [f"{each}&facets={facets}&limit=200" for each in asked]
    searches = Paths(folder, "heavy", heavy)
    alone = reads.load(service.port, connections=1, seconds=2)
    process = searches.start(service.port, connections=4, seconds=30)
    try:
        time.sleep(1)
        beside = reads.load(service.port, connections=1, seconds=3)
    finally:
        stop(process)
    print("\n| GET by id, one connection | p50 ms | p99 ms | longest ms |\n|---|---|---|---|")
    for what, load in (("alone", alone), ("beside 4 clients of heavy searches", beside)):
        print(f"| {what} | {load.p50_ms:.2f} | {load.p99_ms:.2f} | {load.max_ms:.1f} |")


def hot(service: Service, asked: Mapping[str, Sequence[Question]], folder: Path) -> None:
    """Measure questions that are asked again and again."""
    told = []
    for kind in ("page", "facets"):
        few = [path for each in asked[kind][:HOT] if (path := service.path(each)) is not None]
        paths = Paths(folder, f"hot-{kind}", few)
        paths.load(service.port, connections=CONNECTIONS, seconds=1)
        load = paths.load(service.port, connections=CONNECTIONS, seconds=2)
        told.append(f"{kind} {load.per_second:,.0f}/s")
    print(f"\nhot: {HOT} questions again and again: {', '.join(told)}")


def promised(found: Mapping[str, Mapping[str, Seen]], count: int, promises: Promises) -> None:
    """Check what is promised of the comparison."""
    facets = found["facets"]["vitrina"]
    if count >= 1_000_000:
        promises.check("text + 4 facets, p50 ms", facets.p50_ms, most=5)
        promises.check("text + 4 facets, p99 ms", facets.p99_ms, most=25)
        return
    for kind in ("page", "text"):
        for peer in ("sqlmodel", "datasette"):
            if peer in found[kind]:
                ratio = found[kind]["vitrina"].per_second / found[kind][peer].per_second
                promises.check(f"{kind}: requests/s to {peer}", ratio, least=TIMES_PEERS)
    promises.check("text + 4 facets, p50 ms", facets.p50_ms, most=1.5)


def measure(arguments: argparse.Namespace, folder: Path) -> Promises:
    """Measure all there is."""
    promises = Promises()
    # Of a million products it is enough to know some.
    step = arguments.products // KNOWN + 1
    products = list(islice(stored_products(arguments.products), 0, None, step))
    asked = questions(products)
    with serving(
        folder,
        arguments.products,
        without=arguments.without,
        json_server=arguments.json_server,
        in_memory=arguments.in_memory,
    ) as services:
        ours = services["vitrina"]
        agree(services, asked["page"])
        found = compare(services, asked, folder, rounds=arguments.rounds, seconds=arguments.seconds)
        promised(found, arguments.products, promises)
        hot(ours, asked, folder)
        deep(ours, arguments.products)
        searches = [path for each in asked["text"] if (path := ours.path(each)) is not None]
        undisturbed(ours, products, searches, folder)
        fresh(ours, products, promises)
        longest(ours, promises)
        print("\n| service | memory MiB (PSS) | on disk MiB |\n|---|---|---|")
        for name, each in services.items():
            print(f"| {name} | {each.memory_mib():,.0f} | {each.disk() / 2**20:,.0f} |")
    return promises


def main() -> int:
    """Measure, print, and say whether the promises hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--products", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--folder", type=Path, help="keep the catalog and the database here")
    parser.add_argument("--json-server", action="store_true", help="measure it too; needs npm")
    parser.add_argument(
        "--in-memory",
        action="store_true",
        help="Vitrina has no product file to take in first, and no journal",
    )
    parser.add_argument(
        "--without", nargs="*", default=[], choices=["sqlite", "sqlmodel", "datasette"]
    )
    arguments = parser.parse_args()
    print(
        f"{arguments.products:,} products, {CONNECTIONS} connections, one worker each, medians of "
        f"{arguments.rounds} rounds of {arguments.seconds:g} s in turns, {os.cpu_count()} cores; "
        "p50 and p99 on one connection",
        flush=True,
    )
    with contextlib.ExitStack() as stack:
        folder = arguments.folder
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        promises = measure(arguments, folder)
    print("\n" + "\n".join(promises.told))
    return int(promises.broken)


if __name__ == "__main__":
    sys.exit(main())

"""How long the index takes over queries that nobody means: none may take a second.

    uv run python benchmarks/nonsense_queries.py [--products 50000] [--folder DIR]

The queries are those of an HTTP query string, read as the service reads them: a query is answered, or refused
by an error of the domain, which clients see as a 4xx that teaches. Anything else ends this with an error, and
so does a query that takes longer than :data:`LONGEST_S`. The products are those of ``search_speed.py``;
with ``--folder`` the index is kept there and used again, also by that benchmark.
"""

import argparse
import random
import string
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from products_made import build_tree, stored_products
from search_speed import Shelf, open_index

from vitrina.adapters.index.analysis import STOP_WORDS
from vitrina.adapters.index.engine import TantivyIndex
from vitrina.domain.errors import CatalogError
from vitrina.service_layer.query_string import Pairs, parse_listing

LONGEST_S = 1.0
FACETS = ("brand", "category", "status", "condition", "availability", "tag", "price", "quantity")
COMMON = "toy the and with for set kids music guitar game new black blue red pack inch gift puzzle"


def texts() -> Iterator[tuple[str, str]]:
    """Yield texts to search for, each with what it is."""
    chosen = random.Random(3)  # noqa: S311 - the same texts in each run
    letters = string.ascii_lowercase
    long = "".join(chosen.choices(letters + "   ", k=10_000))
    yield "10,000 letters in one word", "".join(chosen.choices(letters, k=10_000))
    yield "10,000 letters in words", long
    yield "10,000 times a", "a" * 10_000
    yield "5,000 words of one letter", " ".join(chosen.choices(letters, k=5_000))
    yield (
        "3,333 words of two letters",
        " ".join("".join(chosen.choices(letters, k=2)) for _ in range(3_333)),
    )
    yield "100 words of 99 letters", " ".join("xy" * 49 for _ in range(100))
    yield "the most common words", COMMON
    yield "the most common words, 500 times", " ".join([COMMON] * 100)[:10_000]
    yield "unknown words", " ".join("".join(chosen.choices(letters, k=12)) for _ in range(40))
    yield "typos of common words", "kisd gutiar msuic puzlze balck pakc gmae toyz"
    yield "all stop words", " ".join(sorted(STOP_WORDS["en"]))
    yield "one stop word", "the"
    yield "one letter", "a"
    yield "the beginnings of all words", "s p c m b t"
    yield "two letters", "st"
    yield "one digit", "1"
    yield "10,000 digits", "".join(chosen.choices(string.digits, k=10_000))
    yield "only operators", '+ - && || ! ( ) { } [ ] ^ " ~ * ? : \\ / AND OR NOT TO'
    yield "10,000 operators", "".join(chosen.choices('+-&|!(){}[]^"~*?:\\/', k=10_000))
    yield "5,000 open brackets", "(" * 5_000
    yield "a regular expression", "(a+)+$ .*.* [a-z]{1,1000}"
    yield "fields of the engine", "title:guitar all:* codes:[a TO z] id:product-0000001"
    yield "emoji", "🎸🎹👩‍👩‍👧‍👦🏳️‍🌈" * 300
    yield "right to left", "גיטרה חשמלית قيثارة كهربائية \u202e\u2066abc\u2069" * 100
    yield "combining marks", "e" + "\u0301" * 5_000
    yield "one ligature", "\ufdfa" * 500
    yield "full width", "\uff47\uff55\uff49\uff54\uff41\uff52" * 500
    yield "Chinese", "电吉他音乐玩具" * 700
    yield "control characters", "".join(map(chr, range(1, 32))) + "guitar\x00\x7f\x85"
    yield "white space", " \t\n\u00a0\u2003" * 1_000
    yield "a lone surrogate", "guitar \ud800"
    yield "SQL", "'; DROP TABLE products; -- "


def queries() -> Iterator[tuple[str, Pairs]]:
    """Yield query strings, each with what it is."""
    facets = ",".join(FACETS)
    for what, text in texts():
        yield what, [("q", text)]
        yield f"{what}, with facets", [("q", text), ("facets", facets)]
        yield f"{what}, by price", [("q", text), ("sort", "-price")]
        yield f"{what}, as a brand", [("brand", text)]
        yield f"{what}, explained", [("q", text), ("explain", "true"), ("highlight", "true")]
    yield "500 facets", [("facets", ",".join(f"attributes.a{n}" for n in range(500)))]
    yield "20 facets", [("facets", ",".join([*FACETS, *(f"attributes.a{n}" for n in range(12))]))]
    yield "500 filters", [(f"attributes.a{n}", "1") for n in range(500)]
    yield "50 filters on all", [(f"attributes.a{n}[ne]", "1") for n in range(50)]
    yield "50 brands", [("brand", ",".join(f"Brand {n}" for n in range(50)))]
    yield "no brands at all", [("brand[ne]", ",".join(f"Brand {n}" for n in range(50)))]
    yield "unknown fields", [("colour", "red"), ("attributes", "x"), ("price[near]", "3")]
    yield "an endless price", [("price[gte]", "9" * 5_000)]
    yield "a negative price", [("price[gte]", "-1"), ("facets", facets)]
    yield "all prices, narrowed", [("price[gte]", "0"), ("facets", facets), ("sort", "price")]
    yield "a size in every unit", [("attributes.size[gte]", "0 in"), ("facets", "attributes.size")]
    yield "by an attribute of all", [("sort", "attributes.size")]
    yield "by an attribute of none", [("sort", "-attributes.nothing")]
    yield "a cursor of nobody", [("cursor", "AAAA" * 500)]
    yield "a page of all", [("limit", "1000000")]
    yield "nothing", []
    for name in ("title", "price", "rating", "created_at", "updated_at"):
        for sort in (name, f"-{name}"):
            yield f"all by {sort}", [("sort", sort)]


def ask(index: TantivyIndex, pairs: Pairs) -> tuple[float, str]:
    """Return how long an answer took, and what it was."""
    started = time.perf_counter()
    try:
        total = index.search(parse_listing(pairs).query).total
    except CatalogError as refused:
        return time.perf_counter() - started, f"refused, {type(refused).__name__}"
    return time.perf_counter() - started, f"{total:,} products"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--products", type=int, default=50_000)
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    shelf = Shelf(list(stored_products(arguments.products)), build_tree())
    with tempfile.TemporaryDirectory() as temporary:
        index, _ = open_index(shelf, arguments.folder or Path(temporary), "index")
        asked = [(*ask(index, pairs), what) for what, pairs in queries()]
        index.close()
    kinds = Counter(told.split(",")[0] == "refused" for _, told, _ in asked)
    print(f"\n{len(asked)} queries, {kinds[True]} refused, {kinds[False]} answered; the slowest:\n")
    print("| ms | query | answer |\n|---|---|---|")
    for spent, told, what in sorted(asked, reverse=True)[:12]:
        print(f"| {spent * 1_000:,.0f} | {what} | {told} |")
    slow = [what for spent, _, what in asked if spent > LONGEST_S]
    if slow:
        sys.exit(f"Longer than {LONGEST_S} s: {', '.join(slow)}")


if __name__ == "__main__":
    main()

"""nDCG@10 of a fresh catalog's search on the known-item set of ``../shared/data/search``.

    uv run python benchmarks/relevance/measure.py [--language en]

Every offer of the corpus becomes a product as a merchant would have it: title, brand, the category's
name, the model number as MPN, the price. The queries of each form are asked as a client asks them, and
the first ten ids are scored: gain 1 for an id that the judgements name, DCG with log2(rank + 1), divided by
the ideal, averaged over all queries. Beside it stands SQLite FTS5 in the same run: BM25, any word, porter stemming
over unicode61, the title weighing four times the rest.
"""

import argparse
import json
import math
import os
import re
import sqlite3
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from pathlib import Path

from vitrina.adapters.index.engine import TantivyIndex
from vitrina.adapters.index.reading import Reading
from vitrina.adapters.memory import MemoryCatalog
from vitrina.domain.category import Category
from vitrina.domain.identifiers import slugify
from vitrina.domain.money import Money
from vitrina.domain.product import Product
from vitrina.service_layer.queries import Filter, Operator, ProductQuery

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("VITRINA_SHARED_DATA", ROOT.parent / "shared" / "data"))
SET = SHARED / "search" / "structured_walmart-amazon"
FORMS = {
    "full titles": "queries.jsonl",
    "without numbers": "queries_nodigits.jsonl",
    "first three words": "queries_prefix3.jsonl",
    "one typo": "queries_typo.jsonl",
}
FIRST = 10

type Ask = Callable[[str], list[str]]


def read(name: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in (SET / name).read_text().splitlines()]


def judgements() -> dict[str, set[str]]:
    relevant: dict[str, set[str]] = defaultdict(set)
    for line in (SET / "qrels.tsv").read_text().splitlines():
        query, _, product, gain = line.split()
        if int(gain):
            relevant[query].add(product)
    return relevant


def as_products(offers: Iterable[dict[str, str]]) -> Iterator[tuple[Product, str]]:
    """Yield each offer as a product, with its category's name."""
    for offer in offers:
        price = offer["price"]
        category = slugify(offer["category"])
        yield (
            Product(
                id=offer["id"],
                title=offer["title"][:500],
                brand=offer["brand"][:200] or None,
                category_id=category or None,
                mpn=offer["modelno"][:128] or None,
                price=Money(Decimal(price).quantize(Decimal("0.01")), "USD") if price else None,
            ),
            offer["category"],
        )


def vitrina(offers: list[dict[str, str]], language: str) -> Ask:
    catalog = MemoryCatalog()
    with catalog.unit_of_work() as uow:
        names: dict[str, str] = {}
        for product, name in as_products(offers):
            if product.category_id and product.category_id not in names:
                names[product.category_id] = name
                uow.categories.save(Category(id=product.category_id, name=name))
            uow.products.save(product.created())
        uow.commit()
    index = TantivyIndex(catalog.view, catalog, reading=Reading(language))
    active = (Filter("status", Operator.EQ, ("active",)),)
    return lambda text: list(index.search(ProductQuery(text, active, limit=FIRST)).ids)


def fts5(offers: list[dict[str, str]]) -> Ask:
    database = sqlite3.connect(":memory:")
    database.execute(
        "CREATE VIRTUAL TABLE p USING fts5(id UNINDEXED, title, rest, tokenize='porter unicode61')"
    )
    database.executemany(
        "INSERT INTO p VALUES (?, ?, ?)",
        ((o["id"], o["title"], f"{o['brand']} {o['category']} {o['modelno']}") for o in offers),
    )
    sql = "SELECT id FROM p WHERE p MATCH ? ORDER BY bm25(p, 0, 4, 1) LIMIT 10"

    def ask(text: str) -> list[str]:
        words = re.findall(r"\w+", text)
        return [row[0] for row in database.execute(sql, (" OR ".join(f'"{w}"' for w in words),))]

    return ask


def ndcg(found: list[str], relevant: set[str]) -> float:
    gained = sum(1 / math.log2(n + 2) for n, each in enumerate(found[:FIRST]) if each in relevant)
    return gained / sum(1 / math.log2(n + 2) for n in range(min(FIRST, len(relevant))))


def score(ask: Ask, queries: list[dict[str, str]], relevant: dict[str, set[str]]) -> float:
    gains = [ndcg(ask(each["query"]), relevant[each["id"]]) for each in queries if each["query"]]
    return sum(gains) / len(queries)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--language", default="en")
    arguments = parser.parse_args()
    offers, relevant = read("corpus.jsonl"), judgements()
    systems = {"Vitrina": vitrina(offers, arguments.language), "SQLite FTS5": fts5(offers)}
    print(f"{len(offers)} products\n")
    print(f"| nDCG@10 | {' | '.join(FORMS)} | ms a query |")
    print("|---|" + "---|" * (len(FORMS) + 1))
    for name, ask in systems.items():
        started, asked, cells = time.perf_counter(), 0, []
        for file in FORMS.values():
            queries = read(file)
            asked += len(queries)
            cells.append(f"{score(ask, queries, relevant):.4f}")
        spent = (time.perf_counter() - started) / asked * 1000
        print(f"| {name} | {' | '.join(cells)} | {spent:.2f} |")


if __name__ == "__main__":
    main()

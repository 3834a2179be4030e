"""What texts gain by what is kept of their words, and facets by columns: the same questions both ways.

    uv run python benchmarks/kept_words.py [--products 50000] [--questions 1500] [--folder DIR]

First the engine answers alone, then out of what is kept; each way is asked everything twice before it is measured, and the
best of three rounds counts. Answers must be the same. Processor time is told, but the ratios of one run say more.
"""

import argparse
import gc
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from products_made import build_tree, stored_products
from search_speed import ACTIVE, Shelf, open_index, questions

from vitrina.adapters.index import filling, keeping
from vitrina.adapters.index.engine import TantivyIndex
from vitrina.service_layer.queries import Filter, Hits, Operator, ProductQuery

WARM, ROUNDS = 2, 3
KINDS = ("text, two words", "text with a typo", "text, whole title", "text + 4 facets")


def asked(count: int, shelf: Shelf) -> dict[str, list[ProductQuery]]:
    """Return the questions of each kind."""
    every = questions(list(shelf.snapshot()[1]), count)
    kinds = {name: every[name] for name in KINDS}
    kinds["text + price range"] = [
        replace(
            each,
            filters=(
                ACTIVE,
                Filter("price", Operator.GTE, (Decimal(number % 300),)),
                Filter("price", Operator.LTE, (Decimal(number % 300 + 200),)),
            ),
        )
        for number, each in enumerate(every["text, two words"])
    ]
    return kinds


def measured(index: TantivyIndex, queries: Sequence[ProductQuery]) -> tuple[list[Hits], float]:
    """Return the answers, and the mean µs of processor time of the best round."""
    answers: list[Hits] = []
    best: list[float] = []
    for number in range(WARM + ROUNDS):
        # What whole answers are kept would hide what it takes to make them.
        index._follower.state.answers.clear()  # noqa: SLF001
        index._follower.state.totals.clear()  # noqa: SLF001
        started = time.process_time()
        answers = list(map(index.search, queries))
        if number >= WARM:
            best.append((time.process_time() - started) / len(queries) * 1e6)
    return answers, min(best)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--products", type=int, default=50_000)
    parser.add_argument("--questions", type=int, default=1_500)
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    shelf = Shelf(list(stored_products(arguments.products)), build_tree())
    kinds = asked(arguments.questions, shelf)
    gc.collect()
    gc.freeze()
    # Whatever is asked for is taken in at once.
    keeping.PAID = filling.PAID = keeping.EARNED = keeping.EARNED_MAX = 10**9  # type: ignore[misc]
    longest = keeping.LONGEST
    found: dict[str, list[tuple[list[Hits], float]]] = {name: [] for name in kinds}
    for most in (-1, longest):
        keeping.LONGEST = most  # type: ignore[misc]
        with tempfile.TemporaryDirectory() as temporary:
            index, _ = open_index(shelf, arguments.folder or Path(temporary), "open")
            for name, queries in kinds.items():
                found[name].append(measured(index, queries))
            index.close()
    print("\n| mean µs of processor time | engine | kept | times |\n|---|---|---|---|")
    for name, ((by_engine, slow), (by_kept, quick)) in found.items():
        print(f"| {name} | {slow:.0f} | {quick:.0f} | {slow / quick:.1f} |")
        if by_engine != by_kept:
            sys.exit(f"{name}: the answers differ")


if __name__ == "__main__":
    main()

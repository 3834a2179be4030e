"""Products that are like one: by the words of its title, its category, its brand and its price."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tantivy import Occur, Query

from vitrina.adapters import codec
from vitrina.adapters.index import advice
from vitrina.adapters.index.narrowing import all_of, any_of
from vitrina.adapters.index.rows import Row
from vitrina.adapters.index.state import State
from vitrina.adapters.index.walking import Walker
from vitrina.service_layer.ports import Stored
from vitrina.service_layer.queries import Operator, Related

WORDS_MAX: Final = 12
"""How many words of a title are looked at: its rarest."""

SPARE: Final = 50
"""How many more are asked for than needed, for those that are equally like."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """Finds what is like a product, on one state of the index."""

    state: State

    def find(self, product: Stored, limit: int) -> list[Related]:
        """Return the active products most like *product*, the best first."""
        row = Row.of(product)
        alike = [*self._words(str(codec.load(product.body)["title"])), *self._places(row)]
        if not alike:
            return []
        narrowing = self.state.narrowing
        required = all_of([narrowing.query((advice.ACTIVE,)), any_of([each for each, _ in alike])])
        weighed = [*alike, *self._prices(row)]
        query = Query.boolean_query(
            [
                (Occur.Must, Query.const_score_query(required, 0.0)),
                (Occur.MustNot, narrowing.term("id", product.id)),
                *((Occur.Should, Query.const_score_query(each, n)) for each, n in weighed),
            ]
        )
        hits = self.state.searcher.search(query, limit + SPARE, count=False).hits
        walker = Walker(self.state.searcher, narrowing.schema, self.state.prefix)
        ids = walker.ids([address for _, address in hits])
        found = [
            Related(each, min(round(float(score), 4), 1.0))
            for (score, _), each in zip(hits, ids, strict=True)
        ]
        return sorted(found, key=lambda each: (-each.score, each.id))[:limit]

    def _words(self, title: str) -> Iterator[tuple[Query, float]]:
        """Yield the words of a title that others share, with their part of the likeness."""
        searcher = self.state.searcher
        total = searcher.num_docs
        rarities: dict[str, float] = {}
        for stem in self.state.vocabulary.analyzer.stems(title):
            held = searcher.doc_freq("title", stem)
            if held > 1 and not self.state.vocabulary.analyzer.says_nothing(stem):
                rarities[stem] = math.log(1 + (total + 0.5) / (held + 0.5))
        rarest = sorted(rarities.items(), key=lambda each: (-each[1], each[0]))[:WORDS_MAX]
        whole = sum(rarity for _, rarity in rarest)
        for stem, rarity in rarest:
            worth = advice.WORDS_WORTH * rarity / whole
            yield self.state.narrowing.term("title", stem), worth

    def _places(self, row: Row) -> Iterator[tuple[Query, float]]:
        for field, worth in (
            ("category", advice.CATEGORY_WORTH),
            ("brand", advice.BRAND_WORTH),
        ):
            for value in row.values.get(field, ()):
                yield self.state.narrowing.term(field, str(value)), worth

    def _prices(self, row: Row) -> Iterator[tuple[Query, float]]:
        for price in row.values.get("price", ()):
            if isinstance(price, int):
                near = all_of(
                    [
                        self.state.narrowing.number("price", Operator.GTE, price / 2),
                        self.state.narrowing.number("price", Operator.LTE, price * 2),
                    ]
                )
                yield near, advice.PRICE_WORTH

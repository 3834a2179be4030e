"""What goes on from what was typed so far, and what is like a product: the same for every index.

Suggestions look at what a search for the words finds, the brands, and the categories.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from vitrina.adapters import codec
from vitrina.adapters.index.completing import Typed, completions
from vitrina.adapters.index.names import Name
from vitrina.service_layer.ports import CatalogView, Stored
from vitrina.service_layer.queries import (
    Filter,
    Hits,
    Operator,
    ProductQuery,
    Suggestion,
    SuggestionKind,
)

ACTIVE: Final = Filter("status", Operator.EQ, ("active",))

LOOKED_AT: Final = 40
"""How many of the products that are found are looked at for words to complete a query with."""

WORDS_WORTH: Final = 0.6
CATEGORY_WORTH: Final = 0.2
BRAND_WORTH: Final = 0.1
PRICE_WORTH: Final = 0.1
"""What makes products alike: words of their titles, by rarity; and what they cost, half to double."""


type Find = Callable[[Sequence[str], int], Iterable[Name]]
"""Returns, at most so many, the names that begin as typed; where there are none, with typos.

The most frequent come first, and of those that are equally frequent the first by text."""


def suggest(
    text: str,
    limit: int,
    *,
    search: Callable[[ProductQuery], Hits],
    view: CatalogView,
    brands: Find,
    categories: Find,
) -> list[Suggestion]:
    """Return how what was typed may go on: queries, products, brands, categories."""
    read = Typed.of(text)
    typed = read.words
    if not typed:
        return []
    hits = search(ProductQuery(text, (ACTIVE,), limit=LOOKED_AT))
    found = [each for each in view.products(hits.ids) if each is not None]
    titles = [codec.title_of(each.body) for each in found]
    return [
        *(Suggestion(SuggestionKind.QUERY, each) for each in completions(read, titles, limit)),
        *_products(found, titles, limit),
        *(
            Suggestion(SuggestionKind.BRAND, each.text, count=each.count)
            for each in brands(typed, limit)
        ),
        *(
            Suggestion(SuggestionKind.CATEGORY, each.text, each.key, each.count)
            for each in categories(typed, limit)
        ),
    ]


def _products(found: Iterable[Stored], titles: Iterable[str], limit: int) -> list[Suggestion]:
    pairs = list(zip(found, titles, strict=True))[:limit]
    return [Suggestion(SuggestionKind.PRODUCT, title, each.id) for each, title in pairs]

"""What goes on from what was typed so far, and what is like a product: the same for every index.

Suggestions look at what a search for the words finds, the brands, and the categories. They cost one
search and a pass over the names of brands and categories, which are few beside products.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from vitrina.adapters import codec
from vitrina.adapters.index.rows import words
from vitrina.adapters.index.spelling import begin, begin_like, begins_like
from vitrina.domain.text import fold
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

WORDS_MAX: Final = 8
"""How many words of what was typed are looked at."""

WORDS_WORTH: Final = 0.6
CATEGORY_WORTH: Final = 0.2
BRAND_WORTH: Final = 0.1
PRICE_WORTH: Final = 0.1
"""What makes products alike: words of their titles, by rarity; and what they cost, half to double."""


@dataclass(frozen=True, slots=True)
class Name:
    """A brand or category, prepared to be looked for.

    Attributes:
        text: As it is written.
        words: Folded.
        count: How many active products have it.
        id: Of a category.
    """

    text: str
    words: tuple[str, ...]
    count: int
    id: str | None = None

    @classmethod
    def of(cls, text: str, count: int, category_id: str | None = None) -> "Name":
        """Prepare a name."""
        return cls(text, tuple(words(fold(text))), count, category_id)


def suggest(
    text: str,
    limit: int,
    *,
    search: Callable[[ProductQuery], Hits],
    view: CatalogView,
    brands: Iterable[Name],
) -> list[Suggestion]:
    """Return how what was typed may go on: queries, products, brands, categories."""
    typed = words(fold(text))[:WORDS_MAX]
    if not typed:
        return []
    hits = search(ProductQuery(text, (ACTIVE,), limit=LOOKED_AT))
    found = [each for each in view.products(hits.ids) if each is not None]
    titles = [str(codec.load(each.body)["title"]) for each in found]
    return [
        *_queries(typed, titles, limit),
        *_products(found, titles, limit),
        *_brands(typed, brands, limit),
        *_categories(typed, view, limit),
    ]


def _queries(typed: Sequence[str], titles: Iterable[str], limit: int) -> list[Suggestion]:
    """Complete the last word from the titles of what was found, the most frequent first."""
    *before, last = typed
    held: Counter[str] = Counter()
    for title in titles:
        held.update(set(words(fold(title))) - set(before))
    completions = {each: n for each, n in held.items() if each.startswith(last)} or {
        each: n for each, n in held.items() if begins_like(each, last)
    }
    best = sorted(completions.items(), key=lambda each: (-each[1], each[0]))[:limit]
    return [Suggestion(SuggestionKind.QUERY, " ".join([*before, word])) for word, _ in best]


def _products(found: Iterable[Stored], titles: Iterable[str], limit: int) -> list[Suggestion]:
    pairs = list(zip(found, titles, strict=True))[:limit]
    return [Suggestion(SuggestionKind.PRODUCT, title, each.id) for each, title in pairs]


def _brands(typed: Sequence[str], brands: Iterable[Name], limit: int) -> list[Suggestion]:
    found = _named(typed, brands)
    found.sort(key=lambda each: (-each.count, each.text))
    return [Suggestion(SuggestionKind.BRAND, each.text, count=each.count) for each in found[:limit]]


def _categories(typed: Sequence[str], view: CatalogView, limit: int) -> list[Suggestion]:
    counts = view.category_counts()
    names = [Name.of(each.name, counts.get(each.id, 0), each.id) for each in view.categories()]
    found = _named(typed, names)
    found.sort(key=lambda each: (-each.count, each.text, each.id or ""))
    return [
        Suggestion(SuggestionKind.CATEGORY, each.text, each.id, each.count)
        for each in found[:limit]
    ]


def _named(typed: Sequence[str], names: Iterable[Name]) -> list[Name]:
    """Return the names that begin as typed; where there are none, those with typos."""
    names = list(names)
    return [each for each in names if begin(each.words, typed)] or [
        each for each in names if begin_like(each.words, typed)
    ]

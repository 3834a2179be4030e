"""What a match is worth: the queries that the search engine scores by.

A product's score is the sum of whole numbers: for each word what it is worth to hold it at all, in the best
way, and more for each field that holds it, again in the best way; more for neighbours, a whole title, an
identifier. The engine multiplies it by the product's own weight (a short title weighs more).

Where every word is common, very many products match, and most of them only by their descriptions. Then
those that hold all words at the head of the title come first, then those that hold them in the title, then
the rest: three tiers, of which the next is only looked at when those before are not enough for the page.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from tantivy import DocAddress, Occur, Query

from vitrina.adapters.index.narrowing import Bonus, all_of, any_of, bonuses, scored
from vitrina.adapters.index.pages import Place, Ranked
from vitrina.adapters.index.planning import Vocabulary
from vitrina.adapters.index.plans import UNIT, Plan, Way, Word
from vitrina.adapters.index.walking import Walker

NEIGHBOURS_WORTH: Final = 1.0
WHOLE_TITLE_WORTH: Final = 500 * UNIT
IDENTIFIER_WORTH: Final = 1_000 * UNIT

SPARE: Final = 8
"""How many more of the best are asked for than needed, before and behind, for those that are worth the same."""

type _Worth = tuple[Query, float]


class Ranking:
    """What matches a plan and some filters, ranked by the engine."""

    def __init__(
        self, walker: Walker, vocabulary: Vocabulary, plan: Plan, filters: Query, *, counting: bool
    ) -> None:
        """Prepare to rank.

        Args:
            walker: Of the state of the index.
            vocabulary: Of that state.
            plan: What to look for.
            filters: Met by all that is read.
            counting: Whether to count what matches, where a page is found among all of it.
        """
        self._walker = walker
        self._vocabulary = vocabulary
        self._plan = plan
        self._filters = filters
        self._counting = counting and not plan.broad
        self.total: int | None = None
        """How many products match, once that was counted."""

    @property
    def tiers(self) -> int:
        """How many tiers there are: what is in one comes before all of the next."""
        return 3 if self._plan.broad else 1

    @property
    def numbers(self) -> tuple[int, ...]:
        """Those of the plan."""
        return self._plan.numbers

    def next(self, begin: Place, need: int) -> list[Ranked]:
        """Return what follows in the tier of a place: what is needed, or more, or all that is left."""
        query = self._query(begin.tier)
        seen = min(begin.seen, self._walker.searcher.num_docs)
        skipped = max(seen - SPARE, 0)
        asked, spare = seen - skipped + need + SPARE, SPARE
        while True:
            hits = self._best(query, skipped, asked)
            if skipped and (not hits or hits[0][0] <= begin.worth):
                # Fewer come before by now, or some that are worth as much do.
                spare *= 8
                before = max(skipped - spare, 0)
                skipped, asked = before, asked + skipped - before
            elif (found := self._following(hits, asked, need, begin)) is not None:
                return begin.before(found)
            else:
                asked *= 2

    def _best(self, query: Query, skipped: int, asked: int) -> Sequence[tuple[float, DocAddress]]:
        """Return so many of the best matches, without the very best."""
        # It looks at all matches anyway, so that counting them costs nothing.
        best = self._walker.searcher.search(
            query, asked, count=self._counting, offset=skipped, weight_by_field="boost"
        )
        if self._counting:
            self.total = best.count  # type: ignore[attr-defined] # as in narrowing.count
        return best.hits

    def _following(
        self, hits: Sequence[tuple[float, DocAddress]], asked: int, need: int, begin: Place
    ) -> list[Ranked] | None:
        """Return what follows a place among the best that were asked for; None when that does not tell."""
        later = [each for each in hits if each[0] <= begin.worth]
        need += sum(worth == begin.worth for worth, _ in later)
        if len(hits) == asked and (len(later) < need or later[need - 1][0] == hits[-1][0]):
            return None  # Others may be worth as much.
        # Those that are worth as much as the last one needed come along: the ids decide.
        least = later[need - 1][0] if need <= len(later) else -math.inf
        page = [each for each in later if each[0] >= least]
        ids = self._walker.ids([address for _, address in page])
        return [(worth, each) for (worth, _), each in zip(page, ids, strict=True)]

    def _query(self, tier: int) -> Query:
        """Return what is in a tier and meets the filters, each match with what it is worth."""
        required = all_of([self._tier(tier), self._filters])
        constant, added = self._worths()
        return scored(required, constant, added)

    def _tier(self, tier: int) -> Query:
        match = self._vocabulary.match(self._plan)
        if not self._plan.broad:
            return match
        headed = all_of([self._vocabulary.headed(word) for word in self._plan.words])
        titled = all_of([_titled(self._vocabulary.ways(word)) for word in self._plan.words])
        narrower = [headed, titled, match]
        return _but(narrower[tier], narrower[:tier])

    def _worths(self) -> tuple[float, list[Bonus]]:
        """Return what all matches are worth, and what adds to that."""
        plan, vocabulary = self._plan, self._vocabulary
        all_required = plan.all_needed and not plan.codes
        # What holds any one of the words is just the union of what is scored.
        wide = plan.needed == 1 and len(plan.words) > 1
        constant = 0.0
        added: list[Bonus] = []
        for word in plan.words:
            least, of_word = word_worth(vocabulary, word, required=all_required, wide=wide)
            constant += least
            added += of_word
        optional = [(each.query, each.worth) for each in extras(vocabulary, plan)]
        optional += [(vocabulary.term("codes", each), IDENTIFIER_WORTH) for each in plan.codes]
        return constant, [*added, *bonuses(optional, wide=wide)]


class Extra(NamedTuple):
    """What a product is worth more for, beside the words that it holds.

    Attributes:
        name: The same whenever it is asked for.
        query: What meets it.
        worth: How much more.
    """

    name: tuple[str, ...]
    query: Query
    worth: float


def extras(vocabulary: Vocabulary, plan: Plan) -> Iterator[Extra]:
    """Yield what makes matches of a plan worth more, if anything in the catalog does."""
    for pair in dict.fromkeys(pairwise(plan.sequence)):
        for query in vocabulary.beside(pair):
            yield Extra(pair, query, NEIGHBOURS_WORTH * UNIT)
    for query in vocabulary.titled(plan.title):
        yield Extra((plan.title,), query, WHOLE_TITLE_WORTH)


def word_query(vocabulary: Vocabulary, word: Word) -> Query:
    """Return what holds a word, each match with what that is worth."""
    least, added = word_worth(vocabulary, word, required=True, wide=True)
    return scored(vocabulary.held(word), least, added)


def word_worth(
    vocabulary: Vocabulary, word: Word, *, required: bool, wide: bool
) -> tuple[float, Sequence[Bonus]]:
    """Return what it is worth at least to hold a word, and what adds to that."""
    return vocabulary.bonuses.find(
        (word, required, wide),
        lambda: _word_worth(word, vocabulary.ways(word), required=required, wide=wide),
    )


def _word_worth(
    word: Word, ways: Sequence[Way], *, required: bool, wide: bool
) -> tuple[float, Sequence[Bonus]]:
    held = [(way.matched, word.worth(share=way.share)) for way in ways]
    least = 0.0
    if required:
        least = min(worth for _, worth in held)
        held = [(query, worth - least) for query, worth in held if worth > least]
    optional = [*_best(held)]
    for worths in _by_field(word, ways):
        optional += _best(worths)
    return least, bonuses(optional, wide=wide)


def _titled(ways: Iterable[Way]) -> Query:
    return any_of([query for way in ways for field, query in way.fields if field == "title"])


def _by_field(word: Word, ways: Iterable[Way]) -> Iterable[list[_Worth]]:
    """Return for each field the ways in which it may hold a word, and what they are worth."""
    worths: dict[str, list[_Worth]] = {}
    for way in ways:
        for name, query in way.fields:
            worths.setdefault(name, []).append((query, word.worth(name, way.share)))
    return worths.values()


def _best(worths: Sequence[_Worth]) -> Iterator[_Worth]:
    """Yield each query without what a better one finds, so that only the best counts."""
    better: list[Query] = []
    for query, worth in sorted(worths, key=lambda each: -each[1]):
        yield _but(query, better), worth
        better.append(query)


def _but(query: Query, others: Iterable[Query]) -> Query:
    """Return what meets *query* and none of the others, which are looked at one by one."""
    for each in others:
        query = Query.boolean_query([(Occur.Must, query), (Occur.MustNot, each)])
    return query

"""What a match is worth: the queries that the search engine scores by, and pages of the best.

A product's score is the sum of whole numbers: for each word what it is worth to hold it at all, in the best
way, and more for each field that holds it, again in the best way; more for neighbours, a whole title, an
identifier. The engine multiplies it by the product's own weight (a short title weighs more).

Where every word is common, very many products match, and most of them only by their descriptions. Then
those that hold all words at the head of the title come first, then those that hold them in the title, then
the rest: three tiers, of which the next is only looked at when those before are not enough for the page.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, NamedTuple

from tantivy import Occur, Query

from vitrina.adapters.index.narrowing import Bonus, all_of, any_of, bonuses, scored
from vitrina.adapters.index.planning import Vocabulary
from vitrina.adapters.index.plans import UNIT, Plan, Way, Word
from vitrina.adapters.index.walking import Walker
from vitrina.domain.errors import BadCursor
from vitrina.service_layer.queries import Position, ProductQuery

NEIGHBOURS_WORTH: Final = 1.0
WHOLE_TITLE_WORTH: Final = 500 * UNIT
IDENTIFIER_WORTH: Final = 1_000 * UNIT

SPARE: Final = 8
"""How many more of the best are asked for than needed, for those that are worth the same."""

type _Worth = tuple[Query, float]


class Ranking:
    """Makes the queries that rank what matches a plan."""

    def __init__(self, vocabulary: Vocabulary, plan: Plan) -> None:
        self._vocabulary = vocabulary
        self._plan = plan

    @property
    def tiers(self) -> int:
        """How many tiers there are: what is in one comes before all of the next."""
        return 3 if self._plan.broad else 1

    @property
    def numbers(self) -> tuple[int, ...]:
        """Those of the plan."""
        return self._plan.numbers

    def query(self, tier: int, filters: Query) -> Query:
        """Return what is in a tier and meets the filters, each match with what it is worth."""
        required = all_of([self._tier(tier), filters])
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
            least, of_word = vocabulary.bonuses.find(
                (word, all_required, wide),
                partial(self._word_worth, word, required=all_required, wide=wide),
            )
            constant += least
            added += of_word
        pairs = dict.fromkeys(zip(plan.sequence, plan.sequence[1:], strict=False))
        optional = [
            (beside, NEIGHBOURS_WORTH * UNIT)
            for each in pairs
            for beside in vocabulary.beside(each)
        ]
        optional += [(each, WHOLE_TITLE_WORTH) for each in vocabulary.titled(plan.title)]
        optional += [(vocabulary.term("codes", each), IDENTIFIER_WORTH) for each in plan.codes]
        return constant, [*added, *bonuses(optional, wide=wide)]

    def _word_worth(
        self, word: Word, *, required: bool, wide: bool
    ) -> tuple[float, Sequence[Bonus]]:
        """Return what it is worth at least to hold a word, and what adds to that."""
        ways = self._vocabulary.ways(word)
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


@dataclass(frozen=True, slots=True)
class _Place:
    """A place in the order of the matches.

    Attributes:
        tier: It is in.
        seen: About how many matches of the tier come before, it included.
        worth: Of the product there.
        id: Of that product.
    """

    tier: int = 0
    seen: int = 0
    worth: float = math.inf
    id: str = ""


class RankedPage(NamedTuple):
    """A page of the best.

    Attributes:
        ids: Of its products.
        following: Where it ends, if there is more.
        total: How many products match, where that was counted.
    """

    ids: list[str]
    following: Position | None
    total: int | None


@dataclass(frozen=True, slots=True)
class RankedPages:
    """Reads pages of the best matches, tier after tier; what is worth the same comes in the order of ids.

    A position in the order is the id and the worth of the last product, how many came before it in which
    tier, and the numbers of the plan.

    Attributes:
        walker: Of the state of the index.
        ranking: Of the plan.
        filters: Met by all that is read.
        counting: Whether to count what matches, where a page is found among all of it.
    """

    walker: Walker
    ranking: Ranking
    filters: Query
    counting: bool = False
    _counted: list[int] = field(default_factory=list)

    def page(self, query: ProductQuery) -> RankedPage:
        """Return the page that a query asks for.

        Raises:
            BadCursor: It is to begin at a position that is not one of this order.
        """
        start = _Place() if query.after is None else self._read(query.after)
        need = query.limit + 1
        found: list[_Place] = []
        for tier in range(start.tier, self.ranking.tiers):
            begin = start if tier == start.tier else _Place(tier)
            found += self._next(begin, need - len(found))
            if len(found) >= need:
                last = found[query.limit - 1]
                position: Position = (
                    last.id,
                    last.worth,
                    last.seen,
                    last.tier,
                    *self.ranking.numbers,
                )
                return RankedPage([each.id for each in found[: query.limit]], position, self._total)
        return RankedPage([each.id for each in found], None, self._total)

    @property
    def _total(self) -> int | None:
        return self._counted[0] if self._counted else None

    def _read(self, position: Position) -> _Place:
        match position:
            case (str(last_id), float() | int() as worth, int(seen), int(tier), *_):
                if seen >= 0 and 0 <= tier < self.ranking.tiers:
                    return _Place(tier, seen, worth, last_id)
        raise BadCursor

    def _next(self, begin: _Place, need: int) -> list[_Place]:
        """Return what follows in the tier of a place: what is needed, or more, or all that is left."""
        query = self.ranking.query(begin.tier, self.filters)
        asked = min(begin.seen, self.walker.searcher.num_docs) + need + SPARE
        while (found := self._best(query, asked, need, begin)) is None:
            asked *= 2
        return [
            _Place(begin.tier, begin.seen + n, worth, product_id)
            for n, (worth, product_id) in enumerate(found, 1)
        ]

    def _best(
        self, query: Query, asked: int, need: int, begin: _Place
    ) -> list[tuple[float, str]] | None:
        """Return what follows a place among so many of the best; None when that does not tell."""
        # It looks at all matches anyway, so that counting them costs nothing.
        counting = self.counting and self.ranking.tiers == 1
        best = self.walker.searcher.search(query, asked, count=counting, weight_by_field="boost")
        if counting:
            self._counted.append(best.count)  # type: ignore[attr-defined] # as in narrowing.count
        hits = best.hits
        later = [each for each in hits if each[0] <= begin.worth]
        need += sum(worth == begin.worth for worth, _ in later)
        if len(hits) == asked and (len(later) < need or later[need - 1][0] == hits[-1][0]):
            return None  # Others may be worth as much.
        # Those that are worth as much as the last one needed come along: the ids decide.
        least = later[need - 1][0] if need <= len(later) else -math.inf
        page = [each for each in later if each[0] >= least]
        ids = self.walker.ids([address for _, address in page])
        found = [
            (worth, each)
            for (worth, _), each in zip(page, ids, strict=True)
            if worth != begin.worth or each > begin.id
        ]
        return sorted(found, key=lambda each: (-each[0], each[1]))

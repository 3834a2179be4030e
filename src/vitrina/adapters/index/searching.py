"""One search on one state of the index: its page, its total, its facets."""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Final

from tantivy import Query

from vitrina.adapters.index.explanations import explanation, highlights, meant_by, reasons
from vitrina.adapters.index.matches import Matches
from vitrina.adapters.index.narrowing import all_of, count
from vitrina.adapters.index.pages import Page, page_of
from vitrina.adapters.index.planning import ENOUGH
from vitrina.adapters.index.plans import Plan
from vitrina.adapters.index.ranking import Ranking
from vitrina.adapters.index.sorting import Sorting
from vitrina.adapters.index.state import FACTS_MAX, Question, State
from vitrina.adapters.index.tallies import Counted
from vitrina.adapters.index.walking import Walker
from vitrina.domain.errors import BadCursor
from vitrina.service_layer.documents import Document, Json
from vitrina.service_layer.ports import CatalogView, Stored
from vitrina.service_layer.queries import (
    Facet,
    Filter,
    Hits,
    ProductQuery,
)

DEAR: Final = 1_000
"""Where each of a few words is held by so many products, those that hold all are sought only once."""

FEW: Final = 4
"""How many words these are at most."""

LONG: Final = 50_000
"""Where a word is held by so many products, the engine takes milliseconds to rank what matches, and as long again
to count it or its facets: both are done at once."""

ANSWERS_MAX: Final = 256
"""How many whole answers are kept until the next change."""

_ALWAYS_SET: Final = frozenset({"id", "title"})


class Search:
    """One search on one state of the index."""

    def __init__(self, state: State, view: CatalogView, query: ProductQuery) -> None:
        self._state = state
        self._view = view
        self._query = query
        self._plan: Plan | None = None
        self._totals: dict[Question, int] = {}
        self._counted: dict[tuple[int, ...], Counted] = {}
        self._found: Matches | None = None
        self._narrowed: Matches | None = None
        self._whole: Query | None = None
        self._ranked: Future[Page] | None = None

    def hits(self) -> Hits:
        """Return the page that was asked for.

        Raises:
            BadCursor: It is to begin at a position that is not one of this order.
            Moved: A product was deleted meanwhile.
        """
        known = self._state.answers.get(self._query)
        if known is not None:
            return known
        hits = self._find()
        if len(self._state.answers) < ANSWERS_MAX:
            self._state.answers[self._query] = hits
        return hits

    def _find(self) -> Hits:
        plan = self._planned()
        if plan is not None:
            self._follow(plan)
        by_worth = plan is not None and self._query.order.field == "relevance"
        # Where the page is being ranked beside, this goes on meanwhile.
        told = None if self._ranked is None else self._facets()
        ids, following = self._by_worth() if by_worth else self._by_field()
        facets, stats = told or self._facets()
        hits = Hits(tuple(ids), self._total(), following, facets, stats)
        return self._noted(hits)

    @property
    def _continues(self) -> bool:
        """Whether this goes on with an answer that was begun with a plan of its own."""
        return self._query.after is not None and self._query.order.field == "relevance"

    def _follow(self, plan: Plan) -> None:
        """Look for what a plan says; where too few products hold all words, for what holds some."""
        self._plan = plan
        relaxing = plan.needed > 1 and not self._continues
        self._found = self._state.matching.matches(plan, relaxing=relaxing)
        if self._found is not None:
            self._plan = self._found.plan
            self._narrowed = self._narrow(self._query.filters)
            return
        if (relaxing or self._plain_facets()) and self._is_long(plan):
            ranking = self._ranking(plan, counting=False)
            self._ranked = self._state.beside.submit(page_of, ranking, self._query)
        if relaxing and not self._finds_enough(plan):
            if self._ranked is not None:
                self._ranked.cancel()  # If it waits for a thread yet, others need not wait for it.
                self._ranked = None
            self._plan = self._state.vocabulary.relaxed(plan)
            self._whole = None

    def _is_long(self, plan: Plan) -> bool:
        """Say whether it takes the engine long to find what matches a plan, and this is to be ranked."""
        by_worth = self._query.order.field == "relevance"
        return by_worth and self._state.vocabulary.commonest(plan) >= LONG

    def _narrow(self, filters: Sequence[Filter]) -> Matches | None:
        """Return what of the matches that are known meets filters; None where the engine is to be asked."""
        if self._found is None:
            return None
        return self._state.matching.narrowed(self._found, self._telling(filters))

    def _finds_enough(self, plan: Plan) -> bool:
        """Say whether enough products hold all words of a plan, whatever the filters leave of them."""
        # Of few products it is far sooner told how many they are than what facets they have.
        many = len(plan.words) <= FEW and self._state.vocabulary.rarest(plan) >= DEAR
        if self._plain_facets() and not many:
            total = count(self._state.searcher, self._matched())
        else:
            total = self._total()
        if total >= ENOUGH:
            return True
        if not self._telling(self._query.filters):
            return False
        return count(self._state.searcher, self._state.vocabulary.match(plan)) >= ENOUGH

    def _noted(self, hits: Hits) -> Hits:
        """Return the page with the notes that were asked for."""
        query, plan, tree = self._query, self._plan, self._state.narrowing.tree
        if not (query.highlight or query.explain) and query.why_not is None:
            return hits
        meant = None if plan is None else meant_by(plan, self._state.vocabulary.analyzer)
        found = zip(hits.ids, self._view.products(hits.ids), strict=True)
        known = {key: each for key, each in found if each is not None}
        if meant is not None and plan is not None:
            if query.highlight:
                marked = {key: highlights(each, meant) for key, each in known.items()}
                hits = replace(hits, highlights=marked)
            if query.explain:
                asked = [each.text for each in plan.asked]
                told = {key: explanation(each, tree, asked, meant) for key, each in known.items()}
                hits = replace(hits, explanations=told)
        if query.why_not is not None:
            (stored,) = self._view.products([query.why_not])
            missing: list[str] = []
            if stored is not None and plan is not None and meant is not None:
                missing = self._missing(stored, plan)
            why = reasons(query.why_not, stored, tree, query.filters, missing)
            hits = replace(hits, why_not=why)
        return hits

    def _missing(self, stored: Stored, plan: Plan) -> list[str]:
        """Return the words of a plan that a product lacks, when it does not match for that."""
        itself = self._state.narrowing.term("id", stored.id)
        if count(self._state.searcher, all_of([itself, self._state.vocabulary.match(plan)])):
            return []
        return [
            word.text
            for word in plan.asked
            if not count(self._state.searcher, all_of([itself, self._state.vocabulary.held(word)]))
        ]

    def _planned(self) -> Plan | None:
        text = self._query.text
        if text is None:
            return None
        if not self._continues:
            return self._state.vocabulary.plan(text)
        match self._query.after:
            case (str(), float() | int(), int(), int(), *numbers):
                whole = [each for each in numbers if isinstance(each, int)]
                if len(whole) == len(numbers):
                    return self._state.vocabulary.plan(text, whole)
        raise BadCursor

    def _matched(self) -> Query:
        """Return what matches."""
        if self._whole is None:
            self._whole = self._base(self._query.filters)
        return self._whole

    def _base(self, filters: Sequence[Filter]) -> Query:
        narrowed = self._state.narrowing.query(self._telling(filters))
        if self._plan is None:
            return narrowed
        return all_of([self._state.vocabulary.match(self._plan), narrowed])

    def _telling(self, filters: Sequence[Filter]) -> list[Filter]:
        """Return the filters that leave something out."""
        return [each for each in filters if not self._state.is_met_by_all(each)]

    @property
    def _question(self) -> Question:
        numbers = () if self._plan is None else self._plan.numbers
        return self._query.text, self._query.filters, numbers

    def _is_counted(self) -> bool:
        """Say whether the total is known, or is told with the facets."""
        return self._known_total() is not None or bool(self._plain_facets())

    def _known_total(self) -> int | None:
        if self._narrowed is not None:
            return self._narrowed.total
        asked = self._question
        return self._totals.get(asked, self._state.totals.get(asked))

    def _keep_total(self, total: int) -> None:
        asked = self._question
        self._totals[asked] = total
        if len(self._state.totals) < FACTS_MAX:
            self._state.totals[asked] = total

    def _total(self) -> int:
        total = self._known_total()
        if total is None:
            total = self._counted_total()
            self._keep_total(total)
        return total

    def _counted_total(self) -> int:
        if self._plain_facets():
            return self._tallied().total
        return count(self._state.searcher, self._matched())

    def _plain_facets(self) -> list[Facet]:
        """Return the facets that all filters narrow."""
        narrowed = {each.field for each in self._query.filters}
        return [each for each in self._query.facets if each.field not in narrowed]

    def _tallied(self) -> Counted:
        """Return what is counted of all that matches."""
        numbers = () if self._plan is None else self._plan.numbers
        counted = self._counted.get(numbers)
        if counted is None:
            counted = self._counted[numbers] = self._count(
                self._query.filters, self._plain_facets(), self._narrowed
            )
        return counted

    def _count(
        self, filters: Sequence[Filter], facets: Sequence[Facet], matches: Matches | None
    ) -> Counted:
        """Count facets of what meets some filters.

        Args:
            filters: These.
            facets: To be counted.
            matches: What meets them, where that is known.
        """
        if matches is None:
            return self._state.tally.count(self._base(filters), facets)
        told = self._state.columns.tell(matches.documents, facets)
        rest = [each for each in facets if each.field not in told]
        counted = Counted(matches.total, {}, {})
        if rest:
            counted = self._state.tally.count(self._base(filters), rest)
        found = {field: facet for field, (facet, _) in told.items()}
        stats = {field: each for field, (_, each) in told.items() if each is not None}
        return Counted(counted.total, {**counted.facets, **found}, {**counted.stats, **stats})

    def _facets(self) -> tuple[dict[str, Json], dict[str, Document]]:
        filters, plain = self._query.filters, self._plain_facets()
        facets: dict[str, Json] = {}
        stats: dict[str, Document] = {}
        counted = [self._tallied()] if plain else []
        for facet in self._query.facets:
            if facet not in plain:
                others = [each for each in filters if each.field != facet.field]
                counted.append(self._count(others, [facet], self._narrow(others)))
        for each in counted:
            facets |= each.facets
            stats |= each.stats
        ordered = {each.field: facets[each.field] for each in self._query.facets}
        return ordered, stats

    def _by_worth(self) -> Page:
        plan = self._plan
        assert plan is not None  # noqa: S101 - nothing else is ranked
        if self._narrowed is not None:
            return page_of(self._narrowed, self._query)
        if self._ranked is not None and not self._ranked.cancel():
            return self._ranked.result()
        # Where no thread has been free for it, it is not waited for.
        ranking = self._ranking(plan, counting=not self._is_counted())
        page = page_of(ranking, self._query)
        if ranking.total is not None:
            self._keep_total(ranking.total)
        return page

    def _ranking(self, plan: Plan, *, counting: bool) -> Ranking:
        return Ranking(
            Walker(self._state.searcher, self._state.narrowing.schema, self._state.prefix),
            self._state.vocabulary,
            plan,
            self._state.narrowing.query(self._telling(self._query.filters)),
            counting=counting,
        )

    def _by_field(self) -> Page:
        numbers = () if self._plan is None else self._plan.numbers
        sorting = Sorting(self._state, self._view, self._query, self._base, numbers)
        page = sorting.page()
        if sorting.total is not None:
            self._keep_total(sorting.total)
        return page

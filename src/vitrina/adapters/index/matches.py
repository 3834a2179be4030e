"""What matches a plan, and what it is worth, as a sum of what is kept of its words.

It finds what :mod:`~vitrina.adapters.index.ranking` makes the engine find, to the last bit: a page that was begun by
one may be gone on with by the other. Sums are whole numbers, and the weight they are multiplied by is the engine's own.

What matches holds at least one word that is not common, if there is such a word. So the few products that do
are looked at for all else, and what holds a common word is never gone through as a whole.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vitrina.adapters.index.documents import Documents, Places
from vitrina.adapters.index.filling import Columns
from vitrina.adapters.index.holdings import ONE, Holding, Holdings, Worths
from vitrina.adapters.index.pages import Place, Ranked
from vitrina.adapters.index.planning import ENOUGH, RARITY_MAX
from vitrina.adapters.index.plans import UNIT, Plan
from vitrina.service_layer.queries import Filter

FAR: Final = 4
"""Where so many times more products hold something than are looked at, those are looked up among them."""

type Scores = NDArray[np.float32]


class _Part(NamedTuple):
    """Documents, by the numbers that arrays are read by soonest, and what something is worth to each."""

    documents: Places
    worths: Worths


@dataclass(frozen=True, slots=True)
class Matches:
    """What matches a plan, ranked.

    Attributes:
        plan: It.
        known: All documents of the state.
        documents: That match, in no order.
        scores: What each of them is worth.
    """

    plan: Plan
    known: Documents
    documents: Places
    scores: Scores

    @property
    def total(self) -> int:
        """How many they are."""
        return len(self.documents)

    @property
    def tiers(self) -> int:
        """All are in one."""
        return 1

    @property
    def numbers(self) -> tuple[int, ...]:
        """Those of the plan."""
        return self.plan.numbers

    def next(self, begin: Place, need: int) -> list[Ranked]:
        """Return what follows a place: what is needed, or more, or all that is left."""
        documents, scores = self.documents, self.scores
        if begin.worth < math.inf:
            worth = np.float64(begin.worth)
            later = scores <= worth
            documents, scores = documents[later], scores[later]
            need += int(np.count_nonzero(scores == worth))
        if len(scores) > need:
            # Those that are worth as much as the last one needed come along: the ids decide.
            best = scores >= _greatest(scores, need)
            documents, scores = documents[best], scores[best]
        return begin.before(zip(scores.tolist(), self.known.ids(documents), strict=True))


class Matching:
    """Finds what matches on one state of the index. Safe to use from several threads."""

    def __init__(self, holdings: Holdings, columns: Columns) -> None:
        self._holdings = holdings
        self._columns = columns
        self._sums: list[Worths] = []

    def matches(self, plan: Plan, *, relaxing: bool) -> Matches | None:
        """Return what matches a plan; None where the engine is to be asked, as too little of it is kept.

        Args:
            plan: What to look for.
            relaxing: Whether to look for fewer words where too few products hold all.
        """
        words, known = plan.words, self._holdings.documents
        if (
            plan.broad
            or not words
            or not all(0 <= each.rarity <= RARITY_MAX * UNIT for each in words)
        ):
            return None
        if not relaxing and not 0 < plan.needed <= len(words):
            return None
        held = self._holdings.words(words)
        extras = None if held is None else self._holdings.extras(plan)
        if held is None or extras is None:
            return None
        telling = [each for word, each in zip(words, held, strict=True) if not word.common] or held
        if len(telling) < len(held):
            extras += [each for word, each in zip(words, held, strict=True) if word.common]
        if plan.codes:
            identified = self._holdings.identified(plan.codes)
            if identified is None:
                return None
            telling = [*telling, identified]
        documents, sums = self._add(telling, extras)
        if relaxing and plan.needed > 1 and np.count_nonzero(sums >= plan.needed * ONE) < ENOUGH:
            plan = replace(plan, needed=_needed(plan, sums))
        if plan.needed > 1:
            enough = sums >= plan.needed * ONE
            documents, sums = documents[enough], sums[enough]
        scores = (sums & (ONE - 1)).astype(np.float32) * known.weights(documents)
        return Matches(plan, known, documents, scores)

    def narrowed(self, matches: Matches, filters: Iterable[Filter]) -> Matches | None:
        """Return what of the matches meets filters; None where the engine is to be asked."""
        met: NDArray[np.bool_] | None = None
        for each in filters:
            these = self._columns.meet(matches.documents, each)
            if these is None:
                meeting = self._holdings.meeting(each)
                if meeting is None:
                    return None
                these = meeting[matches.documents]
            met = these if met is None else met & these
        if met is None:
            return matches
        return replace(matches, documents=matches.documents[met], scores=matches.scores[met])

    def _add(self, telling: Sequence[Holding], extras: Sequence[Holding]) -> tuple[Places, Worths]:
        """Return each document that is in one of the telling holdings, and what it is worth in all.

        Args:
            telling: At least one.
            extras: Which add to the worth of these documents, and to that of no others.
        """
        try:
            sums = self._sums.pop()
        except IndexError:
            sums = np.zeros(self._holdings.documents.size, np.int32)
        many = FAR * sum(each.size for each in telling)
        parts = [_Part(each.documents.astype(np.intp), each.worths) for each in telling]
        near = [
            _Part(each.documents.astype(np.intp), each.worths)
            for each in extras
            if each.size <= many
        ]
        for documents, worths in (*parts, *near):
            np.add.at(sums, documents, worths)
        found: list[_Part] = []
        for documents, _ in parts:
            # What was read is forgotten at once, so that each document counts where it is first.
            added = sums[documents]
            sums[documents] = 0
            first = added != 0
            found.append(
                _Part(documents[first], added[first]) if found else _Part(documents, added)
            )
        for documents, _ in near:
            sums[documents] = 0
        self._sums.append(sums)
        everything, totals = map(np.concatenate, zip(*found, strict=True))
        for each in extras:
            if each.size > many:
                totals += _looked_up(each, everything)
        return everything, totals


def _greatest[Number: np.generic](numbers: NDArray[Number], place: int) -> Number:
    """Return the number that is at a place, counted from 1, when the greatest comes first."""
    ordered = numbers.copy()
    ordered.partition(len(numbers) - place)
    found: Number = ordered[len(numbers) - place]
    return found


def _looked_up(holding: Holding, documents: Places) -> Worths:
    """Return what a holding is worth to documents."""
    places = holding.documents.searchsorted(documents)
    places[places == holding.size] = 0
    return np.where(holding.documents[places] == documents, holding.worths[places], np.int32(0))


def _needed(plan: Plan, sums: Worths) -> int:
    """Return how many words of a plan enough products hold; of these sums, what is not worth a word is below."""
    if len(plan.words) == 2 or not len(sums):  # noqa: PLR2004 - too few hold both
        return 1
    held = (sums >> 24) & 63
    return max(1, int(_greatest(held, min(ENOUGH, len(held)))))

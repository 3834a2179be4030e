"""Pages, and of the best matches the positions between them.

A position in the order is the id and the worth of the last product, how many came before it in which
tier, and the numbers of the plan.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from operator import itemgetter
from typing import Final, NamedTuple, Protocol

from vitrina.domain.errors import BadCursor
from vitrina.service_layer.queries import Position, ProductQuery

type Ranked = tuple[float, str]
"""What a product is worth, and its id."""

_WORTH: Final = itemgetter(0)
_ID: Final = itemgetter(1)


@dataclass(frozen=True, slots=True)
class Place:
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

    def before(self, found: Iterable[Ranked]) -> list[Ranked]:
        """Return those of some products that come after this place, in order.

        Args:
            found: None of them is worth more than the product here.
        """
        later = [each for each in found if each[0] != self.worth or each[1] > self.id]
        later.sort(key=_ID)
        later.sort(
            key=_WORTH, reverse=True
        )  # Those that are worth the same stay in the order of ids.
        return later


class Ranking(Protocol):
    """What matches, in the order of what it is worth; what is worth the same in the order of ids."""

    @property
    def tiers(self) -> int:
        """How many tiers there are: what is in one comes before all of the next."""

    @property
    def numbers(self) -> tuple[int, ...]:
        """Those of the plan."""

    def next(self, begin: Place, need: int) -> list[Ranked]:
        """Return what follows in the tier of a place: what is needed, or more, or all that is left."""


class Page(NamedTuple):
    """A page.

    Attributes:
        ids: Of its products.
        following: Where it ends, if there is more.
    """

    ids: list[str]
    following: Position | None


def page_of(ranking: Ranking, query: ProductQuery) -> Page:
    """Return the page that a query asks for, read tier after tier.

    Raises:
        BadCursor: It is to begin at a position that is not one of this order.
    """
    begin = Place() if query.after is None else _read(query.after, ranking.tiers)
    limit, found, end = query.limit, list[Ranked](), (0, 0)
    while True:
        first = len(found)
        found += ranking.next(begin, limit + 1 - first)
        if first < limit <= len(found):
            end = begin.seen + limit - first, begin.tier  # Of the last product of the page.
        if len(found) > limit or begin.tier + 1 == ranking.tiers:
            break
        begin = Place(begin.tier + 1)
    ids = [each for _, each in found[:limit]]
    if len(found) <= limit:
        return Page(ids, None)
    return Page(ids, (ids[-1], found[limit - 1][0], *end, *ranking.numbers))


def _read(position: Position, tiers: int) -> Place:
    match position:
        case (str(last_id), float() | int() as worth, int(seen), int(tier), *_):
            if seen >= 0 and 0 <= tier < tiers:
                return Place(tier, seen, worth, last_id)
    raise BadCursor

"""The brands and categories of a catalog, ready to be looked for while the catalog changes."""

from collections.abc import Callable, Mapping
from weakref import ref

from vitrina.adapters.index.advice import ACTIVE
from vitrina.adapters.index.names import Counted, Names
from vitrina.adapters.index.state import State
from vitrina.domain.category import CategoryTree


class Directory:
    """Remembers what was asked for last, and makes anew only what has changed since."""

    def __init__(self) -> None:
        nothing = Counted(Names({}), {})
        # Each is replaced as a whole: who reads it beside somebody who replaces it sees one or the other.
        # The state itself is not held: what it remembers is much, and it may long have been replaced.
        self._brands: tuple[Callable[[], State | None], Counted] = (lambda: None, nothing)
        self._categories: tuple[CategoryTree | None, Counted] = (None, nothing)

    def brands(self, state: State) -> Counted:
        """Return the brands of the active products of a state, counted when they are first asked for."""
        known_of, known = self._brands
        if known_of() is not state:
            active = state.narrowing.query((ACTIVE,))
            counts = state.tally.terms(active, "brand")
            if counts != known.counts:
                known = Counted(known.names.renewed({each: each for each in counts}), counts)
            self._brands = (ref(state), known)
        return known

    def categories(self, tree: CategoryTree, counts: Mapping[str, int]) -> Counted:
        """Return the categories of a tree, with how many active products are in the subtree of each."""
        known_of, known = self._categories
        if known_of is not tree or known.counts is not counts:
            names = known.names
            if known_of is not tree:
                names = names.renewed({each.id: each.name for each in tree.by_id.values()})
            known = Counted(names, counts)
            self._categories = (tree, known)
        return known

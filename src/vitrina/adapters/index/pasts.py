"""Whether an index is of this catalog's past: what it holds is what the catalog held at that change.

A journal that was deleted and begun anew counts its changes from 1 again.
"""

from hashlib import blake2b
from typing import Final

from tantivy import Query

from vitrina.adapters.index.slots import Note
from vitrina.adapters.index.state import State
from vitrina.adapters.index.walking import ID_PATHS, Walker
from vitrina.domain.errors import ChangesGone
from vitrina.service_layer.changes import Change
from vitrina.service_layer.ports import CatalogView, ChangeLog

SAMPLE: Final = 100
"""How many of the first and of the last products are looked for in the catalog when an index is opened."""


def mark_of(change: Change) -> str:
    """Return what tells a change from another one that has its number in another past."""
    told = f"{change.at.isoformat()} {change.type} {change.id} {change.version}"
    return blake2b(told.encode(), digest_size=8).hexdigest()


def mark_at(log: ChangeLog, seq: int) -> str:
    """Return the mark of the change of a number; "" where it is not known."""
    try:
        changes = log.changes(seq - 1, limit=1) if seq else ()
    except ChangesGone:
        return ""
    return next((mark_of(each) for each in changes if each.seq == seq), "")


def is_of_this_past(note: Note, state: State, view: CatalogView, log: ChangeLog) -> bool:
    """Say whether an index holds what the catalog held after the change it ends with.

    Where the change is no longer kept, it must do that as many products of the index as are looked
    at are there.

    Args:
        note: About the index.
        state: Of the index.
        view: The catalog.
        log: Its changes.
    """
    mark = mark_at(log, note.seq)
    if mark and note.mark:
        return mark == note.mark
    if note.seq < view.seq:
        return True  # What follows is kept, or there is too much of it.
    walker = Walker(state.searcher, state.narrowing.schema, state.prefix)
    found = [
        each.id
        for order in ID_PATHS.values()
        for each in walker.page(Query.all_query(), order, SAMPLE)
    ]
    return None not in view.products(found)

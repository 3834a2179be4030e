"""The durable store: a journal, snapshots of it, and in memory what was changed since the last one.

Everything is in the folder ``.vitrina`` beside the product file:

``lock``
    Held by the service that has the catalog open (:mod:`.lock`). Losing it costs nothing.
``run/``
    Locks and numbers that the processes of that service share (:mod:`.presence`, :mod:`.marks`).
    Losing it costs nothing while nobody has the catalog open.
``journal/0000000000000001.jsonl`` …
    Every change, in order (:mod:`.segments`, :mod:`.record`). Losing the newest file loses the
    writes since the last snapshot; losing older ones shortens the change feed.
``snapshot-0000000000048211.jsonl``
    The whole catalog after a change (:mod:`.snapshot`); products are looked up in it. Losing it
    costs a longer start, as long as the journal reaches back to an older one or to change 1.
``snapshot-0000000000048211.keys``
    Where each product is in that snapshot (:mod:`.keys`). Losing it costs some seconds at the start.
``aside/``
    What a start cut off or set aside. Never read; delete it when you have looked.
``base/``
    The person's files as they were when they were last in step with the catalog
    (:mod:`vitrina.adapters.projection`).

Deleting the whole folder leaves the product file: the catalog starts again from it, with new
versions and an empty change feed.
"""

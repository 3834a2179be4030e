"""Keeps the catalog and its person's files in step, in both directions.

The service compares a file with its *base*: the exact bytes that it had when file and catalog were
last in step (:mod:`.base`). Where they differ, somebody edited the file; the edits become ordinary
changes of the catalog (:mod:`.products`, :mod:`.categories`). Then what others changed in the
catalog is written into the file, which is replaced in one step and only if nobody has touched it
since it was read (:mod:`.projector`).

A crash at any point does no harm: what is in the file and in the catalog alike is no edit, and what
was not written yet is written at the next start.
"""

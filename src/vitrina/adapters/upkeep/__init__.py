"""Looking after a catalog folder: verify, repair, backup, restore.

All four read with :mod:`vitrina.adapters.journal.inspection`, which goes on behind damage.
"""

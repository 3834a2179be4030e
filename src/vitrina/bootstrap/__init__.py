"""The composition root: settings in, an open catalog out; and what else is done to a catalog as a whole."""

from vitrina.adapters.meters import Board
from vitrina.bootstrap.catalog import Catalog
from vitrina.bootstrap.commands import (
    accept_edit,
    back_up_catalog,
    check_catalog,
    folder_of,
    init_catalog,
    repair_catalog,
    restore_catalog,
    verify_catalog,
)
from vitrina.bootstrap.importing import import_file
from vitrina.bootstrap.opening import hold_catalog, open_catalog

__all__ = [
    "Board",
    "Catalog",
    "accept_edit",
    "back_up_catalog",
    "check_catalog",
    "folder_of",
    "hold_catalog",
    "import_file",
    "init_catalog",
    "open_catalog",
    "repair_catalog",
    "restore_catalog",
    "verify_catalog",
]

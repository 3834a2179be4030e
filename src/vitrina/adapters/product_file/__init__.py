"""The product file: a person's ``products.csv``, ``.json`` or ``.jsonl``, read and written back.

Pure functions over bytes. :func:`parse` reads a file, :func:`resolve_categories` and
:func:`validate` make products of its rows, :func:`compare` (in :mod:`.merge`) says what a person
changed in it, and :func:`render` writes changed products into it so that nothing else changes.
The format is described in ``docs/reference/product-file.md``.
"""

from collections.abc import Mapping

from vitrina.adapters.product_file.category_paths import CategoryPaths
from vitrina.adapters.product_file.csv_reader import read_csv
from vitrina.adapters.product_file.csv_writer import write_csv
from vitrina.adapters.product_file.excerpts import Changed, Reread, change_rows, reread
from vitrina.adapters.product_file.formats import detect_format, new_file
from vitrina.adapters.product_file.json_reader import read_json
from vitrina.adapters.product_file.json_writer import write_json
from vitrina.adapters.product_file.layout import Layout
from vitrina.adapters.product_file.merge import Conflict, Edit, EditKind, Merge, compare
from vitrina.adapters.product_file.model import (
    Column,
    Dialect,
    FileProblem,
    Format,
    ProductFile,
    Row,
    Severity,
    UnreadableFile,
)
from vitrina.adapters.product_file.recheck import recheck
from vitrina.adapters.product_file.scan import scan
from vitrina.adapters.product_file.validation import Validated, resolve_categories, validate
from vitrina.domain.category import CategoryTree
from vitrina.service_layer.documents import Document

__all__ = [
    "Changed",
    "Column",
    "Conflict",
    "Dialect",
    "Edit",
    "EditKind",
    "FileProblem",
    "Format",
    "Layout",
    "Merge",
    "ProductFile",
    "Reread",
    "Row",
    "Severity",
    "UnreadableFile",
    "Validated",
    "change_rows",
    "compare",
    "detect_format",
    "new_file",
    "parse",
    "recheck",
    "render",
    "reread",
    "resolve_categories",
    "scan",
    "validate",
]


def parse(data: bytes, file_format: Format, *, currency: str) -> ProductFile:
    """Read a product file.

    A wrong row is refused and reported in ``problems``, and the others are read.

    Args:
        data: The whole file.
        file_format: See :func:`detect_format`.
        currency: Of prices that name none, ISO 4217.

    Raises:
        UnreadableFile: The file as a whole cannot be used.
    """
    if file_format is Format.CSV:
        return read_csv(data, currency=currency)
    return read_json(data, file_format, currency=currency)


def render(
    file: ProductFile,
    changes: Mapping[str, Document | None],
    categories: CategoryTree,
) -> bytes:
    """Return the bytes of *file* with some products changed, added or deleted.

    Rows of other products keep their bytes. Parsed again, every changed product gives the document
    it has here, and every row has the id it had.

    Args:
        file: As parsed; its refused rows stay as they are.
        changes: Product id → its document as the catalog writes it; None deletes the product.
        categories: For files that name categories by their path.

    Raises:
        UnreadableFile: ``too_many_columns``: the products have more different attributes than a
            CSV can have columns.
    """
    paths = CategoryPaths(categories)
    write = write_csv if file.format is Format.CSV else write_json
    return write(file, changes, paths)

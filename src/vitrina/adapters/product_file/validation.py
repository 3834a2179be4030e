"""Holds every row of a file to the rules of a product, and names the cell that breaks one.

Rules of the whole catalog that a file alone can break are checked too: a SKU or a slug that two
rows share. Whether a category exists is not: :func:`resolve_categories` makes those that a file
names by their path.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from vitrina.adapters.product_file.category_paths import CategoryPaths
from vitrina.adapters.product_file.model import (
    FileProblem,
    Format,
    ProductFile,
    Row,
    Severity,
    shorten,
)
from vitrina.adapters.product_file.places import Place, place_in_csv, place_in_json
from vitrina.domain.category import Category, CategoryTree
from vitrina.domain.errors import Fault, InvalidDocument
from vitrina.domain.pointers import parse_pointer
from vitrina.domain.product import Product
from vitrina.service_layer.document_reading import read_product


@dataclass(frozen=True, slots=True)
class Validated:
    """A file whose remaining rows are products.

    Attributes:
        file: With the rows refused that are none, and the problems that say why.
        products: Of the accepted rows, by id, in the file's order.
    """

    file: ProductFile
    products: Mapping[str, Product]


def validate(file: ProductFile) -> Validated:
    """Return the products of *file*, and the file with what is wrong with the other rows."""
    products: dict[str, Product] = {}
    skus: dict[str, Row] = {}
    slugs: dict[str, Row] = {}
    rows: list[Row] = []
    problems = list(file.problems)
    reported = {(each.line, each.header) for each in problems if each.severity is Severity.ERROR}
    for row in file.rows:
        if not row.whole:
            rows.append(row)
            continue
        try:
            product = read_product({**row.document, "id": None}, product_id=row.id or "-")
        except InvalidDocument as error:
            found = list(error.faults)
        else:
            found = [] if row.refused else list(_clashes(product, row, skus, slugs))
            if not found and not row.refused:
                products[row.id] = product
        new = (problem_at(file, row, fault) for fault in found)
        problems.extend(each for each in new if (each.line, each.header) not in reported)
        rows.append(replace(row, refused=True) if found else row)
    problems.sort(key=lambda each: (each.line, each.column))
    return Validated(replace(file, rows=tuple(rows), problems=tuple(problems)), products)


def resolve_categories(
    file: ProductFile, tree: CategoryTree
) -> tuple[ProductFile, tuple[Category, ...]]:
    """Return *file* with a ``category_id`` for each path of names, and the categories to make.

    A row's own ``category_id`` stands. The new categories come parents first.
    """
    paths = CategoryPaths(tree)
    wanted = (row.category_path for row in file.rows if not row.refused and _names_path(row))
    made = paths.missing(path for path in wanted if path)
    rows = tuple(
        replace(row, document={**row.document, "category_id": paths.id_of(row.category_path)})
        if row.category_path and _names_path(row)
        else row
        for row in file.rows
    )
    return replace(file, rows=rows), made


def _names_path(row: Row) -> bool:
    return bool(row.category_path) and row.document.get("category_id") is None


def _clashes(
    product: Product, row: Row, skus: dict[str, Row], slugs: dict[str, Row]
) -> Iterator[Fault]:
    for field, value, owners in (("sku", product.sku, skus), ("slug", product.slug, slugs)):
        if value is not None and (owner := owners.setdefault(value, row)) is not row:
            detail = f"The product on line {owner.line} has this {field} too. Give each its own."
            yield Fault(f"/{field}", f"duplicate_{field}", detail)


def problem_at(file: ProductFile, row: Row, fault: Fault) -> FileProblem:
    """Return the problem that a row has this fault, at the cell that it speaks of."""
    find: Callable[[ProductFile, Row, str], Place] = (
        place_in_csv if file.format is Format.CSV else place_in_json
    )
    at = find(file, row, _field(fault.pointer))
    return FileProblem(at.line, at.column, at.header, shorten(at.value), fault.code, fault.detail)


def _field(pointer: str) -> str:
    """Return the flat field that a fault's pointer into the document speaks of."""
    match parse_pointer(pointer):
        case ("attributes", name, *_):
            return f"attributes.{name}"
        case ("rating", "count"):
            return "rating_count"
        case (name, *_):
            return name
        case _:
            return ""

"""What a catalog's files say and what is wrong with them, without a store and without a trace."""

from pathlib import Path

from vitrina.adapters.product_file import (
    ProductFile,
    UnreadableFile,
    Validated,
    detect_format,
    parse,
    resolve_categories,
    validate,
)
from vitrina.adapters.product_file.categories_file import read_categories
from vitrina.adapters.projection.facts import Facts
from vitrina.adapters.projection.understanding import problem_of, understood_of, unreadable
from vitrina.domain.category import CategoryTree
from vitrina.service_layer.opening import Problem, Understood


def check_files(products: Path, categories: Path, *, currency: str) -> Understood:
    """Return what both files say; every problem of either is listed.

    Args:
        products: The product file.
        categories: ``categories.json``; it may be missing.
        currency: Of prices that name none.

    Raises:
        OSError: The product file cannot be read, or ``categories.json`` is there and cannot be.
    """
    tree, problems = _tree(categories)
    data = products.read_bytes()
    try:
        file = parse(data, detect_format(products.name, data), currency=currency)
    except UnreadableFile as error:
        found = (*problems, unreadable(products.name, error))
        return Understood(str(products), "", (), 0, 0, None, found)
    resolved, made = resolve_categories(file, tree)
    known = tree.by_id.keys() | {each.id for each in made}
    checked = validate(resolved)
    problems += [problem_of(products.name, each) for each in checked.file.problems]
    homeless = _homeless(products.name, checked, known)
    return understood_of(
        products, Facts.of(checked.file), problems + homeless, refused=len(homeless)
    )


def _tree(path: Path) -> tuple[CategoryTree, list[Problem]]:
    try:
        return read_categories(path.read_bytes()), []
    except FileNotFoundError:
        return CategoryTree(), []
    except UnreadableFile as error:
        return CategoryTree(), [unreadable(path.name, error)]


def _homeless(name: str, checked: Validated, known: set[str]) -> list[Problem]:
    """Return a problem for each row whose category does not exist."""
    rows = checked.file.accepted
    return [
        Problem(
            name,
            rows[each.id].line,
            _column(checked.file),
            "category_id",
            each.category_id,
            "unknown_category",
            f"There is no category {each.category_id!r}; add it to categories.json.",
        )
        for each in checked.products.values()
        if each.category_id is not None and each.category_id not in known
    ]


def _column(file: ProductFile) -> int:
    fields = [column.field for column in file.columns]
    return fields.index("category_id") + 1 if "category_id" in fields else 0

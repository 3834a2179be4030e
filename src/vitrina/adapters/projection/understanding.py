"""What was understood of a file, in the words of the service layer."""

from collections.abc import Iterable
from pathlib import Path

from vitrina.adapters.product_file import FileProblem, Severity, UnreadableFile
from vitrina.adapters.projection.facts import Facts
from vitrina.service_layer.opening import Problem, Understood


def problem_of(name: str, found: FileProblem) -> Problem:
    """Return a problem of a file's row or cell."""
    return Problem(
        name,
        found.line,
        found.column,
        found.header,
        found.value,
        found.code,
        found.detail,
        error=found.severity is Severity.ERROR,
    )


def unreadable(name: str, error: UnreadableFile) -> Problem:
    """Return the problem that a file cannot be used as a whole."""
    return Problem(name, error.line, error.column, "", "", error.code, error.detail)


def understood_of(
    path: Path, facts: Facts, problems: Iterable[Problem], *, refused: int
) -> Understood:
    """Return what was understood of a file.

    Args:
        path: Where it is.
        facts: What was found in it.
        problems: What is wrong with it.
        refused: How many rows the catalog refuses, beside those that are wrong in themselves.
    """
    return Understood(
        path=str(path),
        format=facts.format.value,
        columns=tuple((column.header, column.field) for column in facts.columns),
        rows=facts.rows,
        refused=facts.refused_count + refused,
        currency=facts.currency,
        problems=tuple(sorted(problems, key=lambda each: (each.file, each.line, each.column))),
    )


def warning(file_name: str, code: str, detail: str) -> Problem:
    """Return what is to be told of a file as a whole, which was read all the same."""
    return Problem(file_name, 0, 0, "", "", code, detail, error=False)

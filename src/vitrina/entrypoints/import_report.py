"""What an import did, and how far it is, for people."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from vitrina.entrypoints.report import of_columns, of_problem
from vitrina.service_layer import imports
from vitrina.service_layer.imports import Imported

PROBLEMS_SHOWN: Final = 100


def of_import(done: Imported) -> str:
    """Return the lines that say what was understood, what is wrong, and what became of the rest."""
    lines = of_columns(done.understood)
    lines += [of_problem(each) for each in done.problems[:PROBLEMS_SHOWN]]
    if (more := len(done.problems) - PROBLEMS_SHOWN) > 0:
        lines.append(f"… and {more:,} more.")
    counts = [
        f"{done.created:,} created",
        f"{done.updated:,} updated",
        f"{done.unchanged:,} unchanged",
        f"{done.deleted:,} deleted",
        f"{done.rejected:,} rejected",
    ]
    if done.categories:
        counts.append(f"{done.categories:,} categories made")
    lines.append(("Would be: " if done.rules.dry_run else "Imported: ") + ", ".join(counts))
    if done.stopped:
        lines.append(f"Stopped: {done.stopped}.")
    return "\n".join(lines)


@contextmanager
def progress_line() -> Iterator[imports.Progress]:
    """Yield what shows on standard error how far an import is, if that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda _done, _all: None
        return
    columns = (
        TextColumn("Importing"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("import", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)

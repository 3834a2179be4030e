"""The command line: ``serve``, ``init``, ``check``, ``import``, ``accept``, ``openapi``, and those that look after the files.

Answers go to standard output, log lines and errors to standard error. An error is one line that says
what is wrong and what to do. Exit codes: 0 is success; 1 when a catalog cannot be opened or has
errors; 2 when the command or a setting is wrong.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from enum import StrEnum
from functools import wraps
from pathlib import Path
from typing import Annotated

import typer

from vitrina import __version__
from vitrina.bootstrap import (
    Catalog,
    accept_edit,
    back_up_catalog,
    check_catalog,
    folder_of,
    import_file,
    init_catalog,
    repair_catalog,
    restore_catalog,
    verify_catalog,
)
from vitrina.domain.errors import NothingToAccept
from vitrina.entrypoints import import_report, report, upkeep_report
from vitrina.entrypoints.http.app import create_app, openapi_json
from vitrina.entrypoints.server import PortTaken
from vitrina.entrypoints.serving import EXIT_FAILED, serve_catalog
from vitrina.service_layer.imports import CannotImport, ImportMode, ImportRules, OnError
from vitrina.service_layer.opening import CannotOpen
from vitrina.settings import BadSettings, LogFormat, Settings
from vitrina.telemetry import configure_logging

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Serve a product file as a catalog API.",
)

EXIT_MISUSED = 2


class ProductFormat(StrEnum):
    """The formats of a new product file."""

    CSV = "csv"
    JSON = "json"
    JSONL = "jsonl"


class ImportFormat(StrEnum):
    """The formats of a file that is imported; ``auto`` goes by its name and how it begins."""

    AUTO = "auto"
    CSV = "csv"
    JSON = "json"
    JSONL = "jsonl"


class ReportFormat(StrEnum):
    """The formats of a report."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"


class PlainFormat(StrEnum):
    """The formats of a report that no other tool reads."""

    TEXT = "text"
    JSON = "json"


def _explained[**P](command: Callable[P, None]) -> Callable[P, None]:
    """Turn what stands in the way into one line and an exit code."""

    @wraps(command)
    def explained(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except (CannotOpen, CannotImport, PortTaken) as error:
            typer.echo(f"vitrina: {error}", err=True)
            raise typer.Exit(EXIT_FAILED) from None
        except BadSettings as error:
            typer.echo(f"vitrina: {error}", err=True)
            raise typer.Exit(EXIT_MISUSED) from None

    return explained


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - the library's signature
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def main_options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Say which.")
    ] = False,
) -> None:
    """Serve a product file as a catalog API."""


@app.command()
@_explained
def serve(
    path: Annotated[Path, typer.Argument(help="A catalog folder, or a product file.")],
    host: Annotated[
        str | None, typer.Option(help="The address to listen on. [default: 127.0.0.1]")
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="The port; 0 is any free one. [default: 8000]")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="How many processes answer requests. [default: 1]")
    ] = None,
) -> None:
    """Serve a catalog over HTTP until SIGTERM or Ctrl-C.

    Then requests under way are finished and the changes folded into the product file.
    """
    settings = Settings.load(folder_of(path), host=host, port=port, workers=workers)
    _log_as(settings)
    code = serve_catalog(path, settings)
    if code:
        raise typer.Exit(code)


@app.command()
@_explained
def init(
    path: Annotated[Path, typer.Argument(help="The folder; made when it is missing.")],
    file_format: Annotated[
        ProductFormat, typer.Option("--format", help="The format of the product file.")
    ] = ProductFormat.CSV,
) -> None:
    """Make a new, empty catalog."""
    file = init_catalog(path, file_format)
    typer.echo(f"Made {file}. Serve it with: vitrina serve {path}")


@app.command()
@_explained
def check(
    path: Annotated[Path, typer.Argument(help="A catalog folder, or any product file.")],
    report_format: Annotated[
        ReportFormat, typer.Option("--format", help="The format of the report.")
    ] = ReportFormat.TEXT,
) -> None:
    """Say what is wrong with a catalog's files; nothing is written. Exit code 1 on errors."""
    settings = Settings.load(folder_of(path))
    _log_as(settings)
    understood = check_catalog(path, settings)
    match report_format:
        case ReportFormat.TEXT:
            typer.echo(report.for_people(understood))
        case ReportFormat.JSON:
            typer.echo(report.as_json(understood))
        case ReportFormat.SARIF:
            typer.echo(report.as_sarif(understood))
    if any(problem.error for problem in understood.problems):
        raise typer.Exit(EXIT_FAILED)


@app.command()
@_explained
def accept(
    path: Annotated[Path, typer.Argument(help="A catalog folder, or a product file.")],
) -> None:
    """Let an edit of the product file be carried out that takes away much.

    Works while a server runs on the catalog, and when none does.
    """
    settings = Settings.load(folder_of(path))
    _log_as(settings)
    try:
        status = accept_edit(path, settings)
    except NothingToAccept as error:
        typer.echo(f"vitrina: {error}", err=True)
        raise typer.Exit(EXIT_FAILED) from None
    typer.echo(report.of_file(status))
    if status.pending is not None:
        raise typer.Exit(EXIT_FAILED)


@app.command()
@_explained
def verify(
    path: Annotated[Path, typer.Argument(help="A catalog folder, or a product file.")],
    report_format: Annotated[
        PlainFormat, typer.Option("--format", help="The format of the report.")
    ] = PlainFormat.TEXT,
) -> None:
    """Check journal, snapshots and product file against one another; nothing is written.

    Also while a service runs. Exit code 0: all is whole; 1: something is damaged; 2: it cannot
    be checked.
    """
    settings = Settings.load(folder_of(path))
    _log_as(settings)
    try:
        found = verify_catalog(path, settings)
    except CannotOpen as error:
        typer.echo(f"vitrina: {error}", err=True)
        raise typer.Exit(EXIT_MISUSED) from None
    plain = report_format is PlainFormat.TEXT
    typer.echo(upkeep_report.of_verify(found) if plain else upkeep_report.as_json(found))
    if not found.whole:
        raise typer.Exit(EXIT_FAILED)


@app.command()
@_explained
def repair(
    path: Annotated[Path, typer.Argument(help="A catalog folder, or a product file.")],
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and change nothing.")
    ] = False,
    report_format: Annotated[
        PlainFormat, typer.Option("--format", help="The format of the report.")
    ] = PlainFormat.TEXT,
) -> None:
    """Make a damaged catalog open again: keep all that is whole, and say what was lost.

    No service may run on it. What is taken out is kept in .vitrina/aside.
    """
    settings = Settings.load(folder_of(path))
    _log_as(settings)
    done = repair_catalog(path, settings, only_show=dry_run)
    plain = report_format is PlainFormat.TEXT
    typer.echo(upkeep_report.of_repair(done) if plain else upkeep_report.as_json(done))


@app.command()
@_explained
def backup(
    path: Annotated[Path, typer.Argument(help="A catalog folder, or a product file.")],
    dest: Annotated[
        Path, typer.Argument(help="A new folder; or a new file, when it ends with .tar.gz.")
    ],
) -> None:
    """Copy a catalog as of one moment, also while a service runs on it; the copy is verified."""
    _log_as(Settings.load(folder_of(path)))
    typer.echo(upkeep_report.of_backup(back_up_catalog(path, dest)))


@app.command()
@_explained
def restore(
    source: Annotated[Path, typer.Argument(help="What vitrina backup made.", metavar="SRC")],
    path: Annotated[Path, typer.Argument(help="A new or an empty folder.")],
    *,
    force: Annotated[
        bool, typer.Option("--force", help="Set aside what is in the folder.")
    ] = False,
) -> None:
    """Make a catalog of a backup: with the same versions, ETags and past."""
    typer.echo(upkeep_report.of_restore(restore_catalog(source, path, replace=force)))


@app.command(name="import")
@_explained
def import_(
    file: Annotated[Path, typer.Argument(help="A product file: CSV, JSON or JSON Lines.")],
    into: Annotated[Path, typer.Option("--into", help="A catalog folder, or its product file.")],
    *,
    file_format: Annotated[
        ImportFormat, typer.Option("--format", help="The format of FILE.")
    ] = ImportFormat.AUTO,
    mode: Annotated[
        ImportMode,
        typer.Option(help="Make and change products, only make them, or also delete all others."),
    ] = ImportMode.UPSERT,
    on_error: Annotated[
        OnError, typer.Option(help="What to do about wrong rows: leave them out, or stop.")
    ] = OnError.SKIP,
    currency: Annotated[
        str | None, typer.Option(help="Of prices that name none. [default: the catalog's]")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and change nothing.")
    ] = False,
) -> None:
    """Import a file of products into a catalog, also while a service runs on it.

    Exit code 0: every row is in the catalog; 1: some were rejected, or it was stopped.
    """
    settings = Settings.load(folder_of(into))
    in_file = Settings.load(folder_of(into), currency=currency).currency
    _log_as(settings)
    rules = ImportRules(mode=mode, on_error=on_error, dry_run=dry_run)
    known = None if file_format is ImportFormat.AUTO else file_format.value
    with import_report.progress_line() as progress:
        done = import_file(
            file,
            into,
            settings,
            rules,
            file_format=known,
            currency=in_file,
            progress=progress,
        )
    typer.echo(import_report.of_import(done))
    if done.rejected or done.stopped:
        raise typer.Exit(EXIT_FAILED)


@app.command()
def openapi() -> None:
    """Print the OpenAPI document of the service."""
    application = create_app(_no_catalog)
    typer.echo(openapi_json(application, indent=True).decode())


def main() -> None:
    """Run the command that the arguments name."""
    app()


def _no_catalog() -> AbstractContextManager[Catalog]:
    raise CannotOpen("This application only describes itself.")


def _log_as(settings: Settings) -> None:
    json = {LogFormat.JSON: True, LogFormat.CONSOLE: False, LogFormat.AUTO: None}
    configure_logging(level=settings.log_level, json=json[settings.log_format])

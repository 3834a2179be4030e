"""Serves one catalog over HTTP, in one process or in several that share its listening socket."""

import socket
import sys
from contextlib import nullcontext
from pathlib import Path

import typer

from vitrina.bootstrap import Board, Catalog, hold_catalog, open_catalog
from vitrina.entrypoints import report
from vitrina.entrypoints.acceptor import Loads
from vitrina.entrypoints.allocator import keep_arenas_few
from vitrina.entrypoints.http.app import create_app
from vitrina.entrypoints.http.options import HttpOptions
from vitrina.entrypoints.server import Share, listen, serve_until_stopped
from vitrina.entrypoints.supervisor import Worker, supervise
from vitrina.service_layer.opening import CannotOpen
from vitrina.settings import Settings

EXIT_FAILED = 1


def serve_catalog(path: Path, settings: Settings) -> int:
    """Serve the catalog at *path* until the process is asked to stop; return its exit code.

    Raises:
        CannotOpen: There is no catalog, it is damaged or in use, or the system refuses.
        PortTaken: Nothing can listen there.
    """
    keep_arenas_few()
    with listen(settings.host, settings.port) as listener:
        if settings.workers > 1:
            return _supervise(path, settings, listener)
        with open_catalog(path, settings) as catalog:
            _serve(catalog, settings, listener)
        return 0


def _supervise(path: Path, settings: Settings, listener: socket.socket) -> int:
    """Serve in several processes, and return the exit code of all together."""
    with hold_catalog(path) as let_go:
        loads, board = Loads(settings.workers), Board(settings.workers)

        def work(worker: Worker) -> int:
            let_go()
            share = Share(loads, worker.place, worker.beat, worker.rest)
            return _work(path, settings, listener, worker, share, board)

        def gone(place: int, *, wanted: bool) -> None:
            loads.leave(place)
            board.leave(place)
            if wanted:
                board.died(place)

        hang_s = settings.worker_hang_s
        return supervise(work, workers=settings.workers, gone=gone, hang_s=hang_s)


def _work(
    path: Path,
    settings: Settings,
    listener: socket.socket,
    worker: Worker,
    share: Share,
    board: Board,
) -> int:
    """Serve as one of several processes, and return its exit code."""
    try:
        meters = board.at(worker.place)
        with open_catalog(path, settings, join=True, meters=meters) as catalog:
            _serve(catalog, settings, listener, worker, share)
    except CannotOpen as error:
        typer.echo(f"vitrina: {error}", err=True)
        return EXIT_FAILED
    return 0


def _serve(
    catalog: Catalog,
    settings: Settings,
    listener: socket.socket,
    worker: Worker | None = None,
    share: Share | None = None,
) -> None:
    if worker is None or worker.first:
        if catalog.understood is not None:
            typer.echo(report.for_people(catalog.understood, problems_max=report.PROBLEMS_SHOWN))
        typer.echo(report.addresses(listener))
        sys.stdout.flush()
    application = create_app(lambda: nullcontext(catalog), options=_http_options(settings))
    if worker is not None:
        worker.ready()
    serve_until_stopped(application, listener, grace_s=settings.shutdown_s, share=share)


def _http_options(settings: Settings) -> HttpOptions:
    return HttpOptions(
        body_bytes_max=settings.body_bytes_max,
        body_wait_s_max=settings.body_wait_s,
        write_wait_s_max=settings.lock_wait_s,
        require_if_match=settings.require_if_match,
        cors_origins=settings.cors_origins,
        access_log=settings.access_log,
    )

"""Making an index of the whole catalog."""

import logging
from collections.abc import Collection, Iterator
from pathlib import Path
from threading import Event
from typing import Final

import tantivy

from vitrina.adapters.index.schema import Spread, build_schema
from vitrina.adapters.index.writing import (
    HelperFailed,
    Tell,
    helpers_for,
    write_index,
    write_parts,
)
from vitrina.service_layer.ports import Stored

TELL_EVERY: Final = 10_000
"""After how many products it is told how far a build is."""

_log: Final = logging.getLogger(__name__)


class GivenUp(Exception):
    """The service stops while the index is being built."""


class Progress:
    """How far a build is.

    Attributes:
        now: How many products are written, and how many there are.
        stop: Set to have the build given up.
    """

    def __init__(self) -> None:
        self.now = (0, 0)
        self.stop: Final = Event()

    def teller(self, total: int) -> Tell:
        """Return what is told of the products of a build, and raises :class:`GivenUp` when it is stopped."""
        self.now = (0, total)
        done, stopped = 0, self.stop.is_set

        def tell(more: int) -> None:
            nonlocal done
            if stopped():
                raise GivenUp
            done += more
            if done - self.now[0] >= TELL_EVERY:
                self.now = (done, total)
                _log.info("indexed %d of %d products", done, total)

        return tell


def build(
    products: Collection[Stored],
    language: str,
    spread: Spread,
    folder: Path | None,
    progress: Progress,
) -> tantivy.Index:
    """Make an index of the whole catalog, and return it.

    Args:
        products: To be written; read again when what helps to write them fails.
        language: Of their texts.
        spread: Of their ids.
        folder: Of the index, where there is none yet; None is in memory, where this process writes alone.
        progress: Is told, and may stop this.

    Raises:
        GivenUp: It was stopped.
        ValueError, OSError: The engine or the disk refuses.
    """
    helpers = helpers_for(len(products))
    if helpers and folder is not None:
        try:
            tell = progress.teller(len(products))
            write_parts(products, language, spread, folder, helpers, tell)
        except (HelperFailed, OSError, ValueError) as error:
            _log.warning("the index is built by one process: %s", error)
            for each in folder.iterdir():
                each.unlink()  # They may have got as far as to an index.
        else:
            return tantivy.Index(build_schema(), str(folder), reuse=True)
    return write_index(_bodies(products, progress), language, spread, folder)


def _bodies(products: Collection[Stored], progress: Progress) -> Iterator[bytes]:
    tell = progress.teller(len(products))
    for each in products:
        tell(1)
        yield each.body

"""Filling an empty index with the whole catalog."""

import logging
from collections.abc import Collection
from threading import Event
from typing import Final

import tantivy

from vitrina.adapters.index.schema import Spread
from vitrina.adapters.index.writing import HelperFailed, helpers_for, write_all
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


def fill(
    writer: tantivy.IndexWriter,
    products: Collection[Stored],
    language: str,
    spread: Spread,
    progress: Progress,
) -> None:
    """Give each product to an empty index, which is not committed.

    Args:
        writer: To the index.
        products: To be written; read again when what helps to write them fails.
        language: Of their texts.
        spread: Of their ids.
        progress: Is told, and may stop this.

    Raises:
        GivenUp: It was stopped.
    """

    def write(helpers: int) -> None:
        done, add, stopped = 0, writer.add_json, progress.stop.is_set

        def add_one(document: str) -> None:
            nonlocal done
            if stopped():
                raise GivenUp
            add(document)
            done += 1
            if done % TELL_EVERY == 0:
                progress.now = (done, len(products))
                _log.info("indexed %d of %d products", done, len(products))

        progress.now = (0, len(products))
        write_all(products, language, spread, add_one, helpers)

    try:
        write(helpers_for(len(products)))
    except (HelperFailed, OSError) as error:
        _log.warning("the index is built by one process: %s", error)
        writer.rollback()
        write(0)

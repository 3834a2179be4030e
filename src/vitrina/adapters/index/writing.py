"""Products as the engine's documents, written by other processes while this one indexes them.

To cut a product's texts into terms takes Python as long as it takes the engine to index them, and Python uses
one core. So a large catalog is written by helpers: ``python -m vitrina.adapters.index.writing`` reads a line
that says how, then a product's stored JSON on each line, and answers each with a line of the engine's JSON.
A helper ends when its input does, also when the process that began it dies.
"""

import os
import subprocess  # nosec B404
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from itertools import batched
from pathlib import Path
from threading import Lock, Thread
from typing import IO, Final, Self

import orjson

import vitrina
from vitrina.adapters.index.analysis import Analyzer
from vitrina.adapters.index.schema import Spread, Writer
from vitrina.service_layer.ports import Stored

HELPED_FROM: Final = 20_000
"""How many products are worth the start of a helper, which takes about half a second."""

HELPERS_MAX: Final = 3
"""More would write faster than one process can hand on to the engine."""

OWN_SHARE: Final = 6
"""One of how many products this process writes beside a single helper, which has more to do than it."""

BATCH_LINES: Final = 500

type Add = Callable[[str], object]


class HelperFailed(Exception):
    """A helper did not write all that it was given."""


def write_all(
    products: Sequence[Stored], language: str, spread: Spread, add: Add, helpers: int
) -> None:
    """Give each product to the engine as its JSON, in any order.

    Args:
        products: To be written.
        language: Of the texts.
        spread: Of the ids.
        add: Takes the JSON of a product; is called by one thread at a time.
        helpers: How many other processes write; 0 is this one itself.

    Raises:
        HelperFailed: Some products may have been added.
    """
    lock = Lock()

    def add_many(documents: Sequence[bytes]) -> None:
        with lock:
            for each in documents:
                if not each.endswith(b"\n"):
                    raise HelperFailed("a product was written in part")
                add(each[:-1].decode())

    own = len(products) if not helpers else len(products) // OWN_SHARE if helpers == 1 else 0
    others = products[own:]

    header = orjson.dumps(
        {"language": language, "prefix": spread.prefix, "landmarks": spread.landmarks}
    )
    with ExitStack() as running:
        parts = [
            running.enter_context(_Helper(header, others[n::helpers], add_many))
            for n in range(helpers)
        ]
        writer = Writer(Analyzer(language), spread)
        for batch in batched(products[:own], BATCH_LINES, strict=False):
            add_many([writer.write_line(each.body) for each in batch])
        for part in parts:
            part.wait()


def helpers_for(products: int) -> int:
    """Return how many helpers write so many products here."""
    if products < HELPED_FROM or not sys.executable:
        return 0
    return min((os.process_cpu_count() or 1) - 1, HELPERS_MAX)


class _Helper:
    """A process that writes products, with a thread that feeds it and one that takes what it wrote."""

    def __init__(
        self,
        header: bytes,
        products: Sequence[Stored],
        add_many: Callable[[Sequence[bytes]], None],
    ) -> None:
        self._products = products
        self._add_many = add_many
        self._failure: Exception | None = None
        self._done = 0
        # The same Python, with fixed arguments. It has a session of its own: a Ctrl-C is for the
        # service, and ends this one through its input.
        self._process = subprocess.Popen(  # nosec B603
            [sys.executable, "-P", "-m", "vitrina.adapters.index.writing"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(Path(vitrina.__file__).parents[1])},
            start_new_session=True,
        )
        self._feeder = Thread(target=self._feed, args=(header,), name="index-feed", daemon=True)
        self._taker = Thread(target=self._take, name="index-take", daemon=True)

    def __enter__(self) -> Self:
        self._feeder.start()
        self._taker.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._feeder.join()
        self._taker.join()
        self._process.wait()
        assert self._process.stdout is not None  # noqa: S101 - it was asked for
        self._process.stdout.close()

    def wait(self) -> None:
        """Wait until all is written.

        Raises:
            HelperFailed: Not all of it was.
        """
        self._taker.join()
        if self._failure is not None:
            raise self._failure
        if self._done != len(self._products):
            raise HelperFailed(f"{self._done} of {len(self._products)} products were written")

    def _feed(self, header: bytes) -> None:
        source = self._process.stdin
        assert source is not None  # noqa: S101 - it was asked for
        # A helper that died is noticed by what it did not write.
        with suppress(OSError), source:
            source.write(header + b"\n")
            for batch in batched(self._products, BATCH_LINES, strict=False):
                source.write(b"\n".join([each.body for each in batch]) + b"\n")

    def _take(self) -> None:
        written = self._process.stdout
        assert written is not None  # noqa: S101 - it was asked for
        try:
            for batch in batched(written, BATCH_LINES, strict=False):
                self._add_many(batch)
                self._done += len(batch)
        except Exception as error:  # noqa: BLE001 - raised again by whoever waits
            self._failure = error


def written_lines(source: IO[bytes]) -> Iterator[bytes]:
    """Yield what a helper answers to what it is given."""
    asked = orjson.loads(source.readline())
    spread = Spread(asked["prefix"], tuple(asked["landmarks"]))
    writer = Writer(Analyzer(asked["language"]), spread)
    for line in source:
        yield writer.write_line(line)


def main() -> None:
    """Write the products that come in until there are no more."""
    for batch in batched(written_lines(sys.stdin.buffer), BATCH_LINES, strict=False):
        sys.stdout.buffer.write(b"".join(batch))


if __name__ == "__main__":
    main()

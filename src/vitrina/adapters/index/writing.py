"""Products as the engine's documents, written by other processes while this one indexes them.

To cut a product's texts into terms takes Python as long as it takes the engine to index them, and Python uses
one core. So a large catalog is written by helpers: ``python -m vitrina.adapters.index.writing`` reads a line
that says how, then a product's stored JSON on each line, and answers each with a line of the engine's JSON.
A helper ends when its input does, also when the process that began it dies. The catalog is read once while
they write, and never held in memory as a whole.
"""

import os
import subprocess  # nosec B404
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from itertools import batched, cycle
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

BATCH_LINES: Final = 50
"""How many products are handed on at once: about as many as a pipe holds, so that no helper waits
while another one is fed."""

BUFFER_BYTES: Final = 2**17

type Add = Callable[[str], object]


class HelperFailed(Exception):
    """A helper did not write all that it was given."""


def write_all(
    products: Iterable[Stored], language: str, spread: Spread, add: Add, helpers: int
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
    if not helpers:
        writer = Writer(Analyzer(language), spread)
        for each in products:
            add(writer.write(each.id, each.body))
        return
    lock = Lock()

    def add_many(documents: Sequence[bytes]) -> None:
        with lock:
            for each in documents:
                if not each.endswith(b"\n"):
                    raise HelperFailed("a product was written in part")
                add(each[:-1].decode())

    header = orjson.dumps(
        {"language": language, "prefix": spread.prefix, "landmarks": spread.landmarks}
    )
    with ExitStack() as running:
        parts = [running.enter_context(_Helper(header, add_many)) for _ in range(helpers)]
        batches = batched(products, BATCH_LINES, strict=False)
        for batch, part in zip(batches, cycle(parts), strict=False):
            part.write(batch)
        for part in parts:
            part.finish()


def helpers_for(products: int) -> int:
    """Return how many helpers write so many products here."""
    if products < HELPED_FROM or not sys.executable:
        return 0
    return min((os.process_cpu_count() or 1) - 1, HELPERS_MAX)


class _Helper:
    """A process that writes products, with a thread that takes what it wrote."""

    def __init__(self, header: bytes, add_many: Callable[[Sequence[bytes]], None]) -> None:
        self._header = header
        self._add_many = add_many
        self._failure: Exception | None = None
        self._given = self._taken = 0
        # The same Python, with fixed arguments. It has a session of its own: a Ctrl-C is for the
        # service, and ends this one through its input.
        self._process = subprocess.Popen(  # nosec B603
            [sys.executable, "-P", "-m", "vitrina.adapters.index.writing"],
            bufsize=BUFFER_BYTES,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(Path(vitrina.__file__).parents[1])},
            start_new_session=True,
        )
        assert self._process.stdin is not None  # noqa: S101 - it was asked for
        assert self._process.stdout is not None  # noqa: S101 - it was asked for
        self._source: Final = self._process.stdin
        self._written: Final = self._process.stdout
        self._taker = Thread(target=self._take, name="index-take", daemon=True)

    def __enter__(self) -> Self:
        self._taker.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._taker.join()
        self._process.wait()
        self._written.close()
        with suppress(OSError):  # What is still to be written to it is of no use.
            self._source.close()

    def write(self, products: Sequence[Stored]) -> None:
        """Have products written.

        Raises:
            HelperFailed: It does not take them.
        """
        lines = [each.body for each in products]
        if not self._given:
            lines.insert(0, self._header)
        self._given += len(products)
        try:
            self._source.write(b"\n".join(lines) + b"\n")
            self._source.flush()
        except OSError:
            self.finish()

    def finish(self) -> None:
        """Wait until all is written.

        Raises:
            HelperFailed: Not all of it was.
        """
        with suppress(OSError):  # One that died is noticed by what it did not write.
            self._source.close()
        self._taker.join()
        if self._failure is not None:
            raise self._failure
        if self._taken != self._given:
            raise HelperFailed(f"{self._taken} of {self._given} products were written")

    def _take(self) -> None:
        try:
            for batch in batched(self._written, BATCH_LINES, strict=False):
                self._add_many(batch)
                self._taken += len(batch)
        except Exception as error:  # noqa: BLE001 - raised again by whoever waits
            self._failure = error
            self._process.kill()  # Nobody takes what it writes: it would wait for ever.


def written_lines(source: IO[bytes]) -> Iterator[bytes]:
    """Yield what a helper answers to what it is given."""
    asked = orjson.loads(source.readline())
    spread = Spread(asked["prefix"], tuple(asked["landmarks"]))
    writer = Writer(Analyzer(asked["language"]), spread)
    for line in source:
        yield writer.write_line(line)


def main() -> None:
    """Write the products that come in until there are no more."""
    with (
        open(0, "rb", buffering=BUFFER_BYTES) as source,
        open(1, "wb", buffering=BUFFER_BYTES) as sink,
    ):
        sink.writelines(written_lines(source))


if __name__ == "__main__":
    main()

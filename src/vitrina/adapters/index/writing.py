"""A large index, written by several processes at once: each a part of it.

To cut a product's texts into terms takes Python longer than it takes the engine to index them, and Python uses
one core. So the index of a large catalog is written by helpers: ``python -m vitrina.adapters.index.writing`` reads
a line that says how and where, then a product's stored JSON on each line, and an empty line in the end. It
answers how many products are in the index that it has made. All of these become one by
:mod:`~vitrina.adapters.index.joining`. A helper ends without an answer when its input does, also when the process
that began it dies. The catalog is read once while they write, and never held in memory as a whole.
"""

import os
import shutil
import subprocess  # nosec B404
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import ExitStack, suppress
from itertools import batched
from pathlib import Path
from secrets import token_hex
from select import select
from threading import Lock
from typing import IO, Final, Self

import orjson
import tantivy

import vitrina
from vitrina.adapters.index.analysis import Analyzer, written_terms
from vitrina.adapters.index.entries import Writer
from vitrina.adapters.index.joining import join
from vitrina.adapters.index.schema import TERMS, Spread, build_schema
from vitrina.service_layer.ports import Stored

HELPED_FROM: Final = 100_000
"""From how many products on there are helpers. Each makes a segment of its own, and a text takes a twelfth longer in
two segments than in one, which this process alone makes of fewer products in some seconds."""

HELPERS_MAX: Final = 4
"""Each makes a segment of its own or more, and a search looks into all of them."""

HEAP_BYTES: Final = 400_000_000
"""How much the engine gathers in memory while it builds, before it writes a segment: about 600,000
products. A search looks into each segment, so that few are better than many."""

BATCH_LINES: Final = 50
"""How many products are handed on at once: about as many as a pipe holds."""

BUFFER_BYTES: Final = 2**17

BURST: Final = 200
"""How many products the engine is given at once. It takes each sooner than the next is written, and to wake it
for each costs a quarter of all the work."""

HUGE_PAGES: Final = (
    "glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=4294967296:glibc.malloc.top_pad=67108864"
)
"""Has helpers keep what the engine gathers in pages of 2 MiB, where the C library knows how and whoever started the
service has chosen nothing: a tenth less of the processor, as it jumps about in tables of 100 MiB."""

LOOK_AGAIN_S: Final = 0.1
"""How often it is looked whether the index is still wanted, while a helper finishes its part."""

END: Final = b"\n"
"""What tells a helper that it has been given all."""

type Tell = Callable[[int], None]
"""Is told how many products more are being written; may raise, which ends the writing."""


class HelperFailed(Exception):
    """A helper did not write all that it was given."""


def write_parts(
    products: Iterable[Stored],
    language: str,
    spread: Spread,
    folder: Path,
    helpers: int,
    tell: Tell,
) -> None:
    """Make an index of products, in any order, by helpers.

    Args:
        products: To be written.
        language: Of the texts.
        spread: Of the ids.
        folder: Of the index, where there is none yet.
        helpers: How many processes write.
        tell: Hears how far it is.

    Raises:
        HelperFailed: There is no index.
        OSError: Likewise: no process can be started, or the disk refuses.
        ValueError: Likewise: what helpers have made is no index.
    """
    source = _Source(products, tell)
    parts = part_folders(folder, helpers)
    with ExitStack() as running:
        for part in parts:
            running.callback(shutil.rmtree, part, ignore_errors=True)
        writing = [running.enter_context(_Helper(each, language, spread)) for each in parts]
        with ThreadPoolExecutor(helpers, "index-feed") as threads:
            feeding = [threads.submit(each.write, source) for each in writing]
            wait(feeding, return_when=FIRST_EXCEPTION)
            failed = [each for each in feeding if each.done() and each.exception()]
            for helper in writing if failed else ():
                helper.kill()  # So that the others do not wait for it.
        for fed in failed or feeding:
            fed.result()
        join(parts, folder)


def part_folders(folder: Path, helpers: int) -> list[Path]:
    """Return a new folder for each helper to make.

    No two builds use the same: when a service was killed, its helpers may go on for some seconds, while the next
    service builds in the same place.
    """
    build = token_hex(4)
    return [folder / f"part-{build}-{number}" for number in range(helpers)]


def helpers_for(products: int) -> int:
    """Return how many helpers write so many products here; 0 is this process itself."""
    cores = os.process_cpu_count() or 1
    if products < HELPED_FROM or cores == 1 or not sys.executable:
        return 0
    return min(cores, HELPERS_MAX)


class _Source:
    """The products to be written, for whoever is ready to take some. Safe to use from several threads."""

    def __init__(self, products: Iterable[Stored], tell: Tell) -> None:
        self._batches = batched(products, BATCH_LINES, strict=False)
        self._tell = tell
        self._lock = Lock()

    def __iter__(self) -> Iterator[Sequence[Stored]]:
        while batch := self._next():
            yield batch

    def check(self) -> None:
        """Raise what there is to raise, if nobody wants the index any more."""
        with self._lock:
            self._tell(0)

    def _next(self) -> Sequence[Stored]:
        with self._lock:
            batch = next(self._batches, ())
            self._tell(len(batch))
        return batch


class _Helper:
    """A process that writes a part of an index."""

    def __init__(self, folder: Path, language: str, spread: Spread) -> None:
        self._header: Final = {
            "folder": str(folder),
            "language": language,
            "prefix": spread.prefix,
            "landmarks": spread.landmarks,
        }
        # The same Python, with fixed arguments. It has a session of its own: a Ctrl-C is for the
        # service, and ends this one through its input.
        self._process = subprocess.Popen(  # nosec B603
            [sys.executable, "-P", "-m", "vitrina.adapters.index.writing"],
            bufsize=BUFFER_BYTES,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={
                "GLIBC_TUNABLES": HUGE_PAGES,
                **os.environ,
                "PYTHONPATH": str(Path(vitrina.__file__).parents[1]),
            },
            start_new_session=True,
        )
        assert self._process.stdin is not None  # noqa: S101 - it was asked for
        assert self._process.stdout is not None  # noqa: S101 - it was asked for
        self._input: Final = self._process.stdin
        self._output: Final = self._process.stdout

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._process.wait()
        self._output.close()
        with suppress(OSError):  # What is still to be written to it is of no use.
            self._input.close()

    def kill(self) -> None:
        """End the process: what it has not answered for is lost."""
        self._process.kill()

    def write(self, source: _Source) -> None:
        """Have it write what it can take of *source*, until there is nothing left.

        Raises:
            HelperFailed: It has not written all that it took.
        """
        given = 0
        with suppress(BrokenPipeError):  # One that died is noticed by its answer.
            self._input.write(orjson.dumps(self._header) + b"\n")
            for batch in source:
                given += len(batch)
                self._input.write(b"\n".join([each.body for each in batch]) + b"\n")
                self._input.flush()
            self._input.write(END)
            self._input.flush()
        while not select([self._output], [], [], LOOK_AGAIN_S)[0]:
            source.check()
        answer = self._output.readline()
        if answer != b"%d\n" % given:
            raise HelperFailed(f"{given} products were given to a helper, which told {answer!r}")


def write_index(
    bodies: Iterable[bytes], language: str, spread: Spread, folder: Path | None
) -> tantivy.Index:
    """Make an index of products, and return it.

    Args:
        bodies: The products as the catalog keeps them.
        language: Of the texts.
        spread: Of the ids.
        folder: Of the index, where there is none yet; None is in memory.
    """
    index = tantivy.Index(build_schema(), None if folder is None else str(folder))
    index.register_tokenizer(TERMS, written_terms())
    # With one thread, as each would make a segment of its own.
    engine = index.writer(HEAP_BYTES, num_threads=1)
    writer = Writer(Analyzer(language), spread)
    for batch in batched(bodies, BURST, strict=False):
        for document in [writer.write(each) for each in batch]:
            engine.add_json(document)
    engine.commit()
    engine.wait_merging_threads()
    index.reload()
    return index


def write_part(source: IO[bytes]) -> int:
    """Make the index of the products that come in, and return how many are in it.

    Raises:
        EOFError: The input ended before it said so: nobody wants the index any more.
    """
    asked = orjson.loads(source.readline())
    spread = Spread(asked["prefix"], tuple(asked["landmarks"]))
    folder = Path(asked["folder"])
    folder.mkdir()
    index = write_index(_lines(source), asked["language"], spread, folder)
    return index.searcher().num_docs


def _lines(source: IO[bytes]) -> Iterator[bytes]:
    for line in source:
        if line == END:
            return
        yield line
    raise EOFError


def main() -> None:
    """Write the products that come in until there are no more."""
    with open(0, "rb", buffering=BUFFER_BYTES) as source:
        try:
            count = write_part(source)
        except EOFError:
            os._exit(1)  # At once: the engine would finish what it is writing.
    sys.stdout.write(f"{count}\n")


if __name__ == "__main__":
    main()

"""The line that short writes wait in, and the two threads that carry them out.

Writes take turns anyway, so a thread for each would only add the cost of waking it, twice. One thread
takes all that have come in, has them done together with one wait for the disk
(:mod:`vitrina.service_layer.together`), and hands all their answers to the event loop at once. While it
waits for the disk the other one takes those that come in: the more callers, the more share a wait.

A write that has stood in line for too long is refused before it is begun. So when more come in than the
disk can take, callers are told to come back, and what is done is what somebody still waits for.
"""

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Final

from starlette.responses import Response

from vitrina.domain.errors import StoreBusy
from vitrina.service_layer.together import Together

BATCH_MAX: Final = 32
"""How many writes are done together: none waits for more others than these."""

THREADS: Final = 2
"""One carries out writes while the other waits for the disk."""

WAITING_MAX: Final = 1_000
"""How many writes may stand in line: their bodies are in memory."""

type _Answer = Response | Exception
type _Write = Callable[[], Response]
type _Job = tuple[_Write, asyncio.Future[_Answer]]


class WriteLine:
    """Carries out writes, about in the order in which they came in, until it is closed."""

    def __init__(self, together: Together, *, wait_s_max: float) -> None:
        """Begin, on the running event loop.

        Args:
            together: Carries out several writes.
            wait_s_max: How long a write may stand in line.
        """
        self._together = together
        self._wait_s_max = wait_s_max
        self._loop = asyncio.get_running_loop()
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._gathering = threading.Lock()
        self._threads = [
            threading.Thread(target=self._work, name=f"vitrina-writer-{number}", daemon=True)
            for number in range(THREADS)
        ]
        for each in self._threads:
            each.start()

    async def run(self, job: _Write) -> Response:
        """Return what *job* returns, when what it did is durable.

        When the caller is cut off meanwhile, the write may have been done all the same.

        Raises:
            StoreBusy: Its turn did not come in time, or too many stand in line; it was not done.
        """
        if self._jobs.qsize() >= WAITING_MAX:
            raise StoreBusy(0)
        future: asyncio.Future[_Answer] = self._loop.create_future()
        self._jobs.put((partial(self._in_time, job, monotonic() + self._wait_s_max), future))
        answer = await future
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        """Carry out what has come in, and end; waits, so call it beside the event loop."""
        self._jobs.put(None)
        for each in self._threads:
            each.join()

    def _work(self) -> None:
        open_ = True
        while open_:
            batch, open_ = self._next_batch()
            if not batch:
                continue
            try:
                answers = self._together([job for job, _ in batch])
            except Exception as error:  # noqa: BLE001 - each caller is told
                answers = [error] * len(batch)
            futures = [future for _, future in batch]
            self._loop.call_soon_threadsafe(_deliver, futures, answers)

    def _next_batch(self) -> tuple[list[_Job], bool]:
        """Wait for a job; return it with those behind it, and whether there may be more."""
        batch: list[_Job] = []
        with self._gathering:
            try:
                while len(batch) < BATCH_MAX:
                    job = self._jobs.get(block=not batch)
                    if job is None:
                        self._jobs.put(None)  # For the other thread.
                        return batch, False
                    batch.append(job)
            except Empty:
                pass  # These are all that have come in.
        return batch, True

    def _in_time(self, job: _Write, latest: float) -> Response:
        """Run a job, of which nothing escapes that would end the thread that others depend on."""
        if monotonic() > latest:
            raise StoreBusy(self._wait_s_max)
        try:
            return job()
        except Exception:
            raise
        except BaseException as error:
            # So a library in Rust tells of its own mistakes.
            raise RuntimeError(f"a write broke off: {error!r}") from error


def _deliver(futures: list[asyncio.Future[_Answer]], answers: list[_Answer]) -> None:
    for future, answer in zip(futures, answers, strict=True):
        if not future.done():  # Else its caller was cut off.
            future.set_result(answer)

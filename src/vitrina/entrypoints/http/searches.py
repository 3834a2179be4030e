"""Searches, run so that nothing else waits for a long one.

The engine lets go of the interpreter while it looks, so a search in a thread of its own leaves the event
loop to the other requests. But threads that ask the engine several times hand the interpreter over each
time, which costs up to half a short search more. So a kind of question whose last answers took little time on average is answered on the event loop; one that took
longer, one that was never asked, and every question that has to wait for the index are answered in a thread.

There are as many threads as cores, at most four, and at most :data:`UNDER_WAY_MAX` questions are in
them or wait for them; beyond that a question is refused at once, as an answer would come too late
for anybody.
"""

import asyncio
import math
import os
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from time import thread_time
from typing import Final

from vitrina.entrypoints.http.problems import Refusal
from vitrina.service_layer.ports import ProductIndex
from vitrina.service_layer.queries import ProductQuery

SHORT_S_MAX: Final = 0.001
"""What the event loop may be held up for, on average."""

COUNTED_S_MAX: Final = 2 * SHORT_S_MAX
"""A single answer counts for no more than this, so that one outlier does not move a kind to the threads."""

THREADS_MAX: Final = 4
UNDER_WAY_MAX: Final = 64
KINDS_MAX: Final = 1_024
"""How many kinds of questions are remembered; those that were learnt first are forgotten first."""

_LATEST: Final = 1 / 8
"""What the latest answer of a kind counts for in its average."""


class Searches:
    """Answers questions to the index. Belongs to one event loop; close it in the end."""

    def __init__(self) -> None:
        threads = min(os.process_cpu_count() or 1, THREADS_MAX)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="search")
        self.under_way = 0
        """How many questions are in threads or wait for one."""
        self._times: dict[Hashable, float] = {}

    def close(self) -> None:
        """Wait for the searches that are under way."""
        self._pool.shutdown()

    async def ask[T](self, index: ProductIndex, kind: Hashable, question: Callable[[], T]) -> T:
        """Return the answer to a question.

        Args:
            index: What is asked.
            kind: Questions of one kind take about the same time.
            question: Asks the index, and takes no time otherwise.

        Raises:
            Refusal: Too many questions are under way (``too_many_searches``).
        """
        if index.behind:
            answer, _ = await self._in_thread(question)
            return answer
        if self._times.get(kind, math.inf) <= SHORT_S_MAX:
            answer, spent = _timed(question)
        else:
            answer, spent = await self._in_thread(question)
        self._learn(kind, spent)
        return answer

    async def _in_thread[T](self, question: Callable[[], T]) -> tuple[T, float]:
        if self.under_way >= UNDER_WAY_MAX:
            detail = f"This process has {UNDER_WAY_MAX} searches under way already."
            raise Refusal("too_many_searches", detail)
        self.under_way += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, _timed, question)
        finally:
            self.under_way -= 1

    def _learn(self, kind: Hashable, spent: float) -> None:
        spent = min(spent, COUNTED_S_MAX)
        known = self._times.get(kind)
        if known is None:
            if len(self._times) >= KINDS_MAX:
                del self._times[next(iter(self._times))]
            self._times[kind] = spent
        else:
            self._times[kind] = known + (spent - known) * _LATEST


def _timed[T](question: Callable[[], T]) -> tuple[T, float]:
    # Of the processor: how long a question waits for its turn says nothing about it.
    began = thread_time()
    answer = question()
    return answer, thread_time() - began


def kind_of(query: ProductQuery) -> Hashable:
    """Return what queries that take about the same time have in common.

    That is everything but the words and values themselves; of the words it is how many there
    may be.
    """
    return (
        0 if query.text is None else len(query.text).bit_length(),
        tuple([(each.field, each.operator, len(each.values)) for each in query.filters]),
        query.order.field,
        query.limit.bit_length(),
        query.after is None,
        tuple([each.field for each in query.facets]),
        query.highlight,
        query.explain,
        query.why_not is None,
    )

"""The line of short writes: everybody gets their own answer, whatever becomes of the others."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial

import pytest
from starlette.responses import Response

from vitrina.domain.errors import ProductNotFound, StoreBusy
from vitrina.entrypoints.http.write_line import BATCH_MAX, THREADS, WAITING_MAX, WriteLine
from vitrina.service_layer.together import Together, one_by_one

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Counted:
    """Runs jobs one by one when it is let, and notes how many came together."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.began = threading.Semaphore(0)
        self.may_go = threading.Event()

    def __call__[T](self, jobs: Sequence[Callable[[], T]], /) -> list[T | Exception]:
        self.sizes.append(len(jobs))
        self.began.release()
        assert self.may_go.wait(30)
        return one_by_one(jobs)


def answer(number: int) -> Response:
    return Response(str(number))


def refuse() -> Response:
    raise ProductNotFound("lamp")


async def keep_busy(line: WriteLine, together: Counted) -> list[asyncio.Future[Response]]:
    """Give each thread a write, which is answered with its number when *together* is let go."""
    calls: list[asyncio.Future[Response]] = []
    for number in range(THREADS):
        calls.append(asyncio.ensure_future(line.run(partial(answer, number))))
        assert await asyncio.to_thread(together.began.acquire, timeout=30)
    return calls


@asynccontextmanager
async def opened(together: Together, *, wait_s_max: float = 60) -> AsyncIterator[WriteLine]:
    line = WriteLine(together, wait_s_max=wait_s_max)
    try:
        yield line
    finally:
        await asyncio.to_thread(line.close)


async def test_those_that_come_in_meanwhile_are_done_together() -> None:
    together = Counted()
    async with opened(together) as line:
        calls = await keep_busy(line, together)
        calls += [asyncio.ensure_future(line.run(partial(answer, n))) for n in range(THREADS, 40)]
        await asyncio.sleep(0)
        together.may_go.set()
        answers = await asyncio.gather(*calls)

    assert [bytes(each.body) for each in answers] == [b"%d" % n for n in range(40)]
    rest = 40 - THREADS - BATCH_MAX
    assert sorted(together.sizes) == sorted([*[1] * THREADS, BATCH_MAX, rest])


async def test_what_one_write_raises_is_told_to_its_caller_alone() -> None:
    async with opened(one_by_one) as line:
        told = await asyncio.gather(
            line.run(partial(answer, 1)),
            line.run(refuse),
            line.run(partial(answer, 2)),
            return_exceptions=True,
        )

    assert [type(each) for each in told] == [Response, ProductNotFound, Response]


async def test_a_panic_ends_no_thread() -> None:
    class PanicException(BaseException):
        """As libraries written in Rust raise it."""

    def panic() -> Response:
        raise PanicException("called `Option::unwrap()` on a `None` value")

    async with opened(one_by_one) as line:
        for _ in range(THREADS + 1):
            told = await asyncio.gather(
                line.run(partial(answer, 1)), line.run(panic), return_exceptions=True
            )
            assert [type(each) for each in told] == [Response, RuntimeError]


async def test_when_none_could_be_run_all_are_told() -> None:
    def busy[T](_: Sequence[Callable[[], T]], /) -> list[T | Exception]:
        raise StoreBusy(10)

    async with opened(busy) as line:
        told = await asyncio.gather(*(line.run(refuse) for _ in range(3)), return_exceptions=True)

    assert [type(each) for each in told] == [StoreBusy] * 3


async def test_whose_turn_does_not_come_in_time_is_refused_and_not_done() -> None:
    async with opened(one_by_one, wait_s_max=-1) as line:
        told = await asyncio.gather(
            *(line.run(partial(pytest.fail, "it was done")) for _ in range(3)),
            return_exceptions=True,
        )

    assert [type(each) for each in told] == [StoreBusy] * 3


async def test_when_too_many_stand_in_line_a_further_one_is_refused() -> None:
    together = Counted()
    async with opened(together) as line:
        calls = await keep_busy(line, together)
        calls += [asyncio.ensure_future(line.run(partial(answer, 1))) for _ in range(WAITING_MAX)]
        await asyncio.sleep(0)
        with pytest.raises(StoreBusy, match="Too many"):
            await line.run(partial(answer, 2))
        together.may_go.set()
        answers = await asyncio.gather(*calls)
    assert len(answers) == THREADS + WAITING_MAX


async def test_a_caller_that_is_cut_off_takes_nobody_along() -> None:
    together = Counted()
    async with opened(together) as line:
        done: list[int] = []

        def note(number: int) -> Response:
            done.append(number)
            return answer(number)

        calls = [asyncio.ensure_future(line.run(partial(note, number))) for number in range(3)]
        await asyncio.sleep(0)
        calls[1].cancel()
        together.may_go.set()
        told = await asyncio.gather(*calls, return_exceptions=True)

    assert [type(each) for each in told] == [Response, asyncio.CancelledError, Response]
    assert sorted(done) == [0, 1, 2]  # It may have been done all the same.


@pytest.mark.parametrize("waiting", [0, 1, BATCH_MAX, BATCH_MAX + 1])
async def test_a_close_carries_out_what_has_come_in(waiting: int) -> None:
    async with opened(one_by_one) as line:
        calls = [
            asyncio.ensure_future(line.run(partial(answer, number))) for number in range(waiting)
        ]
        await asyncio.sleep(0)

    assert [int(bytes(each.body)) for each in await asyncio.gather(*calls)] == list(range(waiting))

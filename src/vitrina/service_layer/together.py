"""Short writes that wait for the disk together.

The disk needs as long to make many commits durable as to make one. Whoever has several writes at
hand, as a server with many callers has, hands them over as *jobs*: functions that each use units of
work of their own. They are run one after another, and none is told how it went before what it did,
and what it saw, is durable.
"""

from collections.abc import Callable, Sequence
from typing import Protocol


class Together(Protocol):
    """Runs several jobs, and waits once for what they did."""

    def __call__[T](self, jobs: Sequence[Callable[[], T]], /) -> list[T | Exception]:
        """Run *jobs* in their order, and return when all that they did is durable.

        Inside a job, a unit of work that has committed is seen by the units that follow, but not yet
        by reads: a job answers with what its unit of work returned, and does not look it up.

        Returns:
            What each job returned or raised; ``StoreReadOnly`` for those that are not durable.

        Raises:
            StoreBusy: Other writers took too long; no job was run.
        """
        ...


def one_by_one[T](jobs: Sequence[Callable[[], T]], /) -> list[T | Exception]:
    """Run jobs whose units of work are durable at once; meets :class:`Together`."""
    return [attempt(job) for job in jobs]


def attempt[T](job: Callable[[], T]) -> T | Exception:
    """Return what *job* returns or raises."""
    try:
        return job()
    except Exception as error:  # noqa: BLE001 - it is told to the one who asked for the job
        return error

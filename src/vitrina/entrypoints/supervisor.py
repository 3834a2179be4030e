"""Several processes that do the same work: started, replaced when they die or hang, stopped together.

The workers are forked, so they share what was imported. The first one is waited for, because a start
that fails must be told; then the others follow. Workers notice when the supervisor is gone, however it
ended, by the end of a pipe that only it holds open, and stop as if they were asked to.
"""

import contextlib
import gc
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from types import FrameType
from typing import Final, Protocol

import structlog

from vitrina.entrypoints.pulse import Heart, Pulses, Watch

PAUSE_S: Final = 1.0
"""Between the deaths of workers that never got ready, and between two looks at all of them."""

EXIT_CRASHED: Final = 70
_SIGNALLED: Final = 128
_STOPS: Final = (signal.SIGTERM, signal.SIGINT)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Worker:
    """One process, as it sees itself.

    Attributes:
        first: It is the first one, and tells people about the start.
        place: Its number among those that run now, from 0.
        ready: To be called when it is about to answer.
        beat: To be called several times a second while it serves. A process that does not for
            long is killed.
        rest: To be called when it stops serving. As before it served, what it does may then take
            as long as it takes; the process only must not stand still as a whole.
    """

    first: bool
    place: int
    ready: Callable[[], object]
    beat: Callable[[], None]
    rest: Callable[[], None]


type Work = Callable[[Worker], int]


class Gone(Protocol):
    """Takes in that a process has ended."""

    def __call__(self, place: int, *, wanted: bool) -> None: ...


def supervise(work: Work, *, workers: int, gone: Gone, hang_s: float) -> int:
    """Keep *workers* processes at *work* until SIGTERM or SIGINT, and return the exit code.

    Args:
        work: What each does: it returns its exit code once it got SIGTERM.
        workers: How many.
        gone: Called with the place of each that has ended, and whether it was wanted still.
        hang_s: One that stands still for so long is killed, and so replaced.
    """
    pulses = Pulses(workers)
    return _Supervisor(work, workers, gone, pulses, Watch(pulses, hang_s)).run()


@dataclass(slots=True)
class _Child:
    """One process, as the supervisor sees it."""

    pid: int
    place: int
    ready: int
    is_ready: bool = False


@dataclass(slots=True)
class _Supervisor:
    work: Work
    workers: int
    gone: Gone
    pulses: Pulses
    watch: Watch
    _children: dict[int, _Child] = field(default_factory=dict)
    _stopping: bool = False

    def run(self) -> int:
        # Workers share the memory of what is not collected anew.
        gc.collect()
        gc.freeze()
        life, held = os.pipe()
        with self._signals() as woken:
            self._spawn(life, held, first=True)
            code = self._start(woken)
            not_before = 0.0
            while code is None and not self._stopping:
                if time.monotonic() >= not_before and not self._spawn_missing(life, held):
                    not_before = time.monotonic() + PAUSE_S
                self._wait(woken)
                self._kill_hung()
                for child, status in self._reap():
                    _log.error("a worker died", pid=child.pid, status=status)
                    if not child.is_ready:
                        not_before = time.monotonic() + PAUSE_S
                        if not self._children and status < _SIGNALLED:
                            code = status  # Nobody is left, and a fresh one refuses to start.
            self._stop(woken)
        os.close(held)
        os.close(life)
        return code or 0

    def _start(self, woken: int) -> int | None:
        """Wait for the first worker; return its exit code if it could not start."""
        while not self._stopping:
            self._wait(woken)
            self._kill_hung()
            if any(child.is_ready for child in self._children.values()):
                return None
            for _, status in self._reap():
                return status or EXIT_CRASHED
        return 0

    def _spawn_missing(self, life: int, held: int) -> bool:
        """Start as many as are missing; False when the system has no room for one just now."""
        try:
            for _ in range(self.workers - len(self._children)):
                self._spawn(life, held)
        except OSError as error:
            # The others go on serving, which they would not if this process ended.
            _log.error("a worker cannot be started; tried again", reason=str(error))
            return False
        return True

    def _spawn(self, life: int, held: int, *, first: bool = False) -> None:
        ready, tell = os.pipe()
        place = min(set(range(self.workers)) - {each.place for each in self._children.values()})
        sys.stdout.flush()
        sys.stderr.flush()
        # Watched from here on: it may stand still before it gets as far as beating by itself.
        self.pulses.beat(place)
        # A worker is told to stop only when it no longer takes that for a word to the supervisor.
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)
        try:
            pid = os.fork()
        except OSError:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
            self.pulses.leave(place)
            os.close(ready)
            os.close(tell)
            raise
        if pid == 0:
            for fd in (held, ready, *(each.ready for each in self._children.values())):
                os.close(fd)
            heart = Heart(self.pulses, place)
            say = partial(os.write, tell, b"1")
            worker = Worker(first, place, say, heart.beat, heart.rest)
            os._exit(_run_worker(self.work, worker, heart, life))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
        os.close(tell)
        self._children[pid] = _Child(pid, place, ready)

    def _wait(self, woken: int) -> None:
        """Wait for a signal, or for a worker that is ready; at most a while."""
        asked = {each.ready: each for each in self._children.values() if not each.is_ready}
        found, _, _ = select.select([woken, *asked], [], [], PAUSE_S)
        for fd in found:
            if fd == woken:
                os.read(woken, 512)
            elif os.read(fd, 1):
                asked[fd].is_ready = True

    def _kill_hung(self) -> None:
        """Kill those that stand still; a lock that one of them holds goes with it."""
        hung = self.watch.look(time.monotonic())
        for child in self._children.values():
            if child.place in hung:
                _log.error("a worker hangs, and is killed", pid=child.pid)
                os.kill(child.pid, signal.SIGKILL)

    def _reap(self) -> Iterator[tuple[_Child, int]]:
        """Yield the workers that have ended, with what a shell would call their exit status."""
        for pid in list(self._children):
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                child = self._children.pop(pid)
                os.close(child.ready)
                self.pulses.leave(child.place)
                self.gone(child.place, wanted=not self._stopping)
                code = os.waitstatus_to_exitcode(status)
                yield child, code if code >= 0 else _SIGNALLED - code

    def _stop(self, woken: int) -> None:
        """Ask all to stop, and wait until they have."""
        for pid in self._children:
            os.kill(pid, signal.SIGTERM)
        while self._children:
            for child, status in self._reap():
                if status not in {0, _SIGNALLED + signal.SIGTERM}:
                    _log.error("a worker did not stop in good order", pid=child.pid, status=status)
            if self._children:
                self._wait(woken)
                self._kill_hung()

    @contextlib.contextmanager
    def _signals(self) -> Iterator[int]:
        """Let signals end the waiting; yield the descriptor that they wake."""
        woken, wake = os.pipe()
        os.set_blocking(woken, False)
        os.set_blocking(wake, False)
        before = signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        for number in _STOPS:
            signal.signal(number, self._on_stop)
        signal.signal(signal.SIGCHLD, _nothing)
        try:
            yield woken
        finally:
            for number in _STOPS:
                signal.signal(number, signal.SIG_IGN)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.set_wakeup_fd(before)
            os.close(woken)
            os.close(wake)

    def _on_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True


def _nothing(_number: int, _frame: FrameType | None) -> None:
    """Handle a signal by having been woken."""


def _run_worker(work: Work, worker: Worker, heart: Heart, life: int) -> int:
    """Do the work in a process that was just forked, and return its exit code."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    # Ctrl-C reaches the whole group; until it serves, a worker leaves that to the supervisor.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
    threading.Thread(target=_end_with, args=(life,), name="life", daemon=True).start()
    heart.start()
    try:
        return work(worker)
    except BaseException:  # noqa: BLE001 - the process ends here; it is logged
        _log.exception("a worker crashed")
        return EXIT_CRASHED
    finally:
        with contextlib.suppress(OSError):  # Whoever read it may be gone.
            sys.stdout.flush()
            sys.stderr.flush()


def _end_with(life: int) -> None:
    """Stop when the supervisor is gone: nobody else holds the other end of the pipe."""
    os.read(life, 1)
    os.kill(os.getpid(), signal.SIGTERM)

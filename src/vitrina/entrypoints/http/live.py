"""Wakes streams when there is something new in the change log.

One thread waits for the log, whatever the number of streams: a wait for each would use up the threads
that writes need.
"""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from vitrina.domain.errors import StoreUnreadable
from vitrina.service_layer import metrics
from vitrina.service_layer.metrics import Meters
from vitrina.service_layer.ports import ChangeLog

_WAIT_S: Final = 0.5
"""How long the thread waits before it looks whether the service is stopping."""


class Listener:
    """One stream's ear."""

    def __init__(self) -> None:
        self._heard = asyncio.Event()

    def ring(self) -> None:
        self._heard.set()

    async def rung(self, timeout_s: float) -> bool:
        """Wait until the bell has rung since the last call; False when the time is over."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._heard.wait()
        except TimeoutError:
            return False
        self._heard.clear()
        return True


class Bell:
    """Rings for all its listeners when the log has grown, and when it is closed."""

    def __init__(self, log: ChangeLog, meters: Meters) -> None:
        """Make a bell on the running event loop."""
        self._log = log
        self._subscribers = meters.gauge(metrics.FEED_SUBSCRIBERS)
        self._dropped = meters.counter(metrics.FEED_DROPPED)
        self._loop = asyncio.get_running_loop()
        self._listeners: set[Listener] = set()
        self._thread: threading.Thread | None = None
        self.closed = False

    @property
    def listeners(self) -> int:
        """How many listen."""
        return len(self._listeners)

    @contextmanager
    def listening(self) -> Iterator[Listener]:
        """Yield a listener that hears every ring until the block ends."""
        listener = Listener()
        self._listeners.add(listener)
        self._subscribers.set(len(self._listeners))
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, name="feed", daemon=True)
            self._thread.start()
        try:
            yield listener
        finally:
            self._listeners.discard(listener)
            self._subscribers.set(len(self._listeners))

    def drop(self) -> None:
        """Count a stream that was ended because it was too slow."""
        self._dropped.add()

    def close(self) -> None:
        """Let every stream end. It may be called from a signal handler, or when the loop is gone."""
        self.closed = True
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._ring)

    def _ring(self) -> None:
        for each in self._listeners:
            each.ring()

    def _watch(self) -> None:
        # What came in before this thread began may be news to the stream that it began for.
        seen = 0
        while not self.closed:
            if not self._log.wait(seen, timeout_s=_WAIT_S):
                continue
            try:
                seen = self._log.seq
            except (
                StoreUnreadable
            ):  # Since just now; streams must hear of what comes when it passes.
                time.sleep(_WAIT_S)
                continue
            try:
                self._loop.call_soon_threadsafe(self._ring)
            except RuntimeError:
                return  # The loop has ended, and all streams with it.

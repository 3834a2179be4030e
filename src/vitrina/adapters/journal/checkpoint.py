"""Checkpoints: fold the journal into a fresh snapshot in the background, and forget old segments.

One of the processes that have the store open does so, and another one when that one ends.

A checkpoint freezes what was changed at one moment and then writes while others go on writing. From
then on the new snapshot is what lies at the bottom of the tables, and what is in it is no longer
held in memory. The other processes do the same when they see that there is a new one. A checkpoint
that fails is told, tried again after a while, and costs nothing but memory and a longer next start.
"""

import threading
from contextlib import suppress
from pathlib import Path
from time import perf_counter
from typing import Final

import structlog

from vitrina.adapters.journal.disk import Disk
from vitrina.adapters.journal.fold import write_snapshot
from vitrina.adapters.journal.keys import keys_path
from vitrina.adapters.journal.log import Log
from vitrina.adapters.journal.marks import FOLDED, Notice
from vitrina.adapters.journal.pace import Gentle, release
from vitrina.adapters.journal.presence import Presence
from vitrina.adapters.journal.snapshot import (
    DamagedSnapshot,
    list_snapshots,
    open_base,
    sweep,
)
from vitrina.adapters.journal.store import JournalStore, StoreLimits
from vitrina.adapters.levels import Level
from vitrina.adapters.tables import Tables
from vitrina.domain.errors import StoreUnreadable
from vitrina.service_layer import metrics
from vitrina.service_layer.metrics import Figure, Meters
from vitrina.service_layer.ports import Check, CheckStatus

SNAPSHOTS_KEPT: Final = 2
LOOK_EVERY_S: Final = 1.0
GROWTH_PART: Final = 4
"""A snapshot is due when the journal has grown by this part of the last one's size."""

RETRY_AFTER_S: Final = 30.0

_log = structlog.get_logger(__name__)


class Checkpointer:
    """Makes checkpoints of one store, in a thread of its own and on request."""

    def __init__(  # noqa: PLR0913 - only open_store puts it together
        self,
        disk: Disk,
        folder: Path,
        *,
        store: JournalStore,
        presence: Presence,
        tables: Tables,
        log: Log,
        limits: StoreLimits,
        meters: Meters,
    ) -> None:
        self._seconds = meters.histogram(metrics.CHECKPOINT_SECONDS)
        self._failures = meters.counter(metrics.CHECKPOINT_FAILURES)
        self._disk = disk
        self._folder = folder
        self._store = store
        self._presence = presence
        self._marks = presence.marks
        self._tables = tables
        self._log = log
        self._limits = limits
        self._one = threading.Lock()
        self._stop = threading.Event()
        self._looked = False
        self._seq = self._size = 0
        self._folded = self._marks.words[FOLDED]
        self._pace = Gentle()
        self._thread = threading.Thread(target=self._run, name="vitrina-checkpoint", daemon=True)

    def start(self) -> None:
        """Begin to make checkpoints when enough was written."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread, once a checkpoint under way is done."""
        self._stop.set()
        self._pace.hurried = True
        if self._thread.is_alive():
            self._thread.join()

    def checks(self) -> list[Check]:
        """Tell whether the last checkpoint worked, whichever process tried."""
        failure = self._marks.said(Notice.SNAPSHOT)
        return [] if failure is None else [Check("checkpoint", CheckStatus.WARN, failure)]

    def figures(self) -> list[Figure]:
        """Tell when the newest snapshot was made, whichever process made it."""
        found = list_snapshots(self._disk, self._folder)
        made = 0.0
        if found:
            with suppress(FileNotFoundError):  # An even newer one has just taken its place.
                made = found[-1][1].stat().st_mtime
        return [Figure(metrics.SNAPSHOT_TIME, made)]

    def checkpoint(self) -> bool:
        """Make a snapshot of what is durable now, unless the newest one is just that.

        Returns:
            Whether one was made; another process may be the one that makes them.

        Raises:
            OSError: The system refused; the older snapshots and the journal stand.
            StoreUnreadable: So it is with reading, or what was to be read is damaged.
        """
        with self._one:
            if not self._leads():
                return False
            self._store.catch_up()
            written = self._log.end
            if self._tables.seq == self._seq:
                return False
            began = perf_counter()
            image = self._tables.freeze()
            path = write_snapshot(self._disk, self._folder, image, pace=self._pace)
            self._seconds.observe(perf_counter() - began)
            self._seq, self._size = image.seq, path.stat().st_size
            self._marks.words[FOLDED] = self._folded = written
            self._marks.say(Notice.SNAPSHOT, None)
            if base := open_base(self._disk, path):
                self._tables.rest_on(base)
                self._let_go(image.level)
            self._forget()
            return True

    def follow(self) -> bool:
        """Let the tables rest on the newest snapshot, if another process has made one.

        Raises:
            OSError, DamagedSnapshot: It cannot be read; the one before it does as well.
            StoreUnreadable: The one before it cannot be read.
        """
        with self._one:
            folded = self._marks.words[FOLDED]
            if folded == self._folded:
                return False
            snapshots = list_snapshots(self._disk, self._folder)
            base = open_base(self._disk, snapshots[-1][1]) if snapshots else None
            if base is None:
                return False
            # What the snapshot holds is durable, so these tables know no less from here on.
            self._store.catch_up()
            image = self._tables.freeze()
            left = base.left_of(image.level, self._pace)
            self._tables.rest_on(base, left)
            self._let_go(image.level)
            self._folded = folded
            return True

    def _let_go(self, level: Level) -> None:
        """Free what is in a snapshot now; no reader looks for it there any more."""
        release(level.products, self._pace)
        release(level.skus, self._pace)
        release(level.slugs, self._pace)

    def _leads(self) -> bool:
        """Say whether this process makes the checkpoints; look at what there is when it begins."""
        if not self._presence.lead():
            return False
        if not self._looked:
            sweep(self._disk, self._folder)
            found = list_snapshots(self._disk, self._folder)
            if found:
                self._seq, self._size = found[-1][0], found[-1][1].stat().st_size
            self._looked = True
        return True

    def _forget(self) -> None:
        """Delete the snapshots and the segments that no start needs any more."""
        snapshots = list_snapshots(self._disk, self._folder)
        for _, path in snapshots[:-SNAPSHOTS_KEPT]:
            self._disk.unlink(path)
            if keys_path(path).exists():
                self._disk.unlink(keys_path(path))
        self._log.drop(
            # The older of the two snapshots must be of use if the newer one fails to verify.
            needed_after=snapshots[-SNAPSHOTS_KEPT:][0][0] if len(snapshots) > 1 else 0,
            bytes_max=self._limits.retain_bytes,
            changes_max=self._limits.retain_changes,
        )

    def _due(self) -> bool:
        # Growth by a part of the snapshot's own size keeps the cost of all snapshots linear in what
        # is written, and what a start has to read again in proportion to the catalog.
        return self._log.size_after(self._seq) >= max(
            self._limits.checkpoint_bytes, self._size // GROWTH_PART
        )

    def _run(self) -> None:
        pause = LOOK_EVERY_S
        while not self._stop.wait(pause):
            pause = LOOK_EVERY_S if self._look() else RETRY_AFTER_S

    def _look(self) -> bool:
        """Do what is due; False when it failed."""
        leads = True
        try:
            leads = self._leads()
            if not leads:
                self.follow()
            elif self._due():
                self.checkpoint()
        except (OSError, DamagedSnapshot, StoreUnreadable) as error:
            if not leads:
                _log.warning("the newest snapshot is of no use yet", reason=str(error))
            else:
                _log.warning("checkpoint failed", reason=self._tell_failure(str(error)))
            return False
        except Exception as error:  # noqa: BLE001 - the thread must outlive a bug; it is logged
            _log.exception("checkpoint failed")
            if leads:
                self._tell_failure(repr(error))
            return False
        return True

    def _tell_failure(self, reason: str) -> str:
        """Tell the probes and the numbers that a snapshot could not be made; return what is told."""
        failure = (
            f"No snapshot could be written to {self._folder}: {reason}; "
            f"nothing is lost, but the journal grows until it can."
        )
        self._marks.say(Notice.SNAPSHOT, failure)
        self._failures.add()
        return failure

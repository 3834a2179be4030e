"""Notices that somebody has touched the catalog's files.

The system tells it (inotify and its like, through ``watchfiles``). A notice may get lost, and some
file systems send none; so the files are looked at from time to time besides. A notice only says
that it is worth looking: what has really changed is found by comparing contents.
"""

import threading
import time
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Final

import structlog
from watchfiles import Change, watch

from vitrina.adapters.projection.base import Signature, signature_of

LOOK_EVERY_S: Final = 1.0
"""How often the files are looked at although the system would tell."""

POLL_EVERY_S: Final = 0.25
_NOTICE_STEP_MS: Final = 20
_NOTICE_WAIT_MS: Final = 500

_log = structlog.get_logger(__name__)


class Watch(StrEnum):
    """How edits are noticed."""

    AUTO = "auto"
    POLL = "poll"
    OFF = "off"


class FolderWatcher:
    """Watches some files of one folder, which may be missing.

    Names are watched, not files: an editor that saves a new file under the old name is noticed,
    and lock files, copies and temporary files of editors are not.
    """

    def __init__(self, files: Iterable[Path], mode: Watch) -> None:
        self._files = tuple(files)
        self._folder = self._files[0].parent
        self._mode = mode
        self._every_s = POLL_EVERY_S if mode is Watch.POLL else LOOK_EVERY_S
        self._told = threading.Event()
        self._stopping = threading.Event()
        self._seen = self._look()
        self._next_look = 0.0
        self._thread = threading.Thread(target=self._listen, name="vitrina-watcher", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        if self._mode is Watch.AUTO:
            self._thread.start()

    def stop(self) -> None:
        """Listen no more."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def stirred(self) -> bool:
        """Say whether a file may have been touched since the last time that this was asked."""
        if self._mode is Watch.OFF:
            return False
        told = self._told.is_set()
        now = time.monotonic()
        if not told and now < self._next_look:
            return False
        self._told.clear()
        self._next_look = now + self._every_s
        before, self._seen = self._seen, self._look()
        return told or self._seen != before

    def _look(self) -> tuple[Signature | None, ...]:
        return tuple(map(signature_of, self._files))

    def _listen(self) -> None:
        names = {path.name for path in self._files}

        def concerns(_: Change, path: str) -> bool:
            return Path(path).name in names

        try:
            for _ in watch(
                self._folder,
                watch_filter=concerns,
                step=_NOTICE_STEP_MS,
                debounce=2 * _NOTICE_STEP_MS,
                rust_timeout=_NOTICE_WAIT_MS,
                stop_event=self._stopping,
                recursive=False,
                raise_interrupt=False,
            ):
                self._told.set()
        except (OSError, RuntimeError) as error:
            # No more watches are to be had, or the folder is gone for now.
            self._every_s = POLL_EVERY_S
            _log.warning("files are looked at, for the system does not tell", reason=str(error))

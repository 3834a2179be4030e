"""Where an index is kept: in a slot on the disk, with an overlay in memory, or in memory alone."""

import logging
from contextlib import suppress
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Final

from vitrina.adapters.index.overlay import MEMORY, Overlay, sweep
from vitrina.adapters.index.slots import Note, Slot

SAVE_AFTER_S: Final = 5.0
"""How often what was committed in memory is saved. A crash loses no more than that, and the next start
takes it in again: at 1,000 changes a second in about half a second."""

_log: Final = logging.getLogger(__name__)


class Home:
    """The place of one index. All but :meth:`save` and ``trouble`` are for whoever commits."""

    def __init__(self, folder: Path | None, commits: Lock, memory: Path | None = MEMORY) -> None:
        """Keep an index.

        Args:
            folder: Where the indexes of the catalog are kept; None keeps this one in memory alone.
            commits: Held by whoever commits.
            memory: Where changes are kept until they are saved; where None is, or none can be
                written, each commit is forced to the disk.
        """
        self._folder = folder
        self._commits = commits
        self._memory = memory
        self._slot: Slot | None = None
        self._overlay: Overlay | None = None
        self._refused: Exception | None = None
        self._closing = Event()
        self._saver = Thread(target=self._save_regularly, name="index-save", daemon=True)

    @property
    def on_disk(self) -> bool:
        """Whether what is kept outlives the process."""
        return self._slot is not None

    @property
    def in_overlay(self) -> bool:
        """Whether commits are made in memory, over what is on the disk."""
        return self._overlay is not None

    @property
    def folder(self) -> str | None:
        """Where the engine works; None is in memory alone."""
        place = self._overlay or self._slot
        return None if place is None else str(place.folder)

    @property
    def trouble(self) -> str | None:
        """What is wrong with the place, in a sentence; None when nothing is."""
        if self._folder is not None and self._slot is None:
            return f"The index is kept in memory only: {self._folder} cannot be written to."
        if self._refused is not None:
            return f"The index cannot be saved to {self._folder}: {self._refused}."
        return None

    def open(self) -> None:
        """Take a slot, if there is one."""
        if self._folder is None:
            return
        try:
            self._slot = Slot.take(self._folder)
        except OSError as error:
            _log.warning("the index is kept in memory only: %s", error)
        else:
            self._saver.start()

    def note(self) -> Note | None:
        """Return the note about what is on the disk; None when there is nothing to rely on."""
        return None if self._slot is None else self._slot.note()

    def clear(self) -> None:
        """Throw away what is kept; a new index is made on the disk, if at all."""
        self.drop_overlay()
        if self._slot is not None:
            self._slot.clear()

    def overlay(self, note: Note) -> None:
        """Let commits be made in memory from now on, where that is possible.

        Args:
            note: About what is on the disk; nothing else must be using it.

        Raises:
            OSError, ValueError: What is on the disk is damaged.
        """
        if self._slot is None:
            return
        sweep(self._slot.folder)
        if self._memory is None:
            return
        try:
            self._overlay = Overlay.over(self._slot, note, self._memory)
        except OSError as error:
            _log.info("the index is forced to the disk in each commit: %s", error)

    def drop_overlay(self, *, for_good: bool = False) -> None:
        """Go back to what was saved last; *for_good* lets all commits be made on the disk from now on."""
        if for_good:
            self._memory = None
        if self._overlay is None or self._slot is None:
            return
        self._overlay.drop()
        self._overlay = None
        with suppress(OSError, ValueError):  # Whoever goes on with it will notice.
            sweep(self._slot.folder)

    def leave_disk(self) -> None:
        """Keep the index in memory alone from now on; what is on the disk is of use at the next start."""
        self.drop_overlay()
        if self._slot is not None:
            self._slot.close()
            self._slot = None

    def committed(self, note: Note) -> None:
        """Note what the index holds now: at once, or when it is saved."""
        if self._overlay is not None:
            self._overlay.committed(note)
        elif self._slot is not None:
            self._slot.write(note)

    def save(self) -> None:
        """Bring what was committed in memory to the disk, or remember why that cannot be."""
        overlay = self._overlay
        if overlay is None:
            return
        try:
            overlay.save(self._commits)
        except (OSError, ValueError) as error:
            if self._refused is None:
                _log.warning("the index cannot be saved to %s: %s", self._folder, error)
            self._refused = error
        else:
            self._refused = None

    def close(self) -> None:
        """Save what is in memory, and let other processes have the slot. Nothing must be committed any more."""
        self._closing.set()
        if self._saver.is_alive():
            self._saver.join()
        self.save()
        self.leave_disk()

    def _save_regularly(self) -> None:
        while not self._closing.wait(SAVE_AFTER_S):
            self.save()

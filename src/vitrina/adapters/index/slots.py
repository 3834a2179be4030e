"""Where indexes are kept on the disk: one slot for each process that serves the catalog.

``N/``       the engine's files
``N.json``   ``{"made_of": …, "prefix": …, "landmarks": […], "seq": …, "mark": …}``: how they were made, and up to
           which change
``N.lock``   locked by the process that writes to them

All of it is derived and may be deleted while no process runs. The note is written after the engine has
committed: what a crash leaves is at most behind, and changes that are taken in twice change nothing.
"""

import fcntl
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import orjson

from vitrina.adapters.index.schema import Spread

SLOTS_MAX: Final = 64
"""How many processes may keep an index of one catalog."""


@dataclass(frozen=True, slots=True)
class Note:
    """How an index was made, and what it holds.

    Attributes:
        made_of: What must be the same for the index to be of use.
        spread: Of the catalog's ids, when it was made.
        seq: The last change that it surely holds.
        mark: That change's, so that another one of the same number is not taken for it; may be "".
    """

    made_of: str
    spread: Spread
    seq: int
    mark: str


class Slot:
    """One place for an index, held by this process until it is closed."""

    def __init__(self, folder: Path, lock: int) -> None:
        self.folder: Final = folder
        self._note: Final = folder.with_name(f"{folder.name}.json")
        self._lock = lock

    @classmethod
    def take(cls, folder: Path) -> Self:
        """Return the first slot in *folder* that no process holds.

        Raises:
            OSError: The folder cannot be written to, or all slots are taken.
        """
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(SLOTS_MAX):
            lock = os.open(folder / f"{number}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(lock)
                continue
            return cls(folder / str(number), lock)
        raise OSError(f"all {SLOTS_MAX} slots of {folder} are taken")

    def close(self) -> None:
        """Let other processes have the slot."""
        os.close(self._lock)

    def note(self) -> Note | None:
        """Return the note about what is kept here; None when there is none to rely on."""
        try:
            note = orjson.loads(self._note.read_bytes())
        except (OSError, ValueError):
            return None
        match note:
            case {
                "made_of": str(made_of),
                "prefix": str(prefix),
                "landmarks": [*landmarks],
                "seq": int(seq),
                "mark": str(mark),
            } if all(isinstance(each, int) for each in landmarks):
                return Note(made_of, Spread(prefix, tuple(landmarks)), seq, mark)
            case _:
                return None

    def write(self, note: Note) -> None:
        """Replace the note."""
        fresh = self._note.with_suffix(".tmp")
        kept = {
            "made_of": note.made_of,
            "prefix": note.spread.prefix,
            "landmarks": note.spread.landmarks,
            "seq": note.seq,
            "mark": note.mark,
        }
        fresh.write_bytes(orjson.dumps(kept))
        fresh.replace(self._note)

    def clear(self) -> None:
        """Throw away what is kept here."""
        self._note.unlink(missing_ok=True)
        if self.folder.exists():
            shutil.rmtree(self.folder)
        self.folder.mkdir()

"""Which rows of an edited file were taken in already when a crash came.

Taking in an edit is several commits, and only after the last of them is the file's new base kept.
``.vitrina/base/products.csv.taking`` holds, from before the first commit until then, the number of
the last change before it (16 digits and LF) and the bytes of the file. When a start finds the file
with just these bytes, the rows that the journal has changes of since then are done: to carry them
out again could undo what the API has changed in between. Losing the file costs just that.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from vitrina.adapters.journal.disk import Disk, make_folder, replace_file
from vitrina.adapters.projection.base import signature_of
from vitrina.domain.errors import ChangesGone
from vitrina.service_layer.changes import Source
from vitrina.service_layer.ports import ChangeLog

_SUFFIX: Final = ".taking"
_HEAD_BYTES: Final = 17
_BATCH_CHANGES: Final = 1_000


def taking_path(folder: Path, name: str) -> Path:
    """Return where it is kept how far a file is taken in."""
    return folder / f"{name}{_SUFFIX}"


class TakingIn:
    """Keeps what is being taken in from one file."""

    def __init__(
        self, disk: Disk, folder: Path, name: str, log: ChangeLog, *, kind: str = "product"
    ) -> None:
        """Take up what was kept when the catalog was last served.

        Args:
            disk: Where.
            folder: Where.
            name: Of the file.
            log: Tells which rows were taken in.
            kind: What the file holds: ``product`` or ``category``.
        """
        self._kind = f"{kind}."
        self._disk = disk
        self._folder = folder
        self._path = taking_path(folder, name)
        self._log = log
        self._under_way = signature_of(self._path) is not None

    def begin(self, data: bytes, *, is_new: bool) -> Callable[[str], bool]:
        """Note that the file is going to be taken in with these bytes.

        Args:
            data: The bytes.
            is_new: They are not those of the base; else there is nothing to note.

        Returns:
            Whether a row with this id was taken in before: by an attempt that did not end.

        Raises:
            OSError: The system refuses.
        """
        if self._under_way:
            kept = self._disk.read(self._path)
            if kept[_HEAD_BYTES:] == data:
                return self._taken_since(int(kept[:_HEAD_BYTES])).__contains__
        if is_new:
            self._note(data)
        return frozenset[str]().__contains__

    def _note(self, data: bytes) -> None:
        make_folder(self._disk, self._folder)
        replace_file(self._disk, self._path, [b"%016d\n" % self._log.seq, data])
        self._under_way = True

    def end(self) -> None:
        """Forget it: all is taken in, and the base is kept.

        Raises:
            OSError: The system refuses.
        """
        if self._under_way:
            self._disk.unlink(self._path)
            self._disk.fsync_folder(self._folder)
            self._under_way = False

    def _taken_since(self, after: int) -> frozenset[str]:
        taken: set[str] = set()
        try:
            while changes := self._log.changes(after, limit=_BATCH_CHANGES):
                taken.update(
                    each.id
                    for each in changes
                    if each.source is Source.FILE and each.type.startswith(self._kind)
                )
                after = changes[-1].seq
        except ChangesGone:
            return frozenset()  # So long ago that nobody can tell.
        return frozenset(taken)

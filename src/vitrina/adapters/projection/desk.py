"""What the process that keeps the file in step tells the others, in ``.vitrina/file/``.

``status.json`` is how the file is now; it is written anew whenever that changes, and losing it
costs nothing, because it is only ever what was true a moment ago. When the system does not let it be
written, the state is told in the memory that the processes share. ``conflicts.json`` lists the conflicts that are open, durably. ``accepted`` holds the
fingerprint of the bytes that somebody has accepted; the process that keeps the file in step looks
for it all the time, and takes it away.
"""

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import Final

import structlog
from pydantic import TypeAdapter, ValidationError

from vitrina.adapters.journal.disk import TEMPORARY_SUFFIX, Disk, make_folder, replace_file
from vitrina.adapters.journal.marks import Marks, Notice
from vitrina.adapters.projection.base import Signature, signature_of
from vitrina.domain.errors import NothingToAccept
from vitrina.service_layer import metrics
from vitrina.service_layer.metrics import Figure
from vitrina.service_layer.person_file import FileConflict, FileState, FileStatus

ACCEPT_WAIT_S: Final = 30.0
"""How long an order waits for the process that carries it out."""

_LOOK_S: Final = 0.05
_STATUS: Final = TypeAdapter(FileStatus)
_CONFLICTS: Final = TypeAdapter(tuple[FileConflict, ...])

_log = structlog.get_logger(__name__)


def fingerprint(data: bytes) -> str:
    """Return what tells these bytes from others."""
    return blake2b(data, digest_size=16).hexdigest()


class Desk:
    """The folder of one catalog's file; meets the port ``FileDesk`` in every process."""

    def __init__(self, disk: Disk, folder: Path, marks: Marks | None = None) -> None:
        """Work in *folder*.

        Args:
            disk: Where it is.
            folder: Made when it is missing.
            marks: What the processes share that have the catalog open; None outside of them.
        """
        self._disk = disk
        self._folder = folder
        self._marks = marks
        self._status_path = folder / "status.json"
        self._conflicts_path = folder / "conflicts.json"
        self._accepted_path = folder / "accepted"
        self._told: FileStatus | None = None
        self._read: tuple[Signature | None, tuple[FileConflict, ...]] = (None, ())

    # --- for everybody

    def status(self) -> FileStatus:
        status = self._kept()
        if self._marks is None or (untold := self._marks.said(Notice.FILE)) is None:
            return status
        state, _, detail = untold.partition("\t")
        return replace(status, state=FileState(state), detail=detail, line=0, column=0, code="")

    def _kept(self) -> FileStatus:
        try:
            return _STATUS.validate_json(self._status_path.read_bytes())
        except (FileNotFoundError, ValidationError):
            return FileStatus()  # Nobody has looked at the file yet.
        except OSError as error:
            return FileStatus(state=FileState.BLOCKED, detail=f"{self._status_path}: {error}")

    def figures(self, now: datetime) -> list[Figure]:
        """Tell how the file is, in numbers."""
        found = self.status()
        since = found.waiting_since
        lag = max(0.0, (now - since).total_seconds()) if since else 0.0
        return [
            *(Figure(metrics.FILE_STATE, found.state is each, (each,)) for each in FileState),
            Figure(metrics.STALE, found.state is FileState.BROKEN),
            Figure(metrics.FILE_WAITING, found.waiting),
            Figure(metrics.FILE_LAG, lag),
            Figure(metrics.FILE_PROBLEMS, found.problems_total),
            Figure(metrics.FILE_REFUSED, found.refused),
            Figure(metrics.CONFLICTS, found.conflicts),
        ]

    def conflicts(self) -> Sequence[FileConflict]:
        signature = signature_of(self._conflicts_path)
        if signature is None:
            return ()
        if self._read[0] != signature:
            self._read = signature, self._load()
        return self._read[1]

    def accept(self) -> FileStatus:
        found = self.status().pending
        if found is None:
            raise NothingToAccept("No edit of the product file waits to be accepted.")
        self.order(found.fingerprint)
        give_up = time.monotonic() + ACCEPT_WAIT_S
        while time.monotonic() < give_up:
            now = self.status()
            if now.pending is None or now.pending.fingerprint != found.fingerprint:
                return now
            time.sleep(_LOOK_S)
        return self.status()

    # --- for those who give or carry out orders

    def order(self, accepted: str) -> None:
        """Have the file accepted, if it still has these bytes when the order is carried out.

        Raises:
            OSError: The system refused.
        """
        make_folder(self._disk, self._folder)
        replace_file(self._disk, self._accepted_path, [accepted.encode()])

    def ordered(self) -> str | None:
        """Return the fingerprint that was accepted, or None."""
        try:
            return self._accepted_path.read_text("ascii", "replace")
        except FileNotFoundError:
            return None

    def has_order(self) -> bool:
        """Say whether something was accepted; costs next to nothing."""
        return signature_of(self._accepted_path) is not None

    def clear_order(self) -> None:
        """Take the order away, when it was carried out."""
        with suppress(FileNotFoundError):
            self._disk.unlink(self._accepted_path)

    def tell(self, status: FileStatus) -> None:
        """Tell everybody how the file is."""
        if status == self._told:
            return
        try:
            make_folder(self._disk, self._folder)
            temporary = self._status_path.with_name(self._status_path.name + TEMPORARY_SUFFIX)
            temporary.write_bytes(_STATUS.dump_json(status))
            temporary.replace(self._status_path)
        except OSError as error:
            _log.warning("the state of the file is not kept", reason=str(error))
            self._say(f"{status.state}\t{status.detail}")
            return
        self._say(None)
        if status.state not in {FileState.IN_SYNC, FileState.NONE} and (
            self._told is None
            or (status.state, status.detail) != (self._told.state, self._told.detail)
        ):
            _log.warning("product file", state=status.state.value, detail=status.detail)
        self._told = status

    def _say(self, untold: str | None) -> None:
        if self._marks is not None:
            self._marks.say(Notice.FILE, untold)

    def keep(self, conflicts: Sequence[FileConflict]) -> None:
        """Keep the open conflicts, durably.

        Raises:
            OSError: The system refused; those before are still kept.
        """
        if tuple(conflicts) == tuple(self.conflicts()):
            return
        make_folder(self._disk, self._folder)
        replace_file(self._disk, self._conflicts_path, [_CONFLICTS.dump_json(tuple(conflicts))])

    def _load(self) -> tuple[FileConflict, ...]:
        try:
            return _CONFLICTS.validate_json(self._conflicts_path.read_bytes())
        except FileNotFoundError:
            return ()
        except ValidationError as error:
            _log.warning("the list of conflicts is damaged; begun anew", reason=str(error))
            return ()

"""What the two files of a catalog have in common: a base, and reasons for which one waits."""

from pathlib import Path

import structlog

from vitrina.adapters.journal.disk import Disk, replace_file
from vitrina.adapters.product_file import UnreadableFile
from vitrina.adapters.projection.base import Base, BaseKeeper, Found
from vitrina.adapters.projection.loss import Loss
from vitrina.adapters.projection.understanding import unreadable
from vitrina.service_layer.opening import Problem
from vitrina.service_layer.person_file import Pending

_log = structlog.get_logger(__name__)


class HeldFile:
    """A file that people edit, as it was when it was last in step with the catalog.

    Attributes:
        path: Where it is.
        broken: Why it cannot be read; None while it can.
        pending: What waits to be accepted; None when nothing does.
    """

    def __init__(
        self, disk: Disk, path: Path, keeper: BaseKeeper, *, loss_percent_max: float
    ) -> None:
        self.path = path
        self.broken: Problem | None = None
        self.pending: Pending | None = None
        self._disk = disk
        self._keeper = keeper
        self._loss_percent_max = loss_percent_max
        self._base = keeper.load(Found.at(path).data)

    @property
    def waits(self) -> bool:
        """A person has to do something first; until then the file is not written."""
        return self.broken is not None or self.pending is not None

    def _look(self, seq: int) -> Found:
        """Return the file as it is, and forget a base that *seq*, the last change, is older than."""
        if self._base and self._base.seq > seq:
            # The journal lost its end, and the file is newer than the catalog: it is the copy.
            _log.warning("the file is newer than the journal", file=self._base.seq, journal=seq)
            self._base = None
        return Found.at(self.path)

    def _is_as_meant(self) -> None:
        self.broken = self.pending = None

    def _cannot_be_read(self, error: UnreadableFile) -> None:
        self.broken = unreadable(self.path.name, error)
        self.pending = None

    def _may_go(self, loss: Loss, asked: Pending, accepted: str | None) -> bool:
        """Say whether no more goes than may, or somebody has accepted it; else it is pending.

        Args:
            loss: What would go.
            asked: What somebody would have to accept.
            accepted: The fingerprint of what was accepted.
        """
        is_grave = loss.is_grave(self._loss_percent_max) and asked.fingerprint != accepted
        self.pending = asked if is_grave else None
        return not is_grave

    def _replace(self, found: Found, base: Base) -> bool:
        """Write the file; False when it is not any more what was *found*.

        Args:
            found: The file as it was looked at.
            base: What it is to hold.

        Raises:
            OSError: The system refused; the file stands as it was.
        """
        self._keeper.announce(base)
        return replace_file(
            self._disk,
            self.path.resolve(),
            [base.data],
            like=found.status,
            unless=lambda: not found.is_current(self.path),
        )

    def _keep(self, base: Base) -> None:
        """Note what the file is like now that it is in step.

        Raises:
            OSError: The system refused; what was kept before still is.
        """
        if base != self._base:
            self._keeper.store(base, before=self._base)
            self._base = base

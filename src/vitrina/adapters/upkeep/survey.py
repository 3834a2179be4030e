"""What the files of a catalog's state hold and what is wrong with them, as one picture.

A change is *missing* when no whole record holds it and some file shows that it was made: a later
record, the name of a later segment or snapshot, or the base copy of the product file. What a crash
may leave at the end of the journal is no damage; it is told as *torn*.
"""

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from vitrina.adapters.journal.disk import TEMPORARY_SUFFIX, Disk
from vitrina.adapters.journal.inspection import (
    Flaw,
    Follow,
    Run,
    SegmentReading,
    UnknownFormat,
    read_segments,
)
from vitrina.adapters.journal.keys import KEYS_SUFFIX, keys_path
from vitrina.adapters.journal.recovery import JOURNAL_FOLDER
from vitrina.adapters.journal.snapshot import (
    DAMAGED_SUFFIX,
    DamagedSnapshot,
    UnknownSnapshot,
    flaw_of_keys as check_keys,
    list_snapshots,
    open_snapshot,
)
from vitrina.adapters.projection.base import kept_seq
from vitrina.domain.errors import StoreUnreadable
from vitrina.service_layer.upkeep import Checked, Damage, Range

BASE: Final = "base"


@dataclass(frozen=True, slots=True)
class SnapshotFound:
    """A snapshot, and why it, or its keys, cannot be used; None when they can."""

    seq: int
    path: Path
    size: int
    products: int = 0
    flaw: str | None = None
    flaw_of_keys: str | None = None


@dataclass(slots=True)
class Survey:
    """What there is.

    Attributes:
        state: The folder.
        snapshots: Oldest first.
        known: A change that was once durable, whatever the journal says.
        segments: Oldest first.
        damages: What is wrong with journal and snapshots.
        leftovers: Files of writes that were interrupted; the next start deletes them.
    """

    state: Path
    snapshots: list[SnapshotFound] = field(default_factory=list)
    known: int = 0
    segments: list[SegmentReading] = field(default_factory=list)
    damages: list[Damage] = field(default_factory=list)
    leftovers: list[Path] = field(default_factory=list)

    @property
    def newest(self) -> SnapshotFound | None:
        """The newest snapshot that is whole."""
        whole = [each for each in self.snapshots if each.flaw is None]
        return whole[-1] if whole else None

    @property
    def covered(self) -> int:
        """The last change that the newest whole snapshot holds; 0 without one."""
        return self.newest.seq if self.newest else 0

    @property
    def runs(self) -> list[Run]:
        return [run for segment in self.segments for run in segment.runs]

    @property
    def last(self) -> int:
        """The highest number of a change that any file shows."""
        named = [segment.first - 1 for segment in self.segments]
        return max([self.known, *named, *(run.last for run in self.runs)])

    @property
    def oldest(self) -> int:
        """The number of the first change of the journal; one more than the last without any."""
        return self.segments[0].first if self.segments else self.last + 1

    def missing(self, after: int) -> list[Range]:
        """Return the changes above number *after* that no whole record holds."""
        found: list[Range] = []
        upto = after
        for run in sorted(self.runs, key=lambda run: run.first):
            if run.first > upto + 1:
                found.append((upto + 1, run.first - 1))
            upto = max(upto, run.last)
        if self.last > upto:
            found.append((upto + 1, self.last))
        return found

    def checked(self) -> Iterator[Checked]:
        """Yield the files that were read."""
        for snapshot in self.snapshots:
            changes = (1, snapshot.seq) if snapshot.flaw is None else None
            yield Checked(
                path=str(snapshot.path),
                kind="snapshot",
                size=snapshot.size,
                count=snapshot.products,
                changes=changes,
            )
        for segment in self.segments:
            runs = segment.runs
            yield Checked(
                path=str(segment.path),
                kind="journal",
                size=segment.size,
                count=sum(run.count for run in runs),
                changes=(min(run.first for run in runs), segment.last) if runs else None,
            )


def look(disk: Disk, state: Path) -> Survey:
    """Return what there is beside the journal.

    Raises:
        UnknownFormat: Another version of the program wrote it.
        OSError: It cannot be read; a snapshot may just have been replaced.
    """
    survey = Survey(state)
    names = disk.names(state)
    survey.leftovers = [state / name for name in names if name.endswith(TEMPORARY_SUFFIX)]
    for seq, path in list_snapshots(disk, state):
        with contextlib.suppress(FileNotFoundError):  # A newer one has just taken its place.
            survey.snapshots.append(_snapshot(disk, seq, path))
    numbers = (_number(name) for name in names if name.startswith("snapshot-"))
    survey.known = max([kept_seq(disk, state / BASE), *numbers])
    survey.damages += [_damaged(each) for each in survey.snapshots if each.flaw is not None]
    survey.damages += [_damaged_keys(each) for each in survey.snapshots if each.flaw_of_keys]
    return survey


def _number(name: str) -> int:
    """Return the change that a snapshot's name tells, also when a start set it aside; or 0."""
    digits = name.removesuffix(DAMAGED_SUFFIX).removeprefix("snapshot-")
    digits = digits.removesuffix(".jsonl").removesuffix(KEYS_SUFFIX)
    return int(digits) if digits.isdecimal() else 0


def read_journal(disk: Disk, survey: Survey, follow: Follow) -> None:
    """Read the journal, and add what is in it and what is wrong with it to *survey*.

    Raises:
        UnknownFormat: Another version of the program wrote it.
        OSError: It cannot be read; a segment may just have been dropped.
    """
    journal = survey.state / JOURNAL_FOLDER
    survey.segments += read_segments(disk, journal, known=survey.known, follow=follow)
    survey.damages += _journal_damages(survey)


def _snapshot(disk: Disk, seq: int, path: Path) -> SnapshotFound:
    size = path.stat().st_size
    try:
        snapshot = open_snapshot(disk, path)
    except UnknownSnapshot as error:
        raise UnknownFormat(
            f"{error}: another version of Vitrina wrote it; use that one."
        ) from error
    except DamagedSnapshot as error:
        return SnapshotFound(seq, path, size, flaw=str(error))
    held = snapshot.header.seq
    flaw = None if held == seq else f"it holds change {held}, not {seq} as its name says"
    try:
        flaw_of_keys = None if flaw else check_keys(disk, snapshot)
    except StoreUnreadable as error:
        flaw_of_keys = error.reason
    return SnapshotFound(seq, path, size, snapshot.header.products, flaw, flaw_of_keys)


def _damaged(snapshot: SnapshotFound) -> Damage:
    return Damage(
        path=str(snapshot.path),
        offset=0,
        size=snapshot.size,
        code="damaged_snapshot",
        meaning=f"This snapshot is not what was written: {snapshot.flaw}. The one before it and "
        "the journal stand in for it, where they are whole.",
        remedy="Nothing has to be done if this is the only damage; vitrina repair sets it aside.",
    )


def _damaged_keys(snapshot: SnapshotFound) -> Damage:
    path = keys_path(snapshot.path)
    return Damage(
        path=str(path),
        offset=0,
        size=path.stat().st_size if path.exists() else 0,
        code="damaged_keys",
        meaning=f"This list of where the products of the snapshot are is not right: "
        f"{snapshot.flaw_of_keys}. The products themselves are not affected.",
        remedy="Stop the service and delete the file, or let vitrina repair set it aside: the next "
        "start makes it anew.",
    )


class _Walk:
    """Goes through the segments in order, and notes where the numbers do not follow."""

    def __init__(self, state: Path, covered: int) -> None:
        self._folder = state.parent
        self._damages: list[Damage] = []
        self._next: int | None = None
        self._covered = covered
        self._place = (state / JOURNAL_FOLDER, 0)
        self._flaw: Flaw | None = None

    def run(self, segments: Iterable[SegmentReading], last: int) -> list[Damage]:
        for segment in segments:
            self._begin(segment)
            before: Run | Flaw | None = None
            for part in segment.parts:
                if isinstance(part, Flaw):
                    self._settle_flaw()
                    self._flaw = part
                else:
                    self._take(part, joined=isinstance(before, Run))
                before = part
            if not segment.ended:
                self._note(segment.path, segment.size, 0, "lost_line_end", _LINE_END)
            self._place = (segment.path, segment.size)
        following = self._covered + 1 if self._next is None else self._next
        if last >= following:
            self._lack(following, last)
        self._settle_flaw()
        return self._damages

    def _begin(self, segment: SegmentReading) -> None:
        if self._next is None:
            # What is older than the first segment was dropped, once a snapshot held it.
            if segment.first > self._covered + 1:
                self._place = (segment.path, 0)
                self._lack(self._covered + 1, segment.first - 1)
        elif segment.first > self._next:
            self._lack(self._next, segment.first - 1)
        elif segment.first < self._next:
            self._settle_flaw()
            self._note(
                segment.path,
                0,
                0,
                "repeated_changes",
                f"It begins with change {segment.first}, but the files before it reach up to "
                f"change {self._next - 1}.",
            )
        self._settle_flaw()
        self._next = max(segment.first, self._next or 0)
        self._place = (segment.path, 0)

    def _take(self, run: Run, *, joined: bool) -> None:
        following = self._next or run.first
        self._place = (run.path, run.offset)
        if run.first > following:
            self._lack(following, run.first - 1)
        elif run.first < following:
            meaning = f"Change {run.first} stands behind change {following - 1}."
            self._note(run.path, run.offset, 0, "repeated_changes", meaning)
        elif joined:
            self._note(run.path, run.offset, 0, "lost_line_end", _LINE_END)
        self._settle_flaw()
        self._next = max(following, run.last + 1)

    def _lack(self, first: int, last: int) -> None:
        """Note that changes are missing at the present place: the flaw there held them, if any."""
        flaw, self._flaw = self._flaw, None
        if flaw is not None:
            meaning = f"{_sentence(flaw.reason)} Here stood {_changes(first, last)}."
            self._note(
                flaw.path,
                flaw.offset,
                flaw.size,
                "damaged_records",
                meaning,
                (first, last),
                flaw.ids,
            )
            return
        path, offset = self._place
        meaning = f"Here {_changes(first, last)} should stand, and nothing is there."
        self._note(path, offset, 0, "missing_changes", meaning, (first, last))

    def _settle_flaw(self) -> None:
        flaw, self._flaw = self._flaw, None
        if flaw is not None:
            meaning = f"{_sentence(flaw.reason)} No change is missing here."
            self._note(flaw.path, flaw.offset, flaw.size, "foreign_bytes", meaning)

    def _note(
        self,
        path: Path,
        offset: int,
        size: int,
        code: str,
        meaning: str,
        changes: Range | None = None,
        ids: tuple[str, ...] = (),
    ) -> None:
        lost = changes is not None and changes[1] > self._covered
        self._damages.append(
            Damage(
                path=str(path),
                offset=offset,
                size=size,
                code=code,
                changes=changes,
                ids=ids,
                meaning=meaning if lost or changes is None else f"{meaning} {_COVERED}",
                remedy="Restore the catalog from a backup, or keep everything that is whole with: "
                f"vitrina repair {self._folder}",
            )
        )


_LINE_END: Final = "Two records are not divided by a line end; no change is missing here."
_COVERED: Final = "A snapshot holds what came of them, so only the past is incomplete."


def _journal_damages(survey: Survey) -> list[Damage]:
    walk = _Walk(survey.state, survey.covered)
    return walk.run(survey.segments, survey.last)


def _sentence(reason: str) -> str:
    return f"{reason[:1].upper()}{reason[1:]}."


def _changes(first: int, last: int) -> str:
    return f"change {first:,}" if first == last else f"changes {first:,} to {last:,}"

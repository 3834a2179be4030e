"""Checks every file of a catalog, and changes nothing.

It takes no lock, so it may be used while a service runs. What that service does meanwhile is not
taken for damage: the files are read in the order in which each one can only know less than the
next, a record under way at the end is a torn one, and what looks damaged is read again.

Costs: the catalog once in memory, one snapshot and one segment at a time beside it, and the time of
a start without a snapshot.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Final

from vitrina.adapters.catalog_folder import Location
from vitrina.adapters.journal.disk import Disk
from vitrina.adapters.journal.inspection import UnknownFormat
from vitrina.adapters.journal.record import Record
from vitrina.adapters.journal.recovery import JOURNAL_FOLDER
from vitrina.adapters.journal.segments import list_segments
from vitrina.adapters.journal.snapshot import open_snapshot, read_snapshot
from vitrina.adapters.product_file import UnreadableFile
from vitrina.adapters.tables import Tables
from vitrina.adapters.upkeep.agreement import Files, Since, differences
from vitrina.adapters.upkeep.survey import Survey, look, read_journal
from vitrina.service_layer.opening import CannotOpen
from vitrina.service_layer.upkeep import Checked, Damage, Verified

ATTEMPTS: Final = 20
"""How often the files are read while they change under the eyes of the reader."""

IDS_SHOWN: Final = 10


def verify(location: Location, *, currency: str | None, disk: Disk | None = None) -> Verified:
    """Return what a catalog's files hold, and every damage.

    Args:
        location: The catalog.
        currency: Of prices that name none; None leaves the product file out.
        disk: Where it is, if not on the real one.

    Raises:
        CannotOpen: It cannot be checked: it was never served, cannot be read, or was written by
            another version.
    """
    disk = disk or Disk()
    if not location.state.is_dir():
        raise CannotOpen(f"{location.folder} was never served: there is nothing to check.")
    before: Verified | None = None
    for _ in range(ATTEMPTS):
        try:
            found = check(location, disk, currency).verified
        except FileNotFoundError:
            continue  # The service has just dropped it.
        except OSError as error:
            where = error.filename or location.state
            raise CannotOpen(f"{where} cannot be read: {error.strerror or error}.") from error
        except UnknownFormat as error:
            raise CannotOpen(str(error)) from error
        if found.whole or (before is not None and before.damages == found.damages):
            return found
        before = found
    raise CannotOpen(f"{location.state} changes faster than it can be read; try again.")


@dataclass(frozen=True, slots=True)
class Check:
    """What one look at the files found, and what the catalog and the files are."""

    verified: Verified
    tables: Tables
    files: Files
    oldest: int


def check(location: Location, disk: Disk, currency: str | None) -> Check:
    """Look at all files once.

    Raises:
        UnknownFormat: Another version of the program wrote them.
        OSError: They cannot be read; one may just have been replaced.
    """
    # In this order what is read first can only know less: the file follows the journal.
    files = Files.of(disk, location)
    survey = look(disk, location.state)
    replay = _Replay(disk, survey, Since(files.products.seq if files.products else 0))
    read_journal(disk, survey, replay.follow)
    tables = replay.end()
    notes = [*_torn(survey), *_leftovers(survey)]
    damages = [*survey.damages, *replay.damages]
    checked = list(survey.checked())
    # With changes missing, the file may well be right; then there is nothing to compare with.
    if currency is not None and not survey.missing(survey.covered):
        told, wrong = _files(location, files, tables, replay.since, survey, currency)
        notes += told
        damages += wrong
    if files.products is not None:
        size, rows = len(files.products.data), tables.count
        kept = location.base / f"{files.products.seq:016d}.{location.file.name}"
        changes = (1, files.products.seq) if files.products.seq else None
        checked.append(Checked(path=str(kept), kind="base", size=size, count=rows, changes=changes))
    verified = Verified(
        path=str(location.folder),
        seq=tables.seq,
        products=tables.count,
        categories=len(tables.tree()),
        checked=tuple(checked),
        damages=tuple(damages),
        notes=tuple(notes),
    )
    return Check(verified, tables, files, survey.oldest)


class _Replay:
    """Makes the catalog anew from the journal, and holds every snapshot on the way against it.

    Attributes:
        since: What was changed since the product file was in step.
        damages: Snapshots that hold something else.
    """

    def __init__(self, disk: Disk, survey: Survey, since: Since) -> None:
        self.since = since
        self.damages: list[Damage] = []
        self._disk = disk
        self._whole = {each.seq: each.path for each in survey.snapshots if each.flaw is None}
        from_the_start = _first_change(disk, survey) in {None, 1}
        self._tables: Tables | None = Tables() if from_the_start else None

    def follow(self, record: Record) -> None:
        """Take in a whole record, in the order of the files."""
        for change in record.changes:
            self.since.note(change)
        first = record.span.seq
        if self._tables is None or first > self._tables.seq + 1:
            path = self._whole.get(first - 1)
            self._tables = None if path is None else read_snapshot(self._disk, path)
        if self._tables is None or first <= self._tables.seq:
            return
        self._tables.apply(record.changes)
        self._tables.remember(record.answers, record.at)
        if record.changes and (path := self._whole.get(self._tables.seq)):
            self._compare(self._tables, path)

    def end(self) -> Tables:
        """Return the tables at the end: those of the newest snapshot, if it knows more."""
        newest = max(self._whole, default=0)
        if self._tables is None or self._tables.seq < newest:
            self._tables = read_snapshot(self._disk, self._whole[newest]) if newest else Tables()
        return self._tables

    def _compare(self, tables: Tables, path: Path) -> None:
        try:
            there = open_snapshot(self._disk, path)
        except FileNotFoundError:
            return  # The service has just made a newer one.
        differing = {_digest(each) for each in there.products()}
        differing ^= {_digest(each.body) for each in tables.everything()[1]}
        differing ^= {*there.categories()}
        stored = (tables.category(each.id) for each in tables.tree())
        differing ^= {each.body for each in stored if each is not None}
        if differing:
            self.damages.append(
                Damage(
                    path=str(path),
                    offset=0,
                    size=0,
                    code="other_state",
                    meaning=f"This snapshot and the journal give different catalogs: "
                    f"{len(differing)} resources differ as of change {tables.seq}.",
                    remedy="Restore the catalog from a backup. If there is none, please report "
                    "this: neither a crash nor a damaged disk leaves whole files that disagree.",
                )
            )


def _digest(body: bytes) -> bytes:
    return blake2b(body, digest_size=16).digest()


def _first_change(disk: Disk, survey: Survey) -> int | None:
    journal = survey.state / JOURNAL_FOLDER
    segments = list_segments(disk, journal) if journal.is_dir() else []
    return segments[0].first if segments else None


def _torn(survey: Survey) -> Iterator[str]:
    for segment in survey.segments:
        if segment.torn is not None:
            yield (
                f"{segment.path}, byte {segment.torn.offset}: {segment.torn.size} bytes of an "
                "unfinished write, as a crash or a write under way leaves them. Nobody was told "
                "that it happened; the next start cuts it off."
            )


def _leftovers(survey: Survey) -> Iterator[str]:
    for path in survey.leftovers:
        yield f"{path} was left by an interrupted write; the next start deletes it."


def _files(
    location: Location,
    files: Files,
    tables: Tables,
    since: Since,
    survey: Survey,
    currency: str,
) -> tuple[list[str], list[Damage]]:
    """Return what is to be told of the product file, and what is wrong with it."""
    base = files.products
    if base is None:
        if not tables.seq:
            return [], []
        return [], [_no_base(location) if files.file is not None else _no_files(location)]
    if files.file is None:
        note = f"{location.file} is missing; the next start writes it anew from the catalog."
        return [note], []
    notes: list[str] = []
    if files.file != base.data:
        notes.append(
            f"{location.file} was edited; a running service, or the next start, takes it in."
        )
    if base.seq + 1 < survey.oldest and base.seq < tables.seq:
        notes.append(
            f"The product file holds the changes up to {base.seq:,}, and the past is kept from "
            f"{survey.oldest:,} on: the next start writes out every product that differs."
        )
        return notes, []
    if since.products or since.tree:
        notes.append(
            f"{len(since.products):,} products were changed since the product file was last "
            "written; a running service, or the next start, writes them out."
        )
    try:
        found = differences(base, location.file, tables, since=since, currency=currency)
    except UnreadableFile as error:
        notes.append(f"The base of {location.file} cannot be read: {error}.")
        return notes, []
    return notes, [_differs(location, found.ids)] if found.ids else []


def _no_base(location: Location) -> Damage:
    return Damage(
        path=str(location.base),
        offset=0,
        size=0,
        code="missing_base",
        meaning="The copy of the product file as it was when last in step is missing, so edits of "
        "the file and changes over the API can no longer be told apart.",
        remedy=f"Look through {location.file}: at the next start it wins, row by row, where it "
        "differs from the catalog. Where nothing differs, vitrina repair makes the copy anew.",
    )


def _no_files(location: Location) -> Damage:
    return Damage(
        path=str(location.file),
        offset=0,
        size=0,
        code="missing_files",
        meaning="The product file and the copy of it are missing, so the catalog does not open.",
        remedy=f"Put the file back in its place; or write one from the catalog with: "
        f"vitrina repair {location.folder}",
    )


def _differs(location: Location, ids: tuple[str, ...]) -> Damage:
    return Damage(
        path=str(location.file),
        offset=0,
        size=0,
        code="file_differs",
        ids=ids[:IDS_SHOWN],
        meaning=f"The product file was taken to be in step with the catalog, but {len(ids):,} "
        "products differ.",
        remedy="Write what is right into their rows; or bring the rows to what the catalog says "
        f"with: vitrina repair {location.folder}",
    )

"""Makes a damaged catalog one that opens: keeps all that is whole, and says exactly what was lost.

**Nothing was lost** where a snapshot holds what came of every missing change. Then the journal is
kept as far back as it is whole from the end, and only the past becomes shorter.

**Something was lost** otherwise. Then :mod:`.salvage` makes the newest consistent catalog of what is
left. It becomes a snapshot under a number that no change ever had, and the journal begins anew
behind it: whoever follows the changes is told to read the catalog anew (410), for some of what they
were told is no longer so.

Nothing is deleted: what is taken out is moved to ``.vitrina/aside/repair-N/``, where ``report.json``
says what was found. The snapshot is on the disk before anything is moved, so a repair that is cut
off at any point leaves a catalog that opens, or that the next repair brings to the same state.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import orjson

from vitrina.adapters import codec
from vitrina.adapters.catalog_folder import Location
from vitrina.adapters.journal.disk import Disk, make_folder, replace_file
from vitrina.adapters.journal.fold import write_snapshot
from vitrina.adapters.journal.folder import alone, refused
from vitrina.adapters.journal.inspection import Run, SegmentReading, UnknownFormat
from vitrina.adapters.journal.keys import keys_path
from vitrina.adapters.journal.recovery import ASIDE_FOLDER, JOURNAL_FOLDER
from vitrina.adapters.journal.segments import begin_segment, segment_path
from vitrina.adapters.journal.snapshot import open_snapshot, sweep
from vitrina.adapters.product_file import (
    UnreadableFile,
    detect_format,
    new_file,
    parse,
    render,
)
from vitrina.adapters.product_file.categories_file import FILE_NAME as CATEGORIES, write_categories
from vitrina.adapters.projection.base import Base, BaseKeeper
from vitrina.adapters.tables import Tables
from vitrina.adapters.upkeep.agreement import Differences, Files, Since, differences, document_of
from vitrina.adapters.upkeep.salvage import Salvage
from vitrina.adapters.upkeep.survey import Survey, look, read_journal
from vitrina.adapters.upkeep.verify import Check, check
from vitrina.service_layer.opening import CannotOpen
from vitrina.service_layer.times import format_time
from vitrina.service_layer.upkeep import Loss, Range, Repaired

REPORT: Final = "report.json"


def repair(
    location: Location, *, currency: str, only_show: bool = False, disk: Disk | None = None
) -> Repaired:
    """Repair a catalog; one that is whole is left as it is.

    Args:
        location: The catalog.
        currency: Of prices in the product file that name none.
        only_show: Change nothing, and say what would be done.
        disk: Where it is, if not on the real one.

    Raises:
        CannotOpen: It was never served, a process has it open, another version wrote it, or the
            system refuses to read or write.
    """
    disk = disk or Disk()
    if not location.state.is_dir():
        raise CannotOpen(f"{location.folder} was never served: there is nothing to repair.")
    try:
        with alone(location.state, disk):
            return _Repair(disk, location, currency).run(only_show=only_show)
    except UnknownFormat as error:
        raise CannotOpen(f"{error} Nothing was changed.") from error
    except OSError as error:
        raise refused(location.state, error) from error


@dataclass(slots=True)
class _Plan:
    """What is to be done.

    Attributes:
        tables: The catalog afterwards.
        history_from: The number that the journal begins with afterwards.
        fresh: A snapshot of the tables is to be written.
        keep: Segments that stay as they are.
        end: Whole records at the end of a damaged segment, which get a file of their own.
        out: Files that are moved aside.
    """

    tables: Tables
    history_from: int
    fresh: bool = False
    keep: list[SegmentReading] = field(default_factory=list)
    end: list[Run] = field(default_factory=list)
    out: list[Path] = field(default_factory=list)


class _Repair:
    def __init__(self, disk: Disk, location: Location, currency: str) -> None:
        self._disk = disk
        self._location = location
        self._state = location.state
        self._currency = currency

    def run(self, *, only_show: bool) -> Repaired:
        files = Files.of(self._disk, self._location)
        survey = look(self._disk, self._state)
        salvage = Salvage()
        if survey.newest:
            salvage.start(open_snapshot(self._disk, survey.newest.path))
        read_journal(self._disk, survey, salvage.follow)
        if not survey.damages:
            return self._in_step(only_show=only_show)
        lost = survey.missing(survey.covered)
        plan = self._lossy(survey, salvage, files) if lost else _lossless(survey, salvage, files)
        found = Repaired(
            seq=plan.tables.seq,
            products=plan.tables.count,
            categories=len(plan.tables.tree()),
            damages=tuple(survey.damages),
            lost=tuple(_losses(survey, lost)),
            from_file=tuple(salvage.from_file),
            adjusted=tuple(salvage.adjusted) if lost else (),
            history_from=plan.history_from,
            done=not only_show,
        )
        if only_show:
            return found
        aside = self._fresh_folder()
        found = replace(found, aside=str(aside))
        self._carry_out(plan, aside, found)
        after = self._in_step(only_show=False)
        return replace(found, damages=(*found.damages, *after.damages))

    def _lossy(self, survey: Survey, salvage: Salvage, files: Files) -> _Plan:
        """Make a snapshot of what is left, under a number of its own."""
        tables = salvage.tables(survey.last, files)
        base = files.products.seq if files.products else 0
        held = sum(
            min(last, base) - first + 1
            for first, last in survey.missing(survey.covered)
            if first <= base
        )
        if held:
            salvage.take_from_file(
                tables, files, self._location.file, lost=held, currency=self._currency
            )
        tables.seq += 1
        out = [each.path for each in survey.segments]
        out += [each.path for each in survey.snapshots]
        return _Plan(tables, tables.seq + 1, fresh=True, out=out)

    def _carry_out(self, plan: _Plan, aside: Path, found: Repaired) -> None:
        replace_file(self._disk, aside / REPORT, [_json(found)])
        journal = self._state / JOURNAL_FOLDER
        make_folder(self._disk, journal)
        if plan.fresh:
            write_snapshot(self._disk, self._state, plan.tables.freeze())
        if plan.end:
            self._rewrite(plan, aside)
        for path in plan.out:
            self._disk.rename(path, aside / path.name)
        sweep(self._disk, self._state)
        for folder in (aside, journal, self._state):
            self._disk.fsync_folder(folder)
        if not plan.keep and not plan.end:
            begin_segment(self._disk, journal, plan.history_from)

    def _rewrite(self, plan: _Plan, aside: Path) -> None:
        """Give the whole records at the end of a damaged segment a file of their own."""
        old = plan.end[0].path
        data = self._disk.read(old)
        path = segment_path(old.parent, plan.end[0].first)
        if path == old:  # It keeps its name, and a copy goes aside.
            replace_file(self._disk, aside / old.name, [data])
            plan.out.remove(old)
        lines = (part for run in plan.end for part in (data[run.offset : run.end], b"\n"))
        replace_file(self._disk, path, lines)

    def _in_step(self, *, only_show: bool) -> Repaired:
        """Bring product file and catalog in step, where journal and snapshots are whole."""
        found = check(self._location, self._disk, self._currency)
        codes = {each.code for each in found.verified.damages}
        if not only_show and "missing_files" in codes:
            self._write_files(found.tables)
        if not only_show and "missing_base" in codes:
            self._keep_base(found)
        if not only_show and "file_differs" in codes:
            self._correct_file(found)
        return Repaired(
            seq=found.verified.seq,
            products=found.verified.products,
            categories=found.verified.categories,
            damages=found.verified.damages,
            history_from=found.oldest,
            done=not only_show,
        )

    def _write_files(self, tables: Tables) -> None:
        """Write product file and ``categories.json`` where nothing is left of them."""
        folder, tree = self._location.folder, tables.tree()
        if len(tree) and not (folder / CATEGORIES).exists():
            replace_file(self._disk, folder / CATEGORIES, [write_categories(tree)])
        path = self._location.file
        try:
            data = self._rendered(path, tables)
        except UnreadableFile:  # More attributes than a CSV can have columns.
            path = path.with_suffix(".jsonl")
            data = self._rendered(path, tables)
        replace_file(self._disk, path, [data])

    def _rendered(self, path: Path, tables: Tables) -> bytes:
        file_format = detect_format(path.name)
        fresh = parse(new_file(file_format), file_format, currency=self._currency)
        documents = {each.id: codec.load(each.body) for each in tables.everything()[1]}
        return render(fresh, documents, tables.tree())

    def _keep_base(self, found: Check) -> None:
        """Keep the file as its own copy again, if it says what the catalog says."""
        if found.files.file is None:
            return
        seq = found.tables.seq
        base = Base(seq, found.files.file)
        with contextlib.suppress(UnreadableFile):  # Then it is for a person to mend first.
            if not self._differences(base, found.tables).ids:
                self._keeper().store(base, before=None)

    def _correct_file(self, found: Check) -> None:
        """Bring the rows that differ to what the catalog says, unless somebody edited the file."""
        base = found.files.products
        if base is None or found.files.file != base.data:
            return
        ids = self._differences(base, found.tables).ids
        documents = {key: document_of(found.tables, key) for key in ids}
        file_format = detect_format(self._location.file.name, base.data)
        file = parse(base.data, file_format, currency=self._currency)
        data = render(file, documents, found.tables.tree())
        path = self._location.file.resolve()
        replace_file(self._disk, path, [data], like=path.stat())
        self._keeper().store(replace(base, data=data), before=base)

    def _differences(self, base: Base, tables: Tables) -> Differences:
        return differences(
            base, self._location.file, tables, since=Since(base.seq), currency=self._currency
        )

    def _keeper(self) -> BaseKeeper:
        return BaseKeeper(self._disk, self._location.base, self._location.file.name)

    def _fresh_folder(self) -> Path:
        aside = self._state / ASIDE_FOLDER
        make_folder(self._disk, aside)
        taken = set(self._disk.names(aside))
        number = 1
        while f"repair-{number}" in taken:
            number += 1
        make_folder(self._disk, aside / f"repair-{number}")
        return aside / f"repair-{number}"


def _lossless(survey: Survey, salvage: Salvage, files: Files) -> _Plan:
    """Keep the journal as far back from its end as it is whole."""
    tables = salvage.tables(survey.last, files)
    keep, end = _whole_end(survey)
    out = [each.path for each in survey.segments if each not in keep]
    out += [each.path for each in survey.snapshots if each.flaw is not None]
    out += [keys_path(each.path) for each in survey.snapshots if each.flaw_of_keys]
    firsts = [run.first for run in end] + [each.first for each in keep]
    return _Plan(tables, min(firsts, default=survey.last + 1), keep=keep, end=end, out=out)


def _whole_end(survey: Survey) -> tuple[list[SegmentReading], list[Run]]:
    """Return the whole segments at the end of the journal, and the end of the one before them."""
    keep: list[SegmentReading] = []
    following = survey.last + 1
    for segment in reversed(survey.segments):
        reach = segment.runs[-1].last if segment.runs else segment.first - 1
        if reach != following - 1:
            break
        if not segment.whole:
            return keep, _whole_runs(segment)
        keep.insert(0, segment)
        following = segment.first
    return keep, []


def _whole_runs(segment: SegmentReading) -> list[Run]:
    """Return the last runs of a segment that follow one another, whatever is between them."""
    found: list[Run] = []
    for run in reversed(segment.runs):
        if found and run.last + 1 != found[0].first:
            break
        found.insert(0, run)
    return found


def _losses(survey: Survey, lost: list[Range]) -> Iterator[Loss]:
    for first, last in lost:
        before = [run.until for run in survey.runs if run.last < first]
        after = [run.since for run in survey.runs if run.first > last]
        ids = (
            key
            for each in survey.damages
            if each.changes and each.changes[0] <= last and each.changes[1] >= first
            for key in each.ids
        )
        yield Loss(
            changes=(first, last),
            since=format_time(max(before)) if before else None,
            until=format_time(min(after)) if after else None,
            ids=tuple(dict.fromkeys(ids)),
        )


def _json(found: Repaired) -> bytes:
    return orjson.dumps(found, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)

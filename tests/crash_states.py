"""Every state in which a crash may leave a folder that a program writes to through a ``Disk``.

A :class:`RecordingDisk` does what it is asked and keeps a trace of it. :func:`crash_states` then
rebuilds, for each moment of the trace, folders that a crash at that moment may leave:

- everything is there: the process was killed, and the system lives;
- nothing is there but what was synced: the power failed, and the disk is a strict one;
- names without contents, and contents without names;
- by chance: any of the unsynced steps, each write perhaps torn at a byte, lost by sectors (which
  read as zeros, or as what was there before), or counted in the size of the file and never written.

This is less than POSIX lets a file system keep and more than any that is in use loses. Two rules
hold in every state: what ``fsync`` has returned for is there, and a step that changes names (make,
rename, unlink) has happened or has not.
"""

import errno
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from threading import RLock
from typing import Final

from vitrina.adapters.journal.disk import Disk

SECTOR_BYTES: Final = 512
ROOT: Final = 0
KILLED: Final = "killed"

type Tree = Mapping[str, bytes | None]
"""Path relative to the recorded folder → contents; None for a folder."""


class Died(OSError):
    """What every operation says after the process is taken to be dead."""

    def __init__(self) -> None:
        super().__init__(errno.EIO, "the process is dead")


@dataclass(frozen=True, slots=True)
class Write:
    """Bytes written to a file."""

    file: int
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Cut:
    """A file was cut, or filled with zeros, to a size."""

    file: int
    size: int


@dataclass(frozen=True, slots=True)
class Name:
    """Names given to files and folders, or taken away (None), in one step.

    Attributes:
        entries: Folder, name, and what has the name from now on.
        made: The file that was made by this step.
    """

    entries: tuple[tuple[int, str, int | None], ...]
    made: int | None = None


@dataclass(frozen=True, slots=True)
class Sync:
    """``fsync`` of a file or a folder returned; it covers the steps before the number *upto*."""

    target: int
    upto: int


type Step = Write | Cut | Name | Sync
type Hook = Callable[[str, Path], None]


class RecordingDisk(Disk):
    """The real disk, with a trace of every step that changes it.

    The recorded folder must be changed through this disk only; what others make in it (such as the
    lock) is not part of any state.

    Attributes:
        trace: What was done, in order.
        meanwhile: Called before each step with its name and path, for other things to happen then.
        die_at: Once the trace has grown to this length the process is taken to be dead: each
            operation fails and nothing changes, until :meth:`revive`.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.trace: list[Step] = []
        self.meanwhile: Hook | None = None
        self.die_at: int | None = None
        self.origin = Surface()
        self._lock = RLock()
        self._ids = {root: ROOT}
        self._open: dict[int, Path] = {}
        for path in sorted(root.rglob("*")):
            number = self._ids[path] = len(self._ids)
            entry = (self._ids[path.parent], path.name, number)
            self.origin.take(0, Name((entry,)))
            self.origin.take(0, Sync(self._ids[path.parent], upto=1))
            if path.is_file():
                self.origin.files[number] = _File(path.read_bytes())
        self._next = len(self._ids)

    @property
    def dead(self) -> bool:
        """Whether the process is taken to be dead."""
        return self.die_at is not None and len(self.trace) >= self.die_at

    def path_of(self, fd: int) -> Path:
        """Return the path of an open file."""
        return self._open[fd]

    def revive(self) -> None:
        """Let another process go on with what this one left."""
        self.die_at = None

    def open(self, path: Path, *, create: bool = False, truncate: bool = False) -> int:
        self._before("open", path)
        with self._lock:
            known = path in self._ids
            fd = super().open(path, create=create, truncate=truncate)
            if not known:
                self._give_name(path, is_file=True)
            elif truncate:
                self.trace.append(Cut(self._ids[path], 0))
            self._open[fd] = path
            return fd

    def write(self, fd: int, data: bytes | memoryview, offset: int) -> int:
        with self._lock:
            path = self._open[fd]
        self._before("write", path)
        with self._lock:
            if self.die_at == len(self.trace) + 1 and self.die_at % 2:
                data = data[: len(data) // 2]  # It dies in the middle of this.
            taken = super().write(fd, data, offset)
            self.trace.append(Write(self._ids[path], offset, bytes(data[:taken])))
            self._check_alive()
            return taken

    def truncate(self, fd: int, size: int) -> None:
        with self._lock:
            path = self._open[fd]
        self._before("truncate", path)
        with self._lock:
            super().truncate(fd, size)
            self.trace.append(Cut(self._ids[path], size))

    def fsync(self, fd: int) -> None:
        with self._lock:
            path, upto = self._open[fd], len(self.trace)
        self._before("fsync", path)
        with self._lock:
            self.trace.append(Sync(self._ids[path], upto))

    def close(self, fd: int) -> None:
        with self._lock:
            del self._open[fd]
            super().close(fd)

    def rename(self, source: Path, target: Path) -> None:
        self._before("rename", target)
        with self._lock:
            super().rename(source, target)
            number = self._ids[target] = self._ids.pop(source)
            self._open = {fd: target if path == source else path for fd, path in self._open.items()}
            gone = (self._ids[source.parent], source.name, None)
            self.trace.append(Name(((self._ids[target.parent], target.name, number), gone)))

    def unlink(self, path: Path) -> None:
        self._before("unlink", path)
        with self._lock:
            super().unlink(path)
            del self._ids[path]
            self.trace.append(Name(((self._ids[path.parent], path.name, None),)))

    def mkdir(self, path: Path) -> None:
        self._before("mkdir", path)
        with self._lock:
            super().mkdir(path)
            self._give_name(path, is_file=False)

    def fsync_folder(self, path: Path) -> None:
        with self._lock:
            upto = len(self.trace)
        self._before("fsync_folder", path)
        with self._lock:
            self.trace.append(Sync(self._ids[path], upto))

    def _give_name(self, path: Path, *, is_file: bool) -> None:
        number = self._ids[path] = self._next
        self._next += 1
        entry = (self._ids[path.parent], path.name, number)
        self.trace.append(Name((entry,), made=number if is_file else None))

    def _before(self, step: str, path: Path) -> None:
        self._check_alive()
        if self.meanwhile:
            self.meanwhile(step, path)
            self._check_alive()

    def _check_alive(self) -> None:
        if self.dead:
            raise Died


@dataclass(slots=True)
class _File:
    """The contents of a file: what is surely there, and the numbered steps since."""

    synced: bytes = b""
    since: list[tuple[int, Write | Cut]] = field(default_factory=list)


type _Names = dict[tuple[int, str], int | None]


@dataclass(slots=True)
class Surface:
    """What is surely on a disk at one moment of a trace, and what may be."""

    files: dict[int, _File] = field(default_factory=dict)
    _names: dict[tuple[int, str], tuple[int, int | None]] = field(default_factory=dict)
    _since: list[tuple[int, Name]] = field(default_factory=list)

    def copy(self) -> "Surface":
        files = {
            number: _File(each.synced, list(each.since)) for number, each in self.files.items()
        }
        return Surface(files, dict(self._names), list(self._since))

    def take(self, number: int, step: Step) -> None:
        """Go on by one step of the trace, the one with this number."""
        match step:
            case Name(_, made):
                self._since.append((number, step))
                if made is not None:
                    self.files[made] = _File()
            case Write(file) | Cut(file):
                self.files[file].since.append((number, step))
            case Sync(target, upto):
                self._sync_names(target, upto)
                self._sync_file(target, upto)

    def killed(self) -> Tree:
        """Everything is there, as when only the process dies."""
        return self._tree(self._all_names(), lambda file: _apply(file.synced, file.since))

    def strict(self) -> Tree:
        """Nothing is there but what was synced."""
        return self._tree(self._synced_names(), lambda file: file.synced)

    def names_only(self) -> Tree:
        return self._tree(self._all_names(), lambda file: file.synced)

    def contents_only(self) -> Tree:
        return self._tree(self._synced_names(), lambda file: _apply(file.synced, file.since))

    def by_chance(self, random: Random) -> Tree:
        """Any part of what was not synced is there."""
        kept = [each for each in self._since if random.random() < 0.5]
        return self._tree(self._names_with(kept), lambda file: _lose(file, random))

    @property
    def unsynced(self) -> bool:
        """Whether a crash of the system may leave anything but one state."""
        return bool(self._since) or any(each.since for each in self.files.values())

    def _sync_names(self, folder: int, upto: int) -> None:
        left = []
        for number, step in self._since:
            if number < upto and any(place == folder for place, _, _ in step.entries):
                self._keep(self._names, number, step)
            else:
                left.append((number, step))
        self._since = left

    @staticmethod
    def _keep(
        names: dict[tuple[int, str], tuple[int, int | None]], number: int, step: Name
    ) -> None:
        for folder, name, target in step.entries:
            # A rename between two folders is there when either is synced: what happened to the
            # name before must not come back later.
            if names.get((folder, name), (-1, None))[0] < number:
                names[folder, name] = (number, target)

    def _sync_file(self, target: int, upto: int) -> None:
        if file := self.files.get(target):
            done = [each for each in file.since if each[0] < upto]
            file.synced = _apply(file.synced, done)
            file.since = file.since[len(done) :]

    def _names_with(self, steps: list[tuple[int, Name]]) -> _Names:
        names = dict(self._names)
        for number, step in steps:
            self._keep(names, number, step)
        return {place: target for place, (_, target) in names.items()}

    def _all_names(self) -> _Names:
        return self._names_with(self._since)

    def _synced_names(self) -> _Names:
        return self._names_with([])

    def _tree(self, names: _Names, contents: Callable[[_File], bytes]) -> Tree:
        folders: dict[int, list[tuple[str, int]]] = {}
        for (folder, name), target in names.items():
            if target is not None:
                folders.setdefault(folder, []).append((name, target))
        tree: dict[str, bytes | None] = {}

        def walk(folder: int, prefix: str) -> None:
            for name, target in sorted(folders.get(folder, ())):
                file = self.files.get(target)
                tree[prefix + name] = contents(file) if file else None
                walk(target, f"{prefix}{name}/")

        walk(ROOT, "")
        return tree


def _apply(content: bytes, steps: list[tuple[int, Write | Cut]]) -> bytes:
    if not steps:
        return content
    changed = bytearray(content)
    for _, step in steps:
        _change(changed, step)
    return bytes(changed)


def _change(content: bytearray, step: Write | Cut) -> None:
    match step:
        case Cut(_, size):
            del content[size:]
            content.extend(bytes(size - len(content)))
        case Write(_, offset, data):
            content.extend(bytes(max(0, offset - len(content))))
            content[offset : offset + len(data)] = data


def _lose(file: _File, random: Random) -> bytes:
    """Return the contents after some of the unsynced steps were lost, or done by half."""
    content = bytearray(file.synced)
    for _, step in file.since:
        fate = random.choice(["done", "done", "lost", "torn", "sectors", "size only"])
        match step:
            case Cut() if fate in {"lost", "torn"}:
                continue
            case Cut():
                _change(content, step)
            case Write(_, offset, data):
                _half_write(content, offset, data, fate, random)
    return bytes(content)


def _half_write(content: bytearray, offset: int, data: bytes, fate: str, random: Random) -> None:
    match fate:
        case "lost":
            return
        case "torn":
            _change(content, Write(0, offset, data[: random.randrange(len(data) + 1)]))
        case "done":
            _change(content, Write(0, offset, data))
        case _:
            end = offset + len(data)
            content.extend(bytes(max(0, end - len(content))))
            for sector in range(offset // SECTOR_BYTES, -(-end // SECTOR_BYTES)):
                start = max(offset, sector * SECTOR_BYTES)
                stop = min(end, (sector + 1) * SECTOR_BYTES)
                if fate == "sectors" and random.random() < 0.5:
                    content[start:stop] = data[start - offset : stop - offset]


@dataclass(frozen=True, slots=True)
class CrashState:
    """A folder as a crash may leave it.

    Attributes:
        moment: How many steps of the trace were done.
        kind: What was lost.
        tree: What is there.
    """

    moment: int
    kind: str
    tree: Tree

    @property
    def is_killed(self) -> bool:
        """Whether only the process died, and the system lives."""
        return self.kind == KILLED

    def __str__(self) -> str:
        return f"after step {self.moment}, {self.kind}"


def crash_states(
    origin: Surface, trace: list[Step], *, seed: int, by_chance: int
) -> Iterator[CrashState]:
    """Yield the states of each moment of a trace; many of them have the same tree.

    Args:
        origin: The folder before the first step.
        trace: The steps.
        seed: The same seed yields the same states.
        by_chance: How many states of each moment are made by chance.
    """
    surface = origin.copy()
    for moment in range(len(trace) + 1):
        if moment:
            surface.take(moment - 1, trace[moment - 1])
        random = Random(f"{seed}-{moment}")  # noqa: S311 - the same states each time
        yield from _of_one_moment(surface, moment, random, by_chance)


def _of_one_moment(
    surface: Surface, moment: int, random: Random, by_chance: int
) -> Iterator[CrashState]:
    yield CrashState(moment, KILLED, surface.killed())
    if surface.unsynced:
        yield CrashState(moment, "strict", surface.strict())
        yield CrashState(moment, "names only", surface.names_only())
        yield CrashState(moment, "contents only", surface.contents_only())
        for number in range(by_chance):
            yield CrashState(moment, f"by chance {number}", surface.by_chance(random))


def materialize(tree: Tree, folder: Path) -> None:
    """Make *folder* hold just this tree; only what differs is written."""
    root = str(folder)
    present: set[str] = set()
    for place, folders, files in os.walk(root, topdown=False):
        for name in (*files, *folders):
            path = os.path.join(place, name)  # noqa: PTH118 - done a hundred thousand times
            inside = path[len(root) + 1 :]
            if inside in tree:
                present.add(inside)
            elif name in folders:
                os.rmdir(path)  # noqa: PTH106 - as above
            else:
                os.unlink(path)  # noqa: PTH108 - as above
    for inside, content in tree.items():
        path = f"{root}/{inside}"
        if content is not None:
            _write_if_different(path, content)
        elif inside not in present:
            os.mkdir(path)  # noqa: PTH102 - as above


def _write_if_different(path: str, content: bytes) -> None:
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if os.pread(fd, len(content) + 1, 0) != content:
            os.ftruncate(fd, 0)
            os.pwrite(fd, content, 0)
    finally:
        os.close(fd)


def fast_folder() -> Path | None:
    """Return a folder in memory where the system has one: thousands of states are made there."""
    memory = Path("/dev/shm")  # noqa: S108 - each test makes a folder of its own in it
    return memory if os.access(memory, os.W_OK) else None

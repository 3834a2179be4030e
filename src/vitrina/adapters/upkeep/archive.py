"""The form of a backup: a folder, or a ``.tar.gz`` of one, and the list of what belongs to it.

``backup.json`` is written last and packed first::

    {"format": "vitrina-backup", "version": 1, "made_at": "…", "seq": 48211, "oldest": 1,
     "products": 2465, "product_file": "products.csv",
     "files": {".vitrina/journal/0000000000000001.jsonl": {"bytes": 913, "sha256": "…"}, …}}

Only what it lists is ever read out of a backup, and each file must have these very bytes. Names are
relative, with ``/``, and lead nowhere else.
"""

import hashlib
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final

import orjson

from vitrina.adapters.journal.disk import Disk, make_folder, replace_file
from vitrina.adapters.memory import utc_now
from vitrina.service_layer.opening import CannotOpen
from vitrina.service_layer.times import format_time
from vitrina.service_layer.upkeep import Copied

MANIFEST: Final = "backup.json"
ARCHIVE_SUFFIX: Final = ".tar.gz"
MANIFEST_BYTES_MAX: Final = 64 * 2**20

_FORMAT: Final = "vitrina-backup"
_VERSION: Final = 1
_CHUNK_BYTES: Final = 2**20


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a backup: its bytes, and their SHA-256 in hexadecimal digits."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds.

    Attributes:
        seq: The number of its last change.
        oldest: The number of the oldest change in its journal; ``seq`` + 1 when there is none.
        products: How many products there are.
        product_file: The name of the person's file.
        files: Name → what it must be.
    """

    seq: int
    oldest: int
    products: int
    product_file: str
    files: dict[str, Entry]

    def encode(self) -> bytes:
        """Return it as ``backup.json``."""
        document = {
            "format": _FORMAT,
            "version": _VERSION,
            "made_at": format_time(utc_now()),
            "seq": self.seq,
            "oldest": self.oldest,
            "products": self.products,
            "product_file": self.product_file,
            "files": {
                name: {"bytes": each.size, "sha256": each.sha256}
                for name, each in self.files.items()
            },
        }
        return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)

    @classmethod
    def decode(cls, data: bytes, source: Path) -> "Manifest":
        """Return what :meth:`encode` wrote.

        Raises:
            CannotOpen: It is something else.
        """
        try:
            document: dict[str, Any] = orjson.loads(data)
            _check_format(document)
            files = {
                _safe(name): Entry(int(each["bytes"]), str(each["sha256"]))
                for name, each in document["files"].items()
            }
            return cls(
                int(document["seq"]),
                int(document["oldest"]),
                int(document["products"]),
                _safe(document["product_file"]),
                files,
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise CannotOpen(
                f"{source} is no backup: {MANIFEST} cannot be read ({error})."
            ) from None

    def copied(self, path: Path, *, aside: Path | None = None) -> Copied:
        """Return what is to be told of a copy at *path*."""
        return Copied(
            path=str(path),
            seq=self.seq,
            oldest=self.oldest,
            products=self.products,
            files=len(self.files),
            size=sum(each.size for each in self.files.values()),
            aside=str(aside) if aside else None,
        )


def _check_format(document: dict[str, Any]) -> None:
    if (document["format"], document["version"]) != (_FORMAT, _VERSION):
        raise ValueError(f"unknown format {document['format']!r} {document['version']!r}")


def list_folder(folder: Path) -> dict[str, Entry]:
    """Return every file below *folder*, by its relative name."""
    return {
        path.relative_to(folder).as_posix(): _entry(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def pack(folder: Path, target: Path, manifest: Manifest) -> None:
    """Make an archive of a backup, and read it again.

    Raises:
        CannotOpen: What was read is not what was written.
        OSError: The system refuses.
    """
    with target.open("xb") as file, tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name in (MANIFEST, *manifest.files):
            archive.add(folder / name, name, recursive=False)
    disk = Disk()
    fd = disk.open(target)
    try:
        disk.fsync(fd)
    finally:
        disk.close(fd)
    for name, content in _packed(target, manifest):
        entry = _entry_of(content)
        if entry != manifest.files[name]:
            raise CannotOpen(f"{target} does not hold what was written to it: {name} differs.")


def read_manifest(source: Path) -> Manifest:
    """Return what a backup says that it holds.

    Raises:
        CannotOpen: It is no backup, or damaged.
        OSError: It cannot be read.
    """
    if source.is_dir():
        try:
            return Manifest.decode((source / MANIFEST).read_bytes(), source)
        except FileNotFoundError:
            raise CannotOpen(f"{source} is no backup: it has no {MANIFEST}.") from None
    try:
        with tarfile.open(source, "r:gz") as archive:
            first = archive.next()
            content = archive.extractfile(first) if first and first.name == MANIFEST else None
            if content is None:
                raise CannotOpen(f"{source} is no backup: {MANIFEST} is not its first file.")
            return Manifest.decode(content.read(MANIFEST_BYTES_MAX), source)
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise CannotOpen(f"{source} is no backup, or damaged: {error}.") from error


def unpack(source: Path, manifest: Manifest, folder: Path) -> None:
    """Write the files of a backup into *folder*, durably.

    Raises:
        CannotOpen: A file is missing, or not what it was.
        OSError: The system refuses.
    """
    disk = Disk()
    missing = dict(manifest.files)
    files = _in_folder(source, manifest) if source.is_dir() else _packed(source, manifest)
    for name, content in files:
        path = folder / name
        _make_folders(disk, folder, path.parent)
        replace_file(disk, path, _chunks(content))
        if _entry(path) != missing.pop(name, None):
            raise CannotOpen(f"The backup {source} is damaged: {name} is not what it was.")
    if missing:
        raise CannotOpen(f"The backup {source} is damaged: {next(iter(missing))} is missing.")


def _packed(source: Path, manifest: Manifest) -> Iterator[tuple[str, IO[bytes]]]:
    try:
        with tarfile.open(source, "r:gz") as archive:
            for member in archive:
                content = archive.extractfile(member)
                if content is not None and member.name in manifest.files:
                    yield member.name, content
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise CannotOpen(f"The backup {source} is damaged: {error}.") from error


def _in_folder(source: Path, manifest: Manifest) -> Iterator[tuple[str, IO[bytes]]]:
    for name in manifest.files:
        try:
            with (source / name).open("rb") as content:
                yield name, content
        except FileNotFoundError:
            continue  # It is told as missing.


def _make_folders(disk: Disk, top: Path, folder: Path) -> None:
    for each in reversed([folder, *folder.parents]):
        if each.is_relative_to(top) and not each.is_dir():
            make_folder(disk, each)


def _safe(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts or str(path) != name:
        raise ValueError(f"{name!r} leads out of the backup")
    return name


def _chunks(content: IO[bytes]) -> Iterator[bytes]:
    while chunk := content.read(_CHUNK_BYTES):
        yield chunk


def _entry(path: Path) -> Entry:
    with path.open("rb") as content:
        return _entry_of(content)


def _entry_of(content: IO[bytes]) -> Entry:
    digest, size = hashlib.sha256(), 0
    for chunk in _chunks(content):
        digest.update(chunk)
        size += len(chunk)
    return Entry(size, digest.hexdigest())

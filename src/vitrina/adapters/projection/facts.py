"""What was found in a product file besides its products, kept beside its base.

``.vitrina/base/products.csv.read`` holds it as JSON, for the bytes whose digest (BLAKE2b, 32 bytes)
it names. So a start that finds the file as it was left need not read its rows: it costs a digest, a
second for about a gigabyte. Losing the file, or finding it with another digest, version of the
program or currency, costs reading the product file at the next start.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Final

import structlog
from pydantic import BaseModel, TypeAdapter, ValidationError

from vitrina import __version__
from vitrina.adapters.journal.disk import TEMPORARY_SUFFIX, Disk, write_all
from vitrina.adapters.product_file import Column, FileProblem, Format, ProductFile

PROBLEMS_MAX: Final = 10_000
"""Of a file with more problems nothing is kept."""

SUFFIX: Final = ".read"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What was found in a file.

    Attributes:
        format: Of it.
        columns: Of a CSV.
        rows: How many there are, refused ones included.
        refused: The ids of refused rows, "" among them when one has no id.
        refused_count: How many rows these are.
        currency: Of prices that named none; None when every price named its own.
        problems: What is wrong in it, by line.
    """

    format: Format
    columns: tuple[Column, ...]
    rows: int
    refused: frozenset[str]
    refused_count: int
    currency: str | None
    problems: tuple[FileProblem, ...]

    @classmethod
    def of(cls, file: ProductFile) -> "Facts":
        """Return what was found in a file that was read."""
        return cls(
            format=file.format,
            columns=file.columns,
            rows=len(file.rows),
            refused=file.refused_ids,
            refused_count=file.refused_count,
            currency=file.currency if file.assumed_currency else None,
            problems=file.problems,
        )

    def edited(self, rows: int, fresh: ProductFile, lines: tuple[int, int, int]) -> "Facts":
        """Return what is found after an edit.

        Args:
            rows: How many there are now.
            fresh: The rows that were edited, none of them refused.
            lines: See :class:`Reread`.
        """
        first, last, more = lines
        ahead = [each for each in self.problems if each.line < first]
        below = [
            replace(each, line=each.line + more) for each in self.problems if each.line >= last
        ]
        return replace(
            self,
            rows=rows,
            currency=self.currency or (fresh.currency if fresh.assumed_currency else None),
            problems=(*ahead, *fresh.problems, *below),
        )

    def written(
        self, rows: int, columns: tuple[Column, ...], lines: Sequence[tuple[int, int, int]]
    ) -> "Facts":
        """Return what is found after the service has written into the file.

        Args:
            rows: How many there are now.
            columns: Of a CSV, as they are now.
            lines: For each row that was changed: its first line, the one behind it, and how many
                lines more it has now. What was told of such a row holds no longer.
        """
        kept = (
            replace(
                each, line=each.line + sum(more for _, last, more in lines if last <= each.line)
            )
            for each in self.problems
            if not any(first <= each.line < last for first, last, _ in lines)
        )
        problems = tuple(kept) if lines else self.problems
        return replace(self, rows=rows, columns=columns, problems=problems)


class _Kept(BaseModel):
    """The file."""

    digest: str
    program: str
    assumed: str
    facts: Facts


_KEPT: Final = TypeAdapter(_Kept)


class FactsKeeper:
    """Keeps what was found in one product file."""

    def __init__(self, disk: Disk, folder: Path, name: str, *, currency: str) -> None:
        self._disk = disk
        self._path = folder / f"{name}{SUFFIX}"
        self._currency = currency

    def load(self, data: bytes) -> Facts | None:
        """Return what was found in a file with these bytes; None when that is not known.

        Raises:
            OSError: It is known, and cannot be read.
        """
        try:
            kept = _KEPT.validate_json(self._disk.read(self._path))
        except (FileNotFoundError, ValidationError):
            return None
        same = (kept.digest, kept.program, kept.assumed)
        return kept.facts if same == (_digest(data), __version__, self._currency) else None

    def keep(self, data: bytes, facts: Facts) -> None:
        """Keep it; a failure is logged, for it costs no more than time at the next start."""
        kept = _Kept(digest=_digest(data), program=__version__, assumed=self._currency, facts=facts)
        temporary = self._path.with_name(self._path.name + TEMPORARY_SUFFIX)
        try:
            if len(facts.problems) > PROBLEMS_MAX:
                with contextlib.suppress(FileNotFoundError):
                    self._disk.unlink(self._path)
                return
            # Without a sync: what a crash may leave of it has another digest, or none.
            fd = self._disk.open(temporary, create=True, truncate=True)
            try:
                write_all(self._disk, fd, _KEPT.dump_json(kept), 0)
            finally:
                self._disk.close(fd)
            self._disk.rename(temporary, self._path)
        except OSError as error:
            _log.warning("what was read of the file is not kept", reason=str(error))


def _digest(data: bytes) -> str:
    return blake2b(data, digest_size=32).hexdigest()

"""Looking after a catalog's files: what was checked, what is damaged, what was kept and lost."""

from dataclasses import dataclass

type Range = tuple[int, int]
"""The first and the last of some change numbers; both belong to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """One thing in a catalog's files that is not as it was written.

    Attributes:
        path: The file.
        offset: The first damaged byte, from 0.
        size: How many bytes are damaged; 0 when something is missing there.
        code: The kind of damage, stable and in snake_case.
        changes: The numbers of the changes that stood there, where they can be told.
        meaning: What it means.
        remedy: What to do.
        ids: Products and categories that the damaged bytes seem to speak of.
    """

    path: str
    offset: int
    size: int
    code: str
    meaning: str
    remedy: str
    changes: Range | None = None
    ids: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.path}, byte {self.offset}: {self.meaning} [{self.code}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One file that was checked.

    Attributes:
        path: The file.
        kind: ``journal``, ``snapshot``, ``base`` or ``file``.
        size: Its bytes.
        count: How many records, or products, it holds.
        changes: The numbers of the changes it holds; None when it holds none or cannot tell.
    """

    path: str
    kind: str
    size: int
    count: int
    changes: Range | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What a check of a catalog's files found.

    Attributes:
        path: The catalog's folder.
        seq: The number of the last change that is there.
        products, categories: How many there are after it.
        checked: Every file that was read.
        damages: What is wrong; none when all is whole.
        notes: What is no damage and good to know.
    """

    path: str
    seq: int
    products: int
    categories: int
    checked: tuple[Checked, ...] = ()
    damages: tuple[Damage, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        return not self.damages


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """Changes that are gone.

    Attributes:
        changes: Their numbers.
        since, until: When the changes before and after them were made, as far as known; RFC 3339.
        ids: Products and categories that damaged bytes name; others may have been among them.
    """

    changes: Range
    since: str | None = None
    until: str | None = None
    ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaired:
    """What a repair found and did, or would do.

    Attributes:
        seq: The number of the last change afterwards.
        products, categories: How many there are afterwards.
        damages: What was found; none when there was nothing to repair.
        lost: What cannot be brought back from the journal.
        from_file: Products that were brought to what the product file says, which knew better.
        adjusted: What had to be altered for the rest to fit together, one sentence each.
        history_from: The oldest change that is kept in the past.
        aside: Where everything that was taken out is kept; None when nothing was.
        done: False when nothing was changed, for it was only to be shown.
    """

    seq: int
    products: int
    categories: int
    damages: tuple[Damage, ...] = ()
    lost: tuple[Loss, ...] = ()
    from_file: tuple[str, ...] = ()
    adjusted: tuple[str, ...] = ()
    history_from: int = 1
    aside: str | None = None
    done: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """A backup that was made, or a catalog that was restored from one.

    Attributes:
        path: Where it is.
        seq: The number of the last change that it holds.
        oldest: The number of the oldest change that is kept in its past.
        products: How many products it has.
        files, size: How many files it is made of, and their bytes together.
        aside: Where what was there before is kept.
    """

    path: str
    seq: int
    oldest: int
    products: int
    files: int
    size: int
    aside: str | None = None

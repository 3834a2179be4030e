"""Reads a product file again and again, and remembers what it read last.

A file of which little has changed is read in little time, however big it is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from vitrina.adapters.product_file import (
    Format,
    ProductFile,
    Validated,
    detect_format,
    parse,
    recheck,
    resolve_categories,
    validate,
)
from vitrina.domain.category import Category, CategoryTree

_REMEMBERED: Final = 2
"""The file as it was when in step, and as it is now."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file says.

    Attributes:
        data: Its bytes.
        tree: The categories that there were when it was read.
        made: The categories to make so that every path in it leads somewhere, parents first.
        checked: Its products.
    """

    data: bytes
    tree: CategoryTree
    made: tuple[Category, ...]
    checked: Validated

    @property
    def file(self) -> ProductFile:
        return self.checked.file

    def new_categories(self, base: ProductFile | None) -> tuple[Category, ...]:
        """Return the categories to make for the paths that *base* did not name.

        A path that the file had before leads to a category that was renamed since: it makes none.
        """
        if not self.made:
            return ()
        made = {each.id: each for each in self.made}
        known = {row.category_path for row in base.rows} if base else set()
        wanted: set[str] = set()
        for row in self.file.rows:
            if row.category_path and row.category_path not in known:
                category = made.get(str(row.document.get("category_id")))
                while category is not None and category.id not in wanted:
                    wanted.add(category.id)
                    category = made.get(category.parent_id or "")
        return tuple(each for each in self.made if each.id in wanted)


class FileReader:
    """Reads the versions of one product file."""

    def __init__(self, name: str, currency: str, tree: Callable[[], CategoryTree]) -> None:
        self._name = name
        self._currency = currency
        self._tree = tree
        self._last: list[Reading] = []

    def read(self, data: bytes) -> Reading:
        """Return what the file says, with the categories that there are now.

        Raises:
            UnreadableFile: It cannot be used as a whole.
        """
        tree = self._tree()
        self._last = [each for each in self._last if each.tree is tree]
        found = next((each for each in self._last if each.data == data), None)
        if found is None:
            found = self._read(data, tree)
        self._last = [found, *(each for each in self._last if each is not found)][:_REMEMBERED]
        return found

    def read_once(self, data: bytes, kind: Format) -> Reading:
        """Return what a small file says, and remember nothing.

        Raises:
            UnreadableFile: It cannot be used as a whole.
        """
        tree = self._tree()
        resolved, made = resolve_categories(parse(data, kind, currency=self._currency), tree)
        return Reading(data, tree, made, validate(resolved))

    def forget(self) -> None:
        """Give the memory back."""
        self._last.clear()

    def _read(self, data: bytes, tree: CategoryTree) -> Reading:
        kind = detect_format(self._name, data)

        def read(part: bytes) -> ProductFile:
            return parse(part, kind, currency=self._currency)

        for last in self._last:
            if last.file.format is kind and not last.made:
                checked = recheck(last.checked, last.data, data, tree, read)
                if checked is not None:
                    return Reading(data, tree, (), checked)
        file = read(data)
        resolved, made = resolve_categories(file, tree)
        return Reading(data, tree, made, validate(resolved))

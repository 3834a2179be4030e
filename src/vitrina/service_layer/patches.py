"""Patches: JSON Merge Patch (RFC 7396) and JSON Patch (RFC 6902) over documents.

Both meet the port :class:`vitrina.service_layer.ports.Patch`: they return a changed copy and leave
the given document as it is. Equality (``test``) is by JSON type and value: ``1`` is neither ``true``
nor ``"1"``, and is ``1.0``.

Limits: 100 operations a patch; what operations put into a document weighs at most 4 Mi characters
in all, and stands at most 64 levels deep, so that ``copy`` cannot be used to blow a document up.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

from vitrina.domain.errors import MalformedPatch, PatchConflict
from vitrina.domain.pointers import Pointer, format_pointer, parse_pointer
from vitrina.service_layer.documents import Document, Json

OPERATIONS_MAX: Final = 100
WEIGHT_MAX: Final = 4 * 2**20
DEPTH_MAX: Final = 64

_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class MergePatch:
    """An RFC 7396 merge patch: members replace, ``null`` removes, objects merge.

    Attributes:
        patch: As a JSON parser yields it; anything but an object replaces the whole document.
    """

    patch: Json

    def apply(self, document: Json) -> Json:
        """Return the merged document."""
        return _merge(document, self.patch)

    def touches(self, field: str) -> bool:
        """Say whether the patch has a member *field*."""
        return not isinstance(self.patch, Mapping) or field in self.patch


def _merge(target: Json, patch: Json) -> Json:
    if not isinstance(patch, Mapping):
        return patch
    merged: Document = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _merge(merged.get(name), value)
    return merged


@dataclass(frozen=True, slots=True)
class _Operation:
    """One operation of a JSON Patch; ``source`` is its ``from``."""

    op: str
    path: Pointer
    source: Pointer
    value: Json


@dataclass(frozen=True, slots=True)
class JsonPatch:
    """An RFC 6902 patch: operations that happen in order, all or none."""

    operations: tuple[_Operation, ...]

    @classmethod
    def parse(cls, document: Json) -> Self:
        """Read a patch as a JSON parser yields it.

        Unknown members of an operation are ignored, as RFC 6902 asks.

        Raises:
            MalformedPatch: It is not an array of well-formed operations, or longer than 100.
        """
        if isinstance(document, str | Mapping) or not isinstance(document, Sequence):
            raise MalformedPatch("", "A JSON Patch is an array of operations.")
        if len(document) > OPERATIONS_MAX:
            detail = f"{len(document)} operations; at most {OPERATIONS_MAX} are allowed."
            raise MalformedPatch("", detail)
        return cls(tuple(_read(place, each) for place, each in enumerate(document)))

    def apply(self, document: Json) -> Json:
        """Return the changed document.

        Raises:
            PatchConflict: A path is missing, a ``test`` fails, or a limit is broken.
        """
        target = _Target(document)
        for place, operation in enumerate(self.operations):
            try:
                target.perform(operation)
            except _Misfit as misfit:
                path = format_pointer(operation.path)
                raise PatchConflict(place, path, str(misfit)) from None
        return target.root

    def touches(self, field: str) -> bool:
        """Say whether an operation changes the top-level *field* or anything below it."""
        return any(
            not path or path[0] == field
            for each in self.operations
            if each.op != "test"
            for path in ((each.path, each.source) if each.op == "move" else (each.path,))
        )


_OPERATIONS: Final = ("add", "remove", "replace", "move", "copy", "test")


def _read(place: int, item: Json) -> _Operation:
    if not isinstance(item, Mapping):
        raise MalformedPatch(f"/{place}", "An operation is a JSON object.")
    op = item.get("op")
    if not isinstance(op, str) or op not in _OPERATIONS:
        raise MalformedPatch(f"/{place}/op", f"Expected one of: {', '.join(_OPERATIONS)}.")
    if op in {"add", "replace", "test"} and "value" not in item:
        raise MalformedPatch(f"/{place}/value", f"{op!r} needs a value.")
    return _Operation(
        op,
        _read_pointer(place, item, "path"),
        _read_pointer(place, item, "from") if op in {"move", "copy"} else (),
        item.get("value"),
    )


def _read_pointer(place: int, item: Mapping[str, Json], name: str) -> Pointer:
    text = item.get(name)
    if not isinstance(text, str):
        raise MalformedPatch(f"/{place}/{name}", "Expected a JSON Pointer as a string.")
    try:
        return parse_pointer(text)
    except ValueError as error:
        raise MalformedPatch(f"/{place}/{name}", f"Here {error}.") from None


class _Misfit(Exception):
    """The operation does not fit the document."""


class _Target:
    """A document of our own, changed in place."""

    def __init__(self, document: Json) -> None:
        self.root = _copy(document)
        self._weight = 0

    def perform(self, operation: _Operation) -> None:
        path = operation.path
        match operation.op:
            case "add":
                self._add(path, _copy(operation.value))
            case "remove":
                self._take(path)
            case "replace":
                self._replace(path, _copy(operation.value))
            case "move":
                self._move(operation.source, path)
            case "copy":
                self._add(path, _copy(self._at(operation.source)))
            case _:
                if not same(self._at(path), operation.value):
                    raise _Misfit("the value there is another one")

    def _at(self, path: Pointer) -> Json:
        value = self.root
        for depth, token in enumerate(path):
            match value:
                case dict() if token in value:
                    value = value[token]
                case list():
                    value = value[_index(token, len(value))]
                case _:
                    raise _Misfit(f"there is no {format_pointer(path[: depth + 1])!r}")
        return value

    def _add(self, path: Pointer, value: Json) -> None:
        self._weigh(path, value)
        if not path:
            self.root = value
            return
        match self._at(path[:-1]):
            case dict() as members:
                members[path[-1]] = value
            case list() as items:
                end = len(items)
                items.insert(end if path[-1] == "-" else _index(path[-1], end + 1), value)
            case _:
                raise _Misfit("its parent is neither an object nor an array")

    def _replace(self, path: Pointer, value: Json) -> None:
        self._weigh(path, value)
        self._at(path)
        if not path:
            self.root = value
            return
        parent = self._at(path[:-1])
        if isinstance(parent, dict):
            parent[path[-1]] = value
        elif isinstance(parent, list):
            parent[_index(path[-1], len(parent))] = value

    def _take(self, path: Pointer) -> Json:
        value = self._at(path)
        if not path:
            self.root = None
            return value
        parent = self._at(path[:-1])
        if isinstance(parent, dict):
            del parent[path[-1]]
        elif isinstance(parent, list):
            del parent[_index(path[-1], len(parent))]
        return value

    def _move(self, source: Pointer, path: Pointer) -> None:
        if source == path:
            self._at(source)
            return
        if path[: len(source)] == source:
            raise _Misfit("a value cannot be moved into itself")
        self._add(path, self._take(source))

    def _weigh(self, path: Pointer, value: Json) -> None:
        weight, depth = _measure(value)
        self._weight += weight
        if len(path) + depth > DEPTH_MAX:
            raise _Misfit(f"the document would be nested deeper than {DEPTH_MAX} levels")
        if self._weight > WEIGHT_MAX:
            raise _Misfit("the patch would make the document too large")


def _index(token: str, length: int) -> int:
    if not _INDEX.fullmatch(token):
        raise _Misfit(f"{token[:40]!r} is not an index of an array")
    index = int(token)
    if index >= length:
        raise _Misfit(f"the array ends before {index}")
    return index


def _copy(value: Json) -> Json:
    if isinstance(value, Mapping):
        return {name: _copy(each) for name, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_copy(each) for each in value]
    return value


def _measure(value: Json) -> tuple[int, int]:
    """Return how many characters and values there are in *value*, and how deep they are nested."""
    if isinstance(value, Mapping):
        inside = [_measure(each) for each in value.values()]
        weight = sum(map(len, value))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        inside = [_measure(each) for each in value]
        weight = 0
    else:
        return 1 + (len(value) if isinstance(value, str) else 0), 0
    return (
        1 + weight + sum(each for each, _ in inside),
        1 + max((depth for _, depth in inside), default=0),
    )


def same(one: Json, other: Json) -> bool:
    """Say whether two documents are equal by JSON type and value (RFC 6902, section 4.6)."""
    match one:
        case None | bool():
            return one is other
        case str():
            return isinstance(other, str) and one == other
        case int() | float():
            return isinstance(other, int | float) and not isinstance(other, bool) and one == other
        case Mapping():
            return (
                isinstance(other, Mapping)
                and one.keys() == other.keys()
                and all(same(each, other[name]) for name, each in one.items())
            )
        case _:
            return (
                isinstance(other, Sequence)
                and not isinstance(other, str)
                and len(one) == len(other)
                and all(map(same, one, other))
            )

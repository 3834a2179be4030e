"""Which rows a changed file has, and whose ids must be written down for them to stay the same."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from vitrina.adapters.product_file.flat import Fields, flatten
from vitrina.adapters.product_file.headers import VERSION
from vitrina.adapters.product_file.identity import Identities
from vitrina.adapters.product_file.model import ProductFile, Row
from vitrina.service_layer.documents import Document


@dataclass(slots=True)
class Line[T]:
    """A row on its way out.

    Attributes:
        row: As it was; None for a new one.
        fields: What it is to say, when that may have changed.
        content: Its new form (cells, or a text), once something in it has to change.
    """

    product_id: str
    row: Row | None = None
    fields: Fields | None = None
    content: T | None = None


def outgoing[T](file: ProductFile, changes: Mapping[str, Document | None]) -> list[Line[T]]:
    """Return the rows that stay, in the file's order, and then the new ones.

    A refused row is left alone: what a person has to mend is not overwritten. But every row of a
    product that was deleted goes, for a second one of the same id would bring it back.
    """
    lines: list[Line[T]] = []
    for row in file.rows:
        document = changes.get(row.id)
        if document is None and row.id in changes:
            continue
        fields = None if document is None or row.refused else _fields(document)
        lines.append(Line(row.id, row, fields))
    present = {row.id for row in file.rows}
    lines += [
        Line(product_id, fields=_fields(document))
        for product_id, document in changes.items()
        if document is not None and product_id not in present
    ]
    return lines


def _fields(document: Document) -> Fields:
    """Return the flat fields of a product, with its version for files that ask for it."""
    fields = flatten(document)
    if version := document.get("version"):
        fields[VERSION] = version
    return fields


def shifted[T](lines: Iterable[Line[T]], read: Callable[[T], Document]) -> list[Line[T]]:
    """Return the lines that would get another id than theirs when the file is read again.

    Args:
        lines: All of them, in order.
        read: Returns the document that a changed line's content gives.
    """
    identities = Identities()
    found: list[Line[T]] = []
    for line in lines:
        if line.content is None and line.row is not None and line.row.states_id:
            continue
        if line.content is not None:
            document = read(line.content)
            if "id" in document:
                continue
        else:
            document = dict(line.row.document) if line.row else {}
        document.pop("id", None)
        if line.row is not None and line.row.refused:
            identities.of(document)
        elif not identities.derives(document, line.product_id):
            found.append(line)
    return found

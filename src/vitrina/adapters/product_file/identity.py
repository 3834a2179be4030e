"""Which product a row is: the id it states, or one made from what identifies it.

The first of these that a row gives decides:

1. its id;
2. its slug (or handle);
3. its SKU;
4. its GTIN;
5. its title and brand: ``p-`` and a digest; of rows alike in both, the second gets ``-2`` after
   it, the third ``-3``, …

A slug or SKU that is no valid id is made one by a digest: ``p-`` and 32 hexadecimal digits. So ids
are the same at every start, and nothing is random. What identifies a row should not be edited in
the file: another SKU is another product.
"""

from collections.abc import Iterable
from dataclasses import replace
from hashlib import blake2b

from vitrina.adapters.product_file.model import FileProblem, Row, shorten
from vitrina.domain.errors import InvalidValue
from vitrina.domain.identifiers import parse_product_id
from vitrina.service_layer.documents import Document


class Identities:
    """Makes the ids of rows that state none; asked once for each row, in the file's order."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], int] = {}

    def of(self, document: Document) -> str:
        """Return the id of a row that states none; "" when nothing identifies it."""
        key, made = self._peek(document)
        if key:
            self._seen[key] = self._seen.get(key, 0) + 1
        return made

    def derives(self, document: Document, product_id: str) -> bool:
        """Say whether the next row, with this document, gets this id; if so, count the row."""
        key, made = self._peek(document)
        if made != product_id:
            return False
        if key:
            self._seen[key] = self._seen.get(key, 0) + 1
        return True

    def _peek(self, document: Document) -> tuple[tuple[str, str] | None, str]:
        for field in ("slug", "sku", "gtin"):
            if value := document.get(field):
                return None, _as_id(field, str(value))
        title = document.get("title")
        if not isinstance(title, str) or not title.strip():
            return None, ""
        key = (title, str(document.get("brand") or ""))
        made = _digest("title", "\x00".join(key))
        count = self._seen.get(key, 0) + 1
        return key, made if count == 1 else f"{made}-{count}"


def identify(rows: Iterable[Row]) -> tuple[list[Row], list[FileProblem]]:
    """Return *rows* with their ids, those of bad or repeated ids refused, and what is wrong.

    Of rows with the same id the first is the product.
    """
    identities = Identities()
    first: dict[str, Row] = {}
    found: list[Row] = []
    problems: list[FileProblem] = []

    def refuse(row: Row, code: str, detail: str) -> Row:
        value = shorten(row.id)
        problems.append(FileProblem(row.line, row.column, "id", value, code, detail))
        return replace(row, refused=True, whole=row.whole and code != "duplicate_id")

    for each in rows:
        given = each.document.get("id")
        if isinstance(given, str):
            row = replace(each, id=given, states_id=True)
            try:
                parse_product_id(given)
            except InvalidValue as error:
                row = refuse(row, error.rule, error.detail)
        else:
            made = identities.of(each.document)
            row = replace(each, id=made, document={**each.document, "id": made})
            if not made and not row.refused:
                row = refuse(row, "unidentified", "The row has no id, SKU, GTIN or title. Add one.")
        if row.id and (owner := first.setdefault(row.id, row)) is not row:
            row = refuse(
                row,
                "duplicate_id",
                f"The id {row.id!r} is that of line {owner.line} too; the first row is the "
                "product. Give this row an id of its own, or remove it.",
            )
        found.append(row)
    return found, problems


def _as_id(field: str, value: str) -> str:
    try:
        return parse_product_id(value)
    except InvalidValue:
        return _digest(field, value)


def _digest(kind: str, value: str) -> str:
    return "p-" + blake2b(f"{kind}\x00{value}".encode(), digest_size=16).hexdigest()

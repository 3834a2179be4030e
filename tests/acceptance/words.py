"""The words of the feature files as data: values, tables, and reasons for a refusal."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

type Json = bool | int | float | str | list[Json] | dict[str, Json] | None
type Document = dict[str, Json]
type Datatable = Sequence[Sequence[str]]

PRODUCT: Final = r"(?P<product>[A-Z0-9][\w.~:-]*)"
"""How steps write the id of a product."""

_ATTRIBUTES: Final = "attributes."


def words(text: str) -> list[str]:
    """Split ``desk, gift`` into its words."""
    return [word.strip() for word in text.split(",")] if text.strip() else []


def money(text: str) -> Document:
    """Read ``129.90 EUR`` without looking at what is an amount and what is a currency."""
    amount, _, currency = text.rpartition(" ")
    return {"amount": amount, "currency": currency}


def _tags(text: str) -> Json:
    return list[Json](words(text))


def _images(text: str) -> Json:
    return [{"url": url, "alt": ""} for url in words(text)]


_CELLS: Final[Mapping[str, Callable[[str], Json]]] = {
    "price": money,
    "list_price": money,
    "quantity": int,
    "version": int,
    "tags": _tags,
    "images": _images,
}


def cell(field: str, text: str) -> Json:
    """Read a cell of a table as a value of *field*."""
    if text == "nothing":
        return None
    if field.startswith(_ATTRIBUTES) and re.fullmatch(r"-?\d+|true|false", text):
        value: Json = json.loads(text)
        return value
    return _CELLS.get(field, str)(text)


def phrase(field: str, text: str) -> Json:
    """Read a value in a step: ``"a text"``, ``129.90 EUR``, or ``12`` and the like."""
    if field in {"price", "list_price"}:
        return money(text)
    value: Json = json.loads(text)
    return _tags(value) if field == "tags" and isinstance(value, str) else value


def document(cells: Iterable[tuple[str, str]]) -> Document:
    """Build a product from fields and cells; an empty cell says nothing about its field."""
    product: Document = {}
    attributes: Document = {}
    for field, text in cells:
        if text == "":
            continue
        if field.startswith(_ATTRIBUTES):
            attributes[field.removeprefix(_ATTRIBUTES)] = cell(field, text)
        else:
            product[field] = cell(field, text)
    return {**product, "attributes": attributes} if attributes else product


def upright(table: Datatable) -> Document:
    """Read a table with one field in each row, under the heads *field* and *value*."""
    return document((row[0], row[1]) for row in table[1:])


def rows(table: Datatable) -> list[dict[str, str]]:
    """Read a table as one dictionary for each row."""
    head = table[0]
    return [dict(zip(head, row, strict=True)) for row in table[1:]]


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a refusal looks like over HTTP.

    Attributes:
        status: Of the response.
        code: The problem's stable name.
        fault: The code that one of the problem's ``errors`` has at ``place``, if any.
        place: A JSON Pointer, or the name of a parameter when *parameter* is true.
        parameter: The place is a parameter.
    """

    status: int
    code: str
    fault: str | None = None
    place: str = ""
    parameter: bool = False


_REFUSALS: Final = {
    "there is no such product": Refusal(404, "product_not_found"),
    "the catalog is read-only": Refusal(503, "store_read_only"),
    "the id is taken": Refusal(409, "id_taken"),
    "the SKU is taken": Refusal(409, "sku_taken"),
    "the slug is taken": Refusal(409, "slug_taken"),
    "a product cannot go from one status to that other": Refusal(409, "status_transition"),
    "a category cannot lie below itself": Refusal(409, "category_cycle"),
    "the category is in use": Refusal(409, "category_in_use"),
    "someone else saved it first": Refusal(412, "precondition_failed"),
    "the key belongs to another request": Refusal(422, "idempotency_key_reused"),
    "the patch does not fit the product": Refusal(409, "patch_conflict"),
    "the patch is malformed": Refusal(400, "malformed_patch"),
    "the cursor is of no use here": Refusal(400, "bad_cursor"),
    "it is not JSON as RFC 8259 has it": Refusal(400, "malformed_json"),
    "the catalog does not read that media type": Refusal(415, "unsupported_media_type"),
    "the catalog does not write that media type": Refusal(406, "not_acceptable"),
    "no edit of the file waits": Refusal(409, "nothing_to_accept"),
    "it is too large": Refusal(413, "content_too_large"),
    "there is nothing at this address": Refusal(404, "not_found"),
    "the address has no such method": Refusal(405, "method_not_allowed"),
}

_FAULTS: Final = {
    "is required": "required",
    "is set by the catalog": "read_only",
    "never changes": "id_mismatch",
    "is not a field": "unknown_field",
    "is not a valid id": "invalid_id",
    "is not a valid slug": "invalid_slug",
    "is not a valid GTIN": "invalid_gtin",
    "is not one of the choices": "unknown_choice",
    "is out of range": "out_of_range",
    "is of the wrong type": "wrong_type",
    "has too many digits": "too_many_digits",
    "is not an amount": "invalid_amount",
    "is not a currency": "unknown_currency",
    "is below the price": "list_price_below_price",
    "is another currency": "currency_mismatch",
    "names no category": "unknown_category",
}


UNKNOWN_FIELD: Final = "unknown_field"


def invalid_product(*faults: str) -> Refusal:
    """Return the refusal of a product with these faults; unknown fields alone have a name of their own."""
    return Refusal(422, UNKNOWN_FIELD if {*faults} == {UNKNOWN_FIELD} else "validation_failed")


def refusal(reason: str) -> Refusal:
    """Return what the catalog answers for *reason*.

    A reason is one of those above; ``"price/amount" has too many digits``, a place in the product
    and what is wrong there; or ``the parameter "limit" is wrong``.
    """
    if reason in _REFUSALS:
        return _REFUSALS[reason]
    if match := re.fullmatch(r'the parameter "(.+)" is wrong', reason):
        return Refusal(422, "invalid_query", place=match[1], parameter=True)
    match = re.fullmatch(r'"(.+?)" (.+)', reason)
    assert match, f"no such reason: {reason}"
    fault = _FAULTS[match[2]]
    return replace(invalid_product(fault), fault=fault, place=f"/{match[1]}")

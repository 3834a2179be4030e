"""Every kind of problem that the service answers with: the one registry.

The pages under ``/problems/``, the OpenAPI document, the reference in ``docs/`` and the translation of
errors are all made from it. A kind's ``code`` is stable; clients may test for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from vitrina.domain import errors
from vitrina.domain.errors import CatalogError


@dataclass(frozen=True, slots=True)
class ProblemType:
    """One kind of problem.

    Attributes:
        code: Stable name in snake_case; the last part of the problem's ``type``.
        status: Of the answer.
        title: The same for every problem of the kind.
        meaning: What happened, for the person who reads the page.
        remedy: What to do now.
        example: A ``detail`` as it is answered.
        error: The rule of the catalog that was broken, or None where HTTP itself refuses.
        retry_after_s: Seconds after which trying again makes sense.
    """

    code: str
    status: HTTPStatus
    title: str
    meaning: str
    remedy: str
    example: str
    error: type[CatalogError] | None = None
    retry_after_s: int | None = None


_S = HTTPStatus

_CATALOG: Final = (
    ProblemType(
        "validation_failed",
        _S.UNPROCESSABLE_CONTENT,
        "The document breaks one or more rules",
        "The JSON is well formed, but it does not describe a valid product or category. "
        "`errors` lists every broken rule with a JSON Pointer to its place.",
        "Mend every entry of `errors`, and send the document again.",
        "/price/amount: USD has 2 digits after the decimal point, not 3.",
        errors.InvalidDocument,
    ),
    ProblemType(
        "unknown_field",
        _S.UNPROCESSABLE_CONTENT,
        "The document has a field that does not exist",
        "Everything else is in order, but nothing that was sent is dropped silently. `errors` lists "
        "each unknown field with a JSON Pointer to its place, and what is known there.",
        "Correct the name or leave the field out. What has no field of its own is an attribute: "
        '`{"attributes": {"voltage": 12}}`.',
        "/colour: There is no such field. Known: id, sku, title, …",
    ),
    ProblemType(
        "invalid_value",
        _S.UNPROCESSABLE_CONTENT,
        "A value breaks a rule of its type",
        "A single value, such as an id in the URL, is not of the form that its type has.",
        "The detail says which form is expected.",
        "A time looks like 2026-01-31T12:00:00Z (RFC 3339).",
        errors.InvalidValue,
    ),
    ProblemType(
        "invalid_query",
        _S.UNPROCESSABLE_CONTENT,
        "The query asks for something unknown",
        "A query parameter, an operator, a field or a value is not one that this resource knows. "
        "Nothing is ignored silently. `errors` names each parameter and lists what is known.",
        "Correct or remove the parameters that `errors` names.",
        "page: There is no parameter 'page'. Known: q, sort, limit, cursor, fields.",
        errors.InvalidQuery,
    ),
    ProblemType(
        "product_not_found",
        _S.NOT_FOUND,
        "There is no such product",
        "No product has this id or slug. It may never have existed, or have been deleted.",
        "Check the id; ids are case-sensitive. PUT creates a product under an id of your choice.",
        "There is no product 'LAMP-1'.",
        errors.ProductNotFound,
    ),
    ProblemType(
        "version_not_found",
        _S.NOT_FOUND,
        "There is no such version",
        "The product exists or existed, but this version of it is in the future, or further in the "
        "past than changes are kept.",
        "GET /v1/products/{id}/history lists the versions that are kept.",
        "There is no version 3 of the product 'LAMP-1' any more, or yet.",
        errors.VersionNotFound,
    ),
    ProblemType(
        "category_not_found",
        _S.NOT_FOUND,
        "There is no such category",
        "No category has this id.",
        "GET /v1/categories lists all of them; PUT creates one.",
        "There is no category 'lamps'.",
        errors.CategoryNotFound,
    ),
    ProblemType(
        "id_taken",
        _S.CONFLICT,
        "Another product has this id",
        "POST adds a product that does not exist yet, and this id is in use.",
        "Leave the id out and the service makes one, or replace the product with PUT.",
        "A product with the id 'LAMP-1' exists; PUT replaces it.",
        errors.IdTaken,
    ),
    ProblemType(
        "sku_taken",
        _S.CONFLICT,
        "Another product has this SKU",
        "A SKU is unique over the whole catalog. `owner` is the product that has it.",
        "Use another SKU, or change the product that has this one first.",
        "The SKU 'LAMP-1' belongs to product '0199…'.",
        errors.SkuTaken,
    ),
    ProblemType(
        "slug_taken",
        _S.CONFLICT,
        "Another product has this slug",
        "A slug is unique over the whole catalog. `owner` is the product that has it.",
        "Use another slug, or leave it out: the service then makes a free one from the title.",
        "The slug 'desk-lamp' belongs to product 'LAMP-1'.",
        errors.SlugTaken,
    ),
    ProblemType(
        "status_transition",
        _S.CONFLICT,
        "A product cannot go from this status to that one",
        "Drafts become active or archived, active products become draft or archived, and archived "
        "ones become active again.",
        "Make the product active first.",
        "A product that is archived cannot become draft; make it active first.",
        errors.TransitionRefused,
    ),
    ProblemType(
        "category_in_use",
        _S.CONFLICT,
        "The category has products or subcategories",
        "Deleting it would leave them without a place in the tree.",
        "Move its products and its subcategories elsewhere, then delete it.",
        "The category 'lamps' has 3 product(s) and 0 subcategory(ies); move them first.",
        errors.CategoryInUse,
    ),
    ProblemType(
        "category_cycle",
        _S.CONFLICT,
        "A category cannot lie below itself",
        "The new parent lies somewhere below the category that is being moved.",
        "Choose another parent, or move that one out of the subtree first.",
        "The category 'lamps' cannot lie below 'desk-lamps', which lies below it.",
        errors.CategoryCycle,
    ),
    ProblemType(
        "precondition_failed",
        _S.PRECONDITION_FAILED,
        "The resource is not in the state you expect",
        "`If-Match` or `If-None-Match` does not hold: somebody changed, created or deleted the "
        "resource since you read it. Nothing was done. `current_etag` is its entity tag now.",
        "Read the resource again, make your change to what it is now, and send that with the new tag.",
        "The resource is not as the caller expects: its entity tag is now '3-9f86d081'.",
        errors.PreconditionFailed,
    ),
    ProblemType(
        "malformed_patch",
        _S.BAD_REQUEST,
        "The patch is not of its media type's form",
        "The body is JSON, but not a JSON Patch as RFC 6902 has it.",
        "`errors` points into the patch. A patch has at most 100 operations.",
        "/0/op: Expected one of: add, remove, replace, move, copy, test.",
        errors.MalformedPatch,
    ),
    ProblemType(
        "patch_conflict",
        _S.CONFLICT,
        "The patch does not fit the product",
        "An operation names a place that the product does not have, or a `test` failed. None of the "
        "patch was applied. `operation` counts from 0.",
        "Read the product, and make a patch for what it is now.",
        "Operation 0 at '/price/amount': the value there is another one",
        errors.PatchConflict,
    ),
    ProblemType(
        "bad_cursor",
        _S.BAD_REQUEST,
        "The cursor cannot be used here",
        "A cursor goes on with exactly the query that it was made for. This one was damaged on its "
        "way, or belongs to a query with another filter, sort or text.",
        "Follow `next` of the answer before, or start again without `cursor`.",
        "The cursor is damaged or belongs to another query; start again without one.",
        errors.BadCursor,
    ),
    ProblemType(
        "idempotency_key_reused",
        _S.UNPROCESSABLE_CONTENT,
        "The idempotency key belongs to another request",
        "Within 24 hours one key stands for one request. This key came with another body before.",
        "Make a new key (a UUID, for instance) for each new request; repeat it only when retrying.",
        "The idempotency key '8e03978e' belongs to another request; use a new key for a new one.",
        errors.IdempotencyKeyReused,
    ),
    ProblemType(
        "store_read_only",
        _S.SERVICE_UNAVAILABLE,
        "The catalog cannot be written to",
        "The disk is full or refuses to write. Reads go on. Nothing of this request was done.",
        "Try again later. The operator finds the reason under /readyz.",
        "The catalog is read-only: the disk is full.",
        errors.StoreReadOnly,
        retry_after_s=30,
    ),
    ProblemType(
        "store_busy",
        _S.SERVICE_UNAVAILABLE,
        "The catalog is busy",
        "Other writers kept the catalog busy for longer than a request may wait. Nothing was done.",
        "Try again after the time that `Retry-After` gives.",
        "Other writers kept the catalog busy for 10 s; try again.",
        errors.StoreBusy,
        retry_after_s=1,
    ),
    ProblemType(
        "store_unreadable",
        _S.SERVICE_UNAVAILABLE,
        "The catalog cannot be read",
        "The disk did not give back what the catalog needs for this answer, or the system refused to "
        "read it, as it does when too many files are open. Nothing was changed.",
        "Try again after the time that `Retry-After` gives. If it stays so, look at `/readyz?verbose` "
        "and the log, and run `vitrina verify`.",
        "The catalog cannot be read at the moment: the journal: Too many open files",
        errors.StoreUnreadable,
        retry_after_s=5,
    ),
    ProblemType(
        "index_building",
        _S.SERVICE_UNAVAILABLE,
        "The index is being built",
        "The product index is missing, damaged or of another version, and is being built from the "
        "catalog. Products can be read by id and written meanwhile; `done` of `total` are in it.",
        "Try again after the time that `Retry-After` gives; `/readyz` is 200 when it is done.",
        "The index is being built: 120000 of 1000000 products are in it.",
        errors.IndexBuilding,
        retry_after_s=2,
    ),
    ProblemType(
        "changes_gone",
        _S.GONE,
        "The change feed no longer reaches back that far",
        "The changes after the given position are no longer kept. `oldest` is the first that is.",
        "Read the whole catalog anew, and follow the feed from there: keep `latest_seq` of "
        "`GET /v1/changes?limit=1` before you read.",
        "Changes after 12 are no longer kept; the oldest is 4001. Read the catalog anew.",
        errors.ChangesGone,
    ),
    ProblemType(
        "nothing_to_accept",
        _S.CONFLICT,
        "No edit of the product file waits",
        "Only an edit that would take away much waits to be accepted. There is none: it was accepted "
        "already, or the file was mended or saved again.",
        "GET /v1/file says how the file is.",
        "No edit of the product file waits to be accepted.",
        errors.NothingToAccept,
    ),
)

_HTTP: Final = (
    ProblemType(
        "malformed_json",
        _S.BAD_REQUEST,
        "The body is not JSON",
        "The body is empty, not UTF-8, or not JSON as RFC 8259 has it. NaN, Infinity, two members of "
        "one name, half a surrogate pair, and nesting deeper than 64 levels are refused too. "
        "`line` and `column` say where.",
        "Mend the JSON at the place that the detail names.",
        "The object has two members 'title'. (line 3, column 5)",
    ),
    ProblemType(
        "malformed_query",
        _S.BAD_REQUEST,
        "The query string cannot be decoded",
        "The query string is not percent-encoded UTF-8, or has more than 1,000 parameters.",
        "Encode names and values as UTF-8, then percent-encode them.",
        "The query string is not percent-encoded UTF-8.",
    ),
    ProblemType(
        "malformed_header",
        _S.BAD_REQUEST,
        "A header field is not of its form",
        "`If-Match`, `If-None-Match`, `Idempotency-Key` or `Content-Length` is not written as its "
        'standard says. Entity tags stand in double quotes: `If-Match: "3-9f86d081"`.',
        "Send the entity tag exactly as `ETag` had it, quotes included.",
        "If-Match is '*' or a list of entity tags in double quotes.",
    ),
    ProblemType(
        "not_found",
        _S.NOT_FOUND,
        "There is nothing here",
        "No resource of the service has this path.",
        "/docs lists every path. There is no slash at the end of a path.",
        "There is nothing at '/v1/prodcts'.",
    ),
    ProblemType(
        "method_not_allowed",
        _S.METHOD_NOT_ALLOWED,
        "The resource does not know this method",
        "The path exists, but not with this method. `Allow` lists the methods it has.",
        "Use one of the methods in `Allow`.",
        "POST is not possible here; possible: GET, HEAD.",
    ),
    ProblemType(
        "not_acceptable",
        _S.NOT_ACCEPTABLE,
        "There is no representation that you accept",
        "The `Accept` header excludes `application/json`, which is what this resource has.",
        "Send `Accept: application/json`, or no `Accept` at all.",
        "This resource is application/json, which the Accept header excludes.",
    ),
    ProblemType(
        "request_timeout",
        _S.REQUEST_TIMEOUT,
        "The body did not arrive in time",
        "The request's body took longer than the server waits.",
        "Send it again over a faster connection, or in smaller parts.",
        "The body did not arrive within 30 s.",
    ),
    ProblemType(
        "content_too_large",
        _S.CONTENT_TOO_LARGE,
        "The body is too large",
        "The request's body has more bytes than this resource takes.",
        "Send less at once. `limit` is the greatest number of bytes.",
        "The body is larger than 1048576 bytes.",
    ),
    ProblemType(
        "unsupported_media_type",
        _S.UNSUPPORTED_MEDIA_TYPE,
        "The body is of a type that is not read here",
        "`Content-Type` is missing or is not one of those that this resource reads, or the body is "
        "compressed. `Accept-Post`, `Accept-Patch` or `Accept` lists what is read.",
        "Send the body with one of those types, uncompressed.",
        "Send application/json here, not text/plain.",
    ),
    ProblemType(
        "precondition_required",
        _S.PRECONDITION_REQUIRED,
        "This server demands a precondition",
        "The server is set to refuse changes that could overwrite somebody else's: PUT, PATCH and "
        "DELETE need `If-Match`, or `If-None-Match: *` to create.",
        "Read the resource, and send its `ETag` as `If-Match`.",
        "Send If-Match with the entity tag of what you have read.",
    ),
    ProblemType(
        "too_many_streams",
        _S.SERVICE_UNAVAILABLE,
        "Too many clients follow the change feed",
        "Each process serves a limited number of streams at a time, and this one serves as many.",
        "Try again after the time that `Retry-After` gives, or read the feed page by page.",
        "This process serves 500 streams already.",
        retry_after_s=5,
    ),
    ProblemType(
        "too_many_searches",
        _S.SERVICE_UNAVAILABLE,
        "Too many long searches are under way",
        "Searches that take long are answered a few at a time. So many wait already that this one "
        "would be answered too late to be of use. Short searches, and reads by id, are answered.",
        "Try again after the time that `Retry-After` gives; ask for fewer facets at once.",
        "This process has 64 searches under way already.",
        retry_after_s=1,
    ),
    ProblemType(
        "internal_error",
        _S.INTERNAL_SERVER_ERROR,
        "The service has failed",
        "A fault of the service, not of your request. It is in the log under `request_id`.",
        "Report the `request_id` to the operator. Trying again may help.",
        "The service has failed; its log tells more under the request_id.",
    ),
)

PROBLEM_TYPES: Final[Mapping[str, ProblemType]] = {each.code: each for each in (*_CATALOG, *_HTTP)}
"""Code → kind of problem."""

OF_ERROR: Final[Mapping[type[CatalogError], ProblemType]] = {
    each.error: each for each in _CATALOG if each.error is not None
}
"""Rule of the catalog → the kind of problem that answers it; total, as a test proves."""

FAULT_CODES: Final[Mapping[str, str]] = {
    "control_character": "Text has a control character other than tab and line break, or half a "
    "surrogate pair.",
    "currency_mismatch": "`list_price` and `price` are in different currencies.",
    "duplicate_attribute": "Two attributes have the same name once written in Unicode NFC.",
    "id_mismatch": "The id in the body is not the one in the URL; ids never change.",
    "invalid_amount": "An amount is not a plain non-negative decimal.",
    "invalid_attribute_name": "An attribute's name has line breaks, or white space around it.",
    "invalid_gtin": "A GTIN has a wrong length or check digit.",
    "invalid_id": "An id has other characters than `A-Z a-z 0-9 . _ ~ : -`, or is too long.",
    "invalid_sku": "A SKU has line breaks, or white space around it.",
    "invalid_slug": "A slug is not lower-case letters and digits in groups joined by hyphens.",
    "invalid_time": "A time is not RFC 3339.",
    "invalid_url": "A URL is not absolute http or https.",
    "list_price_below_price": "`list_price` is what is struck through: it is never below `price`.",
    "number_out_of_range": "A number is not finite, or an integer lies beyond ±(2^53 - 1).",
    "out_of_range": "A number lies outside of its field's range.",
    "read_only": "The field is set by the catalog; only its present value may be repeated.",
    "required": "The field is missing or null.",
    "reserved_id": "The id is a part of the API's own paths, as `compare` is.",
    "too_deep": "The category tree would have more than 32 levels.",
    "too_long": "Text is longer than its field takes.",
    "too_many": "A list has more entries than its field takes.",
    "too_many_digits": "An amount is finer than its currency, or 10^12 and more.",
    "too_short": "Text is empty, or nothing but white space.",
    "unknown_category": "There is no category with this id; create it first.",
    "unknown_choice": "The value is not one of the field's choices.",
    "unknown_currency": "The currency is not an active ISO 4217 code.",
    "unknown_field": "There is no such field; the detail lists the known ones.",
    "wrong_type": "The value is of another JSON type than the field.",
}
"""Codes in ``errors`` of a ``validation_failed`` problem → what each means."""

QUERY_FAULT_CODES: Final[Mapping[str, str]] = {
    "control_character": FAULT_CODES["control_character"],
    "duplicate_parameter": "The parameter may be given once only, for each facet in the case of `facet_query`.",
    "duplicate_value": "There are enough values, but too few different ones.",
    "empty_value": "The parameter, or one of the values that its commas separate, is empty.",
    "invalid_boolean": "The value is neither `true` nor `false`.",
    "invalid_facet_query": "A `facet_query` is not `FIELD:words`, or its field is counted by ranges.",
    "invalid_number": "The value is no plain decimal number; of an attribute, no number with or without a unit.",
    "invalid_time": "The value is not an RFC 3339 time.",
    "not_combinable": "The parameter cannot stand beside the others; the detail says beside which it can.",
    "out_of_range": "A number, or how many values there are, lies outside of what the parameter takes.",
    "required": "The parameter is missing.",
    "too_long": "The value is longer than the parameter takes.",
    "too_many": "There are more values than the parameter, or all filters together, take.",
    "too_many_values": "The attribute has too many different values to sort by; narrow the list with filters.",
    "unknown_field": "There is no such field or facet; the detail lists the known ones.",
    "unknown_operator": "The field cannot be compared so; the detail lists its operators.",
    "unknown_parameter": "There is no such parameter; the detail lists the known ones.",
    "unknown_sort": "There is no such order; the detail lists the known ones.",
    "unknown_value": "The value is not one of the parameter's choices; the detail lists them.",
}
"""Codes in ``errors`` of an ``invalid_query`` problem → what each means."""

CODES_IN_ERRORS: Final[Mapping[str, Mapping[str, str]]] = {
    "validation_failed": FAULT_CODES,
    "invalid_query": QUERY_FAULT_CODES,
}
"""Kind of problem that lists faults → the codes of these."""

"""``/v1/products/{id}``: one product, read and changed."""

from collections.abc import Callable, Mapping
from typing import Final
from unicodedata import normalize

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import Scope, Send

from vitrina.domain.errors import (
    InvalidDocument,
    InvalidValue,
    ProductNotFound,
)
from vitrina.domain.identifiers import parse_product_id
from vitrina.entrypoints.http.conditional import precondition_of
from vitrina.entrypoints.http.exchange import Exchange
from vitrina.entrypoints.http.idempotency import key_of
from vitrina.entrypoints.http.operations import short_write
from vitrina.entrypoints.http.replies import (
    JSON_FIELDS,
    digest,
    fresh_reply,
    json_reply,
    location,
)
from vitrina.entrypoints.http.requests import JSON_PATCH, PATCH_TYPES, CatalogRequest
from vitrina.entrypoints.http.versions import old_version, read_version
from vitrina.service_layer import products as use_cases
from vitrina.service_layer.document_reading import check_merge_patch
from vitrina.service_layer.documents import PRODUCT_FIELDS
from vitrina.service_layer.patches import JsonPatch, MergePatch
from vitrina.service_layer.ports import Patch, Stored
from vitrina.service_layer.query_string import parse_fields

PATH: Final = "/v1/products"

ONE_PATH: Final = f"{PATH}/{{id}}"

_PREFIX: Final = f"{PATH}/"
_CONDITIONS: Final = frozenset({b"accept", b"if-match", b"if-none-match"})
_ANYTHING: Final = b"*/*"


def is_plain_read(exchange: Exchange) -> bool:
    """Say whether a request is a GET or HEAD that states no condition and takes JSON."""
    headers = exchange.headers
    return exchange.method in {"GET", "HEAD"} and (
        _CONDITIONS.isdisjoint(headers)
        or (
            headers.get(b"accept") == _ANYTHING
            and b"if-match" not in headers
            and b"if-none-match" not in headers
        )
    )


async def answer_at_once(scope: Scope, exchange: Exchange, send: Send) -> bool:
    """Answer a plain GET of one product that exists; return False for everything else.

    It answers exactly as :func:`get_product` does, which a test holds it to.
    """
    path: str = scope["path"]
    if not path.startswith(_PREFIX) or scope["query_string"] or not is_plain_read(exchange):
        return False
    try:
        stored: Stored = scope["state"]["catalog"].view.product(path[len(_PREFIX) :])
    except ProductNotFound:
        return False
    body = stored.body
    fields = [
        *JSON_FIELDS,
        (b"etag", b'"%s"' % stored.tag.encode()),
        (b"content-length", b"%d" % len(body)),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": fields})
    await send({"type": "http.response.body", "body": body})
    return True


async def get_product(request: CatalogRequest) -> Response:
    """Return one product of any status.

    `fields` picks top-level fields; the answer then has an entity tag of its own, with a suffix
    behind a dot, which `If-Match` accepts as well. `version` asks for an old version, as long as it
    is kept.
    """
    parameters = request.parameters(("fields", "version"))
    fields = _fields_asked(parameters)
    product_id = request.path_params["id"]
    if (version := parameters.get("version")) is None:
        stored = request.catalog.view.product(product_id)
    else:
        number = read_version(version)
        stored = await run_in_threadpool(old_version, request.catalog, product_id, number)
    return reply_with(request, stored, fields)


async def get_product_by_slug(request: CatalogRequest) -> Response:
    """Return the product that has this slug. `Content-Location` is its lasting address."""
    fields = _fields_asked(request.parameters(("fields",)))
    slug = normalize("NFC", request.path_params["slug"])  # As slugs are kept.
    stored = request.catalog.view.product_by_slug(slug)
    headers = {"Content-Location": location(request, PATH, stored.id)}
    return reply_with(request, stored, fields, headers)


@short_write
def post_product(request: CatalogRequest) -> Response:
    """Add a product. Without an `id` the service makes one (UUIDv7).

    With an `Idempotency-Key`, a repeated request gets the first answer again, with
    `Idempotency-Replayed: true`; keys are kept for 24 hours.
    """
    request.parameters(())
    key = key_of(request)
    uow = request.catalog.unit_of_work()
    saved = use_cases.add_product(uow, request.document(), idempotency=key)
    headers = {"Location": location(request, PATH, saved.product.id)}
    if saved.replayed:
        headers["Idempotency-Replayed"] = "true"
    return json_reply(saved.product.body, status=201, tag=saved.product.tag, headers=headers)


@short_write
def put_product(request: CatalogRequest) -> Response:
    """Create the product with this id (201), or replace it by the body (200).

    What the body leaves out is unset, but for the slug, which stays. Sending back what was read,
    read-only fields included, changes nothing and keeps the version. `If-None-Match: *` only
    creates; `If-Match` only replaces what you have read.
    """
    request.parameters(())
    product_id = id_in_path(request, parse_product_id)
    precondition = precondition_of(request.fields, required=request.options.require_if_match)
    saved = use_cases.put_product(
        request.catalog.unit_of_work(), product_id, request.document(), precondition=precondition
    )
    return _saved_reply(request, saved)


@short_write
def patch_product(request: CatalogRequest) -> Response:
    """Change parts of one product.

    `application/merge-patch+json` (RFC 7396; also what plain `application/json` is read as):
    members replace, `null` unsets. `application/json-patch+json` (RFC 6902): at most 100
    operations, all or none; a failing `test` is a 409.
    """
    request.parameters(())
    precondition = precondition_of(request.fields, required=request.options.require_if_match)
    patch = patch_of(request, PRODUCT_FIELDS)
    product_id = request.path_params["id"]
    saved = use_cases.revise_product(
        request.catalog.unit_of_work(), product_id, patch, precondition=precondition
    )
    return _saved_reply(request, saved)


@short_write
def delete_product(request: CatalogRequest) -> Response:
    """Take one product out of the catalog. A second time it is a 404."""
    request.parameters(())
    precondition = precondition_of(request.fields, required=request.options.require_if_match)
    uow = request.catalog.unit_of_work()
    use_cases.remove_product(uow, request.path_params["id"], precondition=precondition)
    return Response(status_code=204)


def id_in_path(request: CatalogRequest, parse: Callable[[str], str]) -> str:
    """Return the id under which something may be created.

    Raises:
        InvalidDocument: To *parse* it is none.
    """
    key: str = request.path_params["id"]
    try:
        return parse(key)
    except InvalidValue as error:
        raise InvalidDocument((error.at("/id"),)) from None


def patch_of(request: CatalogRequest, known: tuple[str, ...]) -> Patch:
    """Return the patch that a request carries, by its media type.

    Raises:
        Refusal: The body is not JSON.
        MalformedPatch: It is not a JSON Patch.
        InvalidDocument: A merge patch names a field that is not *known*.
    """
    document = request.document()
    if request.media_type(PATCH_TYPES) == JSON_PATCH:
        return JsonPatch.parse(document)
    if isinstance(document, Mapping):
        check_merge_patch(document, known)
    return MergePatch(document)


def select(body: bytes, fields: tuple[str, ...]) -> bytes:
    """Return a product with only some of its fields, in the given order."""
    document = orjson.loads(body)
    return orjson.dumps({name: document[name] for name in fields})


def _fields_asked(parameters: Mapping[str, str]) -> tuple[str, ...] | None:
    asked = parameters.get("fields")
    return None if asked is None else parse_fields(asked)


def reply_with(
    request: CatalogRequest,
    stored: Stored,
    fields: tuple[str, ...] | None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return the answer that shows a product, or some of its fields; 304 when it is known."""
    tag = stored.tag
    if fields is not None:
        tag = f"{tag}.{digest(','.join(fields).encode())}"
    if reply := fresh_reply(request, tag):
        return reply
    body = stored.body if fields is None else select(stored.body, fields)
    return json_reply(body, tag=tag, headers=headers)


def _saved_reply(request: CatalogRequest, saved: use_cases.Saved) -> Response:
    stored = saved.product
    if not saved.created:
        return json_reply(stored.body, tag=stored.tag)
    headers = {"Location": location(request, PATH, stored.id)}
    return json_reply(stored.body, status=201, tag=stored.tag, headers=headers)

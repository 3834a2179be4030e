"""The parts that the OpenAPI document is made of.

An operation is described beside the table of routes (:mod:`vitrina.entrypoints.http.routes`) with the
functions here; components come from :mod:`vitrina.entrypoints.http.schemas` and from the registry of
problems. OpenAPI 3.1.
"""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, Final, Literal

from pydantic.json_schema import models_json_schema

from vitrina.entrypoints.http import examples
from vitrina.entrypoints.http.exchange import REQUEST_ID_PATTERN
from vitrina.entrypoints.http.problem_types import PROBLEM_TYPES, ProblemType
from vitrina.entrypoints.http.problems import MEDIA_TYPE, type_uri
from vitrina.entrypoints.http.requests import JSON, JSON_PATCH, MERGE_PATCH
from vitrina.entrypoints.http.schemas import MODELS
from vitrina.service_layer.documents import PRODUCT_FIELDS
from vitrina.service_layer.patches import OPERATIONS_MAX

type Node = dict[str, Any]
"""A part of the document."""

READ_PROBLEMS: Final = (
    "malformed_query",
    "not_acceptable",
    "invalid_query",
    "store_unreadable",
    "internal_error",
)
"""Every operation may answer these."""

WRITE_PROBLEMS: Final = (
    *READ_PROBLEMS,
    "precondition_failed",
    "malformed_header",
    "precondition_required",
    "store_read_only",
    "store_busy",
)
"""What PUT, PATCH and DELETE may answer besides."""

BODY_PROBLEMS: Final = (
    "malformed_json",
    "validation_failed",
    "unknown_field",
    "request_timeout",
    "content_too_large",
    "unsupported_media_type",
)
"""What an operation with a body may answer besides."""

_EXAMPLES: Final[Mapping[str, object]] = {
    "Product": examples.PRODUCT,
    "ProductInput": examples.PRODUCT_INPUT,
    "Category": examples.CATEGORY,
    "CategoryInput": examples.CATEGORY_INPUT,
    "Money": examples.PRODUCT["price"],
    "MoneyInput": examples.PRODUCT_INPUT["price"],
}


def ref(name: str) -> Node:
    """Return a reference to a schema among the components."""
    return {"$ref": f"#/components/schemas/{name}"}


def query(name: str, schema: Node, description: str, **more: object) -> Node:
    """Return an optional query parameter."""
    return {"name": name, "in": "query", "description": description, "schema": schema, **more}


def in_path(name: str, schema: Node, description: str, example: str) -> Node:
    """Return a path parameter."""
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": schema,
        "example": example,
    }


def header(name: str, description: str, example: str, **schema: object) -> Node:
    """Return an optional request header."""
    return {
        "name": name,
        "in": "header",
        "description": description,
        "schema": {"type": "string", **schema},
        "example": example,
    }


_TAG: Final = r'(?:W/)?"[!#-~]*"'
_TAGS_PATTERN: Final = rf"^(?:\*|{_TAG}(?:, ?{_TAG})*)$"

IF_MATCH: Final = header(
    "If-Match",
    "Do it only if the resource still has one of these entity tags; `*`: only if it exists. "
    "A suffix behind a dot, as views and compressed answers have it, does not matter.",
    examples.ETAG,
    pattern=_TAGS_PATTERN,
)
IF_NONE_MATCH_READ: Final = header(
    "If-None-Match",
    "Answer 304 without a body if one of these entity tags is still good.",
    examples.ETAG,
    pattern=_TAGS_PATTERN,
)
IF_NONE_MATCH_WRITE: Final = header(
    "If-None-Match",
    "`*`: only create; refuse when the resource exists.",
    "*",
    pattern=_TAGS_PATTERN,
)
IDEMPOTENCY_KEY: Final = header(
    "Idempotency-Key",
    "A name of the caller's for this one request, such as a UUID, in quotes or bare. Repeating the "
    "request with it within 24 hours gets the first answer again.",
    '"8e03978e-40d5-43e8-bc93-6894a57f9324"',
    pattern=r'^(?:"[ !#-\[\]-~]{1,255}"|[!#-+\--~]{1,255})$',
)
REQUEST_ID: Final = header(
    "X-Request-Id",
    f"Names the request in answers and logs, when it matches `{REQUEST_ID_PATTERN}`; "
    "else the service makes one.",
    "checkout-7f3a",
)
TRACE_PARENT: Final = header(
    "traceparent",
    "W3C Trace Context: the trace goes on, and its id is in problems and logs.",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
)
_FIELD: Final = f"(?:{'|'.join(PRODUCT_FIELDS)})"
FIELDS: Final = query(
    "fields",
    {"type": "string", "pattern": f"^{_FIELD}(?:,{_FIELD}){{0,{len(PRODUCT_FIELDS) - 1}}}$"},
    "The top-level fields to show, separated by commas.",
    example="id,title,price",
)

_HEADERS: Final[Mapping[str, Node]] = {
    "X-Request-Id": {
        "description": "The caller's, when it is sane, or else made by the service.",
        "required": True,
        "schema": {"type": "string", "pattern": f"^{REQUEST_ID_PATTERN}$"},
    },
    "ETag": {
        "description": "Entity tag of exactly these bytes.",
        "schema": {"type": "string", "pattern": r'^"[!#-~]+"$'},
        "example": examples.ETAG,
    },
    "Cache-Control": {
        "description": "Caches may keep the answer, and ask before they use it again.",
        "schema": {"type": "string"},
    },
    "Location": {
        "description": "The path of what was created.",
        "required": True,
        "schema": {"type": "string", "format": "uri-reference"},
    },
    "Content-Location": {
        "description": "The path of the product by its id.",
        "schema": {"type": "string", "format": "uri-reference"},
    },
    "Link": {
        "description": 'The next page, `rel="next"` (RFC 8288); absent on the last one.',
        "schema": {"type": "string"},
    },
    "Idempotency-Replayed": {
        "description": "This repeats the answer to an earlier request.",
        "schema": {"type": "string", "const": "true"},
    },
    "Retry-After": {
        "description": "Seconds after which trying again makes sense.",
        "schema": {"type": "string", "pattern": "^[0-9]+$"},
    },
}


def headers(*names: str) -> Node:
    """Return references to response headers; ``X-Request-Id`` is always among them."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in ("X-Request-Id", *names)}


def answer(
    description: str,
    schema: Node | None = None,
    *,
    example: object = None,
    sent: Sequence[str] = (),
    also: Mapping[str, Node] | None = None,
    **more: object,
) -> Node:
    """Return a response that is no problem; *also* holds its other media types than JSON."""
    node: Node = {"description": description, "headers": headers(*sent), **more}
    if schema is not None:
        node["content"] = {JSON: {"schema": schema, "example": example}, **(also or {})}
    return node


def problems(*codes: str) -> dict[str, Node]:
    """Return the responses for kinds of problems, one for each status."""
    kinds = sorted((PROBLEM_TYPES[each] for each in dict.fromkeys(codes)), key=_status)
    return {
        str(status): _problem_response(list(same)) for status, same in groupby(kinds, key=_status)
    }


def _status(kind: ProblemType) -> int:
    return int(kind.status)


def _problem_response(kinds: Sequence[ProblemType]) -> Node:
    sent = ["Retry-After"] if any(kind.retry_after_s for kind in kinds) else []
    listed = " ".join(f"`{kind.code}`: {kind.title}." for kind in kinds)
    return {
        "description": listed,
        "headers": headers(*sent),
        "content": {
            MEDIA_TYPE: {
                "schema": ref("Problem"),
                "examples": {
                    kind.code: {"summary": kind.title, "value": problem_example(kind)}
                    for kind in kinds
                },
            }
        },
    }


def problem_example(kind: ProblemType) -> Node:
    """Return a problem of this kind as it is answered."""
    return {
        "type": type_uri(kind.code),
        "title": kind.title,
        "status": int(kind.status),
        "detail": kind.example,
        "instance": f"/v1/products/{examples.PRODUCT['id']}",
        "code": kind.code,
        "request_id": "checkout-7f3a",
    }


def body(schema: Node, example: object, description: str) -> Node:
    """Return a JSON request body."""
    return {
        "required": True,
        "description": description,
        "content": {JSON: {"schema": schema, "example": example}},
    }


def patch_body(schema: Node, merge_example: object, json_patch_example: object) -> Node:
    """Return the request body of a PATCH: the patches of both kinds."""
    merge = {"schema": schema, "example": merge_example}
    return {
        "required": True,
        "description": "What to change. Plain `application/json` is read as a merge patch.",
        "content": {
            MERGE_PATCH: merge,
            JSON_PATCH: {"schema": ref("JsonPatch"), "example": json_patch_example},
            JSON: merge,
        },
    }


def links(kind: Literal["Product", "Category"]) -> Node:
    """Return the links from what was created to what can be done with it."""
    return {
        f"{verb}{kind}": {
            "operationId": f"{verb}{kind}",
            "parameters": {"id": "$response.body#/id"},
        }
        for verb in ("get", "put", "patch", "delete")
    }


def components() -> Node:
    """Return the components of the document."""
    _, generated = models_json_schema(
        [(model, "validation") for model in MODELS], ref_template="#/components/schemas/{model}"
    )
    named: dict[str, Node] = {name: _plain(node) for name, node in generated["$defs"].items()}
    for name, example in _EXAMPLES.items():
        named[name]["examples"] = [example]
    named["ProductView"] = {
        **named["Product"],
        "description": "A product, or with `fields` some of its fields.",
        "required": [],
        "minProperties": 1,
    }
    named["ProductList"]["properties"]["items"]["items"] = ref("ProductView")
    for name in ("Product", "Category"):
        named[f"{name}Patch"] = _merge_patch(named[f"{name}Input"], name)
    named["JsonPatch"] = _json_patch()
    return {"schemas": dict(sorted(named.items())), "headers": dict(_HEADERS)}


def _plain(node: Any) -> Any:
    """Return a schema without pydantic's titles and defaults, which would say nothing."""
    if isinstance(node, list):
        return [_plain(each) for each in node]
    if not isinstance(node, dict):
        return node
    plain = {}
    for name, each in node.items():
        if name == "properties":
            plain[name] = {field: _plain(schema) for field, schema in each.items()}
        elif name in {"examples", "enum"}:
            plain[name] = each
        elif name not in {"title", "default"}:
            plain[name] = _plain(each)
    return plain


def _merge_patch(schema: Node, name: str) -> Node:
    """Return the schema of an RFC 7396 patch: any member may be left out, and null unsets it.

    What a product must have cannot be unset, so there ``null`` is not in the schema.
    """
    properties = dict(schema["properties"])
    for field in ("price", "list_price", "rating"):
        if field in properties:
            note = "Members that are left out stay as they are."
            properties[field] = {"type": ["object", "null"], "description": note}
    return {
        "description": f"An RFC 7396 merge patch of a {name.lower()}.",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }


def _json_patch() -> Node:
    pointer = {"type": "string", "pattern": "^(?:/(?:[^~/]|~[01])*)*$"}

    def operation(names: Sequence[str], *needed: str) -> Node:
        properties: Node = {"op": {"enum": list(names)}, "path": pointer}
        if "value" in needed:
            properties["value"] = {}
        if "from" in needed:
            properties["from"] = pointer
        return {"type": "object", "properties": properties, "required": ["op", "path", *needed]}

    return {
        "description": f"An RFC 6902 patch: at most {OPERATIONS_MAX} operations, all or none.",
        "type": "array",
        "maxItems": OPERATIONS_MAX,
        "items": {
            "oneOf": [
                operation(("add", "replace", "test"), "value"),
                operation(("remove",)),
                operation(("move", "copy"), "from"),
            ]
        },
    }

"""How an operation is described, and the parameters and problems that many operations share."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from vitrina.entrypoints.http import examples, openapi as doc
from vitrina.entrypoints.http.openapi import Node
from vitrina.entrypoints.http.operations import Endpoint
from vitrina.service_layer.queries import LIMIT_DEFAULT, LIMIT_MAX

PRODUCT_ID: Final = doc.in_path(
    "id", doc.ref("Id"), "The product's id.", str(examples.PRODUCT["id"])
)
TEXT: Final[Node] = {"type": "string"}
VERSION: Final = doc.query(
    "version",
    {"type": "string", "pattern": "^[1-9][0-9]{0,14}$"},
    "An old version instead of the present one, as long as it is kept.",
)
PAGE: Final = (
    doc.query(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT_DEFAULT},
        "How many entries a page has.",
    ),
    doc.query("cursor", {"type": "string", "minLength": 1}, "`next` of the page before."),
)
EVERYWHERE: Final = (doc.REQUEST_ID, doc.TRACE_PARENT)
ON_READ: Final = (doc.IF_MATCH, doc.IF_NONE_MATCH_READ, *EVERYWHERE)
ON_WRITE: Final = (doc.IF_MATCH, doc.IF_NONE_MATCH_WRITE, *EVERYWHERE)
ON_READ_PROBLEMS: Final = (*doc.READ_PROBLEMS, "precondition_failed", "malformed_header")
ON_WRITE_PROBLEMS: Final = (*doc.WRITE_PROBLEMS, *doc.BODY_PROBLEMS)
FRESH: Final = doc.answer("What you have is still good.", sent=("ETag", "Cache-Control"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """One operation. Its description is the endpoint's docstring.

    Attributes:
        name: The ``operationId``.
        responses: Status → response; the first is what is usual.
    """

    method: str
    path: str
    endpoint: Endpoint
    tag: str
    name: str
    summary: str
    parameters: tuple[Node, ...]
    responses: Mapping[str, Node]
    body: Node | None = None

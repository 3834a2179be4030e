"""The table of the API's operations: method, path, endpoint, and what the documentation says.

What stands here is also what is checked: a query parameter or a media type that an operation does not
list is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter

from vitrina.domain.identifiers import ID_PATTERN
from vitrina.entrypoints.http import (
    categories,
    changes,
    discovery,
    examples,
    health,
    history,
    openapi as doc,
    person_file,
    product_list,
    products,
)
from vitrina.entrypoints.http.list_parameters import LIST_PARAMETERS
from vitrina.entrypoints.http.openapi import Node
from vitrina.entrypoints.http.operations import Endpoint, Operation, add
from vitrina.service_layer.queries import (
    LIMIT_DEFAULT,
    LIMIT_MAX,
    RELATED_MAX,
    SUGGESTION_TEXT_MAX,
    SUGGESTIONS_MAX,
)

PRODUCTS: Final = "products"
CATEGORIES: Final = "categories"
CHANGES: Final = "changes"
FILE: Final = "file"
OPERATIONS: Final = "operations"

TAGS: Final = (
    {"name": PRODUCTS, "description": "The goods: read, list, add, change and remove them."},
    {"name": CATEGORIES, "description": "The tree that products are filed in."},
    {"name": CHANGES, "description": "What happened to the catalog, in order."},
    {
        "name": FILE,
        "description": "The product file that people edit, and what was not taken from it.",
    },
    {"name": OPERATIONS, "description": "Whether the service is well."},
)

_PRODUCT_ID: Final = doc.in_path(
    "id", doc.ref("Id"), "The product's id.", str(examples.PRODUCT["id"])
)
_CATEGORY_ID: Final = doc.in_path(
    "id", doc.ref("Id"), "The category's id.", str(examples.CATEGORY["id"])
)
_SLUG: Final = doc.in_path(
    "slug", doc.ref("Slug"), "The product's slug.", str(examples.PRODUCT["slug"])
)
_TEXT: Final[Node] = {"type": "string"}
_VERSION: Final = doc.query(
    "version",
    {"type": "string", "pattern": "^[1-9][0-9]{0,14}$"},
    "An old version instead of the present one, as long as it is kept.",
)
_PAGE: Final = (
    doc.query(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT_DEFAULT},
        "How many entries a page has.",
    ),
    doc.query("cursor", {"type": "string", "minLength": 1}, "`next` of the page before."),
)
_EVERYWHERE: Final = (doc.REQUEST_ID, doc.TRACE_PARENT)
_ON_READ: Final = (doc.IF_MATCH, doc.IF_NONE_MATCH_READ, *_EVERYWHERE)
_ON_WRITE: Final = (doc.IF_MATCH, doc.IF_NONE_MATCH_WRITE, *_EVERYWHERE)
_READ_PROBLEMS: Final = (*doc.READ_PROBLEMS, "precondition_failed", "malformed_header")
_WRITE_PROBLEMS: Final = (*doc.WRITE_PROBLEMS, *doc.BODY_PROBLEMS)
_UNIQUE: Final = ("sku_taken", "slug_taken")
_FRESH: Final = doc.answer("What you have is still good.", sent=("ETag", "Cache-Control"))


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


_PRODUCT_ONE: Final = f"{products.PATH}/{{id}}"
_PRODUCT_SHOWN: Final = doc.answer(
    "The product.",
    doc.ref("ProductView"),
    example=examples.PRODUCT,
    sent=("ETag", "Cache-Control"),
)
_PRODUCT_SAVED: Final = doc.answer(
    "The product as it is now.", doc.ref("Product"), example=examples.PRODUCT, sent=("ETag",)
)
_PRODUCT_CREATED: Final = doc.answer(
    "The product was created.",
    doc.ref("Product"),
    example=examples.PRODUCT,
    sent=("ETag", "Location"),
    links=doc.links("Product"),
)
_PRODUCT: Final = (
    Described(
        method="GET",
        path=_PRODUCT_ONE,
        endpoint=products.get_product,
        tag=PRODUCTS,
        name="getProduct",
        summary="Read one product",
        parameters=(_PRODUCT_ID, doc.FIELDS, _VERSION, *_ON_READ),
        responses={
            "200": _PRODUCT_SHOWN,
            "304": _FRESH,
            **doc.problems("product_not_found", "version_not_found", "not_found", *_READ_PROBLEMS),
        },
    ),
    Described(
        method="PUT",
        path=_PRODUCT_ONE,
        endpoint=products.put_product,
        tag=PRODUCTS,
        name="putProduct",
        summary="Create or replace one product",
        parameters=(_PRODUCT_ID, *_ON_WRITE),
        body=doc.body(doc.ref("ProductInput"), examples.PRODUCT_INPUT, "The whole product."),
        responses={
            "200": _PRODUCT_SAVED,
            "201": _PRODUCT_CREATED,
            **doc.problems("not_found", *_UNIQUE, "status_transition", *_WRITE_PROBLEMS),
        },
    ),
    Described(
        method="PATCH",
        path=_PRODUCT_ONE,
        endpoint=products.patch_product,
        tag=PRODUCTS,
        name="patchProduct",
        summary="Change parts of one product",
        parameters=(_PRODUCT_ID, *_ON_WRITE),
        body=doc.patch_body(doc.ref("ProductPatch"), examples.MERGE_PATCH, examples.JSON_PATCH),
        responses={
            "200": _PRODUCT_SAVED,
            **doc.problems(
                "product_not_found",
                "not_found",
                "malformed_patch",
                "patch_conflict",
                *_UNIQUE,
                "status_transition",
                *_WRITE_PROBLEMS,
            ),
        },
    ),
    Described(
        method="DELETE",
        path=_PRODUCT_ONE,
        endpoint=products.delete_product,
        tag=PRODUCTS,
        name="deleteProduct",
        summary="Delete one product",
        parameters=(_PRODUCT_ID, *_ON_WRITE),
        responses={
            "204": doc.answer("The product is gone."),
            **doc.problems("product_not_found", "not_found", *doc.WRITE_PROBLEMS),
        },
    ),
)

_PRODUCTS: Final = (
    Described(
        method="GET",
        path=products.PATH,
        endpoint=product_list.get_products,
        tag=PRODUCTS,
        name="listProducts",
        summary="List, filter and page through products",
        parameters=(*LIST_PARAMETERS, *_ON_READ),
        responses={
            "200": doc.answer(
                "One page of the products that match.",
                doc.ref("ProductList"),
                example=examples.PRODUCT_LIST,
                sent=("ETag", "Link", "Cache-Control"),
            ),
            "304": _FRESH,
            **doc.problems("bad_cursor", "index_building", *_READ_PROBLEMS),
        },
    ),
    Described(
        method="POST",
        path=products.PATH,
        endpoint=products.post_product,
        tag=PRODUCTS,
        name="postProduct",
        summary="Add a product",
        parameters=(doc.IDEMPOTENCY_KEY, *_EVERYWHERE),
        body=doc.body(doc.ref("ProductInput"), examples.PRODUCT_INPUT, "The product to add."),
        responses={
            "201": doc.answer(
                "The product was added, or had been by the same request before.",
                doc.ref("Product"),
                example=examples.PRODUCT,
                sent=("ETag", "Location", "Idempotency-Replayed"),
                links=doc.links("Product"),
            ),
            **doc.problems(
                "id_taken",
                *_UNIQUE,
                "idempotency_key_reused",
                "malformed_header",
                "store_read_only",
                "store_busy",
                *doc.READ_PROBLEMS,
                *doc.BODY_PROBLEMS,
            ),
        },
    ),
    Described(
        method="GET",
        path=f"{products.PATH}/by-slug/{{slug}}",
        endpoint=products.get_product_by_slug,
        tag=PRODUCTS,
        name="getProductBySlug",
        summary="Read the product that has a slug",
        parameters=(_SLUG, doc.FIELDS, *_ON_READ),
        responses={
            "200": doc.answer(
                "The product.",
                doc.ref("ProductView"),
                example=examples.PRODUCT,
                sent=("ETag", "Content-Location", "Cache-Control"),
            ),
            "304": _FRESH,
            **doc.problems("product_not_found", "not_found", *_READ_PROBLEMS),
        },
    ),
)

_SMALL: Final = {"type": "integer", "minimum": 1}
_COMPARED: Final = (
    Described(
        method="GET",
        path=discovery.COMPARE,
        endpoint=discovery.get_comparison,
        tag=PRODUCTS,
        name="compareProducts",
        summary="Compare products side by side",
        parameters=(
            doc.query(
                "ids",
                {"type": "string", "pattern": f"^{ID_PATTERN}(?:,{ID_PATTERN}){{1,9}}$"},
                "2 to 10 ids, separated by commas.",
                required=True,
                example=f"{examples.PRODUCT['id']},LAMP-2",
            ),
            doc.query(
                "only",
                {"type": "string", "enum": ["differences"]},
                "`differences`: leave out the rows in which all products are the same.",
            ),
            *_EVERYWHERE,
        ),
        responses={
            "200": doc.answer(
                "The products and their properties.",
                doc.ref("Comparison"),
                example=examples.COMPARISON,
                sent=("Cache-Control",),
                also={
                    discovery.CSV: {"schema": _TEXT, "example": examples.COMPARISON_CSV},
                    discovery.MARKDOWN: {
                        "schema": _TEXT,
                        "example": examples.COMPARISON_MARKDOWN,
                    },
                },
            ),
            **doc.problems("product_not_found", *doc.READ_PROBLEMS),
        },
    ),
)
_DISCOVERY: Final = (
    Described(
        method="GET",
        path=discovery.RELATED,
        endpoint=discovery.get_related,
        tag=PRODUCTS,
        name="listRelatedProducts",
        summary="List products that are like one",
        parameters=(
            _PRODUCT_ID,
            doc.query(
                "limit",
                {**_SMALL, "maximum": RELATED_MAX, "default": discovery.RELATED_DEFAULT},
                "How many products.",
            ),
            *_EVERYWHERE,
        ),
        responses={
            "200": doc.answer(
                "The products that are most like it.",
                doc.ref("RelatedList"),
                example=examples.RELATED,
                sent=("Cache-Control",),
            ),
            **doc.problems("product_not_found", "not_found", "index_building", *doc.READ_PROBLEMS),
        },
    ),
    Described(
        method="GET",
        path=discovery.SUGGEST,
        endpoint=discovery.get_suggestions,
        tag=PRODUCTS,
        name="suggest",
        summary="Complete what somebody is typing",
        parameters=(
            doc.query(
                "q",
                {"type": "string", "maxLength": SUGGESTION_TEXT_MAX},
                "What was typed so far.",
                required=True,
                example="backp",
            ),
            doc.query(
                "limit",
                {**_SMALL, "maximum": SUGGESTIONS_MAX, "default": discovery.SUGGESTIONS_DEFAULT},
                "How many suggestions of each kind.",
            ),
            *_EVERYWHERE,
        ),
        responses={
            "200": doc.answer(
                "The suggestions.",
                doc.ref("SuggestionList"),
                example=examples.SUGGESTIONS,
                sent=("Cache-Control",),
            ),
            **doc.problems("index_building", *doc.READ_PROBLEMS),
        },
    ),
    Described(
        method="GET",
        path=discovery.STATS,
        endpoint=discovery.get_statistics,
        tag=PRODUCTS,
        name="getStatistics",
        summary="The catalog in numbers",
        parameters=_EVERYWHERE,
        responses={
            "200": doc.answer(
                "The numbers.",
                doc.ref("Statistics"),
                example=examples.STATISTICS,
                sent=("Cache-Control",),
            ),
            **doc.problems("index_building", *doc.READ_PROBLEMS),
        },
    ),
)

_PAST: Final = (
    Described(
        method="GET",
        path=f"{_PRODUCT_ONE}/history",
        endpoint=history.get_history,
        tag=PRODUCTS,
        name="getProductHistory",
        summary="List the versions of one product",
        parameters=(_PRODUCT_ID, _VERSION, *_PAGE, *_ON_READ),
        responses={
            "200": doc.answer(
                "The kept versions, newest first; with `version` that version of the product.",
                {"anyOf": [doc.ref("History"), doc.ref("Product")]},
                example=examples.HISTORY,
                sent=("Link", "ETag", "Cache-Control"),
            ),
            "304": _FRESH,
            **doc.problems(
                "product_not_found",
                "version_not_found",
                "not_found",
                "bad_cursor",
                *_READ_PROBLEMS,
            ),
        },
    ),
    Described(
        method="GET",
        path=changes.PATH,
        endpoint=changes.get_changes,
        tag=CHANGES,
        name="listChanges",
        summary="Follow the changes of the catalog",
        parameters=(
            doc.query(
                "after",
                {"type": "integer", "minimum": 0, "maximum": changes.SEQ_MAX},
                "The `seq` of the last change that you know.",
            ),
            doc.query(
                "last_event_id",
                {"type": "integer", "minimum": 0, "maximum": changes.SEQ_MAX},
                "For clients that cannot send `Last-Event-ID`: where a stream goes on.",
            ),
            *_PAGE,
            doc.header(
                "Last-Event-ID",
                "The `id` of the last event that was received; browsers send it by themselves.",
                "4002",
                pattern="^[0-9]{0,15}$",
            ),
            *_EVERYWHERE,
        ),
        responses={
            "200": doc.answer(
                "One page of changes, or a stream that goes on.",
                doc.ref("ChangeList"),
                example=examples.CHANGES,
                sent=("Link", "Cache-Control"),
                also={changes.EVENT_STREAM: {"schema": _TEXT, "example": examples.EVENTS}},
            ),
            **doc.problems("bad_cursor", "changes_gone", "too_many_streams", *doc.READ_PROBLEMS),
        },
    ),
)

_CATEGORY_ONE: Final = f"{categories.PATH}/{{id}}"
_CATEGORY_SHOWN: Final = doc.answer(
    "The category.",
    doc.ref("Category"),
    example=examples.CATEGORY,
    sent=("ETag", "Cache-Control"),
)
_CATEGORY_TREE: Final = doc.query(
    "tree",
    {"type": "string", "enum": ["true", "false"]},
    "`true`: the items are the roots, each with its `children`.",
)
_CATEGORIES: Final = (
    Described(
        method="GET",
        path=categories.PATH,
        endpoint=categories.get_categories,
        tag=CATEGORIES,
        name="listCategories",
        summary="List all categories",
        parameters=(_CATEGORY_TREE, *_ON_READ),
        responses={
            "200": doc.answer(
                "All categories.",
                doc.ref("CategoryList"),
                example=examples.CATEGORY_LIST,
                sent=("ETag", "Cache-Control"),
            ),
            "304": _FRESH,
            **doc.problems(*_READ_PROBLEMS),
        },
    ),
    Described(
        method="GET",
        path=_CATEGORY_ONE,
        endpoint=categories.get_category,
        tag=CATEGORIES,
        name="getCategory",
        summary="Read one category",
        parameters=(_CATEGORY_ID, *_ON_READ),
        responses={
            "200": _CATEGORY_SHOWN,
            "304": _FRESH,
            **doc.problems("category_not_found", "not_found", *_READ_PROBLEMS),
        },
    ),
    Described(
        method="PUT",
        path=_CATEGORY_ONE,
        endpoint=categories.put_category,
        tag=CATEGORIES,
        name="putCategory",
        summary="Create, rename or move one category",
        parameters=(_CATEGORY_ID, *_ON_WRITE),
        body=doc.body(doc.ref("CategoryInput"), examples.CATEGORY_INPUT, "The whole category."),
        responses={
            "200": _CATEGORY_SHOWN,
            "201": doc.answer(
                "The category was created.",
                doc.ref("Category"),
                example=examples.CATEGORY,
                sent=("ETag", "Location"),
                links=doc.links("Category"),
            ),
            **doc.problems("not_found", "category_not_found", "category_cycle", *_WRITE_PROBLEMS),
        },
    ),
    Described(
        method="PATCH",
        path=_CATEGORY_ONE,
        endpoint=categories.patch_category,
        tag=CATEGORIES,
        name="patchCategory",
        summary="Change parts of one category",
        parameters=(_CATEGORY_ID, *_ON_WRITE),
        body=doc.patch_body(
            doc.ref("CategoryPatch"), examples.CATEGORY_MERGE_PATCH, examples.CATEGORY_JSON_PATCH
        ),
        responses={
            "200": _CATEGORY_SHOWN,
            **doc.problems(
                "category_not_found",
                "not_found",
                "malformed_patch",
                "patch_conflict",
                "category_cycle",
                *_WRITE_PROBLEMS,
            ),
        },
    ),
    Described(
        method="DELETE",
        path=_CATEGORY_ONE,
        endpoint=categories.delete_category,
        tag=CATEGORIES,
        name="deleteCategory",
        summary="Delete one category",
        parameters=(_CATEGORY_ID, *_ON_WRITE),
        responses={
            "204": doc.answer("The category is gone."),
            **doc.problems(
                "category_not_found", "not_found", "category_in_use", *doc.WRITE_PROBLEMS
            ),
        },
    ),
)

_FILE_STATUS: Final = doc.answer(
    "How the file is.", doc.ref("FileStatus"), example=examples.FILE_STATUS, sent=("Cache-Control",)
)
_FILE: Final = (
    Described(
        method="GET",
        path=person_file.PATH,
        endpoint=person_file.get_file,
        tag=FILE,
        name="getFile",
        summary="How is the product file?",
        parameters=_EVERYWHERE,
        responses={"200": _FILE_STATUS, **doc.problems(*doc.READ_PROBLEMS)},
    ),
    Described(
        method="POST",
        path=person_file.ACCEPT_PATH,
        endpoint=person_file.post_accept,
        tag=FILE,
        name="acceptFile",
        summary="Accept an edit that takes away much",
        parameters=_EVERYWHERE,
        responses={
            "200": _FILE_STATUS,
            **doc.problems("nothing_to_accept", *doc.READ_PROBLEMS),
        },
    ),
    Described(
        method="GET",
        path=person_file.CONFLICTS_PATH,
        endpoint=person_file.get_conflicts,
        tag=FILE,
        name="listConflicts",
        summary="List what was not taken from the file",
        parameters=_EVERYWHERE,
        responses={
            "200": doc.answer(
                "The open conflicts, newest first.",
                doc.ref("ConflictList"),
                example=examples.CONFLICTS,
                sent=("Cache-Control",),
            ),
            **doc.problems(*doc.READ_PROBLEMS),
        },
    ),
)

_HEALTH_WELL: Final = doc.answer("The service is well.", doc.ref("Health"), example=examples.HEALTH)
_HEALTH_UNWELL: Final = doc.answer("It cannot serve, or is stopping.", doc.ref("Health"))
_HEALTH_VERBOSE: Final = doc.query(
    "verbose", {"type": "string"}, "List the checks that pass as well."
)
_HEALTH: Final = (
    Described(
        method="GET",
        path="/livez",
        endpoint=health.get_livez,
        tag=OPERATIONS,
        name="getLivez",
        summary="Is the process alive?",
        parameters=_EVERYWHERE,
        responses={"200": _HEALTH_WELL, **doc.problems(*doc.READ_PROBLEMS)},
    ),
    Described(
        method="GET",
        path="/readyz",
        endpoint=health.get_readyz,
        tag=OPERATIONS,
        name="getReadyz",
        summary="Can the service serve?",
        parameters=(_HEALTH_VERBOSE, *_EVERYWHERE),
        responses={"200": _HEALTH_WELL, "503": _HEALTH_UNWELL, **doc.problems(*doc.READ_PROBLEMS)},
    ),
)


def api_router() -> APIRouter:
    """Return the operations, the hot ones first."""
    router = APIRouter()
    table = (
        *_COMPARED,
        *_PRODUCT,
        *_PRODUCTS,
        *_DISCOVERY,
        *_PAST,
        *_CATEGORIES,
        *_FILE,
        *_HEALTH,
    )
    for each in table:
        extra: Node = {"parameters": list(each.parameters)}
        if each.body is not None:
            extra["requestBody"] = each.body
        first = next(iter(each.responses))
        add(
            router,
            each.method,
            each.path,
            each.endpoint,
            tags=[each.tag],
            operation_id=each.name,
            summary=each.summary,
            status_code=int(first),
            response_description=each.responses[first]["description"],
            responses={int(status): node for status, node in each.responses.items()},
            openapi_extra=extra,
        )
    written_out = frozenset(each.path for each in table if "{" not in each.path)
    for route in router.routes:
        if isinstance(route, Operation) and "{" in route.path:
            route.elsewhere = written_out
    return router

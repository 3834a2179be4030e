"""``/v1/categories``: the tree of categories."""

from collections.abc import Mapping
from typing import Final

from starlette.responses import Response

from vitrina.domain.category import Category, CategoryTree
from vitrina.domain.errors import Fault, InvalidQuery
from vitrina.domain.identifiers import parse_id
from vitrina.entrypoints.http.conditional import precondition_of
from vitrina.entrypoints.http.products import id_in_path, patch_of
from vitrina.entrypoints.http.replies import digest, dump, fresh_reply, json_reply, location
from vitrina.entrypoints.http.requests import CatalogRequest
from vitrina.service_layer import categories as use_cases
from vitrina.service_layer.documents import CATEGORY_FIELDS, Document, write_category

PATH: Final = "/v1/categories"


async def get_categories(request: CatalogRequest) -> Response:
    """List all categories, parents before children and siblings by name.

    With `tree=true` the items are the roots, and each has its `children`.
    """
    view = request.catalog.view
    tree, counts = view.categories(), view.category_counts()
    if _tree_asked(request):
        items = [_branch(tree, counts, each) for each in tree.children(None)]
    else:
        items = [_document(tree, counts, each) for each in tree]
    body = dump({"items": items})
    tag = f"list.{digest(body)}"
    return fresh_reply(request, tag) or json_reply(body, tag=tag)


async def get_category(request: CatalogRequest) -> Response:
    """Return one category with its path and the number of active products in its subtree."""
    request.parameters(())
    body, tag = _read(request, request.path_params["id"])
    return fresh_reply(request, tag) or json_reply(body, tag=tag)


def put_category(request: CatalogRequest) -> Response:
    """Create the category with this id (201), or replace it (200). Moving it moves its subtree."""
    request.parameters(())
    key = id_in_path(request, parse_id)
    precondition = precondition_of(request.fields, required=request.options.require_if_match)
    created = use_cases.put_category(
        request.catalog.unit_of_work(), key, request.document(), precondition=precondition
    )
    body, tag = _read(request, key)
    if not created:
        return json_reply(body, tag=tag)
    headers = {"Location": location(request, PATH, key)}
    return json_reply(body, status=201, tag=tag, headers=headers)


def patch_category(request: CatalogRequest) -> Response:
    """Rename or move one category; both patch types work as they do for products.

    A JSON Patch may `test` the derived fields too, as `/product_count`; they cannot be changed, and
    an operation that does so has no effect.
    """
    request.parameters(())
    key = request.path_params["id"]
    precondition = precondition_of(request.fields, required=request.options.require_if_match)
    patch = patch_of(request, CATEGORY_FIELDS)
    catalog = request.catalog
    use_cases.revise_category(
        catalog.unit_of_work(), catalog.view, key, patch, precondition=precondition
    )
    body, tag = _read(request, key)
    return json_reply(body, tag=tag)


def delete_category(request: CatalogRequest) -> Response:
    """Take one category out of the tree; it must have neither products nor subcategories."""
    request.parameters(())
    precondition = precondition_of(request.fields, required=request.options.require_if_match)
    uow = request.catalog.unit_of_work()
    use_cases.remove_category(uow, request.path_params["id"], precondition=precondition)
    return Response(status_code=204)


def _tree_asked(request: CatalogRequest) -> bool:
    match request.parameters(("tree",)).get("tree", "false"):
        case "true":
            return True
        case "false":
            return False
        case _:
            detail = "Expected true or false."
            raise InvalidQuery((Fault("tree", "invalid_value", detail),))


def _read(request: CatalogRequest, key: str) -> tuple[bytes, str]:
    """Return a category's document and its entity tag.

    The path and the count follow from other resources, so they are part of the tag's suffix.
    """
    view = request.catalog.view
    stored = view.category(key)
    tree = view.categories()
    body = dump(_document(tree, view.category_counts(), tree.get(key)))
    return body, f"{stored.tag}.{digest(body)}"


def _document(tree: CategoryTree, counts: Mapping[str, int], category: Category) -> Document:
    path = tree.path(category.id)
    return write_category(category, path=path, product_count=counts.get(category.id, 0))


def _branch(tree: CategoryTree, counts: Mapping[str, int], category: Category) -> Document:
    children = [_branch(tree, counts, each) for each in tree.children(category.id)]
    return {**_document(tree, counts, category), "children": children}

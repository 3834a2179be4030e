"""The tree of categories."""

from typing import Final

from vitrina.entrypoints.http import categories, examples, openapi as doc
from vitrina.entrypoints.http.routes.description import (
    FRESH,
    ON_READ,
    ON_READ_PROBLEMS,
    ON_WRITE,
    ON_WRITE_PROBLEMS,
    Described,
)
from vitrina.entrypoints.http.routes.tags import CATEGORIES_TAG

_CATEGORY_ID: Final = doc.in_path(
    "id", doc.ref("Id"), "The category's id.", str(examples.CATEGORY["id"])
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
OPERATIONS: Final = (
    Described(
        method="GET",
        path=categories.PATH,
        endpoint=categories.get_categories,
        tag=CATEGORIES_TAG,
        name="listCategories",
        summary="List all categories",
        parameters=(_CATEGORY_TREE, *ON_READ),
        responses={
            "200": doc.answer(
                "All categories.",
                doc.ref("CategoryList"),
                example=examples.CATEGORY_LIST,
                sent=("ETag", "Cache-Control"),
            ),
            "304": FRESH,
            **doc.problems(*ON_READ_PROBLEMS),
        },
    ),
    Described(
        method="GET",
        path=_CATEGORY_ONE,
        endpoint=categories.get_category,
        tag=CATEGORIES_TAG,
        name="getCategory",
        summary="Read one category",
        parameters=(_CATEGORY_ID, *ON_READ),
        responses={
            "200": _CATEGORY_SHOWN,
            "304": FRESH,
            **doc.problems("category_not_found", "not_found", *ON_READ_PROBLEMS),
        },
    ),
    Described(
        method="PUT",
        path=_CATEGORY_ONE,
        endpoint=categories.put_category,
        tag=CATEGORIES_TAG,
        name="putCategory",
        summary="Create, rename or move one category",
        parameters=(_CATEGORY_ID, *ON_WRITE),
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
            **doc.problems("not_found", "category_not_found", "category_cycle", *ON_WRITE_PROBLEMS),
        },
    ),
    Described(
        method="PATCH",
        path=_CATEGORY_ONE,
        endpoint=categories.patch_category,
        tag=CATEGORIES_TAG,
        name="patchCategory",
        summary="Change parts of one category",
        parameters=(_CATEGORY_ID, *ON_WRITE),
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
                *ON_WRITE_PROBLEMS,
            ),
        },
    ),
    Described(
        method="DELETE",
        path=_CATEGORY_ONE,
        endpoint=categories.delete_category,
        tag=CATEGORIES_TAG,
        name="deleteCategory",
        summary="Delete one category",
        parameters=(_CATEGORY_ID, *ON_WRITE),
        responses={
            "204": doc.answer("The category is gone."),
            **doc.problems(
                "category_not_found", "not_found", "category_in_use", *doc.WRITE_PROBLEMS
            ),
        },
    ),
)

"""Products: one, many, and their past."""

from typing import Final

from vitrina.entrypoints.http import examples, history, openapi as doc, product_list, products
from vitrina.entrypoints.http.list_parameters import LIST_PARAMETERS
from vitrina.entrypoints.http.routes.description import (
    EVERYWHERE,
    FRESH,
    ON_READ,
    ON_READ_PROBLEMS,
    ON_WRITE,
    ON_WRITE_PROBLEMS,
    PAGE,
    PRODUCT_ID,
    VERSION,
    Described,
)
from vitrina.entrypoints.http.routes.tags import PRODUCTS_TAG

_SLUG: Final = doc.in_path(
    "slug", doc.ref("Slug"), "The product's slug.", str(examples.PRODUCT["slug"])
)
_UNIQUE: Final = ("sku_taken", "slug_taken")

_ONE: Final = f"{products.PATH}/{{id}}"
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
        path=_ONE,
        endpoint=products.get_product,
        tag=PRODUCTS_TAG,
        name="getProduct",
        summary="Read one product",
        parameters=(PRODUCT_ID, doc.FIELDS, VERSION, *ON_READ),
        responses={
            "200": _PRODUCT_SHOWN,
            "304": FRESH,
            **doc.problems(
                "product_not_found", "version_not_found", "not_found", *ON_READ_PROBLEMS
            ),
        },
    ),
    Described(
        method="PUT",
        path=_ONE,
        endpoint=products.put_product,
        tag=PRODUCTS_TAG,
        name="putProduct",
        summary="Create or replace one product",
        parameters=(PRODUCT_ID, *ON_WRITE),
        body=doc.body(doc.ref("ProductInput"), examples.PRODUCT_INPUT, "The whole product."),
        responses={
            "200": _PRODUCT_SAVED,
            "201": _PRODUCT_CREATED,
            **doc.problems("not_found", *_UNIQUE, "status_transition", *ON_WRITE_PROBLEMS),
        },
    ),
    Described(
        method="PATCH",
        path=_ONE,
        endpoint=products.patch_product,
        tag=PRODUCTS_TAG,
        name="patchProduct",
        summary="Change parts of one product",
        parameters=(PRODUCT_ID, *ON_WRITE),
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
                *ON_WRITE_PROBLEMS,
            ),
        },
    ),
    Described(
        method="DELETE",
        path=_ONE,
        endpoint=products.delete_product,
        tag=PRODUCTS_TAG,
        name="deleteProduct",
        summary="Delete one product",
        parameters=(PRODUCT_ID, *ON_WRITE),
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
        tag=PRODUCTS_TAG,
        name="listProducts",
        summary="List, filter and page through products",
        parameters=(*LIST_PARAMETERS, *ON_READ),
        responses={
            "200": doc.answer(
                "One page of the products that match.",
                doc.ref("ProductList"),
                example=examples.PRODUCT_LIST,
                sent=("ETag", "Link", "Cache-Control"),
            ),
            "304": FRESH,
            **doc.problems("bad_cursor", "index_building", "too_many_searches", *ON_READ_PROBLEMS),
        },
    ),
    Described(
        method="POST",
        path=products.PATH,
        endpoint=products.post_product,
        tag=PRODUCTS_TAG,
        name="postProduct",
        summary="Add a product",
        parameters=(doc.IDEMPOTENCY_KEY, *EVERYWHERE),
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
        tag=PRODUCTS_TAG,
        name="getProductBySlug",
        summary="Read the product that has a slug",
        parameters=(_SLUG, doc.FIELDS, *ON_READ),
        responses={
            "200": doc.answer(
                "The product.",
                doc.ref("ProductView"),
                example=examples.PRODUCT,
                sent=("ETag", "Content-Location", "Cache-Control"),
            ),
            "304": FRESH,
            **doc.problems("product_not_found", "not_found", *ON_READ_PROBLEMS),
        },
    ),
)

_HISTORY: Final = (
    Described(
        method="GET",
        path=f"{_ONE}/history",
        endpoint=history.get_history,
        tag=PRODUCTS_TAG,
        name="getProductHistory",
        summary="List the versions of one product",
        parameters=(PRODUCT_ID, VERSION, *PAGE, *ON_READ),
        responses={
            "200": doc.answer(
                "The kept versions, newest first; with `version` that version of the product.",
                {"anyOf": [doc.ref("History"), doc.ref("Product")]},
                example=examples.HISTORY,
                sent=("Link", "ETag", "Cache-Control"),
            ),
            "304": FRESH,
            **doc.problems(
                "product_not_found",
                "version_not_found",
                "not_found",
                "bad_cursor",
                *ON_READ_PROBLEMS,
            ),
        },
    ),
)

OPERATIONS: Final = (*_PRODUCT, *_PRODUCTS, *_HISTORY)

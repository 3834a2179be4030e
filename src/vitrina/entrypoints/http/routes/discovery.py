"""Ways to products: comparison, related products, suggestions, numbers."""

from typing import Final

from vitrina.domain.identifiers import ID_PATTERN
from vitrina.entrypoints.http import discovery, examples, openapi as doc
from vitrina.entrypoints.http.routes.description import EVERYWHERE, PRODUCT_ID, TEXT, Described
from vitrina.entrypoints.http.routes.tags import PRODUCTS_TAG
from vitrina.service_layer.queries import RELATED_MAX, SUGGESTION_TEXT_MAX, SUGGESTIONS_MAX

_SMALL: Final = {"type": "integer", "minimum": 1}
_COMPARED: Final = (
    Described(
        method="GET",
        path=discovery.COMPARE,
        endpoint=discovery.get_comparison,
        tag=PRODUCTS_TAG,
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
            *EVERYWHERE,
        ),
        responses={
            "200": doc.answer(
                "The products and their properties.",
                doc.ref("Comparison"),
                example=examples.COMPARISON,
                sent=("Cache-Control",),
                also={
                    discovery.CSV: {"schema": TEXT, "example": examples.COMPARISON_CSV},
                    discovery.MARKDOWN: {
                        "schema": TEXT,
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
        tag=PRODUCTS_TAG,
        name="listRelatedProducts",
        summary="List products that are like one",
        parameters=(
            PRODUCT_ID,
            doc.query(
                "limit",
                {**_SMALL, "maximum": RELATED_MAX, "default": discovery.RELATED_DEFAULT},
                "How many products.",
            ),
            *EVERYWHERE,
        ),
        responses={
            "200": doc.answer(
                "The products that are most like it.",
                doc.ref("RelatedList"),
                example=examples.RELATED,
                sent=("Cache-Control",),
            ),
            **doc.problems(
                "product_not_found",
                "not_found",
                "index_building",
                "too_many_searches",
                *doc.READ_PROBLEMS,
            ),
        },
    ),
    Described(
        method="GET",
        path=discovery.SUGGEST,
        endpoint=discovery.get_suggestions,
        tag=PRODUCTS_TAG,
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
            *EVERYWHERE,
        ),
        responses={
            "200": doc.answer(
                "The suggestions.",
                doc.ref("SuggestionList"),
                example=examples.SUGGESTIONS,
                sent=("Cache-Control",),
            ),
            **doc.problems("index_building", "too_many_searches", *doc.READ_PROBLEMS),
        },
    ),
    Described(
        method="GET",
        path=discovery.STATS,
        endpoint=discovery.get_statistics,
        tag=PRODUCTS_TAG,
        name="getStatistics",
        summary="The catalog in numbers",
        parameters=EVERYWHERE,
        responses={
            "200": doc.answer(
                "The numbers.",
                doc.ref("Statistics"),
                example=examples.STATISTICS,
                sent=("Cache-Control",),
            ),
            **doc.problems("index_building", "too_many_searches", *doc.READ_PROBLEMS),
        },
    ),
)

OPERATIONS: Final = (*_COMPARED, *_DISCOVERY)

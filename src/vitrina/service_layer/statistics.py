"""The catalog in numbers: what a console draws."""

from typing import Final

from vitrina.service_layer.documents import Document, Json
from vitrina.service_layer.ports import ProductIndex
from vitrina.service_layer.queries import Facet, ProductQuery

_COUNTED: Final = ("status", "category", "brand", "condition", "availability", "price", "rating")


def statistics(index: ProductIndex) -> Document:
    """Return the number of products of any status, and their counts by field."""
    query = ProductQuery(limit=1, facets=tuple(map(Facet, _COUNTED)))
    hits = index.search(query)
    facets: dict[str, Json] = {f"by_{name}": hits.facets[name] for name in _COUNTED}
    return {
        "total": hits.total,
        **{name: facet for name, facet in facets.items() if name not in {"by_price", "by_rating"}},
        "price": facets["by_price"],
        "rating": facets["by_rating"],
    }

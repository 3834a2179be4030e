"""``GET /v1/products``: filter, sort and page, or many products by id."""

from collections.abc import Sequence
from dataclasses import replace
from secrets import token_hex
from typing import Final
from urllib.parse import urlencode

import orjson
from starlette.responses import Response

from vitrina.entrypoints.http import cursors
from vitrina.entrypoints.http.products import PATH, select
from vitrina.entrypoints.http.replies import digest, fresh_reply, json_reply
from vitrina.entrypoints.http.requests import CatalogRequest, Pairs
from vitrina.service_layer.ports import CatalogView, Stored
from vitrina.service_layer.query_string import Listing, parse_listing

# Makes the tags of two runs of the service differ: a catalog may be restored to an earlier state.
_RUN: Final = token_hex(4)


async def get_products(request: CatalogRequest) -> Response:
    """List products, a page at a time, in a total order; or fetch up to 200 by `ids`."""
    pairs = request.pairs()
    listing = parse_listing(pairs)
    view = request.catalog.view
    seq = view.seq
    tag = f"list-{seq}-{_RUN}.{digest(request.scope['query_string'])}"
    if reply := fresh_reply(request, tag):
        return reply
    if listing.ids is not None:
        body = _many(view, listing.ids, listing.fields)
        headers = {}
    else:
        body, following = _page(request, listing)
        headers = _link(request, pairs, following)
    # A change that came in between may show in the body, and then the tag would be of before it.
    return json_reply(body, tag=tag if view.seq == seq else None, headers=headers)


def _page(request: CatalogRequest, listing: Listing) -> tuple[bytes, str | None]:
    query = listing.query
    if listing.cursor is not None:
        query = replace(query, after=cursors.decode(query, listing.cursor))
    hits = request.catalog.index.search(query)
    found = [each for each in request.catalog.view.products(hits.ids) if each is not None]
    following = None if hits.next is None else cursors.encode(query, hits.next)
    rest: dict[str, object] = {"total": hits.total, "next": following}
    if query.facets:
        rest["facets"] = hits.facets
        if hits.facet_stats:
            rest["facet_stats"] = hits.facet_stats
    if query.highlight:
        rest["highlights"] = hits.highlights
    if query.explain:
        rest["explanations"] = hits.explanations
    if hits.why_not is not None:
        rest["why_not"] = hits.why_not
    return _envelope(found, listing.fields, rest), following


def _many(view: CatalogView, ids: Sequence[str], fields: tuple[str, ...] | None) -> bytes:
    asked = list(dict.fromkeys(ids))
    found = view.products(asked)
    missing = [key for key, each in zip(asked, found, strict=True) if each is None]
    items = [each for each in found if each is not None]
    return _envelope(items, fields, {"total": len(items), "next": None, "missing": missing})


def _envelope(
    items: Sequence[Stored], fields: tuple[str, ...] | None, rest: dict[str, object]
) -> bytes:
    """Return a list's document, made of the products' stored bytes as they are."""
    bodies = [each.body if fields is None else select(each.body, fields) for each in items]
    return b'{"items":[%s],%s' % (b",".join(bodies), orjson.dumps(rest)[1:])


def _link(request: CatalogRequest, pairs: Pairs, following: str | None) -> dict[str, str]:
    if following is None:
        return {}
    query = [(name, value) for name, value in pairs if name != "cursor"]
    root: str = request.scope.get("root_path", "")
    target = f"{root}{PATH}?{urlencode([*query, ('cursor', following)])}"
    return {"Link": f'<{target}>; rel="next"'}

"""``GET /v1/products``: filter, sort and page, or many products by id.

An answer is made of the products' stored bytes. It is kept whole until the catalog changes, as far as
there is room: the same question gets the same bytes. So is what a query string asks for, which no
change makes wrong.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from secrets import token_hex
from typing import Any, Final
from urllib.parse import urlencode

import orjson
from starlette.responses import Response
from starlette.types import Scope, Send

from vitrina.bootstrap import Catalog
from vitrina.entrypoints.http import cursors
from vitrina.entrypoints.http.answers import Answer, Answers
from vitrina.entrypoints.http.exchange import Exchange, RawHeaders
from vitrina.entrypoints.http.products import PATH, is_plain_read, select
from vitrina.entrypoints.http.replies import JSON_FIELDS, digest, fresh_reply, json_reply
from vitrina.entrypoints.http.requests import CatalogRequest, read_pairs
from vitrina.entrypoints.http.searches import Searches, kind_of
from vitrina.service_layer.ports import CatalogView, Stored
from vitrina.service_layer.query_string import Listing, parse_listing

LISTINGS_MAX: Final = 2_048
LISTING_BYTES_MAX: Final = 1_000
"""A longer query string is read anew each time."""

# Makes the tags of two runs of the service differ: a catalog may be restored to an earlier state.
_RUN: Final = token_hex(4)

# What may stand in a Link header as it was sent; with `[` and `]`, which need not be escaped there.
_PLAIN_QUERY: Final = re.compile(rb"[A-Za-z0-9\-._~!$'()*+,;:@/?%&=\[\]]*")


async def answer_at_once(scope: Scope, exchange: Exchange, send: Send) -> bool:
    """Answer a plain GET of the list; return False for everything else.

    It answers exactly as :func:`get_products` does, which a test holds it to.
    """
    if scope["path"] != PATH or scope.get("root_path") or not is_plain_read(exchange):
        return False
    answer = await _answer(scope["state"], scope["query_string"])
    body = answer.body
    fields: RawHeaders = [*JSON_FIELDS, (b"content-length", b"%d" % len(body))]
    if answer.tag is not None:
        fields.append((b"etag", b'"%s"' % answer.tag.encode()))
    if answer.following is not None:
        fields.append((b"link", _link("", answer.following).encode()))
    await send({"type": "http.response.start", "status": 200, "headers": fields})
    await send({"type": "http.response.body", "body": body})
    return True


async def get_products(request: CatalogRequest) -> Response:
    """List products, a page at a time, in a total order; or fetch up to 200 by `ids`.

    A list has every write that was answered before it was asked for, at whichever process. Its
    `ETag` is good until the catalog changes. Following `next` gives each matching product once.
    """
    asked: bytes = request.scope["query_string"]
    _listing(asked)  # What cannot be read is refused before any precondition is looked at.
    if reply := fresh_reply(request, _tag(request.catalog.view.seq, asked)):
        return reply
    answer = await _answer(request.scope["state"], asked)
    headers = {}
    if answer.following is not None:
        headers["Link"] = _link(request.scope.get("root_path", ""), answer.following)
    return json_reply(answer.body, tag=answer.tag, headers=headers)


def _tag(seq: int, asked: bytes) -> str:
    return f"list-{seq}-{_RUN}.{digest(asked)}"


def _link(root: str, following: str) -> str:
    return f'<{root}{PATH}?{following}>; rel="next"'


async def _answer(state: Mapping[str, Any], asked: bytes) -> Answer:
    """Return the answer to a query string, which is kept or made now."""
    catalog: Catalog = state["catalog"]
    answers: Answers = state["answers"]
    view = catalog.view
    seq = view.seq
    known = answers.get(seq, asked)
    if known is not None:
        return known
    listing = _listing(asked)
    cursor = None
    if listing.ids is not None:
        body = _many(view, listing.ids, listing.fields)
    else:
        body, cursor = await _page(catalog, state["searches"], listing)
    following = None if cursor is None else _following(asked, listing, cursor)
    if view.seq != seq:
        return Answer(body, None, following)
    answer = Answer(body, _tag(seq, asked), following)
    answers.keep(seq, asked, answer)
    return answer


def _listing(asked: bytes) -> Listing:
    return _short_listing(asked) if len(asked) <= LISTING_BYTES_MAX else _read(asked)


def _read(asked: bytes) -> Listing:
    return parse_listing(read_pairs(asked))


_short_listing: Final = lru_cache(maxsize=LISTINGS_MAX)(_read)


async def _page(catalog: Catalog, searches: Searches, listing: Listing) -> tuple[bytes, str | None]:
    query = listing.query
    if listing.cursor is not None:
        query = replace(query, after=cursors.decode(query, listing.cursor))
    index = catalog.index
    hits = await searches.ask(index, kind_of(query), partial(index.search, query))
    found = [each for each in catalog.view.products(hits.ids) if each is not None]
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


def _following(asked: bytes, listing: Listing, cursor: str) -> str:
    """Return the query string of the next page."""
    if listing.cursor is not None or not _PLAIN_QUERY.fullmatch(asked):
        pairs = [(name, value) for name, value in read_pairs(asked) if name != "cursor"]
        return urlencode([*pairs, ("cursor", cursor)])
    kept = asked.decode().replace("[", "%5B").replace("]", "%5D")
    return f"{kept}&cursor={cursor}" if kept else f"cursor={cursor}"

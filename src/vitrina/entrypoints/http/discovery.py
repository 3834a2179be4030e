"""Ways to products beside the list: suggestions, related products, comparison, numbers."""

import csv
import io
from collections.abc import Sequence
from functools import partial
from typing import Final

import orjson
from starlette.responses import Response

from vitrina.domain.errors import Fault, InvalidQuery, ProductNotFound
from vitrina.entrypoints.http.answers import Answer
from vitrina.entrypoints.http.products import PATH
from vitrina.entrypoints.http.replies import CACHE_CONTROL, VARY, json_reply
from vitrina.entrypoints.http.requests import CatalogRequest
from vitrina.service_layer.comparison import (
    PRODUCTS_MAX,
    PRODUCTS_MIN,
    ComparisonRow,
    compare,
    summary,
)
from vitrina.service_layer.documents import Document, Json
from vitrina.service_layer.ports import Stored
from vitrina.service_layer.queries import RELATED_MAX, SUGGESTION_TEXT_MAX, SUGGESTIONS_MAX
from vitrina.service_layer.query_string import parse_integer
from vitrina.service_layer.statistics import statistics

SUGGEST: Final = "/v1/suggest"
COMPARE: Final = f"{PATH}/compare"
RELATED: Final = f"{PATH}/{{id}}/related"
STATS: Final = "/v1/stats"

CSV: Final = "text/csv"
MARKDOWN: Final = "text/markdown"

SUGGESTIONS_DEFAULT: Final = 5
RELATED_DEFAULT: Final = 10


async def get_suggestions(request: CatalogRequest) -> Response:
    """Complete what somebody is typing: queries, products, brands and categories.

    The last word of `q` may be unfinished, and words may have typos. There are at most `limit`
    suggestions of each kind, the best first.
    """
    view, kept = request.catalog.view, request.suggestions
    seq, asked = view.seq, request.scope["query_string"]
    answer = kept.get(seq, asked)
    if answer is None:
        answer = Answer(await _suggestions(request))
        if view.seq == seq:  # Else it may be of either state.
            kept.keep(seq, asked, answer)
    return json_reply(answer.body)


async def _suggestions(request: CatalogRequest) -> bytes:
    parameters = request.parameters(("q", "limit"))
    text = parameters.get("q")
    if text is None:
        raise _fault("q", "required", "Say what was typed so far.")
    if len(text) > SUGGESTION_TEXT_MAX:
        raise _fault("q", "too_long", f"At most {SUGGESTION_TEXT_MAX} characters are allowed.")
    limit = _integer(parameters, "limit", SUGGESTIONS_DEFAULT, SUGGESTIONS_MAX)
    index = request.catalog.index
    kind = ("suggest", len(text).bit_length(), limit)
    found = await request.searches.ask(index, kind, partial(index.suggest, text, limit))
    items: list[Json] = [
        {"kind": each.kind.value, "text": each.text, "id": each.id, "count": each.count}
        for each in found
    ]
    return orjson.dumps({"items": items})


async def get_related(request: CatalogRequest) -> Response:
    """List the active products that are most like one, the best first.

    Products are alike by the words of their titles, their category, their brand, and a price from
    half to double. Each has a `score`; 1 is as like as can be.
    """
    parameters = request.parameters(("limit",))
    limit = _integer(parameters, "limit", RELATED_DEFAULT, RELATED_MAX)
    view = request.catalog.view
    index = request.catalog.index
    question = partial(index.related, request.path_params["id"], limit)
    found = await request.searches.ask(index, ("related", limit), question)
    products = view.products([each.id for each in found])
    items = [
        b'%s,"score":%s}' % (stored.body[:-1], orjson.dumps(each.score))
        for each, stored in zip(found, products, strict=True)
        if stored is not None
    ]
    return json_reply(b'{"items":[%s]}' % b",".join(items))


async def get_comparison(request: CatalogRequest) -> Response:
    """Compare 2 to 10 products side by side, the rows that differ first.

    Measures of one dimension are brought to one unit; a missing value is null. Of numbers, `order`
    has the places of the products from the least to the greatest, and `best` those of the best
    where that is known: the lowest price, the highest rating. Also as CSV, which names them by id, and
    as Markdown, where they are bold.
    """
    parameters = request.parameters(("ids", "only"))
    only = parameters.get("only")
    if only not in {None, "differences"}:
        raise _fault("only", "unknown_value", "The only value is 'differences'.")
    products = [orjson.loads(each.body) for each in _asked(request, parameters.get("ids"))]
    rows = compare(products, only_differences=only is not None)
    match request.answer_type:
        case "text/csv":
            return _text(_as_csv(products, rows), CSV)
        case "text/markdown":
            return _text(_as_markdown(products, rows), MARKDOWN)
        case _:
            document = {
                "products": [summary(each) for each in products],
                "rows": [each.document() for each in rows],
            }
            return json_reply(orjson.dumps(document))


async def get_statistics(request: CatalogRequest) -> Response:
    """Tell the catalog in numbers: products of every status, counted by field, and their prices."""
    request.parameters(())
    index = request.catalog.index
    found = await request.searches.ask(index, ("statistics",), partial(statistics, index))
    return json_reply(orjson.dumps(found))


def _asked(request: CatalogRequest, listed: str | None) -> list[Stored]:
    """Return the products to compare."""
    given = (listed or "").split(",")
    ids = list(dict.fromkeys(given))
    if listed and "" in ids:
        detail = "Values are separated by single commas; one of them is empty."
        raise _fault("ids", "empty_value", detail)
    if not PRODUCTS_MIN <= len(ids) <= PRODUCTS_MAX:
        detail = f"Name {PRODUCTS_MIN} to {PRODUCTS_MAX} different products, separated by commas."
        if PRODUCTS_MIN <= len(given) <= PRODUCTS_MAX:
            raise _fault("ids", "duplicate_value", detail)
        raise _fault("ids", "out_of_range" if listed else "required", detail)
    found: list[Stored] = []
    for key, stored in zip(ids, request.catalog.view.products(ids), strict=True):
        if stored is None:
            raise ProductNotFound(key)
        found.append(stored)
    return found


def _integer(parameters: dict[str, str], name: str, default: int, highest: int) -> int:
    text = parameters.get(name)
    return default if text is None else parse_integer(name, text, lowest=1, highest=highest)


def _fault(parameter: str, code: str, detail: str) -> InvalidQuery:
    return InvalidQuery((Fault(parameter, code, detail),))


def _text(content: str, media_type: str) -> Response:
    headers = {"Cache-Control": CACHE_CONTROL, "Vary": VARY}
    return Response(content, headers=headers, media_type=media_type)


def _table(products: Sequence[Document], rows: Sequence[ComparisonRow]) -> list[list[str]]:
    titles = [str(each["title"]) for each in products]
    ids = [str(each["id"]) for each in products]
    lines = [
        ["attribute", "label", "unit", *ids, "differs", "best"],
        ["title", "Title", "", *titles, "", ""],
    ]
    for row in rows:
        values = [_cell(each) for each in row.values]
        differs = "true" if row.differs else "false"
        best = "|".join(ids[place] for place in row.best)
        lines.append([row.attribute, row.label, row.unit or "", *values, differs, best])
    return lines


def _cell(value: Json) -> str:
    match value:
        case None:
            return ""
        case str():
            return value
        case list():
            return "|".join(map(str, value))
        case _:
            return orjson.dumps(value).decode()


def _as_csv(products: Sequence[Document], rows: Sequence[ComparisonRow]) -> str:
    """Return a comparison as CSV (RFC 4180): one line for each row."""
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerows(_table(products, rows))
    return written.getvalue()


def _as_markdown(products: Sequence[Document], rows: Sequence[ComparisonRow]) -> str:
    """Return a comparison as a Markdown table; the best values are bold."""
    lines = [["", *(_escape(str(each["title"])) for each in products)]]
    lines.append(["---"] * len(lines[0]))
    for row in rows:
        label = f"{row.label} ({row.unit})" if row.unit else row.label
        cells = [_escape(_cell(each)) or "\N{EN DASH}" for each in row.values]
        bold = [f"**{cell}**" if n in row.best else cell for n, cell in enumerate(cells)]
        lines.append([_escape(label), *bold])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _escape(text: str) -> str:
    """Return a text that stays one cell of a Markdown table and says nothing in Markdown or HTML."""
    plain = " ".join(text.split()).replace("\\", "\\\\")
    for mark in "|*_`[]":
        plain = plain.replace(mark, f"\\{mark}")
    return plain.replace("&", "&amp;").replace("<", "&lt;")

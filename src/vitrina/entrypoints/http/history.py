"""``/v1/products/{id}/history``: the versions of one product, as far back as they are kept."""

from itertools import islice
from typing import Final
from urllib.parse import urlencode

import orjson
from starlette.responses import Response

from vitrina.entrypoints.http import cursors
from vitrina.entrypoints.http.changes import changed_fields, page_limit
from vitrina.entrypoints.http.products import PATH, reply_with
from vitrina.entrypoints.http.replies import digest, fresh_reply, json_reply, location
from vitrina.entrypoints.http.requests import CatalogRequest
from vitrina.entrypoints.http.versions import old_version, read_version
from vitrina.service_layer.changes import Change
from vitrina.service_layer.times import format_time

PARAMETERS: Final = ("limit", "cursor", "version")


def get_history(request: CatalogRequest) -> Response:
    """List the versions of one product, newest first: when, by whom, what changed, and the product.

    A product that was deleted has a history too, as long as it is kept; the entry of a deletion has
    no product. How far back the past is kept is a setting. With `version` the answer is that one
    version of the product itself.
    """
    parameters = request.parameters(PARAMETERS)
    product_id = request.path_params["id"]
    if (version := parameters.get("version")) is not None:
        stored = old_version(request.catalog, product_id, read_version(version))
        return reply_with(request, stored, None)
    limit = page_limit(parameters)
    asked = f"history {product_id}"
    before = None
    if (cursor := parameters.get("cursor")) is not None:
        before = cursors.unseal_number(asked, cursor)
    found = list(islice(request.catalog.log.history(product_id, before=before), limit + 1))
    if not found and before is None:
        request.catalog.view.product(product_id)  # What was never there is not found.
    page = found[:limit]
    following = cursors.seal(asked, (page[-1].seq,)) if len(found) > limit else None
    entries = b",".join(_entry(each) for each in page)
    body = b'{"items":[%s],"next":%s}' % (entries, orjson.dumps(following))
    headers = {}
    if following is not None:
        query = urlencode({"limit": limit, "cursor": following})
        target = f"{location(request, PATH, product_id)}/history?{query}"
        headers["Link"] = f'<{target}>; rel="next"'
    tag = f"history.{digest(body)}"
    return fresh_reply(request, tag) or json_reply(body, tag=tag, headers=headers)


def _entry(change: Change) -> bytes:
    about = {
        "version": change.version,
        "seq": change.seq,
        "at": format_time(change.at),
        "type": change.type,
        "source": change.source,
        "changed": changed_fields(change),
    }
    return b'%s,"product":%s}' % (orjson.dumps(about)[:-1], change.body or b"null")

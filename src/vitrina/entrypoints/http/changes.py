"""``/v1/changes``: the change feed, as pages and as Server-Sent Events.

One entry for each resource that a commit changed, in the order of ``seq``, without gaps. A stream
keeps nothing but the number of the last change it sent: it reads the log again when there is more, so
a slow consumer costs no memory. One that takes nothing for :data:`SEND_WAIT_S_MAX` is dropped, and goes
on where it was with ``Last-Event-ID``.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Final
from urllib.parse import urlencode

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from vitrina.domain.errors import ChangesGone
from vitrina.entrypoints.http import cursors
from vitrina.entrypoints.http.exchange import exchange_of
from vitrina.entrypoints.http.live import Bell
from vitrina.entrypoints.http.problems import Refusal
from vitrina.entrypoints.http.replies import VARY, json_reply
from vitrina.entrypoints.http.requests import CatalogRequest
from vitrina.service_layer.changes import Change
from vitrina.service_layer.documents import Json
from vitrina.service_layer.ports import ChangeLog
from vitrina.service_layer.queries import LIMIT_DEFAULT, LIMIT_MAX
from vitrina.service_layer.query_string import parse_integer
from vitrina.service_layer.times import format_time

PATH: Final = "/v1/changes"
EVENT_STREAM: Final = "text/event-stream"
PARAMETERS: Final = ("after", "cursor", "limit", "last_event_id")
SEQ_MAX: Final = 2**53 - 1

HEARTBEAT_S: Final = 15.0
"""A comment is sent when there was nothing else for so long, which keeps proxies from giving up."""
SEND_WAIT_S_MAX: Final = 30.0
STREAMS_MAX: Final = 500
"""How many streams one worker serves at a time."""
RETRY_MS: Final = 2_000
_BATCH: Final = 100
_ASKED: Final = "changes"


async def get_changes(request: CatalogRequest) -> Response:
    """List the changes of the catalog, oldest first: products and categories, whoever made them.

    `after` is the `seq` of the last change that you know; without it the feed begins with the oldest
    change that is kept. With `Accept: text/event-stream` the same entries come as Server-Sent Events
    and go on live; `Last-Event-ID` (or `last_event_id`) resumes. When the change after `after` is no
    longer kept, the answer is 410: read the catalog anew, then follow from the `seq` it gives.
    """
    parameters = request.parameters(PARAMETERS)
    log = request.catalog.log
    after = _after(request, parameters)
    if request.answer_type == EVENT_STREAM:
        bell: Bell = request.app.state.bell
        if bell.listeners >= STREAMS_MAX:
            raise Refusal("too_many_streams", f"This process serves {STREAMS_MAX} streams already.")
        start = log.oldest - 1 if after is None else after
        await run_in_threadpool(log.changes, start, limit=1)  # What is gone is told at once.
        return EventStream(log, start, bell)
    limit = page_limit(parameters)
    start = log.oldest - 1 if after is None else after
    found = await run_in_threadpool(log.changes, start, limit=limit + 1)
    page = found[:limit]
    following = cursors.seal(_ASKED, (page[-1].seq,)) if len(found) > limit else None
    last = page[-1].seq if page else start
    rest = orjson.dumps({"next": following, "last_seq": last, "latest_seq": log.seq})
    body = b'{"items":[%s],%s' % (b",".join(entry(each) for each in page), rest[1:])
    headers = {}
    if following is not None:
        query = urlencode({"limit": limit, "cursor": following})
        root: str = request.scope.get("root_path", "")
        headers["Link"] = f'<{root}{PATH}?{query}>; rel="next"'
    return json_reply(body, headers=headers)


def page_limit(parameters: Mapping[str, str]) -> int:
    """Return how many entries a page has.

    Raises:
        InvalidQuery: ``limit`` is no integer from 1 to 200.
    """
    text = parameters.get("limit")
    return (
        LIMIT_DEFAULT if text is None else parse_integer("limit", text, lowest=1, highest=LIMIT_MAX)
    )


def entry(change: Change) -> bytes:
    """Return a change as an entry of the feed."""
    about: dict[str, Json] = {
        "seq": change.seq,
        "at": format_time(change.at),
        "type": change.type.value,
        "source": change.source.value,
        f"{change.type.partition('.')[0]}_id": change.id,
        "version": change.version,
        "changed": changed_fields(change),
    }
    return b'%s,"data":%s}' % (orjson.dumps(about)[:-1], change.body or b"null")


def changed_fields(change: Change) -> Json:
    """Return the names of the fields that a change gave other values; [] for other changes."""
    for event in change.events:
        if event.get("type") == "product_revised":
            return event.get("changed")
    return []


class EventStream(Response):
    """The changes after a number as Server-Sent Events, until the client goes (WHATWG HTML, 9.2)."""

    media_type = EVENT_STREAM

    def __init__(self, log: ChangeLog, after: int, bell: Bell) -> None:
        self._log = log
        self._after = after
        self._bell = bell
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "Vary": VARY}
        super().__init__(headers=headers)
        del self.headers["content-length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send events until the client goes, stops taking them, or the service stops."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        if exchange_of(scope).method == "HEAD":
            # It has had all it will get: else it would hold its connection up, and a stream.
            await send({"type": "http.response.body", "body": b""})
            return
        sending = asyncio.create_task(self._send_events(send))
        leaving = asyncio.create_task(_until_gone(receive))
        _, rest = await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        if sending.done() and not sending.cancelled():
            sending.result()

    async def _send_events(self, send: Send) -> None:
        try:
            async for chunk in self._events():
                async with asyncio.timeout(SEND_WAIT_S_MAX):
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        except TimeoutError:
            self._bell.drop()
            return  # A consumer that takes nothing: it resumes where it was, when it likes.

    async def _events(self) -> AsyncIterator[bytes]:
        yield b"retry: %d\n\n" % RETRY_MS
        after = self._after
        with self._bell.listening() as listener:
            while not self._bell.closed:
                try:
                    found = await run_in_threadpool(self._log.changes, after, limit=_BATCH)
                except ChangesGone as error:
                    about = orjson.dumps({"after": error.after, "oldest": error.oldest})
                    yield b"event: resync\ndata: %s\n\n" % about
                    return
                if found:
                    after = found[-1].seq
                    yield b"".join(_event(each) for each in found)
                elif not await listener.rung(HEARTBEAT_S):
                    yield b": still here\n\n"


def _event(change: Change) -> bytes:
    kind = change.type.encode()
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (change.seq, kind, entry(change))


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _after(request: CatalogRequest, parameters: Mapping[str, str]) -> int | None:
    """Return the number that the feed goes on after, or None for its beginning."""
    if (cursor := parameters.get("cursor")) is not None:
        return cursors.unseal_number(_ASKED, cursor)
    given = {name: parameters[name] for name in ("after", "last_event_id") if name in parameters}
    resumed = request.fields.get(b"last-event-id", b"").decode("latin-1")
    if resumed:
        given["Last-Event-ID"] = resumed
    # All of them are checked, and the last one tells most exactly where the caller was.
    read = [parse_integer(*each, lowest=0, highest=SEQ_MAX) for each in given.items()]
    return read[-1] if read else None

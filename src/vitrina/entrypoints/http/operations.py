"""How a route of the API is declared and run.

An :class:`Operation` is a FastAPI route that stays in the OpenAPI document, but is run without FastAPI's
dependency solving, which would cost more than all the rest of a read. What its documentation says is
what it checks: the query parameters and the media types listed there, of requests and of answers, are
the ones it knows.
"""

import inspect
from collections.abc import Awaitable, Callable, Sequence, Set as AbstractSet
from functools import partial
from typing import Any, Final, cast

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import ASGIApp, Receive, Scope, Send

from vitrina.entrypoints.http.problems import Refusal
from vitrina.entrypoints.http.requests import JSON, CatalogRequest, preferred

type Endpoint = Callable[[CatalogRequest], Response | Awaitable[Response]]
"""``async def`` for what only touches memory; ``def``, in a thread, for what waits for a disk."""

CONTENT_IN_LINE_MAX: Final = 16 * 1024
"""A longer body is parsed before its write stands in line: parsing nonsense takes longest."""

_NO_CONTENT: Final = (JSON,)
_SHORT_WRITES: Final[set[Endpoint]] = set()


def short_write(endpoint: Callable[[CatalogRequest], Response]) -> Callable[..., Response]:
    """Have an endpoint wait for the disk together with others, instead of in a thread of its own.

    It is short, because the others wait for it, too; and it answers with what its unit of work
    returned, because reads do not see that yet (:class:`vitrina.service_layer.together.Together`).
    """
    _SHORT_WRITES.add(endpoint)
    return endpoint


class Operation(APIRoute):
    """One method of one resource.

    Attributes:
        elsewhere: Paths that belong to other resources although they fit this one's template, as
            ``/v1/products/compare`` is no product's.
    """

    elsewhere: AbstractSet[str] = frozenset()

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        documented = self.openapi_extra or {}
        content = documented.get("requestBody", {}).get("content", {})
        usual = self.responses.get(self.status_code or 200, {})
        offered = tuple(usual.get("content", _NO_CONTENT))
        self.app = _runner(cast("Endpoint", endpoint), reads=tuple(content), offers=offered)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Say whether a request is this operation's."""
        if scope["path"] in self.elsewhere:
            return Match.NONE, {}
        return super().matches(scope)

    @property
    def documented(self) -> dict[str, Any]:
        """Parameters, bodies and responses as they stand in the table of routes."""
        responses = {str(status): node for status, node in self.responses.items()}
        return {**(self.openapi_extra or {}), "responses": responses}


def _runner(endpoint: Endpoint, *, reads: Sequence[str], offers: tuple[str, ...]) -> ASGIApp:
    is_short_write = endpoint in _SHORT_WRITES
    waits = not inspect.iscoroutinefunction(endpoint)
    write = cast("Callable[[CatalogRequest], Response]", endpoint)

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        request = CatalogRequest(scope, receive, send)
        chosen = preferred(request.fields.get(b"accept", b"*/*"), offers)
        if chosen is None:
            listed = " or ".join(offers)
            detail = f"This resource is {listed}, which the Accept header excludes."
            raise Refusal("not_acceptable", detail)
        request.answer_type = chosen
        if reads:
            options = request.options
            request.media_type(reads)
            await request.receive_content(options.body_bytes_max, options.body_wait_s_max)
        if is_short_write:
            if len(request.content) > CONTENT_IN_LINE_MAX:
                await run_in_threadpool(request.document)
            response = await request.write_line.run(partial(write, request))
        elif waits:
            response = await run_in_threadpool(write, request)
        else:
            response = await cast("Awaitable[Response]", endpoint(request))
        await response(scope, receive, send)

    return run


def add(
    router: APIRouter, method: str, path: str, endpoint: Endpoint, **documentation: Any
) -> None:
    """Add the operation *method* of the resource at *path* to *router*."""
    router.add_api_route(
        path,
        endpoint,
        methods=[method],
        response_class=Response,
        response_model=None,
        route_class_override=Operation,
        **documentation,
    )


__all__ = ["JSON", "Endpoint", "Operation", "add", "short_write"]

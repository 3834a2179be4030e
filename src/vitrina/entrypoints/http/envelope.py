"""What surrounds every request: its identity, its errors, and the fields that every answer has.

One pure ASGI application does all of it, because each middleware of its own costs every request. From
the outside in: OPTIONS and CORS; HEAD as a GET without its body; compression; the request id and the
trace; errors as problems; the count of requests; and the access log.

The hot routes, a GET of one product and of the list, are tried before the routing table. Whatever is not
a plain hit goes on to the table, which knows the routes too, so the short cut decides nothing.
"""

from collections.abc import Awaitable, Callable, Mapping
from time import perf_counter
from typing import Final, Protocol

import structlog
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vitrina.entrypoints.http.compression import GzipSend, accepts_gzip
from vitrina.entrypoints.http.exchange import KEY, Exchange, RawHeaders
from vitrina.entrypoints.http.metering import ROUTE, RequestMeter
from vitrina.entrypoints.http.options import HttpOptions
from vitrina.entrypoints.http.problems import Refusal, response_to
from vitrina.entrypoints.http.requests import JSON, JSON_PATCH, MERGE_PATCH

EXPOSED: Final = (
    "Content-Location, ETag, Idempotency-Replayed, Link, Location, Retry-After, X-Request-Id"
)
"""Response fields that a page of an allowed origin may read."""

PREFLIGHT_S_MAX: Final = 600

_NOTHING: Final[Mapping[str, RequestMeter]] = {}

_log = structlog.get_logger("vitrina.access")

type Allowed = Callable[[Scope], tuple[str, ...]]
"""Tells the methods of the resource that a scope's path names; () when there is none."""


class HotRoute(Protocol):
    """Answers what it can answer at once."""

    def __call__(self, scope: Scope, exchange: Exchange, send: Send) -> Awaitable[bool]:
        """Answer, or return False with nothing sent."""
        ...


class Envelope:
    """The outermost application."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        allowed: Allowed,
        hot: HotRoute,
        options: HttpOptions,
    ) -> None:
        self._app = app
        self._allowed = allowed
        self._hot = hot
        self._options = options
        self._origins = frozenset(each.encode() for each in options.cors_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = perf_counter()
        exchange = Exchange.of(scope)
        scope[KEY] = exchange
        if self._options.access_log:
            await self._logged(scope, receive, send, exchange, began)
        else:
            await self._answer(scope, receive, send, exchange, began)

    async def _logged(
        self, scope: Scope, receive: Receive, send: Send, exchange: Exchange, began: float
    ) -> None:
        status = 0

        async def watched(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self._answer(scope, receive, watched, exchange, began)
        finally:
            _log.info(
                "request",
                method=exchange.method,
                path=scope["path"],
                status=status,
                duration_ms=round((perf_counter() - began) * 1000, 2),
                request_id=exchange.request_id.decode(),
                trace_id=exchange.trace_id or None,
            )

    async def _answer(
        self, scope: Scope, receive: Receive, send: Send, exchange: Exchange, began: float
    ) -> None:
        headers = exchange.headers
        outlet = _Outlet(send, exchange, self._cors(headers), scope, began)
        method = exchange.method
        send = outlet
        if method == "HEAD":
            send = _without_body(outlet)
            outlet.scope = scope = {**scope, "method": "GET"}
        if accepts_gzip(headers.get(b"accept-encoding", b"")):
            send = GzipSend(send)
        try:
            if method == "OPTIONS":
                await self._options_of(scope)(scope, receive, send)
            elif not await self._hot(scope, exchange, send):
                scope[ROUTE] = None
                await self._app(scope, receive, send)
        except Exception as error:
            if outlet.started:
                raise
            await self._problem(scope, error)(scope, receive, send)

    def _problem(self, scope: Scope, error: Exception) -> Response:
        if isinstance(error, HTTPException) and error.status_code == 405:  # noqa: PLR2004
            allow = ", ".join(self._allowed(scope))
            method = scope[KEY].method
            detail = f"{method} is not possible here; possible: {allow}."
            error = Refusal("method_not_allowed", detail, headers={"Allow": allow})
        return response_to(scope, error)

    def _cors(self, headers: Mapping[bytes, bytes]) -> RawHeaders:
        if not self._origins:
            return []
        origin = headers.get(b"origin", b"")
        vary = [(b"vary", b"Origin")]
        if not origin or self._origins.isdisjoint((b"*", origin)):
            return vary
        return [
            *vary,
            (b"access-control-allow-origin", origin),
            (b"access-control-expose-headers", EXPOSED.encode()),
        ]

    def _options_of(self, scope: Scope) -> Response:
        """Return the answer to OPTIONS, which a CORS preflight is one of."""
        methods = self._allowed(scope)
        if not methods:
            raise HTTPException(404)
        allow = ", ".join(methods)
        fields = {"Allow": allow, "Cache-Control": "no-store"}
        if "PATCH" in methods:
            fields["Accept-Patch"] = f"{MERGE_PATCH}, {JSON_PATCH}, {JSON}"
        if "POST" in methods:
            fields["Accept-Post"] = JSON
        headers: Mapping[bytes, bytes] = scope[KEY].headers
        if self._origins and b"access-control-request-method" in headers:
            fields["Access-Control-Allow-Methods"] = allow
            asked = headers.get(b"access-control-request-headers", b"").decode("latin-1")
            if asked:
                fields["Access-Control-Allow-Headers"] = asked
            fields["Access-Control-Max-Age"] = str(PREFLIGHT_S_MAX)
        return Response(status_code=204, headers=fields)


class _Outlet:
    """An ASGI ``send`` that puts the common fields on the head of an answer."""

    __slots__ = ("_began", "_exchange", "_fields", "_send", "scope", "started")

    def __init__(
        self,
        send: Send,
        exchange: Exchange,
        fields: RawHeaders,
        scope: Scope,
        began: float,
    ) -> None:
        self._send = send
        self._exchange = exchange
        self._fields = fields
        self._began = began
        self.scope = scope
        self.started = False

    def __call__(self, message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            self.started = True
            headers = message["headers"]
            headers.append((b"x-request-id", self._exchange.request_id))
            if self._exchange.trace_id:
                headers.append((b"traceparent", self._exchange.trace_parent))
            if self._fields:
                headers.extend(self._fields)
            scope = self.scope
            meter: RequestMeter | None = scope.get("state", _NOTHING).get("meter")
            if meter is not None:  # Else the application was not started.
                # What the routing table found; the hot route did not need it.
                route = scope.get(ROUTE) or getattr(scope.get("route"), "path", None)
                count = meter.of(self._exchange.method, route)
                count(message["status"] // 100 - 1, perf_counter() - self._began)
        return self._send(message)


def _without_body(send: Send) -> Send:
    async def head_only(message: Message) -> None:
        if message["type"] == "http.response.body":
            if message.get("more_body"):
                return
            message = {"type": "http.response.body", "body": b""}
        await send(message)

    return head_only

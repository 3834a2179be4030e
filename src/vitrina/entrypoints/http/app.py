"""The application: the routes, the envelope around them, and the catalog that they work on."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractContextManager, asynccontextmanager
from typing import Any, Final

import orjson
from fastapi import FastAPI
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import ASGIApp, Scope, Send

from vitrina import __version__
from vitrina.bootstrap import Catalog
from vitrina.entrypoints.http import assets, pages, product_list, products
from vitrina.entrypoints.http.answers import LISTS_BYTES_MAX, SUGGESTIONS_BYTES_MAX, Answers
from vitrina.entrypoints.http.envelope import Envelope
from vitrina.entrypoints.http.exchange import Exchange
from vitrina.entrypoints.http.live import Bell
from vitrina.entrypoints.http.metering import ROUTE, RequestMeter
from vitrina.entrypoints.http.openapi import components
from vitrina.entrypoints.http.operations import Operation
from vitrina.entrypoints.http.options import DEFAULTS, HttpOptions
from vitrina.entrypoints.http.replies import digest
from vitrina.entrypoints.http.requests import JSON
from vitrina.entrypoints.http.routes import TAGS, api_router
from vitrina.entrypoints.http.searches import Searches
from vitrina.entrypoints.http.write_line import WriteLine

type OpenCatalog = Callable[[], AbstractContextManager[Catalog]]

DESCRIPTION: Final = """\
A product catalog whose database is your product file.

- **Errors** are `application/problem+json` (RFC 9457); [/problems](/problems) explains each.
- **Unknown** fields, query parameters, operators and sort keys are refused, never ignored.
- **Concurrency**: every product has a strong `ETag`. Send it as `If-Match` and nobody's change is
  overwritten; send it as `If-None-Match` and an unchanged product is not sent again.
- **Retries**: POST takes an `Idempotency-Key`.
- **Paging** follows `next` (or `Link: rel="next"`) to the end.
- HEAD works wherever GET does; OPTIONS tells the methods of a resource.
- Answers are compressed (gzip) for callers that accept it, when that is worthwhile.
"""

_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")

_PAGES: Final = (
    ("/", pages.get_home),
    ("/docs", pages.get_docs),
    ("/redoc", pages.get_redoc),
    ("/problems", pages.get_problems),
    ("/problems/{code}", pages.get_problem),
    (f"{assets.PATH}/{{name}}", assets.get_asset),
    ("/favicon.ico", assets.get_asset),
)
"""What is not of the API: for people who look at the service in a browser."""


class Application(FastAPI):
    """FastAPI with the envelope in place of its stack of middleware, and our components."""

    def build_middleware_stack(self) -> ASGIApp:
        """Return the routes in their envelope, which answers every error itself."""
        app: ASGIApp = AsyncExitStackMiddleware(self.router)
        for each in reversed(self.user_middleware):
            app = each.cls(app, *each.args, **each.kwargs)
        return Envelope(
            app,
            allowed=self.allowed_methods,
            hot=_answer_at_once,
            options=self.state.options,
        )

    def allowed_methods(self, scope: Scope) -> tuple[str, ...]:
        """Return the methods of the resource that the scope's path names; () if there is none."""
        found: set[str] = set()
        for route in self.router.routes:
            match, _ = route.matches({**scope, "method": "GET"})
            if match is not Match.NONE:
                found |= getattr(route, "methods", None) or set()
        if not found:
            return ()
        if "GET" in found:
            found.add("HEAD")
        return (*(each for each in _METHODS if each in found), "OPTIONS")

    def drain(self) -> None:
        """Prepare to stop: ``/readyz`` answers 503 from now on, and streams end.

        Call it on the event loop, when the service was told to stop and before it waits for the
        requests that are under way.
        """
        self.state.draining = True
        bell: Bell | None = self.state.bell
        if bell is not None:
            bell.close()

    def tell(self) -> None:
        """Put what only this process knows among the numbers that every process tells."""
        catalog: Catalog | None = self.state.catalog
        if catalog is not None:
            catalog.tell()

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document."""
        if self.openapi_schema is None:
            document = super().openapi()
            for route in self.routes:
                if isinstance(route, Operation):
                    for method in route.methods or ():
                        # The framework drops every null, which an example of a product is full of.
                        operation = document["paths"][route.path_format][method.lower()]
                        operation |= route.documented
            document["components"] = components()
            self.openapi_schema = document
        return self.openapi_schema


def create_app(open_catalog: OpenCatalog, *, options: HttpOptions = DEFAULTS) -> Application:
    """Return the application; the catalog opens at startup, never at import.

    Args:
        open_catalog: Opens the wired catalog; closed again at shutdown. Both happen in a thread,
            because they may read and write much.
        options: Settings of this entrypoint.
    """
    # The type is said because the lifespan speaks of it before it is known.
    app: Application = Application(
        title="Vitrina",
        version=__version__,
        description=DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        openapi_tags=[dict(each) for each in TAGS],
        lifespan=lambda _: _serving(app, open_catalog, options),
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # Else it looks for a configured OpenTelemetry in the environment at every request, which
        # costs a sixth of a read. What is measured and traced here is told by the envelope.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.state.options = options
    app.state.draining = False
    app.state.bell = None
    app.state.catalog = None
    app.router.routes.extend(api_router().routes)
    for path, endpoint in (*_PAGES, ("/openapi.json", _openapi_endpoint(app))):
        app.add_route(path, endpoint, include_in_schema=False)
    return app


@asynccontextmanager
async def _serving(
    app: Application, open_catalog: OpenCatalog, options: HttpOptions
) -> AsyncIterator[Mapping[str, object]]:
    """Have the catalog open; yield what every request finds in its state."""
    opened = open_catalog()
    catalog = await run_in_threadpool(opened.__enter__)
    app.state.bell = Bell(catalog.log, catalog.meters)
    app.state.catalog = catalog
    line = WriteLine(catalog.together, wait_s_max=options.write_wait_s_max)
    searches = Searches()
    try:
        yield {
            "catalog": catalog,
            "meter": RequestMeter(catalog.meters, app.routes),
            "write_line": line,
            "searches": searches,
            "answers": Answers(LISTS_BYTES_MAX),
            "suggestions": Answers(SUGGESTIONS_BYTES_MAX),
        }
    finally:
        app.drain()
        await run_in_threadpool(searches.close)
        await run_in_threadpool(line.close)
        await run_in_threadpool(opened.__exit__, None, None, None)


def openapi_json(app: Application, *, indent: bool = False) -> bytes:
    """Return the OpenAPI document as JSON."""
    return orjson.dumps(app.openapi(), option=orjson.OPT_INDENT_2 if indent else None)


async def _answer_at_once(scope: Scope, exchange: Exchange, send: Send) -> bool:
    """Answer one of the hot requests; return False for everything else."""
    if scope["path"] == products.PATH:
        scope[ROUTE] = products.PATH
        return await product_list.answer_at_once(scope, exchange, send)
    scope[ROUTE] = products.ONE_PATH
    return await products.answer_at_once(scope, exchange, send)


def _openapi_endpoint(app: Application) -> Callable[[Request], Any]:
    async def get_openapi(_: Request) -> Response:
        body = openapi_json(app)
        fields = {
            "Cache-Control": "no-cache",
            "ETag": f'"{digest(body)}"',
            "Vary": "Accept-Encoding",
        }
        return Response(body, 200, fields, JSON)

    return get_openapi

"""The table of the API's operations: method, path, endpoint, and what the documentation says.

What stands here is also what is checked: a query parameter or a media type that an operation does not
list is refused.
"""

from typing import Final

from fastapi import APIRouter

from vitrina.entrypoints.http.openapi import Node
from vitrina.entrypoints.http.operations import Operation, add
from vitrina.entrypoints.http.routes import (
    categories,
    changes,
    discovery,
    health,
    person_file,
    products,
)
from vitrina.entrypoints.http.routes.tags import TAGS

_TABLE: Final = (
    *products.OPERATIONS,
    *discovery.OPERATIONS,
    *changes.OPERATIONS,
    *categories.OPERATIONS,
    *person_file.OPERATIONS,
    *health.OPERATIONS,
)
"""The hot ones first: the router goes through them in this order."""


def api_router() -> APIRouter:
    """Return the operations, the hot ones first."""
    router = APIRouter()
    for each in _TABLE:
        extra: Node = {"parameters": list(each.parameters)}
        if each.body is not None:
            extra["requestBody"] = each.body
        first = next(iter(each.responses))
        add(
            router,
            each.method,
            each.path,
            each.endpoint,
            tags=[each.tag],
            operation_id=each.name,
            summary=each.summary,
            status_code=int(first),
            response_description=each.responses[first]["description"],
            responses={int(status): node for status, node in each.responses.items()},
            openapi_extra=extra,
        )
    written_out = frozenset(each.path for each in _TABLE if "{" not in each.path)
    for route in router.routes:
        if isinstance(route, Operation) and "{" in route.path:
            route.elsewhere = written_out
    return router


__all__ = ["TAGS", "api_router"]

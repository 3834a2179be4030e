"""Every error as an ``application/problem+json`` (RFC 9457).

Whatever is raised below the application becomes a problem here: a broken rule of the catalog by
:data:`~vitrina.entrypoints.http.problem_types.OF_ERROR`, a :class:`Refusal` of HTTP itself, what the
framework raises, and anything else as ``internal_error``, whose reason goes to the log only.
"""

from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any, Final
from urllib.parse import quote

import orjson
import structlog
from starlette.exceptions import HTTPException
from starlette.responses import Response

from vitrina.domain import errors
from vitrina.domain.errors import CatalogError, Fault
from vitrina.entrypoints.http.exchange import exchange_of
from vitrina.entrypoints.http.problem_types import OF_ERROR, PROBLEM_TYPES, ProblemType

MEDIA_TYPE: Final = "application/problem+json"
ERRORS_MAX: Final = 100
"""The most entries of ``errors``; ``errors_total`` then says how many there are."""

DETAIL_LENGTH_MAX: Final = 500

_log = structlog.get_logger("vitrina.http")

type Facts = Mapping[str, object]

# What the catalog's errors know and a problem does not repeat: it is in `detail` or in `errors`.
_NOT_FACTS: Final = frozenset({"detail", "faults", "rule", "pointer", "path", "reason", "current"})


class Refusal(Exception):
    """HTTP itself refuses a request, before the catalog is asked.

    Attributes:
        code: A key of :data:`PROBLEM_TYPES`.
        headers: Of the answer, beside those every problem has.
        facts: Further members of the problem.
    """

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        facts: Facts | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.headers = headers or {}
        self.facts = facts or {}


def type_uri(code: str) -> str:
    """Return the ``type`` of a problem, which is also the path of its page."""
    return f"/problems/{code}"


def response_to(scope: MutableMapping[str, Any], error: Exception) -> Response:
    """Return the answer to a request that ended in *error*."""
    match error:
        case CatalogError():
            return _broken_rule(scope, error)
        case Refusal():
            kind = PROBLEM_TYPES[error.code]
            return _problem(scope, kind, str(error), facts=error.facts, headers=error.headers)
        case HTTPException(status_code=404):
            detail = f"There is nothing at {scope['path'][:200]!r}."
            return _problem(scope, PROBLEM_TYPES["not_found"], detail)
        case _:
            request_id = exchange_of(scope).request_id.decode()
            _log.error("request failed", request_id=request_id, exc_info=error)
            kind = PROBLEM_TYPES["internal_error"]
            return _problem(scope, kind, kind.example)


def _broken_rule(scope: MutableMapping[str, Any], error: CatalogError) -> Response:
    kind = OF_ERROR[type(error)]
    facts: dict[str, object] = {
        name: value for name, value in vars(error).items() if name not in _NOT_FACTS
    }
    headers: dict[str, str] = {}
    match error:
        case errors.InvalidQuery():
            facts |= _listed("parameter", error.faults)
        case errors.InvalidDocument():
            facts |= _listed("pointer", error.faults)
            if all(each.code == "unknown_field" for each in error.faults):
                kind = PROBLEM_TYPES["unknown_field"]
        case errors.PreconditionFailed(current=str(tag)):
            facts["current_etag"] = headers["ETag"] = f'"{tag}"'
        case _:
            pointer = _POINTERS.get(type(error), getattr(error, "pointer", None))
            if isinstance(error, errors.PatchConflict):
                pointer = f"/{error.operation}"
            if pointer is not None:
                facts |= _listed("pointer", [Fault(pointer, error.code, str(error))])
    return _problem(scope, kind, str(error), facts=facts, headers=headers)


_POINTERS: Final[Mapping[type[CatalogError], str]] = {
    errors.IdTaken: "/id",
    errors.SkuTaken: "/sku",
    errors.SlugTaken: "/slug",
    errors.TransitionRefused: "/status",
    errors.CategoryCycle: "/parent_id",
}
"""The member of the body that a rule over several resources speaks of."""


def _listed(place: str, faults: Sequence[Fault]) -> dict[str, object]:
    listed = [
        {place: fault.pointer, "code": fault.code, "detail": fault.detail}
        for fault in faults[:ERRORS_MAX]
    ]
    if len(faults) <= ERRORS_MAX:
        return {"errors": listed}
    return {"errors": listed, "errors_total": len(faults)}


def _problem(
    scope: MutableMapping[str, Any],
    kind: ProblemType,
    detail: str,
    *,
    facts: Facts | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    exchange = exchange_of(scope)
    document: dict[str, object] = {
        "type": scope.get("root_path", "") + type_uri(kind.code),
        "title": kind.title,
        "status": int(kind.status),
        "detail": detail if len(detail) <= DETAIL_LENGTH_MAX else f"{detail[:DETAIL_LENGTH_MAX]}…",
        "instance": quote(scope["path"], safe="/:@!$&'()*+,;=~-._"),
        "code": kind.code,
        "request_id": exchange.request_id.decode(),
    }
    if exchange.trace_id:
        document["trace_id"] = exchange.trace_id
    document |= facts or {}
    sent = {"Cache-Control": "no-store", **(headers or {})}
    if kind.retry_after_s is not None:
        sent["Retry-After"] = str(kind.retry_after_s)
    return Response(orjson.dumps(document), int(kind.status), sent, MEDIA_TYPE)

"""``/livez`` and ``/readyz``: what probes ask."""

from typing import Final

from starlette.responses import Response

from vitrina.entrypoints.http.replies import dump
from vitrina.entrypoints.http.requests import JSON, CatalogRequest
from vitrina.service_layer.documents import Document
from vitrina.service_layer.ports import Check, CheckStatus

_NO_STORE: Final = {"Cache-Control": "no-store"}
_DRAINING: Final = Check("requests", CheckStatus.FAIL, "The service is stopping.")


async def get_livez(request: CatalogRequest) -> Response:
    """Say that the process answers. Nothing else is looked at."""
    request.parameters(())
    return Response(dump({"status": "pass", "checks": []}), 200, _NO_STORE, JSON)


async def get_readyz(request: CatalogRequest) -> Response:
    """Say whether the service can serve: 200 when it can, 503 when it cannot or is stopping.

    `warn` means that it serves, and that somebody should look. `verbose` lists the checks that pass
    as well.
    """
    verbose = "verbose" in request.parameters(("verbose",))
    checks = list(request.catalog.checks())
    if request.app.state.draining:
        checks.append(_DRAINING)
    worst = max((each.status for each in checks), key=_SEVERITY.index, default=CheckStatus.PASS)
    shown = [each for each in checks if verbose or each.status is not CheckStatus.PASS]
    document: Document = {"status": worst.value, "checks": [_written(each) for each in shown]}
    status = 503 if worst is CheckStatus.FAIL else 200
    return Response(dump(document), status, _NO_STORE, JSON)


_SEVERITY: Final = (CheckStatus.PASS, CheckStatus.WARN, CheckStatus.FAIL)


def _written(check: Check) -> Document:
    return {"name": check.name, "status": check.status.value, "detail": check.detail}

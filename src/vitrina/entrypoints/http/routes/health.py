"""Whether the service is well, and how it is in numbers."""

from typing import Final

from vitrina.entrypoints.http import examples, health, metrics, openapi as doc
from vitrina.entrypoints.http.routes.description import EVERYWHERE, Described
from vitrina.entrypoints.http.routes.tags import OPERATIONS_TAG

_HEALTH_WELL: Final = doc.answer("The service is well.", doc.ref("Health"), example=examples.HEALTH)
_HEALTH_UNWELL: Final = doc.answer("It cannot serve, or is stopping.", doc.ref("Health"))
_HEALTH_VERBOSE: Final = doc.query(
    "verbose", {"type": "string"}, "List the checks that pass as well."
)
_METRICS: Final = doc.answer(
    "The numbers.",
    sent=("Cache-Control",),
    content={
        metrics.TEXT: {"schema": {"type": "string"}, "example": examples.METRICS},
        metrics.OPEN_METRICS: {
            "schema": {"type": "string"},
            "example": f"{examples.METRICS}# EOF\n",
        },
    },
)
OPERATIONS: Final = (
    Described(
        method="GET",
        path="/livez",
        endpoint=health.get_livez,
        tag=OPERATIONS_TAG,
        name="getLivez",
        summary="Is the process alive?",
        parameters=EVERYWHERE,
        responses={"200": _HEALTH_WELL, **doc.problems(*doc.READ_PROBLEMS)},
    ),
    Described(
        method="GET",
        path="/readyz",
        endpoint=health.get_readyz,
        tag=OPERATIONS_TAG,
        name="getReadyz",
        summary="Can the service serve?",
        parameters=(_HEALTH_VERBOSE, *EVERYWHERE),
        responses={"200": _HEALTH_WELL, "503": _HEALTH_UNWELL, **doc.problems(*doc.READ_PROBLEMS)},
    ),
    Described(
        method="GET",
        path=metrics.PATH,
        endpoint=metrics.get_metrics,
        tag=OPERATIONS_TAG,
        name="getMetrics",
        summary="The service in numbers",
        parameters=EVERYWHERE,
        responses={"200": _METRICS, **doc.problems(*doc.READ_PROBLEMS)},
    ),
)

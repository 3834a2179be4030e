"""Counts requests by method, route and class of status, and how long they took.

A request counts when its answer begins. So a stream counts once, and a caller that reads slowly does
not look like a slow service. All of it costs a request some 600 ns.
"""

from collections.abc import Callable, Iterable
from typing import Final

from starlette.routing import BaseRoute

from vitrina.entrypoints.http.operations import Operation
from vitrina.service_layer import metrics
from vitrina.service_layer.metrics import Meters

ROUTE: Final = "vitrina.route"
"""Where in an ASGI scope the template of the path is, when the routing table was not asked."""

OTHER: Final = "other"
"""The label of what is no operation, so that nobody can make up ever more labels."""

_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", OTHER)
_CLASSES: Final = ("1xx", "2xx", "3xx", "4xx", "5xx")


type Count = Callable[[int, float], None]
"""Counts one request that is about to be answered: the class of its status less 1, and seconds."""


class RequestMeter:
    """The counts of all routes of an application; used on the event loop only."""

    def __init__(self, meters: Meters, routes: Iterable[BaseRoute]) -> None:
        self._counts: dict[tuple[str, str | None], Count] = {}
        for route in routes:
            if isinstance(route, Operation):
                methods = {*(route.methods or ())}
                if "GET" in methods:
                    methods.add("HEAD")
                for method in (each for each in _METHODS if each in methods):
                    self._add(meters, method, route.path)
        for method in _METHODS:
            self._add(meters, method, OTHER)

    def of(self, method: str, route: str | None) -> Count:
        """Return what counts the requests with this method, as it was sent, to this route.

        Args:
            method: Any.
            route: The template of a path, or None when there is none.
        """
        found = self._counts.get((method, route))
        if found is None:
            found = self._counts.get((method, OTHER)) or self._counts[OTHER, OTHER]
        return found

    def _add(self, meters: Meters, method: str, route: str) -> None:
        labels = (method, route)
        if labels not in self._counts:
            self._counts[labels] = meters.classes(
                metrics.REQUESTS, metrics.REQUEST_SECONDS, labels, _CLASSES
            )

"""``/metrics``: the service in numbers, as Prometheus reads them.

Whichever worker is asked, the answer is about the whole service: counters and histograms of all workers
together, gauges of those that live, and each worker's process by its place.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric as Family,
)
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector
from starlette.responses import Response

from vitrina import __version__
from vitrina.bootstrap import Catalog
from vitrina.entrypoints.http.requests import CatalogRequest
from vitrina.service_layer import metrics
from vitrina.service_layer.metrics import Figure, Kind, Metric, Tally

PATH: Final = "/metrics"
TEXT: Final = "text/plain"
OPEN_METRICS: Final = "application/openmetrics-text"
_TEXT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_PLACE: Final = "worker"


def get_metrics(request: CatalogRequest) -> Response:
    """Return the numbers of the whole service, whichever worker answers.

    In the text format of Prometheus, or as OpenMetrics for a caller that prefers it. What each number
    means stands in it, and in the documentation.
    """
    request.parameters(())
    registry = CollectorRegistry()
    registry.register(_Collector(request.catalog))
    if request.answer_type == OPEN_METRICS:
        body = openmetrics.generate_latest(registry)  # type: ignore[no-untyped-call]
        media_type = openmetrics.CONTENT_TYPE_LATEST
    else:
        body, media_type = generate_latest(registry), _TEXT_TYPE
    return Response(body, 200, {"Cache-Control": "no-store", "Vary": "Accept"}, media_type)


class _Collector(Collector):
    """All numbers of one catalog, asked for at this moment."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def describe(self) -> Iterable[Family]:
        """Return nothing: the registry is for this one answer, and has no other names."""
        return ()

    def collect(self) -> Iterator[Family]:
        """Yield one family for each metric, and those of the processes."""
        catalog = self._catalog
        catalog.tell()
        meters = catalog.meters
        processes = meters.processes()
        figures: defaultdict[Metric, list[Figure]] = defaultdict(list)
        for each in (
            Figure(metrics.BUILD, 1, (__version__,)),
            Figure(metrics.WORKERS, len(processes)),
            *meters.figures(),
            *catalog.figures(),
        ):
            figures[each.metric].append(each)
        tallies: defaultdict[Metric, list[Tally]] = defaultdict(list)
        for tally in meters.tallies():
            tallies[tally.metric].append(tally)
        for metric in metrics.ALL:
            if metric.kind is Kind.HISTOGRAM:
                yield _histogram(metric, tallies[metric])
            else:
                yield _numbers(metric, figures[metric])
        yield from _of_processes(processes)


def _numbers(metric: Metric, figures: Sequence[Figure]) -> Family:
    kind = CounterMetricFamily if metric.kind is Kind.COUNTER else GaugeMetricFamily
    family = kind(metric.name, metric.text, labels=metric.labels)
    for each in figures:
        if each.value or metric.kind is Kind.GAUGE or not metric.labels:
            family.add_metric(each.labels, each.value)
    return family


def _histogram(metric: Metric, tallies: Sequence[Tally]) -> Family:
    family = HistogramMetricFamily(metric.name, metric.text, labels=metric.labels)
    bounds = [*(f"{each:g}" for each in metric.bounds), "+Inf"]
    if metric.labels:
        tallies = [each for each in tallies if any(each.counts)]
    for each in tallies:
        buckets = list(zip(bounds, accumulate(each.counts), strict=True))
        family.add_metric(each.labels, buckets, each.total)
    return family


def _of_processes(processes: Mapping[int, int]) -> Iterator[Family]:
    """Yield the usual numbers about processes, each with the place of a worker."""
    families: dict[str, Family] = {}
    for place, pid in sorted(processes.items()):
        for found in ProcessCollector(pid=partial(str, pid), registry=None).collect():
            family = families.setdefault(
                found.name, Family(found.name, found.documentation, found.type)
            )
            for sample in found.samples:
                family.add_sample(sample.name, {_PLACE: str(place)}, sample.value)
    yield from families.values()

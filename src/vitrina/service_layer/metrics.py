"""Every number that the service tells about itself, by name; and how parts of it count.

Names, units and suffixes follow the conventions of Prometheus. ``docs/reference/metrics.md`` explains
each; a test keeps that page complete.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol


class Kind(StrEnum):
    """What may happen to a number: a counter only grows, also when a worker dies."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Fold(StrEnum):
    """How the numbers of several processes become one, where each has its own."""

    SUM = "sum"
    MAX = "max"


@dataclass(frozen=True, slots=True)
class Metric:
    """One number, or one for each combination of its labels.

    Attributes:
        name: As it is told; a counter's ends in ``_total``.
        text: What it says, in one sentence.
        labels: The names of its labels.
        bounds: Of a histogram, the upper bounds of its buckets but for the last, infinite one.
        fold: Of a gauge that each process keeps for itself; None for all others.
    """

    name: str
    kind: Kind
    text: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()
    fold: Fold | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """What a gauge says now; parts of the service that know it anyway are asked for it."""

    metric: Metric
    value: float
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tally:
    """What a histogram has counted so far, in all processes.

    Attributes:
        counts: How many values fell into each bucket, the infinite one included.
        total: The sum of all values.
    """

    metric: Metric
    labels: tuple[str, ...]
    counts: tuple[int, ...]
    total: float


class Counter(Protocol):
    """Counts up; one thread at a time uses it."""

    def add(self, amount: int = 1) -> None: ...


class Gauge(Protocol):
    """Says how much there is in this process."""

    def set(self, value: int) -> None: ...


class Histogram(Protocol):
    """Counts values by size; one thread at a time uses it."""

    def observe(self, value: float) -> None: ...


class Meters(Protocol):
    """What one process counts, and what all processes of the service have counted."""

    def counter(self, metric: Metric, *labels: str) -> Counter: ...

    def gauge(self, metric: Metric) -> Gauge: ...

    def histogram(self, metric: Metric, *labels: str) -> Histogram: ...

    def classes(
        self, counter: Metric, histogram: Metric, labels: tuple[str, ...], classes: tuple[str, ...]
    ) -> Callable[[int, float], None]:
        """Return what counts a value by its class and by its size, in one go.

        Args:
            counter: Has one more label: the class.
            histogram: Of the values.
            labels: Of both.
            classes: The function returned takes the place of one in these, and the value.
        """
        ...

    def figures(self) -> Iterable[Figure]:
        """Return counters and gauges, of all processes together."""
        ...

    def tallies(self) -> Iterable[Tally]:
        """Return histograms, of all processes together."""
        ...

    def processes(self) -> Mapping[int, int]:
        """Return the place → process id of those that serve now."""
        ...


_C, _G, _H = Kind.COUNTER, Kind.GAUGE, Kind.HISTOGRAM
_REQUEST_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_SYNC_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
_FOLD_S = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
_BATCH = (1, 2, 4, 8, 16, 32, 64, 128, 256)

BUILD: Final = Metric("vitrina_build_info", _G, "Always 1; the label is the version.", ("version",))
WORKERS: Final = Metric("vitrina_workers", _G, "Processes that serve now.")
WORKER_DEATHS: Final = Metric(
    "vitrina_worker_deaths_total", _C, "Workers that died or hung, and were replaced."
)
REQUESTS: Final = Metric(
    "vitrina_http_requests_total",
    _C,
    "Requests that were answered, by the class of the status: 2xx, 4xx.",
    ("method", "route", "status"),
)
REQUEST_SECONDS: Final = Metric(
    "vitrina_http_request_duration_seconds",
    _H,
    "Time from a request's arrival until its answer begins.",
    ("method", "route"),
    _REQUEST_S,
)
FEED_SUBSCRIBERS: Final = Metric(
    "vitrina_feed_subscribers", _G, "Open streams of the change feed.", fold=Fold.SUM
)
FEED_DROPPED: Final = Metric(
    "vitrina_feed_dropped_total", _C, "Streams of the change feed that were ended as too slow."
)
PRODUCTS: Final = Metric("vitrina_products", _G, "Products in the catalog, of any status.")
SEQ: Final = Metric("vitrina_store_seq", _G, "Number of the last durable change.")
OLDEST_SEQ: Final = Metric(
    "vitrina_store_oldest_seq", _G, "Number of the oldest change that is kept."
)
READ_ONLY: Final = Metric(
    "vitrina_store_read_only",
    _G,
    "1 when writes are refused: for now, as there is no room; or as a sync failed, until a restart.",
    ("reason",),
)
COMMITS: Final = Metric("vitrina_commits_total", _C, "Units of work that became durable.")
BATCH: Final = Metric(
    "vitrina_commit_batch_size",
    _H,
    "Units of work that became durable by one fsync.",
    bounds=_BATCH,
)
SYNC_SECONDS: Final = Metric(
    "vitrina_journal_fsync_duration_seconds", _H, "Time of one fsync.", bounds=_SYNC_S
)
SYNC_FAILURES: Final = Metric(
    "vitrina_journal_fsync_failures_total", _C, "Syncs that the system refused."
)
JOURNAL_BYTES: Final = Metric("vitrina_journal_size_bytes", _G, "Size of all kept segments.")
SNAPSHOT_TIME: Final = Metric(
    "vitrina_snapshot_timestamp_seconds", _G, "When the newest snapshot was made; 0: there is none."
)
CHECKPOINT_SECONDS: Final = Metric(
    "vitrina_checkpoint_duration_seconds", _H, "Time to make a snapshot.", bounds=_FOLD_S
)
CHECKPOINT_FAILURES: Final = Metric(
    "vitrina_checkpoint_failures_total", _C, "Snapshots that could not be made."
)
FILE_STATE: Final = Metric(
    "vitrina_file_state", _G, "1 for the state that the product file is in.", ("state",)
)
STALE: Final = Metric(
    "vitrina_catalog_source_stale",
    _G,
    "1 when the product file cannot be read, so that its last good state is served.",
)
FILE_WAITING: Final = Metric(
    "vitrina_file_waiting_products", _G, "Products whose changes are not in the product file yet."
)
FILE_LAG: Final = Metric(
    "vitrina_file_lag_seconds", _G, "Age of the oldest change that is not in the product file yet."
)
FILE_PROBLEMS: Final = Metric("vitrina_file_problems", _G, "Problems in the product file.")
FILE_REFUSED: Final = Metric(
    "vitrina_file_refused_rows", _G, "Rows of the product file that are not served."
)
FILE_FAILURES: Final = Metric(
    "vitrina_file_sync_failures_total",
    _C,
    "Times that the product file could not be brought in step.",
)
CONFLICTS: Final = Metric(
    "vitrina_conflicts", _G, "Values of the product file that were not taken."
)
INDEX_BUILDING: Final = Metric(
    "vitrina_index_building", _G, "1 when a worker's search index cannot answer yet.", fold=Fold.MAX
)
INDEX_LAG: Final = Metric(
    "vitrina_index_lag_changes",
    _G,
    "Changes that the next search has to take in first, at the worker where they are most.",
    fold=Fold.MAX,
)

ALL: Final = (
    BUILD,
    WORKERS,
    WORKER_DEATHS,
    REQUESTS,
    REQUEST_SECONDS,
    FEED_SUBSCRIBERS,
    FEED_DROPPED,
    PRODUCTS,
    SEQ,
    OLDEST_SEQ,
    READ_ONLY,
    COMMITS,
    BATCH,
    SYNC_SECONDS,
    SYNC_FAILURES,
    JOURNAL_BYTES,
    SNAPSHOT_TIME,
    CHECKPOINT_SECONDS,
    CHECKPOINT_FAILURES,
    FILE_STATE,
    STALE,
    FILE_WAITING,
    FILE_LAG,
    FILE_PROBLEMS,
    FILE_REFUSED,
    FILE_FAILURES,
    CONFLICTS,
    INDEX_BUILDING,
    INDEX_LAG,
)

"""The page about the metrics says what the program tells."""

from pathlib import Path

import pytest

from vitrina.service_layer.metrics import ALL, Metric

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "metrics.md").read_text("utf-8")


def row(metric: Metric) -> str:
    """Return the line of the table that a metric must have."""
    labels = ", ".join(f"`{each}`" for each in metric.labels)
    return f"| `{metric.name}` | {metric.kind.value} | {labels} | {metric.text} |"


@pytest.mark.parametrize("metric", ALL, ids=lambda each: each.name)
def test_every_metric_has_its_line(metric: Metric) -> None:
    assert row(metric) in PAGE.splitlines()


def test_no_line_is_about_something_else() -> None:
    lines = [line for line in PAGE.splitlines() if line.startswith("| `")]

    assert len(lines) == len(ALL)

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from vitrina.telemetry import configure_logging


@pytest.fixture(autouse=True)
def put_back() -> Iterator[None]:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = before
    structlog.reset_defaults()


def test_lines_are_json_with_their_facts() -> None:
    stream = io.StringIO()
    configure_logging(level="info", json=None, stream=stream)
    structlog.get_logger().warning("torn write", bytes=12)
    structlog.get_logger().debug("not shown")
    logging.getLogger("library").error("said %s", "so")

    first, second = map(json.loads, stream.getvalue().splitlines())
    assert (first["event"], first["level"], first["bytes"]) == ("torn write", "warning", 12)
    assert first["timestamp"].endswith("Z")
    assert (second["event"], second["level"]) == ("said so", "error")


def test_the_watcher_of_files_does_not_tell_of_each_write() -> None:
    stream = io.StringIO()
    configure_logging(level="info", json=True, stream=stream)
    logging.getLogger("watchfiles.main").info("1 change detected")
    logging.getLogger("watchfiles.main").warning("the limit of watches is reached")

    assert [json.loads(each)["event"] for each in stream.getvalue().splitlines()] == [
        "the limit of watches is reached"
    ]


@pytest.mark.parametrize("as_json", [True, False])
def test_a_traceback_tells_no_values(as_json: bool) -> None:  # noqa: FBT001 - a parameter
    stream = io.StringIO()
    configure_logging(level="info", json=as_json, stream=stream)
    secret = "hun" + "ter2"
    try:
        {"a": 1}.pop("b" + secret[:0])
    except KeyError:
        structlog.get_logger().exception("failed")

    assert "KeyError" in stream.getvalue()
    assert secret not in stream.getvalue()

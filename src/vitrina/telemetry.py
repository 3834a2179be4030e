"""Structured log lines on standard error: JSON for machines, or coloured text on a terminal.

A line tells one event and its facts: ``{"event": "checkpoint failed", "reason": …, "level":
"warning", "timestamp": "2026-01-31T12:00:00.000000Z"}``. Lines of libraries that use the standard
``logging`` look the same.
"""

import logging
import sys
from typing import Final, TextIO

import structlog
from structlog.typing import Processor

_COMMON: Final[tuple[Processor, ...]] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
)

# Without the values of local variables, which may be anybody's data.
_TRACEBACKS: Final = structlog.processors.ExceptionRenderer(
    structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
)


def configure_logging(*, level: str, json: bool | None, stream: TextIO = sys.stderr) -> None:
    """Send all log lines to *stream*.

    Args:
        level: The least severe lines that are written: ``debug``, ``info``, ``warning``, ``error``.
        json: Whether lines are JSON; None: unless *stream* is a terminal.
        stream: Where they go.
    """
    as_json = not stream.isatty() if json is None else json
    number = logging.getLevelNamesMapping()[level.upper()]
    renderer: list[Processor] = (
        [_TRACEBACKS, structlog.processors.JSONRenderer()]
        if as_json
        else [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    )
    structlog.configure(
        processors=[*_COMMON, *renderer],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(file=stream),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_COMMON,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(number)
    # It tells of every write to a file, also of our own.
    logging.getLogger("watchfiles").setLevel(max(number, logging.WARNING))

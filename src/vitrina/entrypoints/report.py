"""What was understood of a product file, for people and for programs."""

import socket
from collections.abc import Sequence
from typing import Final

import orjson

from vitrina import __version__
from vitrina.service_layer.documents import Document
from vitrina.service_layer.opening import Problem, Understood
from vitrina.service_layer.person_file import FileStatus

PROBLEMS_SHOWN: Final = 10
"""How many problems are shown at the start; ``vitrina check`` shows all."""

SARIF_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"


def for_people(understood: Understood, *, problems_max: int | None = None) -> str:
    """Return the lines that say what was understood and what is wrong.

    Args:
        understood: Of the file.
        problems_max: How many problems are listed; None is all of them.
    """
    lines = of_columns(understood)
    problems = understood.problems[:problems_max]
    lines += [of_problem(each) for each in problems]
    if more := len(understood.problems) - len(problems):
        lines.append(f"… and {more:,} more; see them all with: vitrina check {understood.path}")
    return "\n".join(lines)


def of_problem(problem: Problem) -> str:
    """Return the line that tells a problem."""
    return f"{'Error' if problem.error else 'Warning'}: {problem}"


def of_columns(understood: Understood) -> list[str]:
    """Return the lines that say how the file was read."""
    lines = [f"Product file: {understood.path}"]
    if understood.columns:
        lines.append("Columns: " + _columns(understood.columns))
    served = understood.rows - understood.refused
    lines.append(
        f"Rows: {understood.rows:,} read, {served:,} accepted, {understood.refused:,} refused"
    )
    if understood.currency:
        lines.append(
            f"Prices that name no currency are in {understood.currency} "
            "(setting: currency, VITRINA_CURRENCY)"
        )
    return lines


def addresses(listener: socket.socket) -> str:
    """Return the lines that say where the service is."""
    host, port = listener.getsockname()[:2]
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    return "\n".join(
        (
            f"Vitrina {__version__} serves {url}",
            f"  Products       {url}/v1/products",
            f"  Documentation  {url}/docs",
            "Stop it with Ctrl-C.",
        )
    )


def as_json(understood: Understood) -> str:
    """Return all that was understood as a JSON document."""
    document: Document = {
        "file": understood.path,
        "format": understood.format,
        "columns": [{"header": header, "field": field} for header, field in understood.columns],
        "rows": understood.rows,
        "refused": understood.refused,
        "currency": understood.currency,
        "problems": [
            {
                "file": each.file,
                "line": each.line,
                "column": each.column,
                "header": each.header,
                "value": each.value,
                "code": each.code,
                "detail": each.detail,
                "severity": "error" if each.error else "warning",
            }
            for each in understood.problems
        ],
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()


def as_sarif(understood: Understood) -> str:
    """Return the problems as a SARIF 2.1.0 log, as code scanning reads it."""
    codes = sorted({each.code for each in understood.problems})
    document: Document = {
        "$schema": SARIF_SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "vitrina",
                        "version": __version__,
                        "rules": [{"id": code} for code in codes],
                    }
                },
                "results": [_result(each, understood.format) for each in understood.problems],
            }
        ],
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()


def _columns(columns: Sequence[tuple[str, str | None]]) -> str:
    named = [_column(*each) for each in columns if each[0]]
    nameless = len(columns) - len(named)
    return ", ".join([*named, f"{nameless} without a name (not read)"] if nameless else named)


def of_file(status: FileStatus) -> str:
    """Say how the product file is after an edit was accepted."""
    if status.pending is not None:
        return f"Not accepted: {status.detail}"
    more = f" {status.detail}" if status.detail else ""
    return f"Accepted: {status.file} is in step with the catalog, with {status.rows} rows.{more}"


def _column(header: str, field: str | None) -> str:
    if field is None:
        return f"{header} (not read)"
    return header if header == field else f"{header} → {field}"


def _result(problem: Problem, file_format: str) -> Document:
    location: Document = {"artifactLocation": {"uri": problem.file}}
    if problem.line:
        region: Document = {"startLine": problem.line}
        if problem.column and file_format != "csv":  # In a CSV it counts cells, not characters.
            region["startColumn"] = problem.column
        location["region"] = region
    name = f"{problem.header}: " if problem.header else ""
    value = f"{problem.value!r}: " if problem.value else ""
    return {
        "ruleId": problem.code,
        "level": "error" if problem.error else "warning",
        "message": {"text": f"{name}{value}{problem.detail}"},
        "locations": [{"physicalLocation": location}],
    }

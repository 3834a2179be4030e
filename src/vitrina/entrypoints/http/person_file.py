"""``/v1/file`` and ``/v1/conflicts``: how the product file and the catalog get along."""

from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from vitrina.entrypoints.http.replies import dump, json_reply
from vitrina.entrypoints.http.requests import CatalogRequest
from vitrina.service_layer.documents import Document, Json
from vitrina.service_layer.opening import Problem
from vitrina.service_layer.person_file import FileConflict, FileStatus
from vitrina.service_layer.times import format_time

PATH: Final = "/v1/file"
ACCEPT_PATH: Final = f"{PATH}/accept"
CONFLICTS_PATH: Final = "/v1/conflicts"
_NO_STORE: Final = {"Cache-Control": "no-store"}


async def get_file(request: CatalogRequest) -> Response:
    """Tell how the product file is, and what is wrong with it.

    `state` is `in_sync`; `held` (some rows or values are wrong or in conflict, all others are in
    step); `pending` (it was saved so that much would be lost, and waits for `POST
    /v1/file/accept`); `broken` (it cannot be read: `line` and `column` say where, the last good
    state is served); `blocked` (the system refuses to read or write it); or `none` (there is none).
    """
    request.parameters(())
    status = await run_in_threadpool(request.catalog.file.status)
    return json_reply(dump(_status(status)), headers=_NO_STORE)


def post_accept(request: CatalogRequest) -> Response:
    """Apply the edit of the product file that waits, with all that it takes away.

    What is applied is the file as it was when the edit was found; a later save is looked at anew.
    The answer is how the file is then.
    """
    request.parameters(())
    return json_reply(dump(_status(request.catalog.file.accept())), headers=_NO_STORE)


async def get_conflicts(request: CatalogRequest) -> Response:
    """List what people wrote into their files and the catalog did not take, newest first.

    The catalog's value was kept (`kept_value`) and stands in the file again. A conflict is over when
    the catalog has the file's value, when that cell of the file is edited again, and when
    `products.conflicts.csv`, which lists the same beside the file, is deleted.
    """
    request.parameters(())
    found = await run_in_threadpool(request.catalog.file.conflicts)
    return json_reply(dump({"items": [_conflict(each) for each in found]}), headers=_NO_STORE)


def _status(status: FileStatus) -> Document:
    pending: Json = None
    if status.pending is not None:
        pending = {
            "products": status.pending.products,
            "deleted": status.pending.deleted,
            "columns": list(status.pending.columns),
            "categories": status.pending.categories,
            "fingerprint": status.pending.fingerprint,
        }
    return {
        "file": status.file,
        "state": status.state.value,
        "detail": status.detail,
        "line": status.line,
        "column": status.column,
        "code": status.code,
        "rows": status.rows,
        "refused": status.refused,
        "seq": status.seq,
        "waiting": status.waiting,
        "waiting_since": None
        if status.waiting_since is None
        else format_time(status.waiting_since),
        "pending": pending,
        "conflicts": status.conflicts,
        "problems": [_problem(each) for each in status.problems],
        "problems_total": status.problems_total,
    }


def _problem(problem: Problem) -> Document:
    return {
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "header": problem.header,
        "value": problem.value,
        "code": problem.code,
        "detail": problem.detail,
        "severity": "error" if problem.error else "warning",
    }


def _conflict(conflict: FileConflict) -> Document:
    return {
        "id": conflict.id,
        "product_id": conflict.product_id or None,
        "category_id": conflict.category_id or None,
        "field": conflict.field,
        "reason": conflict.reason.value,
        "file_value": conflict.file_value,
        "kept_value": conflict.kept_value,
        "base_value": conflict.base_value,
        "line": conflict.line,
        "at": format_time(conflict.at),
    }

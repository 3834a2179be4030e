"""The change feed."""

from typing import Final

from vitrina.entrypoints.http import changes, examples, openapi as doc
from vitrina.entrypoints.http.routes.description import EVERYWHERE, PAGE, TEXT, Described
from vitrina.entrypoints.http.routes.tags import CHANGES_TAG

OPERATIONS: Final = (
    Described(
        method="GET",
        path=changes.PATH,
        endpoint=changes.get_changes,
        tag=CHANGES_TAG,
        name="listChanges",
        summary="Follow the changes of the catalog",
        parameters=(
            doc.query(
                "after",
                {"type": "integer", "minimum": 0, "maximum": changes.SEQ_MAX},
                "The `seq` of the last change that you know.",
            ),
            doc.query(
                "last_event_id",
                {"type": "integer", "minimum": 0, "maximum": changes.SEQ_MAX},
                "For clients that cannot send `Last-Event-ID`: where a stream goes on.",
            ),
            *PAGE,
            doc.header(
                "Last-Event-ID",
                "The `id` of the last event that was received; browsers send it by themselves.",
                "4002",
                pattern="^[0-9]{0,15}$",
            ),
            *EVERYWHERE,
        ),
        responses={
            "200": doc.answer(
                "One page of changes, or a stream that goes on.",
                doc.ref("ChangeList"),
                example=examples.CHANGES,
                sent=("Link", "Cache-Control"),
                also={changes.EVENT_STREAM: {"schema": TEXT, "example": examples.EVENTS}},
            ),
            **doc.problems("bad_cursor", "changes_gone", "too_many_streams", *doc.READ_PROBLEMS),
        },
    ),
)

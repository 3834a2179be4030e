"""The product file that people edit."""

from typing import Final

from vitrina.entrypoints.http import examples, openapi as doc, person_file
from vitrina.entrypoints.http.routes.description import EVERYWHERE, Described
from vitrina.entrypoints.http.routes.tags import FILE_TAG

_FILE_STATUS: Final = doc.answer(
    "How the file is.", doc.ref("FileStatus"), example=examples.FILE_STATUS, sent=("Cache-Control",)
)
OPERATIONS: Final = (
    Described(
        method="GET",
        path=person_file.PATH,
        endpoint=person_file.get_file,
        tag=FILE_TAG,
        name="getFile",
        summary="How is the product file?",
        parameters=EVERYWHERE,
        responses={"200": _FILE_STATUS, **doc.problems(*doc.READ_PROBLEMS)},
    ),
    Described(
        method="POST",
        path=person_file.ACCEPT_PATH,
        endpoint=person_file.post_accept,
        tag=FILE_TAG,
        name="acceptFile",
        summary="Accept an edit that takes away much",
        parameters=EVERYWHERE,
        responses={
            "200": _FILE_STATUS,
            **doc.problems("nothing_to_accept", *doc.READ_PROBLEMS),
        },
    ),
    Described(
        method="GET",
        path=person_file.CONFLICTS_PATH,
        endpoint=person_file.get_conflicts,
        tag=FILE_TAG,
        name="listConflicts",
        summary="List what was not taken from the file",
        parameters=EVERYWHERE,
        responses={
            "200": doc.answer(
                "The open conflicts, newest first.",
                doc.ref("ConflictList"),
                example=examples.CONFLICTS,
                sent=("Cache-Control",),
            ),
            **doc.problems(*doc.READ_PROBLEMS),
        },
    ),
)

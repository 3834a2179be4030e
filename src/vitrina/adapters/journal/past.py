"""What was committed, as it is read back from the journal."""

from collections.abc import Iterator

import structlog

from vitrina.adapters.journal.log import Log
from vitrina.adapters.journal.record import DamagedRecord, record_needle
from vitrina.domain.errors import ChangesGone, StoreUnreadable
from vitrina.service_layer.changes import Change

_log = structlog.get_logger(__name__)


def read_changes(log: Log, after: int, *, limit: int) -> list[Change]:
    """Return the changes that follow number *after*; there must be some.

    Raises:
        ChangesGone: The first of them is no longer kept, or is damaged.
        StoreUnreadable: The system refuses to read them now.
    """
    if after + 1 < log.oldest:
        raise ChangesGone(after, oldest=log.oldest)
    found: list[Change] = []
    try:
        for record in log.read(after):
            found.extend(each for each in record.changes if each.seq > after)
            if len(found) >= limit:
                break
    except FileNotFoundError as error:  # It was dropped just now.
        raise ChangesGone(after, oldest=max(log.oldest, after + 2)) from error
    except DamagedRecord as error:
        _log.error("the journal is damaged", after=after, reason=str(error))
        raise ChangesGone(after, oldest=max(log.oldest, after + 2)) from error
    except OSError as error:
        raise _unreadable(error) from error
    return found[:limit]


def read_history(log: Log, product_id: str, *, before: int) -> Iterator[Change]:
    """Yield the changes of one product with a number below *before*, newest first.

    Raises:
        StoreUnreadable: The system refuses to read them now.
    """
    try:
        for record in log.search(record_needle(product_id), before=before):
            for change in reversed(record.changes):
                mine = change.id == product_id and change.type.startswith("product.")
                if mine and change.seq < before:
                    yield change
    except (FileNotFoundError, DamagedRecord) as error:
        # The past that is older than this is gone: a segment was dropped just now, or is damaged.
        _log.warning("the past ends early", product=product_id, reason=str(error))
    except OSError as error:
        raise _unreadable(error) from error


def _unreadable(error: OSError) -> StoreUnreadable:
    # Too few descriptors, or a disk that fails: no reason to tell a follower that it is too late.
    _log.error("the journal cannot be read", reason=str(error))
    return StoreUnreadable(f"{error.filename or 'the journal'}: {error.strerror or error}")

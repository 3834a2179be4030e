r"""One line of the journal: everything that one unit of work changed, or nothing.

A line is a JSON object ended by a single LF, so ``tail`` and ``jq`` read it. Its members always
stand in this order, without white space::

    {"crc":"5f0e6a1c","seq":42,"last":43,"durable":41,"at":"2026-01-31T12:00:00.000000Z",
     "source":"api","changes":[ … ],"answers":[ … ]}\n

crc
    CRC-32 (ISO-HDLC, as in zlib) of the bytes between the head ``{"crc":"xxxxxxxx",``, which is
    always 18 bytes long, and the LF; 8 lowercase hexadecimal digits.
seq, last
    The numbers of the first and the last change. Every change has one: 1, 2, 3, … without gaps,
    so a record's ``seq`` is the ``last`` before it plus 1. A record without changes, which only
    remembers answers, has ``last`` = ``seq`` - 1.
durable
    The last change that was known to be on the disk when this line was written. It tells damage
    from a torn write: see :mod:`vitrina.adapters.journal.segments`.
at
    When it was committed: RFC 3339, UTC, microseconds. Never before the ``at`` of an earlier line.
source
    ``api``, ``file`` or ``import``.
changes
    One object for each changed resource, in order: ``type`` (such as ``product.updated``), ``id``,
    ``version``, ``events`` (what the aggregate recorded), and ``body``: the whole resource as
    saved, in canonical JSON (:mod:`vitrina.adapters.codec`); ``null`` when it was deleted.
answers
    What was answered under idempotency keys: ``key``, ``fingerprint``, and ``id``, ``version`` and
    ``body`` of the product; ``body`` is ``null`` when this record's own change has it.

Bytes after the last LF are a torn write, which is normal after a crash and means "never happened".
"""

import re
import zlib
from collections.abc import Sequence, Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson

from vitrina.adapters import codec
from vitrina.adapters.remembered import Remembered
from vitrina.domain.errors import InvalidValue
from vitrina.service_layer.changes import Change, ChangeType, Source
from vitrina.service_layer.ports import Answered, Stored
from vitrina.service_layer.times import format_time, parse_time

RECORD_BYTES_MAX: Final = 64 * 2**20
"""The longest line; a unit of work that would need a longer one is refused."""

_HEAD: Final = b'{"crc":"%08x",'
_HEAD_BYTES: Final = 18
_NUMBERS: Final = re.compile(
    rb'\{"crc":"([0-9a-f]{8})","seq":(\d{1,19}),"last":(\d{1,19}),"durable":(\d{1,19}),'
)


class DamagedRecord(Exception):
    """A line is not what was once written."""


@dataclass(frozen=True, slots=True)
class Span:
    """Which changes a record holds, and which were durable before it."""

    seq: int
    last: int
    durable: int


@dataclass(frozen=True, slots=True)
class Record:
    """One committed unit of work."""

    span: Span
    at: datetime
    source: Source
    changes: tuple[Change, ...]
    answers: tuple[Remembered, ...]


def encode(record: Record) -> bytes:
    """Return the record as a line, with its LF."""
    own = {(each.id, each.version) for each in record.changes if each.body is not None}
    body = orjson.dumps(
        {
            "seq": record.span.seq,
            "last": record.span.last,
            "durable": record.span.durable,
            "at": format_time(record.at),
            "source": record.source,
            "changes": [
                {
                    "type": each.type,
                    "id": each.id,
                    "version": each.version,
                    "events": each.events,
                    "body": None if each.body is None else orjson.Fragment(each.body),
                }
                for each in record.changes
            ],
            "answers": [encode_answer(each, own) for each in record.answers],
        }
    )
    checked = body[1:]
    return b"".join((_HEAD % zlib.crc32(checked), checked, b"\n"))


def encode_answer(
    remembered: Remembered, told: AbstractSet[tuple[str, int]] = frozenset()
) -> dict[str, object]:
    """Return an answer as a document; its body is left out when *told* has its id and version."""
    product = remembered.answer.product
    known = (product.id, product.version) in told
    return {
        "key": remembered.key,
        "fingerprint": remembered.answer.fingerprint,
        "id": product.id,
        "version": product.version,
        "body": None if known else orjson.Fragment(product.body),
    }


def record_needle(resource_id: str) -> bytes:
    """Return bytes that every line with a change of this resource holds, and few others do.

    An id needs no escaping in JSON (:func:`vitrina.domain.identifiers.parse_id`).
    """
    return b'","id":"%s","version":' % resource_id.encode()


def inspect(line: bytes) -> Span:
    """Return what a line holds, once its checksum is right.

    Args:
        line: Without its LF.

    Raises:
        DamagedRecord: It is no whole record.
    """
    match = _NUMBERS.match(line)
    if match is None or not line.endswith(b"}"):
        raise DamagedRecord("this is no journal record")
    if int(match[1], 16) != zlib.crc32(memoryview(line)[_HEAD_BYTES:]):
        raise DamagedRecord("the checksum does not match")
    return Span(int(match[2]), int(match[3]), int(match[4]))


def decode(line: bytes) -> Record:
    """Return the record that :func:`encode` wrote; its checksum has been verified.

    Raises:
        DamagedRecord: The line is whole, but not in this format.
    """
    try:
        return _decode(orjson.loads(line))
    except (InvalidValue, KeyError, TypeError, ValueError) as error:
        raise DamagedRecord(f"the record is not in this format: {error!r}") from error


def _decode(document: dict[str, Any]) -> Record:
    at = parse_time(document["at"])
    source = Source(document["source"])
    changes = tuple(
        Change(
            seq,
            at,
            source,
            ChangeType(each["type"]),
            each["id"],
            each["version"],
            None if each["body"] is None else codec.dump(each["body"]),
            tuple(each["events"]),
        )
        for seq, each in enumerate(document["changes"], document["seq"])
    )
    span = Span(document["seq"], document["last"], document["durable"])
    if span.last != span.seq + len(changes) - 1:
        raise ValueError(f"{len(changes)} changes do not reach from {span.seq} to {span.last}")
    answers = tuple(decode_answer(each, at, changes) for each in document["answers"])
    return Record(span, at, source, changes, answers)


def decode_answer(
    document: dict[str, Any], at: datetime, changes: Sequence[Change] = ()
) -> Remembered:
    """Return the answer that :func:`encode_answer` wrote.

    Raises:
        KeyError, TypeError, ValueError: The document is not in this format.
    """
    key, version = document["id"], document["version"]
    if document["body"] is not None:
        body = codec.dump(document["body"])
    else:
        own = (each.body for each in changes if (each.id, each.version) == (key, version))
        found = next((each for each in own if each is not None), None)
        if found is None:
            raise ValueError(f"the answer {document['key']!r} has no body")
        body = found
    product = Stored.of(key, version, body)
    return Remembered(document["key"], at, Answered(document["fingerprint"], product))

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from tests.builders import FULL
from vitrina.adapters import codec
from vitrina.adapters.journal.record import DamagedRecord, Record, Span, decode, encode, inspect
from vitrina.adapters.remembered import Remembered
from vitrina.service_layer.changes import Change, ChangeType, Source
from vitrina.service_layer.documents import Document
from vitrina.service_layer.ports import Answered

AT = datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)
PRODUCT = codec.store_product(FULL)
EVENT: Document = {"type": "product_revised", "changed": ["title"]}


def record(*, changes: int = 1, body: bytes | None = PRODUCT.body) -> Record:
    kinds = (ChangeType.PRODUCT_UPDATED if body else ChangeType.PRODUCT_DELETED,) * changes
    return Record(
        Span(7, 6 + changes, 5),
        AT,
        Source.FILE,
        tuple(
            Change(seq, AT, Source.FILE, kind, PRODUCT.id, PRODUCT.version, body, (EVENT,))
            for seq, kind in enumerate(kinds, 7)
        ),
        (Remembered("a key", AT, Answered("print", PRODUCT)),),
    )


@pytest.mark.parametrize(
    "original", [record(), record(changes=3), record(changes=0), record(body=None)]
)
def test_what_is_encoded_is_decoded(original: Record) -> None:
    line = encode(original)

    assert line.endswith(b"}\n")
    assert line.count(b"\n") == 1
    assert inspect(line[:-1]) == original.span
    assert decode(line[:-1]) == original


def test_an_answer_does_not_repeat_the_product_of_its_own_record() -> None:
    assert encode(record()).count(b'"title":') == 1
    assert encode(record(body=None)).count(b'"title":') == 1


@given(st.data())
def test_any_flipped_bit_is_found(data: st.DataObject) -> None:
    line = bytearray(encode(record())[:-1])
    place = data.draw(st.integers(0, len(line) - 1))
    line[place] ^= 1 << data.draw(st.integers(0, 7))

    with pytest.raises(DamagedRecord):
        inspect(bytes(line))


@given(st.binary(max_size=80))
def test_nonsense_is_no_record(line: bytes) -> None:
    with pytest.raises(DamagedRecord):
        inspect(line)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"source":"file"', b'"source":"moon"'),
        (b'"last":7', b'"last":9'),
        (b'"at":"2026', b'"at":"x026'),
        (b'"changes":[', b'"others":['),
        (b'"type":"product.updated"', b'"type":"product.eaten"'),
    ],
)
def test_a_whole_line_of_another_format_is_refused(old: bytes, new: bytes) -> None:
    line = encode(record())[:-1]
    assert old in line

    with pytest.raises(DamagedRecord, match="not in this format"):
        decode(line.replace(old, new))


def test_an_answer_without_its_product_is_refused() -> None:
    line = re.sub(rb'"changes":\[.*\],"answers"', b'"changes":[],"answers"', encode(record()))

    with pytest.raises(DamagedRecord, match="has no body"):
        decode(line[:-1].replace(b'"last":7', b'"last":6'))

"""A product as what the engine indexes: the values of the fields of :mod:`~vitrina.adapters.index.schema`.

A catalog has few different brands, categories, tags and attributes, and the variants of a product have one title
and one description. What the fields have of such values is remembered.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import orjson

from vitrina.adapters import codec
from vitrina.adapters.index import analysis, counts, encoding, rows
from vitrina.adapters.index.analysis import Analyzer, Words
from vitrina.adapters.index.memories import Memory, Repeated
from vitrina.adapters.index.rows import Measured, Value
from vitrina.adapters.index.schema import (
    COUNTED,
    COUNTED_BY,
    ID_FIELDS,
    RARE,
    TITLE_FIELDS,
    USUAL,
    Spread,
    step_field,
)
from vitrina.adapters.index.spelling import mistakable
from vitrina.domain.text import fold
from vitrina.service_layer.documents import Document
from vitrina.service_layer.queries import ATTRIBUTE_PREFIX

HEAD_WORDS: Final = 3
"""A word among the first ones of a title says what the product is."""

SHORTNESS: Final = 0.15
"""How much the length of a title weighs against a match; 0 is not at all."""

USUAL_TITLE: Final = 10
"""Words of a title of the usual length."""

TEXTS_KEPT: Final = 32_768
"""How many titles and how many descriptions are remembered: together about 80 MB, if there are so many that come
again."""

KEPT_LENGTH_MAX: Final = 500
"""Longer titles and descriptions are not remembered."""

ATTRIBUTES_KEPT: Final = 50_000
"""How many values of attributes are remembered: about 30 MB."""

_LONG_TITLE: Final = 80
"""Words from which on a title only counts as long."""

_WORTHS: Final = tuple(
    (1 + SHORTNESS * _LONG_TITLE / USUAL_TITLE) / (1 + SHORTNESS * length / USUAL_TITLE)
    for length in range(_LONG_TITLE + 1)
)
"""What a title of each length is worth."""

_TIE: Final = 1e-3
"""By how much ids may move a score, so that equal ones fall in the order of ids."""

_CODED: Final = ("sku", "gtin", "mpn")

_STEPS: Final = tuple((name, step_field(name)) for name in COUNTED)


class _Title(NamedTuple):
    """What is made of a title.

    Attributes:
        fields: Those that depend on it alone.
        mistakable: Those of its words that a typo may be of, between spaces.
        terms: What all its words are found by, likewise.
        length: How many words there are.
    """

    fields: Mapping[str, object]
    mistakable: str
    terms: str
    length: int


class _Attribute(NamedTuple):
    """What is made of one value of an attribute.

    Attributes:
        term: That can be read back.
        numbers: Terms that sort as it does, if it is a number.
        words: Of its text; None where it is no text to be found by.
    """

    term: str
    numbers: tuple[str, ...]
    words: Words | None


class Writer:
    """Writes products as what the engine indexes."""

    def __init__(self, analyzer: Analyzer, spread: Spread) -> None:
        """Write texts as *analyzer* reads them, and ids as they are spread in the catalog."""
        self._analyzer = analyzer
        self._spread = spread
        self._titles = Repeated(self._read_title, TEXTS_KEPT, _is_short)
        self._descriptions = Repeated(self._read_description, TEXTS_KEPT, _is_short)
        self._attributes = Memory(self._read_attribute, ATTRIBUTES_KEPT, _is_brief)

    def write(self, body: bytes) -> str:
        """Return the engine's JSON document for a product as the catalog keeps it."""
        return orjson.dumps(self._fields(codec.load(body))).decode()

    def _fields(self, document: Document) -> dict[str, object]:
        product_id = str(document["id"])
        singles = rows.single_values(document)
        has: list[str] = [each for each in RARE if each in singles]
        fields: dict[str, object] = {"id": product_id, COUNTED_BY: 0, **singles}
        if lacking := [each for each in USUAL if each not in singles]:
            fields["lacks"] = lacking
        for name, step in _STEPS:
            number = singles.get(name)
            if number is not None and not isinstance(number, str):
                fields[step] = counts.step_of(name, number)
        levels = encoding.id_levels(product_id, self._spread.prefix)
        fields.update(zip(ID_FIELDS, levels, strict=False))
        if len(levels) == len(ID_FIELDS) and len(product_id) >= encoding.ID_BYTES:
            fields["long"] = b64encode(product_id.encode()).decode()
        # Asked for once: what is asked for twice is taken for a title that comes again.
        title = self._titles[str(document["title"])]
        self._write_texts(fields, has, document, title)
        if has:
            fields["has"] = has
        rank = encoding.rank(levels[0], self._spread.landmarks)
        fields["boost"] = _boost(title.length, rank)
        return fields

    def _write_texts(
        self, fields: dict[str, object], has: list[str], document: Document, title: _Title
    ) -> None:
        """Write the fields of words and of what has words."""
        fields.update(title.fields)
        words = [title.mistakable]
        terms = [title.terms]
        if brand := document["brand"]:
            made = self._analyzer.read(str(brand))
            words.append(made.mistakable)
            terms.append(made.terms)
            fields["makers"] = made.stems
        facts: list[Words] = []
        if tags := rows.tags_of(document):
            fields["tag"] = tags
            has.append("tag")
            facts += map(self._analyzer.read, tags)
        if attributes := rows.attributes_of(document):
            self._write_attributes(fields, has, attributes, facts)
        if facts:
            fields["facts"] = " ".join([each.stems for each in facts])
            words += [each.mistakable for each in facts]
            terms += [each.terms for each in facts]
        fields["words"] = " ".join(words)
        if description := document["description"]:
            terms.append(self._descriptions[str(description)])
        codes = [analysis.code(str(document["id"]))]
        for name in _CODED:
            if identifier := document[name]:
                text = str(identifier)
                terms += [self._terms(each) for each in self._analyzer.cut(text)]
                codes.append(analysis.code(text))
                if name == "gtin":
                    codes.append(analysis.long_gtin(text))
        fields["all"] = " ".join(terms)
        fields["codes"] = [each for each in dict.fromkeys(codes) if each]

    def _write_attributes(
        self,
        fields: dict[str, object],
        has: list[str],
        attributes: Mapping[str, Sequence[Value]],
        facts: list[Words],
    ) -> None:
        """Write the fields of attributes, and add the words of their texts to *facts*."""
        numbers: list[str] = []
        first: dict[str, str] = {}
        terms: dict[str, list[str]] = {}
        for given, values in attributes.items():
            name = encoding.escape(given)
            read = [self._attributes[name, each] for each in values]
            terms[name] = [each.term for each in read]
            has.append(ATTRIBUTE_PREFIX + given)
            for each in read:
                if each.words is not None:
                    facts.append(each.words)
                numbers += each.numbers
            if len(values) > 1:
                has.append(f"list:{name}")
                first[name] = encoding.value_term(min(values, key=lambda each: fold(str(each))))
        fields["a"] = terms
        if first:
            fields["first"] = first
        if numbers:
            fields["numbers"] = numbers

    def _terms(self, word: str) -> str:
        """Return what a word of an identifier is found by; there are too many numbers to remember them."""
        return word if word.isascii() and word.isdecimal() else self._analyzer.terms(word)

    def _read_title(self, title: str) -> _Title:
        words = self._analyzer.cut(title)
        stems = list(map(self._analyzer.stem, words))
        fields: dict[str, object] = {
            "title": " ".join(stems),
            "head": " ".join(stems[:HEAD_WORDS]),
            "whole": analysis.whole(words),
        }
        fields.update(zip(TITLE_FIELDS, encoding.title_levels(fold(title)), strict=True))
        terms = " ".join(map(self._analyzer.terms, words))
        return _Title(fields, " ".join(mistakable(words)), terms, len(words))

    def _read_description(self, description: str) -> str:
        words = dict.fromkeys(self._analyzer.cut(description))
        return " ".join(map(self._analyzer.terms, words))

    def _read_attribute(self, named: tuple[str, Value]) -> _Attribute:
        name, value = named
        term = encoding.value_term(value)
        match value:
            case Measured():
                size, own = encoding.hexadecimal(value.size), encoding.hexadecimal(value.own)
                numbers = (
                    encoding.size_term(name, value.dimension, size),
                    encoding.own_term(name, own),
                )
                return _Attribute(term, numbers, self._analyzer.read(value.text))
            case str():
                return _Attribute(term, (), self._analyzer.read(value))
            case _:
                return _Attribute(term, (), None)  # That something is true is no word.


def _is_short(text: str) -> bool:
    return len(text) <= KEPT_LENGTH_MAX


def _is_brief(named: tuple[str, Value]) -> bool:
    value = named[1]
    return not isinstance(value, str) or len(value) <= analysis.KEPT_LENGTH_MAX


def _boost(words: int, rank: float) -> float:
    """Return the weight of a product's matches, as the engine's formula ``log2(2 + boost)`` takes it.

    Args:
        words: How many there are in the title.
        rank: Of the id among all ids, from 0 to 1.
    """
    return float(2 ** (_WORTHS[min(words, _LONG_TITLE)] * (1 + _TIE * (1 - rank))) - 2)

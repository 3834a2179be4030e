"""The fields of the search engine, and a product as their values.

===============  =====================================================================================
``id``           the product's id, kept, so that one longer than its levels can be read
``h i0 … i4``    its order, see :mod:`~vitrina.adapters.index.encoding`
``l0 … l3``      the order of the folded title
``price …``      what is sorted and cut by size: prices in ten-thousandths, times in microseconds
``price_step`` … in which bucket of a facet a number is
``boost``        how much a match is worth: more in a short title; ties fall in the order of ids
``brand …``      keywords, equal or not; counted by facets
``has``          the names of all fields that have a value, and ``list:NAME`` for attributes that are lists
``lacks``        the names of the fields that products are sorted by, where there is none
``a``            attribute → its values as terms; ``first`` the same for the least value of a list
``numbers``      the attributes' numbers as terms that sort as they do
``title``        words with positions; ``head`` its first three; ``makers`` the brand's words
``facts``        words of tags and attributes
``all``          words of everything, one posting list to match by; plurals with an odd stem also as they are
``words``        the same without stems but for the description: what typos are mended to
``codes``        sku, gtin, mpn and id without punctuation
``whole``        a digest of the whole title
===============  =====================================================================================

Texts are cut into terms here (see :mod:`~vitrina.adapters.index.analysis`); the engine gets terms between
spaces, each once where positions do not matter.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Self

import orjson
import tantivy

from vitrina.adapters import codec
from vitrina.adapters.index import analysis, counts, encoding, rows
from vitrina.adapters.index.analysis import Words
from vitrina.adapters.index.encoding import ID_LEVELS, TITLE_LEVELS
from vitrina.adapters.index.rows import Measured, Value
from vitrina.domain.text import fold
from vitrina.service_layer.documents import Document
from vitrina.service_layer.queries import ATTRIBUTE_PREFIX

FORMAT: Final = 5
"""Grows whenever products are written to the engine in another way: indexes of another are made anew."""

KEYWORDS: Final = ("brand", "category", "status", "condition", "availability", "tag")
"""Keyword fields that are counted."""

IDENTIFIERS: Final = ("sku", "gtin")
"""Keyword fields that are only filtered by."""

INTEGERS: Final = ("price", "quantity", "created_at", "updated_at")

COUNTED: Final = ("price", "quantity", "rating")
"""Number fields that are counted in buckets."""

LACKABLE: Final = ("price", "rating", "created_at", "updated_at")
"""Fields that products are sorted by, and that a product may be without."""

TERMS: Final = "terms"
"""The tokenizer's name for terms between spaces."""

HEAD_WORDS: Final = 3
"""A word among the first ones of a title says what the product is."""

ID_FIELDS: Final = ("h", *(f"i{n}" for n in range(ID_LEVELS)))
TITLE_FIELDS: Final = tuple(f"l{n}" for n in range(TITLE_LEVELS))

SHORTNESS: Final = 0.15
"""How much the length of a title weighs against a match; 0 is not at all."""

USUAL_TITLE: Final = 10
"""Words of a title of the usual length."""

_LONG_TITLE: Final = 80
"""Words from which on a title only counts as long."""

_WORTHS: Final = tuple(
    (1 + SHORTNESS * _LONG_TITLE / USUAL_TITLE) / (1 + SHORTNESS * length / USUAL_TITLE)
    for length in range(_LONG_TITLE + 1)
)
"""What a title of each length is worth."""

_CODED: Final = ("sku", "gtin", "mpn")


_SAMPLE: Final = 4_096
"""About how many ids are looked at to see how all of them are spread."""

_TIE: Final = 1e-3
"""By how much ids may move a score, so that equal ones fall in the order of ids."""


def step_field(name: str) -> str:
    """Return the name of the field that tells in which bucket a number is."""
    return f"{name}_step"


_STEPS: Final = tuple((name, step_field(name)) for name in COUNTED)


def build_schema() -> tantivy.Schema:
    """Return the fields of the search engine."""
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
    for name in (*ID_FIELDS, *TITLE_FIELDS, *map(step_field, COUNTED)):
        builder.add_unsigned_field(name, fast=True)
    for name in INTEGERS:
        builder.add_integer_field(name, fast=True)
    for name in ("rating", "boost"):
        builder.add_float_field(name, fast=True)
    for name in KEYWORDS:
        builder.add_text_field(name, fast=True, tokenizer_name="raw", index_option="basic")
    for name in (*IDENTIFIERS, "has", "lacks", "numbers", "codes", "whole"):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    for name in ("a", "first"):
        builder.add_json_field(name, fast=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("title", tokenizer_name=TERMS, index_option="position")
    for name in ("head", "makers", "facts", "all", "words"):
        builder.add_text_field(name, tokenizer_name=TERMS, index_option="basic")
    return builder.build()


@dataclass(frozen=True, slots=True)
class Spread:
    """How the ids of a catalog are spread.

    Attributes:
        prefix: What most ids begin with.
        landmarks: Places of ids behind that, from the first to the last.
    """

    prefix: str = ""
    landmarks: tuple[int, ...] = ()

    @classmethod
    def of(cls, product_ids: Iterable[str], count: int) -> Self:
        """Look at the ids of a catalog, which are about *count*; no more than a sample is kept."""
        step = max(1, count // _SAMPLE)
        sample: list[str] = []
        first = last = ""
        for number, each in enumerate(product_ids):
            if not number:
                first = last = each
            elif each < first:
                first = each
            elif each > last:
                last = each
            if not number % step:
                sample.append(each)
        prefix = encoding.shared_prefix((first, last))
        return cls(prefix, encoding.landmarks(encoding.head_level(each, prefix) for each in sample))


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes products as what the engine indexes.

    Attributes:
        analyzer: For the texts.
        spread: Of the catalog's ids.
    """

    analyzer: analysis.Analyzer
    spread: Spread

    def write(self, body: bytes) -> str:
        """Return the engine's JSON document for a product as the catalog keeps it."""
        return orjson.dumps(self._fields(codec.load(body))).decode()

    def _fields(self, document: Document) -> dict[str, object]:
        product_id = str(document["id"])
        singles = rows.single_values(document)
        tags = rows.tags_of(document)
        fields: dict[str, object] = {"id": product_id, **singles}
        has = list(singles)
        if tags:
            fields["tag"] = tags
            has.append("tag")
        if lacking := [each for each in LACKABLE if each not in singles]:
            fields["lacks"] = lacking
        for name, step in _STEPS:
            if isinstance(number := singles.get(name), int | float):
                fields[step] = counts.step_of(name, number)
        texts = [self.analyzer.read(each) for each in tags]
        if attributes := rows.attributes_of(document):
            texts += self._write_attributes(fields, has, attributes)
        fields["has"] = has
        head = encoding.head_level(product_id, self.spread.prefix)
        fields.update(zip(ID_FIELDS, (head, *encoding.id_levels(product_id)), strict=True))
        title = str(document["title"])
        fields.update(zip(TITLE_FIELDS, encoding.title_levels(fold(title)), strict=True))
        length = self._write_texts(fields, document, title, texts)
        fields["boost"] = _boost(length, encoding.rank(head, self.spread.landmarks))
        return fields

    def _write_attributes(
        self,
        fields: dict[str, object],
        has: list[str],
        attributes: Mapping[str, tuple[Value, ...]],
    ) -> list[Words]:
        """Write the fields of attributes, and return the words of their texts."""
        found: list[Words] = []
        numbers: list[str] = []
        first: dict[str, str] = {}
        terms: dict[str, list[str]] = {}
        for given, values in attributes.items():
            name = encoding.escape(given)
            terms[name] = [encoding.value_term(each) for each in values]
            has.append(ATTRIBUTE_PREFIX + given)
            for each in values:
                if isinstance(each, str):
                    found.append(self.analyzer.read(each))
                elif isinstance(each, Measured):
                    numbers += _number_terms(name, each)
                    found.append(self.analyzer.read(each.text))
            if len(values) > 1:
                has.append(f"list:{name}")
                first[name] = encoding.value_term(min(values, key=lambda each: fold(str(each))))
        fields["a"] = terms
        if first:
            fields["first"] = first
        if numbers:
            fields["numbers"] = numbers
        return found

    def _write_texts(
        self, fields: dict[str, object], document: Document, title: str, noted: Sequence[Words]
    ) -> int:
        """Write the fields of words, and return how many there are in the title."""
        stem, cut = self.analyzer.stem, self.analyzer.cut
        words = cut(title)
        length = len(words)
        stems = list(map(stem, words))
        fields["title"] = " ".join(stems)
        fields["head"] = " ".join(stems[:HEAD_WORDS])
        fields["whole"] = analysis.whole(words)
        if brand := document["brand"]:
            made = self.analyzer.read(str(brand))
            words += made.plain
            stems += made.stems
            fields["makers"] = " ".join(made.stems)
        if noted:
            facts = [each for text in noted for each in text.stems]
            for text in noted:
                words += text.plain
            stems += facts
            fields["facts"] = " ".join(facts)
        fields["words"] = " ".join(dict.fromkeys(words))
        identifiers = [str(each) for name in _CODED if (each := document[name])]
        told = cut(" ".join((*identifiers, str(document["description"] or ""))))
        stems += map(stem, told)
        stems += self.analyzer.plurals((*words, *told))
        fields["all"] = " ".join(dict.fromkeys(stems))
        codes = {analysis.code(each) for each in (*identifiers, str(document["id"]))}
        if gtin := document["gtin"]:
            codes.add(analysis.long_gtin(str(gtin)))
        fields["codes"] = sorted(codes - {""})
        return length


@lru_cache(65_536)
def _number_terms(name: str, value: Measured) -> tuple[str, str]:
    size, own = encoding.hexadecimal(value.size), encoding.hexadecimal(value.own)
    return encoding.size_term(name, value.dimension, size), encoding.own_term(name, own)


def _boost(words: int, rank: float) -> float:
    """Return the weight of a product's matches, as the engine's formula ``log2(2 + boost)`` takes it.

    Args:
        words: How many there are in the title.
        rank: Of the id among all ids, from 0 to 1.
    """
    return float(2 ** (_WORTHS[min(words, _LONG_TITLE)] * (1 + _TIE * (1 - rank))) - 2)

"""The fields of the search engine, and a product as their values.

===============  =====================================================================================
``id``           the product's id, kept, so that one longer than its levels can be read
``h i0 … i4``    its order, see :mod:`~vitrina.adapters.index.encoding`
``l0 … l3``      the order of the folded title
``price …``      what is sorted and cut by size: prices in ten-thousandths, times in microseconds
``boost``        how much a match is worth: more in a short title; ties fall in the order of ids
``brand …``      keywords, equal or not; counted by facets
``has``          the names of all fields that have a value, and ``list:NAME`` for attributes that are lists
``a``            attribute → its values as terms; ``first`` the same for the least value of a list
``numbers``      the attributes' numbers as terms that sort as they do
``title``        words with positions; ``head`` its first three; ``makers`` the brand's words
``facts``        words of tags and attributes
``all``          words of everything, one posting list to match by
``words``        the same without stems but for the description: what typos are mended to
``codes``        sku, gtin, mpn and id without punctuation
``whole``        a digest of the whole title
===============  =====================================================================================
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import tantivy

from vitrina.adapters import codec
from vitrina.adapters.index import analysis, encoding, rows
from vitrina.adapters.index.encoding import ID_LEVELS, TITLE_LEVELS
from vitrina.adapters.index.rows import Measured, Value
from vitrina.domain.text import fold
from vitrina.service_layer.documents import Document
from vitrina.service_layer.queries import ATTRIBUTE_PREFIX

FORMAT: Final = 1
"""Grows whenever products are written to the engine in another way: indexes of another are made anew."""

KEYWORDS: Final = ("brand", "category", "status", "condition", "availability", "tag")
"""Keyword fields that are counted."""

IDENTIFIERS: Final = ("sku", "gtin")
"""Keyword fields that are only filtered by."""

INTEGERS: Final = ("price", "quantity", "created_at", "updated_at")
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

_TIE: Final = 1e-3
"""By how much ids may move a score, so that equal ones fall in the order of ids."""


def build_schema() -> tantivy.Schema:
    """Return the fields of the search engine."""
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
    for name in (*ID_FIELDS, *TITLE_FIELDS):
        builder.add_unsigned_field(name, fast=True)
    for name in INTEGERS:
        builder.add_integer_field(name, fast=True)
    for name in ("rating", "boost"):
        builder.add_float_field(name, fast=True)
    for name in KEYWORDS:
        builder.add_text_field(name, fast=True, tokenizer_name="raw", index_option="basic")
    for name in (*IDENTIFIERS, "has", "numbers", "codes", "whole"):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    for name in ("a", "first"):
        builder.add_json_field(name, fast=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("title", tokenizer_name="stems", index_option="position")
    for name in ("head", "makers", "facts", "all"):
        builder.add_text_field(name, tokenizer_name="stems", index_option="basic")
    builder.add_text_field("words", tokenizer_name="words", index_option="basic")
    return builder.build()


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes products as what the engine indexes.

    Attributes:
        analyzer: For the texts.
        prefix: The prefix that most ids share.
    """

    analyzer: analysis.Analyzer
    prefix: str

    def write(self, product_id: str, body: bytes) -> str:
        """Return the engine's JSON document for a product."""
        document = codec.load(body)
        return codec.dump(self._fields(product_id, document)).decode()

    def _fields(self, product_id: str, document: Document) -> dict[str, object]:
        values = dict(rows.values_of(document))
        title = str(document["title"])
        folded = fold(title)
        head = encoding.head_level(product_id, self.prefix)
        fields: dict[str, object] = {
            "id": product_id,
            "h": head,
            "boost": _boost(folded, head),
            "has": list(values),
        }
        fields.update(zip(ID_FIELDS[1:], encoding.id_levels(product_id), strict=True))
        fields.update(zip(TITLE_FIELDS, encoding.title_levels(folded), strict=True))
        attributes: dict[str, tuple[Value, ...]] = {}
        for name, each in values.items():
            if name.startswith(ATTRIBUTE_PREFIX):
                attributes[encoding.escape(name.removeprefix(ATTRIBUTE_PREFIX))] = each
            else:
                fields[name] = each if name == "tag" else each[0]
        _write_attributes(fields, attributes)
        self._write_texts(fields, document, title, attributes)
        return fields

    def _write_texts(
        self,
        fields: dict[str, object],
        document: Document,
        title: str,
        attributes: Mapping[str, Sequence[Value]],
    ) -> None:
        brand, description = document["brand"] or "", document["description"] or ""
        identifiers = [document[name] or "" for name in ("sku", "gtin", "mpn")]
        facts = " ".join([*map(str, _tags(fields)), *_texts(attributes)])
        names = f"{title} {brand} {facts}"
        first = title.split(None, HEAD_WORDS)[:HEAD_WORDS]
        fields["title"] = title
        fields["head"] = " ".join(first)
        fields["makers"] = brand
        fields["facts"] = facts
        fields["words"] = names
        fields["all"] = f"{names} {' '.join(map(str, identifiers))} {description}"
        codes = {analysis.code(str(each)) for each in (*identifiers, document["id"])}
        codes.add(analysis.long_gtin(str(document["gtin"] or "")))
        fields["codes"] = sorted(codes - {""})
        fields["whole"] = analysis.whole(self.analyzer.split(title))


def _tags(fields: Mapping[str, object]) -> Sequence[str]:
    tags = fields.get("tag", ())
    return tags if isinstance(tags, tuple) else ()


def _texts(attributes: Mapping[str, Sequence[Value]]) -> list[str]:
    found: list[str] = []
    for values in attributes.values():
        for value in values:
            if isinstance(value, str):
                found.append(value)
            elif isinstance(value, Measured):
                found.append(value.text)
    return found


def _write_attributes(
    fields: dict[str, object], attributes: Mapping[str, tuple[Value, ...]]
) -> None:
    if not attributes:
        return
    has = fields["has"]
    assert isinstance(has, list)  # noqa: S101 - written by the caller
    numbers: list[str] = []
    first: dict[str, str] = {}
    terms: dict[str, list[str]] = {}
    for name, values in attributes.items():
        terms[name] = [encoding.value_term(each) for each in values]
        numbers += [term for each in values for term in _number_terms(name, each)]
        if len(values) > 1:
            has.append(f"list:{name}")
            first[name] = encoding.value_term(min(values, key=lambda each: fold(str(each))))
    fields["a"] = terms
    fields["first"] = first
    fields["numbers"] = numbers


@lru_cache(65_536)
def _number_terms(name: str, value: Value) -> tuple[str, ...]:
    if not isinstance(value, Measured):
        return ()
    size, own = encoding.hexadecimal(value.size), encoding.hexadecimal(value.own)
    return encoding.size_term(name, value.dimension, size), encoding.own_term(name, own)


def _boost(folded: str, head: int) -> float:
    """Return the weight of a product's matches, as the engine's formula ``log2(2 + boost)`` takes it."""
    length = len(folded.split())
    longest = 1 + SHORTNESS * _LONG_TITLE / USUAL_TITLE
    worth = longest / (1 + SHORTNESS * min(length, _LONG_TITLE) / USUAL_TITLE)
    return float(2 ** (worth * (1 + _TIE * (1 - head / 2**64))) - 2)

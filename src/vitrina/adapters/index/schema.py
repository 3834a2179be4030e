"""The fields of the search engine.

===============  =====================================================================================
``id``           the product's id as a term
``h i0 … i4``    its place in the order of ids, see :mod:`~vitrina.adapters.index.encoding`: only as many of them as it
                 takes to tell the id, and ``i4`` in any case
``long``         the id itself, stored by the engine, where it is too long for these
``l0 … l3``      the order of the folded title
``price …``      what is sorted and cut by size: prices in ten-thousandths, times in microseconds
``price_step`` … in which bucket of a facet a number is
``boost``        how much a match is worth: more in a short title; ties fall in the order of ids
``brand …``      keywords, equal or not; counted by facets
``lacks``        the names of the fields that most products have (:data:`USUAL`), where there is none
``has``          the names of the other fields that have a value, and ``list:NAME`` for attributes that are lists
``a``            attribute → its values as terms; ``first`` the same for the least value of a list
``numbers``      the attributes' numbers as terms that sort as they do
``title``        words with positions; ``head`` its first three; ``makers`` the brand's words
``facts``        words of tags and attributes
``all``          words of everything, one posting list to match by; plurals with an odd stem also as they are
``words``        what typos are mended to: words without their stems taken, but for the description's
``codes``        sku, gtin, mpn and id without punctuation
``whole``        a digest of the whole title
===============  =====================================================================================

Texts are cut into terms here (see :mod:`~vitrina.adapters.index.analysis`); the engine gets terms between
spaces.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

import tantivy

from vitrina.adapters.index import encoding
from vitrina.adapters.index.encoding import ID_LEVELS, TITLE_LEVELS

FORMAT: Final = 6
"""Grows whenever products are written to the engine in another way: indexes of another are made anew."""

KEYWORDS: Final = ("brand", "category", "status", "condition", "availability", "tag")
"""Keyword fields that are counted."""

IDENTIFIERS: Final = ("sku", "gtin")
"""Keyword fields that are only filtered by."""

INTEGERS: Final = ("price", "quantity", "created_at", "updated_at")

COUNTED: Final = ("price", "quantity", "rating")
"""Number fields that are counted in buckets."""

USUAL: Final = (
    "brand",
    "category",
    "status",
    "condition",
    "availability",
    "sku",
    "price",
    "rating",
    "created_at",
    "updated_at",
)
"""Fields that most products have, so that it costs less to note which have none. All that products are sorted by
are among them."""

RARE: Final = ("gtin", "quantity")
"""The other fields that have one value."""

TERMS: Final = "terms"
"""The tokenizer's name for terms between spaces."""

ID_FIELDS: Final = ("h", *(f"i{n}" for n in range(ID_LEVELS)))
COUNTED_BY: Final = ID_FIELDS[-1]
"""A number that every product has, and that is 0 of almost all: the engine reads such a column soonest."""

TITLE_FIELDS: Final = tuple(f"l{n}" for n in range(TITLE_LEVELS))

_SAMPLE: Final = 4_096
"""About how many ids are looked at to see how all of them are spread."""


def step_field(name: str) -> str:
    """Return the name of the field that tells in which bucket a number is."""
    return f"{name}_step"


def build_schema() -> tantivy.Schema:
    """Return the fields of the search engine."""
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", tokenizer_name="raw", index_option="basic")
    builder.add_bytes_field("long", stored=True, indexed=False, fast=False)
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

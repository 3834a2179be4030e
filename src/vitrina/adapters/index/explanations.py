"""Explanations of what was found: the hits marked, why a product was found, and why another was not.

They are made from the products of one page only, by looking at their words again. Marked texts are
HTML: everything but the marks is escaped.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Final

from vitrina.adapters import codec
from vitrina.adapters.index.analysis import Analyzer
from vitrina.adapters.index.conditions import condition
from vitrina.adapters.index.plans import Plan
from vitrina.adapters.index.rows import Row
from vitrina.adapters.index.spelling import distance
from vitrina.domain.category import CategoryTree
from vitrina.domain.text import fold
from vitrina.service_layer.documents import Document, Json
from vitrina.service_layer.ports import Stored
from vitrina.service_layer.queries import ATTRIBUTE_PREFIX, Filter, FilterValue, Operator
from vitrina.service_layer.times import format_time

SNIPPET_LENGTH: Final = 240
"""Characters of a description that are shown around its first hit."""

SHOWN_LENGTH: Final = 100
"""Characters of a value that are shown to say why a filter keeps its product out."""

_DOCUMENT_NAMES: Final = {"category": "category_id", "tag": "tags"}
_WORD: Final = re.compile(r"[^\W_]+")
_MARKED: Final = ("title", "brand", "description")


@dataclass(frozen=True, slots=True)
class Match:
    """A word of a product that a word of the query means.

    Attributes:
        asked: The word of the query.
        how: ``exact``, ``stem``, ``prefix``, ``typo``, ``joined``, ``split`` or ``synonym``.
        before, after: Of half a word, the stems of what must stand beside it to be the whole; one must.
        stem: Of half a word, its own.
    """

    asked: str
    how: str
    before: frozenset[str] = frozenset()
    after: frozenset[str] = frozenset()
    stem: str = ""


type Meant = Callable[[str], Match | None]
"""What a folded word of a product is to the query."""


def meant_by(plan: Plan, analyzer: Analyzer) -> Meant:
    """Return what words of products are to a plan."""
    by_stem: dict[str, Match] = {}
    for word in reversed(plan.asked):
        for synonym in word.synonyms:
            by_stem |= {analyzer.stem(each): Match(word.text, "synonym") for each in synonym}
        for half in {each for pair in word.halves for each in pair}:
            before = frozenset(first for first, second in word.halves if second == half)
            after = frozenset(second for first, second in word.halves if first == half)
            by_stem[half] = Match(word.text, "split", before, after, half)
        by_stem |= {each: Match(word.text, "joined") for each in word.joined}
        by_stem[word.stem] = Match(word.text, "stem")

    def meant(held: str) -> Match | None:
        for word in plan.asked:
            if word.text == held:
                return Match(word.text, "exact")
        found = by_stem.get(analyzer.stem(held))
        for word in () if found else plan.asked:
            if word.unfinished and held.startswith(word.text):
                return Match(word.text, "prefix")
            # Titles are looked at word by word, descriptions by their stems.
            ways = ((held, word.text), (analyzer.stem(held), word.stem)) if word.typos else ()
            if any(distance(*pair, word.typos) <= word.typos for pair in ways):
                return Match(word.text, "typo")
        return found

    return meant


def highlights(stored: Stored, meant: Meant) -> Document:
    """Return the texts of a product that hold hits, with ``<mark>`` around each."""
    document = codec.load(stored.body)
    found: Document = {}
    for field in _MARKED:
        text = document[field]
        if isinstance(text, str):
            hits = [word.span() for word, _ in _hits(field, text, meant)]
            if hits:
                found[field] = _marked(text, hits, cut=field == "description")
    return found


def _hits(field: str, text: str, meant: Meant) -> Iterator[tuple[re.Match[str], Match]]:
    """Yield the words of a text that are meant; the halves of one only side by side in a title."""
    read = [(each, meant(fold(each[0]))) for each in _WORD.finditer(text)]
    for place, (word, match) in enumerate(read):
        if match is None:
            continue
        if match.how == "split":
            stems = [_half(read, each, match.asked) for each in (place - 1, place + 1)]
            whole = stems[0] in match.before or stems[1] in match.after
            if field != "title" or not whole:
                continue
        yield word, match


def _half(read: Sequence[tuple[re.Match[str], Match | None]], place: int, asked: str) -> str | None:
    """Return the stem of what stands at a place, if that is half of the word asked for."""
    match = read[place][1] if 0 <= place < len(read) else None
    return match.stem if match is not None and match.asked == asked else None


def _marked(text: str, hits: Sequence[tuple[int, int]], *, cut: bool) -> str:
    first, last = 0, len(text)
    if cut and len(text) > SNIPPET_LENGTH:
        first = max(0, hits[0][0] - SNIPPET_LENGTH // 4)
        first = text.rfind(" ", 0, first) + 1 if first else 0
        last = first + SNIPPET_LENGTH
    parts: list[str] = ["…"] if first else []
    place = first
    for start, end in hits:
        if end > last:
            break
        parts += [escape(text[place:start]), "<mark>", escape(text[start:end]), "</mark>"]
        place = end
    parts.append(escape(text[place:last]))
    return "".join(parts) + ("…" if last < len(text) else "")


def explanation(stored: Stored, tree: CategoryTree, asked: Iterable[str], meant: Meant) -> Document:
    """Return in which fields a product holds the words of a query, and in which form."""
    found: dict[str, list[Json]] = {each: [] for each in asked}
    for field, text in _texts(codec.load(stored.body), tree):
        seen: set[tuple[str, str]] = set()
        for each, match in _hits(field, text, meant):
            if match.asked not in found or (match.asked, each[0]) in seen:
                continue
            seen.add((match.asked, each[0]))
            found[match.asked].append({"field": field, "text": each[0], "how": match.how})
    words: list[Json] = [{"word": word, "found": places} for word, places in found.items()]
    held = sum(bool(places) for places in found.values())
    return {"words_held": held, "words": words}


def _texts(document: Document, tree: CategoryTree) -> Iterator[tuple[str, str]]:
    for field in ("title", "brand", "sku", "gtin", "mpn", "description"):
        text = document[field]
        if isinstance(text, str):
            yield field, text
    category_id = document["category_id"]
    if isinstance(category_id, str) and category_id in tree.by_id:
        yield "category", " ".join(tree.path(category_id))
    tags, attributes = document["tags"], document["attributes"]
    if isinstance(tags, Sequence):
        yield "tags", " ".join(map(str, tags))
    if isinstance(attributes, Mapping):
        for name, value in attributes.items():
            yield f"attributes.{name}", _attribute_text(value)


def _attribute_text(value: Json) -> str:
    match value:
        case {"value": number, "unit": unit}:
            return f"{number} {unit}"
        case list():
            return " ".join(map(str, value))
        case bool():
            return ""
        case _:
            return str(value)


def reasons(
    product_id: str,
    stored: Stored | None,
    tree: CategoryTree,
    filters: Iterable[Filter],
    missing: Sequence[str],
) -> Document:
    """Return why a product was not found.

    Args:
        product_id: Of the product.
        stored: The product, if there is one.
        tree: The categories.
        filters: Of the query.
        missing: The words of the query that the product lacks, when it lacks too many.
    """
    removed: list[Json] = []
    if stored is None:
        removed.append({"by": "catalog", "detail": f"There is no product {product_id!r}."})
    else:
        row = Row.of(stored)
        document = codec.load(stored.body)
        removed += [
            {"by": _name(each), "detail": _why(each, _held(document, each.field))}
            for each in filters
            if not condition(each, tree)(row)
        ]
        if missing:
            listed = ", ".join(map(repr, missing))
            removed.append({"by": "q", "detail": f"Too few words are held: it lacks {listed}."})
    return {"id": product_id, "found": not removed, "removed": removed}


def _name(asked: Filter) -> str:
    if asked.operator is Operator.EQ:
        return asked.field
    return f"{asked.field}[{asked.operator.value}]"


def _why(asked: Filter, held: str) -> str:
    values = " or ".join(map(_asked_text, asked.values))
    has = f"is {held}" if held else "has no value"
    return f"Asked for {_name(asked)}={values}; the product's {asked.field} {has}."


def _asked_text(value: FilterValue) -> str:
    match value:
        case bool():
            return str(value).lower()
        case datetime():
            return format_time(value)
        case _:
            return str(value)


def _held(document: Document, field: str) -> str:
    """Return what a product has in a field that can be filtered by, for people; "" where it has nothing."""
    if field.startswith(ATTRIBUTE_PREFIX):
        attributes = document["attributes"]
        value = (
            attributes.get(field.removeprefix(ATTRIBUTE_PREFIX))
            if isinstance(attributes, Mapping)
            else None
        )
    else:
        value = document[_DOCUMENT_NAMES.get(field, field)]
    match value:
        case None | []:
            return ""
        case {"amount": amount, "currency": currency}:
            text = f"{amount} {currency}"
        case {"average": average}:
            text = str(average)
        case {"value": number, "unit": unit}:
            text = f"{number} {unit}"
        case list():
            text = ", ".join(map(str, value))
        case bool():
            text = str(value).lower()
        case _:
            text = str(value)
    return text if len(text) <= SHOWN_LENGTH else f"{text[:SHOWN_LENGTH]}…"

"""A text that somebody typed → what to look for, and what each find is worth.

Every word is looked for as it is, by its stem, in all fields; joined with its neighbour or split in two ("blu
ray", "bluray"), where such words exist; by its synonyms; the last word also by what begins with it; and with
one typo (from 4 letters) or two (from 8), but only a word of letters that the catalog does not know at all. A word is
worth as much as its rarity and the best field it is found in say, and a fixed amount beside, so that
more words count before rarer ones. Neighbours that are neighbours in the title add to that.

Which products match: those that hold at least *m* of the words, where *m* is the greatest number
that at least twenty products of the catalog reach. So all words are required where that finds enough, and a
query whose words nowhere occur together still finds the best there is. The filters play no part in *m*:
a facet's count is what choosing its value finds.

A score depends on the product and the plan alone: on no statistics of the engine that other
products' writes would move. A plan's numbers are part of a page's position, so that all pages of
an answer are ranked alike.
"""

import math
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import tantivy
from tantivy import Occur, Query

from vitrina.adapters.index.analysis import Analyzer, code, long_gtin, whole
from vitrina.adapters.index.narrowing import Narrowing, all_of, any_of, count
from vitrina.adapters.index.notes import Match, Meant
from vitrina.adapters.index.spelling import distance, forgiven
from vitrina.domain.category import CategoryTree
from vitrina.domain.errors import BadCursor

WORDS_MAX: Final = 32
"""How many distinct words are looked for; what follows them is left out."""

UNKNOWN_MAX: Final = 4
"""For how many unknown words of a query typos are looked for: it is the dearest of all looks."""

ENOUGH: Final = 20
"""How many products must hold a number of words for fewer words not to do."""

UNIT: Final = 1_000
"""Worth is counted in whole numbers, so that the engine's single-precision sums are exact."""

PRESENCE: Final = 2.0
"""What any word is worth beside its rarity."""

ANYWHERE_WORTH: Final = 0.5
"""How much of a word's rarity a find is worth, wherever it is."""

FIELD_WORTH: Final[Mapping[str, float]] = {
    "title": 0.5,
    "head": 0.2,
    "makers": 0.5,
    "facts": 0.1,
    "category": 0.1,
    "codes": 1.0,
}
"""How much more it is worth in these fields; what is found in several is worth all of it."""

NEIGHBOURS_WORTH: Final = 1.0
JOINED_WORTH: Final = 0.9
PREFIX_WORTH: Final = 0.8
TYPO_WORTH: Final = (1.0, 0.8, 0.4)
"""What a find with this many typos is worth."""

SYNONYM_WORTH: Final = 0.9
WHOLE_TITLE_WORTH: Final = 500 * UNIT
IDENTIFIER_WORTH: Final = 1_000 * UNIT

UNKNOWN: Final = -1

_RARITY_MAX: Final = 20.0
_WORD_FIELDS: Final = ("title", "head", "makers", "facts")


type Synonyms = Mapping[tuple[str, ...], tuple[tuple[str, ...], ...]]
"""Sequences of folded words → the sequences that mean the same."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a query.

    Attributes:
        text: Folded.
        stem: By which it is indexed.
        joined: It and a neighbour as one word.
        halves: It as two words.
        synonyms: Other words, or sequences of words, for it.
        unfinished: It may be the beginning of a word.
        typos: How many typos are forgiven.
        rarity: Natural logarithm of how rare it is, in whole thousandths; below 0 nothing holds it.
    """

    text: str
    stem: str
    joined: tuple[str, ...] = ()
    halves: tuple[tuple[str, str], ...] = ()
    synonyms: tuple[tuple[str, ...], ...] = ()
    unfinished: bool = False
    typos: int = 0
    rarity: int = UNKNOWN

    def worth(self, field: str = "", share: float = 1.0) -> float:
        """Return what finding this word is worth; in a field, how much more than that."""
        rarity = self.rarity / UNIT
        if field:
            return float(round(UNIT * share * rarity * FIELD_WORTH[field]))
        return float(round(UNIT * share * (PRESENCE + rarity * ANYWHERE_WORTH)))


@dataclass(frozen=True, slots=True)
class Plan:
    """What to look for.

    Attributes:
        asked: The words to look for, also those that nothing holds.
        sequence: The stems of all words in the order they were typed.
        needed: How many of the words a product must hold.
        codes: The identifiers that the whole text is.
        title: The digest of a title that is the whole text.
    """

    asked: tuple[Word, ...]
    sequence: tuple[str, ...]
    needed: int
    codes: tuple[str, ...]
    title: str

    @property
    def words(self) -> list[Word]:
        """The words that can be found."""
        return [each for each in self.asked if each.rarity != UNKNOWN]

    @property
    def numbers(self) -> tuple[int, ...]:
        """What makes another plan for the same text rank as this one does."""
        return (self.needed, *(n for word in self.asked for n in (word.rarity, word.typos)))


class Vocabulary:
    """What a state of the index knows of words."""

    def __init__(
        self,
        searcher: tantivy.Searcher,
        narrowing: Narrowing,
        analyzer: Analyzer,
        categories: "CategoryWords",
        synonyms: Synonyms,
    ) -> None:
        self._searcher = searcher
        self._narrowing = narrowing
        self._schema = narrowing.schema
        self._analyzer = analyzer
        self._synonyms = synonyms
        self._categories = categories

    def plan(self, text: str, numbers: Sequence[int] | None = None) -> Plan:
        """Return what to look for when *text* is asked for.

        Args:
            text: As it was typed.
            numbers: Those of the plan that began the answer, to go on as it did.

        Raises:
            BadCursor: The numbers are not those of a plan for this text.
        """
        typed = self._analyzer.split(text)[: 4 * WORDS_MAX]
        asked = self._asked(typed)
        squeezed = code(text) if len(text) <= 4 * WORDS_MAX else ""
        plan = Plan(
            asked=(),
            sequence=tuple(map(self._analyzer.stem, typed[:WORDS_MAX])),
            needed=0,
            codes=tuple(
                each
                for each in dict.fromkeys((squeezed, long_gtin(squeezed)))
                if self._count("codes", each)
            ),
            title=whole(typed),
        )
        if numbers is None:
            known: list[Word] = []
            for word in asked:
                mended = sum(each.typos > 0 or each.rarity == UNKNOWN for each in known)
                known.append(self._known(word, forgiving=mended < UNKNOWN_MAX))
            plan = replace(plan, asked=tuple(known))
            return replace(plan, needed=self._needed(plan.words))
        needed, *rest = numbers
        if len(rest) != 2 * len(asked):
            raise BadCursor
        words = tuple(
            replace(word, rarity=rarity, typos=typos)
            for word, rarity, typos in zip(asked, rest[::2], rest[1::2], strict=True)
        )
        return replace(plan, asked=words, needed=needed)

    def meant(self, plan: Plan) -> Meant:
        """Return what words of products are to a plan."""
        by_stem: dict[str, Match] = {}
        for word in reversed(plan.asked):
            for synonym in word.synonyms:
                by_stem |= {
                    self._analyzer.stem(each): Match(word.text, "synonym") for each in synonym
                }
            for pair in word.halves:
                by_stem |= {each: Match(word.text, "split") for each in pair}
            by_stem |= {each: Match(word.text, "joined") for each in word.joined}
            by_stem[word.stem] = Match(word.text, "stem")

        def meant(held: str) -> Match | None:
            for word in plan.asked:
                if word.text == held:
                    return Match(word.text, "exact")
            found = by_stem.get(self._analyzer.stem(held))
            for word in () if found else plan.asked:
                if word.unfinished and held.startswith(word.text):
                    return Match(word.text, "prefix")
                if word.typos and distance(held, word.text, word.typos) <= word.typos:
                    return Match(word.text, "typo")
            return found

        return meant

    def match(self, plan: Plan) -> Query:
        """Return what matches a plan, without its worth."""
        matches = [self._match(each) for each in plan.words]
        if 1 < plan.needed < len(matches):
            held = Query.boolean_query([(Occur.Should, each) for each in matches], plan.needed)
        elif plan.needed == 1:
            held = any_of(matches)
        else:
            held = all_of(matches) if matches else Query.empty_query()
        return any_of([held, *(self._term("codes", each) for each in plan.codes)])

    def held(self, word: Word) -> Query:
        """Return what holds one word of a plan."""
        return Query.empty_query() if word.rarity == UNKNOWN else self._match(word)

    def ranked(self, plan: Plan, filters: Query) -> Query:
        """Return what matches a plan and filters, each match with what it is worth."""
        required = all_of([self.match(plan), filters])
        worth = [query for word in plan.words for query in self._worth(word)]
        worth += [
            self._constant(self._phrase(pair), NEIGHBOURS_WORTH * UNIT)
            for pair in dict.fromkeys(zip(plan.sequence, plan.sequence[1:], strict=False))
        ]
        worth.append(self._constant(self._narrowing.term("whole", plan.title), WHOLE_TITLE_WORTH))
        worth += [
            self._constant(self._narrowing.term("codes", each), IDENTIFIER_WORTH)
            for each in plan.codes
        ]
        return Query.boolean_query(
            [
                (Occur.Must, Query.const_score_query(required, 0.0)),
                *((Occur.Should, each) for each in worth),
            ]
        )

    def _asked(self, typed: list[str]) -> list[Word]:
        """Return the words to look for, each once, with the ways to write them differently."""
        words: dict[str, Word] = {}
        last = len(typed) - 1
        telling = [not self._analyzer.says_nothing(each) for each in typed]
        all_empty = not any(telling)
        for place, text in enumerate(typed):
            if not (telling[place] or all_empty) or len(words) == WORDS_MAX:
                continue
            pairs = [typed[at : at + 2] for at in (place - 1, place) if 0 <= at < last]
            joined = dict.fromkeys(self._analyzer.stem("".join(pair)) for pair in pairs)
            word = words.get(text) or Word(
                text,
                self._analyzer.stem(text),
                halves=tuple(self._halves(text)),
                synonyms=tuple(self._others(typed, place)),
            )
            known = (each for each in joined if self._count("all", each))
            words[text] = replace(
                word,
                joined=tuple(dict.fromkeys((*word.joined, *known))),
                unfinished=word.unfinished or (place == last and self._may_go_on(word)),
            )
        return list(words.values())

    def _halves(self, text: str) -> Iterator[tuple[str, str]]:
        """Yield the stems of two words that stand side by side in titles and together are *text*."""
        for cut in range(1, len(text)):
            pair = (self._analyzer.stem(text[:cut]), self._analyzer.stem(text[cut:]))
            known = all(self._count("title", each) for each in pair)
            if known and count(self._searcher, self._phrase(pair)):
                yield pair

    def _may_go_on(self, word: Word) -> bool:
        """Say whether a last word may be the beginning of another.

        A single letter that is a word stands for itself: what begins with it is most of the catalog.
        """
        return len(word.text) > 1 or not self._count("all", word.stem)

    def _others(self, typed: Sequence[str], place: int) -> Iterator[tuple[str, ...]]:
        """Yield the synonyms of the word at *place* and of sequences that it is part of."""
        if not self._synonyms:
            return
        longest = max(map(len, self._synonyms))
        for first in range(max(0, place - longest + 1), place + 1):
            for end in range(place + 1, min(len(typed), first + longest) + 1):
                yield from self._synonyms.get(tuple(typed[first:end]), ())

    def _known(self, word: Word, *, forgiving: bool) -> Word:
        """Return a word with its rarity, and with its typos forgiven where it is unknown."""
        found = self._count("all", word.stem) or self._count("codes", word.text)
        if not found:
            found = count(self._searcher, self._match(word))
        if not found and forgiving and (typos := self._forgiven(replace(word, unfinished=False))):
            word = replace(word, typos=typos, unfinished=False)
            found = count(self._searcher, self._match(word))
        if not found:
            return word
        total = max(self._searcher.num_docs, found)
        rarity = min(math.log(1 + (total - found + 0.5) / (found + 0.5)), _RARITY_MAX)
        return replace(word, rarity=round(rarity * UNIT))

    def _forgiven(self, word: Word) -> int:
        """Return with how many typos an unknown word becomes a known one; 0 is never."""
        for typos in range(1, forgiven(word.text) + 1):
            if count(self._searcher, self._match(replace(word, typos=typos))):
                return typos
        return 0

    def _needed(self, words: Sequence[Word]) -> int:
        """Return the greatest number of words that enough products hold."""
        if len(words) <= 1:
            return len(words)
        matches = [self._match(each) for each in words]
        if count(self._searcher, all_of(matches)) >= ENOUGH:
            return len(words)
        held = Query.boolean_query([(Occur.Should, self._constant(each, 1.0)) for each in matches])
        hits = self._searcher.search(held, ENOUGH, count=False).hits
        return max(1, round(hits[-1][0])) if hits else 1

    def _match(self, word: Word) -> Query:
        """Return what holds a word, in whichever way."""
        return any_of([matched for matched, _, _ in self._ways(word)])

    def _worth(self, word: Word) -> list[Query]:
        """Return queries whose sum is what a find of a word is worth."""
        ways: list[list[Query]] = []
        for matched, share, fields in self._ways(word):
            way = [self._constant(matched, word.worth(share=share))]
            way += [self._constant(each, word.worth(field, share)) for field, each in fields]
            ways.append(way)
        if len(ways) == 1:
            return ways[0]
        # Held in several ways it is still one word: the best of them counts.
        return [Query.disjunction_max_query([any_of(each) for each in ways])]

    def _ways(self, word: Word) -> Iterator[tuple[Query, float, list[tuple[str, Query]]]]:
        """Yield the ways to hold a word.

        Yields:
            What holds it so; the share of the word's worth that this is worth; and the fields
            in which it is worth more, with what holds it there.
        """
        if word.typos:
            mended = Query.fuzzy_term_query(self._schema, "words", word.text, distance=word.typos)
            yield mended, TYPO_WORTH[word.typos], [("title", mended)]
        else:
            fields = [(name, self._term(name, word.stem)) for name in _WORD_FIELDS]
            if self._count("codes", word.text):
                by_code = self._term("codes", word.text)
                yield by_code, 1.0, [("title", by_code), ("codes", by_code)]
            yield self._term("all", word.stem), 1.0, fields
        filed = self._categories.holding(word.stem, unfinished=word.unfinished)
        if filed := [each for each in filed if self._count("category", each)]:
            query = any_of([self._term("category", each) for each in filed])
            yield query, 1.0, [("category", query)]
        for joined in word.joined:
            title = self._term("title", joined)
            yield self._term("all", joined), JOINED_WORTH, [("title", title)]
        for pair in word.halves:
            phrase = self._phrase(pair)
            yield phrase, JOINED_WORTH, [("title", phrase)]
        for synonym in word.synonyms:
            stems = [self._analyzer.stem(each) for each in synonym]
            title = all_of([self._term("title", each) for each in stems])
            yield (
                all_of([self._term("all", each) for each in stems]),
                SYNONYM_WORTH,
                [("title", title)],
            )
        if word.unfinished:
            title = self._beginning("title", word.text)
            yield self._beginning("all", word.text), PREFIX_WORTH, [("title", title)]

    def _beginning(self, field: str, text: str) -> Query:
        return Query.fuzzy_term_query(self._schema, field, text, distance=0, prefix=True)

    def _term(self, field: str, text: str) -> Query:
        return self._narrowing.term(field, text)

    def _phrase(self, pair: tuple[str, str]) -> Query:
        return Query.phrase_query(self._schema, "title", list(pair))

    def _constant(self, query: Query, worth: float) -> Query:
        return Query.const_score_query(query, worth)

    def _count(self, field: str, text: str) -> int:
        return self._searcher.doc_freq(field, text) if text else 0


class CategoryWords:
    """Which categories are called by a word: by their own name, or by one they lie under."""

    def __init__(self, tree: CategoryTree, analyzer: Analyzer) -> None:
        holding: dict[str, set[str]] = {}
        for category in tree:
            for stem in analyzer.stems.analyze(" ".join(tree.path(category.id))):
                holding.setdefault(stem, set()).add(category.id)
        self._stems = sorted(holding)
        self._ids = [sorted(holding[each]) for each in self._stems]

    def holding(self, stem: str, *, unfinished: bool) -> list[str]:
        """Return the ids of the categories that a word names; or begins to name."""
        found: list[str] = []
        for place in range(bisect_left(self._stems, stem), len(self._stems)):
            held = self._stems[place]
            if held != stem and not (unfinished and held.startswith(stem)):
                break
            found += self._ids[place]
        return sorted(set(found))

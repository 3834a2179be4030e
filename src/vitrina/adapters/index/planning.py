"""A text that somebody typed → what to look for.

Every word is looked for as it is, by its stem, in all fields; joined with its neighbour or split in two ("blu
ray", "bluray"), where such words exist; by its synonyms; the last word also by what begins with it; and with
one typo (from 4 letters) or two (from 8), but only a word of letters that the catalog does not know at all; and
among the words of descriptions only when there is none like it anywhere else. A word is
worth as much as its rarity and the best field it is found in say, and a fixed amount beside, so that
more words count before rarer ones. Neighbours that are neighbours in the title add to that. How the engine is
asked for all this is told in :mod:`~vitrina.adapters.index.ranking`.

Which products match: those that hold at least *m* of the words, where *m* is the greatest number
that at least twenty products of the catalog reach. So all words are required where that finds enough, and a
query whose words nowhere occur together still finds the best there is. Where fewer words than all do, one of them
must be a word that is not common, if there is one: whoever asks for "toys musicube" does not want all toys. The
filters play no part in *m*: a facet's count is what choosing its value finds.

A score depends on the product and the plan alone: on no statistics of the engine that other
products' writes would move. A plan's numbers are part of a page's position, so that all pages of
an answer are ranked alike.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import batched
from typing import Final

import tantivy
from tantivy import Occur, Query

from vitrina.adapters.index.analysis import Analyzer, code, long_gtin, whole
from vitrina.adapters.index.category_words import CategoryWords
from vitrina.adapters.index.keeping import Kept
from vitrina.adapters.index.narrowing import (
    Bonus,
    Narrowing,
    all_of,
    any_of,
    bonuses,
    count,
    scored,
)
from vitrina.adapters.index.plans import UNIT, UNKNOWN, Plan, Spelt, Way, Word
from vitrina.adapters.index.spelling import forgiven
from vitrina.domain.errors import BadCursor

WORDS_MAX: Final = 32
"""How many distinct words are looked for; what follows them is left out."""

UNKNOWN_MAX: Final = 4
"""For how many unknown words of a query typos are looked for: it is the dearest of all looks."""

ENOUGH: Final = 20
"""How many products must hold a number of words for fewer words not to do."""

BROAD: Final = 10_000
"""From how many products on a word is common; where all are, what has them in the title comes first."""

SPELT_KEPT: Final = 16_384
"""For how many words it is remembered until the next change what the catalog knows of them: about 8 MB."""

WORDS_KEPT: Final = 4_096
"""For how many words the queries are remembered that the engine is asked with."""

BEGUN_MAX: Final = 16
"""The words that begin so are looked for one by one where they are no more than this."""

SHORT: Final = 3
"""The beginnings of words of at most this many letters are counted to see whether they are common."""

JOINED_WORTH: Final = 0.9
PREFIX_WORTH: Final = 0.8
SYNONYM_WORTH: Final = 0.9
TYPO_WORTH: Final = (1.0, 0.8, 0.4)
"""What a find with this many typos is worth."""

_POSSESSIVE: Final = re.compile(r"\w['\u2019]s\b", re.IGNORECASE)
_BEGUN_FIELDS: Final = ("head", "makers")
_WORD_FIELDS: Final = ("title", "head", "makers", "facts")
RARITY_MAX: Final = 20.0
"""What a word of which nothing is known but that it is there would be worth: no catalog is so large."""

type Synonyms = Mapping[tuple[str, ...], tuple[tuple[str, ...], ...]]
"""Sequences of folded words → the sequences that mean the same."""


class Vocabulary:
    """What a state of the index knows of words."""

    def __init__(
        self,
        searcher: tantivy.Searcher,
        narrowing: Narrowing,
        analyzer: Analyzer,
        categories: CategoryWords,
        synonyms: Synonyms,
    ) -> None:
        self._searcher = searcher
        self._narrowing = narrowing
        self._schema = narrowing.schema
        self.analyzer: Final = analyzer
        self._synonyms = synonyms
        self._categories = categories
        self._ways = Kept[Word, tuple[Way, ...]](WORDS_KEPT)
        self._matches = Kept[Word, Query](WORDS_KEPT)
        self._pairs = Kept[str, tuple[tuple[str, str], ...]](SPELT_KEPT)
        self._titled = Kept[str, str](SPELT_KEPT)
        """What words begin with → its stem, or "" where no title holds that."""
        self.bonuses = Kept[tuple[Word, bool, bool], tuple[float, Sequence[Bonus]]](WORDS_KEPT)
        """What the ranking makes of words; kept here, as it is good for this state."""
        self._rarities = Kept[tuple[Spelt, bool], Word](SPELT_KEPT)

    def plan(self, text: str, numbers: Sequence[int] | None = None) -> Plan:
        """Return what to look for when *text* is asked for: all of its words.

        Args:
            text: As it was typed.
            numbers: Those of the plan that began the answer, to go on as it did.

        Raises:
            BadCursor: The numbers are not those of a plan for this text.
        """
        typed = self.analyzer.split(text)[: 4 * WORDS_MAX]
        asked = self._asked(typed, possessive=_POSSESSIVE.search(text) is not None)
        if numbers is None:
            known = self._all_known(asked)
            needed = sum(each.rarity != UNKNOWN for each in known)
        else:
            known, needed = _as_begun(list(map(self._word, asked)), numbers)
        squeezed = code(text) if len(text) <= 4 * WORDS_MAX else ""
        codes = (squeezed, padded) if (padded := long_gtin(squeezed)) else (squeezed,)
        return Plan(
            asked=tuple(known),
            sequence=tuple(map(self.analyzer.stem, typed[:WORDS_MAX])),
            needed=needed,
            codes=tuple([each for each in dict.fromkeys(codes) if self._count("codes", each)]),
            title=whole(typed),
        )

    def _all_known(self, asked: Sequence[Spelt]) -> list[Word]:
        """Return words with what the catalog knows of them; typos of a few are forgiven."""
        known: list[Word] = []
        mended = 0
        for each in asked:
            word = self._known(each, forgiving=mended < UNKNOWN_MAX)
            mended += word.typos > 0 or word.rarity == UNKNOWN
            known.append(word)
        return known

    def relaxed(self, plan: Plan) -> Plan:
        """Return a plan of the same words, but for as many of them as enough products hold.

        Args:
            plan: Of all words, which too few products hold.
        """
        if len(plan.words) == 2 and not plan.broad:  # noqa: PLR2004 - too few hold both
            return replace(plan, needed=1)
        matches = [self._match(each) for each in plan.words]
        some = self.match(replace(plan, needed=1))
        # Where a rare word must be among them, few products match of all that hold the common ones.
        wide = len({each.common for each in plan.words}) == 1
        query = scored(some, 0.0, bonuses([(each, 1.0) for each in matches], wide=wide))
        hits = self._searcher.search(query, ENOUGH, count=False).hits
        return replace(plan, needed=max(1, round(hits[-1][0])) if hits else 1)

    def holding(self, word: Word) -> float:
        """Return about how many products hold a word, as its rarity tells."""
        # A position may come with any number for the rarity.
        rarity = min(max(word.rarity / UNIT, 0.0), RARITY_MAX)
        return self._searcher.num_docs / math.exp(rarity)

    def rarest(self, plan: Plan) -> float:
        """Return about how many products hold the rarest word of a plan."""
        return min(map(self.holding, plan.words), default=self._searcher.num_docs)

    def commonest(self, plan: Plan) -> float:
        """Return about how many products hold the commonest word of a plan."""
        return max(map(self.holding, plan.words), default=0)

    def match(self, plan: Plan) -> Query:
        """Return what matches a plan, without its worth."""
        held = self._held(plan)
        return any_of([held, *(self.term("codes", each) for each in plan.codes)])

    def _held(self, plan: Plan) -> Query:
        """Return what holds enough words of a plan."""
        words = [(each, self._match(each)) for each in plan.words]
        matches = [match for _, match in words]
        if plan.all_needed:
            return all_of(matches) if matches else Query.empty_query()
        telling = [match for word, match in words if not word.common] or matches
        if plan.needed == 1:
            return any_of(telling)
        held = Query.boolean_query([(Occur.Should, each) for each in matches], plan.needed)
        return held if len(telling) == len(matches) else all_of([any_of(telling), held])

    def held(self, word: Word) -> Query:
        """Return what holds one word of a plan."""
        return Query.empty_query() if word.rarity == UNKNOWN else self._match(word)

    def ways(self, word: Word) -> tuple[Way, ...]:
        """Return the ways to hold a word, what is worth more before what is worth less."""
        return self._ways.find(word, lambda: tuple(self._find_ways(word)))

    def _find_ways(self, word: Word) -> Iterator[Way]:
        share = TYPO_WORTH[word.typos]
        filed = self._filed(word)
        if word.typos:
            mended = self._mended("words", word)
            if filed or count(self._searcher, mended):
                yield Way(mended, share, [("title", mended)])
            else:
                yield Way(self._mended("all", word), share, [])
        else:
            holding = [name for name in _WORD_FIELDS if self._count(name, word.stem)]
            fields = [(name, self.term(name, word.stem)) for name in holding]
            if self._count("codes", word.text):
                by_code = self.term("codes", word.text)
                yield Way(by_code, 1.0, [("title", by_code), ("codes", by_code)])
            yield Way(self.term("all", word.stem), 1.0, fields)
        if filed:
            query = any_of([self.term("category", each) for each in filed])
            yield Way(query, share, [("category", query)])
        for joined in word.joined:
            yield Way(self._anywhere(joined), JOINED_WORTH, [("title", self.term("title", joined))])
        for pair in word.halves:
            phrase = self.phrase(pair)
            yield Way(phrase, JOINED_WORTH, [("title", phrase)])
        for synonym in word.synonyms:
            stems = [self.analyzer.stem(each) for each in synonym]
            everywhere, titled = (
                all_of([self.term(field, each) for each in stems]) for field in ("all", "title")
            )
            yield Way(everywhere, SYNONYM_WORTH, [("title", titled)])
        if word.unfinished and self._begins_others(word):
            titled = self._beginning("title", word.text)
            begun = [
                (name, query) for name in _BEGUN_FIELDS for query in self._begun(name, word.text)
            ]
            everywhere = self._beginning("all", word.text)
            yield Way(everywhere, PREFIX_WORTH, [("title", titled), *begun])

    def _mended(self, field: str, word: Word) -> Query:
        """Return what holds a word but for its typos: among ``words``, or among the stems of ``all``."""
        text = word.text if field == "words" else word.stem
        return Query.fuzzy_term_query(self._schema, field, text, distance=word.typos)

    def _anywhere(self, stem: str) -> Query:
        """Return what holds a word by its stem, or is in a category of which it names one."""
        filed = self._categories.holding(stem, unfinished=False)
        return any_of([self.term("all", stem), *(self.term("category", each) for each in filed)])

    def headed(self, word: Word) -> Query:
        """Return what holds a word, or one that it may be the beginning of, at the head of its title."""
        begun = [self._beginning("head", word.text)] if word.unfinished else []
        return any_of([self.term("head", word.stem), *begun])

    def term(self, field: str, text: str) -> Query:
        """Return what holds a term in a field."""
        return self._narrowing.term(field, text)

    def beside(self, pair: tuple[str, str]) -> Iterator[Query]:
        """Yield what holds two stems side by side in its title, if both are in any."""
        if all(self._count("title", each) for each in pair):
            yield self.phrase(pair)

    def titled(self, digest: str) -> Iterator[Query]:
        """Yield what has a whole title, if anything has."""
        if self._count("whole", digest):
            yield self.term("whole", digest)

    def phrase(self, pair: tuple[str, str]) -> Query:
        """Return what holds two stems side by side in its title."""
        return Query.phrase_query(self._schema, "title", list(pair))

    def _asked(self, typed: list[str], *, possessive: bool) -> list[Spelt]:
        """Return the words to look for, each once, with the ways to write them differently.

        Args:
            typed: All words.
            possessive: An "s" among them says whose something is.
        """
        places: dict[str, list[int]] = {}
        last = len(typed) - 1
        telling = [
            not (self.analyzer.says_nothing(each) or (possessive and each == "s")) for each in typed
        ]
        all_empty = not any(telling)
        for place, text in enumerate(typed):
            if (telling[place] or all_empty) and (text in places or len(places) < WORDS_MAX):
                places.setdefault(text, []).append(place)
        joined = [*map(self._joined, typed, typed[1:])]
        return [
            Spelt(
                text,
                tuple(_beside(joined, at)) if any(joined) else (),
                tuple(self._others(typed, at[0])) if self._synonyms else (),
                last in at and self._may_go_on(text),
            )
            for text, at in places.items()
        ]

    def _joined(self, first: str, second: str) -> str:
        """Return the stem of two neighbours as one word; "" where nothing holds it."""
        stem = self.analyzer.stem(first + second)
        known = self._count("all", stem) or self._categories.holding(stem, unfinished=False)
        return stem if known else ""

    def _word(self, spelt: Spelt) -> Word:
        """Return a word of which is not yet known what the catalog knows."""
        return Word(
            spelt.text,
            self.analyzer.stem(spelt.text),
            joined=spelt.joined,
            halves=self._pairs.find(spelt.text, partial(self._halves, spelt.text)),
            synonyms=spelt.synonyms,
            unfinished=spelt.unfinished,
        )

    def _halves(self, text: str) -> tuple[tuple[str, str], ...]:
        """Return the stems of two words that stand side by side in titles and together are *text*."""
        pairs: list[tuple[str, str]] = []
        for cut in range(1, len(text)):
            first = self._titled.find(text[:cut], partial(self._stem_in_titles, text[:cut]))
            if not first:
                continue
            pair = (first, self.analyzer.stem(text[cut:]))
            if self._count("title", pair[1]) and count(self._searcher, self.phrase(pair)):
                pairs.append(pair)
        return tuple(pairs)

    def _stem_in_titles(self, text: str) -> str:
        """Return the stem of a word; "" where no title holds it."""
        stem = self.analyzer.stem(text)
        return stem if self._count("title", stem) else ""

    def _may_go_on(self, text: str) -> bool:
        """Say whether a last word may be the beginning of another.

        A single letter that is a word stands for itself: what begins with it is most of the catalog.
        """
        return len(text) > 1 or not self._count("all", self.analyzer.stem(text))

    def _others(self, typed: Sequence[str], place: int) -> Iterator[tuple[str, ...]]:
        """Yield the synonyms of the word at *place* and of sequences that it is part of."""
        longest = max(map(len, self._synonyms))
        for first in range(max(0, place - longest + 1), place + 1):
            for end in range(place + 1, min(len(typed), first + longest) + 1):
                yield from self._synonyms.get(tuple(typed[first:end]), ())

    def _known(self, spelt: Spelt, *, forgiving: bool) -> Word:
        """Return a word with its rarity, and with its typos forgiven where it is unknown."""
        key = spelt, forgiving
        return self._rarities.find(key, lambda: self._find_out(spelt, forgiving=forgiving))

    def _find_out(self, spelt: Spelt, *, forgiving: bool) -> Word:
        word = self._word(spelt)
        found = self._count("all", word.stem) or self._count("codes", word.text)
        if not found:
            found = count(self._searcher, self._match(word))
        if not found and forgiving and (typos := self._forgiven(replace(word, unfinished=False))):
            word = replace(word, typos=typos, unfinished=False)
            found = count(self._searcher, self._match(word))
        if not found:
            return word
        total = max(self._searcher.num_docs, found)
        rarity = min(math.log(1 + (total - found + 0.5) / (found + 0.5)), RARITY_MAX)
        return replace(word, rarity=round(rarity * UNIT), common=self._is_common(word))

    def _forgiven(self, word: Word) -> int:
        """Return with how many typos an unknown word becomes a known one; 0 is never.

        What is only told in descriptions is looked at last.
        """
        tries = [replace(word, typos=each) for each in range(1, forgiven(word.text) + 1)]
        for each in tries:
            if self._filed(each) or count(self._searcher, self._mended("words", each)):
                return each.typos
        for each in tries[: forgiven(word.stem)]:
            if count(self._searcher, self._mended("all", each)):
                return each.typos
        return 0

    def _is_common(self, word: Word) -> bool:
        """Say whether very many products hold a word; where that is dear to tell, they do not."""
        held = self._count("all", word.stem)
        held += sum(self._count("category", each) for each in self._filed(word))
        if held < BROAD and word.unfinished and len(word.text) <= SHORT:
            held = count(self._searcher, self._beginning("all", word.text))
        return held >= BROAD

    def _filed(self, word: Word) -> list[str]:
        """Return the ids of the categories with products that a word names."""
        filed = (
            self._categories.alike(word.text, word.typos)
            if word.typos
            else self._categories.holding(word.stem, unfinished=word.unfinished)
        )
        return [each for each in filed if self._count("category", each)]

    def _match(self, word: Word) -> Query:
        """Return what holds a word, in whichever way."""
        return self._matches.find(word, lambda: any_of([each.matched for each in self.ways(word)]))

    def _begins_others(self, word: Word) -> bool:
        """Say whether a word is the beginning of any other than itself; very short ones are."""
        if len(word.text) < SHORT:
            return True
        begun = self._searcher.terms_with_prefix("all", word.text, limit=2)
        return any(each != word.stem for each, _ in begun)

    def _begun(self, field: str, text: str) -> Iterator[Query]:
        """Yield what holds a word that begins so in a field; nothing where these are very many, or none."""
        if len(text) >= SHORT:
            begun = self._searcher.terms_with_prefix(field, text, limit=BEGUN_MAX + 1)
            if 0 < len(begun) <= BEGUN_MAX:
                yield any_of([self.term(field, each) for each, _ in begun])

    def _beginning(self, field: str, text: str) -> Query:
        if len(text) >= SHORT:
            # To look for the words of the catalog is cheaper than to let each query find them out.
            begun = self._searcher.terms_with_prefix(field, text, limit=BEGUN_MAX + 1)
            if len(begun) <= BEGUN_MAX:
                return any_of([self.term(field, each) for each, _ in begun])
        return Query.fuzzy_term_query(self._schema, field, text, distance=0, prefix=True)

    def _count(self, field: str, text: str) -> int:
        return self._searcher.doc_freq(field, text) if text else 0


def _beside(joined: Sequence[str], places: Iterable[int]) -> dict[str, None]:
    """Return what the words at some places and their neighbours are together, each once.

    Args:
        joined: What each two neighbours are; "" is nothing.
        places: Of the words.
    """
    return dict.fromkeys(
        [each for place in places for each in joined[max(place - 1, 0) : place + 1] if each]
    )


def _as_begun(asked: Sequence[Word], numbers: Sequence[int]) -> tuple[list[Word], int]:
    """Return words as they were when an answer was begun, and how many of them were needed.

    Raises:
        BadCursor: The numbers are not those of a plan of these words.
    """
    if len(numbers) != 1 + 3 * len(asked):
        raise BadCursor
    needed, *rest = numbers
    if not all(0 <= typos < len(TYPO_WORTH) for typos in rest[1::3]):
        raise BadCursor
    words = [
        replace(word, rarity=rarity, typos=typos, common=bool(common))
        for word, (rarity, typos, common) in zip(asked, batched(rest, 3, strict=True), strict=True)
    ]
    return words, needed

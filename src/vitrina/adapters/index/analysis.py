"""Text → the terms it is found by.

Words are runs of letters and digits, in lower case, without accents, and reduced to their stem in the
catalog's language, so that "Lâmpadas" is found by "lampada". Accents go before the stem is taken:
people leave them out, and both spellings must lead to one stem. Plurals that a stemmer does not see through are
brought to their singular first (:mod:`~vitrina.adapters.index.plurals`). Words that say nothing ("the", "de") are indexed
like all others, but left out of a query that has better ones.

Texts are cut here, once for all fields that hold them, and given to the engine as terms between spaces: a
catalog has few different words, whose stems are remembered, while the engine would cut and stem each
text anew for each field. Texts of ASCII characters are cut without the engine; all others by it.
"""

import re
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Final, NamedTuple

import tantivy

from vitrina.adapters.index.memories import Memory
from vitrina.adapters.index.plurals import singular
from vitrina.adapters.index.spelling import mistakable
from vitrina.domain.text import fold

LANGUAGES: Final[Mapping[str, str]] = {
    "ar": "arabic",
    "da": "danish",
    "nl": "dutch",
    "en": "english",
    "fi": "finnish",
    "fr": "french",
    "de": "german",
    "el": "greek",
    "hu": "hungarian",
    "it": "italian",
    "no": "norwegian",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "es": "spanish",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
}
"""The languages whose words can be reduced to their stems, by BCP 47 tag."""

TERM_LENGTH_MAX: Final = 64
"""Longer words are not indexed."""

STOP_WORDS: Final[Mapping[str, frozenset[str]]] = {
    "en": frozenset(
        """a an and are as at be but by for from has have if in into is it its no not of on or such
        that the their then there these they this to was we were will with you your""".split()
    ),
    "pt": frozenset(
        """a ao aos as com como da das de do dos e em entre era essa esse esta este eu foi ha isso
        isto ja mais mas me mesmo meu minha muito na nas nao nem no nos o os ou para pela pelas pelo
        pelos por qual quando que quem se sem ser seu sua so tambem te tem um uma voce""".split()
    ),
    "es": frozenset(
        """a al algo ante antes como con contra cual cuando de del desde donde e el ella en entre era
        es esa ese esta este esto ha hay la las le les lo los mas me mi muy ni no nos o otra otro
        para pero por porque que se ser si sin sobre son su sus tambien te tiene tu un una uno y
        ya""".split()
    ),
}
"""Words that say nothing, folded; other languages have none."""

STEMS_KEPT: Final = 200_000
"""How many words are remembered with their stems: about 25 MB."""

ODD_KEPT: Final = 20_000
"""How many words that are not of ASCII characters are remembered as they are folded."""

TEXTS_KEPT: Final = 20_000
"""How many texts are remembered with their words, such as brands: about 10 MB."""

KEPT_LENGTH_MAX: Final = 64
"""Longer texts are not remembered: they are seldom the same, and may be of any length."""

_PUNCTUATION: Final = bytes(each for each in range(128) if not chr(each).isalnum())
_CODE: Final = re.compile(r"[^0-9a-z]+")
_WORDS: Final = bytes(ord(chr(each).lower()) if chr(each).isalnum() else 32 for each in range(128))
_TO_WORDS: Final = _WORDS + bytes(range(128, 256))


class Words(NamedTuple):
    """The words of a text, between spaces.

    Attributes:
        mistakable: Those that a typo may be of, without their stems taken.
        stems: The stems of all.
        terms: What all are found by.
    """

    mistakable: str
    stems: str
    terms: str


class Analyzer:
    """Cuts texts of one language into terms."""

    def __init__(self, language: str) -> None:
        """Prepare for *language*, a key of :data:`LANGUAGES`."""
        words = _builder().build()
        stems = _builder().filter(tantivy.Filter.stemmer(LANGUAGES[language])).build()
        self._stop = STOP_WORDS.get(language, frozenset())
        to_singular = singular(language)

        def find_stem(word: str) -> str:
            return "".join(stems.analyze(to_singular(word))[:1])

        def find_terms(word: str) -> str:
            stem = self.stem(word)
            return stem if to_singular(word) == word else f"{stem} {word}"

        self._odd = Memory(words.analyze, ODD_KEPT, _is_short)
        self.stem: Final = Memory(find_stem, STEMS_KEPT, _is_short).__getitem__
        self.terms: Final = Memory(find_terms, STEMS_KEPT, _is_short).__getitem__
        """Returns what a folded word is found by: its stem, and the word itself where its stem is that of its singular.

        Such a stem does not begin as the word does, so whoever has typed half of it must find the word itself.
        """
        self._texts = Memory(self._words_of, TEXTS_KEPT, _is_short)
        self.read: Final = self._texts.__getitem__
        """Returns the words of a text that many products have, such as a brand; they are remembered."""

    def split(self, text: str) -> list[str]:
        """Return the words of a text, folded, without their stems taken."""
        words = self.cut(text)
        if len(text) < TERM_LENGTH_MAX or len(max(words, key=len, default="")) < TERM_LENGTH_MAX:
            return words
        return [each for each in words if len(each) < TERM_LENGTH_MAX]

    def cut(self, text: str) -> list[str]:
        """Return the words of a text as :meth:`split` does; those that are too long may be among them."""
        words = text.encode().translate(_TO_WORDS).decode().split()
        if text.isascii():
            return words
        odd = self._odd
        return [each for word in words for each in ((word,) if word.isascii() else odd[word])]

    def stems(self, text: str) -> list[str]:
        """Return the stems of the words of a text, in order."""
        return list(map(self.stem, self.split(text)))

    def _words_of(self, text: str) -> Words:
        words = self.cut(text)
        return Words(
            " ".join(mistakable(words)),
            " ".join(map(self.stem, words)),
            " ".join(map(self.terms, words)),
        )

    def says_nothing(self, word: str) -> bool:
        """Say whether a folded word is one of the language's stop words."""
        return word in self._stop


def _is_short(text: str) -> bool:
    return len(text) <= KEPT_LENGTH_MAX


def written_terms() -> tantivy.TextAnalyzer:
    """Return what reads terms between spaces, as they are given to the engine."""
    terms = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace())
    return terms.filter(tantivy.Filter.remove_long(TERM_LENGTH_MAX)).build()


def _builder() -> tantivy.TextAnalyzerBuilder:
    return (
        tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
        .filter(tantivy.Filter.lowercase())
        .filter(tantivy.Filter.ascii_fold())
        .filter(tantivy.Filter.remove_long(TERM_LENGTH_MAX))
    )


def code(text: str) -> str:
    """Return an identifier without case, white space and punctuation: ``SKU-0012`` → ``sku0012``."""
    if text.isascii():
        return text.encode().translate(_TO_WORDS, _PUNCTUATION).decode()
    return _CODE.sub("", fold(text))


def long_gtin(text: str) -> str:
    """Return a GTIN of any length with the 14 digits that all of them can have; else ``""``."""
    return text.zfill(14) if text.isascii() and text.isdigit() and 8 <= len(text) <= 14 else ""  # noqa: PLR2004


def whole(words: Sequence[str]) -> str:
    """Return a short digest of a whole text's words, to find titles that are equal but for case."""
    known = " ".join(words)
    if len(known) >= TERM_LENGTH_MAX:
        known = " ".join([each for each in words if len(each) < TERM_LENGTH_MAX])
    return blake2b(known.encode(), digest_size=8).hexdigest()

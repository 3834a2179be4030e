"""Plurals that a stemmer does not see through: ``women``, ``cartões``, ``luces``.

The engine's stemmers cut endings off and know no vowels that change. They also expect accents, which people
leave out and which are gone when a stem is taken. So these words are brought to their singular first. The
rules are those of grammars; a word that only looks like a plural becomes something that is no word, which
does no harm, as it does so wherever it stands.
"""

from collections.abc import Callable, Mapping
from typing import Final

_ENGLISH: Final[Mapping[str, str]] = {
    "calves": "calf",
    "canvases": "canvas",
    "cds": "cd",
    "dvds": "dvd",
    "elves": "elf",
    "feet": "foot",
    "gases": "gas",
    "geese": "goose",
    "halves": "half",
    "hdtvs": "hdtv",
    "hooves": "hoof",
    "lenses": "lens",
    "loaves": "loaf",
    "lcds": "lcd",
    "men": "man",
    "mens": "man",
    "mice": "mouse",
    "teeth": "tooth",
    "thieves": "thief",
    "tvs": "tv",
    "wives": "wife",
    "buses": "bus",
}

_ENGLISH_ENDINGS: Final[Mapping[str, str]] = {
    "children": "child",
    "childrens": "child",
    "knives": "knife",
    "leaves": "leaf",
    "scarves": "scarf",
    "shelves": "shelf",
    "wolves": "wolf",
    "women": "woman",
    "womens": "woman",
}
"""Also of words that are made of these and another, such as ``bookshelves``. Apostrophes are often left out."""

_NOT_ENGLISH: Final = frozenset({"cleaves"})

_PORTUGUESE: Final[Mapping[str, str]] = {
    "ageis": "agil",
    "barris": "barril",
    "canis": "canil",
    "dificeis": "dificil",
    "doceis": "docil",
    "esteis": "estil",
    "estereis": "esteril",
    "faceis": "facil",
    "ferteis": "fertil",
    "fosseis": "fossil",
    "frageis": "fragil",
    "funis": "funil",
    "fuzis": "fuzil",
    "herois": "heroi",
    "inuteis": "inutil",
    "maes": "mae",
    "perfis": "perfil",
    "projeteis": "projetil",
    "repteis": "reptil",
    "texteis": "textil",
    "uteis": "util",
    "vinis": "vinil",
}

_PORTUGUESE_ENDINGS: Final[Mapping[str, str]] = {
    "ateis": "atil",
    "ntis": "ntil",
    "oes": "ao",
    "aes": "ao",
    "aos": "ao",
    "ais": "al",
    "eis": "el",
    "ois": "ol",
    "uis": "ul",
    "aus": "au",
    "eus": "eu",
    "ns": "m",
}

_NOT_PORTUGUESE: Final = frozenset(
    """bois cais caos demais depois deus dois jamais jeans leis mais meus pais quais reis seis seus shoes
    teus""".split()
)

_SPANISH: Final[Mapping[str, str]] = {
    "cespedes": "cesped",
    "paredes": "pared",
    "redes": "red",
}

_SPANISH_ENDINGS: Final[Mapping[str, str]] = {
    "ares": "ar",
    "eres": "er",
    "ores": "or",
    "dades": "dad",
    # "luces", "luz" and "dulce" have one stem when all of them end like the last.
    "z": "ce",
}

_ENDINGS: Final[Mapping[str, tuple[Mapping[str, str], Mapping[str, str], frozenset[str]]]] = {
    "en": (_ENGLISH, _ENGLISH_ENDINGS, _NOT_ENGLISH),
    "pt": (_PORTUGUESE, _PORTUGUESE_ENDINGS, _NOT_PORTUGUESE),
    "es": (_SPANISH, _SPANISH_ENDINGS, frozenset()),
}

_SHORTEST: Final = 3
"""Of shorter words no ending is looked at."""


def _unchanged(word: str) -> str:
    return word


def singular(language: str) -> Callable[[str], str]:
    """Return what brings a folded word of a language to its singular, where a stemmer would not.

    >>> singular("pt")("cartoes"), singular("en")("women"), singular("de")("haeuser")
    ('cartao', 'woman', 'haeuser')
    """
    if language not in _ENDINGS:
        return _unchanged
    words, endings, others = _ENDINGS[language]
    longest = tuple(sorted(endings, key=len, reverse=True))

    def of(word: str) -> str:
        if known := words.get(word):
            return known
        if len(word) < _SHORTEST or word in others or not word.endswith(longest):
            return word
        ending = next(each for each in longest if word.endswith(each))
        return word.removesuffix(ending) + endings[ending]

    return of

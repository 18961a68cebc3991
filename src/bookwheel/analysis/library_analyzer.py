"""The analysis of a library that holds texts of several languages.

Each document is analysed in its own language, and its terms carry a tag of that language (``ENrun``; terms are casefolded, so
that no term begins with two capital letters by itself). A query's word has a form in each language that the library holds. A
passage is of one language, and so it never has two forms of one word: they compete, and never add up.

Documents that are too short to tell, or of no language (names, numbers), are analysed as those of most documents are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property

from .analyzer import Analyzer, languages
from .languages import BY_SCRIPT
from .stop_words import stop_words

__all__ = ["UNDECIDED", "Held", "LibraryAnalyzer", "bare", "language_of_term", "most_documents", "stemmed_as", "tag"]

UNDECIDED = ""
"""Stands for the language of documents that are analysed as the others are."""

_CODES = {
    "arabic": "AR", "armenian": "HY", "basque": "EU", "catalan": "CA", "czech": "CS", "danish": "DA", "dutch": "NL",
    "english": "EN", "esperanto": "EO", "estonian": "ET", "finnish": "FI", "french": "FR", "german": "DE", "greek": "EL",
    "hindi": "HI", "hungarian": "HU", "indonesian": "ID", "irish": "GA", "italian": "IT", "lithuanian": "LT", "nepali": "NE",
    "norwegian": "NO", "persian": "FA", "polish": "PL", "portuguese": "PT", "romanian": "RO", "russian": "RU", "serbian": "SR",
    "sesotho": "ST", "spanish": "ES", "swedish": "SV", "tamil": "TA", "turkish": "TR", "yiddish": "YI",
}  # fmt: skip

_BY_CODE = {code: language for language, code in _CODES.items()}


@dataclass(frozen=True, slots=True)
class Held:
    """How much of one language a library holds, alive."""

    documents: int = 0
    passages: int = 0

    def plus(self, documents: int, passages: int) -> Held:
        """With so many more."""
        return Held(self.documents + documents, self.passages + passages)


@cache
def stemmed_as(language: str | None) -> str | None:
    """The Snowball language in which documents of ``language`` are analysed; None where there is none."""
    return language if language in _CODES and language in languages() else None


def tag(language: str | None) -> str:
    """What the terms of a Snowball language begin with; nothing without a language."""
    return "" if language is None else _CODES[language]


def bare(term: str) -> str:
    """``term`` without its tag."""
    return term[2:] if len(term) > 2 and term[0].isascii() and term[:2].isupper() and term[1].isascii() else term


def language_of_term(term: str) -> str | None:
    """The language whose tag ``term`` has."""
    return None if bare(term) is term else _BY_CODE.get(term[:2])


def most_documents(held: Mapping[str, Held]) -> str | None:
    """The Snowball language of most documents, by which those without a language go; of equals the first by name.

    Not one whose script tells it, while there is another: what is of no language is not in that script.
    """
    counts: dict[str | None, int] = {}
    told = {language: some.documents for language, some in held.items() if language != UNDECIDED and some.documents > 0}
    for language in told:
        if language not in BY_SCRIPT or told.keys() <= BY_SCRIPT:
            counts[stemmed_as(language)] = counts.get(stemmed_as(language), 0) + told[language]
    return min(counts, key=lambda name: (-counts[name], name or ""), default=None)


class LibraryAnalyzer:
    """Words into terms, in every language that a library holds.

    ``fixed`` is the one analyzer of a library whose language was given: its terms have no tags. Else ``held`` says how many
    documents and passages there are by language. Equal for equal libraries, whatever order they were made in.
    """

    def __init__(self, fixed: Analyzer | None, held: Mapping[str, Held]) -> None:
        self.fixed = fixed
        self.main = most_documents(held) if fixed is None else fixed.language
        """The language of most documents."""
        passages: dict[str | None, int] = {}
        for language, some in held.items():
            if some.documents > 0:
                kind = self.main if fixed is not None or language == UNDECIDED else stemmed_as(language)
                passages[kind] = passages.get(kind, 0) + some.passages
        others = sorted(name for name in passages if name != self.main and name is not None)
        self.languages: tuple[str | None, ...] = (self.main, *others)
        """Those that texts are analysed in; the one of most documents first."""
        if None in passages and self.main is not None:
            self.languages += (None,)
        self.passages = passages
        """Living passages by those languages."""
        self._tags = {language: "" if fixed is not None else tag(language) for language in self.languages}
        self._analyzers = {language: Analyzer.for_language(language) if fixed is None else fixed for language in self.languages}

    @cached_property
    def only(self) -> Analyzer | None:
        """The one analyzer, where all texts are analysed in one language."""
        return self._analyzers[self.main] if len(self.languages) == 1 else None

    def of(self, language: str | None) -> Analyzer:
        """The analyzer of one of ``languages``."""
        return self._analyzers[language]

    def analysed_as(self, language: str | None) -> str | None:
        """In which of ``languages`` a document is analysed that was found to be written in ``language``."""
        if self.fixed is not None or not language:
            return self.main
        return stemmed_as(language)

    def words(self, text: str) -> list[str]:
        """The raw words of ``text``."""
        return self._analyzers[self.main].words(text)

    def __call__(self, text: str) -> list[str]:
        """All terms of ``text`` in order, each word in every language."""
        return [term for word in self.words(text) for term in self.terms(word)]

    def terms(self, word: str) -> tuple[str, ...]:
        """The terms of one raw word in every language."""
        if self.only is not None:
            return self.terms_in(word, self.main)
        return tuple(dict.fromkeys(term for language in self.languages for term in self.terms_in(word, language)))

    def terms_in(self, word: str, language: str | None) -> tuple[str, ...]:
        """The terms of one raw word in a text of ``language``, one of `languages`."""
        tagged = self._tags[language]
        terms = self._analyzers[language].terms(word)
        return tuple([tagged + term for term in terms]) if tagged else terms

    def forms(self, word: str) -> Iterator[dict[str | None, str]]:
        """The parts of one raw word (mostly one), each with its term by language; ``""`` where it is a stop word there."""
        parts = self._analyzers[self.main].parts(word)
        for part in parts:
            found: dict[str | None, str] = {}
            for language in self.languages:
                term = self._analyzers[language].term_of(part)
                found[language] = self._tags[language] + term if term else ""
            yield found

    def is_stop_word(self, word: str, language: str | None) -> bool:
        """Whether ``word`` is a function word of ``language``."""
        return language is not None and word.casefold() in stop_words(language)

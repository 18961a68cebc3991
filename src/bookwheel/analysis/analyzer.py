"""From raw words to index terms: folding, stop words, stemming, identifiers, pairs of characters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cache, lru_cache
from itertools import chain
from typing import Any

from .._errors import UsageError
from .endings import has_no_marks, with_marks
from .folding import folded
from .scripts import UNSPACED, bigrams, normal, pairs, plain, runs, units
from .stop_words import stop_words
from .whole_forms import MARK, form_of, whole_forms
from .words import split_words

__all__ = ["ANALYSIS", "MAX_WORD", "Analyzer", "forget_stems", "languages"]

ANALYSIS = 2
"""The version of the rules by which texts become terms: a library is searched by those that it was made by."""

MAX_WORD = 64
"""Longer words (in code points) are truncated: they are hashes, encoded data or damage."""

MEMO = 1 << 14
"""Words cached with their stems: forms in capitals, and parts of identifiers recur."""
_CAMEL = re.compile(r"[a-z][A-Z]|[A-Z]{2}[a-z]{2}|[a-z]\d+[A-Z]")
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")
_ENGLISH = ("english", "porter")
_ELISIONS = {
    "french": re.compile(r"(?:[cdjlmnst]|qu|jusqu|quoiqu|lorsqu|puisqu)'(?=\w)"),
    "italian": re.compile(r"(?:[cdlmstv]|(?:a|da|de|ne|su|co|pe)ll|(?:a|da|de|ne|su)?gl|un)'(?=\w)"),
    "catalan": re.compile(r"[dlmnst]'(?=\w)"),
    "irish": re.compile(r"[bdm]'(?=\w)"),
}
# Languages whose stemmers leave the first two characters of a word as they are (as far as they leave so many), with the second
# characters for which that does not hold: dying and die, German ae and ä.
_KEEP_BEGINNING: dict[str | None, str] = {
    language: {"english": "y", "porter": "y", "german": "e"}.get(language or "", "")
    for language in (
        None, "english", "porter", "catalan", "czech", "danish", "dutch_porter", "french", "german", "hungarian", "italian",
        "norwegian", "polish", "portuguese", "romanian", "spanish", "swedish",
    )
}  # fmt: skip
_UNSEEN = str.maketrans("", "", "\N{SOFT HYPHEN}\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}")


def languages() -> list[str]:
    """The names of the languages that can be stemmed (PyStemmer: the Snowball stemmers)."""
    import Stemmer

    return sorted(Stemmer.algorithms())


@cache
def _stemmer(language: str) -> Any:
    import Stemmer

    try:
        return Stemmer.Stemmer(language, 0)  # no cache of its own: callers cache each word's terms
    except KeyError:
        raise UsageError(f"there is no stemmer for {language!r}; choose none or one of {', '.join(languages())}") from None


@dataclass(frozen=True)
class Analyzer:
    """Turns words into terms. ``Analyzer()`` only casefolds them.

    The order follows Lucene's language analyzers: Unicode folding (NFKC, case), possessives and
    elisions, stop words, marks, Snowball stemming. Equal settings give equal terms on every
    machine with the same PyStemmer.
    """

    language: str | None = None
    """A Snowball language (``english``, ``german`` …), or None: no stemming."""
    stopwords: bool = False
    """Leave out the function words of ``language``."""
    fold_accents: bool = False
    """``café`` and ``cafe`` are one term, in every language (`folding.folded`)."""
    split_identifiers: bool = False
    """``HTTPServer2`` gives ``httpserver2``, ``http``, ``server``, and ``max_len`` gives
    ``max_len``, ``max``, ``len``.
    """

    def __post_init__(self) -> None:
        if self.language is not None:
            _stemmer(self.language)

    @classmethod
    def for_language(cls, language: str | None) -> Analyzer:
        """The usual analyzer of a language; ``"none"`` (or None) means no stemming.

        Raises :class:`UsageError` for an unknown language.
        """
        if language == "none":
            language = None
        return cls(language, language is not None, fold_accents=True, split_identifiers=True)

    def to_dict(self) -> dict[str, str | bool | None]:
        """For a manifest."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Analyzer:
        """The reverse of :meth:`to_dict`; unknown keys are ignored."""
        return cls(**{field.name: values[field.name] for field in fields(cls) if field.name in values})

    def words(self, text: str) -> list[str]:
        """The raw words of ``text``: those of :class:`bookwheel.analysis.words.WordTable`, and its `whole_forms`."""
        return [*split_words(text), *whole_forms(text)]

    def __call__(self, text: str) -> list[str]:
        """All terms of ``text``, in order."""
        return [term for word in self.words(text) for term in self.terms(word)]

    def terms(self, word: str) -> tuple[str, ...]:
        """The terms of one raw word: none (a stop word), one, or
        several. Not cached; callers do that.
        """
        if word.isascii() and word.isalnum() and len(word) <= MAX_WORD and (word.islower() or word.isdigit()):
            term = self.term_of(word)
            return (term,) if term else ()
        return tuple([term for part in self.parts(word) if (term := self.term_of(part))])

    def indexed(self, word: str) -> tuple[str, ...]:
        """The terms of one raw word of a text: `terms`, and the last character of each run in a script without spaces.

        So each character of a text begins a term, and one alone is found by the terms that it begins.
        """
        if word.isascii():
            return self.terms(word)
        if word[0] == MARK and UNSPACED.search(word) is None:
            form = form_of(word[:MAX_WORD])
            return (form,) if form else ()
        if plain(word):
            return (*pairs(word), word[-1]) if len(word) > 1 else (word,)
        terms = self.terms(word)
        if UNSPACED.search(word) is None:
            return terms
        ends = [
            units(run) for part in split_words(normal(word).translate(_UNSEEN)) for run in runs(part) if UNSPACED.match(run)
        ]
        return (*terms, *(run[-1] for run in ends if len(run) > 1))

    def indexed_all(self, words: Sequence[str]) -> tuple[list[str], list[int]]:
        """The terms of `indexed` of many raw words, one word's after another's, and how many each has.

        Plain words, which are most, are stemmed in one call: three times faster.
        """
        if self.language == "turkish" or not self.fold_accents:
            found = list(map(self.indexed, words))
            return list(chain.from_iterable(found)), list(map(len, found))
        lowered = [word.lower() if self._is_plain(word) else "" for word in words]
        stems = iter(self._stems([word for word in lowered if word]))
        terms: list[str] = []
        counts: list[int] = []
        for word, low in zip(words, lowered, strict=True):
            if low:
                term = next(stems)
                counts.append(1 if term else 0)
                if term:
                    terms.append(term)
            else:
                some = self.indexed(word)
                counts.append(len(some))
                terms += some
        return terms, counts

    def _is_plain(self, word: str) -> bool:
        """Whether the terms of ``word`` are those of its lower case: ASCII letters and digits, and no identifier."""
        return (
            word.isascii()
            and word.isalnum()
            and len(word) <= MAX_WORD
            # Cheaper than a search for capitals inside, and true of nearly all.
            and (word.islower() or word[1:].islower() or word.isupper() or word.isdigit())
        )

    def _stems(self, words: list[str]) -> list[str]:
        """The terms of plain words in lower case; empty for a stop word."""
        if self.language is None:
            return words
        marked = words if has_no_marks(self.language) else [with_marks(word, self.language) for word in words]
        stems: list[str] = list(map(folded, _stemmer(self.language).stemWords(marked)))
        if self.stopwords:
            left_out = stop_words(self.language)
            return ["" if word in left_out else stem for word, stem in zip(words, stems, strict=True)]
        return stems

    def parts(self, word: str) -> list[str]:
        """What of one raw word is a term each, unless it is a stop word: mostly the word itself. The same in every language."""
        if word.isascii():
            return self._split(word[:MAX_WORD])
        if word[0] == MARK:
            return [word[:MAX_WORD]]
        if UNSPACED.search(word) is None:
            word = word[:MAX_WORD]
        found: list[str] = []
        for part in split_words(normal(word).translate(_UNSEEN)):  # normalising can bring in spaces and signs
            for run in runs(part):
                found.extend(bigrams(run) if UNSPACED.match(run) else self._split(run[:MAX_WORD]))
        return found

    @property
    def changed_beginnings(self) -> str | None:
        """Second letters after which the first two of a term may be others than its word's; None where all may be.

        That is said of words of ASCII letters and digits that are no identifiers, in lower case.
        """
        return _KEEP_BEGINNING.get(self.language)

    def _split(self, word: str) -> list[str]:
        """A word and, where it is an identifier, its parts."""
        word = word.strip("_'")
        if not word:
            return []
        if self.split_identifiers and ("_" in word or _CAMEL.search(word)):
            return [word, *(part for part in _PARTS.findall(word) if len(part) > 1 and len(part) < len(word))]
        return [word]

    def term_of(self, word: str) -> str:
        """The term of one of `parts`; empty for a stop word."""
        if not word.isascii():
            if word[0] == MARK:
                return form_of(word)
            if UNSPACED.match(word):
                return word
        if self.language == "turkish":
            word = word.replace("İ", "i").replace("I", "ı")
        term = word.lower() if word.isascii() else unicodedata.normalize("NFKC", word.casefold())
        if "'" in term:
            if self.language in _ENGLISH and term.endswith("'s"):
                term = term[:-2]
            elif self.language in _ELISIONS:
                term = _ELISIONS[self.language].sub("", term, count=1)
        if self.language is None:
            return folded(term) if self.fold_accents else term
        if self.stopwords and term in stop_words(self.language):
            return ""
        return _stemmed(term, self.language, self.fold_accents)


@lru_cache(MEMO)
def _stemmed(term: str, language: str, fold: bool) -> str:
    if not fold:
        return str(_stemmer(language).stemWord(term))
    return folded(_stemmer(language).stemWord(with_marks(folded(term), language)))


def forget_stems() -> None:
    """Let go of the stems of words met so far: kept among much that is freed, they would hold on to its room."""
    _stemmed.cache_clear()

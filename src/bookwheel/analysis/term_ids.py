"""Index terms of texts, as numbers: each raw word is analysed once in each language that it is found in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from .analyzer import Analyzer
from .library_analyzer import tag
from .scripts import UNSPACED
from .words import Ids

__all__ = ["LexicalEncoder", "TermsByLanguage"]

LEARNED = 1 << 17
"""Characters of new words that are analysed in one call; a text without spaces is a word whose every pair of characters is a
term, of 80 bytes."""

_Number = TypeVar("_Number", np.int32, np.int64)


class TermsByLanguage:
    """The terms of raw words in texts of a language, as they are indexed; all in one language where ``fixed``."""

    def __init__(self, fixed: Analyzer | None) -> None:
        self._fixed = fixed
        self._known: dict[str | None, tuple[Analyzer, str]] = {}

    def __call__(self, words: Sequence[str], language: str | None) -> tuple[list[str], list[int]]:
        """The terms of ``words``, those of one after those of another, and how many each has."""
        if self._fixed is not None:
            return self._fixed.indexed_all(words)
        if language not in self._known:
            self._known[language] = Analyzer.for_language(language), tag(language)
        analyzer, tagged = self._known[language]
        terms, counts = analyzer.indexed_all(words)
        return [tagged + term for term in terms] if tagged else terms, counts


class LexicalEncoder:
    """Maps raw words (as a `WordTable` numbers them) to index terms, which it numbers in turn.

    One encoder belongs to one `WordTable`: the terms of a word are cached by its number, for each language.
    """

    def __init__(self, terms_of: Callable[[Sequence[str], str | None], tuple[list[str], list[int]]]) -> None:
        """``terms_of``: see `TermsByLanguage`."""
        self.terms: list[str] = []
        """The text of each term, by its number."""
        self._terms_of = terms_of
        self._numbers = Ids(self.terms)
        self._places: dict[str | None, NDArray[np.int32]] = {}
        """By language, where the terms of each word begin among ``_indptr``; -1 where it was not analysed yet."""
        self._is_half = np.empty(0, np.bool_)
        self._any_half = False
        self._analysed = 0
        self._indptr = np.zeros(1024, np.int64)
        self._stands_for = np.zeros(1024, np.int32)

    def number(self, terms: Sequence[str]) -> list[int]:
        """The numbers of ``terms``; new ones are appended."""
        return list(map(self._numbers.__getitem__, terms))

    @property
    def analysed(self) -> int:
        """How many words were analysed; one counts for each language."""
        return self._analysed

    @property
    def nbytes(self) -> int:
        """Bytes held, about: of each term its text (64), its entry in a dictionary (72)
        and in a list; and the arrays.
        """
        places = sum(array.nbytes for array in self._places.values())
        return 144 * len(self.terms) + self._indptr.nbytes + self._stands_for.nbytes + places

    def halves(self, indptr: NDArray[np.int64], terms: NDArray[np.int32]) -> NDArray[np.int64] | None:
        """How many of the ``terms`` of each text count as half a word in its length: pairs of characters without spaces.

        So does the splitter count, and so passages of all languages are of about the same length. int64 of shape (n,); None where
        there are none.
        """
        if len(self._is_half) < len(self.terms):
            new = np.array(
                [not term.isascii() and UNSPACED.search(term) is not None for term in self.terms[len(self._is_half) :]],
                np.bool_,
            )
            self._is_half = np.concatenate((self._is_half, new))
            self._any_half = self._any_half or bool(new.any())
        if not self._any_half:
            return None
        before = np.zeros(len(terms) + 1, np.int32)
        np.cumsum(self._is_half[terms], dtype=np.int32, out=before[1:])
        return np.asarray(before[indptr[1:]] - before[indptr[:-1]], np.int64)

    def encode(
        self,
        indptr: NDArray[np.int64],
        word_ids: NDArray[np.int32],
        words: Sequence[str],
        languages: Sequence[str | None] | None = None,
    ) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Terms of texts whose raw words are ``word_ids``, numbers in ``words``; text i
        has those from ``indptr[i]`` on, and is of ``languages[i]`` (None: all of no language).

        Returns the same for terms: indptr int64 (n + 1), term numbers int32.
        """
        from ..kernels.expand import expand

        if len(word_ids) and not 0 <= int(word_ids.min()) <= int(word_ids.max()) < len(words):
            raise ValueError(f"word IDs must be between 0 and {len(words) - 1}")
        different: set[str | None] = {None} if languages is None else set(languages)
        if languages is None or len(different) < 2:
            places = self._placed(word_ids, words, different.pop() if different else None)
        else:
            places = np.empty(len(word_ids), np.int32)
            sizes = np.diff(indptr)
            for language in sorted(different, key=str):
                here = np.repeat(np.array([one == language for one in languages], np.bool_), sizes)
                places[here] = self._placed(word_ids[here], words, language)
        out_indptr, out = np.empty(len(indptr), np.int64), np.empty(len(word_ids) * 5 // 4 + 16, np.int32)
        stands = (self._indptr[: self._analysed + 1], self._stands_for)
        used = expand(indptr, places, *stands, out_indptr, out)
        if used > len(out):
            out = np.empty(used, np.int32)
            expand(indptr, places, *stands, out_indptr, out)
        return out_indptr, out[:used]

    def _placed(self, word_ids: NDArray[np.int32], words: Sequence[str], language: str | None) -> NDArray[np.int32]:
        """The places of ``word_ids`` among the analysed words."""
        known = self._places.get(language)
        if known is None or len(known) < len(words):
            longer = np.full(max(len(words), 1024) * 3 // 2, -1, np.int32)
            if known is not None:
                longer[: len(known)] = known
            known = self._places[language] = longer
        places: NDArray[np.int32] = known[word_ids]
        if len(places) and int(places.min()) < 0:
            self._learn(np.unique(word_ids[places < 0]), words, language, known)
            places = known[word_ids]
        return places

    def _learn(self, new: NDArray[np.int32], words: Sequence[str], language: str | None, known: NDArray[np.int32]) -> None:
        for some in _groups(new.tolist(), words):
            terms, counts = self._terms_of([words[word] for word in some], language)
            stands = self.number(terms)
            first, end = self._analysed, int(self._indptr[self._analysed])
            self._analysed += len(counts)
            self._indptr = _room(self._indptr, self._analysed + 1)
            self._stands_for = _room(self._stands_for, end + len(stands))
            self._indptr[first + 1 : self._analysed + 1] = end + np.cumsum(counts)
            self._stands_for[end : end + len(stands)] = stands
            known[some] = np.arange(first, self._analysed, dtype=np.int32)


def _groups(numbers: Sequence[int], words: Sequence[str]) -> Iterator[list[int]]:
    """``numbers`` in groups of words of about `LEARNED` characters together: all terms of a group are held at once."""
    group: list[int] = []
    size = 0
    for number in numbers:
        group.append(number)
        size += len(words[number])
        if size >= LEARNED:
            yield group
            group, size = [], 0
    if group:
        yield group


def _room(array: NDArray[_Number], size: int) -> NDArray[_Number]:
    """``array`` with room for ``size`` items."""
    if size <= len(array):
        return array
    larger = np.zeros(max(size, len(array) * 3 // 2), array.dtype)
    larger[: len(array)] = array
    return larger

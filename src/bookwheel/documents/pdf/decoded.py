"""Whether the text of a page can be read, or its fonts give only codes."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np

from ...analysis.languages import language_of
from ...analysis.stop_words import LANGUAGES, stop_words
from .chars import Words

__all__ = ["is_decoded"]

_ENOUGH = 20
"""Characters below which a page is not judged."""
_SHARE = 0.3
_DOTS = re.compile(r"[.,\d]")
_LATIN = re.compile("[a-z]", re.IGNORECASE)
_VOWEL = re.compile("[aeiou]", re.IGNORECASE)


_LETTERS = np.zeros(256, np.bool_)
_LETTERS[[*range(0x41, 0x5B), *range(0x61, 0x7B), *range(0xC0, 0xD7), *range(0xD8, 0xF7), *range(0xF8, 0x100)]] = True
_VOWELS = np.zeros(256, np.bool_)
_VOWELS[[ord(letter) for letter in "aeiouyAEIOUYÀÁÂÃÄÅÆÈÉÊËÌÍÎÏÒÓÔÕÖØÙÚÛÜÝàáâãäåæèéêëìíîïòóôõöøùúûüýÿ"]] = True
_WORD = re.compile(r"[^\W\d_]{3,}")
_WORD_OF_ANY = re.compile(r"[^\W\d_]+")
_WORDS = 40
"""Words of three letters or more below which it is not judged: formulas have few."""
_JUDGED = 200
"""Letters from which on it is judged whether they are likely."""
_FEWEST_VOWELS = 0.17
"""The share of vowels of the letters below which they are not those of a language: languages have from 0.3 to 0.6, sequences of
amino acids and base64 some 0.2, and codes that are shifted by some letters often less."""
_MORE_VOWELS = 0.28
"""The least that languages have."""
_FARTHEST = 31
"""Places by which letters are moved at most: fonts of Windows count their glyphs from the space, as 3."""
_TOKENS = 100
"""Words from which on it is judged whether they are running text in wrong letters."""
_UNEVEN = 0.055
"""Chance that two letters of a text are the same: some 0.065 in languages, 0.04 where all letters are as frequent."""
_BLOCKS = np.array(
    [0x41, 0x250, 0x370, 0x400, 0x530, 0x590, 0x600, 0x700, 0x900, 0xE00, 0x1000, 0x10A0, 0x1100, 0x1E00, 0x2E80]
)
"""Where the letters of different scripts begin, about."""
_MIXED = 0.2
"""Share of neighbouring letters that are of different scripts."""


def is_decoded(words: Words) -> bool:
    """False if the page's characters are mostly control or private ones, or codes that are no letters.

    Fonts without a table of characters give their own codes. In many these happen to be the right letters: text whose share
    of vowels is that of a language is kept.
    """
    text = words.text
    solid = int((words.ends - words.starts).sum())
    if solid + words.odd < _ENOUGH:
        return True
    if words.odd > _SHARE * (solid + words.odd):
        return False
    if words.faults <= _SHARE * solid:
        return _is_likely(text)
    letters = len(_LATIN.findall(text))
    vowels = len(_VOWEL.findall(text))
    return letters > 0.5 * (solid - len(_DOTS.findall(text))) and 0.28 < vowels / letters < 0.52


def _is_likely(text: str) -> bool:
    """Whether letters that a font's table gives are likely: a wrong table turns text into other letters, or into those of many scripts."""
    counts = np.bincount(np.frombuffer(text.encode("latin-1", "ignore"), np.uint8), minlength=256)
    letters = int(counts[_LETTERS].sum())
    if letters < _JUDGED:
        return letters * 2 > len(text) or not _is_mixed(text)
    if int(np.count_nonzero(counts[_LETTERS])) <= 3:  # but for numbers written in hexadecimal digits
        return letters * 2 < len("".join(text.split()))
    vowels = int(counts[_VOWELS].sum())
    words = _WORD.findall(text)
    if vowels >= _MORE_VOWELS * letters or len(words) < _WORDS or language_of(text):
        return True
    return not (_is_shifted(text) or (vowels < _FEWEST_VOWELS * letters and _is_enciphered(text, words)))


def _is_shifted(text: str) -> bool:
    """Whether other letters at a fixed distance are a language: the table gives the numbers of glyphs, as fonts count them."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4").astype(np.int64)
    solid = (codes > 0x20) & (codes < 0x100)
    for step in range(-_FARTHEST, _FARTHEST + 1):
        moved = np.where(solid & (codes + step > 0x20), codes + step, codes)
        counts = np.bincount(moved[moved < 256], minlength=256)
        letters = int(counts[_LETTERS].sum())
        if letters * 2 < int(solid.sum()) or int(counts[_VOWELS].sum()) < _MORE_VOWELS * letters:
            continue
        if _is_language(moved.astype("<u4").tobytes().decode("utf-32-le", "replace")):
            return True
    return False


def _is_language(text: str) -> bool:
    """Whether a text is in a language by its function words, several of them."""
    language = language_of(text)
    if language not in LANGUAGES:
        return False
    words = _WORD_OF_ANY.findall(text.lower())
    said = [word for word in words if word in stop_words(language)]
    return len(set(said)) >= 5 and len(said) >= 0.2 * len(words)


def _is_enciphered(text: str, words: list[str]) -> bool:
    """Whether these are the words of running text in wrong letters, and no symbols of genes, registers, parts or sounds.

    Running text has words of letters only, of four letters to eight on average and not all in capitals; some of the most
    frequent ones, which are short, make up much of it; and its letters are as unevenly frequent as those of a language are.
    """
    letters = [character for character in text if character.isalpha()]
    if sum(character < "\u0100" for character in letters) < 0.95 * len(letters):
        return False
    if sum(character in "wW" for character in letters) > 0.1 * len(letters):  # a vowel in Welsh
        return False
    tokens = [token.strip(".,;:!?()\"'-") for token in text.split()]
    tokens = [token for token in tokens if token]
    if len(tokens) < _TOKENS or sum(map(str.isalpha, tokens)) < 0.9 * len(tokens):
        return False
    mixed = sum(any(map(str.islower, word)) and any(map(str.isupper, word[1:])) for word in words)
    if mixed > 0.3 * len(words):
        return True
    if not 3.7 <= sum(map(len, tokens)) / len(tokens) <= 8 or sum(map(str.isupper, tokens)) > 0.5 * len(tokens):
        return False
    different = Counter(tokens)
    if len(different) < 0.25 * len(tokens):  # instructions are few, over and over
        return False
    short = sum(count for token, count in different.most_common(10) if len(token) <= 3)
    counted = np.array(list(Counter("".join(letters).lower()).values()))
    return short >= 0.1 * len(tokens) and float((counted / counted.sum()) @ (counted / counted.sum())) > _UNEVEN


def _is_mixed(text: str) -> bool:
    """Whether neighbouring letters are of different scripts too often for words."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
    scripts = np.searchsorted(_BLOCKS, codes, side="right")
    scripts[
        (codes < 0x41)
        | (codes > 0x5A) & (codes < 0x61)
        | (codes > 0x7A) & (codes < 0xC0)
        | (codes >= 0x2000) & (codes < 0x2E80)
    ] = 0
    together = (scripts[1:] > 0) & (scripts[:-1] > 0)
    pairs = int(np.count_nonzero(together))
    return pairs >= _JUDGED // 2 and int(np.count_nonzero(together & (scripts[1:] != scripts[:-1]))) > _MIXED * pairs

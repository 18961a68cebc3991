"""Whether the text of a page can be read, or its fonts give only codes."""

from __future__ import annotations

import re

import numpy as np

from ...analysis.languages import language_of
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
_WORDS = 40
"""Words of three letters or more below which it is not judged: formulas have few."""
_JUDGED = 200
"""Letters from which on it is judged whether they are likely."""
_FEWEST_VOWELS = 0.17
"""The share of vowels of the letters below which they are not those of a language: languages have from 0.3 to 0.6, sequences of
amino acids and base64 some 0.2, and codes that are shifted by some letters often less."""
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
    if int(np.count_nonzero(counts[_LETTERS])) <= 3:
        return False
    if int(counts[_VOWELS].sum()) >= _FEWEST_VOWELS * letters:
        return True
    return len(_WORD.findall(text)) < _WORDS or bool(language_of(text))


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

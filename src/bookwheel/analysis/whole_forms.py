"""Forms that are more than their words: C++, C#, .NET, R&D, node.js, 1.2.3, addresses of mail and of pages, emoji and symbols.

Words are cut at every sign. What was cut apart is a term of its own beside its parts, so that ``C++`` is not ``C``, and is found
by itself. Such a form travels as a raw word that begins with `MARK`, its signs as private characters; encoders do not see it.
"""

from __future__ import annotations

import re
import unicodedata
from heapq import merge
from itertools import chain

from .folding import folded
from .words import odd_characters

__all__ = ["MARK", "form_of", "whole_forms"]

_BASE = 0xF0000
MARK = chr(_BASE)
_SYMBOL = chr(_BASE + ord("\\"))
MOST = 200
"""Characters that a form may have between two spaces."""
LONG = 1 << 16
"""Characters of a text from which on its signs are not listed before they are looked at."""
_SIGNS = {
    sign: re.compile(pattern)  # the sign itself first, which a search skips to much faster than to a class of them
    for sign, pattern in {
        ".": r"\.(?:(?<=\w\.)(?=\w)|(?<![^\s(\[\"']\.)(?=[A-Za-z]\w))",
        "://": r":(?<=\w:)//",
        "@": r"@(?<=\w@)(?=\w)",
        "&": r"&(?<=\w&)(?=\w)",
        "#": r"#(?<=\w#)",
        "++": r"\+(?<=\w\+)\+",
    }.items()
}
_PAGE = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*://|www\.)[^\s<>\"'{}|\\^`]+")
_HOST = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*://)?([\w.-]+)")
_CUT = re.compile(r"[\s<>=(){}\[\],;|\"'/\\]+")
_FORM = re.compile(r"\.?\w+(?:[.@&+_-]+\w+)*(?:\+\+|#)?")
_MEANT = re.compile(r"^\.|\w[.@&]\w|[^\W\d_]\w*(?:\+\+|#)$")
_NUMBER = re.compile(r"\.?\d+(?:\.\d+)?|[^\W\d](?:\.[^\W\d])+")
"""Decimals and initials are no names."""
_ENCODED = {code: chr(_BASE + code) for code in range(33, 127) if not chr(code).isalnum() and chr(code) != "_"}
_DECODED = {_BASE + code: chr(code) for code in _ENCODED}
_symbols: dict[str, bool] = {}
MEMO = 5_000
"""Tokens cached with their forms: e.g., file names and addresses recur."""
_known: dict[str, list[str]] = {}


def whole_forms(text: str) -> list[str]:
    """The forms in ``text``, in order, as raw words."""
    found: list[str] = []
    end = 0
    each = [map(re.Match.span, pattern.finditer(text)) for sign, pattern in _SIGNS.items() if sign in text]
    for start, stop in merge(*each) if len(text) > LONG else sorted(chain.from_iterable(each)):
        if start < end:
            continue
        before, after = text[max(start - MOST, 0) : start], text[stop : stop + MOST]
        if before and not before[-1].isspace():
            before = before.rsplit(None, 1)[-1]
        else:
            before = ""
        after = after.split(None, 1)[0] if after and not after[0].isspace() else ""
        end = stop + len(after)
        token = f"{before}{text[start:stop]}{after}"
        forms = _known.get(token)
        if forms is None:
            if len(_known) >= MEMO:
                _known.clear()
            forms = _known[token] = [*map(_encoded, _forms(token))]
        found += forms
    if not text.isascii():
        odd = odd_characters(text)
        if symbols := {character for character in set(odd) if _is_symbol(character)}:  # few are: quotation marks, dashes
            found += [f"{MARK}{_SYMBOL}{ord(character):x}" for character in odd if character in symbols]
    return found


def form_of(word: str) -> str:
    """What a raw word stands for that begins with `MARK`, casefolded."""
    if word[1:2] == _SYMBOL:
        return chr(int(word[2:], 16))
    return folded(word[1:].translate(_DECODED).casefold())


def _forms(token: str) -> list[str]:
    page = _PAGE.search(token) if "://" in token or "www." in token else None
    if page is not None:
        address = page.group().rstrip(".,;:!?)")
        host = _HOST.match(address)
        return [address] if host is None or host[1] == address else [address, host[1].rstrip(".")]
    forms: list[str] = []
    for piece in _CUT.split(token):
        form = _FORM.match(piece.lstrip(":!?*#@&+-~$%^"))
        if form is not None and _MEANT.search(form.group()) and not _NUMBER.fullmatch(form.group()):
            forms.append(form.group())
    return forms


def _encoded(form: str) -> str:
    return MARK + form.translate(_ENCODED)


def _is_symbol(character: str) -> bool:
    known = _symbols.get(character)
    if known is None:
        known = _symbols[character] = unicodedata.category(character) in ("So", "Sm", "Sc")
    return known

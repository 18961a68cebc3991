"""Whether two tokens say the same, and whether a sentence stands somewhere word by word."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from .tokens import Token, spelling
from .wording import AUXILIARIES, CUES, FUNCTION_WORDS, LIGHT, NEGATIONS, NEGATIONS_ELSEWHERE, VERBS

__all__ = ["asks", "beginning", "content", "contiguous", "negations", "same", "verb", "whole"]

Tokens = Sequence[Token]
_ENDINGS = frozenset(("", "s", "es", "ed", "d"))
_ASKING = frozenset("?？؟⁇⁈⁉‽፧")
_ENDING = frozenset(".!…。！")
_CLOSING = frozenset("\"')]}*_」』）】")
_GREEK = re.compile(r"[\u0370-\u03ff\u1f00-\u1fff]")
_VERB_ENDINGS = re.compile(r"(?:ed|ing|ize[sd]?|ise[sd]?)$")


def same(one: Token, other: Token) -> bool:
    """Whether two tokens say the same: equal, or inflected (``defeat``, ``defeated``), or the same number."""
    if one.kind == other.kind == "number":
        if one.value is None or other.value is None:
            return one.text == other.text
        return one.value == other.value and one.norm.endswith("th") == other.norm.endswith("th")
    if one.kind != other.kind:
        return False
    if one.norm == other.norm:
        return True
    return one.kind == "word" and not (one.name or other.name) and _inflected(one.norm, other.norm)


@lru_cache(1 << 14)
def _inflected(one: str, other: str) -> bool:
    """Whether two English words are forms of one: plural, third person, past; ``-ing`` with the bare word only.

    Neither a stemmer's classes (university, universe) nor participles that change sides (attacked, attacking).
    """
    if len(one) > len(other):
        one, other = other, one
    if len(one) < 3 or one in FUNCTION_WORDS or other in FUNCTION_WORDS:
        return False
    if other.startswith(one) and other[len(one) :] in _ENDINGS:
        return other[len(one) :] != "d" or one.endswith("e")
    if one.endswith("y") and other in (one[:-1] + "ies", one[:-1] + "ied"):
        return True
    doubled = one + one[-1]
    if other in (one + "ing", one[:-1] + "ing" if one.endswith("e") else "", doubled + "ed", doubled + "ing"):
        return True
    return _third_person(one, other) or _third_person(other, one)


def _third_person(one: str, other: str) -> bool:
    """``reduces`` and ``reduced``, ``tries`` and ``tried``, ``stops`` and ``stopped``."""
    for ending in ("s", "es"):
        base = one.removesuffix(ending)
        if len(base) > 2 and base != one and other in (base + "ed", base + "d", base + base[-1] + "ed"):
            return True
    return one.endswith("ies") and other == one[:-3] + "ied"


def verb(token: Token) -> bool:
    """Whether ``token`` may be an English verb."""
    if token.kind != "word" or token.name:
        return False
    word = token.norm
    return word in VERBS or word in AUXILIARIES or (len(word) > 4 and _VERB_ENDINGS.search(word) is not None)


def content(token: Token) -> bool:
    """Whether ``token`` carries meaning of its own."""
    return token.kind in ("number", "date", "sign") or (token.kind == "word" and token.norm not in FUNCTION_WORDS)


def negations(tokens: Tokens) -> set[str]:
    """The words of ``tokens`` that deny, in any language."""
    return {token.norm for token in tokens if token.norm in NEGATIONS or token.norm in NEGATIONS_ELSEWHERE}


def asks(tokens: Tokens) -> bool:
    """Whether a sentence is a question, by the mark at its end; in any language.

    A question mark before a closing quotation mark and a full stop is that of a title.
    """
    at = len(tokens)
    for some in (_CLOSING, _ENDING):
        while at and tokens[at - 1].norm in some:
            at -= 1
    if not at:
        return False
    if tokens[at - 1].norm in (";", "\u037e"):  # the question mark of Greek
        return at > 1 and _GREEK.match(tokens[at - 2].text) is not None
    doubted = at > 1 and tokens[at - 2].norm in ("(", "[")  # born in 1852 (?)
    return tokens[at - 1].norm in _ASKING and not doubted


def whole(claim: Tokens, stored: Tokens) -> bool:
    """Whether the claim is the stored sentence, but for quotation marks, kinds of dashes and the full stop; in any language."""
    return _exact(claim) == _exact(stored) and asks(claim) == asks(stored)


def beginning(claim: Tokens, stored: Tokens) -> bool:
    """Whether the claim is the stored sentence up to one of its commas or semicolons, and no negation follows; in any language."""
    one, other = _exact(claim), _exact(stored)
    rest = other[len(one) :]
    if len(one) < 4 or not rest or other[: len(one)] != one or rest[0] not in (",", ";", "，", "；", "、", "،", "؛"):
        return False
    return not any(word in NEGATIONS_ELSEWHERE or word in CUES for word in rest)


def _exact(tokens: Tokens) -> list[str]:
    found = [spelling(token) for token in tokens if token.norm not in ('"', "'")]
    while found and found[-1] in (".", "!", "。", "！", "…", ":", ";", "।", "۔", "؛", "："):
        found.pop()
    return found


def contiguous(piece: Tokens, stored: Tokens) -> Iterator[int]:
    """The places in ``stored`` where the tokens of ``piece`` stand side by side, complete, equal in all but marks."""
    inner = [token for token in piece if token.kind != "mark" and token.norm not in LIGHT]
    words = [token for token in stored if token.kind != "mark" and token.norm not in LIGHT]
    for at in range(len(words) - len(inner) + 1) if inner else ():
        behind = words[at + len(inner)] if at + len(inner) < len(words) else None
        if words[at].glued or (behind is not None and behind.glued):
            continue
        if all(same(one, other) for one, other in zip(inner, words[at:], strict=False)):
            yield at

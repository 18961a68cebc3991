"""Formulas in one line of text: ``x^2``, ``(a+b)/2``, ``3 1/2``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

__all__ = ["Kind", "above", "grouped", "joined"]

Kind = Literal["", "fraction", "power"]
"""What a piece of a formula is, where a letter or figure beside it would become a part of it: 3 and a half is no 31 halves."""


_SIGNED = re.compile(r"[-+−]\d+")
_NUMBER = re.compile(r"\d+[.,]\d+")


def joined(pieces: Iterable[tuple[str, Kind]]) -> str:
    """The pieces of a formula one behind the other, with a space where they would say something else without it."""
    parts: list[str] = []
    last, before = "", ""
    for text, kind in pieces:
        if not text:
            continue
        digits = last.isdecimal() and text[0].isdecimal() and (before or kind)
        letters = last.isalnum() and text[0].isalnum() and (before or kind == "fraction")
        parts.append(f" {text}" if digits or letters else text)
        last, before = text[-1], kind
    return "".join(parts)


def grouped(text: str) -> str:
    """``text``, in brackets if it is more than a number or word and has none around it."""
    text = text.strip()
    return text if len(text) < 2 or text.isalnum() or _NUMBER.fullmatch(text) or _is_bracketed(text) else f"({text})"


def above(text: str) -> str:
    """``text`` as an exponent: as `grouped`, but for a number with its sign."""
    return text.strip() if _SIGNED.fullmatch(text.strip()) else grouped(text)


def _is_bracketed(text: str) -> bool:
    if not (text.startswith("(") and text.endswith(")")):
        return False
    depth = 0
    for character in text[:-1]:
        depth += (character == "(") - (character == ")")
        if not depth:
            return False
    return True

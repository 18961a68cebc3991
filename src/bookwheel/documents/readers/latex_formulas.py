"""Fractions, roots and powers of LaTeX in one line, in the form that formulas of MathML get: ``(a+b)/2``, ``sqrt(x)``, ``x^(n+1)``."""

from __future__ import annotations

import re

from ..raised import ASIDE, lowered, raised

__all__ = ["BINOMIALS", "FRACTIONS", "grouped", "is_atom", "shifted", "with_braces"]

FRACTIONS = frozenset(("frac", "dfrac", "tfrac", "cfrac", "sfrac", "nicefrac"))
BINOMIALS = frozenset(("binom", "dbinom", "tbinom"))
_TWO = "|".join(sorted(FRACTIONS | BINOMIALS))
_GREEK = r"\\(?:(?:var)?[a-z]{2,7}|[A-Z][a-z]{1,6})"
_BARE = re.compile(
    rf"\\({_TWO})(?![A-Za-z])[ \t]*(?:(\d)|([A-Za-z])|({_GREEK})(?![A-Za-z{{\[]))[ \t]*(?:(\d|[A-Za-z])|({_GREEK})(?![A-Za-z{{\[])|(?=\{{))"
)
_BARE_ROOT = re.compile(rf"\\sqrt(\[[^\][{{}}\n]{{0,20}}\])?(?:[ \t]*(\d)|[ \t]+([A-Za-z])|[ \t]*({_GREEK})(?![A-Za-z{{\[]))")
_OVER = re.compile(r"\{([^{}\n]{1,200}?)\\over(?![A-Za-z])([^{}\n]{1,200})\}")
_DEGREES = re.compile(r"\^[ \t]*(?:\\circ(?![A-Za-z])|\{[ \t]*\\circ[ \t]*\})")
_ATOM = re.compile(
    r"(?:\\[A-Za-z]+|[^\W_]*|[^\W_]+\.[^\W_]+|[-*+']|\([^(){}\\]*\)|\\(?:text|math)[a-z]*\{[^\W_]*\}|\\sqrt\{[^{}]*\})"
)
_SIGNED = re.compile(r"\s*[-+]\s*\d+\s*")
_ORDINAL = re.compile(r"\s*(?:\\(?:text|math)[a-z]*\{)?(?:st|nd|rd|th)\}?\s*")


def with_braces(text: str) -> str:
    """``text`` with braces around arguments that have none (``\\frac12``), and fractions with ``\\over`` as others are written."""
    text = _BARE.sub(_braced, text)
    text = _BARE_ROOT.sub(
        lambda match: f"\\sqrt{match.group(1) or ''}{{{match.group(2) or match.group(3) or match.group(4)}}}", text
    )
    if "\\over" in text:
        text = _OVER.sub(lambda match: f"\\frac{{{match.group(1).strip()}}}{{{match.group(2).strip()}}}", text)
    return _DEGREES.sub("°", text)


def _braced(match: re.Match[str]) -> str:
    name, digit, letter, sign, second, second_sign = match.groups()
    second = second or second_sign
    return f"\\{name}{{{digit or letter or sign}}}" + (f"{{{second}}}" if second else "")


def is_atom(argument: str) -> bool:
    """Whether an argument is a single number, letter or word, which needs no brackets in a line."""
    return _ATOM.fullmatch(argument.strip()) is not None


def grouped(argument: str, before: str) -> tuple[str, str]:
    """What stands before and behind a raised argument, the ``^`` included, where ``before`` precedes it."""
    if before[-1:].isdigit() and _ORDINAL.fullmatch(argument):
        return "", ""
    return ("^", "") if is_atom(argument) or _SIGNED.fullmatch(argument) else ("^(", ")")


def shifted(command: str, argument: str, before: str, after: str) -> str:
    """How the text that ``\\textsuperscript`` or ``\\textsubscript`` shifts is written between ``before`` and ``after``."""
    if command == "textsubscript":
        return lowered(before, argument)
    return raised(before, argument, after.replace("\\textsubscript{", "")[:ASIDE])

"""Stretches of a text that are characters but no text for people: keys, data in base64, data: URIs, minified scripts.

They stay in the stored text, so that it is exact and offsets are true; what is split into passages, analysed, embedded or
reranked has spaces in their place. Each is told by what stands in it and in its own lines, so that a passage, which holds all of
one or nothing, gives the same as the whole document does.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

__all__ = ["without_noise"]

KEY, BASE64, DATA, SCRIPT = "private key", "block of encoded data", "data: URI", "minified script"

LEAST = 60
"""Characters that a run of base64 has at least: fewer are a checksum or a long name."""
_LONG_LINE = 500
"""Characters of a line that nobody writes by hand, if it is code."""
_PIECE = 1 << 20
_CHANGES = 0.33
"""Share of neighbours of different kinds (capital, small, digit) in base64: 0.64 at random, 0.15 in paths and names."""
_HEX = re.compile(r"[0-9a-fA-F_-]+=*")

_PEM = re.compile(r"-----BEGIN ([A-Z0-9 ]{1,60})-----", re.ASCII)
_URI = re.compile(
    r"(?<![\w-])data:(?:[\w.+-]+/[\w.+-]+)?(?:;[\w.+-]+(?:=[^,;\s\"']*)?)*,"
    r"(?:(?<=\"data:image/svg\+xml,)[^\"]{60,}|(?<='data:image/svg\+xml,)[^']{60,}|[^\s\"'<>()]{60,})",
    re.ASCII,
)
_END = r"(?:\r?\n[ \t>]*|\\n)"
_BLOCK = re.compile(
    rf"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{{{LEAST},}}(?:{_END}[A-Za-z0-9+/_-]{{{LEAST},}})*"
    # The last line: no word that stands alone has a digit or ends with =.
    rf"(?:={{1,2}}|{_END}(?=[A-Za-z+/_-]*[0-9=])[A-Za-z0-9+/_-]+={{0,2}}(?=\s*$|\\n|[\"']))?",
    re.ASCII | re.MULTILINE,
)
_UUENCODED = re.compile(r"^begin(?:-base64)? [0-7]{3,4} \S.*\n(?:M.{60}\n)*(?:[ -`].{0,60}\n)?(?:[ `]?\n)?end$", re.MULTILINE)
_ENCODED = bytes(97 if chr(code).isascii() and (chr(code).isalnum() or chr(code) in "+/_-") else 32 for code in range(256))
_LEAST_RUN = b"a" * LEAST
_MARKS = "{}();=,"


def without_noise(text: str, found: Counter[str] | None = None) -> str:
    """``text`` with spaces in place of what is no text, line ends kept; the same object where there is nothing of that kind.

    How many stretches of each kind there are is added to ``found``.
    """
    spans = sorted(_spans(text))
    if not spans:
        return text
    pieces: list[str] = []
    at = 0
    for start, end, kind in spans:
        if start < at:  # inside an earlier one
            continue
        pieces += [text[at:start], _blank(text, start, end)]
        at = end
        if found is not None:
            found[kind] += 1
    pieces.append(text[at:])
    return "".join(pieces)


def _blank(text: str, start: int, end: int) -> str:
    if "\n" not in text[start:end]:
        return " " * (end - start)
    return re.sub(r"[^\n]", " ", text[start:end])


def _spans(text: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and kind of each stretch; some may be inside others."""
    if "-----BEGIN " in text:
        end = -1
        for match in _PEM.finditer(text):
            if end < match.end() and (end := text.find("-----END ", match.end())) < 0:
                break
            last = f"-----END {match[1]}-----"
            if text.startswith(last, end):
                yield match.start(), end + len(last), KEY if "PRIVATE KEY" in match[1] else BASE64
    if "data:" in text:
        yield from ((*match.span(), DATA) for match in _URI.finditer(text))
    if "begin" in text:
        yield from ((*match.span(), BASE64) for match in _UUENCODED.finditer(text))
    if _has_run(text):
        yield from ((*match.span(), BASE64) for match in _BLOCK.finditer(text) if _is_base64(match[0]))
    for start, end in _long_lines(text):
        if _is_minified(text[start:end]):
            yield start, end, SCRIPT


def _long_lines(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each line of `_LONG_LINE` characters or more; others are passed over, several at a time."""
    start = 0
    while start + _LONG_LINE <= len(text):
        last = text.rfind("\n", start, start + _LONG_LINE)
        if last >= 0:
            start = last + 1
            continue
        end = text.find("\n", start + _LONG_LINE)
        end = len(text) if end < 0 else end
        yield start, end
        start = end + 1


def _has_run(text: str) -> bool:
    """Whether there is a run that may be base64, in a microsecond a passage: no regular expression is as fast."""
    for at in range(0, len(text), _PIECE):
        if _LEAST_RUN in text[at : at + _PIECE + LEAST].encode("utf-8", "surrogatepass").translate(_ENCODED):
            return True
    return False


def _is_base64(text: str) -> bool:
    sample = text[:4096]
    if _HEX.fullmatch("".join(sample.split())):  # a checksum, which people search for
        return False
    kinds = [0 if c.islower() else 1 if c.isupper() else 2 if c.isdigit() else 3 for c in sample if not c.isspace()]
    pairs = [(one, other) for one, other in pairwise(kinds) if one < 3 and other < 3]
    return sum(one != other for one, other in pairs) >= _CHANGES * max(len(pairs), 1) and {0, 1, 2} <= set(kinds)


def _is_minified(line: str) -> bool:
    # What prose has few of first: counting these takes a tenth of the time of counting its spaces.
    return (
        line.count(";") + line.count("}") > 2
        and line.count("{") + line.count("(") > 0.01 * len(line)
        and sum(map(line.count, _MARKS)) > 0.1 * len(line)
        and line.count(" ") <= 0.08 * len(line)
    )

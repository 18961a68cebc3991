"""The headings of Markdown and reStructuredText, which the text itself marks, with their levels."""

from __future__ import annotations

import html
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

from .document import Document, Heading
from .parts import HEADINGS, bounded

__all__ = ["fences", "heading_starts", "heading_text", "is_code", "markup_headings", "with_headings"]

_ATX = re.compile(r"^ {0,3}(#{1,6})[ \t]+(.*)", re.MULTILINE)
_MARK = r"([=\-~^\"'`#*+:.])"
_UNDERLINED = re.compile(
    rf"^(?:{_MARK}\1{{2,}}[ \t]*\r?\n)?(?P<title>\S.*)\r?\n(?P<rule>{_MARK}\4{{2,}})[ \t]*\r?$", re.MULTILINE
)
_LISTED = re.compile(r"(?:[-+*]|\d{1,9}[.)])[ \t]")
_FENCE = re.compile(r"^ {0,3}(`{3,}(?=[^`\n]*$)|~{3,})(.*)$", re.MULTILINE)
"""What follows backticks on their line has none, or else they are code within a line (CommonMark 4.5)."""
_CLOSING = re.compile(r"(?:^|[ \t]+)#+[ \t]*$")
_MARKED = re.compile(r"[][*_`<&{\\]")
_ROLE = re.compile(r"`([^`<>]+?) ?<[^`<>]+>`__?")
_LINK = re.compile(r'!?\[((?:[^][]|\[[^][]*\])*)\](?:\([^()\s]*(?:\([^()\s]*\)[^()\s]*)?(?: "[^"]*")?\)|\[[^][]*\])')
_CODE = re.compile(r"`+([^`]+)`+")
_TAG = re.compile(
    r"</?(?:a|abbr|b|br|center|code|del|div|em|font|h[1-6]|i|img|ins|kbd|mark|p|picture|s|samp|small|source|span|strong|sub|sup|u)"
    r"(?:[ /][^<>]*)?>",
    re.IGNORECASE,
)
_RAISED = re.compile(r"(?<=\d)<sup>([-+−]?\d+)</sup>", re.IGNORECASE)
_ATTRIBUTES = re.compile(r" ?\{[#.:][^{}]*\}$")
_EMPHASIS = tuple(
    map(
        re.compile,
        (r"\*\*(\S(?:.*?\S)?)\*\*", r"(?<![\w*])\*(\S(?:[^*]*?\S)?)\*(?![\w*])", r"(?<!\w)__?(\S(?:[^_]*?\S)?)__?(?!\w)"),
    )
)
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_TITLE = 300
"""Characters of a heading that are kept."""


def fences(text: str, mark: str = "") -> tuple[list[int], str]:
    """Offsets of alternately opening and closing code fences (after an
    odd number of them, text is code), and the mark that closes the one left open.

    ``mark``: that of the one open at the beginning.
    """
    found = [0] if mark else []
    for match in _FENCE.finditer(text):
        run = match.group(1)
        if not mark:
            if _underlines(text, match.start()):
                continue
            # Backticks are closed by as many, with nothing behind them. Of ``~`` three do: they may be a rule of reStructuredText.
            mark = run if run[0] == "`" else "~~~"
        elif run.startswith(mark) and not match.group(2).strip():
            mark = ""
        else:
            continue
        found.append(match.start())
    return found, mark


def is_code(fences: Sequence[int], start: int) -> bool:
    """Whether the line at ``start`` is within code, or is a fence of it."""
    opened = bisect_right(fences, start)
    return opened % 2 == 1 or (opened > 0 and fences[opened - 1] == start)


def _underlines(text: str, start: int) -> bool:
    """Whether the line at ``start``, of the marks of a fence, is the rule below a title instead: as wide, between blank lines."""
    end = text.find("\n", start)
    rule = text[start : end if end >= 0 else len(text)].rstrip()
    if len(set(rule)) != 1 or start < 2 or (end >= 0 and text[end + 1 : end + 2] not in ("\n", "\r", "")):
        return False
    begin = text.rfind("\n", 0, start - 1) + 1
    title = text[begin : start - 1].rstrip()
    before = text[text.rfind("\n", 0, max(begin - 1, 0)) + 1 : max(begin - 1, 0)].strip()
    return 2 < len(title) <= len(rule) and not title[0].isspace() and (not before or before == rule)


def _atx(text: str, fences: Sequence[int]) -> Iterator[re.Match[str]]:
    return (match for match in _ATX.finditer(text) if not is_code(fences, match.start()))


def _underlined(text: str, fences: Sequence[int]) -> Iterator[re.Match[str]]:
    """Titles with a rule below them, outside code.

    Markdown has rules of ``=`` and ``-`` of any length; of other marks, and below what may be an item of a list, they are as wide as
    the title, as reStructuredText wants them.
    """
    for match in _UNDERLINED.finditer(text):
        title, rule = match.group("title").rstrip(), match.group("rule")
        if (
            is_code(fences, match.start("rule"))
            or title[0] in "|>"
            or _ATX.match(title)
            or (len(rule) < len(title) and (rule[0] not in "=-" or _LISTED.match(title)))
        ):
            continue
        yield match


def heading_starts(text: str, fences: Sequence[int]) -> Iterator[int]:
    """The offset of each heading outside ``fences``: of ``# …``, and of lines that a rule underlines."""
    for match in (*_atx(text, fences), *_underlined(text, fences)):
        yield match.start()


def markup_headings(text: str) -> tuple[Heading, ...]:
    """The headings of ``text`` in order.

    Beside headings with ``#`` a rule of ``=`` is of level 1 and one of ``-`` of level 2, as in Markdown; where there are none,
    the kinds of rules are levels in the order in which they come, as in reStructuredText.
    """
    marks = fences(text)[0]
    found = [
        Heading(match.start(), len(match.group(1)), heading_text(_CLOSING.sub("", match.group(2))))
        for match in islice(_atx(text, marks), HEADINGS + 1)
    ]
    markdown = bool(found)
    kinds: dict[str, int] = {}
    for match in islice(_underlined(text, marks), HEADINGS + 1):
        mark = match.group("rule")[0]
        kind = mark if match.group(1) is None else mark * 2
        level = (2 if mark == "-" else 1) if markdown else kinds.setdefault(kind, len(kinds) + 1)
        found.append(Heading(match.start(), level, heading_text(match.group("title"))))
    return bounded(sorted(heading for heading in found if heading.title))


def with_headings(document: Document) -> Document:
    """``document`` with its headings, where its text marks them and they are not known yet."""
    if document.kind != "markup" or document.headings or not (found := markup_headings(document.text)):
        return document
    return replace(document, headings=found)


def heading_text(line: str) -> str:
    """What a page shows of a heading that was written with the marks of Markdown: links, pictures, emphasis, code, tags."""
    line = " ".join(line[: 2 * _TITLE].split())
    if not _MARKED.search(line):
        return line[:_TITLE]
    line = _ROLE.sub(r"\1", line)
    for _ in range(2):  # a picture in a link
        line = _LINK.sub(r"\1", line)
    parts = _CODE.split(line)
    for at in range(0, len(parts), 2):  # what is between is code
        part = _TAG.sub("", _RAISED.sub(r"^\1", _ATTRIBUTES.sub("", parts[at])))
        for mark in _EMPHASIS:
            part = mark.sub(r"\1", part)
        parts[at] = html.unescape(_ESCAPED.sub(r"\1", part))
    shown = " ".join("".join(parts).split())
    return (shown if len(parts) > 1 else shown.strip("*_` "))[:_TITLE]
